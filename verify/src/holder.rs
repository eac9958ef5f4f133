//! Shares of a root: what a manifest commits to, and what shows that a holder has had theirs (docs/spec/provisioning.md §4).

use crate::manifest::sha256;
use wire::ceremony::Share;
use wire::evidence::Hash;
use wire::manifest::{RootCommitment, receipt_transcript, share_transcript};
use zeroize::Zeroizing;

/// The receipt of holder `number` (from 1) for a share: `SHA-256(transcript(ROOT_SHARE_RECEIPT, class, epoch, number, share))`.
/// Public once it is given: who knows it has had the share, and learns nothing of it.
pub fn receipt(class: &str, epoch: u32, number: u8, share: &[u8; 32]) -> [u8; 32] {
    sha256(&Zeroizing::new(receipt_transcript(class, epoch, number, share)))
}

/// What a manifest commits to: `SHA-256(transcript(ROOT_SHARE_COMMITMENT, class, epoch, number, receipt))`.
pub fn commitment(class: &str, epoch: u32, number: u8, receipt: &[u8; 32]) -> Hash {
    Hash(sha256(&share_transcript(class, epoch, number, receipt)))
}

/// Whether it is the share of this root that holder `number` has.
pub fn is_of(share: &Share<'_>, number: u8, root: &RootCommitment) -> bool {
    let bytes: Option<&[u8; 32]> = share.share[..].try_into().ok();
    let is_right = |bytes| is_receipt(&receipt(share.class, share.epoch, number, bytes), number, root);
    (share.class, share.epoch) == (root.class.as_str(), root.epoch) && bytes.is_some_and(is_right)
}

/// Whether it is the receipt of holder `number` for their share of this root.
pub fn is_receipt(receipt: &[u8; 32], number: u8, root: &RootCommitment) -> bool {
    let expected = usize::from(number).checked_sub(1).and_then(|place| root.shares.get(place));
    expected == Some(&commitment(&root.class, root.epoch, number, receipt))
}
