//! The enclave's surroundings: entropy, attester, clocks, and frames in and out.

use super::keeper::Keeper;
use enclave::egress::Trust;
use enclave::entropy::{Entropy, NoEntropy};
use enclave::root::{ClassRoots, Roots};
use enclave::secret::Secret;
use enclave::{AttestFailed, Attestation, Attester, Boot, Enclave};
use wire::consent::Class;
use wire::evidence::Evidence;
use wire::frame::{Frame, Kind};
use wire::identity::{Build, RelyingParty, TeeKind};
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

/// A first root of each class, that of `any` as in [`roots`].
pub fn roots_of_all() -> Roots {
    let mut roots = roots(1);
    for (class, fill) in [(Class::Delayed, 0xd0), (Class::Owner, 0xe0)] {
        roots.add_class(ClassRoots::new(class, 1, &Secret::copied(&[fill; 32])).unwrap()).unwrap();
    }
    roots
}

/// The same with a second epoch of each class, which is current.
pub fn two_epochs_of_all() -> Roots {
    let mut roots = roots_of_all();
    for (class, fill) in [(Class::Any, 0x02), (Class::Delayed, 0xd2), (Class::Owner, 0xe2)] {
        roots.add(class, 2, &Secret::copied(&[fill; 32])).unwrap();
    }
    roots
}

/// The root of each epoch: the same for every enclave here that shares them.
pub fn roots(epochs: u32) -> Roots {
    let root = |epoch: u32| Secret::copied(&[u8::try_from(epoch).unwrap(); 32]);
    let mut roots = Roots::new(1, &root(1)).unwrap();
    (2..=epochs).for_each(|epoch| roots.add(Class::Any, epoch, &root(epoch)).unwrap());
    roots
}

/// One enclave, its clocks, what its host keeps, and what it has said.
pub struct Machine {
    pub enclave: Enclave,
    pub keeper: Keeper,
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

/// The same of an enclave that takes nobody's passkeys.
pub fn host_without_passkeys(seed: u8) -> Machine {
    let keeper = Keeper::new(1, 1);
    let boot = Machine::made_of(seed, roots(1), Trust::live(), &keeper);
    Machine::boot(Boot { relying_parties: Vec::new(), ..boot }, keeper)
}

/// The same in a sandbox, whose providers this authority vouches for.
pub fn sandbox(seed: u8, authority: &super::Authority) -> Machine {
    Machine::start(seed, roots(1), Trust::sandbox(authority.der()).unwrap())
}

/// Whose passkeys every enclave here takes.
pub fn relying_parties() -> Vec<RelyingParty> {
    let party = |id: &str, origins: &[&str]| RelyingParty {
        id: id.into(),
        origins: origins.iter().map(|origin| (*origin).into()).collect(),
    };
    vec![
        party("vault.example", &["https://vault.example", "https://app.vault.example:8443"]),
        party("localhost", &["http://localhost:8080"]),
    ]
}

impl Machine {
    /// One witness, and a host that kept nothing yet.
    pub fn start(seed: u8, roots: Roots, trust: Trust) -> Machine {
        Machine::start_with(seed, roots, trust, Keeper::new(1, 1))
    }

    /// A start on what a host kept.
    pub fn start_with(seed: u8, roots: Roots, trust: Trust, keeper: Keeper) -> Machine {
        Machine::boot(Machine::made_of(seed, roots, trust, &keeper), keeper)
    }

    fn made_of(seed: u8, roots: Roots, trust: Trust, keeper: &Keeper) -> Boot {
        Boot {
            roots,
            manifest: None,
            witnessed: keeper.witnessed(),
            relying_parties: relying_parties(),
            trust,
            attester: Box::new(Bare),
            entropy: Box::new(counting(seed)),
            build: Build { version: "0.1.0".into(), commit: "unknown".into() },
            built: BUILT,
        }
    }

    /// Any start on what a host kept, whose witnesses `boot` names.
    pub fn boot(boot: Boot, keeper: Keeper) -> Machine {
        let enclave = Enclave::start(boot, NOW, 1_000).unwrap();
        let mut machine = Machine::around(enclave, 1_000, keeper);
        machine.collect();
        machine
    }

    /// Around an enclave that runs already, with what its host has kept.
    pub fn around(enclave: Enclave, monotonic: u64, keeper: Keeper) -> Machine {
        Machine { enclave, keeper, monotonic, frames: Vec::new(), next_stream: 1 }
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
        self.leave(Kind::Request, encapsulated);
    }

    /// The same with any frame.
    pub fn leave(&mut self, kind: Kind, body: &[u8]) {
        self.enclave.handle(Frame { kind, stream: 0, body }, self.monotonic).unwrap();
    }

    /// Delivers a request to an enclave whose host shows it what it asks for, and keeps the head to itself.
    pub fn deliver_until_committing(&mut self, encapsulated: &[u8]) {
        self.deliver(encapsulated);
        loop {
            let mut out = Vec::new();
            self.enclave.take_output(&mut out);
            let (frame, _) = Frame::read(&out).unwrap().expect("it asks, or commits");
            match frame.kind {
                Kind::Commit => return,
                kind => self.answer_enclave(kind, frame.stream, frame.body),
            }
        }
    }

    /// The host goes, and what it has not taken with it; the next one begins with nothing.
    pub fn host_gone(&mut self) {
        self.enclave.host_gone(self.monotonic).unwrap();
        self.frames.clear();
        // What the next one hears first.
        self.pass(2_000);
    }

    /// Whether the enclave has sent nothing that is not taken yet.
    pub fn said_nothing(&self) -> bool {
        self.frames.is_empty()
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

    /// Takes what the enclave says. Its host looks up, keeps and has witnessed what it is asked to.
    pub fn collect(&mut self) {
        loop {
            let mut out = Vec::new();
            self.enclave.take_output(&mut out);
            if out.is_empty() {
                return;
            }
            let mut rest = out.as_slice();
            while let Some((frame, taken)) = Frame::read(rest).unwrap() {
                let Frame { kind, stream, body } = frame;
                assert!(!kind.is_from_host(), "the enclave sends its own kinds only");
                match kind {
                    Kind::Take | Kind::Lookup | Kind::Commit => self.answer_enclave(kind, stream, body),
                    _ => self.frames.push((kind, stream, body.to_vec())),
                }
                rest = &rest[taken..];
            }
            assert!(rest.is_empty(), "whole frames only");
        }
    }

    /// What the host says to a frame of the enclave's.
    pub fn answer_enclave(&mut self, kind: Kind, stream: u32, body: &[u8]) {
        for (kind, stream, body) in self.keeper.answer(kind, stream, body) {
            self.tell(kind, stream, &body);
        }
    }

    /// Delivers a frame and leaves what is said to it with the enclave.
    pub fn tell(&mut self, kind: Kind, stream: u32, body: &[u8]) {
        self.enclave.handle(Frame { kind, stream, body }, self.monotonic).unwrap();
    }
}
