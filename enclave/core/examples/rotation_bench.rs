//! A rotation of many envelopes in one enclave that was started again, frame by frame: each looked up in the map, re-wrapped in
//! bulk, recorded, concluded.
//!
//! `cargo run --release --example rotation_bench [ENVELOPES]` prints `{envelopes, rewrap_seconds, conclude_seconds, …}`, of
//! one core. What the host does (making envelopes, its map, sorting what it keeps) is not counted; `sort_seconds` says what the
//! sorting takes. `rotation_bench write ROOTS ENVELOPES FILE` writes that many envelopes under the simulated root of the
//! file ROOTS (docs/spec/host.md §2), as a CBOR sequence: what `scripts/bench bulk` re-wraps through everything. `grown_kib` is by how much the process grew while the enclave concluded: its own part of it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a measurement, not part of the enclave"
)]

#[path = "rotation_bench/map.rs"]
mod map;

use aws_lc_rs::rand;
use enclave::egress::Trust;
use enclave::entropy::{Entropy, NoEntropy};
use enclave::envelope::{Contents, Share, Subject, seal};
use enclave::root::Roots;
use enclave::secret::Secret;
use enclave::{AttestFailed, Attestation, Attester, Boot, Enclave};
use map::Map;
use std::io::Write;
use std::time::{Duration, Instant};
use wire::capability::Finding;
use wire::envelope::Purpose;
use wire::frame::{Frame, Kind};
use wire::freshness::{Commit, Committed, Lookup, Taken};
use wire::identity::{Build, TeeKind};
use wire::owner::{OwnerAlgorithm, OwnerKey, OwnerRole};
use wire::register::{Conclude, Concluded, ENTRY, MAX_ENTRIES, PLACED, Statement};
use wire::rewrap::{Bytes, Rewrap};
use wire::witness::{Advance, Take};
use wire::{Canonical, ConnectionId, OrganisationId, UnixMillis};

const NOW: UnixMillis = UnixMillis(1_795_305_600_000);
/// Envelopes in one frame: some 700 bytes each, below what the protocol allows.
const BATCH: u64 = 1024;
const NEW_ROOT: [u8; 32] = [2; 32];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [what, roots, count, file] = arguments.as_slice()
        && what == "write"
    {
        return write(&epoch_of(roots), count.parse().unwrap(), file);
    }
    let envelopes = std::env::args().nth(1).map_or(1_000_000, |number| number.parse().unwrap());
    let mut bench = Bench::start(envelopes);
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

/// The first epoch in a file of simulated roots, and its root.
fn epoch_of(path: &str) -> Roots {
    let text = std::fs::read_to_string(path).unwrap();
    let is_root = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let line = text.lines().find(|line| line.split(' ').any(|word| is_root(&word))).unwrap();
    let epoch = line.split(' ').find_map(|word| word.parse().ok()).unwrap();
    let digits = line.split(' ').find(is_root).unwrap();
    let mut root = [0; 32];
    for (byte, at) in root.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    }
    Roots::new(epoch, &Secret::copied(&root)).unwrap()
}

/// Byte strings (RFC 8949 §3), each longer than 255 bytes and shorter than 65,536.
fn write(roots: &Roots, count: u64, path: &str) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let (share, mut entropy) = (Share::parse(&[3; 32]).unwrap(), Kernel(rand::SystemRandom::new()));
    for number in 0..count {
        let envelope = envelope(number, roots, &share, &mut entropy);
        out.write_all(&[0x59]).unwrap();
        out.write_all(&u16::try_from(envelope.len()).unwrap().to_be_bytes()).unwrap();
        out.write_all(&envelope).unwrap();
    }
    out.flush().unwrap();
}

struct Bench {
    enclave: Enclave,
    old: Roots,
    share: Share,
    entropy: Kernel,
    map: Map,
    /// What the host keeps of the register.
    entries: Vec<u8>,
    out: Vec<u8>,
}

impl Bench {
    /// On the state of so many connections.
    fn start(envelopes: u64) -> Bench {
        let old = Roots::new(1, &Secret::copied(&[1; 32])).unwrap();
        let mut roots = Roots::new(1, &Secret::copied(&[1; 32])).unwrap();
        roots.add(wire::consent::Class::Any, 2, &Secret::copied(&NEW_ROOT)).unwrap();
        let boot = Boot {
            roots,
            manifest: None,
            witnessed: None,
            relying_parties: Vec::new(),
            trust: Trust::live(),
            attester: Box::new(Bare),
            entropy: Box::new(Kernel(rand::SystemRandom::new())),
            build: Build { version: "0.1.0".into(), commit: "unknown".into() },
            built: NOW,
        };
        let mut bench = Bench {
            enclave: Enclave::start(boot, NOW, 0).unwrap(),
            old,
            share: Share::parse(&[3; 32]).unwrap(),
            entropy: Kernel(rand::SystemRandom::new()),
            map: Map::of((0..envelopes).map(connection)),
            entries: Vec::new(),
            out: Vec::new(),
        };
        // It takes the line before it takes any work.
        bench.settle();
        bench
    }

    /// Gives the enclave a frame: how long the enclave took, and its answer.
    fn frame(&mut self, kind: Kind, body: &[u8]) -> (Duration, Vec<u8>) {
        let began = Instant::now();
        self.enclave.handle(Frame { kind, stream: 7, body }, 1).unwrap();
        let handling = began.elapsed();
        let (settling, answer) = self.settle();
        (handling + settling, answer)
    }

    /// Keeps what the enclave has to have kept before it goes on, and says so.
    fn settle(&mut self) -> (Duration, Vec<u8>) {
        let (mut took, mut answer) = (Duration::ZERO, Vec::new());
        loop {
            let began = Instant::now();
            self.out.clear();
            self.enclave.take_output(&mut self.out);
            took += began.elapsed();
            let (mut kept, mut rest) = (Vec::new(), self.out.as_slice());
            while let Some((frame, taken)) = Frame::read(rest).unwrap() {
                match frame.kind {
                    Kind::Take => kept.push((Kind::Taken, 0, taken_line(frame.body, &self.map))),
                    Kind::Lookup => {
                        let found = self.map.find(&Lookup::from_bytes(frame.body).unwrap());
                        kept.push((Kind::Found, frame.stream, found.to_bytes()));
                    }
                    Kind::Commit => {
                        let commit = Commit::from_bytes(frame.body).unwrap();
                        if commit.chapter == 1 {
                            self.entries.extend_from_slice(&commit.entries);
                        }
                        kept.push((Kind::Committed, 0, committed(&commit)));
                    }
                    Kind::Refused => panic!("refused: {:?}", frame.body),
                    _ => answer = frame.body.to_vec(),
                }
                rest = &rest[taken..];
            }
            if kept.is_empty() {
                return (took, answer);
            }
            for (kind, stream, body) in kept {
                let began = Instant::now();
                self.enclave.handle(Frame { kind, stream, body: &body }, 1).unwrap();
                took += began.elapsed();
            }
        }
    }

    fn step(&mut self, step: &Conclude) -> (Duration, Concluded) {
        let (took, answer) = self.frame(Kind::Conclude, &step.to_bytes());
        (took, Concluded::from_bytes(&answer).unwrap())
    }

    fn conclude(&mut self, sorted: &[u32]) -> (Duration, Statement) {
        let mut took = self.step(&Conclude::Begin(1, wire::consent::Class::Any)).0;
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
        envelope(number, &self.old, &self.share, &mut self.entropy)
    }
}

/// An envelope of a connection of its own, in the current epoch of these roots.
fn envelope(number: u64, roots: &Roots, share: &Share, entropy: &mut impl Entropy) -> Vec<u8> {
    let connection = connection(number);
    let subject = Subject {
        organisation: OrganisationId([4; 16]),
        connection,
        purpose: Purpose::ExchangeCredential,
        class: wire::consent::Class::Any,
    };
    let finding = Finding {
        connection,
        exchange: "binance".to_owned(),
        capabilities: Vec::new(),
        found: NOW,
        expires: NOW.plus(1),
    };
    let key = |byte, role| OwnerKey::new(OwnerAlgorithm::EdDsa, vec![byte; 32], role);
    let owners = vec![key(1, OwnerRole::Device), key(2, OwnerRole::Second)];
    let contents = Contents { exchange: "binance".to_owned(), owners, finding, created: NOW };
    let credential = br#"{"apiKey":"kkkkkkkkkkkkkkkkkkkkkkkk","secret":"ssssssssssssssssssssssssssssssss"}"#;
    seal(&subject, &contents, credential, share, roots, entropy).unwrap().to_bytes()
}

fn connection(number: u64) -> ConnectionId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    ConnectionId(id)
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

/// What a host without witnesses says to a take and to a commit.
fn taken_line(take: &[u8], map: &Map) -> Vec<u8> {
    let take = Take::from_bytes(take).unwrap();
    let kept = Some(Bytes(map.kept(2, &NEW_ROOT).to_bytes()));
    Taken { line: take.line, term: take.term, answers: Vec::new(), kept, links: Vec::new() }.to_bytes()
}

fn committed(commit: &Commit) -> Vec<u8> {
    let Advance { line, term, counter, .. } = Advance::from_bytes(&commit.advance.0).unwrap();
    Committed { line, term, counter, answers: Vec::new() }.to_bytes()
}
