//! Evidence: whose nonce it answers, and what it binds.

use crate::support::{Answer, host};
use wire::Refusal;
use wire::evidence::Evidence;
use wire::frame::Kind;
use wire::{Canonical, Identity};

#[test]
fn m06_evidence_binds_the_clients_own_nonce_and_the_identity() {
    let mut machine = host(1);
    let evidence = machine.evidence([7; 32]);
    assert_eq!(evidence.identity, machine.identity().0);
    assert_eq!((evidence.inclusion.index, evidence.inclusion.size), (0, 1));
    assert!(evidence.inclusion.path.is_empty(), "a batch of one is a leaf");
    assert_eq!(evidence.document, report_data(&evidence, &[7; 32]));
    assert_ne!(evidence.document, report_data(&evidence, &[8; 32]), "a nonce that the host rewrote");
}

#[test]
fn nonces_that_arrive_together_share_one_quote_and_each_has_its_proof() {
    let mut machine = host(1);
    let nonces: Vec<[u8; 32]> = (0..100).map(|i| [i; 32]).collect();
    for (nonce, stream) in nonces.iter().zip(1000..) {
        machine.frame(Kind::Attest, stream, nonce);
    }
    machine.pass(10);
    let answers = machine.take(Kind::Evidence);
    assert_eq!(answers.len(), nonces.len());
    let mut documents = Vec::new();
    for ((stream, body), nonce) in answers.iter().zip(&nonces) {
        let evidence = Evidence::from_bytes(body).unwrap();
        assert_eq!(evidence.document, report_data(&evidence, nonce), "{stream}");
        documents.push(evidence.document);
    }
    documents.dedup();
    assert_eq!(documents.len(), 1);
}

#[test]
fn m06_a_nonce_of_another_length_is_refused() {
    let mut machine = host(1);
    for nonce in [&[][..], &[1; 31], &[1; 33], &[1; 64]] {
        machine.frame(Kind::Attest, 5, nonce);
        assert!(matches!(machine.answer(5), Answer::Refused(Refusal::Malformed)));
    }
}

#[test]
fn two_starts_share_no_key_and_no_boot_id() {
    let [a, b] = [1, 2].map(|seed| Identity::from_bytes(host(seed).enclave.identity()).unwrap());
    assert_ne!(a.boot, b.boot);
    assert_ne!(a.receipt_key, b.receipt_key);
    assert_ne!(a.hpke_keys[0].public, b.hpke_keys[0].public);
}

/// What the quote must carry, computed as the client computes it.
fn report_data(evidence: &Evidence, nonce: &[u8; 32]) -> Vec<u8> {
    let root = verify::merkle::root_of(nonce, &evidence.inclusion).unwrap();
    verify::binding::report_data(&root, &evidence.identity).to_vec()
}
