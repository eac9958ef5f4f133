//! What a passkey is asked for. A ceremony is begun by nobody who is known, so nothing is kept of it: its token says for how long, for
//! what and for which device's key it is, under a key of this process. The challenge is a hash over the token and the device's key:
//! whoever puts another key in the place of the device's has no assertion for it.

use super::super::key::derive_id;
use super::super::{Denied, Public, Refusal};
use crate::rate::{Rates, network};
use crate::signatures::{Nonces, Room, Used};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::fmt::{self, Debug, Formatter};
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use wire::transcript::{Transcript, domain};
use wire::{PersonId, UnixMillis};

/// Between the beginning and the end, in milliseconds: people look for their phones (WebAuthn §15.1).
pub const LONGEST: u64 = 5 * 60_000;
/// Ceremonies that were used: each once, until it is over.
const USED: Room = Room { of_all: 1 << 18, of_one: 1 << 18 };
/// A second from one network, and at once after a pause: an office, and a phone company's address that thousands share.
const PER_SECOND: u32 = 20;
const BURST: u32 = 200;

/// What somebody wants to do with a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    SignUp,
    SignIn,
    AddPasskey,
    Recover,
}

/// Begins ceremonies, and takes each once.
pub struct Ceremonies {
    key: hmac::Key,
    used: Mutex<Nonces>,
    networks: Rates<IpAddr>,
}

/// A ceremony of ours that is not over, for the purpose and the device that it was begun for.
#[derive(Debug)]
pub struct Ceremony {
    token: [u8; TOKEN],
    purpose: Purpose,
    challenge: [u8; 32],
}

/// When it is over, what makes it another each time, and who says so.
const TOKEN: usize = HEAD + 32;
const HEAD: usize = 8 + 16;

impl Purpose {
    pub const ALL: [Purpose; 4] = [Purpose::SignUp, Purpose::SignIn, Purpose::AddPasskey, Purpose::Recover];

    pub const fn name(self) -> &'static str {
        match self {
            Purpose::SignUp => "sign_up",
            Purpose::SignIn => "sign_in",
            Purpose::AddPasskey => "add_passkey",
            Purpose::Recover => "recover",
        }
    }

    pub fn from_name(name: &str) -> Option<Purpose> {
        Purpose::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

impl Ceremonies {
    pub fn new() -> io::Result<Ceremonies> {
        let mut secret = zeroize::Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut())?;
        Ok(Ceremonies {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref()),
            // No token is older than its key.
            used: Mutex::new(Nonces::starting(UnixMillis(0), USED)),
            networks: Rates::new(PER_SECOND, BURST),
        })
    }

    /// Before anything of who asks is known, or read.
    pub fn admit(&self, peer: IpAddr) -> Result<(), Refusal> {
        let is_admitted = self.networks.admit(network(peer), Instant::now());
        if is_admitted { Ok(()) } else { Err(Refusal::TooManyOfNetwork) }
    }

    /// The device whose key this is will finish it.
    pub fn begin(
        &self,
        purpose: Purpose,
        device: &Public,
        random: [u8; 16],
        now: UnixMillis,
    ) -> (String, UnixMillis) {
        let expires = now.plus(LONGEST);
        let mut token = [0; TOKEN];
        let mac = self.mac(purpose, device, &[&expires.0.to_be_bytes()[..], &random].concat());
        let bytes = expires.0.to_be_bytes().into_iter().chain(random).chain(mac.as_ref().iter().copied());
        token.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        (URL_SAFE_NO_PAD.encode(token), expires)
    }

    pub fn read(
        &self,
        token: &str,
        purpose: Purpose,
        device: &Public,
        now: UnixMillis,
    ) -> Result<Ceremony, Refusal> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Refusal::CeremonyOver)?;
        let token: [u8; TOKEN] = bytes.try_into().map_err(|_| Refusal::CeremonyOver)?;
        let (head, mac) = token.split_at(HEAD);
        hmac::verify(&self.key, &input(purpose, device, head), mac).map_err(|_| Refusal::CeremonyOver)?;
        let ceremony = Ceremony { token, purpose, challenge: challenge(purpose, &token, device) };
        if now < ceremony.expires() { Ok(ceremony) } else { Err(Refusal::CeremonyOver) }
    }

    /// For who has done what was asked: nobody else takes room.
    pub fn take(&self, ceremony: &Ceremony, now: UnixMillis) -> Result<(), Denied> {
        let nonce = URL_SAFE_NO_PAD.encode(ceremony.token);
        let expires = ceremony.expires();
        let used =
            Used { keyid: ceremony.purpose.name(), nonce: &nonce, created: expires.minus(LONGEST), expires };
        let taken = self.used.lock().unwrap_or_else(PoisonError::into_inner).take(used, now);
        taken.map_err(|_| Refusal::CeremonyOver.into())
    }

    fn mac(&self, purpose: Purpose, device: &Public, head: &[u8]) -> hmac::Tag {
        hmac::sign(&self.key, &input(purpose, device, head))
    }
}

impl Ceremony {
    /// Of tests of what is derived from a token.
    #[cfg(test)]
    pub fn dangerous_unchecked(token: [u8; TOKEN], purpose: Purpose, device: &Public) -> Ceremony {
        Ceremony { token, purpose, challenge: challenge(purpose, &token, device) }
    }

    pub fn challenge(&self) -> &[u8; 32] {
        &self.challenge
    }

    /// Who signs up by it.
    pub fn person(&self) -> PersonId {
        PersonId(derive_id(Transcript::new(domain::PERSON).field(&self.token)))
    }

    fn expires(&self) -> UnixMillis {
        let (expires, _) = self.token.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        UnixMillis(u64::from_be_bytes(*expires))
    }
}

fn input(purpose: Purpose, device: &Public, head: &[u8]) -> Vec<u8> {
    let of = Transcript::new(domain::CEREMONY).field(purpose.name().as_bytes()).field(head);
    of.field(device.algorithm().name().as_bytes()).field(device.bytes()).bytes()
}

/// docs/spec/people.md §3: the client computes it, too, and asks for no other.
fn challenge(purpose: Purpose, token: &[u8; TOKEN], device: &Public) -> [u8; 32] {
    let of = Transcript::new(domain::CEREMONY_CHALLENGE).field(purpose.name().as_bytes()).field(token);
    let of = of.field(device.algorithm().name().as_bytes()).field(device.bytes());
    let mut hash = [0; 32];
    let bytes = digest(&SHA256, &of.bytes());
    hash.iter_mut().zip(bytes.as_ref()).for_each(|(to, from)| *to = *from);
    hash
}

/// Nothing of its key.
impl Debug for Ceremonies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Ceremonies")
    }
}
