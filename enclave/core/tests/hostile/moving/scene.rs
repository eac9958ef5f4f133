//! Enclaves of two programs under one manifest, and an owner between them.

use crate::support::keeper::Keeper;
use crate::support::{Authority, BUILT, Draft, Machine, Owner, counting, roots, roots_of_all};
use crate::vendor::Vendor;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use enclave::egress::Trust;
use enclave::root::{ClassRoots, Roots};
use enclave::secret::Secret;
use enclave::{Attester, Boot};
use std::cell::Cell;
use verify::consent::program_name;
use verify::hpke::{Info, RecipientKey};
use verify::manifest::{Approved, hash, key_name, to_be_approved};
use wire::consent::Class;
use wire::cose::{EDDSA, Protected, Sign1};
use wire::evidence::Hash;
use wire::identity::{Build, SUITE, TeeKind};
use wire::manifest::{
    HOLDER_KEY_BYTES, Holder, Holders, Manifest, Program, Reach, Register, RootCommitment, Signer, Signers,
    SigningKey,
};
use wire::moving::{Capsule, HandOn};
use wire::operation::{Export, Exported, Op, Rotate, Rotated};
use wire::owner::OwnerAlgorithm;
use wire::transcript::{Transcript, domain};
use wire::{Canonical, Refusal, UnixMillis};

/// What the two programs measure.
pub const OLD: u8 = 7;
pub const NEW: u8 = 8;
pub const NONCE: [u8; 32] = [0x4e; 32];

pub struct Scene {
    vendor: Vendor,
    /// Who vouches for its exchanges; otherwise the real ones are reached.
    sandbox: Option<Authority>,
    approver: Ed25519KeyPair,
    started: Cell<u8>,
}

impl Scene {
    pub fn new() -> Scene {
        Scene::of(Vendor::new())
    }

    /// Among the real exchanges.
    pub fn of(vendor: Vendor) -> Scene {
        let (approver, started) = (Ed25519KeyPair::generate().unwrap(), Cell::new(0));
        Scene { vendor, sandbox: None, approver, started }
    }

    /// Emulated machines, whose images name the development signer.
    pub fn among_a_sandbox() -> Scene {
        Scene::of(Vendor::development()).moved_to_a_sandbox()
    }

    /// The same vendor's among the exchanges of a sandbox that is made for this.
    pub fn moved_to_a_sandbox(self) -> Scene {
        Scene { sandbox: Some(Authority::sandbox()), ..self }
    }

    /// An enclave of the old program, and one of the new program that has taken the line since.
    pub fn two(&self) -> (Machine, Machine) {
        let mut old = self.old_on(Keeper::new(1, 1));
        let new = self.new_on(old.keeper.clone());
        old.keeper.witnesses.clone_from(&new.keeper.witnesses);
        (old, new)
    }

    pub fn old_on(&self, keeper: Keeper) -> Machine {
        self.start(self.vendor.enclave(OLD), roots_of_all(), keeper)
    }

    /// One of the old program that never gets its line.
    pub fn old_aside(&self) -> Machine {
        self.old_on(Keeper { is_silent: true, ..Keeper::new(1, 1) })
    }

    pub fn new_on(&self, keeper: Keeper) -> Machine {
        self.start(self.vendor.enclave(NEW), new_roots(), keeper)
    }

    pub fn new_machine(&self) -> Machine {
        self.new_on(Keeper::new(1, 1))
    }

    /// An enclave of the old program that believes nobody but the vendors that are compiled in.
    pub fn doubting_old(&self) -> Machine {
        self.start(self.vendor.doubting(OLD), roots_of_all(), Keeper::new(1, 1))
    }

    /// One that measures this, whatever the manifest says.
    pub fn of_program(&self, measured: u8) -> Machine {
        self.with_roots(measured, new_roots())
    }

    pub fn with_roots(&self, measured: u8, roots: Roots) -> Machine {
        self.start(self.vendor.enclave(measured), roots, Keeper::new(1, 1))
    }

    /// One whose host provisioned it.
    pub fn of_a_host(&self) -> Machine {
        let (boot, keeper) = self.boot(self.vendor.enclave(OLD), roots_of_all(), Keeper::new(1, 1));
        Machine::boot(Boot { manifest: None, ..boot }, keeper)
    }

    fn start(&self, attester: Box<dyn Attester>, roots: Roots, keeper: Keeper) -> Machine {
        let (boot, keeper) = self.boot(attester, roots, keeper);
        Machine::boot(boot, keeper)
    }

    fn boot(&self, attester: Box<dyn Attester>, roots: Roots, keeper: Keeper) -> (Boot, Keeper) {
        self.started.set(self.started.get() + 1);
        let trust = match &self.sandbox {
            Some(authority) => Trust::sandbox(authority.der()).unwrap(),
            None => Trust::live(),
        };
        let boot = Boot {
            roots,
            manifest: Some(self.approved()),
            witnessed: keeper.witnessed(),
            relying_parties: Vec::new(),
            trust,
            attester,
            entropy: Box::new(counting(self.started.get())),
            build: Build { version: "0.1.0".into(), commit: "unknown".into() },
            built: BUILT,
        };
        (boot, keeper)
    }

    /// The manifest that lists both programs, and has a root of class `owner` of each.
    fn approved(&self) -> Approved {
        let key = SigningKey {
            algorithm: OwnerAlgorithm::EdDsa,
            public: self.approver.public_key().as_ref().to_vec(),
        };
        let root = |roots: &Roots, class: Class, program: Option<u8>| RootCommitment {
            class: class.name().into(),
            epoch: roots.of(class).unwrap().oldest(),
            commitment: Hash(roots.of(class).unwrap().epochs().commitments[0].commitment),
            shares: vec![Hash([8; 32])],
            program: program.map(|measured| program_name(&self::program(measured))),
        };
        let manifest = Manifest {
            version: 1,
            name: "example".into(),
            nonce: 5,
            environment: if self.sandbox.is_some() { Reach::Sandbox } else { Reach::Live },
            approvers: Signers {
                threshold: 1,
                members: vec![Signer { alias: "ada".into(), key: key.clone() }],
            },
            holders: Holders {
                threshold: 1,
                members: vec![Holder { alias: "dot".into(), key: vec![7; HOLDER_KEY_BYTES] }],
            },
            programs: vec![program(OLD), program(NEW)],
            minimum_version: "0.1.0".into(),
            witnesses: Signers { threshold: 0, members: Vec::new() },
            classes: vec!["any".into(), "owner".into()],
            from: UnixMillis(1),
            until: UnixMillis(86_400_000),
            roots: vec![
                root(&roots_of_all(), Class::Any, None),
                root(&roots_of_all(), Class::Owner, Some(OLD)),
                root(&new_roots(), Class::Owner, Some(NEW)),
            ],
            delay: None,
            steps: None,
            first: None,
            notices: None,
            replaced: None,
            relying_parties: None,
            reshare: None,
        };
        let bytes = manifest.to_bytes();
        let protected = Protected { algorithm: EDDSA, key: key_name(&key) }.to_bytes();
        let signature = self.approver.sign(&to_be_approved(&protected, &hash(&bytes)));
        let approval = Sign1 { protected: &protected, payload: None, signature: signature.as_ref() };
        Approved::check(&bytes, [approval.to_bytes().as_slice()]).unwrap()
    }

    pub fn draft_of(
        &self,
        owner: &Owner,
        old: &Machine,
        evidence: Vec<u8>,
        nonce: [u8; 32],
        program: Program,
    ) -> Draft {
        let mut draft = owner.draft(old, Op::HandOn).now(old);
        draft.args = HandOn { evidence, nonce, program }.to_bytes();
        draft
    }

    /// As a client asks that has just verified the new enclave.
    pub fn hand_on_draft(&self, owner: &Owner, old: &Machine, new: &mut Machine) -> Draft {
        let evidence = new.evidence(NONCE).to_bytes();
        self.draft_of(owner, old, evidence, NONCE, program(NEW))
    }

    pub fn hand_on(
        &self,
        owner: &mut Owner,
        old: &mut Machine,
        new: &mut Machine,
    ) -> Result<Capsule, Refusal> {
        let draft = self.hand_on_draft(owner, old, new);
        let result = owner.ask_twice_signed(old, &draft)?;
        Ok(Capsule::from_bytes(&result).unwrap())
    }

    pub fn take_in_draft(&self, owner: &Owner, new: &Machine, capsule: &Capsule) -> Draft {
        let mut draft = owner.draft(new, Op::TakeIn).now(new);
        draft.args = capsule.to_bytes();
        draft
    }

    pub fn take_in(
        &self,
        owner: &mut Owner,
        new: &mut Machine,
        capsule: &Capsule,
    ) -> Result<Vec<u8>, Refusal> {
        let draft = self.take_in_draft(owner, new, capsule);
        owner.ask_draft(new, &draft)
    }
}

pub fn program(measured: u8) -> Program {
    Program { tee: TeeKind::Nitro, registers: vec![Register { name: "PCR0".into(), value: [measured; 48] }] }
}

/// Class `any` as the old program has it, and epoch 2 of class `owner`.
fn new_roots() -> Roots {
    let mut new = roots(1);
    new.add_class(ClassRoots::new(Class::Owner, 2, &Secret::copied(&[0xe9; 32])).unwrap()).unwrap();
    new
}

/// Roots of both programs' owners under another root of class `any`.
pub fn another_any() -> Roots {
    let mut other = Roots::new(1, &Secret::copied(&[0x77; 32])).unwrap();
    other.add_class(ClassRoots::new(Class::Owner, 1, &Secret::copied(&[0xe0; 32])).unwrap()).unwrap();
    other
}

/// The generation in what `take_in` answered.
pub fn generation(result: &[u8]) -> u64 {
    Rotated::from_bytes(result).unwrap().generation
}

/// The next generation, not acknowledged yet.
pub fn rotated(owner: &mut Owner, machine: &mut Machine) -> Vec<u8> {
    let mut draft = owner.draft(machine, Op::Rotate);
    draft.args = Rotate { data_key: true, epoch: false, share: None, owners: None, class: None }.to_bytes();
    Rotated::from_bytes(&owner.ask_draft(machine, &draft).unwrap()).unwrap().envelope
}

/// What is in the envelope.
pub fn credential(owner: &mut Owner, machine: &mut Machine) -> Vec<u8> {
    let recipient = RecipientKey::generate().unwrap();
    let mut draft = owner.draft(machine, Op::Export);
    draft.args = Export { recipient: recipient.public_key().bytes().to_vec() }.to_bytes();
    let sealed = draft.seal(&[&owner.device, &owner.second]);
    let answer = machine.request(&sealed.bytes);
    let exported = Exported::from_bytes(&sealed.open(answer, machine).result.unwrap()).unwrap();
    let info = Transcript::new(domain::EXPORT).field(&owner.connection.0).field(&sealed.request).bytes();
    let info = Info::new(SUITE, &info).unwrap();
    let mut context = recipient.setup_recipient(&exported.encapsulated, &info).unwrap();
    context.open(b"", &exported.ciphertext).unwrap().to_vec()
}
