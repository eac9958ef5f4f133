//! Re-wraps per second and core, beside its floor: the same primitives by the library alone.
//!
//! The floor is two HKDF-Expand to 32 bytes over an info of the same length, from keys set up beforehand, and two
//! AES-256-GCM with key set-up on 60 bytes of text and 16 of tag (one opens, one seals). CPU time; rounds of both
//! alternate, and the median round counts, so that whatever else the machine does weighs on both alike.
//!
//! `cargo run --release --example rewrap_bench` prints `{per_second, floor_per_second, ratio, …}`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement, not part of the enclave"
)]
#![expect(clippy::float_arithmetic, reason = "rates")]

#[path = "cpu/mod.rs"]
mod cpu;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac, rand};
use enclave::entropy::{Entropy, NoEntropy};
use enclave::envelope::{Contents, Share, Subject, seal};
use enclave::rewrap::Rewrapper;
use enclave::root::Roots;
use enclave::secret::Secret;
use std::hint::black_box;
use wire::capability::{Capability, Finding, Source, State};
use wire::envelope::Purpose;
use wire::owner::{OwnerAlgorithm, OwnerKey, OwnerRole};
use wire::{Canonical, ConnectionId, OrganisationId, UnixMillis};

/// About as many as a frame of 1 MiB holds.
const ENVELOPES: usize = 1000;
const ROUNDS: usize = 301;
/// `transcript(ROOT_WRAP, purpose, organisation, connection, owners, epoch)`.
const INFO: usize = 133;
/// A short AAD: that a re-wrap authenticates the whole envelope is its own cost, not the floor's.
const AAD: usize = 85;

fn main() {
    let roots = roots();
    let envelopes = envelopes(&roots);
    let size = envelopes[0].len();
    let mut floor = Floor::new();
    let (mut ours, mut floors, mut modules) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut frame = envelopes.clone();
        ours.push(seconds(|| rewrap_all(&mut frame, &roots)));
        floors.push(seconds(|| (0..ENVELOPES).for_each(|_| floor.once())));
        modules.push(seconds(|| (0..ENVELOPES).for_each(|_| floor.once_by_hkdf_module())));
    }
    let [ours, floor, module] = [ours, floors, modules].map(|rounds| ENVELOPES as f64 / median(rounds));
    println!(
        r#"{{"per_second": {ours:.0}, "floor_per_second": {floor:.0}, "ratio": {:.3}, "floor_by_hkdf_module_per_second": {module:.0}, "ratio_by_hkdf_module": {:.3}, "envelope_bytes": {size}}}"#,
        ours / floor,
        ours / module,
    );
}

fn rewrap_all(envelopes: &mut [Vec<u8>], roots: &Roots) {
    let mut entropy = Kernel(rand::SystemRandom::new());
    let mut rewrapper = Rewrapper::new(roots, &mut entropy);
    for envelope in envelopes {
        black_box(rewrapper.rewrap(black_box(envelope)).unwrap());
    }
}

/// What a re-wrap cannot do without, and nothing else.
struct Floor {
    hmac: hmac::Key,
    prk: hkdf::Prk,
    text: [u8; 60],
    nonce: [u8; 12],
    sealed: [u8; 60],
    tag: [u8; 16],
}

impl Floor {
    fn new() -> Floor {
        let prk = [7; 32];
        let mut floor = Floor {
            hmac: hmac::Key::new(hmac::HMAC_SHA256, &prk),
            prk: hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &prk),
            text: [0; 60],
            nonce: [0; 12],
            sealed: [0; 60],
            tag: [0; 16],
        };
        let key = floor.expand();
        floor.sealed = floor.text;
        floor.tag = seal_in_place(&key, floor.nonce, &mut floor.sealed);
        floor
    }

    fn once(&mut self) {
        self.open_and_seal(&self.expand(), &self.expand());
    }

    fn once_by_hkdf_module(&mut self) {
        self.open_and_seal(&self.expand_by_module(), &self.expand_by_module());
    }

    fn expand(&self) -> [u8; 32] {
        let mut key = [0; 32];
        hmac::sign_to_buffer(&self.hmac, black_box(&[1; INFO + 1]), &mut key).unwrap();
        key
    }

    fn expand_by_module(&self) -> [u8; 32] {
        let mut key = [0; 32];
        let info = black_box([1; INFO]);
        self.prk.expand(&[&info], hkdf::HKDF_SHA256).unwrap().fill(&mut key).unwrap();
        key
    }

    fn open_and_seal(&self, old: &[u8; 32], new: &[u8; 32]) {
        let mut text = black_box(self.sealed);
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, old).unwrap());
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        key.open_in_place_separate_tag(nonce, Aad::from([2; AAD]), &self.tag, &mut text).unwrap();
        black_box(seal_in_place(new, self.nonce, &mut text));
    }
}

fn seal_in_place(key: &[u8; 32], nonce: [u8; 12], text: &mut [u8]) -> [u8; 16] {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from([2; AAD]), text).unwrap();
    tag.as_ref().try_into().unwrap()
}

fn seconds(work: impl FnOnce()) -> f64 {
    cpu::time(work).as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn roots() -> Roots {
    let mut roots = Roots::new(1, &Secret::copied(&[1; 32])).unwrap();
    roots.add(wire::consent::Class::Any, 2, &Secret::copied(&[2; 32])).unwrap();
    roots
}

/// Envelopes of as many connections, wrapped to epoch 1, as large as those of a real exchange account.
fn envelopes(roots: &Roots) -> Vec<Vec<u8>> {
    let old = Roots::new(1, &Secret::copied(&[1; 32])).unwrap();
    assert_eq!((old.any().current(), roots.any().current()), (1, 2));
    let mut entropy = Kernel(rand::SystemRandom::new());
    let share = Share::parse(&[3; 32]).unwrap();
    let credential = format!(r#"{{"apiKey":"{}","secret":"{}"}}"#, "k".repeat(56), "s".repeat(88));
    (0..ENVELOPES)
        .map(|number| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&number.to_be_bytes());
            let connection = ConnectionId(id);
            let (organisation, purpose) = (OrganisationId([4; 16]), Purpose::ExchangeCredential);
            let subject = Subject { organisation, connection, purpose, class: wire::consent::Class::Any };
            seal(&subject, &contents(connection), credential.as_bytes(), &share, &old, &mut entropy)
                .unwrap()
                .to_bytes()
        })
        .collect()
}

fn contents(connection: ConnectionId) -> Contents {
    let key = |byte, role| OwnerKey::new(OwnerAlgorithm::EdDsa, vec![byte; 32], role);
    let capability = |name: &str| Capability {
        name: name.to_owned(),
        state: State::Yes,
        source: Source::Stated,
        endpoint: Some("GET /sapi/v1/account/apiRestrictions".to_owned()),
        response: Some([5; 32]),
    };
    Contents {
        exchange: "binance".to_owned(),
        owners: vec![key(1, OwnerRole::Device), key(2, OwnerRole::Second)],
        finding: Finding {
            connection,
            exchange: "binance".to_owned(),
            capabilities: ["read", "trade", "withdraw", "transfer", "ip_restricted"].map(capability).to_vec(),
            found: UnixMillis(1_700_000_000_000),
            expires: UnixMillis(1_700_000_600_000),
        },
        created: UnixMillis(1_700_000_000_000),
    }
}

struct Kernel(rand::SystemRandom);

impl Entropy for Kernel {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        rand::SecureRandom::fill(&self.0, out).map_err(|_| NoEntropy)
    }
}
