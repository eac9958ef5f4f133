//! Who asks: the key of a request is found, its signature taken once, and what it may do said in a token.

use super::ask::{Denied, Head, Introduction, Reply};
use super::token::{Issuer, Principal};
use super::uses::Uses;
use super::view::{self, Accepted};
use super::{Actor, Code, Environment, Key, Name, Public, Refusal, RequestName, Use};
use crate::rate::Rates;
use crate::signatures::{Authority, Field, Nonces, Once, Presented, Refused, Request, Room, Scheme, Signed};
use crate::store::{AcceptInvitation, Failed, Provenance, Store};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use wire::{KeyId, UnixMillis};

/// Each nonce takes some 200 bytes for two minutes at most.
const NONCES: Room = Room { of_all: 1 << 20, of_one: 1 << 17 };
/// Requests a second that one key may keep up, and those that it may send at once after a pause.
const PER_SECOND: u32 = 500;
const BURST: u32 = 2000;

/// Where this is: what a request must be for to count here.
#[derive(Clone, Debug)]
pub struct Place {
    /// Every spelling by which clients reach the gateway.
    pub authorities: Vec<Authority>,
    pub environment: Environment,
}

/// The one table of nonces, the one issuer of tokens.
#[derive(Debug)]
pub struct Admission {
    place: Place,
    nonces: Mutex<Nonces>,
    rates: Rates<KeyId>,
    issuer: Issuer,
    pub uses: Uses,
}

impl Admission {
    pub fn new(place: Place, issuer: Issuer, now: UnixMillis) -> Admission {
        Admission {
            place,
            nonces: Mutex::new(Nonces::starting(now, NONCES)),
            rates: Rates::new(PER_SECOND, BURST),
            issuer,
            uses: Uses::default(),
        }
    }

    /// The token of a request for the service `audience`.
    pub async fn admit(
        &self,
        store: &Store,
        audience: &str,
        head: &Head,
        now: UnixMillis,
    ) -> Result<String, Denied> {
        let (name, peer) = (head.name()?, head.peer()?);
        let request = head.request()?;
        let presented = Presented::read(&request, &self.place.authorities)?;
        let key = match KeyId::parse(presented.claimed_keyid()) {
            Some(id) => store.key(id).await.map_err(denied)?,
            None => None,
        };
        let verifier = key.as_ref().and_then(|key| key.public.verifier().ok());
        let signed = presented.signed_by(verifier.as_ref(), now)?;
        // Whoever is here holds the key, and may learn what became of it.
        let key = key.ok_or(Refused::NotSigned)?;
        self.check(&key, peer, now)?;
        let once = self.once(signed, now)?;
        if request.has("idempotency-key") && !once.field("idempotency-key").is_some_and(is_idempotency_key) {
            return Err(Refusal::IdempotencyKeyMalformed.into());
        }
        self.uses.note(key.id, Use { at: now, from: peer });
        let principal = Principal {
            key: key.id,
            organisation: key.organisation,
            scopes: key.rights.scopes,
            environment: key.rights.environment,
            peer,
        };
        Ok(self.issuer.issue(audience, &name, &principal, &once, now))
    }

    fn check(&self, key: &Key, peer: IpAddr, now: UnixMillis) -> Result<(), Refusal> {
        key.check_live(now)?;
        key.check_place(self.place.environment, peer)?;
        if self.rates.admit(key.id, Instant::now()) { Ok(()) } else { Err(Refusal::TooManyOfKey) }
    }

    fn once<'r>(&self, signed: Signed<'r>, now: UnixMillis) -> Result<Once<'r>, Refused> {
        signed.once(&mut self.nonces.lock().unwrap_or_else(PoisonError::into_inner), now)
    }

    /// Registers the key that signed the request, if it brings an invitation.
    pub async fn accept(
        &self,
        store: &Store,
        introduction: &Introduction,
        by: (wire::EventId, UnixMillis),
    ) -> Result<Reply, Denied> {
        let Introduction { head, body } = introduction;
        let (name, (event, now)) = (head.name()?, by);
        let accepted: Accepted = view::read(body)?;
        let public = accepted.public()?;
        let request = head.request()?;
        let presented = Presented::read(&request, &self.place.authorities)?;
        if presented.claimed_keyid() != public.id().to_string() {
            return Err(Refused::NotSigned.into());
        }
        let verifier = public.verifier().map_err(|_| Refusal::KeyInvalid)?;
        let signed = presented.signed_by(Some(&verifier), now)?;
        let change = self.acceptance(
            &accepted,
            public,
            Provenance { event, actor: Actor::Operator, now, request: name },
        )?;
        // Anybody has a key: only who has an invitation too takes room among the nonces.
        if !store.is_invited(&change.code, change.public.id(), now).await.map_err(denied)? {
            return Err(Refusal::InvitationRefused.into());
        }
        self.once(signed, now)?.with_body(body)?;
        let key = store.change(&change).await.map_err(denied)?;
        Ok(view::created(&key))
    }

    fn acceptance(
        &self,
        accepted: &Accepted,
        public: Public,
        by: Provenance,
    ) -> Result<AcceptInvitation, Refusal> {
        let name = Name::parse(&accepted.name).ok_or(Refusal::FieldsMalformed)?;
        let code = Code::hash_of(&accepted.code).ok_or(Refusal::InvitationRefused)?;
        let by = Provenance { actor: Actor::Key(public.id()), ..by };
        Ok(AcceptInvitation { code, name, public, by })
    }
}

impl Head {
    fn name(&self) -> Result<RequestName, Refusal> {
        RequestName::parse(&self.request).ok_or(Refusal::TokenRefused)
    }

    fn peer(&self) -> Result<IpAddr, Refusal> {
        let peer: Option<IpAddr> = self.peer.parse().ok();
        peer.map(|peer| peer.to_canonical()).ok_or(Refusal::TokenRefused)
    }

    fn request(&self) -> Result<Request<'_>, Refused> {
        let scheme = if self.is_https { Scheme::Https } else { Scheme::Http };
        let fields = self.fields.iter().map(|field| -> Field<'_> { (&field.name, &field.value) });
        Request::new(scheme, &self.method, &self.authority, &self.target, fields)
    }
}

fn is_idempotency_key(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What a failure of the store is to whoever asked; the log has the rest.
pub fn denied(failed: Failed) -> Denied {
    match failed {
        Failed::Refused(refusal) => refusal.into(),
        Failed::Damaged(_) | Failed::Database(_) => {
            crate::log::line(crate::calls::Role::Identity, format_args!("{failed}"));
            Refusal::Failed.into()
        }
    }
}
