#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::wallet::key::Mnemonic;
use crate::wallet::summary::Differs;
use crate::wallet::vectors::{Case, read};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use proptest::prelude::*;

fn list(name: &str) -> Vec<Case> {
    read(include_str!("../../../../../../vectors/wallet/solana.json")).list(name)
}

fn key() -> Ed25519Key {
    let vectors = read(include_str!("../../../../../../vectors/wallet/solana.json"));
    let seed = Mnemonic::parse(vectors.text("phrase")).unwrap().seed("").unwrap();
    Ed25519Key::master(&seed).derive(&vectors.text("path").parse().unwrap()).unwrap()
}

fn wallet() -> Address {
    Address(key().public_key().unwrap())
}

fn read_case(case: &Case) -> (Message, Summary) {
    let message = Message::decode(&case.bytes("message")).unwrap();
    let recipient = case.text("to").parse().ok();
    let shown = message.summary(Cluster::Main, &wallet(), recipient.as_ref()).unwrap();
    (message, shown)
}

#[test]
fn an_independent_library_signs_the_same_bytes() {
    for case in list("transfers") {
        let (message, shown) = read_case(&case);
        assert_eq!(
            message.sign(Cluster::Main, &key(), &shown).unwrap(),
            case.bytes("signed"),
            "{}",
            case.text("what")
        );
    }
}

#[test]
fn a_summary_says_what_the_message_does() {
    for case in list("transfers") {
        let (_, shown) = read_case(&case);
        assert_eq!(shown.to, case.text("to"), "{}", case.text("what"));
        assert_eq!(shown.asset, case.text("asset"));
        assert_eq!(shown.amount.to_string(), case.text("amount"));
        assert_eq!(shown.max_fee.to_string(), case.text("max_fee"));
    }
}

#[test]
fn what_is_more_or_else_than_one_transfer_is_never_signed() {
    for case in list("never_signed") {
        let message = Message::decode(&case.bytes("message")).unwrap();
        let recipient = case.text("to").parse().ok();
        assert!(
            message.summary(Cluster::Main, &wallet(), recipient.as_ref()).is_err(),
            "{}",
            case.text("what")
        );
    }
}

/// A bit of every byte of a message turned: what is left is no message, is refused, or differs in the block's hash alone, which
/// nobody is shown.
#[test]
fn every_altered_byte_is_refused() {
    for case in list("transfers") {
        let (original, shown) = read_case(&case);
        let bytes = case.bytes("message");
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << (at % 8);
            let Ok(message) = Message::decode(&altered) else { continue };
            let Ok(signed) = message.sign(Cluster::Main, &key(), &shown) else { continue };
            assert!(signed.ends_with(&altered));
            assert!(is_as_shown(&message, &original), "{}: byte {at}", case.text("what"));
        }
    }
}

/// Whether two messages differ in the block, in what they say may be written to (the chain wants it at least where the
/// programs do), in an account that no instruction is given, or in how a fee of the same size is divided; no more.
fn is_as_shown(message: &Message, original: &Message) -> bool {
    let calls = |message: &Message| -> Vec<Call> {
        let calls = message.instructions.iter().filter_map(|instruction| Call::decode(message, instruction));
        calls.filter(|call| !matches!(call, Call::Limit(_) | Call::Price(_))).collect()
    };
    // A `TransferChecked` with other decimals is refused by the token program.
    let without_decimals = |call: Call| match call {
        Call::TransferTokens { source, mint, to, owner, amount, .. } => {
            Call::TransferTokens { source, mint, to, owner, amount, decimals: 0 }
        }
        other => other,
    };
    let plain =
        |message: &Message| -> Vec<Call> { calls(message).into_iter().map(without_decimals).collect() };
    plain(message) == plain(original) && message.payer() == original.payer()
}

#[test]
fn each_part_that_differs_is_named() {
    let (message, shown) = read_case(&list("transfers")[0]);
    let one = U256::from(1_u64);
    for (other, differs) in [
        (Summary { chain: Cluster::Dev.chain().into(), ..shown.clone() }, Differs::Chain),
        (Summary { to: Address([1; 32]).to_string(), ..shown.clone() }, Differs::To),
        (Summary { asset: "x".into(), ..shown.clone() }, Differs::Asset),
        (Summary { amount: shown.amount.checked_add(one).unwrap(), ..shown.clone() }, Differs::Amount),
        (Summary { max_fee: shown.max_fee.checked_add(one).unwrap(), ..shown.clone() }, Differs::Fee),
        (Summary { nonce: Some(0), ..shown.clone() }, Differs::Nonce),
    ] {
        let signed = message.sign(Cluster::Main, &key(), &other);
        assert_eq!(signed.err(), Some(Refused::Differs(differs)));
    }
}

#[test]
fn another_wallets_key_signs_nothing() {
    let seed = Mnemonic::from_entropy(&[9; 32]).unwrap().seed("").unwrap();
    let other = Ed25519Key::master(&seed);
    for case in list("transfers") {
        let (message, shown) = read_case(&case);
        assert_eq!(message.sign(Cluster::Main, &other, &shown).err(), Some(Refused::Key));
    }
}

#[test]
fn the_signature_is_of_the_message_behind_it() {
    let (message, shown) = read_case(&list("transfers")[0]);
    let signed = message.sign(Cluster::Main, &key(), &shown).unwrap();
    let public = UnparsedPublicKey::new(&ED25519, wallet().0);
    assert_eq!(signed[0], 1);
    assert!(public.verify(&signed[65..], &signed[1..65]).is_ok());
}

proptest! {
    #[test]
    fn arbitrary_messages_are_read_or_refused(which in 0_usize..100, at in 0_usize..1000, bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let cases = list("transfers");
        let mut message = cases[which % cases.len()].bytes("message");
        let at = at % message.len();
        message.splice(at..at, bytes);
        if let Ok(message) = Message::decode(&message) {
            let _ = message.summary(Cluster::Main, &wallet(), None).is_ok();
        }
    }
}
