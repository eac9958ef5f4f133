//! A saved document, checked without an identity: what `tensfer verify --document` says.

use crate::attested::{Attested, Freshness, Standing};
use crate::evidence::{self, Claims, Presented};
use crate::examination::Examination;
use crate::expect::{Expect, Kind};
use crate::measurement::Registers;
use crate::{Check, Refused, nitro, tdx, text};
use std::borrow::Cow;
use wire::UnixMillis;

/// What a saved document turned out to be. It verifies no enclave: nothing can be sealed with it.
#[derive(Clone, Debug)]
pub struct Report {
    pub verdict: Result<Found, Refused>,
    /// The document's registers; empty unless its signature was verified.
    pub registers: Registers,
    pub checks: Vec<Check>,
}

/// Who vouches for a document that passed every check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Hardware,
    Simulated,
}

impl Report {
    /// `hardware`, `simulated` or `refused`.
    pub fn verdict_name(&self) -> &'static str {
        match self.verdict {
            Ok(Found::Hardware) => "hardware",
            Ok(Found::Simulated) => "simulated",
            Err(_) => "refused",
        }
    }
}

/// Checks a document as at the time `at`; a nonce, if given, must be the document's.
pub fn check(saved: &Presented<'_>, expect: &Expect, at: UnixMillis, nonce: Option<&[u8]>) -> Report {
    let mut examination = Examination::default();
    let policy = examination.check("policy", || expect.names_programs());
    let document = unwrap(saved.kind, saved.document);
    let presented = Presented { document: &document, ..*saved };
    let attested = attest(&presented, expect, at, nonce, &mut examination);
    let verdict = policy.and(attested).map(|attested| match attested.standing {
        Standing::Hardware => Found::Hardware,
        Standing::Simulated => Found::Simulated,
    });
    Report { verdict, registers: examination.registers, checks: examination.checks }
}

fn attest(
    presented: &Presented<'_>,
    expect: &Expect,
    at: UnixMillis,
    nonce: Option<&[u8]>,
    examination: &mut Examination,
) -> Result<Attested, Refused> {
    let is_answer = |claims: &Claims<'_>| nonce.is_some_and(|nonce| carries(presented.kind, claims, nonce));
    let answers =
        |claims: &Claims<'_>| if is_answer(claims) { Freshness::Proven } else { Freshness::Unknown };
    let (attested, claims) = evidence::check(presented, expect, at, answers, examination)?;
    if nonce.is_some() {
        examination
            .check("nonce", || if is_answer(&claims) { Ok(()) } else { Err(Refused::NonceMismatch) })?;
    }
    Ok(attested)
}

/// Whether the nonce stands where programs put one: Nitro has a field for it, byte for byte; elsewhere it is the report data,
/// filled up with zeros.
fn carries(kind: Kind, claims: &Claims<'_>, nonce: &[u8]) -> bool {
    match kind {
        Kind::Nitro => claims.nonce == Some(nonce),
        Kind::SevSnp | Kind::Tdx => {
            let rest = claims.data.and_then(|data| data.strip_prefix(nonce));
            !nonce.is_empty() && rest.is_some_and(|rest| rest.iter().all(|byte| *byte == 0))
        }
    }
}

/// How far into a recording its document begins. A single byte before it is no framing, but another CBOR tag.
const FRAMING: [usize; 2] = [2, 16];

/// Takes a document out of what people save it in: base64 or hexadecimal text, or a recorder's short framing.
pub fn unwrap(kind: Kind, bytes: &[u8]) -> Cow<'_, [u8]> {
    if let Some(decoded) = text::unhex(bytes).or_else(|| text::unbase64(bytes)) {
        return Cow::Owned(decoded);
    }
    match kind {
        Kind::Nitro => {}
        Kind::SevSnp => return Cow::Borrowed(bytes),
        Kind::Tdx => return Cow::Borrowed(tdx::without_padding(bytes).unwrap_or(bytes)),
    }
    // An untagged COSE_Sign1 with a protected header of four bytes that begins {1: …}.
    let begins =
        |at: &usize| bytes.get(*at..).is_some_and(|rest| rest.starts_with(&[0x84, 0x44, 0xa1, 0x01]));
    let [shortest, longest] = FRAMING;
    let framed = (shortest..=longest).find(begins).and_then(|at| bytes.get(at..));
    let document = framed.and_then(|rest| rest.get(..nitro::length(rest)?));
    Cow::Borrowed(document.unwrap_or(bytes))
}
