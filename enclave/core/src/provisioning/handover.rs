//! Handing the roots on: an enclave that has them, and a successor that waits for them.
//!
//! Each verifies the other by evidence over a nonce that it alone could have caused: the predecessor's challenge, and
//! the hash of the successor's setup, whose key is born for it.

use super::Stage;
use super::admission::{check_time, refused};
use super::recovered::{Kept, Recovered};
use super::{Provisioning, answer_with, evidence};
use crate::boot::Fatal;
use crate::enclave::Enclave;
use crate::entropy::NoEntropy;
use crate::surroundings::Surroundings;
use verify::Expect;
use verify::manifest::{self, Approved};
use verify::setup::{About, check_handover, check_setup};
use wire::Canonical;
use wire::ceremony::{
    Answer, Attested, CeremonyFault, Challenge, HandOver, Handover, Inherit, Proposal, Refused, Shares,
};
use wire::evidence::Hash;
use wire::identity::WIRE_VERSION;

/// Challenges that wait at once; an older one gives way.
const MAX_CHALLENGES: usize = 16;
/// How long a challenge waits, by the enclave's own counter.
const CHALLENGE_MS: u64 = 10 * 60_000;

/// What an enclave keeps to hand its roots on.
pub(crate) struct Legacy {
    kept: Kept,
    challenges: Vec<Waiting>,
}

struct Waiting {
    nonce: [u8; 32],
    since: u64,
}

impl Legacy {
    pub(super) fn new(kept: Kept) -> Legacy {
        Legacy { kept, challenges: Vec::new() }
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
    /// An epoch is destroyed: nothing of its root stays for a successor either.
    pub(crate) fn forget_root(&mut self, epoch: u32) {
        if let (Some(legacy), Some(own)) = (&mut self.legacy, &self.manifest) {
            legacy.kept.forget(own.manifest(), epoch);
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

    /// Seals the roots to a successor: under a manifest that succeeds this enclave's, approved by the same approvers,
    /// whose programs its evidence proves, freshly.
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
        check_time(next.manifest(), &self.surroundings.clock).map_err(refused)?;
        let expect = expect(&next, &*self.attester);
        let verified = check_setup(&asked.setup, &asked.proposal.nonce, &next, &expect, now).verdict;
        let ready = verified.map_err(|_| refused(CeremonyFault::SuccessorRefused))?;
        let roots = legacy.kept.shares(own.manifest(), next.manifest());
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
        let expect = expect(&predecessor, &*self.attester);
        let verified = check_handover(&asked.handover, &setup, &predecessor, &expect, clock.now()).verdict;
        let handover = verified.map_err(|_| refused(CeremonyFault::PredecessorRefused))?;
        let wrong = || refused(CeremonyFault::HandoverWrong);
        let bytes = collecting.open_handover(&handover.sealed).map_err(|_| wrong())?;
        let roots = Shares::from_bytes(&bytes).map_err(|_| wrong())?;
        Recovered::inherit(collecting.admitted().manifest(), &roots).map_err(refused)
    }
}

fn approved(proposal: &Proposal) -> Result<Approved, Refused> {
    Approved::check(&proposal.manifest, proposal.approvals.iter().map(|approval| approval.0.as_slice()))
}

/// The manifest's programs, under the roots that this program's own kind of TEE is judged by.
fn expect(approved: &Approved, attester: &dyn crate::attester::Attester) -> Expect {
    Expect { vendors: attester.vendors(), ..manifest::expect(approved.manifest()) }
}

impl core::fmt::Debug for Legacy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Legacy({} challenges)", self.challenges.len())
    }
}
