//! Requests signed as docs/spec/http-signatures.md has it, and what signing and verifying take by the library.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustix::time::{ClockId, clock_gettime};
use std::time::SystemTime;

pub struct Signer {
    keyid: String,
    pair: Ed25519KeyPair,
}

impl Signer {
    pub fn new(keyid: &str, pkcs8: &[u8]) -> Signer {
        Signer { keyid: keyid.to_owned(), pair: Ed25519KeyPair::from_pkcs8(pkcs8).unwrap() }
    }

    /// A request of now, with a nonce of its own.
    pub fn get(&self, port: u16, target: &str) -> Vec<u8> {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let mut nonce = [0; 16];
        SystemRandom::new().fill(&mut nonce).unwrap();
        let (nonce, keyid) = (URL_SAFE_NO_PAD.encode(nonce), &self.keyid);
        let params = format!(
            "(\"@method\" \"@authority\" \"@path\" \"@query\");created={now};expires={};nonce=\"{nonce}\";keyid=\"{keyid}\";tag=\"tensfer\"",
            now + 100
        );
        let base = format!(
            "\"@method\": GET\n\"@authority\": localhost:{port}\n\"@path\": {target}\n\"@query\": ?\n\"@signature-params\": {params}"
        );
        let signature = STANDARD.encode(self.pair.sign(base.as_bytes()));
        format!(
            "GET {target} HTTP/1.1\r\nhost: localhost:{port}\r\nsignature-input: tensfer={params}\r\nsignature: tensfer=:{signature}:\r\n\r\n"
        )
        .into_bytes()
    }
}

/// Microseconds of CPU that verifying and making a signature of Ed25519 take, over a base of the usual length.
pub fn primitives() -> (u64, u64) {
    const TIMES: u64 = 5000;
    let pair = Ed25519KeyPair::generate().unwrap();
    let base = [b'a'; 300];
    let signature = pair.sign(&base);
    let before = thread_us();
    for _ in 0..TIMES {
        // As ours does it: the key comes as bytes.
        UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref())
            .verify(&base, signature.as_ref())
            .unwrap();
    }
    let verified = thread_us();
    for _ in 0..TIMES {
        std::hint::black_box(pair.sign(&base));
    }
    ((verified - before) / TIMES, (thread_us() - verified) / TIMES)
}

fn thread_us() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec * 1_000_000 + time.tv_nsec / 1000).unwrap()
}
