//! Any frames in any order: never a panic, only whole frames of the enclave's kinds, and an end only where promised.

use crate::support::{Machine, Owner, host};
use enclave::Fatal;
use proptest::prelude::*;
use wire::frame::{Frame, Kind};
use wire::operation::Op;

/// What a host may do next.
#[derive(Clone, Debug)]
enum Move {
    Frame(Kind, u32, Vec<u8>),
    Nonce(u32, [u8; 32]),
    /// A good request, with some bytes changed.
    Request {
        op: Op,
        stream: u32,
        changes: Vec<(u16, u8)>,
    },
    Claim(u64),
    Pass(u32),
}

fn any_move() -> impl Strategy<Value = Move> {
    let stream = || 0..6u32;
    // Those two are for the program around the core: they end it.
    let of_programs = |kind: &Kind| matches!(kind, Kind::Provision | Kind::Destroy);
    let from_host = Kind::ALL.iter().copied().filter(|kind| kind.is_from_host() && !of_programs(kind));
    let from_host: Vec<Kind> = from_host.collect();
    let body = prop::collection::vec(any::<u8>(), 0..300);
    prop_oneof![
        (prop::sample::select(from_host), stream(), body).prop_map(|(k, s, b)| Move::Frame(k, s, b)),
        (stream(), any::<[u8; 32]>()).prop_map(|(s, n)| Move::Nonce(s, n)),
        (
            prop::sample::select(Op::ALL.to_vec()),
            stream(),
            prop::collection::vec((any::<u16>(), any::<u8>()), 0..2)
        )
            .prop_map(|(op, stream, changes)| Move::Request { op, stream, changes }),
        prop_oneof![any::<u64>(), Just(crate::support::NOW.0)].prop_map(Move::Claim),
        prop_oneof![0..100u32, any::<u32>()].prop_map(Move::Pass),
    ]
}

fn make(machine: &mut Machine, owner: &Owner, step: &Move) -> Result<(), Fatal> {
    match step {
        Move::Frame(kind, stream, body) => deliver(machine, *kind, *stream, body),
        Move::Nonce(stream, nonce) => deliver(machine, Kind::Attest, *stream, nonce),
        Move::Request { op, stream, changes } => {
            let mut bytes = owner.draft(machine, *op).seal(&[&owner.device]).bytes;
            for (at, value) in changes {
                let length = bytes.len();
                bytes[usize::from(*at) % length] ^= value;
            }
            deliver(machine, Kind::Request, *stream, &bytes)
        }
        Move::Claim(time) => deliver(machine, Kind::Time, 0, &time.to_be_bytes()),
        Move::Pass(millis) => {
            machine.monotonic += u64::from(*millis);
            machine.enclave.tick(machine.monotonic)
        }
    }
}

fn deliver(machine: &mut Machine, kind: Kind, stream: u32, body: &[u8]) -> Result<(), Fatal> {
    machine.enclave.handle(Frame { kind, stream, body }, machine.monotonic)
}

/// Whatever arrives on the channel, as a program reads it: to its end, or to the first thing that ends the program.
pub fn fuzz_frames(data: &[u8]) {
    let mut machine = host(1);
    let mut rest = data;
    while let Ok(Some((frame, taken))) = Frame::read(rest) {
        let Ok(()) = machine.enclave.handle(frame, machine.monotonic) else { return };
        machine.monotonic += 1;
        machine.collect();
        rest = &rest[taken..];
    }
    machine.pass(60_000);
}

/// `TENSFER_SOAK=1` (`make soak`): a hundred times as many.
fn effort(cases: u32) -> u32 {
    if std::env::var_os("TENSFER_SOAK").is_some() { cases * 100 } else { cases }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    files.collect()
}

#[test]
fn the_corpus_of_frames_is_survived() {
    let corpus = corpus("frames");
    assert!(corpus.len() >= 10);
    corpus.iter().for_each(|data| fuzz_frames(data));
}

#[test]
fn the_corpus_of_requests_is_refused_without_a_panic() {
    let corpus = corpus("request");
    assert!(corpus.len() >= 8);
    corpus.iter().for_each(|data| enclave::fuzz_request(data));
}

#[test]
fn the_corpus_of_assertions_is_read_without_a_panic() {
    let corpus = corpus("passkey");
    assert!(corpus.len() >= 12);
    corpus.iter().for_each(|data| enclave::fuzz_assertion(data));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: effort(96), ..ProptestConfig::default() })]

    #[test]
    fn any_frames_in_any_order_are_survived(moves in prop::collection::vec(any_move(), 1..60)) {
        let (mut machine, owner) = (host(1), Owner::eddsa());
        for step in &moves {
            match make(&mut machine, &owner, step) {
                Ok(()) => machine.collect(),
                Err(fatal) => {
                    prop_assert_eq!(fatal, Fatal::Frame);
                    let is_a_time = matches!(step, Move::Frame(Kind::Time, _, body) if body.len() != 8);
                    prop_assert!(is_a_time, "{:?}", step);
                    break;
                }
            }
        }
    }

    #[test]
    fn altered_frames_are_survived(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let corpus = corpus("frames");
        let mut data = corpus[which.index(corpus.len())].clone();
        for (at, value) in changes {
            let at = at.index(data.len());
            data[at] ^= value;
        }
        fuzz_frames(&data);
    }
}
