//! Identity's part of the API. What is carried out is what was signed: method, path, query and body of the transaction, whatever
//! way it came. Each operation asks the policies again.

use super::admission::denied;
use super::ask::{Denied, Reply};
use super::restrictions::Restrictions;
use super::token::{Asker, Principal, Transaction};
use super::uses::Uses;
use super::view::{self, Made, PoliciesReplacement, Rotated};
use super::{Actor, Key, LONGEST_OVERLAP, Refusal};
use crate::identity::hex;
use crate::policy::{self, Action, Decision, Policies, Question, Resource};
use crate::store::{
    AddKey, Answered, Change, Cursor, Idempotency, Provenance, ReplaceKey, ReplacePolicies, RevokeKey, Store,
};
use aws_lc_rs::digest::{SHA256, digest};
use wire::transcript::Transcript;
use wire::transcript::domain;
use wire::{EventId, KeyId, UnixMillis};

/// Of one page.
const MOST: u32 = 100;
const USUAL: u32 = 50;

/// Every operation, by the method and path of its route in the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    ShowOrganisation,
    ListKeys,
    MakeKey,
    ShowKey(KeyId),
    RotateKey(KeyId),
    RevokeKey(KeyId),
    ShowPolicies,
    ReplacePolicies,
}

/// What an operation needs besides the transaction.
#[derive(Debug)]
pub struct Desk<'d> {
    pub store: &'d Store,
    pub restrictions: &'d Restrictions,
    pub uses: &'d Uses,
    pub event: EventId,
    pub now: UnixMillis,
}

impl Asked {
    fn read(method: &str, path: &str) -> Result<Asked, Refusal> {
        let id = |text: &str| KeyId::parse(text).ok_or(Refusal::KeyNotFound);
        let segments: Vec<&str> = path.split('/').collect();
        match (method, segments.as_slice()) {
            ("GET", ["", "v1", "organisation"]) => Ok(Asked::ShowOrganisation),
            ("GET", ["", "v1", "keys"]) => Ok(Asked::ListKeys),
            ("POST", ["", "v1", "keys"]) => Ok(Asked::MakeKey),
            ("GET", ["", "v1", "keys", key]) => Ok(Asked::ShowKey(id(key)?)),
            ("POST", ["", "v1", "keys", key, "rotate"]) => Ok(Asked::RotateKey(id(key)?)),
            ("POST", ["", "v1", "keys", key, "revoke"]) => Ok(Asked::RevokeKey(id(key)?)),
            ("GET", ["", "v1", "policies"]) => Ok(Asked::ShowPolicies),
            ("PUT", ["", "v1", "policies"]) => Ok(Asked::ReplacePolicies),
            // The gateway has a path that is not here.
            _ => Err(Refusal::TokenRefused),
        }
    }

    fn takes_a_body(self) -> bool {
        matches!(self, Asked::MakeKey | Asked::RotateKey(_) | Asked::ReplacePolicies)
    }

    fn action(self) -> Action {
        match self {
            Asked::ShowOrganisation => Action::OrganisationShow,
            Asked::ListKeys => Action::KeysList,
            Asked::MakeKey => Action::KeysMake,
            Asked::ShowKey(_) => Action::KeysShow,
            Asked::RotateKey(_) => Action::KeysRotate,
            Asked::RevokeKey(_) => Action::KeysRevoke,
            Asked::ShowPolicies => Action::PoliciesShow,
            Asked::ReplacePolicies => Action::PoliciesReplace,
        }
    }

    /// The key that it is about.
    fn key(self) -> Option<KeyId> {
        match self {
            Asked::ShowOrganisation
            | Asked::ListKeys
            | Asked::MakeKey
            | Asked::ShowPolicies
            | Asked::ReplacePolicies => None,
            Asked::ShowKey(id) | Asked::RotateKey(id) | Asked::RevokeKey(id) => Some(id),
        }
    }
}

impl Desk<'_> {
    pub async fn answer(&self, transaction: &Transaction<'_>) -> Result<Reply, Denied> {
        let asked = Asked::read(transaction.method(), transaction.path())?;
        self.permit(program(transaction)?, asked).await?;
        if asked != Asked::ListKeys && transaction.query().is_some() {
            return Err(Refusal::FieldsMalformed.into());
        }
        if !asked.takes_a_body() && !transaction.body().is_empty() {
            return Err(Refusal::FieldsMalformed.into());
        }
        match asked {
            Asked::ShowOrganisation => self.show_organisation(transaction).await,
            Asked::ListKeys => self.list_keys(transaction).await,
            Asked::ShowKey(id) => self.show_key(transaction, id).await,
            Asked::MakeKey => self.make_key(transaction).await,
            Asked::RotateKey(id) => self.rotate_key(transaction, id).await,
            Asked::RevokeKey(id) => self.revoke_key(transaction, id).await,
            Asked::ShowPolicies => self.show_policies(transaction).await,
            Asked::ReplacePolicies => self.replace_policies(transaction).await,
        }
    }

    /// Asks the policies. A key that there is not is asked about like one of the organisation's: who lacks the right to ask
    /// about any is told that, and nothing of which there are.
    async fn permit(&self, asker: &Principal, asked: Asked) -> Result<(), Denied> {
        let organisation = asker.organisation.to_string();
        let subject = match asked.key() {
            None => None,
            Some(id) => {
                let found = self.store.key(id).await.map_err(denied)?;
                let (of, environment) = found.map_or((asker.organisation, asker.environment), |key| {
                    (key.organisation, key.rights.environment)
                });
                Some((id.to_string(), of.to_string(), environment.name()))
            }
        };
        let resource = match &subject {
            None => Resource::Organisation(&organisation),
            Some((id, organisation, environment)) => Resource::Key { id, organisation, environment },
        };
        let (id, scopes) = (asker.key.to_string(), asker.scopes.names().collect::<Vec<_>>());
        let environment = asker.environment.name();
        let question = Question {
            principal: policy::Principal::Program {
                id: &id,
                organisation: &organisation,
                scopes: &scopes,
                environment,
            },
            action: asked.action(),
            resource,
            from: asker.peer,
            now: i64::try_from(self.now.0 / 1000).unwrap_or(i64::MAX),
        };
        let policies = if question.action.is_the_programs() {
            self.restrictions.of_the_program()
        } else {
            self.restrictions.of(self.store, asker.organisation).await?
        };
        refused(&policies.decide(&question), Refusal::KeyNotFound)
    }

    async fn show_organisation(&self, transaction: &Transaction<'_>) -> Result<Reply, Denied> {
        let id = program(transaction)?.organisation;
        let found = self.store.organisation(id).await.map_err(denied)?;
        Ok(view::organisation(&found.ok_or(Refusal::Failed)?))
    }

    async fn list_keys(&self, transaction: &Transaction<'_>) -> Result<Reply, Denied> {
        let (after, most) = page_asked(transaction.query()).ok_or(Refusal::FieldsMalformed)?;
        let organisation = program(transaction)?.organisation;
        let mut page = self.store.keys(organisation, after, most).await.map_err(denied)?;
        page.keys.iter_mut().for_each(|key| self.with_last_use(key));
        Ok(view::page(&page))
    }

    async fn show_key(&self, transaction: &Transaction<'_>, id: KeyId) -> Result<Reply, Denied> {
        let organisation = program(transaction)?.organisation;
        let found = self.store.key(id).await.map_err(denied)?;
        let ours = found.filter(|key| key.organisation == organisation);
        let mut key = ours.ok_or(Refusal::KeyNotFound)?;
        self.with_last_use(&mut key);
        Ok(view::shown(&key))
    }

    async fn make_key(&self, transaction: &Transaction<'_>) -> Result<Reply, Denied> {
        let made: Made = view::read(transaction.body())?;
        let asker = program(transaction)?;
        let new = made.new_key(asker.environment, self.now)?;
        new.public.check_possession(asker.organisation, &view::possession(&made.possession)?)?;
        let change = AddKey { maker: asker.key, new, by: self.by(transaction, asker.key) };
        self.carry_out(transaction, &change, |key| view::created(key).into()).await
    }

    async fn rotate_key(&self, transaction: &Transaction<'_>, id: KeyId) -> Result<Reply, Denied> {
        let rotated: Rotated = view::read(transaction.body())?;
        let asker = program(transaction)?;
        let public = rotated.public()?;
        public.check_possession(asker.organisation, &view::possession(&rotated.possession)?)?;
        let overlap = rotated.overlap_seconds.checked_mul(1000).filter(|overlap| *overlap <= LONGEST_OVERLAP);
        let overlap = overlap.ok_or(Refusal::FieldsMalformed)?;
        let change =
            ReplaceKey { asker: asker.key, id, public, overlap, by: self.by(transaction, asker.key) };
        self.carry_out(transaction, &change, |key| view::created(key).into()).await
    }

    /// Revoking again is done, too.
    async fn revoke_key(&self, transaction: &Transaction<'_>, id: KeyId) -> Result<Reply, Denied> {
        let asker = program(transaction)?;
        let change = RevokeKey { asker: asker.key, id, by: self.by(transaction, asker.key) };
        Ok(view::shown(&self.store.change(&change).await.map_err(denied)?))
    }

    async fn show_policies(&self, transaction: &Transaction<'_>) -> Result<Reply, Denied> {
        let organisation = program(transaction)?.organisation;
        let written = self.store.policies(organisation).await.map_err(denied)?;
        Ok(view::policies(written.as_ref(), self.restrictions.base().version()))
    }

    async fn replace_policies(&self, transaction: &Transaction<'_>) -> Result<Reply, Denied> {
        let PoliciesReplacement { text, replaces } = view::read(transaction.body())?;
        Policies::restricted(self.restrictions.base(), &text).map_err(|_| Refusal::PoliciesUnfit)?;
        let replaces = i64::try_from(replaces).map_err(|_| Refusal::FieldsMalformed)?;
        let asker = program(transaction)?.key;
        let change = ReplacePolicies { asker, text, replaces, by: self.by(transaction, asker) };
        let written = self.store.change(&change).await.map_err(denied)?;
        Ok(view::policies(Some(&written), self.restrictions.base().version()))
    }

    async fn carry_out<C: Change<Outcome = Key>>(
        &self,
        transaction: &Transaction<'_>,
        change: &C,
        answer: fn(&Key) -> crate::store::Answer,
    ) -> Result<Reply, Denied> {
        let idempotency = self.idempotency(transaction, program(transaction)?.key);
        let answered = self.store.change(&Answered { change, idempotency, answer }).await;
        Ok(answered.map_err(denied)?.into())
    }

    fn idempotency(&self, transaction: &Transaction<'_>, asker: KeyId) -> Option<Idempotency> {
        let key = transaction.idempotency_key()?.to_owned();
        let asked = Transcript::new(domain::IDEMPOTENT_REQUEST)
            .field(transaction.method().as_bytes())
            .field(transaction.path().as_bytes())
            .field(transaction.body());
        let request_hash = hex(digest(&SHA256, &asked.bytes()).as_ref());
        Some(Idempotency { actor: Actor::Key(asker), key, request_hash, now: self.now })
    }

    fn by(&self, transaction: &Transaction<'_>, asker: KeyId) -> Provenance {
        let actor = Actor::Key(asker);
        Provenance { event: self.event, actor, now: self.now, request: transaction.name().clone() }
    }

    fn with_last_use(&self, key: &mut Key) {
        key.last_used = self.uses.of(key.id.into()).or(key.last_used);
    }
}

/// Until people are members of organisations, these are for programs.
fn program<'t>(transaction: &'t Transaction<'_>) -> Result<&'t Principal, Refusal> {
    match transaction.asker() {
        Asker::Program(principal) => Ok(principal),
        Asker::Person(_) => Err(Refusal::ProgramsOnly),
    }
}

/// What a decision is to whoever asked.
pub fn refused(decision: &Decision, not_found: Refusal) -> Result<(), Denied> {
    let refusal = match decision.code() {
        None => return Ok(()),
        Some("scope_missing") => Refusal::ScopeMissing,
        Some("step_up_needed") => Refusal::StepUpNeeded,
        Some("wrong_environment") => Refusal::WrongEnvironment,
        Some("organisation_forbids") => Refusal::OrganisationForbids,
        // Of another organisation or person: it is told as if it did not exist.
        Some("nothing_permits") => not_found,
        Some("policy_failed") => Refusal::PolicyFailed,
        Some(code) => {
            crate::log::line(crate::calls::Role::Identity, format_args!("{code}: {decision:?}"));
            Refusal::Failed
        }
    };
    Err(decision.forbidden_by().map_or(Denied::Refused(refusal), |policy| Denied::Forbidden(refusal, policy)))
}

/// `limit=N&cursor=…`, each once, in any order.
fn page_asked(query: Option<&str>) -> Option<(Option<Cursor>, u32)> {
    let (mut after, mut most) = (None, None);
    for pair in query.into_iter().flat_map(|query| query.split('&')) {
        match pair.split_once('=')? {
            ("limit", number) if most.is_none() => {
                most = Some(number.parse().ok().filter(|number| (1..=MOST).contains(number))?);
            }
            ("cursor", text) if after.is_none() => after = Some(view::cursor(text)?),
            _ => return None,
        }
    }
    Some((after, most.unwrap_or(USUAL)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_in_one_way() {
        let cursor = format!("1800000000000.key_{}", "0a".repeat(16));
        for query in [format!("limit=1&cursor={cursor}"), format!("cursor={cursor}"), "limit=100".to_owned()]
        {
            assert!(page_asked(Some(&query)).is_some(), "{query}");
        }
        assert_eq!(page_asked(None), Some((None, USUAL)));
        for query in [
            "",
            "limit",
            "limit=0",
            "limit=101",
            "limit=x",
            "limit=1&limit=1",
            "cursor=",
            "other=1",
            "limit=1&",
        ] {
            assert_eq!(page_asked(Some(query)), None, "{query}");
        }
        for cursor in [format!("0{cursor}"), format!("{cursor}0"), cursor.to_uppercase()] {
            assert_eq!(view::cursor(&cursor), None, "{cursor}");
        }
    }
}
