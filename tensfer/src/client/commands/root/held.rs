//! What a holder has: the shares that their key opens of genesis files, each compared with what a manifest commits to.

use super::genesis::Record;
use super::holder_key::HolderKey;
use super::key_file;
use crate::client::failure::{Failure, Result};
use crate::client::options::Options;
use verify::holder::is_of;
use verify::hpke::RecipientKey;
use verify::setup::open_shares;
use wire::Canonical;
use wire::ceremony::{Shares, held_info};
use wire::manifest::{Holders, Manifest, RootCommitment};
use zeroize::Zeroizing;

/// A holder of a manifest, and what their key opened.
pub struct Held {
    number: u8,
    /// [`Shares`] of each genesis.
    opened: Vec<Zeroizing<Vec<u8>>>,
}

impl Held {
    /// Opens what these geneses sealed to the key, which is one of these holders'.
    pub fn open(
        options: &Options,
        key: &HolderKey,
        records: &[Record],
        (manifest, holders): (&Manifest, &Holders),
    ) -> Result<Held> {
        let (key, _) = key.open(options, key_file::realm(manifest))?;
        let number = number_of(&key, holders).ok_or_else(|| {
            Failure::refused("not_a_holder", "your key is none of this manifest's holders (not_a_holder)")
        })?;
        let opened = records.iter().map(|record| opened(&key, record)).collect::<Result<_>>()?;
        Ok(Held { number, opened })
    }

    /// The holder's number among them.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// One share for each of these roots, in their order, each the one that its root commits to. Others are left out.
    pub fn shares(&self, roots: &[RootCommitment]) -> Result<Shares<'_>> {
        let mut all = Vec::new();
        for bytes in &self.opened {
            all.extend(Shares::from_bytes(bytes).map_err(|_| wrong())?.shares);
        }
        let share_of = |root: &RootCommitment| {
            let at = all.iter().position(|share| is_of(share, self.number, root)).ok_or_else(wrong)?;
            Ok(all.swap_remove(at))
        };
        let shares = roots.iter().map(share_of).collect::<Result<_>>()?;
        Ok(Shares { shares })
    }
}

/// Which of these holders has the key, from 1.
pub fn number_of(key: &RecipientKey, holders: &Holders) -> Option<u8> {
    let mut members = (1u8..).zip(&holders.members);
    members.find(|(_, holder)| holder.key == key.public_key().bytes()).map(|(number, _)| number)
}

/// What a genesis sealed to this key, as one of those that its manifest asked to have the shares.
fn opened(key: &RecipientKey, record: &Record) -> Result<Zeroizing<Vec<u8>>> {
    let genesis = record.claimed()?;
    let asked = record.proposal()?;
    let number = number_of(key, asked.manifest().recipients()).ok_or_else(wrong)?;
    let sealed = genesis.sealed.get(usize::from(number) - 1).ok_or_else(wrong)?;
    open_shares(key, &held_info(&genesis.manifest.0, number), sealed).map_err(|_| wrong())
}

fn wrong() -> Failure {
    Failure::refused("share_wrong", "your share is not the one that the manifest commits to (share_wrong)")
        .hint("name every genesis file that this manifest came from, and the key that was in them")
}
