//! `grant`, `ungrant`, `grants`: what an owner lets somebody else ask for while they are away. The first takes both factors.

use super::Admitted;
use crate::enclave::Enclave;
use crate::grant;
use crate::owner::{check_key, name};
use wire::grant::{End, GrantState, Listed, Make};
use wire::operation::Nothing;
use wire::{Canonical, Refusal};

impl Enclave {
    pub(super) fn grant(&mut self, admitted: &Admitted, asked: &Make) -> Result<Vec<u8>, Refusal> {
        let (terms, opened) = (&asked.terms, &admitted.opened);
        let is_owners = opened.contents().owners.iter().any(|key| key.public == terms.key.public);
        let now = self.surroundings.clock.now();
        if !terms.has_form() || check_key(&terms.key).is_err() || is_owners || terms.expires <= now {
            return Err(Refusal::Malformed);
        }
        // What the provider gave in the place of the credential is in no envelope yet, and so in no grant.
        if admitted.is_replaced() {
            return Err(Refusal::RefreshNeeded);
        }
        let (body, epoch, made) = grant::make(opened, asked, &self.roots, &mut *self.surroundings.entropy)?;
        let key = name(&terms.key).first_chunk().copied().unwrap_or_default();
        let (id, expires) = (body.id, terms.expires);
        let state = GrantState { id, key, expires, epoch, used: 0, last: None, window: None };
        self.connections.add_grant(opened.header().connection, state, now)?;
        Ok(made.to_bytes())
    }

    pub(super) fn ungrant(&mut self, admitted: &Admitted, end: End) -> Vec<u8> {
        self.connections.end_grant(admitted.opened.header().connection, end.id);
        Nothing {}.to_bytes()
    }

    pub(super) fn grants(&self, admitted: &Admitted) -> Vec<u8> {
        let grants = self.connections.grants(admitted.opened.header().connection).to_vec();
        Listed { grants }.to_bytes()
    }
}
