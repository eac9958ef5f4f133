//! `hand_on`: what this enclave's root alone opens of an envelope of class `owner`, to an enclave of another program, by its
//! owner's word (docs/spec/moving.md). Two factors.
//!
//! Nothing changes here, so it may be asked for again, and by an enclave that does not hold its line: that the envelope is
//! the present one, the other enclave checks before it takes it in. What is handed on opens there only with the owner's
//! share.

use super::Admitted;
use crate::enclave::Enclave;
use crate::envelope::layout;
use crate::envelope::wrap::Inner;
use crate::hash::sha256;
use crate::provisioning::expect;
use verify::consent::is_program;
use verify::{Expect, Reaches, Verdict, Verified, client};
use wire::consent::Class;
use wire::evidence::Hash;
use wire::identity::Environment;
use wire::manifest::Program;
use wire::moving::{Capsule, HandOn, info};
use wire::{Canonical, Refusal, UnixMillis};

impl Enclave {
    pub(super) fn hand_on(&self, admitted: &Admitted, asked: &HandOn) -> Result<Vec<u8>, Refusal> {
        let envelope = &admitted.opened.envelope;
        if envelope.header.class != Class::Owner {
            return Err(Refusal::NothingToHandOn);
        }
        // What the provider gave in its place is here alone, until its owner has stored it.
        if admitted.is_replaced() {
            return Err(Refusal::RefreshNeeded);
        }
        let (expect, now) = (self.expected_of_another()?, self.surroundings.clock.now());
        let verdict = client::check(&asked.evidence, &asked.nonce, &expect, now).verdict;
        let bytes = envelope.to_bytes();
        let layout = layout::parse(&bytes)?;
        let payload = Hash(sha256(layout.body));
        let inner = Inner::unwrap(&layout, &self.roots)?;
        let capsule = match verdict.map_err(|_| Refusal::ProgramRefused)? {
            Verdict::Hardware(other) => self.seal_capsule(&other, &asked.program, &payload, &inner, now),
            Verdict::Simulated(other) => self.seal_capsule(&other, &asked.program, &payload, &inner, now),
        };
        capsule.map(|capsule| capsule.to_bytes())
    }

    /// What another enclave has to show before anything is handed on to it: a program of this one's manifest, under the roots
    /// of trust that a successor is judged by; the same root of class `any`; the very same providers.
    fn expected_of_another(&self) -> Result<Expect, Refusal> {
        let own = self.manifest().ok_or(Refusal::NothingToHandOn)?;
        let environment = self.statement.environment;
        let current = self.roots.any().current();
        let commitment = self.roots.commitment(Class::Any, current).ok_or(Refusal::Internal)?;
        Ok(Expect {
            root_commitments: vec![(current, commitment)],
            environment: Some(match environment {
                Environment::Live => Reaches::Live,
                Environment::Sandbox(hash) => Reaches::Sandbox(hash),
            }),
            ..expect(own, &*self.attester, environment)
        })
    }

    /// To a verified enclave, if it is the program that the owner named.
    fn seal_capsule<Kind>(
        &self,
        other: &Verified<Kind>,
        named: &Program,
        payload: &Hash,
        inner: &Inner,
        now: UnixMillis,
    ) -> Result<Capsule, Refusal> {
        let is_named = named.has_form() && named.tee == other.identity().tee;
        if !is_named || !is_program(named, other.registers()) {
            return Err(Refusal::ProgramRefused);
        }
        let identity = other.identity_hash();
        let sealed = other.seal_message(&info(payload, &identity), inner.bytes(), now);
        let (key, encapsulated, ciphertext) = sealed.map_err(|_| Refusal::ProgramRefused)?;
        let epoch = self.roots.any().current();
        let capsule = Capsule { key, encapsulated, ciphertext, epoch, seal: Hash([0; 32]) };
        let seal = self.roots.capsule_seal(epoch, capsule.transcript(payload, &identity))?;
        Ok(Capsule { seal: Hash(seal), ..capsule })
    }
}
