//! Who asks: the key of a request is found, its signature taken once, and what it may do said in a token.

use super::ask::{Denied, Head, Introduction, Reply};
use super::people::step_up::Fresh;
use super::signer::{Registered, Signer};
use super::token::Issuer;
use super::uses::Uses;
use super::view::{self, Accepted};
use super::{Actor, Code, Environment, Name, Public, Refusal, RequestName, Use};
use crate::rate::Rates;
use crate::signatures::{Authority, Field, Nonces, Once, Presented, Refused, Request, Room, Scheme, Signed};
use crate::store::{AcceptInvitation, CountPasskey, Failed, Provenance, Store};
use core::fmt::Display;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use wire::UnixMillis;
use wire::identity::RelyingParty;

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
    /// Whose passkeys count, and the pages that they are used at.
    pub parties: Vec<RelyingParty>,
}

/// The one table of nonces, the one issuer of tokens.
#[derive(Debug)]
pub struct Admission {
    place: Place,
    nonces: Mutex<Nonces>,
    rates: Rates<Signer>,
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
        let signer = match Signer::parse(presented.claimed_keyid()) {
            Some(signer) => signer.find(store).await.map_err(denied)?,
            None => None,
        };
        let verifier = signer.as_ref().and_then(|signer| signer.public().verifier().ok());
        let signed = presented.signed_by(verifier.as_ref(), now)?;
        // Whoever is here holds the key, and may learn what became of it.
        let signer = signer.ok_or(Refused::NotSigned)?;
        self.check(&signer, peer, now)?;
        let fresh = match &signer {
            Registered::Session(session) => Fresh::read(store, &self.place.parties, &signed, session).await?,
            Registered::Key(_) => None,
        };
        let once = self.once(signed, now)?;
        if let Some(Fresh { passkey, asserted }) = fresh {
            store.change(&CountPasskey { passkey, asserted, now }).await.map_err(denied)?;
        }
        if request.has("idempotency-key") && !once.field("idempotency-key").is_some_and(is_idempotency_key) {
            return Err(Refusal::IdempotencyKeyMalformed.into());
        }
        self.uses.note(signer.signer(), Use { at: now, from: peer });
        Ok(self.issuer.issue(
            audience,
            &name,
            &signer.asker(peer, fresh.map(|fresh| fresh.passkey)),
            &once,
            now,
        ))
    }

    fn check(&self, signer: &Registered, peer: IpAddr, now: UnixMillis) -> Result<(), Refusal> {
        signer.check(&self.uses, self.place.environment, peer, now)?;
        if self.rates.admit(signer.signer(), Instant::now()) { Ok(()) } else { Err(Refusal::TooManyOfKey) }
    }

    pub fn environment(&self) -> Environment {
        self.place.environment
    }

    pub fn parties(&self) -> &[RelyingParty] {
        &self.place.parties
    }

    /// A request that was signed by the key that its own body brings, under the name that follows from it. Anybody has a key, so no
    /// nonce is taken yet.
    pub fn introduced<'r>(
        &self,
        request: &'r Request<'r>,
        (public, keyid): (&Public, &impl Display),
        now: UnixMillis,
    ) -> Result<Signed<'r>, Denied> {
        let presented = Presented::read(request, &self.place.authorities)?;
        if presented.claimed_keyid() != keyid.to_string() {
            return Err(Refused::NotSigned.into());
        }
        let verifier = public.verifier().map_err(|_| Refusal::KeyInvalid)?;
        Ok(presented.signed_by(Some(&verifier), now)?)
    }

    pub fn once<'r>(&self, signed: Signed<'r>, now: UnixMillis) -> Result<Once<'r>, Refused> {
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
        let signed = self.introduced(&request, (&public, &public.id()), now)?;
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
    pub fn name(&self) -> Result<RequestName, Refusal> {
        RequestName::parse(&self.request).ok_or(Refusal::TokenRefused)
    }

    pub fn peer(&self) -> Result<IpAddr, Refusal> {
        let peer: Option<IpAddr> = self.peer.parse().ok();
        peer.map(|peer| peer.to_canonical()).ok_or(Refusal::TokenRefused)
    }

    pub fn request(&self) -> Result<Request<'_>, Refused> {
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
