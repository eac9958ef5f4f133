//! The enclave's surroundings: entropy, attester, clocks, and frames in and out.

use enclave::egress::Trust;
use enclave::entropy::{Entropy, NoEntropy};
use enclave::root::Roots;
use enclave::secret::Secret;
use enclave::{AttestFailed, Attestation, Attester, Boot, Enclave};
use wire::evidence::Evidence;
use wire::frame::{Frame, Kind};
use wire::identity::{Build, TeeKind};
use wire::{Canonical, Identity, Refusal, UnixMillis};

/// 2026-01-01, when this test's program was "built".
pub const BUILT: UnixMillis = UnixMillis(1_767_225_600_000);
/// 2026-11-22.
pub const NOW: UnixMillis = UnixMillis(1_795_305_600_000);

/// Counts under SHA-256: repeatable, and different on each draw and for each seed.
pub struct Counting {
    seed: u8,
    drawn: u64,
}

impl Entropy for Counting {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in out.chunks_mut(32) {
            self.drawn += 1;
            let input = [[self.seed; 8], self.drawn.to_be_bytes()].concat();
            let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &input);
            chunk.copy_from_slice(&hash.as_ref()[..chunk.len()]);
        }
        Ok(())
    }
}

pub fn counting(seed: u8) -> Counting {
    Counting { seed, drawn: 0 }
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

/// The root of each epoch: the same for every enclave here that shares them.
pub fn roots(epochs: u32) -> Roots {
    let root = |epoch: u32| Secret::copied(&[u8::try_from(epoch).unwrap(); 32]);
    let mut roots = Roots::new(1, &root(1)).unwrap();
    (2..=epochs).for_each(|epoch| roots.add(epoch, &root(epoch)).unwrap());
    roots
}

/// One enclave, its clocks, and what it has said.
pub struct Machine {
    pub enclave: Enclave,
    pub monotonic: u64,
    frames: Vec<(Kind, u32, Vec<u8>)>,
    next_stream: u32,
}

/// What came back for one request.
#[derive(Debug)]
pub enum Answer {
    Reply(Vec<u8>),
    Refused(Refusal),
    Nothing,
}

/// A host that has just started an enclave and told it the time.
pub fn host(seed: u8) -> Machine {
    Machine::start(seed, roots(1), Trust::live())
}

/// The same in a sandbox, whose providers this authority vouches for.
pub fn sandbox(seed: u8, authority: &super::Authority) -> Machine {
    Machine::start(seed, roots(1), Trust::sandbox(authority.der()).unwrap())
}

impl Machine {
    pub fn start(seed: u8, roots: Roots, trust: Trust) -> Machine {
        let boot = Boot {
            roots,
            manifest: None,
            trust,
            attester: Box::new(Bare),
            entropy: Box::new(counting(seed)),
            build: Build { version: "0.1.0".into(), commit: "unknown".into() },
            built: BUILT,
        };
        let enclave = Enclave::start(boot, NOW, 1_000).unwrap();
        Machine { enclave, monotonic: 1_000, frames: Vec::new(), next_stream: 1 }
    }

    /// Delivers one frame and collects what the enclave says to it.
    pub fn frame(&mut self, kind: Kind, stream: u32, body: &[u8]) {
        self.enclave.handle(Frame { kind, stream, body }, self.monotonic).unwrap();
        self.collect();
    }

    /// Lets the enclave's own counter run.
    pub fn pass(&mut self, millis: u64) {
        self.monotonic += millis;
        self.enclave.tick(self.monotonic).unwrap();
        self.collect();
    }

    pub fn claim(&mut self, time: UnixMillis) {
        self.frame(Kind::Time, 0, &time.0.to_be_bytes());
    }

    /// Delivers an encapsulated request on a stream of its own.
    pub fn request(&mut self, encapsulated: &[u8]) -> Answer {
        let stream = self.begin(encapsulated);
        self.answer(stream)
    }

    /// Delivers a request without waiting for its answer.
    pub fn begin(&mut self, encapsulated: &[u8]) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 1;
        self.frame(Kind::Request, stream, encapsulated);
        stream
    }

    /// Delivers a request and leaves what is said to it with the enclave.
    pub fn deliver(&mut self, encapsulated: &[u8]) {
        let frame = Frame { kind: Kind::Request, stream: 0, body: encapsulated };
        self.enclave.handle(frame, self.monotonic).unwrap();
    }

    /// What has come back on a stream.
    pub fn answer(&mut self, stream: u32) -> Answer {
        let found = self.frames.iter().position(|(kind, on, _)| {
            *on == stream
                && matches!(
                    kind,
                    Kind::Reply
                        | Kind::Refused
                        | Kind::Evidence
                        | Kind::Rewrapped
                        | Kind::Concluded
                        | Kind::Destroyed
                )
                || *on == stream && *on != 0 && *kind == Kind::Recorded
        });
        let Some(found) = found else { return Answer::Nothing };
        let (kind, _, body) = self.frames.remove(found);
        match kind {
            Kind::Refused => {
                let number = u16::from_be_bytes(body.try_into().expect("a refusal is two bytes"));
                Answer::Refused(Refusal::from_number(number).expect("a known refusal"))
            }
            _ => Answer::Reply(body),
        }
    }

    pub fn evidence(&mut self, nonce: [u8; 32]) -> Evidence {
        let stream = self.next_stream;
        self.next_stream += 1;
        self.frame(Kind::Attest, stream, &nonce);
        self.pass(10);
        match self.answer(stream) {
            Answer::Reply(body) => Evidence::from_bytes(&body).unwrap(),
            other => panic!("no evidence: {other:?}"),
        }
    }

    /// The identity document and what it says.
    pub fn identity(&self) -> (Vec<u8>, Identity) {
        let bytes = self.enclave.identity().to_vec();
        let identity = Identity::from_bytes(&bytes).unwrap();
        (bytes, identity)
    }

    /// Takes every frame of one kind that has come.
    pub fn take(&mut self, wanted: Kind) -> Vec<(u32, Vec<u8>)> {
        let (taken, left) =
            core::mem::take(&mut self.frames).into_iter().partition(|(kind, ..)| *kind == wanted);
        self.frames = left;
        let taken: Vec<(Kind, u32, Vec<u8>)> = taken;
        taken.into_iter().map(|(_, stream, body)| (stream, body)).collect()
    }

    pub fn collect(&mut self) {
        let mut out = Vec::new();
        self.enclave.take_output(&mut out);
        let mut rest = out.as_slice();
        while let Some((frame, taken)) = Frame::read(rest).unwrap() {
            assert!(!frame.kind.is_from_host(), "the enclave sends its own kinds only");
            self.frames.push((frame.kind, frame.stream, frame.body.to_vec()));
            rest = &rest[taken..];
        }
        assert!(rest.is_empty(), "whole frames only");
    }
}
