//! `rotate`: a new data key, epoch, share, owner set or consent class; each alone, or all together. A new share, a new
//! owner set and a looser class change who opens the envelope, and take both factors.
//!
//! A new generation is pending until its owner acknowledges having stored it. Until then the old one works; if the
//! reply is lost, the owner rotates again, and what was lost is refused from then on.

use super::Admitted;
use crate::enclave::Enclave;
use crate::envelope::{self, Rotation, Share};
use crate::owner::check_set;
use wire::identity::RelyingParty;
use wire::operation::{Rotate, Rotated};
use wire::{Canonical, Refusal};

/// Reads the arguments; a new owner set is one that can be kept.
pub(super) fn read(args: &Rotate<'_>, parties: &[RelyingParty]) -> Result<Rotation, Refusal> {
    if let Some(owners) = &args.owners {
        check_set(owners, parties)?;
    }
    Ok(Rotation {
        data_key: args.data_key,
        epoch: args.epoch,
        share: args.share.map(|share| Share::parse(share)).transpose()?,
        owners: args.owners.clone(),
        class: args.class,
        generation: None,
    })
}

impl Enclave {
    pub(super) fn rotate(&mut self, admitted: &Admitted, rotation: Rotation) -> Result<Vec<u8>, Refusal> {
        let Admitted { opened, share, .. } = admitted;
        let id = opened.header().connection;
        let rotation = Rotation { generation: Some(self.connections.next_generation(id)?), ..rotation };
        let envelope =
            envelope::rotate(opened, share, &rotation, &self.roots, &mut *self.surroundings.entropy)?;
        let generation = envelope.header.generation;
        if generation != opened.header().generation {
            self.connections.set_pending(id, generation);
        }
        let epoch = envelope.wrap.epoch;
        Ok(Rotated { envelope: envelope.to_bytes(), generation, epoch }.to_bytes())
    }
}
