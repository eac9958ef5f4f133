//! CPU time of verification and of opening a sealed request, beside the floor of the libraries alone.
//!
//! `cargo run --release --example verify_bench -p tensfer-verify` prints one JSON object; times are microseconds.
#![expect(clippy::float_arithmetic, reason = "times and ratios, not money")]

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, UnparsedPublicKey, X25519};
use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, ML_KEM_768};
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use aws_lc_rs::{digest, hmac, rand::SystemRandom};
use serde_json::json;
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use verify::evidence::Presented;
use verify::expect::Kind;
use verify::measurement::{Name, Policy, Registers};
use verify::ohttp::{Recipient, Sealer, open_request};
use verify::{Expect, document};
use wire::UnixMillis;

/// How many times each thing is measured; the median counts. A round takes long beside the scheduler's clock tick.
const ROUNDS: usize = 15;

fn main() {
    let nitro = nitro();
    let (x25519, ml_kem) = (x25519(), ml_kem());
    let (schedule, aead, hash) = (key_schedule(), aead(), combiner());
    let floor = x25519 + ml_kem + schedule + aead + hash;
    let (open, reply) = sealed();
    let p384 = p384_verify();
    let (snp, tdx) = (snp(), tdx());
    let report = json!({
        "unit": "µs of CPU, median of the rounds",
        "nitro_verify": nitro,
        "snp_verify": snp,
        "tdx_verify": tdx,
        "nitro_floor": { "p384_verify": p384, "of_them": 5, "sum": p384 * 5.0, "ratio": p384 * 5.0 / nitro },
        "open": open,
        "open_floor": {
            "x25519": x25519, "ml_kem_768_decapsulate": ml_kem, "combiner_sha3": hash,
            "hkdf_extract_and_four_expands": schedule, "aes_256_gcm_open": aead, "sum": floor, "ratio": floor / open,
        },
        "seal_reply": reply,
    });
    println!("{report:#}");
}

/// A real document, five signatures, all checks.
fn nitro() -> f64 {
    let bytes = vector("nitro/evervault-beta-valid.cose");
    verified(&Presented::nitro(&bytes), 1_665_651_482_136)
}

/// A real report, three signatures (two of them RSA-4096), all checks.
fn snp() -> f64 {
    let (document, certificates) = (vector("snp/trustee-report.bin"), [vector("snp/trustee-vcek.der")]);
    let presented =
        Presented { kind: Kind::SevSnp, document: &document, certificates: &certificates, collateral: None };
    verified(&presented, 1_795_366_800_000)
}

/// A real quote with Intel's statements, ten signatures, all checks.
fn tdx() -> f64 {
    let (document, collateral) =
        (vector("tdx/dcapqvl-tdx_quote"), vector("tdx/dcapqvl-tdx_quote_collateral.json"));
    let presented =
        Presented { kind: Kind::Tdx, document: &document, certificates: &[], collateral: Some(&collateral) };
    verified(&presented, 1_750_420_800_000)
}

fn verified(presented: &Presented<'_>, at: u64) -> f64 {
    let at = UnixMillis(at);
    let unknown = Registers::new().with(Name::Pcr(0), [0; 48]).expect("a register");
    let registers = document::check(presented, &Expect::new(Policy::new().or(unknown)), at, None).registers;
    let expect = Expect::new(Policy::new().or(registers));
    assert!(document::check(presented, &expect, at, None).verdict.is_ok());
    median(200, || drop(black_box(document::check(presented, &expect, at, None))))
}

fn vector(file: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors/evidence").join(file);
    fs::read(path).expect("the vector")
}

/// Opening a request of 512 bytes, and sealing a reply of 512 bytes to it.
fn sealed() -> (f64, f64) {
    let recipient = Recipient::generate(1).expect("a key");
    let sealer = Sealer::dangerous_unverified(1, recipient.public_key()).expect("a sealer");
    let (request, _) = sealer.seal(&[7; 512]).expect("sealed");
    let open = median(2000, || drop(black_box(open_request([&recipient], &request).expect("opens"))));
    let both = median(2000, || {
        let opened = open_request([&recipient], &request).expect("opens");
        black_box(opened.reply.seal(&[7; 512]).expect("seals"));
    });
    (open, both - open)
}

fn x25519() -> f64 {
    let key = agreement::PrivateKey::generate(&X25519).expect("a key");
    let peer = agreement::PrivateKey::generate(&X25519).expect("a key").compute_public_key().expect("public");
    median(2000, || {
        let peer = UnparsedPublicKey::new(&X25519, peer.as_ref());
        black_box(agreement::agree(&key, peer, (), |secret| Ok(secret[0])).expect("agrees"));
    })
}

fn ml_kem() -> f64 {
    let key = DecapsulationKey::generate(&ML_KEM_768).expect("a key");
    let (ciphertext, _) = key.encapsulation_key().expect("public").encapsulate().expect("encapsulates");
    median(2000, || {
        let ciphertext = Ciphertext::from(ciphertext.as_ref());
        drop(black_box(key.decapsulate(ciphertext).expect("decapsulates")));
    })
}

fn combiner() -> f64 {
    median(100_000, || {
        black_box(digest::digest(&digest::SHA3_256, &[7; 134]));
    })
}

/// HKDF-Extract, three expands of the schedule and one export, each one HMAC-SHA256 with its key set up.
fn key_schedule() -> f64 {
    median(20_000, || {
        for _ in 0..5 {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
            black_box(hmac::sign(&key, &[7; 96]));
        }
    })
}

fn aead() -> f64 {
    let seal = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("a key"));
    let mut sealed = vec![7; 512];
    seal.seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed).expect("seals");
    median(100_000, || {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("a key"));
        let mut opened = sealed.clone();
        black_box(key.open_in_place(nonce(), Aad::empty(), &mut opened).expect("opens").len());
    })
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn p384_verify() -> f64 {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key");
    let signature = key.sign(&random, &[7; 500]).expect("signs");
    let public =
        aws_lc_rs::signature::UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key.public_key().as_ref());
    median(200, || public.verify(&[7; 500], signature.as_ref()).expect("verifies"))
}

/// CPU microseconds of one call: the median over the rounds of the mean over `calls`.
fn median(calls: u32, mut call: impl FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = cpu_nanoseconds();
            (0..calls).for_each(|_| call());
            (cpu_nanoseconds() - start) / 1e3 / f64::from(calls)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// CPU time of this thread (Documentation/scheduler/sched-stats in the kernel): another program's load does not count.
fn cpu_nanoseconds() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with scheduler statistics");
    stat.split(' ').next().and_then(|field| field.parse().ok()).expect("a number")
}
