//! A saved document, checked without an identity: what `tensfer verify --document` says.

use crate::examination::Examination;
use crate::expect::Expect;
use crate::measurement::Registers;
use crate::nitro::{self, Attested, Freshness, Standing};
use crate::{Check, Refused};
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

/// Checks a document as at the time `at`; a nonce, if given, must be the document's, byte for byte.
pub fn check(bytes: &[u8], expect: &Expect, at: UnixMillis, nonce: Option<&[u8]>) -> Report {
    let mut examination = Examination::default();
    let policy = examination
        .check("policy", || if expect.measurements.is_empty() { Err(Refused::EmptyPolicy) } else { Ok(()) });
    let document = unwrap(bytes);
    let attested = attest(&document, expect, at, nonce, &mut examination);
    let verdict = policy.and(attested).map(|attested| match attested.standing {
        Standing::Hardware => Found::Hardware,
        Standing::Simulated => Found::Simulated,
    });
    Report { verdict, registers: examination.registers, checks: examination.checks }
}

fn attest(
    document: &[u8],
    expect: &Expect,
    at: UnixMillis,
    nonce: Option<&[u8]>,
    examination: &mut Examination,
) -> Result<Attested, Refused> {
    let is_answer = |payload: &nitro::Payload<'_>| nonce.is_some() && payload.nonce == nonce;
    let answers = |payload: &nitro::Payload<'_>| {
        if is_answer(payload) { Freshness::Proven } else { Freshness::Unknown }
    };
    let (attested, payload) = nitro::check(document, expect, at, answers, examination)?;
    if nonce.is_some() {
        examination
            .check("nonce", || if is_answer(&payload) { Ok(()) } else { Err(Refused::NonceMismatch) })?;
    }
    Ok(attested)
}

/// How far into a recording its document begins. A single byte before it is no framing, but another CBOR tag.
const FRAMING: [usize; 2] = [2, 16];

/// Takes a document out of what people save it in: base64 or hexadecimal text, or a recorder's short framing.
pub fn unwrap(bytes: &[u8]) -> Cow<'_, [u8]> {
    if let Some(decoded) = unhex(bytes).or_else(|| unbase64(bytes)) {
        return Cow::Owned(decoded);
    }
    // An untagged COSE_Sign1 with a protected header of four bytes that begins {1: …}.
    let begins =
        |at: &usize| bytes.get(*at..).is_some_and(|rest| rest.starts_with(&[0x84, 0x44, 0xa1, 0x01]));
    let [shortest, longest] = FRAMING;
    let framed = (shortest..=longest).find(begins).and_then(|at| bytes.get(at..));
    let document = framed.and_then(|rest| rest.get(..nitro::length(rest)?));
    Cow::Borrowed(document.unwrap_or(bytes))
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text_symbols(text, |byte| char::from(byte).to_digit(16)?.try_into().ok())?;
    let mut pairs = digits.chunks_exact(2);
    let bytes = pairs.by_ref().map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    pairs.remainder().is_empty().then_some(bytes)
}

/// Base64 (RFC 4648 §4), padding optional.
fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = text.trim_ascii();
    let unpadded = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let value = |byte| ALPHABET.iter().position(|symbol| *symbol == byte)?.try_into().ok();
    let symbols = text_symbols(unpadded, value)?;
    let mut bytes = Vec::with_capacity(symbols.len());
    for group in symbols.chunks(4) {
        let bits = group.iter().fold(0u32, |bits, symbol| bits << 6 | u32::from(*symbol));
        let [_, high, middle, low] =
            (bits << (24u32.checked_sub(6u32.checked_mul(group.len().try_into().ok()?)?)?)).to_be_bytes();
        match group.len() {
            4 => bytes.extend([high, middle, low]),
            3 => bytes.extend([high, middle]),
            2 => bytes.push(high),
            _ => return None,
        }
    }
    Some(bytes)
}

/// The values of a text's symbols, white space left out; `None` for no text, or for one with another symbol.
fn text_symbols(text: &[u8], value: impl Fn(u8) -> Option<u8>) -> Option<Vec<u8>> {
    if text.len() > nitro::MAX_BYTES.saturating_mul(3) {
        return None;
    }
    let symbols = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    let values = symbols.map(|byte| value(*byte)).collect::<Option<Vec<u8>>>()?;
    (!values.is_empty()).then_some(values)
}
