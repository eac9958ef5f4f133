//! Rotating what an owner holds: data key, epoch, share, owner keys, consent class; each alone or all together.

use super::seal::{Lock, seal_generation, wrap};
use super::{Contents, EnvelopeFault, Opened, Share, context};
use crate::entropy::Entropy;
use crate::root::Roots;
use crate::secret::Secret;
use wire::consent::Class;
use wire::envelope::{Envelope, Header};
use wire::owner::OwnerKey;

/// What to change. None of it is refused.
#[derive(Debug, Default)]
pub struct Rotation {
    /// A fresh data key.
    pub data_key: bool,
    /// Wrap to the current epoch of the class, as a next generation is in any case.
    pub epoch: bool,
    /// The new share.
    pub share: Option<Share>,
    /// The new owner set. That its new keys proved possession is for the caller to check.
    pub owners: Option<Vec<OwnerKey>>,
    /// The new consent class.
    pub class: Option<Class>,
    /// The number of the next generation: above the opened one's, whose successor it is by default. A caller that
    /// made a generation before, and never learned whether it arrived, leaves its number out.
    pub generation: Option<u64>,
}

impl Rotation {
    /// Whether what opened the envelope before would not open the next one, or would not be enough; or whether programs
    /// will open it that did not while it was of class `from`.
    pub(crate) fn changes_who_opens(&self, from: Class) -> bool {
        self.share.is_some() || self.owners.is_some() || self.class.is_some_and(|class| class < from)
    }

    fn is_next_generation(&self) -> bool {
        self.data_key || self.share.is_some() || self.owners.is_some() || self.class.is_some()
    }
}

/// Makes the next envelope of an opened one; `share` is the one it opened with.
///
/// A new data key, share, owner set or class is the next generation, sealed anew: under the current epoch, as everything that
/// is sealed. An epoch alone changes the wraps only: same generation, same payload bytes.
pub fn rotate(
    opened: &Opened,
    share: &Share,
    rotation: &Rotation,
    roots: &Roots,
    entropy: &mut dyn Entropy,
) -> Result<Envelope, EnvelopeFault> {
    let class = rotation.class.unwrap_or(opened.header().class);
    let fresh = if rotation.data_key { Some(Secret::make(entropy)?) } else { None };
    let lock = Lock {
        data_key: fresh.as_ref().unwrap_or(&opened.data_key),
        share: rotation.share.as_ref().unwrap_or(share),
        roots,
        epoch: roots.current_of(class)?,
    };
    if rotation.is_next_generation() {
        next_generation(opened, rotation, &lock, entropy)
    } else if rotation.epoch {
        Ok(Envelope { wrap: wrap(&opened.envelope, &lock, entropy)?, ..opened.envelope.clone() })
    } else {
        Err(EnvelopeFault::NothingToRotate)
    }
}

fn next_generation(
    opened: &Opened,
    rotation: &Rotation,
    lock: &Lock<'_>,
    entropy: &mut dyn Entropy,
) -> Result<Envelope, EnvelopeFault> {
    let owners = rotation.owners.as_ref().unwrap_or(&opened.contents.owners);
    let header = Header {
        owners: context::owners_hash(owners),
        generation: next_number(opened.header().generation, rotation.generation)?,
        class: rotation.class.unwrap_or(opened.header().class),
        ..opened.header().clone()
    };
    let contents = Contents { owners: owners.clone(), ..opened.contents.clone() };
    seal_generation(header, &contents, opened.credential.expose(), lock, entropy)
}

fn next_number(opened: u64, asked: Option<u64>) -> Result<u64, EnvelopeFault> {
    let next = opened.checked_add(1).ok_or(EnvelopeFault::Internal)?;
    match asked {
        Some(asked) if asked < next => Err(EnvelopeFault::Internal),
        asked => Ok(asked.unwrap_or(next)),
    }
}
