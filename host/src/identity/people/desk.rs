//! What a person who is signed in asks about themselves. Each operation asks the policies again.

use super::super::admission::denied;
use super::super::api::refused;
use super::super::ask::{Denied, Reply};
use super::super::passkey::{self, Expected};
use super::super::token::{SignedIn, Transaction};
use super::super::uses::Uses;
use super::super::view::read;
use super::super::{Actor, Code, Refusal, Use};
use super::ceremony::{Ceremonies, Purpose};
use super::enter::refused as wrong;
use super::model::{Passkey, RECOVERY_CODES, Session};
use super::view::{self, Added, Named};
use crate::policy::{self, Action, Policies, Question, Resource};
use crate::store::{
    AddPasskey, CancelRecoveries, EndOtherSessions, EndSession, NamePasskey, NameSession, Provenance,
    RemovePasskey, ReplaceRecoveryCodes, Store,
};
use wire::identity::RelyingParty;
use wire::{EventId, PasskeyId, SessionId, UnixMillis};
use zeroize::Zeroizing;

/// Every operation, by the method and path of its route in the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    ShowPerson,
    ListSessions,
    EndOtherSessions,
    ShowSession(SessionId),
    NameSession(SessionId),
    EndSession(SessionId),
    AddPasskey,
    NamePasskey(PasskeyId),
    RemovePasskey(PasskeyId),
    MakeRecoveryCodes,
    CancelRecoveries,
}

/// What something is asked of.
enum Subject {
    Person,
    Session(SessionId),
    Passkey(PasskeyId),
}

/// What an operation needs besides the transaction.
#[derive(Debug)]
pub struct Desk<'d> {
    pub store: &'d Store,
    pub policies: &'d Policies,
    pub uses: &'d Uses,
    pub ceremonies: &'d Ceremonies,
    pub parties: &'d [RelyingParty],
    pub event: EventId,
    pub now: UnixMillis,
}

impl Asked {
    /// `None`: it is nothing that people ask.
    pub fn read(method: &str, path: &str) -> Option<Result<Asked, Refusal>> {
        let id = |text: &str| SessionId::parse(text).ok_or(Refusal::SessionNotFound);
        let passkey_id = |text: &str| PasskeyId::parse(text).ok_or(Refusal::PasskeyNotFound);
        let segments: Vec<&str> = path.split('/').collect();
        match (method, segments.as_slice()) {
            ("GET", ["", "v1", "person"]) => Some(Ok(Asked::ShowPerson)),
            ("GET", ["", "v1", "sessions"]) => Some(Ok(Asked::ListSessions)),
            ("POST", ["", "v1", "sessions", "end-others"]) => Some(Ok(Asked::EndOtherSessions)),
            ("GET", ["", "v1", "sessions", session]) => Some(id(session).map(Asked::ShowSession)),
            ("POST", ["", "v1", "sessions", session, "name"]) => Some(id(session).map(Asked::NameSession)),
            ("POST", ["", "v1", "sessions", session, "end"]) => Some(id(session).map(Asked::EndSession)),
            ("POST", ["", "v1", "passkeys"]) => Some(Ok(Asked::AddPasskey)),
            ("POST", ["", "v1", "passkeys", id, "name"]) => Some(passkey_id(id).map(Asked::NamePasskey)),
            ("DELETE", ["", "v1", "passkeys", id]) => Some(passkey_id(id).map(Asked::RemovePasskey)),
            ("POST", ["", "v1", "recovery-codes"]) => Some(Ok(Asked::MakeRecoveryCodes)),
            ("DELETE", ["", "v1", "recovery"]) => Some(Ok(Asked::CancelRecoveries)),
            _ => None,
        }
    }

    fn action(self) -> Action {
        match self {
            Asked::ShowPerson => Action::PersonShow,
            Asked::ListSessions => Action::SessionsList,
            Asked::EndOtherSessions => Action::SessionsEndOthers,
            Asked::ShowSession(_) => Action::SessionsShow,
            Asked::NameSession(_) => Action::SessionsName,
            Asked::EndSession(_) => Action::SessionsEnd,
            Asked::AddPasskey => Action::PasskeysAdd,
            Asked::NamePasskey(_) => Action::PasskeysName,
            Asked::RemovePasskey(_) => Action::PasskeysRemove,
            Asked::MakeRecoveryCodes => Action::RecoveryCodes,
            Asked::CancelRecoveries => Action::RecoveryCancel,
        }
    }

    fn takes_a_body(self) -> bool {
        matches!(self, Asked::NameSession(_) | Asked::AddPasskey | Asked::NamePasskey(_))
    }

    fn subject(self) -> Subject {
        match self {
            Asked::ShowPerson
            | Asked::ListSessions
            | Asked::EndOtherSessions
            | Asked::AddPasskey
            | Asked::MakeRecoveryCodes
            | Asked::CancelRecoveries => Subject::Person,
            Asked::ShowSession(id) | Asked::NameSession(id) | Asked::EndSession(id) => Subject::Session(id),
            Asked::NamePasskey(id) | Asked::RemovePasskey(id) => Subject::Passkey(id),
        }
    }
}

impl Desk<'_> {
    pub async fn answer(
        &self,
        transaction: &Transaction<'_>,
        asker: &SignedIn,
        asked: Asked,
    ) -> Result<Reply, Denied> {
        self.permit(asker, asked).await?;
        if transaction.query().is_some() || (!asked.takes_a_body() && !transaction.body().is_empty()) {
            return Err(Refusal::FieldsMalformed.into());
        }
        match asked {
            Asked::ShowPerson => self.show_person(asker).await,
            Asked::ListSessions => self.list(asker).await,
            Asked::EndOtherSessions => self.end_others(transaction, asker).await,
            Asked::ShowSession(id) => self.show_session(asker, id).await,
            Asked::NameSession(id) => self.name(transaction, asker, id).await,
            Asked::EndSession(id) => self.end(transaction, asker, id).await,
            Asked::AddPasskey => self.add_passkey(transaction, asker).await,
            Asked::NamePasskey(id) => self.name_passkey(transaction, asker, id).await,
            Asked::RemovePasskey(id) => self.remove_passkey(transaction, asker, id).await,
            Asked::MakeRecoveryCodes => self.make_recovery_codes(transaction, asker).await,
            Asked::CancelRecoveries => self.cancel_recoveries(transaction, asker).await,
        }
    }

    /// Asks the policies. What there is not is asked about like the person's own.
    async fn permit(&self, asker: &SignedIn, asked: Asked) -> Result<(), Denied> {
        let (person, session) = (asker.person.to_string(), asker.session.to_string());
        let (id, owner, not_found) = match asked.subject() {
            Subject::Person => (String::new(), None, Refusal::Failed),
            Subject::Session(id) => {
                let found = self.store.session(id).await.map_err(denied)?;
                (id.to_string(), found.map(|session| session.person), Refusal::SessionNotFound)
            }
            Subject::Passkey(id) => {
                let found = self.store.passkey(id).await.map_err(denied)?;
                (id.to_string(), found.map(|passkey| passkey.person), Refusal::PasskeyNotFound)
            }
        };
        let owner = owner.unwrap_or(asker.person).to_string();
        let resource = match asked.subject() {
            Subject::Person => Resource::Person(&person),
            Subject::Session(_) => Resource::Session { id: &id, person: &owner },
            Subject::Passkey(_) => Resource::Passkey { id: &id, person: &owner },
        };
        let question = Question {
            principal: policy::Principal::Person {
                id: &person,
                session: &session,
                is_fresh: asker.fresh.is_some(),
            },
            action: asked.action(),
            resource,
            from: asker.peer,
            now: i64::try_from(self.now.0 / 1000).unwrap_or(i64::MAX),
        };
        refused(&self.policies.decide(&question), not_found)
    }

    async fn show_person(&self, asker: &SignedIn) -> Result<Reply, Denied> {
        let person = self.store.person(asker.person).await.map_err(denied)?.ok_or(Refusal::Failed)?;
        let passkeys = self.store.passkeys(asker.person).await.map_err(denied)?;
        let codes = self.store.recovery_codes(asker.person).await.map_err(denied)?;
        let recoveries = self.store.recoveries(asker.person, self.now).await.map_err(denied)?;
        Ok(view::person(&person, &passkeys, codes, &recoveries))
    }

    async fn list(&self, asker: &SignedIn) -> Result<Reply, Denied> {
        let sessions = self.store.sessions(asker.person, self.now).await.map_err(denied)?;
        let sessions = sessions.into_iter().map(|session| self.as_used(session));
        let live = sessions.filter(|session| session.check_live(session.last_used.at, self.now).is_ok());
        Ok(view::sessions(&live.collect::<Vec<_>>(), asker.session))
    }

    async fn show_session(&self, asker: &SignedIn, id: SessionId) -> Result<Reply, Denied> {
        let found = self.store.session(id).await.map_err(denied)?;
        let session = found.filter(|session| session.person == asker.person);
        let session = session.ok_or(Refusal::SessionNotFound)?;
        Ok(view::session(&self.as_used(session), asker.session))
    }

    async fn name(
        &self,
        transaction: &Transaction<'_>,
        asker: &SignedIn,
        id: SessionId,
    ) -> Result<Reply, Denied> {
        let named: Named = read(transaction.body())?;
        let name = view::name(&named.name)?;
        let change = NameSession { asker: asker.session, id, name, by: self.by(transaction, asker) };
        let session = self.store.change(&change).await.map_err(denied)?;
        Ok(view::session(&self.as_used(session), asker.session))
    }

    /// Ending again is done, too.
    async fn end(
        &self,
        transaction: &Transaction<'_>,
        asker: &SignedIn,
        id: SessionId,
    ) -> Result<Reply, Denied> {
        let change = EndSession { asker: asker.session, id, by: self.by(transaction, asker) };
        let session = self.store.change(&change).await.map_err(denied)?;
        Ok(view::session(&self.as_used(session), asker.session))
    }

    async fn end_others(&self, transaction: &Transaction<'_>, asker: &SignedIn) -> Result<Reply, Denied> {
        let change = EndOtherSessions { asker: asker.session, by: self.by(transaction, asker) };
        Ok(view::ended(self.store.change(&change).await.map_err(denied)?))
    }

    /// Its ceremony is for the asking device, as the fresh word of another passkey is.
    async fn add_passkey(&self, transaction: &Transaction<'_>, asker: &SignedIn) -> Result<Reply, Denied> {
        let Added { ceremony, passkey } = read(transaction.body())?;
        let name = view::name(&passkey.name)?;
        let session = self.store.session(asker.session).await.map_err(denied)?;
        let device = session.ok_or(Refusal::SessionNotFound)?.public;
        let ceremony = self.ceremonies.read(&ceremony, Purpose::AddPasskey, &device, self.now)?;
        let expected = Expected { challenge: ceremony.challenge(), parties: self.parties };
        let credential = passkey::register(passkey.registration(), expected).map_err(wrong)?;
        self.ceremonies.take(&ceremony, self.now)?;
        let passkey = Passkey { person: asker.person, name, credential, created: self.now, last_used: None };
        let change = AddPasskey { asker: asker.session, passkey, by: self.by(transaction, asker) };
        Ok(view::added(&self.store.change(&change).await.map_err(denied)?))
    }

    async fn name_passkey(
        &self,
        transaction: &Transaction<'_>,
        asker: &SignedIn,
        id: PasskeyId,
    ) -> Result<Reply, Denied> {
        let named: Named = read(transaction.body())?;
        let name = view::name(&named.name)?;
        let change = NamePasskey { asker: asker.session, id, name, by: self.by(transaction, asker) };
        Ok(view::passkey(&self.store.change(&change).await.map_err(denied)?))
    }

    async fn remove_passkey(
        &self,
        transaction: &Transaction<'_>,
        asker: &SignedIn,
        id: PasskeyId,
    ) -> Result<Reply, Denied> {
        let change = RemovePasskey { asker: asker.session, id, by: self.by(transaction, asker) };
        Ok(view::passkey(&self.store.change(&change).await.map_err(denied)?))
    }

    async fn make_recovery_codes(
        &self,
        transaction: &Transaction<'_>,
        asker: &SignedIn,
    ) -> Result<Reply, Denied> {
        let mut made = Vec::new();
        for _ in 0..RECOVERY_CODES {
            let mut bytes = Zeroizing::new([0; 16]);
            getrandom::fill(bytes.as_mut()).map_err(|_| Refusal::Failed)?;
            made.push(Code::of_recovery(&bytes));
        }
        let codes = made.iter().map(Code::hash).collect();
        let change = ReplaceRecoveryCodes { asker: asker.session, codes, by: self.by(transaction, asker) };
        self.store.change(&change).await.map_err(denied)?;
        Ok(view::codes(&made))
    }

    /// Any session of theirs will do: who is signed in should not need what they may have lost.
    async fn cancel_recoveries(
        &self,
        transaction: &Transaction<'_>,
        asker: &SignedIn,
    ) -> Result<Reply, Denied> {
        let change = CancelRecoveries { asker: asker.session, by: self.by(transaction, asker) };
        Ok(view::ended(self.store.change(&change).await.map_err(denied)?))
    }

    fn by(&self, transaction: &Transaction<'_>, asker: &SignedIn) -> Provenance {
        let actor = Actor::Session(asker.session);
        Provenance { event: self.event, actor, now: self.now, request: transaction.name().clone() }
    }

    fn as_used(&self, session: Session) -> Session {
        let last_used: Use = self.uses.of(session.id.into()).unwrap_or(session.last_used);
        Session { last_used, ..session }
    }
}
