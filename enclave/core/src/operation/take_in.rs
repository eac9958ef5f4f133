//! `take_in`: an envelope of class `owner` that an enclave of another program handed on becomes one of this program
//! (docs/spec/moving.md).
//!
//! It is the next generation, with a data key that the other program has never seen, and pending until its owner has
//! acknowledged it: from then on the one before it is stale, wherever this line is held.

use super::{Enclave, Incoming};
use crate::envelope::layout::{self, Layout};
use crate::envelope::wrap::Inner;
use crate::envelope::{Rotation, Share, open_inner};
use crate::hash::sha256;
use crate::reply::Asker;
use crate::request::Danger;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use wire::Refusal;
use wire::consent::Class;
use wire::evidence::Hash;
use wire::moving::{Capsule, info};

impl Enclave {
    pub(super) fn take_in(
        &mut self,
        incoming: Incoming<'_, '_>,
        capsule: &Capsule,
        asker: &mut Asker,
    ) -> Result<Vec<u8>, Refusal> {
        let share = Share::parse(incoming.request.share.ok_or(Refusal::Malformed)?)?;
        let layout = layout::parse(incoming.request.envelope.ok_or(Refusal::Malformed)?)?;
        let inner = self.open_capsule(&layout, capsule)?;
        let opened = open_inner(layout, &inner, &share)?;
        let admitted = self.admit_opened(incoming, (opened, share), Danger::None, asker)?;
        self.rotate(&admitted, Rotation { data_key: true, epoch: true, ..Rotation::default() })
    }

    /// The inner wrap of this very envelope, for this very enclave, by one that holds the same root of class `any`. The seal
    /// comes first: whoever makes a capsule up could make up what its envelope says of a key or an address.
    fn open_capsule(&self, layout: &Layout<'_>, capsule: &Capsule) -> Result<Inner, Refusal> {
        let roots = self.roots.of(Class::Owner).ok_or(Refusal::ClassNotHeld)?;
        let is_openable = layout.header.class == roots.class();
        let payload = Hash(sha256(layout.body));
        let identity = self.keys.identity_of(capsule.key).filter(|_| is_openable);
        let identity = identity.ok_or(Refusal::CapsuleRefused)?;
        let seal = self.roots.capsule_seal(capsule.epoch, capsule.transcript(&payload, &identity));
        let seal = seal.map_err(|_| Refusal::CapsuleRefused)?;
        verify_slices_are_equal(&seal, &capsule.seal.0).map_err(|_| Refusal::CapsuleRefused)?;
        let sealed = (capsule.encapsulated.as_slice(), capsule.ciphertext.as_slice());
        let inner = self.keys.open_message(capsule.key, &info(&payload, &identity), sealed);
        let inner = inner.and_then(|inner| Inner::parse(&inner).ok());
        inner.ok_or(Refusal::CapsuleRefused)
    }
}
