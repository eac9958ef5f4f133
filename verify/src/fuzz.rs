//! Fuzz targets: plain functions over hostile bytes, run over a corpus on stable Rust and by any fuzzer.
//!
//! Each panics if what must hold does not, and on nothing else.

use crate::evidence::Presented;
use crate::expect::Kind;
use crate::measurement::{Name, Policy, Registers};
use crate::merkle::Nonce;
use crate::ohttp::{Recipient, open_request};
use crate::{Expect, bhttp, client, document};
use std::sync::OnceLock;
use wire::UnixMillis;

/// When the recorded documents of the corpus are tried: their own times, and one after all of them.
const TIMES: [u64; 3] = [1_665_651_482_136, 1_766_668_537_578, 1_800_000_000_000];

/// Saved documents: whatever the bytes, there is a report, and its verdict is the outcome of its checks.
pub fn fuzz_evidence(data: &[u8]) {
    let Ok(registers) = Registers::new().with(Name::Pcr(0), [0x11; 48]) else { return };
    let expect = Expect::new(Policy::new().or(registers));
    let kinds = Kind::ALL.into_iter().flat_map(|kind| TIMES.map(|time| (kind, time)));
    for (kind, time) in kinds {
        let certificates = [data.to_vec()];
        let presented =
            Presented { kind, document: data, certificates: &certificates, collateral: Some(data) };
        let report = document::check(&presented, &expect, UnixMillis(time), None);
        assert!(report.verdict.is_err(), "no document has this register");
        assert!(report.checks.last().is_some_and(|check| !check.ok), "the check that failed is the last");
        let signed = report.checks.iter().any(|check| check.name == "signature" && check.ok);
        assert!(signed || report.registers.is_empty(), "nothing unsigned is shown");
    }
}

/// Answers of a gateway to a client's nonce, none of which can be about this nonce.
pub fn fuzz_evidence_reply(data: &[u8]) {
    const NONCE: Nonce = [0x5a; 32];
    let Ok(registers) = Registers::new().with(Name::Pcr(0), [0x11; 48]) else { return };
    let outcome =
        client::check(data, &NONCE, &Expect::new(Policy::new().or(registers)), UnixMillis(TIMES[0]));
    assert!(outcome.verdict.is_err(), "nobody answered this nonce");
}

/// Sealed requests and the messages inside: a message that reads is written back to the same message.
pub fn fuzz_sealed(data: &[u8]) {
    static RECIPIENT: OnceLock<Option<Recipient>> = OnceLock::new();
    if let Some(recipient) = RECIPIENT.get_or_init(|| Recipient::generate(1).ok()) {
        assert!(open_request([recipient], data).is_err(), "nobody sealed to this key");
    }
    if let Ok(request) = bhttp::Request::from_bytes(data)
        && let Ok(bytes) = request.to_padded_bytes()
    {
        assert!(bhttp::Request::from_bytes(&bytes) == Ok(request));
    }
    if let Ok(response) = bhttp::Response::from_bytes(data)
        && let Ok(bytes) = response.to_padded_bytes()
    {
        assert!(bhttp::Response::from_bytes(&bytes) == Ok(response));
    }
}
