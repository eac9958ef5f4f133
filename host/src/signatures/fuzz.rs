//! A fuzz target: a plain function over hostile bytes, run over a corpus on stable Rust and by any fuzzer.
//!
//! It panics if what must hold does not, and on nothing else.

use super::structured::Dictionary;
use super::{Algorithm, Field, Nonces, Presented, PublicKey, Request, Room, Scheme};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::sync::OnceLock;
use wire::UnixMillis;

/// A request as HTTP/1.1 has it, more or less: `METHOD TARGET`, then lines of fields, then a body after an empty line.
pub fn fuzz_http_signature(data: &[u8]) {
    if let Ok(text) = core::str::from_utf8(data)
        && let Ok(dictionary) = Dictionary::parse(text)
    {
        assert!(dictionary.to_string() == text, "one spelling");
    }
    let (head, body) = split(data, b"\n\n").unwrap_or((data, b""));
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next().and_then(|line| core::str::from_utf8(line).ok());
    let Some((method, target)) = first.and_then(|line| line.split_once(' ')) else { return };
    let field = |line| {
        let (name, value) = split(line, b":")?;
        Some((core::str::from_utf8(name).ok()?, value))
    };
    let fields: Vec<Field> = lines.filter_map(field).collect();
    let Ok(request) = Request::new(Scheme::Https, method, "api.example.com", target, fields) else { return };
    assert!(!request.path().split('/').any(|segment| matches!(segment, "." | "..")), "no dot segments");
    let here = [request.authority().clone()];
    let Ok(presented) = Presented::read(&request, &here) else { return };
    refuse(presented, body);
}

/// Whatever it says, nobody signed it.
fn refuse(presented: Presented, body: &[u8]) {
    static KEY: OnceLock<Option<PublicKey>> = OnceLock::new();
    // Its private half is gone at once.
    let key = KEY.get_or_init(|| {
        let pair = Ed25519KeyPair::generate().ok()?;
        PublicKey::new(Algorithm::Ed25519, pair.public_key().as_ref()).ok()
    });
    // When the corpus was signed.
    let now = UnixMillis(1_800_000_000_000);
    let mut nonces = Nonces::starting(UnixMillis(0), Room { of_all: 2, of_one: 1 });
    let verified = presented
        .signed_by(key.as_ref(), now)
        .and_then(|signed| signed.once(&mut nonces, now))
        .and_then(|once| once.with_body(body).map(|_| ()));
    assert!(verified.is_err(), "nobody signed this");
}

fn split<'d>(data: &'d [u8], between: &[u8]) -> Option<(&'d [u8], &'d [u8])> {
    let at = data.windows(between.len()).position(|window| window == between)?;
    Some((data.get(..at)?, data.get(at + between.len()..)?))
}
