//! The keys that requests are sealed to: born here, two live at a time, never leaving.
//!
//! INVARIANT: each identity document has a first key of its own, and a key is published first in one document only.
//! So a key id names the one document that its requests must be sealed to; a request under any other is refused.

use crate::hash::sha256;
use crate::identity::{Statement, hpke_key};
use crate::limits::KEY_PERIOD_MS;
use verify::ohttp::{self, Opened, Recipient};
use wire::identity::HpkeKey;
use wire::{Canonical, Refusal, UnixMillis};
use zeroize::Zeroizing;

pub(crate) struct SealingKeys {
    current: SealingKey,
    previous: Option<SealingKey>,
}

/// A key, the document that says "seal to this one", and when it dies by the enclave's own counter.
struct SealingKey {
    recipient: Recipient,
    published: HpkeKey,
    identity: Vec<u8>,
    identity_hash: [u8; 32],
    born: u64,
    dies: u64,
}

/// The library made no key.
#[derive(Debug)]
pub(crate) struct NoKey;

impl SealingKeys {
    pub(crate) fn start(
        id: u8,
        statement: &Statement,
        now: UnixMillis,
        monotonic: u64,
    ) -> Result<Self, NoKey> {
        let current = SealingKey::make(id, None, statement, now, monotonic)?;
        Ok(SealingKeys { current, previous: None })
    }

    /// Makes a new current key and document; the key before the last one dies.
    pub(crate) fn roll(
        &mut self,
        statement: &Statement,
        now: UnixMillis,
        monotonic: u64,
    ) -> Result<(), NoKey> {
        let id = self.current.recipient.id().wrapping_add(1);
        let next = SealingKey::make(id, Some(&self.current.published), statement, now, monotonic)?;
        self.previous = Some(core::mem::replace(&mut self.current, next));
        Ok(())
    }

    /// Ends what has outlived its time by the enclave's own counter.
    pub(crate) fn expire(&mut self, monotonic: u64) {
        if self.previous.as_ref().is_some_and(|key| key.dies <= monotonic) {
            self.previous = None;
        }
    }

    /// When the current key must be followed by another.
    pub(crate) fn next_roll(&self) -> u64 {
        self.current.born.saturating_add(KEY_PERIOD_MS)
    }

    /// How long the current key has been the one to seal to.
    pub(crate) fn age(&self, monotonic: u64) -> u64 {
        monotonic.saturating_sub(self.current.born)
    }

    /// The identity document, as its evidence binds it.
    pub(crate) fn identity(&self) -> &[u8] {
        &self.current.identity
    }

    /// Opens an encapsulated request.
    pub(crate) fn open(&self, bytes: &[u8]) -> Result<Opened, Refusal> {
        let live = core::iter::once(&self.current).chain(&self.previous).map(|key| &key.recipient);
        ohttp::open_request(live, bytes).map_err(|error| match error {
            ohttp::Error::TooLong | ohttp::Error::Truncated => Refusal::Malformed,
            ohttp::Error::UnknownKey => Refusal::UnknownKey,
            ohttp::Error::Hpke(_) => Refusal::Unsealable,
        })
    }

    /// Opens a message that is no request, sealed to the key of this id for the purpose that `info` names.
    pub(crate) fn open_message(
        &self,
        key_id: u8,
        info: &[u8],
        (encapsulated, ciphertext): (&[u8], &[u8]),
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut live = core::iter::once(&self.current).chain(&self.previous).map(|key| &key.recipient);
        let recipient = live.find(|recipient| recipient.id() == key_id)?;
        recipient.open_message(info, encapsulated, ciphertext).ok()
    }

    /// SHA-256 of the document that says to seal to this key.
    pub(crate) fn identity_of(&self, key_id: u8) -> Option<[u8; 32]> {
        let mut live = core::iter::once(&self.current).chain(&self.previous);
        live.find(|key| key.recipient.id() == key_id).map(|key| key.identity_hash)
    }
}

impl SealingKey {
    fn make(
        id: u8,
        before: Option<&HpkeKey>,
        statement: &Statement,
        now: UnixMillis,
        monotonic: u64,
    ) -> Result<SealingKey, NoKey> {
        let recipient = Recipient::generate(id).map_err(|_| NoKey)?;
        let expires = now.plus(2 * KEY_PERIOD_MS);
        let published = hpke_key(&recipient, expires);
        let keys = core::iter::once(&published).chain(before).cloned().collect();
        let identity = statement.identity(keys, now, expires).to_bytes();
        let identity_hash = sha256(&identity);
        let dies = monotonic.saturating_add(2 * KEY_PERIOD_MS);
        Ok(SealingKey { recipient, published, identity, identity_hash, born: monotonic, dies })
    }
}

impl core::fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SealingKeys(..)")
    }
}
