//! The manifest of a root: who approves, who holds shares, which programs may have it, and what it is committed to.
//!
//! What is approved and named everywhere is `SHA-256(transcript(MANIFEST, canonical bytes))`.

mod form;

pub use form::ManifestFault;
pub(crate) use form::{is_measured, is_name};

use crate::cbor::canonical;
use crate::consent::Class;
use crate::evidence::Hash;
use crate::identity::{RelyingParty, TeeKind};
use crate::owner::OwnerAlgorithm;
use crate::time::UnixMillis;
use crate::transcript::{Transcript, domain};
use minicbor::{Decode, Encode};

/// Members of one group: approvers, holders, witnesses.
pub const MAX_MEMBERS: usize = 16;
/// Programs that one manifest lets have the root, and registers of each.
pub const MAX_PROGRAMS: usize = 16;
pub const MAX_REGISTERS: usize = 8;
/// Consent classes: as many as there are.
pub const MAX_CLASSES: usize = Class::ALL.len();
/// How long a program has to be public before class `delayed` is opened to it: 90 days at the most.
pub const MAX_DELAY_HOURS: u16 = 90 * 24;
/// Roots that one manifest commits to, over all classes.
pub const MAX_ROOTS: usize = 512;
/// How long a notice runs: a week, in which whoever uses an account now and then is there once; 90 days at the most.
pub const NOTICE_HOURS: core::ops::RangeInclusive<u16> = 7 * 24..=90 * 24;
/// A manifest ends two years after it begins, at the latest.
pub const MAX_VALIDITY_MS: u64 = 731 * 86_400_000;
/// X-Wing: ML-KEM-768 encapsulation key (1184 bytes) ‖ X25519 public key (32 bytes).
pub const HOLDER_KEY_BYTES: usize = 1216;

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Manifest {
    #[n(0)]
    pub version: u8,
    /// Of the deployment; every successor has the same.
    #[n(1)]
    pub name: String,
    /// From 1; every successor has a higher one.
    #[n(2)]
    pub nonce: u32,
    #[n(3)]
    pub environment: Reach,
    /// Whose signatures make a manifest count.
    #[n(4)]
    pub approvers: Signers,
    /// Who keeps the shares; the first has number 1, and so on.
    #[n(5)]
    pub holders: Holders,
    #[n(6)]
    pub programs: Vec<Program>,
    /// `major.minor.patch`: no older build is given the root.
    #[n(7)]
    pub minimum_version: String,
    /// May be nobody, with a threshold of 0.
    #[n(8)]
    pub witnesses: Signers,
    /// Names of consent classes, ascending, beginning with `any`: each has roots of its own.
    #[n(9)]
    pub classes: Vec<String>,
    #[n(10)]
    pub from: UnixMillis,
    #[n(11)]
    pub until: UnixMillis,
    /// Ascending by class (in the order of `classes`) and epoch; an epoch of a class is of one program. Empty only until the
    /// genesis.
    #[n(12)]
    pub roots: Vec<RootCommitment>,
    /// Hours that a program has to be public before it gets roots of class `delayed`; there if the class is.
    #[n(13)]
    pub delay: Option<u16>,
    /// Epochs on their way, ascending as `roots`; absent when there is none.
    #[n(14)]
    pub steps: Option<Vec<Step>>,
    /// Who is to hold the roots from now on: their present holders, who decide it, give the shares back for that alone. No
    /// enclave runs under a manifest that asks for it.
    #[n(15)]
    pub reshare: Option<Holders>,
    /// The commitment of the first root of all, once it is over: [`Manifest::first_root`]. There exactly when class `any` begins
    /// after epoch 1.
    #[n(16)]
    pub first: Option<Hash>,
    /// Epochs that are to end although connections are still in them, in the order of `classes`; absent when there is none.
    #[n(17)]
    pub notices: Option<Vec<Notice>>,
    /// Whom the witnesses took the place of; absent: they are the first, or there are none.
    #[n(18)]
    pub replaced: Option<Replaced>,
    /// Whose passkeys count as owners' second factors; absent: nobody's.
    #[n(19)]
    pub relying_parties: Option<Vec<RelyingParty>>,
}

/// Witnesses who were replaced. What they accepted last, the present ones go on from, once they have closed their own record
/// (docs/spec/freshness.md §8).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Replaced {
    /// How often a deployment's witnesses were replaced; from 1.
    #[n(0)]
    pub generation: u16,
    /// All of those before, and how many of them it took.
    #[n(1)]
    pub former: Signers,
}

/// To whom is still in an epoch, or one before it: take your envelope out, or lose it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Notice {
    #[n(0)]
    pub class: String,
    #[n(1)]
    pub epoch: u32,
    /// SHA-256 of the statement of completion that the approvers have seen ([`crate::register::Statement`]).
    #[n(2)]
    pub statement: Hash,
    /// How many connections it counts as absent: no more are given up.
    #[n(3)]
    pub absent: u64,
    /// How long the enclave says so before the epoch can end, by its own counter.
    #[n(4)]
    pub hours: u16,
}

/// One epoch of a class that is on its way to become current: one for each class at most.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Step {
    #[n(0)]
    pub stage: Stage,
    #[n(1)]
    pub class: String,
    #[n(2)]
    pub epoch: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Stage {
    /// It is to be made: the manifest commits to no root of it yet, and no enclave runs under such a manifest.
    #[n(0)]
    Make,
    /// Its root is held, and nothing is sealed under it.
    #[n(1)]
    Pending,
}

impl Manifest {
    /// The epochs that are on their way.
    pub fn steps(&self) -> &[Step] {
        self.steps.as_deref().unwrap_or_default()
    }

    /// The epochs that are to end with connections in them.
    pub fn notices(&self) -> &[Notice] {
        self.notices.as_deref().unwrap_or_default()
    }

    /// Whose passkeys count.
    pub fn relying_parties(&self) -> &[RelyingParty] {
        self.relying_parties.as_deref().unwrap_or_default()
    }

    /// How often the witnesses were replaced.
    pub fn generation(&self) -> u16 {
        self.replaced.as_ref().map_or(0, |replaced| replaced.generation)
    }

    /// To whom what the manifest asks for is split.
    pub fn recipients(&self) -> &Holders {
        self.reshare.as_ref().unwrap_or(&self.holders)
    }

    /// The newest epoch of a class that the manifest commits to a root of.
    pub fn newest(&self, class: &str) -> Option<u32> {
        self.roots.iter().filter(|root| root.class == class).map(|root| root.epoch).max()
    }

    /// The commitment of the root that was made first: what a deployment is known by at witnesses, whatever comes later.
    /// `None`: there is no root yet.
    pub fn first_root(&self) -> Option<&Hash> {
        let mut roots = self.roots.iter();
        let first = roots.find(|root| root.class() == Some(Class::Any) && root.epoch == 1);
        first.map(|root| &root.commitment).or(self.first.as_ref())
    }

    /// Whether this root is over: the manifest commits to later epochs of its class and program, and to none so old. An
    /// enclave that goes over to the manifest destroys what it holds of it.
    pub fn has_ended(&self, root: &RootCommitment) -> bool {
        let of_same = |other: &&RootCommitment| (&other.class, other.program) == (&root.class, root.program);
        let oldest = self.roots.iter().filter(of_same).map(|other| other.epoch).min();
        oldest.is_some_and(|oldest| root.epoch < oldest)
    }

    /// Whether the manifest commits to no older root of this one's class and program.
    pub fn is_first(&self, root: &RootCommitment) -> bool {
        let of_same = |other: &RootCommitment| (&other.class, other.program) == (&root.class, root.program);
        !self.roots.iter().any(|other| of_same(other) && other.epoch < root.epoch)
    }

    /// Whether this epoch is held, and nothing is sealed under it.
    pub fn is_pending(&self, class: &str, epoch: u32) -> bool {
        self.steps()
            .iter()
            .any(|step| step.stage == Stage::Pending && step.class == class && step.epoch == epoch)
    }
}

/// Which providers an enclave with this root may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Reach {
    #[n(0)]
    Live,
    /// Any sandbox: each start of one has another root of its own.
    #[n(1)]
    Sandbox,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Signers {
    #[n(0)]
    pub threshold: u8,
    #[n(1)]
    pub members: Vec<Signer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Signer {
    #[n(0)]
    pub alias: String,
    #[n(1)]
    pub key: SigningKey,
}

/// A public key that signs manifests: Ed25519 (32 bytes) or P-256 (65 bytes, uncompressed).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SigningKey {
    #[n(0)]
    pub algorithm: OwnerAlgorithm,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub public: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Holders {
    #[n(0)]
    pub threshold: u8,
    #[n(1)]
    pub members: Vec<Holder>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Holder {
    #[n(0)]
    pub alias: String,
    /// X-Wing, [`HOLDER_KEY_BYTES`] bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub key: Vec<u8>,
}

/// A program that may have the root: every register has this value.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Program {
    #[n(0)]
    pub tee: TeeKind,
    #[n(1)]
    pub registers: Vec<Register>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Register {
    /// `PCR0`, `MEASUREMENT`, `MRTD` and so on.
    #[n(0)]
    pub name: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub value: [u8; 48],
}

/// What a root and its shares must be: hashes, which say nothing of them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RootCommitment {
    #[n(0)]
    pub class: String,
    #[n(1)]
    pub epoch: u32,
    /// The one that the identity document has.
    #[n(2)]
    pub commitment: Hash,
    /// One for each holder, in their order.
    #[n(3)]
    pub shares: Vec<Hash>,
    /// The one program that has it: [`Program::transcript`]'s SHA-256. There for class `owner`, and for no other.
    #[n(4)]
    pub program: Option<Hash>,
}

impl RootCommitment {
    /// Whether it is the same root, however it is shared.
    pub fn is_same(&self, other: &RootCommitment) -> bool {
        let of = |root: &RootCommitment| (root.epoch, root.commitment, root.program);
        self.class == other.class && of(self) == of(other)
    }

    /// `None` for a name that no manifest in form has.
    pub fn class(&self) -> Option<Class> {
        Class::parse(&self.class)
    }
}

/// What is hashed (SHA-256) to name a manifest. `bytes` is its canonical encoding, as received.
pub fn manifest_transcript(bytes: &[u8]) -> Vec<u8> {
    Transcript::new(domain::MANIFEST).field(bytes).bytes()
}

impl SigningKey {
    /// What is hashed (SHA-256) to name the key.
    pub fn transcript(&self) -> Vec<u8> {
        Transcript::new(domain::MANIFEST_KEY).field(&crate::Canonical::to_bytes(self)).bytes()
    }
}

impl Program {
    /// There is a register to compare, each once, of this kind of TEE, and none of zeros.
    pub fn has_form(&self) -> bool {
        is_measured(self)
    }

    /// What is hashed (SHA-256) to name the program.
    pub fn transcript(&self) -> Vec<u8> {
        Transcript::new(domain::MANIFEST_PROGRAM).field(&crate::Canonical::to_bytes(self)).bytes()
    }
}

/// What is hashed (SHA-256) to the receipt of holder `number` (from 1): nobody makes it who has not had the share, and it
/// says nothing of it. Holds a secret: wipe it.
pub fn receipt_transcript(class: &str, epoch: u32, number: u8, share: &[u8; 32]) -> Vec<u8> {
    of_share(domain::ROOT_SHARE_RECEIPT, class, epoch, number, share)
}

/// What is hashed (SHA-256) to commit to the share of which this is the receipt.
pub fn share_transcript(class: &str, epoch: u32, number: u8, receipt: &[u8; 32]) -> Vec<u8> {
    of_share(domain::ROOT_SHARE_COMMITMENT, class, epoch, number, receipt)
}

fn of_share(domain: &str, class: &str, epoch: u32, number: u8, bytes: &[u8; 32]) -> Vec<u8> {
    Transcript::new(domain)
        .field(class.as_bytes())
        .number(u64::from(epoch))
        .number(u64::from(number))
        .field(bytes)
        .bytes()
}

canonical!(Signers, Manifest, SigningKey, Program);
