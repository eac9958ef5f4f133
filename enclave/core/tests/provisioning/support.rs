//! Three approvers, three holders, and starts of an enclave that wait for them.

use super::keeper::Keeper;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use enclave::egress::Trust;
use enclave::entropy::{Entropy, NoEntropy};
use enclave::{AttestFailed, Attestation, Attester, Enclave, Provisioning, Stage, Unprovisioned};
use verify::hpke::{PublicKey, RecipientKey};
use verify::manifest::{hash, key_name, to_be_approved};
use verify::setup::{About, open_shares, report_data, seal_shares};
use wire::ceremony::{
    Answer, Attested, Ceremony, CeremonyFault, Genesis, Proposal, Release, Setup, Shares, Status, held_info,
    released_info,
};
use wire::consent::Class;
use wire::cose::{EDDSA, Protected, Sign1};
use wire::evidence::Hash;
use wire::frame::{Frame, Kind};
use wire::identity::{Build, TeeKind};
use wire::manifest::{Holder, Holders, Manifest, Program, Reach, Register, Signer, Signers, SigningKey};
use wire::owner::OwnerAlgorithm;
use wire::rewrap::Bytes;
use wire::{Canonical, Refusal, UnixMillis};
use zeroize::Zeroizing;

/// 2026-01-01, when this test's program was "built".
pub const BUILT: UnixMillis = UnixMillis(1_767_225_600_000);
/// 2026-11-22.
pub const NOW: UnixMillis = UnixMillis(1_795_305_600_000);
pub const DAY_MS: u64 = 86_400_000;
pub const NONCE: [u8; 32] = [0x4e; 32];

pub struct Operators {
    approvers: Vec<Ed25519KeyPair>,
    pub holders: Vec<RecipientKey>,
    /// Hours of class `delayed`; with them there are all classes.
    pub delay: Option<u16>,
}

impl Operators {
    pub fn new(approvers: usize, holders: usize) -> Operators {
        Operators {
            approvers: (0..approvers).map(|_| Ed25519KeyPair::generate().unwrap()).collect(),
            holders: (0..holders).map(|_| RecipientKey::generate().unwrap()).collect(),
            delay: None,
        }
    }

    /// The first manifest: two approvers of all, two holders of all, no root yet.
    pub fn manifest(&self) -> Manifest {
        let approver = |(number, key): (usize, &Ed25519KeyPair)| Signer {
            alias: format!("approver-{number}"),
            key: public(key),
        };
        let holder = |(number, key): (usize, &RecipientKey)| Holder {
            alias: format!("holder-{number}"),
            key: key.public_key().bytes().to_vec(),
        };
        Manifest {
            version: 1,
            name: "example".into(),
            nonce: 1,
            environment: Reach::Live,
            approvers: Signers {
                threshold: 2,
                members: self.approvers.iter().enumerate().map(approver).collect(),
            },
            holders: Holders { threshold: 2, members: self.holders.iter().enumerate().map(holder).collect() },
            programs: vec![Program {
                tee: TeeKind::Nitro,
                registers: vec![Register { name: "PCR0".into(), value: [7; 48] }],
            }],
            minimum_version: "0.1.0".into(),
            witnesses: Signers { threshold: 0, members: Vec::new() },
            classes: match self.delay {
                Some(_) => Class::ALL.map(|class| class.name().to_owned()).to_vec(),
                None => vec!["any".into()],
            },
            from: NOW.minus(DAY_MS),
            until: NOW.plus(DAY_MS),
            roots: Vec::new(),
            delay: self.delay,
            steps: None,
            reshare: None,
            first: None,
            notices: None,
            replaced: None,
            relying_parties: None,
        }
    }

    /// The manifest after a genesis.
    pub fn next(&self, genesis: &Genesis) -> Manifest {
        Manifest { nonce: 2, roots: genesis.roots.clone(), ..self.manifest() }
    }

    pub fn approve(&self, approver: usize, manifest: &Manifest) -> Vec<u8> {
        approval(&self.approvers[approver], &hash(&manifest.to_bytes()))
    }

    /// With as many approvals as it takes.
    pub fn propose(&self, manifest: &Manifest) -> Proposal {
        self.propose_by(manifest, &[0, 1])
    }

    pub fn propose_by(&self, manifest: &Manifest, approvers: &[usize]) -> Proposal {
        let approvals = approvers.iter().map(|approver| Bytes(self.approve(*approver, manifest)));
        Proposal { manifest: manifest.to_bytes(), approvals: approvals.collect(), nonce: NONCE }
    }

    /// What a genesis sealed to holder `number`.
    pub fn held(&self, genesis: &Genesis, number: u8) -> Zeroizing<Vec<u8>> {
        let place = usize::from(number) - 1;
        let info = held_info(&genesis.manifest.0, number);
        open_shares(&self.holders[place], &info, &genesis.sealed[place]).unwrap()
    }

    /// Holder `number`'s own release to a setup.
    pub fn release(&self, genesis: &Genesis, number: u8, document: &[u8]) -> Release {
        let held = self.held(genesis, number);
        seal(document, number, &Shares::from_bytes(&held).unwrap())
    }
}

pub fn public(key: &Ed25519KeyPair) -> SigningKey {
    SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: key.public_key().as_ref().to_vec() }
}

pub fn approval(key: &Ed25519KeyPair, manifest: &[u8; 32]) -> Vec<u8> {
    let protected = Protected { algorithm: EDDSA, key: key_name(&public(key)) }.to_bytes();
    let signature = key.sign(&to_be_approved(&protected, manifest));
    Sign1 { protected: &protected, payload: None, signature: signature.as_ref() }.to_bytes()
}

/// Seals shares to a setup document without asking what it is: what no client does.
pub fn seal(document: &[u8], number: u8, shares: &Shares<'_>) -> Release {
    let setup = Setup::from_bytes(document).unwrap();
    let name: [u8; 32] = digest(&SHA256, document).as_ref().try_into().unwrap();
    let key = PublicKey::x_wing(&setup.key).unwrap();
    let sealed = seal_shares(&key, &released_info(&name, number), shares).unwrap();
    Release { setup: Hash(name), holder: number, sealed }
}

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

/// One start of an enclave and its host.
pub struct Machine {
    stage: Option<Stage>,
    pub monotonic: u64,
    /// Of a host that gives the enclave its line and keeps what it commits; the others do not.
    keeper: Option<Keeper>,
    /// Why this enclave does not take the line that its host brought.
    pub line_refused: Option<Refusal>,
}

impl Machine {
    /// Started, and told the time.
    pub fn start() -> Machine {
        let mut machine = Machine::started();
        machine.claim(NOW);
        machine
    }

    /// Started with evidence of this kind, and told the time.
    pub fn of(attester: Box<dyn Attester>) -> Machine {
        Machine::among(Trust::live(), attester)
    }

    /// The same among these exchanges.
    pub fn among(trust: Trust, attester: Box<dyn Attester>) -> Machine {
        let mut machine = Machine::untold(trust, attester);
        machine.claim(NOW);
        machine
    }

    pub fn started() -> Machine {
        Machine::untold(Trust::live(), Box::new(Bare))
    }

    fn untold(trust: Trust, attester: Box<dyn Attester>) -> Machine {
        let given = Unprovisioned {
            trust,
            attester,
            entropy: Box::new(Kernel),
            build: Build { version: "0.1.0".into(), commit: "unknown".into() },
            built: BUILT,
        };
        let provisioning = Provisioning::start(given, 1_000).unwrap();
        let stage = Some(Stage::Provisioning(Box::new(provisioning)));
        Machine { stage, monotonic: 1_000, keeper: None, line_refused: None }
    }

    /// With a host that keeps the register.
    pub fn with_line(self) -> Machine {
        self.on(Keeper::default())
    }

    /// With a host that brings what another one kept.
    pub fn on(mut self, keeper: Keeper) -> Machine {
        self.keeper = Some(keeper);
        self
    }

    /// Its host answers nothing more, until [`Machine::goes_on`].
    pub fn pauses(&mut self) {
        self.keeper.as_mut().unwrap().is_silent = true;
    }

    /// Its host answers what it was asked meanwhile.
    pub fn goes_on(&mut self) {
        let keeper = self.keeper.as_mut().unwrap();
        keeper.is_silent = false;
        let asked = core::mem::take(&mut keeper.unanswered);
        let answers = asked.iter().flat_map(|(kind, stream, body)| keeper.answer(*kind, *stream, body));
        let answers: Vec<(Kind, u32, Vec<u8>)> = answers.collect();
        for (kind, _, body) in answers {
            assert_eq!(self.frame(kind, &body), None);
        }
    }

    /// What its host has kept so far.
    pub fn kept(&self) -> Keeper {
        self.keeper.clone().unwrap()
    }

    /// The enclave that runs, its counter, and the host that keeps its register.
    pub fn into_running(self) -> (Enclave, u64, Keeper) {
        match (self.stage, self.keeper) {
            (Some(Stage::Running(enclave)), Some(keeper)) => (*enclave, self.monotonic, keeper),
            _ => panic!("it does not run, or nobody keeps its register"),
        }
    }

    pub fn claim(&mut self, time: UnixMillis) {
        assert_eq!(self.frame(Kind::Time, &time.0.to_be_bytes()), None);
    }

    /// Delivers a frame and returns the answer that it gets at once; `Err` if it ends the enclave.
    pub fn try_frame(&mut self, kind: Kind, body: &[u8]) -> Result<Option<(Kind, Vec<u8>)>, enclave::Fatal> {
        let mut out = self.deliver(Frame { kind, stream: 5, body })?;
        let mut answers = Vec::new();
        while let Some((frame, taken)) = Frame::read(&out).unwrap() {
            let mut asked = Vec::new();
            match frame.kind {
                Kind::Take | Kind::Lookup | Kind::Commit => {
                    let host = self.keeper.iter_mut();
                    asked.extend(host.flat_map(|host| host.answer(frame.kind, frame.stream, frame.body)));
                }
                Kind::Refused if frame.stream == 0 => {
                    let number = u16::from_be_bytes(frame.body.try_into().unwrap());
                    self.line_refused = Refusal::from_number(number);
                }
                kind => {
                    assert_eq!(frame.stream, 5, "on the stream that asked");
                    answers.push((kind, frame.body.to_vec()));
                }
            }
            out.drain(..taken);
            for (kind, stream, body) in asked {
                out.extend(self.deliver(Frame { kind, stream, body: &body })?);
            }
        }
        assert!(answers.len() <= 1 && out.is_empty(), "one answer");
        Ok(answers.pop())
    }

    /// What the enclave says to a frame.
    fn deliver(&mut self, frame: Frame<'_>) -> Result<Vec<u8>, enclave::Fatal> {
        let mut out = Vec::new();
        match self.stage.take().unwrap() {
            Stage::Provisioning(provisioning) => {
                let mut stage = provisioning.handle(frame, self.monotonic)?;
                match &mut stage {
                    Stage::Provisioning(provisioning) => provisioning.take_output(&mut out),
                    Stage::Running(enclave) => enclave.take_output(&mut out),
                }
                self.stage = Some(stage);
            }
            Stage::Running(mut enclave) => {
                enclave.handle(frame, self.monotonic)?;
                enclave.take_output(&mut out);
                self.stage = Some(Stage::Running(enclave));
            }
        }
        Ok(out)
    }

    pub fn frame(&mut self, kind: Kind, body: &[u8]) -> Option<(Kind, Vec<u8>)> {
        self.try_frame(kind, body).unwrap()
    }

    pub fn step(&mut self, step: &Ceremony) -> Answer {
        let (kind, body) = self.frame(Kind::Ceremony, &step.to_bytes()).unwrap();
        assert_eq!(kind, Kind::CeremonyAnswer);
        Answer::from_bytes(&body).unwrap()
    }

    pub fn genesis(&mut self, proposal: Proposal) -> Genesis {
        let Answer::Genesis(attested) = self.step(&Ceremony::Genesis(proposal)) else { panic!("no genesis") };
        assert_eq!(attested.evidence, report_data(About::Genesis, &NONCE, &attested.document));
        Genesis::from_bytes(&attested.document).unwrap()
    }

    pub fn genesis_of_any_nonce(&mut self, proposal: Proposal) {
        assert!(matches!(self.step(&Ceremony::Genesis(proposal)), Answer::Genesis(_)));
    }

    /// The setup document.
    pub fn setup(&mut self, proposal: Proposal) -> Vec<u8> {
        let Answer::Setup(attested) = self.step(&Ceremony::Setup(proposal)) else { panic!("no setup") };
        let Attested { document, evidence, .. } = attested;
        assert_eq!(evidence, report_data(About::Setup, &NONCE, &document));
        document
    }

    /// The setup with its evidence.
    pub fn setup_of(&mut self, proposal: Proposal) -> Attested {
        match self.step(&Ceremony::Setup(proposal)) {
            Answer::Setup(attested) => attested,
            other => panic!("no setup: {other:?}"),
        }
    }

    pub fn release(&mut self, release: Release) -> Status {
        match self.step(&Ceremony::Release(release)) {
            Answer::Status(status) => status,
            other => panic!("not released: {other:?}"),
        }
    }

    pub fn status(&mut self) -> Status {
        let Answer::Status(status) = self.step(&Ceremony::Status) else { panic!("no status") };
        status
    }

    /// The fault that a step gets, and whom it is about.
    pub fn refused(&mut self, step: &Ceremony) -> (CeremonyFault, Option<u8>) {
        match self.step(step) {
            Answer::Refused(refused) => (refused.fault, refused.member),
            other => panic!("not refused: {other:?}"),
        }
    }

    pub fn enclave(&self) -> Option<&Enclave> {
        match self.stage.as_ref().unwrap() {
            Stage::Running(enclave) => Some(enclave),
            Stage::Provisioning(_) => None,
        }
    }

    pub fn debug(&self) -> String {
        match self.stage.as_ref().unwrap() {
            Stage::Running(enclave) => format!("{enclave:?}"),
            Stage::Provisioning(provisioning) => format!("{provisioning:?}"),
        }
    }
}

/// The same with roots of every class; a program is public after `hours`.
pub fn made_with_classes(hours: u16) -> (Operators, Genesis) {
    let mut operators = Operators::new(3, 3);
    operators.delay = Some(hours);
    let genesis = Machine::start().genesis(operators.propose(&operators.manifest()));
    (operators, genesis)
}

/// Operators whose genesis is done, and what it made.
pub fn made() -> (Operators, Genesis) {
    let operators = Operators::new(3, 3);
    let genesis = Machine::start().genesis(operators.propose(&operators.manifest()));
    (operators, genesis)
}
