//! Receipts: every reply carries one, and none may be missing. Capability findings, signed by the same key.

#[cfg(test)]
mod tests;

use crate::Refused;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use wire::capability::Finding;
use wire::cose::{EDDSA, Protected, Sign1, to_be_signed};
use wire::identity::Identity;
use wire::operation::Op;
use wire::receipt::Receipt;
use wire::reply::Reply;
use wire::transcript::domain;
use wire::{BootId, Canonical, ConnectionId, GrantId};

/// The last receipt that a client holds for one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Last {
    pub counter: u64,
    /// SHA-256 of the receipt's payload.
    pub hash: [u8; 32],
    pub boot: BootId,
}

/// What a receipt must be about.
#[derive(Clone, Copy, Debug)]
pub struct About<'r> {
    pub op: Op,
    /// `None` while the connection is not known yet.
    pub connection: Option<ConnectionId>,
    /// The signed request's bytes, as sent.
    pub request: &'r [u8],
    pub reply: &'r Reply,
    /// The grant by which it was asked; `None`: its owner asked.
    pub grant: Option<GrantId>,
    /// `None`: the client holds no receipt of this connection.
    pub last: Option<Last>,
}

/// A receipt that was checked.
#[derive(Clone, Debug)]
pub struct Checked {
    pub receipt: Receipt,
    /// What to keep as the connection's last; unchanged if the receipt is not about a connection.
    pub last: Option<Last>,
    /// The enclave was started anew since the last receipt: what it remembered of this connection is gone.
    pub boot_changed: bool,
}

/// Checks the reply's receipt against the identity that the request was sealed to.
pub fn check(identity: &Identity, about: &About<'_>) -> Result<Checked, Refused> {
    let signed = Sign1::from_bytes(&about.reply.receipt).map_err(|_| Refused::ReceiptMalformed)?;
    let payload = verify(&identity.receipt_key, &signed, domain::RECEIPT)?;
    let receipt = Receipt::from_bytes(payload).map_err(|_| Refused::ReceiptMalformed)?;
    check_subject(&receipt, identity, about)?;
    if receipt.connection.is_none() {
        return Ok(Checked { receipt, last: about.last, boot_changed: false });
    }
    match receipt.grant {
        Some(_) => check_use(&receipt, about.last)?,
        None => check_sequence(&receipt, about.last)?,
    }
    let last = Last { counter: receipt.counter, hash: sha256(payload), boot: receipt.boot };
    let boot_changed = about.last.is_some_and(|before| before.boot != receipt.boot);
    Ok(Checked { receipt, last: Some(last), boot_changed })
}

/// Checks a capability finding, signed by the same key under a domain of its own.
pub fn finding(identity: &Identity, bytes: &[u8]) -> Result<Finding, Refused> {
    let signed = Sign1::from_bytes(bytes).map_err(|_| Refused::ReceiptMalformed)?;
    let payload = verify(&identity.receipt_key, &signed, domain::CAPABILITY)?;
    Finding::from_bytes(payload).map_err(|_| Refused::ReceiptMalformed)
}

/// EdDSA only, by this very key, over the payload as received.
pub(crate) fn verify<'r>(key: &[u8; 32], signed: &Sign1<'r>, domain: &str) -> Result<&'r [u8], Refused> {
    let protected = signed.protected().map_err(|_| Refused::ReceiptMalformed)?;
    let payload = signed.payload.ok_or(Refused::ReceiptMalformed)?;
    if protected != (Protected { algorithm: EDDSA, key: sha256(key) }) {
        return Err(Refused::ReceiptSignature);
    }
    UnparsedPublicKey::new(&ED25519, key)
        .verify(&to_be_signed(signed.protected, domain, payload), signed.signature)
        .map_err(|_| Refused::ReceiptSignature)?;
    Ok(payload)
}

fn check_subject(receipt: &Receipt, identity: &Identity, about: &About<'_>) -> Result<(), Refused> {
    let refused = receipt.refusal.is_some();
    // A request that was refused before it was understood has no operation and no connection to name.
    let op = receipt.op.map_or(refused, |op| op == about.op);
    let connection = match (receipt.connection, about.connection) {
        (Some(receipt), Some(expected)) => receipt == expected,
        // What an enclave without its line hands on is in no chain: it changes nothing.
        (None, Some(_)) => refused || about.op == Op::HandOn,
        (_, None) => true,
    };
    let outcome =
        receipt.refusal == about.reply.refusal && receipt.result == about.reply.result.as_deref().map(sha256);
    let request = receipt.request == sha256(about.request);
    // Before its holder was let in, nothing is recorded of a grant.
    let grant =
        receipt.grant == about.grant || (refused && (receipt.grant, receipt.connection) == (None, None));
    if receipt.boot == identity.boot && op && connection && outcome && request && grant {
        Ok(())
    } else {
        Err(Refused::ReceiptMismatch)
    }
}

/// Uses of a grant are counted, and not chained: each has a number above that of the last one that its holder knows.
fn check_use(receipt: &Receipt, last: Option<Last>) -> Result<(), Refused> {
    let rises = receipt.counter > last.map_or(0, |last| last.counter);
    if rises && receipt.previous.is_none() { Ok(()) } else { Err(Refused::ReceiptGap) }
}

/// The counter is one more than the last, and the receipt carries the last one's hash. A client without one joins
/// wherever the connection stands.
fn check_sequence(receipt: &Receipt, last: Option<Last>) -> Result<(), Refused> {
    let follows = match last {
        None => receipt.counter > 0,
        Some(last) => {
            last.counter.checked_add(1) == Some(receipt.counter) && receipt.previous == Some(last.hash)
        }
    };
    if follows { Ok(()) } else { Err(Refused::ReceiptGap) }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
    hash
}
