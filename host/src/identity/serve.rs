//! The process: its socket, until it is lost.

use super::admission::{Admission, Place, denied};
use super::api::Desk;
use super::ask::{
    Admitted, Begin, Denied, Head, Introduction, Invite, Invited, Listed, ListedOrganisation, NewOrganisation,
};
use super::people::ceremony::Ceremonies;
use super::people::desk;
use super::people::enter::Door;
use super::restrictions::Restrictions;
use super::token::{Asker, Issuer, NoKey, Verifier};
use super::{Actor, Code, INVITATION, Invitation, Name, Organisation, Refusal, RequestName, Scopes, uses};
use crate::calls::{DONE, FAILED, Operation, Role};
use crate::clock;
use crate::log;
use crate::policy::Base;
use crate::signatures::{Nonces, Room};
use crate::store::{CreateInvitation, CreateOrganisation, Provenance, Store};
use crate::transport::{
    Address, Drain, Listener, NotTaken, Outbox, Outgoing, TransportError, Unheard, frame,
};
use crate::workload::Workload;
use bytes::Bytes;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use wire::{Canonical, EventId, OrganisationId, UnixMillis};

/// Answers that one caller has not taken yet.
const ANSWERS: usize = 16 << 20;
/// Calls that are being answered at once; more wait.
const AT_ONCE: usize = 256;
/// Tokens that were used: each once, until it is over.
const TOKENS: Room = Room { of_all: 1 << 18, of_one: 1 << 16 };

/// Identity that listens, and does not serve yet.
#[derive(Debug)]
pub struct Identity {
    listener: Listener,
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Store,
    environment: super::Environment,
    admission: Admission,
    ceremonies: Ceremonies,
    restrictions: Restrictions,
    /// Of our own tokens: this process is a service, too.
    pub(super) tokens: Verifier,
    used: Mutex<Nonces>,
    at_once: Semaphore,
}

impl Identity {
    /// Listens at `run` as `me`.
    ///
    /// # Errors
    /// The socket, or no randomness for a key.
    pub fn bind(run: &Address, me: Workload, store: Store, place: Place) -> io::Result<Identity> {
        Identity::bind_started(run, me, store, place, clock::now())
    }

    /// The same, of one that takes what was signed after another time.
    pub(crate) fn bind_started(
        run: &Address,
        me: Workload,
        store: Store,
        place: Place,
        started: UnixMillis,
    ) -> io::Result<Identity> {
        Identity::started(Listener::bind(run, me)?, store, place, started)
    }

    /// As [`Identity::bind`], of a socket that listens already.
    pub fn hear(listener: Listener, store: Store, place: Place) -> io::Result<Identity> {
        Identity::started(listener, store, place, clock::now())
    }

    fn started(listener: Listener, store: Store, place: Place, started: UnixMillis) -> io::Result<Identity> {
        let shared = Shared::new(store, place, started)?;
        Ok(Identity { listener, shared: Arc::new(shared) })
    }

    /// Serves until `stop`, then writes what it still has to.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let Identity { listener, shared } = self;
        let outcome = tokio::select! {
            error = accept(listener, Arc::clone(&shared)) => Err(error),
            () = write_uses(&shared) => Ok(()),
            () = stop => Ok(()),
        };
        shared.write_uses().await;
        shared.store.close().await;
        outcome
    }
}

async fn accept(listener: Listener, shared: Arc<Shared>) -> io::Error {
    let mut connections = JoinSet::new();
    loop {
        let unheard = match listener.accept().await {
            Ok(unheard) => unheard,
            Err(error) => return error,
        };
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            if let Err(error) = serve(unheard, shared).await {
                log::line(Role::Identity, format_args!("closed a connection: {error}"));
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// One caller, to its end.
async fn serve(unheard: Unheard, shared: Arc<Shared>) -> Result<(), TransportError> {
    let (mut calls, writer) = unheard.hear().await?;
    let (answers, drain) = Outbox::new(ANSWERS);
    let written = write(writer, drain);
    tokio::pin!(written);
    loop {
        tokio::select! {
            call = calls.next() => match call? {
                // What was asked for is carried out, whether anybody waits or not.
                Some((Operation::Cancel, _, _)) => {}
                Some((operation, stream, body)) => {
                    tokio::spawn(answer(Arc::clone(&shared), answers.clone(), operation, stream, body));
                }
                None => return Ok(()),
            },
            written = &mut written => return Ok(written?),
        }
    }
}

async fn answer(shared: Arc<Shared>, answers: Outbox, operation: Operation, stream: u32, body: Bytes) {
    let Ok(_permit) = shared.at_once.acquire().await else { return };
    let answered = match shared.carry_out(operation, &body, clock::now()).await {
        Ok(bytes) => frame(DONE, stream, &bytes),
        Err(denied) => frame(FAILED, stream, denied.to_text().as_bytes()),
    };
    // A caller that takes no answers is told nothing more.
    let _: Option<Result<(), NotTaken>> = answered.ok().map(|bytes| answers.push(bytes));
}

async fn write(mut writer: Outgoing, mut drain: Drain) -> io::Result<()> {
    let mut frames = Vec::new();
    while drain.batch(&mut frames).await {
        writer.write_batch(&frames).await?;
    }
    Ok(())
}

async fn write_uses(shared: &Shared) {
    loop {
        tokio::time::sleep(uses::EVERY).await;
        shared.write_uses().await;
    }
}

impl Shared {
    pub(super) fn new(store: Store, place: Place, now: UnixMillis) -> io::Result<Shared> {
        let no_key = |NoKey| io::Error::other("no key could be made");
        let issuer = Issuer::make().map_err(no_key)?;
        let tokens = issuer.verifier().map_err(no_key)?;
        let restrictions = Restrictions::new(Base::get().map_err(io::Error::other)?);
        // No token is older than its issuer.
        let used = Mutex::new(Nonces::starting(UnixMillis(0), TOKENS));
        let (environment, at_once) = (place.environment, Semaphore::new(AT_ONCE));
        let admission = Admission::new(place, issuer, now);
        let ceremonies = Ceremonies::new()?;
        Ok(Shared { store, environment, admission, ceremonies, restrictions, tokens, used, at_once })
    }

    pub(super) async fn write_uses(&self) {
        if let Err(failed) = self.admission.uses.write(&self.store).await {
            log::line(Role::Identity, format_args!("last uses were not written: {failed}"));
        }
    }

    /// The table of calls says who may ask for which of these.
    pub(super) async fn carry_out(
        &self,
        operation: Operation,
        body: &[u8],
        now: UnixMillis,
    ) -> Result<Vec<u8>, Denied> {
        match operation {
            Operation::Admit => {
                let head = parse::<Head>(body)?;
                let token = self.admission.admit(&self.store, Role::Identity.name(), &head, now).await?;
                Ok(token.into_bytes())
            }
            Operation::Introduce => self.introduce(&parse::<Introduction>(body)?, now).await,
            Operation::BeginCeremony => {
                let Begin { peer, body } = parse::<Begin>(body)?;
                let peer = peer.parse().map_err(|_| Refusal::TokenRefused)?;
                Ok(self.door(now)?.begin(peer, &body, random()?)?.to_bytes())
            }
            Operation::AskIdentity => self.ask(&parse::<Admitted>(body)?, now).await,
            Operation::CreateOrganisation => self.create(&parse::<NewOrganisation>(body)?, now).await,
            Operation::Invite => self.invite(&parse::<Invite>(body)?, now).await,
            Operation::ListOrganisations => self.list().await,
            // The table lets nobody ask these of identity.
            _ => Err(Refusal::TokenRefused.into()),
        }
    }

    /// By its method and path, which its signature covers.
    async fn introduce(&self, introduction: &Introduction, now: UnixMillis) -> Result<Vec<u8>, Denied> {
        let head = &introduction.head;
        let reply = match (head.method.as_str(), head.target.as_str()) {
            ("POST", "/v1/invitations/accept") => {
                self.admission.accept(&self.store, introduction, (event_id()?, now)).await?
            }
            ("POST", "/v1/people") => self.door(now)?.sign_up(introduction).await?,
            ("POST", "/v1/recovery") => self.door(now)?.begin_recovery(introduction).await?,
            ("POST", "/v1/recovery/finish") => self.door(now)?.finish_recovery(introduction).await?,
            ("POST", "/v1/sessions") => self.door(now)?.sign_in(introduction).await?,
            _ => return Err(Refusal::FieldsMalformed.into()),
        };
        Ok(reply.to_bytes())
    }

    fn door(&self, now: UnixMillis) -> Result<Door<'_>, Refusal> {
        let Shared { store, admission, ceremonies, .. } = self;
        Ok(Door { store, admission, ceremonies, parties: admission.parties(), event: event_id()?, now })
    }

    async fn ask(&self, Admitted { token, body }: &Admitted, now: UnixMillis) -> Result<Vec<u8>, Denied> {
        let transaction = self.tokens.check(Role::Identity.name(), token, body, now)?;
        let used = transaction.used();
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(used, now)
            .map_err(|_| Refusal::TokenRefused)?;
        let Shared { store, restrictions, admission, .. } = self;
        let (uses, event) = (&admission.uses, event_id()?);
        let reply = match desk::Asked::read(transaction.method(), transaction.path()) {
            None => Desk { store, restrictions, uses, event, now }.answer(&transaction).await?,
            Some(asked) => {
                let Asker::Person(asker) = transaction.asker() else {
                    return Err(Refusal::PeopleOnly.into());
                };
                let policies = restrictions.of_the_program();
                let (policies, ceremonies, parties) = (&policies, &self.ceremonies, admission.parties());
                let desk = desk::Desk { store, policies, uses, ceremonies, parties, event, now };
                desk.answer(&transaction, asker, asked?).await?
            }
        };
        Ok(reply.to_bytes())
    }

    async fn create(&self, new: &NewOrganisation, now: UnixMillis) -> Result<Vec<u8>, Denied> {
        let name = Name::parse(&new.name).ok_or(Refusal::FieldsMalformed)?;
        let id = OrganisationId(random()?);
        let (code, invitation) = self.invitation(id, now)?;
        let told = told(&code, &invitation);
        let organisation = Organisation { id, name, created: now };
        let change = CreateOrganisation { organisation, invitation, by: by_operator(now)? };
        self.store.change(&change).await.map_err(denied)?;
        Ok(told)
    }

    /// Who has lost every key of an organisation starts anew by one of these.
    async fn invite(&self, invite: &Invite, now: UnixMillis) -> Result<Vec<u8>, Denied> {
        let organisation =
            OrganisationId::parse(&invite.organisation).ok_or(Refusal::OrganisationNotFound)?;
        let (code, invitation) = self.invitation(organisation, now)?;
        let told = told(&code, &invitation);
        self.store.change(&CreateInvitation { invitation, by: by_operator(now)? }).await.map_err(denied)?;
        Ok(told)
    }

    fn invitation(
        &self,
        organisation: OrganisationId,
        now: UnixMillis,
    ) -> Result<(Code, Invitation), Refusal> {
        let code = Code::from_random(&random()?);
        let invitation = Invitation {
            code: code.hash(),
            organisation,
            scopes: Scopes::all(),
            environment: self.environment,
            created: now,
            expires: now.plus(INVITATION),
            used_by: None,
        };
        Ok((code, invitation))
    }

    async fn list(&self) -> Result<Vec<u8>, Denied> {
        let organisations = self.store.organisations().await.map_err(denied)?;
        let organisations = organisations
            .into_iter()
            .map(|Organisation { id, name, created }| ListedOrganisation {
                id: id.to_string(),
                name: name.as_str().to_owned(),
                created,
            })
            .collect();
        Ok(Listed { organisations }.to_bytes())
    }
}

/// The only place that a code is told.
fn told(code: &Code, invitation: &Invitation) -> Vec<u8> {
    let (organisation, code) = (invitation.organisation.to_string(), code.reveal().to_owned());
    Invited { organisation, code, expires: invitation.expires }.to_bytes()
}

fn by_operator(now: UnixMillis) -> Result<Provenance, Refusal> {
    Ok(Provenance { event: event_id()?, actor: Actor::Operator, now, request: RequestName::of_command() })
}

/// What a role of ours sends is well-formed, or that role is not ours.
fn parse<'b, T: Canonical<'b>>(body: &'b [u8]) -> Result<T, Refusal> {
    T::from_bytes(body).map_err(|_| Refusal::TokenRefused)
}

fn event_id() -> Result<EventId, Refusal> {
    random().map(EventId)
}

fn random() -> Result<[u8; 16], Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Refusal::Failed)?;
    Ok(bytes)
}
