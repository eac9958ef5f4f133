//! What any opened seal may hold.

use super::body;
use crate::owner::{Signed, check_set};
use minicbor::bytes::ByteSlice;
use wire::Canonical;
use wire::action::{Inquiry, Instruction};
use wire::authorisation::{Begin, Finish};
use wire::grant::{End, Grant, Make};
use wire::identity::RelyingParty;
use wire::moving::{Capsule, HandOn};
use wire::operation::{Balances, ConfirmBackup, Export, Link, Nothing, Op, Rotate};
use wire::owner::OwnerKey;
use wire::proof::{Challenge, Prove};
use wire::provider_key::RotateKey;
use wire::record::Query;
use wire::request::{Authorised, SignedRequest};

/// Reads arbitrary bytes as the plaintext of a seal, as the message in it, and as the request and signatures in that:
/// refuses, never panics.
pub fn fuzz_request(data: &[u8]) {
    if let Ok(content) = body(data) {
        read_message(&content);
    }
    read_message(data);
    read_request(data);
    let _ = Grant::parse(data).is_some();
}

fn read_message(data: &[u8]) {
    let Ok(message) = Authorised::from_bytes(data) else { return };
    read_request(message.request);
    let owners = owners_of(message.request);
    let known: Vec<&OwnerKey> = owners.iter().collect();
    let _ = Signed::check(message.request, &message.signatures, &known, &served(&owners)).is_ok();
}

fn read_request(data: &[u8]) {
    let Ok(request) = SignedRequest::from_bytes(data) else { return };
    read_args(request.op, request.args);
    let _ = request.grant.is_some_and(|grant| Grant::parse(grant).is_some());
}

fn read_args(op: Op, args: &ByteSlice) {
    let _ = match op {
        Op::Link => {
            Link::from_bytes(args).is_ok_and(|link| check_set(&link.owners, &served(&link.owners)).is_ok())
        }
        Op::Balances => Balances::from_bytes(args).is_ok(),
        Op::Read => Query::from_bytes(args).is_ok(),
        Op::Rotate => Rotate::from_bytes(args).is_ok(),
        Op::Export => Export::from_bytes(args).is_ok(),
        Op::Preview | Op::Act => {
            Instruction::from_bytes(args).is_ok_and(|instruction| instruction.checked().is_some())
        }
        Op::Status => Inquiry::from_bytes(args).is_ok_and(|inquiry| inquiry.checked().is_some()),
        Op::Acknowledge | Op::Inspect | Op::Forget | Op::Refresh | Op::Revoke | Op::Panic | Op::Grants => {
            Nothing::from_bytes(args).is_ok()
        }
        Op::RotateKey => RotateKey::from_bytes(args).is_ok(),
        Op::Begin => Begin::from_bytes(args).is_ok(),
        Op::Finish => Finish::from_bytes(args).is_ok(),
        Op::Challenge => Challenge::from_bytes(args).is_ok(),
        Op::Prove => Prove::from_bytes(args).is_ok(),
        Op::ConfirmBackup => ConfirmBackup::from_bytes(args).is_ok(),
        Op::HandOn => HandOn::from_bytes(args).is_ok(),
        Op::TakeIn => Capsule::from_bytes(args).is_ok(),
        Op::Grant => Make::from_bytes(args).is_ok_and(|make| make.terms.has_form()),
        Op::Ungrant => End::from_bytes(args).is_ok(),
    };
}

/// The relying parties of all passkeys, so that reading gets as far as it can.
fn served(owners: &[OwnerKey]) -> Vec<RelyingParty> {
    let passkeys = owners.iter().filter_map(|key| key.passkey.as_ref());
    passkeys.map(|key| RelyingParty { id: key.relying_party.clone(), origins: key.origins.clone() }).collect()
}

/// The owner keys that a link request brings.
fn owners_of(request: &[u8]) -> Vec<OwnerKey> {
    let request = SignedRequest::from_bytes(request).ok().filter(|request| request.op == Op::Link);
    let link = request.as_ref().and_then(|request| Link::from_bytes(request.args).ok());
    link.map(|link| link.owners).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A message that is one, to be altered: the independent script's.
    fn message() -> Vec<u8> {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../../vectors/protocol.json")).unwrap_or_default();
        let text = vectors.pointer("/request/authorised").and_then(|text| text.as_str()).unwrap_or_default();
        let digits = text.as_bytes().chunks(2).filter_map(|pair| core::str::from_utf8(pair).ok());
        digits.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
    }

    proptest! {
        #[test]
        fn no_plaintext_of_a_seal_panics(data in prop::collection::vec(any::<u8>(), 0..2_000)) {
            fuzz_request(&data);
        }

        #[test]
        fn no_altered_message_panics(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut message = message();
            prop_assert!(Authorised::from_bytes(&message).is_ok());
            for (at, value) in changes {
                let at = at.index(message.len());
                message.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= value);
            }
            fuzz_request(&message);
            message.truncate(cut.index(message.len()));
            fuzz_request(&message);
        }
    }
}
