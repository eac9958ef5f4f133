//! Signing up and signing in: a passkey's word makes a device's key a session. Nobody is named before it is checked, and a device
//! signs the very request that brings its key.

use super::super::admission::{Admission, denied};
use super::super::ask::{Denied, Introduction, Reply};
use super::super::passkey::{self, Expected, Fault};
use super::super::view::read;
use super::super::{Actor, Name, Public, Refusal, RequestName, Use};
use super::ceremony::{Ceremonies, Ceremony, Purpose};
use super::model::{LONGEST_SESSION, Passkey, Person, Session, passkey_id};
use super::view::{self, Begun, SignedIn, SignedUp};
use crate::calls::Role;
use crate::log;
use crate::store::{Provenance, SignIn, SignUp, Store};
use std::net::IpAddr;
use wire::identity::RelyingParty;
use wire::{EventId, PasskeyId, PersonId, UnixMillis};

/// What signing up and in needs besides what was sent.
#[derive(Debug)]
pub struct Door<'d> {
    pub store: &'d Store,
    pub admission: &'d Admission,
    pub ceremonies: &'d Ceremonies,
    pub parties: &'d [RelyingParty],
    pub event: EventId,
    pub now: UnixMillis,
}

/// A device that came with a ceremony of ours and will have signed the request that says so.
pub(super) struct Arrived {
    pub device: Public,
    pub ceremony: Ceremony,
    name: Name,
    request: RequestName,
    peer: IpAddr,
}

impl Door<'_> {
    /// Of nobody: nothing is known and nothing is kept.
    pub fn begin(&self, peer: IpAddr, body: &[u8], random: [u8; 16]) -> Result<Reply, Denied> {
        self.ceremonies.admit(peer)?;
        let begun: Begun = read(body)?;
        let (purpose, device) = (begun.purpose()?, begun.device()?);
        let (token, expires) = self.ceremonies.begin(purpose, &device, random, self.now);
        let ceremony = self.ceremonies.read(&token, purpose, &device, self.now)?;
        let person = (purpose == Purpose::SignUp).then(|| ceremony.person());
        Ok(view::begun(token, person, expires))
    }

    pub async fn sign_up(&self, introduction: &Introduction) -> Result<Reply, Denied> {
        let signed_up: SignedUp = self.body(introduction)?;
        let arrived = self.arrived(
            introduction,
            (Purpose::SignUp, &signed_up.ceremony),
            signed_up.device()?,
            &signed_up.device,
        )?;
        let name = view::name(&signed_up.name)?;
        let passkey_name = view::name(&signed_up.passkey.name)?;
        let head = introduction.head.request()?;
        let signed =
            self.admission.introduced(&head, (&arrived.device, &arrived.device.session()), self.now)?;
        let credential =
            passkey::register(signed_up.passkey.registration(), self.expected(&arrived)).map_err(refused)?;
        self.admission.once(signed, self.now)?.with_body(&introduction.body)?;
        self.ceremonies.take(&arrived.ceremony, self.now)?;

        let person = Person { id: arrived.ceremony.person(), name, created: self.now };
        let passkey =
            Passkey { person: person.id, name: passkey_name, credential, created: self.now, last_used: None };
        let session = self.session(&arrived, person.id, passkey.id());
        let change = SignUp { person, passkey, session, by: self.by(&arrived) };
        Ok(view::signed_in(&self.store.change(&change).await.map_err(denied)?))
    }

    pub async fn sign_in(&self, introduction: &Introduction) -> Result<Reply, Denied> {
        let signed_in: SignedIn = self.body(introduction)?;
        let arrived = self.arrived(
            introduction,
            (Purpose::SignIn, &signed_in.ceremony),
            signed_in.device()?,
            &signed_in.device,
        )?;
        let head = introduction.head.request()?;
        let signed =
            self.admission.introduced(&head, (&arrived.device, &arrived.device.session()), self.now)?;
        let id = passkey_id(&signed_in.passkey.id.0);
        // A passkey that is not here is refused as one that said something wrong.
        let passkey = self.store.passkey(id).await.map_err(denied)?.ok_or(Refusal::PasskeyRefused)?;
        if passkey.person.0 != *signed_in.passkey.user_handle.0 {
            return Err(Refusal::PasskeyRefused.into());
        }
        let asserted =
            passkey::assert(signed_in.passkey.assertion(), &passkey.credential, self.expected(&arrived))
                .map_err(refused)?;
        self.admission.once(signed, self.now)?.with_body(&introduction.body)?;
        self.ceremonies.take(&arrived.ceremony, self.now)?;

        let session = self.session(&arrived, passkey.person, id);
        let change = SignIn { asserted, session, by: self.by(&arrived) };
        Ok(view::signed_in(&self.store.change(&change).await.map_err(denied)?))
    }

    /// Whoever comes from a network that tried too often is told so before their body is read.
    pub(super) fn body<T: serde::de::DeserializeOwned>(
        &self,
        introduction: &Introduction,
    ) -> Result<T, Denied> {
        self.ceremonies.admit(introduction.head.peer()?)?;
        Ok(read(&introduction.body)?)
    }

    pub(super) fn arrived(
        &self,
        introduction: &Introduction,
        (purpose, token): (Purpose, &str),
        device: Public,
        name: &str,
    ) -> Result<Arrived, Denied> {
        let ceremony = self.ceremonies.read(token, purpose, &device, self.now)?;
        let (request, peer) = (introduction.head.name()?, introduction.head.peer()?);
        Ok(Arrived { device, ceremony, name: view::name(name)?, request, peer })
    }

    pub(super) fn expected<'e>(&'e self, arrived: &'e Arrived) -> Expected<'e> {
        Expected { challenge: arrived.ceremony.challenge(), parties: self.parties }
    }

    pub(super) fn session(&self, arrived: &Arrived, person: PersonId, passkey: PasskeyId) -> Session {
        Session {
            id: arrived.device.session(),
            person,
            name: arrived.name.clone(),
            public: arrived.device.clone(),
            environment: self.admission.environment(),
            passkey,
            created: self.now,
            expires: self.now.plus(LONGEST_SESSION),
            last_used: Use { at: self.now, from: arrived.peer },
            revoked: None,
        }
    }

    pub(super) fn by(&self, arrived: &Arrived) -> Provenance {
        let actor = Actor::Session(arrived.device.session());
        Provenance { event: self.event, actor, now: self.now, request: arrived.request.clone() }
    }
}

/// One answer, whatever it was: a stranger learns nothing of which passkeys there are.
pub(super) fn refused(fault: Fault) -> Refusal {
    if fault == Fault::Counter {
        log::alarm(
            Role::Identity,
            "a passkey was counted before: there may be a second authenticator with its key",
        );
    }
    Refusal::PasskeyRefused
}
