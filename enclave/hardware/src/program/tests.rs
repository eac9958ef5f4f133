#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
use super::*;
use enclave::egress::Trust;
use enclave::entropy::{Entropy, NoEntropy};
use enclave::root::Roots;
use enclave::secret::Secret;
use enclave::{AttestFailed, Attestation, Attester, Boot, Enclave};
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, shutdown, socketpair};
use wire::evidence::Evidence;
use wire::frame::Kind;
use wire::identity::TeeKind;
use wire::{Canonical, Identity};

struct Kernel;

impl Entropy for Kernel {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        aws_lc_rs::rand::fill(out).map_err(|_| NoEntropy)
    }
}

/// A document that is its report data: what a quote would carry, without the quote.
struct Bare;

impl Attester for Bare {
    fn kind(&self) -> TeeKind {
        TeeKind::Nitro
    }

    fn attest(&mut self, report_data: &[u8; 64], _: UnixMillis) -> Result<Attestation, AttestFailed> {
        Ok(Attestation::nitro(report_data.to_vec()))
    }
}

fn running() -> Program {
    let boot = Boot {
        roots: Roots::new(3, &Secret::copied(&[3; 32])).unwrap(),
        manifest: None,
        witnessed: None,
        relying_parties: Vec::new(),
        trust: Trust::live(),
        attester: Box::new(Bare),
        entropy: Box::new(Kernel),
        build: build(),
        built: EARLIEST,
    };
    Program::new(Stage::Running(Box::new(Enclave::start(boot, EARLIEST, 0).unwrap())))
}

/// What a host was told.
type Told = Vec<(Kind, Vec<u8>)>;

/// Serves a host that says this and hangs up; what it was told, whole frames only.
fn served(program: &mut Program, begun: Instant, said: &[u8]) -> (Result<Ended, Ended>, Told) {
    let (channel, host) =
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap();
    assert_eq!(rustix::io::write(&host, said), Ok(said.len()));
    shutdown(&host, Shutdown::Write).unwrap();
    let ended = program.serve(&channel, begun);
    let mut told = vec![0; 1 << 20];
    let read = rustix::io::read(&host, &mut told).unwrap_or(0);
    let (mut rest, mut frames) = (told.get(..read).unwrap(), Vec::new());
    while let Some((frame, taken)) = Frame::read(rest).unwrap() {
        frames.push((frame.kind, frame.body.to_vec()));
        rest = rest.get(taken..).unwrap();
    }
    (ended, frames)
}

fn frame(kind: Kind, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Frame::write(kind, 7, body, &mut bytes).unwrap();
    bytes
}

/// The identity that a host is shown, which waits until the quote is there.
fn identity(program: &mut Program, begun: Instant) -> Identity {
    // A full batch is answered at once, and the host may hang up behind it.
    let asked = frame(Kind::Attest, &[9; 32]).repeat(1024);
    let (ended, frames) = served(program, begun, &asked);
    assert_eq!(ended, Ok(Ended::HostGone));
    let evidence = frames.iter().find(|(kind, _)| *kind == Kind::Evidence);
    let Some((_, body)) = evidence else { panic!("no evidence: {frames:?}") };
    Identity::from_bytes(&Evidence::from_bytes(body).unwrap().identity).unwrap()
}

#[test]
fn an_enclave_keeps_its_roots_whatever_way_its_host_goes() {
    let (mut program, begun) = (running(), Instant::now());
    let first = identity(&mut program, begun);
    let time = frame(Kind::Time, &EARLIEST.0.to_be_bytes());
    let cut = time.split_last().unwrap().1;
    for (said, how) in [
        (cut, Ended::HostGone),
        (&[0xff; 4][..], Ended::Malformed(wire::frame::FrameError::TooLong)),
        (&frame(Kind::Reply, b""), Ended::OutOfTurn(Kind::Reply)),
    ] {
        assert_eq!(served(&mut program, begun, said).0, Ok(how));
    }
    let next = identity(&mut program, begun);
    assert_eq!((next.boot, next.epochs), (first.boot, first.epochs));
}

#[test]
fn what_one_host_asked_is_never_told_to_the_next() {
    let (mut program, begun) = (running(), Instant::now());
    assert_eq!(served(&mut program, begun, &frame(Kind::Attest, &[1; 32])).0, Ok(Ended::HostGone));
    // Later than the quote would have been due.
    std::thread::sleep(std::time::Duration::from_millis(20));
    let (_, frames) = served(&mut program, begun, &frame(Kind::Time, &EARLIEST.0.to_be_bytes()));
    assert!(
        frames.iter().all(|(kind, _)| *kind == Kind::Take),
        "it asks for its line and no more: {frames:?}"
    );
}

#[test]
fn a_frame_of_another_program_ends_the_enclave_and_no_host_is_served_after_it() {
    let (mut program, begun) = (running(), Instant::now());
    let (ended, _) = served(&mut program, begun, &frame(Kind::Provision, &[]));
    assert_eq!(ended, Err(Ended::Core(Fatal::Frame)));
    assert_eq!(served(&mut program, begun, &frame(Kind::Time, &[0; 8])).0, Err(Ended::Core(Fatal::Frame)));
}
