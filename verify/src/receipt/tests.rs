//! Receipts: right, altered, missing, from another boot.

use super::*;
use crate::testing::enclave::{Enclave, NOW};
use aws_lc_rs::signature::Ed25519KeyPair;
use wire::identity::WIRE_VERSION;
use wire::{Refusal, UnixMillis};

const CONNECTION: ConnectionId = ConnectionId([6; 16]);
const REQUEST: &[u8] = b"the signed request";

fn receipt(enclave: &Enclave) -> Receipt {
    Receipt {
        op: Some(Op::Balances),
        connection: Some(CONNECTION),
        boot: enclave.identity.boot,
        counter: 5,
        previous: Some([9; 32]),
        request: sha256(REQUEST),
        refusal: None,
        time: NOW,
        position: None,
        result: Some(sha256(b"result")),
        grant: None,
    }
}

fn sign(key: &Ed25519KeyPair, named: &[u8; 32], domain: &str, payload: &[u8]) -> Vec<u8> {
    let protected = Protected { algorithm: EDDSA, key: sha256(named) }.to_bytes();
    let signature = key.sign(&to_be_signed(&protected, domain, payload));
    Sign1 { protected: &protected, payload: Some(payload), signature: signature.as_ref() }.to_bytes()
}

fn reply(enclave: &Enclave, receipt: &Receipt) -> Reply {
    Reply {
        version: WIRE_VERSION,
        result: receipt.refusal.is_none().then(|| b"result".to_vec()),
        refusal: receipt.refusal,
        receipt: sign(&enclave.receipts, &enclave.identity.receipt_key, domain::RECEIPT, &receipt.to_bytes()),
        mark: None,
        grant: None,
    }
}

fn last() -> Option<Last> {
    Some(Last { counter: 4, hash: [9; 32], boot: BootId([3; 16]) })
}

fn about(reply: &Reply) -> About<'_> {
    About {
        op: Op::Balances,
        connection: Some(CONNECTION),
        request: REQUEST,
        reply,
        grant: None,
        last: last(),
    }
}

fn outcome(enclave: &Enclave, receipt: &Receipt) -> Result<Checked, Refused> {
    check(&enclave.identity, &about(&reply(enclave, receipt)))
}

#[test]
fn a_receipt_that_follows_the_last_is_accepted_and_becomes_the_last() {
    let enclave = Enclave::hardware();
    let receipt = receipt(&enclave);
    let checked = outcome(&enclave, &receipt).unwrap();
    assert_eq!(checked.receipt, receipt);
    assert!(!checked.boot_changed);
    let expected = Last { counter: 5, hash: sha256(&receipt.to_bytes()), boot: enclave.identity.boot };
    assert_eq!(checked.last, Some(expected));
}

#[test]
fn a_missing_or_repeated_receipt_is_a_gap() {
    let enclave = Enclave::hardware();
    let good = receipt(&enclave);
    for (counter, previous) in [
        (4, Some([9; 32])),
        (6, Some([9; 32])),
        (1, None),
        (5, Some([8; 32])),
        (5, None),
        (u64::MAX, Some([9; 32])),
    ] {
        let receipt = Receipt { counter, previous, ..good.clone() };
        assert_eq!(outcome(&enclave, &receipt).err(), Some(Refused::ReceiptGap), "{counter} {previous:?}");
    }
}

#[test]
fn a_client_without_a_receipt_joins_where_the_connection_stands() {
    let enclave = Enclave::hardware();
    let first = |counter| {
        let reply = reply(&enclave, &Receipt { counter, ..receipt(&enclave) });
        check(&enclave.identity, &About { last: None, ..about(&reply) }).map(|checked| checked.boot_changed)
    };
    assert_eq!(first(17), Ok(false));
    assert_eq!(first(0), Err(Refused::ReceiptGap), "counters begin at one");
}

#[test]
fn a_new_boot_is_reported_and_the_counter_goes_on() {
    let mut enclave = Enclave::hardware();
    enclave.identity.boot = BootId([4; 16]);
    let checked = outcome(&enclave, &receipt(&enclave)).unwrap();
    assert!(checked.boot_changed);
    assert_eq!(checked.last.map(|last| last.boot), Some(BootId([4; 16])));
}

#[test]
fn a_receipt_about_something_else_is_refused() {
    let enclave = Enclave::hardware();
    let changes: [&dyn Fn(&mut Receipt); 7] = [
        &|r| r.op = Some(Op::Export),
        &|r| r.op = None,
        &|r| r.connection = Some(ConnectionId([0; 16])),
        &|r| r.connection = None,
        &|r| r.boot = BootId([0; 16]),
        &|r| r.request = [0; 32],
        &|r| r.result = Some([0; 32]),
    ];
    for change in changes {
        let mut receipt = receipt(&enclave);
        change(&mut receipt);
        assert_eq!(outcome(&enclave, &receipt).err(), Some(Refused::ReceiptMismatch), "{receipt:?}");
    }
}

#[test]
fn a_refusal_and_its_receipt_agree() {
    let enclave = Enclave::hardware();
    let refusal = Receipt { refusal: Some(Refusal::Replayed), result: None, ..receipt(&enclave) };
    assert!(outcome(&enclave, &refusal).is_ok());
    let mut claimed = reply(&enclave, &refusal);
    claimed.refusal = Some(Refusal::Expired);
    assert_eq!(check(&enclave.identity, &about(&claimed)).err(), Some(Refused::ReceiptMismatch));
    claimed.refusal = None;
    claimed.result = Some(b"result".to_vec());
    assert_eq!(check(&enclave.identity, &about(&claimed)).err(), Some(Refused::ReceiptMismatch));

    let early = Receipt { op: None, connection: None, counter: 0, previous: None, ..refusal };
    let checked = outcome(&enclave, &early).unwrap();
    assert_eq!(checked.last, last(), "a refusal before anything was understood moves no counter");
}

#[test]
fn only_the_verified_enclave_signs_receipts() {
    let enclave = Enclave::hardware();
    let payload = receipt(&enclave).to_bytes();
    let stranger = Enclave::hardware();
    let named = &enclave.identity.receipt_key;
    let mut reply = reply(&enclave, &receipt(&enclave));
    for (receipt, reason) in [
        (sign(&stranger.receipts, named, domain::RECEIPT, &payload), Refused::ReceiptSignature),
        (
            sign(&stranger.receipts, &stranger.identity.receipt_key, domain::RECEIPT, &payload),
            Refused::ReceiptSignature,
        ),
        (sign(&enclave.receipts, named, domain::CAPABILITY, &payload), Refused::ReceiptSignature),
        (sign(&enclave.receipts, named, domain::RECEIPT, b"no receipt"), Refused::ReceiptMalformed),
        (Vec::new(), Refused::ReceiptMalformed),
    ] {
        reply.receipt = receipt;
        assert_eq!(check(&enclave.identity, &about(&reply)).err(), Some(reason));
    }
}

#[test]
fn no_altered_byte_of_a_receipt_is_accepted() {
    let enclave = Enclave::hardware();
    let good = reply(&enclave, &receipt(&enclave));
    for at in 0..good.receipt.len() {
        let mut altered = good.clone();
        altered.receipt[at] ^= 1;
        assert!(check(&enclave.identity, &about(&altered)).is_err(), "byte {at}");
    }
}

#[test]
fn a_finding_is_checked_under_its_own_domain() {
    let enclave = Enclave::hardware();
    let found = Finding {
        connection: CONNECTION,
        exchange: "kraken".to_owned(),
        capabilities: Vec::new(),
        found: NOW,
        expires: UnixMillis(NOW.0 + 1),
    };
    let named = &enclave.identity.receipt_key;
    let signed = |domain| sign(&enclave.receipts, named, domain, &found.to_bytes());
    assert_eq!(finding(&enclave.identity, &signed(domain::CAPABILITY)), Ok(found.clone()));
    assert_eq!(finding(&enclave.identity, &signed(domain::RECEIPT)), Err(Refused::ReceiptSignature));
}

#[test]
fn a_use_of_a_grant_has_a_number_above_the_last_and_names_the_very_grant() {
    let (enclave, grant) = (Enclave::hardware(), Some(GrantId([7; 16])));
    let used = |counter, previous, grant| Receipt { counter, previous, grant, ..receipt(&enclave) };
    let ask = |receipt: &Receipt, by: Option<GrantId>| {
        let reply = reply(&enclave, receipt);
        check(&enclave.identity, &About { grant: by, ..about(&reply) }).map(|checked| checked.last)
    };
    for counter in [5, 9] {
        assert_eq!(ask(&used(counter, None, grant), grant).unwrap().unwrap().counter, counter);
    }
    assert_eq!(ask(&used(4, None, grant), grant).err(), Some(Refused::ReceiptGap), "again");
    assert_eq!(
        ask(&used(5, Some([9; 32]), grant), grant).err(),
        Some(Refused::ReceiptGap),
        "in the owner's chain"
    );
    let mismatch = Some(Refused::ReceiptMismatch);
    assert_eq!(ask(&used(5, None, grant), Some(GrantId([8; 16]))).err(), mismatch, "another grant");
    assert_eq!(ask(&used(5, None, grant), None).err(), mismatch, "its owner asked");
    assert_eq!(ask(&used(5, Some([9; 32]), None), grant).err(), mismatch, "nobody's leave");
    let early =
        Receipt { refusal: Some(Refusal::GrantOver), result: None, connection: None, ..used(0, None, None) };
    assert_eq!(ask(&early, grant).unwrap(), last(), "refused before its holder was let in");
}
