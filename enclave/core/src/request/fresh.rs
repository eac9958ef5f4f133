//! Sealed to this enclave, issued now, never seen before.

use super::SealedTo;
use crate::clock::Clock;
use crate::connections::LastReceipt;
use crate::nonces::{Nonces, Requester};
use wire::identity::WIRE_VERSION;
use wire::request::{MAX_VALIDITY_MS, SignedRequest};
use wire::{Refusal, UnixMillis};

/// A request that belongs here and now. Whose it is, is not known yet.
pub(crate) struct Fresh {
    pub(crate) last_receipt: LastReceipt,
    nonce: [u8; 16],
    issued: UnixMillis,
    expires: UnixMillis,
}

impl Fresh {
    /// In this order: version, recipient, form of the validity, clocks, expiry, nonce.
    pub(crate) fn check(
        request: &SignedRequest<'_>,
        sealed_to: &SealedTo,
        clock: &Clock,
        nonces: &Nonces,
    ) -> Result<Fresh, Refusal> {
        if request.version != WIRE_VERSION {
            return Err(Refusal::Malformed);
        }
        let last_receipt =
            LastReceipt { counter: request.last_counter, hash: request.last_receipt }.check()?;
        check_recipient(request, sealed_to)?;
        let validity = request.expires.0.checked_sub(request.issued.0);
        if !validity.is_some_and(|millis| millis > 0 && millis <= MAX_VALIDITY_MS) {
            return Err(Refusal::Malformed);
        }
        clock.agrees_with(request.issued)?;
        if request.expires <= clock.now() {
            return Err(Refusal::Expired);
        }
        nonces.check(&request.nonce, request.op)?;
        Ok(Fresh { last_receipt, nonce: request.nonce, issued: request.issued, expires: request.expires })
    }

    /// Its owner signed it: from here on it counts as carried out, whatever comes of it. A requester whose quota is used
    /// up has not spent it.
    pub(super) fn spend(
        self,
        requester: Requester,
        clock: &mut Clock,
        nonces: &mut Nonces,
    ) -> Result<LastReceipt, Refusal> {
        nonces.remember(self.nonce, self.expires, requester)?;
        clock.witness(self.issued);
        Ok(self.last_receipt)
    }
}

/// What the owner signed to seal to is what it was sealed to: nobody passed it on from another enclave, and nobody
/// but the owner's client made this seal.
fn check_recipient(request: &SignedRequest<'_>, sealed_to: &SealedTo) -> Result<(), Refusal> {
    let same = request.identity == sealed_to.identity
        && request.key == sealed_to.key
        && request.encapsulated == sealed_to.encapsulated;
    if same { Ok(()) } else { Err(Refusal::WrongIdentity) }
}
