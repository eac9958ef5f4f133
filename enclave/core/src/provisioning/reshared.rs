//! New holders for roots that exist (docs/spec/provisioning.md §10): the present ones, who alone can decide it, release their
//! shares to a start that splits the roots anew, forgets them, and never runs.

use super::Provisioning;
use super::admission::{Admitted, refused};
use super::genesis;
use super::recovered::Recovered;
use verify::setup::About;
use wire::ceremony::{Attested, CeremonyFault, Proposal, Refused};
use wire::evidence::Hash;

/// What is said of roots that were split to new holders: the roots themselves are gone.
pub(super) struct Reshared {
    /// Hash of the manifest that asked for it.
    asked: [u8; 32],
    document: Vec<u8>,
}

impl Reshared {
    pub(super) fn asked(&self) -> Hash {
        Hash(self.asked)
    }
}

impl Provisioning {
    /// Whether the shares that are collected are to be split to new holders, and for nothing else.
    pub(super) fn is_to_reshare(&self) -> bool {
        self.collecting.as_ref().is_some_and(|collecting| collecting.admitted().manifest().reshare.is_some())
    }

    /// Splits the roots to the holders that the manifest asks for. Setup, shares and roots end here, whatever comes of it.
    pub(super) fn split_anew(&mut self, recovered: &Recovered) -> Result<(), Refused> {
        let collecting = self.collecting.take().ok_or(refused(CeremonyFault::NoSetup))?;
        let admitted = collecting.admitted();
        let made = genesis::split_anew(admitted, recovered.kept.roots(), &mut *self.surroundings.entropy);
        let document = self.document_of(made.map_err(refused)?, admitted);
        self.reshared = Some(Reshared { asked: admitted.hash(), document });
        Ok(())
    }

    /// What came of it, as often as somebody asks.
    pub(super) fn tell_reshared(&mut self, proposal: &Proposal) -> Result<Attested, Refused> {
        let asked = Admitted::check(proposal, &self.candidate, &self.surroundings.clock)?.hash();
        let reshared = self.reshared.as_ref().filter(|reshared| reshared.asked == asked);
        let document = reshared.ok_or(refused(CeremonyFault::NotProvisioned))?.document.clone();
        self.attest(About::Genesis, &proposal.nonce, document).map_err(refused)
    }
}
