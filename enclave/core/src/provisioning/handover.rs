//! Handing the roots on: an enclave that has them, and a successor that waits for them.
//!
//! Each verifies the other by evidence over a nonce that it alone could have caused: the predecessor's challenge, and
//! the hash of the successor's setup, whose key is born for it.

use super::Stage;
use super::admission::{check_time, refused};
use super::announced::Announcements;
use super::notices::Notices;
use super::recovered::{Kept, Recovered};
use super::{Provisioning, answer_with, evidence};
use crate::attester::Attester;
use crate::boot::Fatal;
use crate::enclave::Enclave;
use crate::entropy::NoEntropy;
use crate::surroundings::Surroundings;
use verify::consent::{self, Candidate};
use verify::evidence::Presented;
use verify::manifest::{self, Approved};
use verify::measurement::Registers;
use verify::setup::{About, check_handover, check_setup};
use verify::{Expect, document};
use wire::Canonical;
use wire::ceremony::{
    Answer, Attested, CeremonyFault, Challenge, HandOver, Handover, Inherit, Proposal, Refused, Shares,
};
use wire::consent::Class;
use wire::evidence::Hash;
use wire::identity::{Environment, WIRE_VERSION};

/// Challenges that wait at once; an older one gives way.
const MAX_CHALLENGES: usize = 16;
/// How long a challenge waits, by the enclave's own counter.
const CHALLENGE_MS: u64 = 10 * 60_000;

/// What an enclave keeps to hand its roots on.
pub(crate) struct Legacy {
    pub(super) kept: Kept,
    challenges: Vec<Waiting>,
    pub(super) announced: Announcements,
    pub(super) notices: Notices,
}

struct Waiting {
    nonce: [u8; 32],
    since: u64,
}

impl Legacy {
    pub(super) fn new(kept: Kept, monotonic: u64) -> Legacy {
        let announced = Announcements::new(monotonic);
        Legacy { kept, challenges: Vec::new(), announced, notices: Notices::default() }
    }

    /// Whether this nonce was given out and still waits; it does not any more.
    fn take(&mut self, nonce: &[u8; 32], monotonic: u64) -> bool {
        self.challenges.retain(|waiting| monotonic.saturating_sub(waiting.since) < CHALLENGE_MS);
        let before = self.challenges.len();
        self.challenges.retain(|waiting| waiting.nonce != *nonce);
        self.challenges.len() < before
    }
}

impl Enclave {
    /// An epoch of a class is destroyed: nothing of its root stays for a successor either.
    pub(crate) fn forget_root(&mut self, class: Class, epoch: u32) {
        if let (Some(legacy), Some(own)) = (&mut self.legacy, &self.manifest) {
            legacy.kept.forget(own.manifest(), class, epoch);
        }
    }

    /// A nonce for a successor's evidence.
    pub(super) fn challenge_successor(&mut self) -> Result<Challenge, Refused> {
        let Surroundings { clock, entropy, .. } = &mut self.surroundings;
        let legacy = self.legacy.as_mut().ok_or(refused(CeremonyFault::NothingToHandOver))?;
        let nonce = entropy.make_bytes().map_err(|NoEntropy| refused(CeremonyFault::Internal))?;
        if legacy.challenges.len() >= MAX_CHALLENGES {
            legacy.challenges.remove(0);
        }
        legacy.challenges.push(Waiting { nonce, since: clock.monotonic() });
        Ok(Challenge { nonce })
    }

    /// Seals roots to a successor: under a manifest that succeeds this enclave's, approved by the same approvers, whose
    /// programs its evidence proves, freshly. Of which classes, the successor's program decides.
    pub(super) fn hand_over(&mut self, asked: &HandOver) -> Result<Attested, Refused> {
        let (now, monotonic) = (self.surroundings.clock.now(), self.surroundings.clock.monotonic());
        let nothing = || refused(CeremonyFault::NothingToHandOver);
        let own = self.manifest().ok_or_else(nothing)?.clone();
        let legacy = self.legacy.as_mut().ok_or_else(nothing)?;
        if !legacy.take(&asked.proposal.nonce, monotonic) {
            return Err(refused(CeremonyFault::ChallengeUnknown));
        }
        let next = approved(&asked.proposal)?;
        if !own.admits(&next) {
            return Err(refused(CeremonyFault::NotASuccessor));
        }
        // What a manifest ends is destroyed here first, on a statement of this enclave's: a successor makes none of it. What
        // counts is what is held, for the manifest that is this enclave's by now may have ended it as well.
        if !self.ended_by(next.manifest()).is_empty() {
            return Err(refused(CeremonyFault::NotConcluded));
        }
        check_time(next.manifest(), &self.surroundings.clock).map_err(refused)?;
        let expect = expect(&next, &*self.attester, self.statement.environment);
        let verified = check_setup(&asked.setup, &asked.proposal.nonce, &next, &expect, now).verdict;
        let ready = verified.map_err(|_| refused(CeremonyFault::SuccessorRefused))?;
        let candidate = self.candidate(&own, &next, ready.registers());
        let legacy = self.legacy.as_ref().ok_or_else(nothing)?;
        let roots = legacy.kept.shares(own.manifest(), next.manifest(), &candidate);
        let roots = roots.ok_or(refused(CeremonyFault::RootsMissing))?;
        let sealed = ready.hand_over(&roots, now).map_err(|_| refused(CeremonyFault::SuccessorRefused))?;
        let document = Handover {
            version: WIRE_VERSION,
            boot: self.signatory.boot,
            manifest: Hash(own.hash()),
            tee: self.statement.tee,
            environment: self.statement.environment,
            build: self.statement.build.clone(),
            sealed,
            issued: now,
        };
        evidence(&mut *self.attester, About::Handover, &ready.hash(), document.to_bytes(), now)
            .map_err(refused)
    }
}

impl Enclave {
    /// What a verified successor qualifies for. To class `delayed`, a program is public that this enclave itself is, or
    /// whose manifest it has shown in its identity for the hours that the manifest says.
    fn candidate(&mut self, own: &Approved, next: &Approved, registers: &Registers) -> Candidate {
        let programs = consent::programs(next.manifest(), registers);
        let monotonic = self.surroundings.clock.monotonic();
        let announced = self.legacy.as_ref().map(|legacy| &legacy.announced);
        let is_announced = match (next.manifest().delay, announced) {
            (Some(hours), Some(announced)) => {
                let is_own = next.hash() == own.hash();
                announced.is_public(Hash(next.hash()), is_own, hours, monotonic)
            }
            _ => false,
        };
        let is_public = is_announced || self.is_one_of(own, &programs);
        Candidate { programs, is_public }
    }

    /// Whether this enclave is one of these programs; `false` where it cannot know.
    fn is_one_of(&mut self, own: &Approved, programs: &[Hash]) -> bool {
        let is_it = |name: &Hash| programs.contains(name);
        self.own_programs(own).is_some_and(|own| own.iter().any(is_it))
    }

    /// The names of a manifest's programs that this enclave is: by its own device, where that is out of the host's reach, or else
    /// by its own evidence. `None`: nobody vouches for that whose word counts here.
    pub(super) fn own_programs(&mut self, approved: &Approved) -> Option<Vec<Hash>> {
        if let Some(registers) = self.attester.own_registers() {
            return Some(consent::programs(approved.manifest(), &registers));
        }
        let now = self.surroundings.clock.now();
        let attestation = self.attester.attest(&[0; 64], now).ok()?;
        let expect = expect(approved, &*self.attester, self.statement.environment);
        let presented = Presented {
            kind: attestation.form.into(),
            document: &attestation.document,
            certificates: &attestation.certificates,
            collateral: None,
        };
        let report = document::check(&presented, &expect, now, None);
        let programs = match report.verdict {
            Ok(_) => consent::programs(approved.manifest(), &report.registers),
            Err(_) => Vec::new(),
        };
        (!report.registers.is_empty()).then_some(programs)
    }
}

impl Provisioning {
    /// Takes the roots of a predecessor, which has to be what its own manifest lets it be.
    pub(super) fn inherit(self: Box<Self>, asked: &Inherit, stream: u32) -> Result<Stage, Fatal> {
        match self.inherited(asked) {
            Ok(recovered) => self.become_enclave(recovered, stream),
            Err(refused) => {
                let mut waiting = self;
                answer_with(&mut waiting.surroundings.outbox, stream, Answer::Refused(refused));
                waiting.still()
            }
        }
    }

    fn inherited(&self, asked: &Inherit) -> Result<Recovered, Refused> {
        let clock = &self.surroundings.clock;
        let collecting = self.collecting.as_ref().ok_or(refused(CeremonyFault::NoSetup))?;
        let setup = collecting.live_setup(clock.monotonic()).ok_or(refused(CeremonyFault::SetupOver))?;
        let predecessor = approved(&asked.proposal)?;
        if !predecessor.admits(collecting.admitted().approved()) {
            return Err(refused(CeremonyFault::NotASuccessor));
        }
        let expect = expect(&predecessor, &*self.attester, self.candidate.environment);
        let verified = check_handover(&asked.handover, &setup, &predecessor, &expect, clock.now()).verdict;
        let handover = verified.map_err(|_| refused(CeremonyFault::PredecessorRefused))?;
        let wrong = || refused(CeremonyFault::HandoverWrong);
        let bytes = collecting.open_handover(&handover.sealed).map_err(|_| wrong())?;
        let roots = Shares::from_bytes(&bytes).map_err(|_| wrong())?;
        Recovered::inherit(collecting.admitted().manifest(), &roots).map_err(refused)
    }
}

pub(super) fn approved(proposal: &Proposal) -> Result<Approved, Refused> {
    Approved::check(&proposal.manifest, proposal.approvals.iter().map(|approval| approval.0.as_slice()))
}

/// The manifest's programs, under the roots that this program's own kind of TEE is judged by.
///
/// INVARIANT: among the real exchanges, a development signer's root counts for nothing, whatever the program says.
pub(crate) fn expect(approved: &Approved, attester: &dyn Attester, environment: Environment) -> Expect {
    let dangerous_simulated = match environment {
        Environment::Live => None,
        Environment::Sandbox(_) => attester.dangerous_peers(),
    };
    Expect { vendors: attester.vendors(), dangerous_simulated, ..manifest::expect(approved.manifest()) }
}

impl core::fmt::Debug for Legacy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Legacy({} challenges)", self.challenges.len())
    }
}
