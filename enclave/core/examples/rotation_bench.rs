//! A rotation of many envelopes in one enclave, frame by frame: re-wrapped in bulk, recorded, concluded.
//!
//! `cargo run --release --example rotation_bench [ENVELOPES]` prints `{envelopes, rewrap_seconds, conclude_seconds, …}`, of
//! one core. What the host does (making envelopes, sorting what it keeps) is not counted; `sort_seconds` says what the
//! sorting takes. `grown_kib` is by how much the process grew while the enclave concluded: its own part of it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a measurement, not part of the enclave"
)]

use aws_lc_rs::rand;
use enclave::egress::Trust;
use enclave::entropy::{Entropy, NoEntropy};
use enclave::envelope::{Contents, Share, Subject, seal};
use enclave::root::Roots;
use enclave::secret::Secret;
use enclave::{AttestFailed, Attestation, Attester, Boot, Enclave};
use std::time::{Duration, Instant};
use wire::capability::Finding;
use wire::envelope::Purpose;
use wire::frame::{Frame, Kind};
use wire::identity::{Build, TeeKind};
use wire::owner::{OwnerAlgorithm, OwnerKey, OwnerRole};
use wire::register::{Conclude, Concluded, ENTRY, MAX_ENTRIES, PLACED, Recorded, Statement};
use wire::rewrap::{Bytes, Rewrap};
use wire::{Canonical, ConnectionId, OrganisationId, UnixMillis};

const NOW: UnixMillis = UnixMillis(1_795_305_600_000);
/// Envelopes in one frame: some 700 bytes each, below what the protocol allows.
const BATCH: u64 = 1024;

fn main() {
    let envelopes = std::env::args().nth(1).map_or(1_000_000, |number| number.parse().unwrap());
    let mut bench = Bench::start();
    let mut rewrapping = Duration::ZERO;
    let mut done = 0;
    while done < envelopes {
        let count = BATCH.min(envelopes - done);
        let batch =
            Rewrap { envelopes: (done..done + count).map(|number| Bytes(bench.envelope(number))).collect() };
        let body = batch.to_bytes();
        rewrapping += bench.frame(Kind::Rewrap, &body).0;
        done += count;
    }
    let mut sorting = Instant::now();
    let mut sorted: Vec<u32> = (0..u32::try_from(envelopes).unwrap()).collect();
    sorted.sort_unstable_by_key(|place| (bench.entry(*place).first_chunk::<32>().copied(), *place));
    let sort_seconds = sorting.elapsed().as_secs_f64();
    sorting = Instant::now();
    let before = resident_kib();
    let (concluding, statement) = bench.conclude(&sorted);
    let grown = resident_kib().saturating_sub(before);
    let (rewrapping, concluding) = (rewrapping.as_secs_f64(), concluding.as_secs_f64());
    assert_eq!(statement.counts.rewrapped, envelopes, "all of them left the epoch");
    println!(
        "{{\"envelopes\": {envelopes}, \"rewrap_seconds\": {rewrapping:.3}, \"conclude_seconds\": {concluding:.3}, \
         \"sort_seconds\": {sort_seconds:.3}, \"seconds\": {:.3}, \"grown_kib\": {grown}, \"read_out_seconds\": {:.3}}}",
        rewrapping + concluding + sort_seconds,
        sorting.elapsed().as_secs_f64(),
    );
}

struct Bench {
    enclave: Enclave,
    old: Roots,
    share: Share,
    entropy: Kernel,
    /// What the host keeps of the register.
    entries: Vec<u8>,
    out: Vec<u8>,
}

impl Bench {
    fn start() -> Bench {
        let old = Roots::new(1, &Secret::copied(&[1; 32])).unwrap();
        let mut roots = Roots::new(1, &Secret::copied(&[1; 32])).unwrap();
        roots.add(2, &Secret::copied(&[2; 32])).unwrap();
        let boot = Boot {
            roots,
            manifest: None,
            trust: Trust::live(),
            attester: Box::new(Bare),
            entropy: Box::new(Kernel(rand::SystemRandom::new())),
            build: Build { version: "0.1.0".into(), commit: "unknown".into() },
            built: NOW,
        };
        Bench {
            enclave: Enclave::start(boot, NOW, 0).unwrap(),
            old,
            share: Share::parse(&[3; 32]).unwrap(),
            entropy: Kernel(rand::SystemRandom::new()),
            entries: Vec::new(),
            out: Vec::new(),
        }
    }

    /// Gives the enclave a frame: how long that took, and its answer. What it records is kept.
    fn frame(&mut self, kind: Kind, body: &[u8]) -> (Duration, Vec<u8>) {
        let began = Instant::now();
        self.enclave.handle(Frame { kind, stream: 7, body }, 1).unwrap();
        self.out.clear();
        self.enclave.take_output(&mut self.out);
        let took = began.elapsed();
        let (mut rest, mut answer) = (self.out.as_slice(), Vec::new());
        while let Some((frame, taken)) = Frame::read(rest).unwrap() {
            match frame.kind {
                Kind::Recorded => {
                    let recorded = Recorded::from_bytes(frame.body).unwrap();
                    if recorded.chapter == 1 {
                        self.entries.extend_from_slice(&recorded.entries);
                    }
                }
                Kind::Refused => panic!("refused: {:?}", frame.body),
                _ => answer = frame.body.to_vec(),
            }
            rest = &rest[taken..];
        }
        (took, answer)
    }

    fn step(&mut self, step: &Conclude) -> (Duration, Concluded) {
        let (took, answer) = self.frame(Kind::Conclude, &step.to_bytes());
        (took, Concluded::from_bytes(&answer).unwrap())
    }

    fn conclude(&mut self, sorted: &[u32]) -> (Duration, Statement) {
        let mut took = self.step(&Conclude::Begin(1)).0;
        let entries = std::mem::take(&mut self.entries);
        for chunk in entries.chunks(MAX_ENTRIES * ENTRY) {
            took += self.step(&Conclude::Log(chunk.to_vec())).0;
        }
        for places in sorted.chunks(MAX_ENTRIES) {
            let mut bytes = Vec::with_capacity(places.len() * PLACED);
            for place in places {
                let at = usize::try_from(*place).unwrap() * ENTRY;
                bytes.extend_from_slice(&u64::from(*place).to_be_bytes());
                bytes.extend_from_slice(&entries[at..at + ENTRY]);
            }
            took += self.step(&Conclude::Sorted(bytes)).0;
        }
        let (finishing, concluded) = self.step(&Conclude::Finish);
        let signed = concluded.statement.unwrap().0;
        let signed = wire::cose::Sign1::from_bytes(&signed).unwrap();
        (took + finishing, Statement::from_bytes(signed.payload.unwrap()).unwrap())
    }

    fn entry(&self, place: u32) -> &[u8] {
        let at = usize::try_from(place).unwrap() * ENTRY;
        &self.entries[at..at + ENTRY]
    }

    /// An envelope of a connection of its own, in epoch 1.
    fn envelope(&mut self, number: u64) -> Vec<u8> {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let connection = ConnectionId(id);
        let subject = Subject {
            organisation: OrganisationId([4; 16]),
            connection,
            purpose: Purpose::ExchangeCredential,
        };
        let finding = Finding {
            connection,
            exchange: "binance".to_owned(),
            capabilities: Vec::new(),
            found: NOW,
            expires: NOW.plus(1),
        };
        let key = |byte, role| OwnerKey { algorithm: OwnerAlgorithm::EdDsa, public: vec![byte; 32], role };
        let owners = vec![key(1, OwnerRole::Device), key(2, OwnerRole::Second)];
        let contents = Contents { exchange: "binance".to_owned(), owners, finding, created: NOW };
        let credential =
            br#"{"apiKey":"kkkkkkkkkkkkkkkkkkkkkkkk","secret":"ssssssssssssssssssssssssssssssss"}"#;
        seal(&subject, &contents, credential, &self.share, &self.old, &mut self.entropy).unwrap().to_bytes()
    }
}

/// Resident memory of this process.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

struct Kernel(rand::SystemRandom);

impl Entropy for Kernel {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        rand::SecureRandom::fill(&self.0, out).map_err(|_| NoEntropy)
    }
}

/// Nobody asks for evidence here.
struct Bare;

impl Attester for Bare {
    fn kind(&self) -> TeeKind {
        TeeKind::Nitro
    }

    fn attest(&mut self, _: &[u8; 64], _: UnixMillis) -> Result<Attestation, AttestFailed> {
        Err(AttestFailed)
    }
}
