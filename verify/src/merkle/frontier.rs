//! An RFC 6962 tree that only grows, in a few hashes: appended to without its leaves.

use super::{Digest, hash, node};
use wire::evidence::Hash;

/// The roots of the whole trees that the leaves make up, the largest first: one for each bit of the size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The tree that these peaks are of, as somebody kept them; `None` if they are not as many as the size has bits.
    /// That they are the right ones shows in the root.
    pub fn from_peaks(size: u64, peaks: &[Hash]) -> Option<Frontier> {
        let peaks: Vec<Digest> = peaks.iter().map(|peak| peak.0).collect();
        (u32::try_from(peaks.len()) == Ok(size.count_ones())).then_some(Frontier { size, peaks })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn peaks(&self) -> Vec<Hash> {
        self.peaks.iter().copied().map(Hash).collect()
    }

    /// Appends a leaf by its hash. A tree of 2^64 − 1 leaves takes no more.
    pub fn push(&mut self, leaf: Digest) {
        let Some(size) = self.size.checked_add(1) else { return };
        let mut grown = leaf;
        // As many whole trees end here as the new size has zeros at its end.
        for _ in 0..size.trailing_zeros() {
            if let Some(left) = self.peaks.pop() {
                grown = node(&left, &grown);
            }
        }
        self.peaks.push(grown);
        self.size = size;
    }

    /// The Merkle tree hash; of no leaves, the hash of nothing (RFC 6962 §2.1).
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return hash(&[]) };
        peaks.fold(*last, |right, left| node(left, &right))
    }
}

/// The audit path of the leaf at `index`, bottom up (RFC 6962 §2.1.1). Reads every leaf once.
pub fn audit_path(leaves: &[Digest], index: usize) -> Option<Vec<Hash>> {
    leaves.get(index)?;
    let (mut leaves, mut index, mut path) = (leaves, index, Vec::new());
    while leaves.len() > 1 {
        let (left, right) = leaves.split_at_checked(leaves.len().next_power_of_two() >> 1)?;
        let sibling = match index.checked_sub(left.len()) {
            Some(within) => {
                (leaves, index) = (right, within);
                left
            }
            None => {
                leaves = left;
                right
            }
        };
        path.push(Hash(root(sibling)));
    }
    path.reverse();
    Some(path)
}

fn root(leaves: &[Digest]) -> Digest {
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.push(*leaf));
    frontier.root()
}

#[cfg(test)]
mod tests {
    use super::super::{Nonce, Tree, climb, leaf};
    use super::*;

    fn nonces(count: usize) -> Vec<Nonce> {
        (0..count).map(|at| hash(&[&at.to_be_bytes()])).collect()
    }

    #[test]
    fn a_tree_that_grows_has_the_root_of_the_whole_tree_at_every_size() {
        let all = nonces(200);
        let mut frontier = Frontier::default();
        assert_eq!(frontier.root(), hash(&[]));
        for (size, nonce) in (1..).zip(&all) {
            frontier.push(leaf(nonce));
            assert_eq!(frontier.root(), Tree::new(&all[..size]).unwrap().root(), "{size} leaves");
            let kept = Frontier::from_peaks(frontier.size(), &frontier.peaks()).unwrap();
            assert_eq!(kept, frontier);
            assert!(frontier.peaks().len() <= 8, "a few hashes, whatever the size");
        }
        assert_eq!(Frontier::from_peaks(200, &[]), None);
        assert_eq!(Frontier::from_peaks(0, &[Hash([0; 32])]), None);
    }

    #[test]
    fn every_audit_path_leads_to_the_root() {
        for count in 1..40 {
            let all = nonces(count);
            let leaves: Vec<Digest> = all.iter().map(|nonce| leaf(nonce)).collect();
            let tree = Tree::new(&all).unwrap();
            for index in 0..count {
                let path = audit_path(&leaves, index).unwrap();
                assert_eq!(path, tree.inclusion(index).unwrap().path, "leaf {index} of {count}");
                assert_eq!(climb(leaves[index], index as u64, count as u64, &path), Some(tree.root()));
            }
            assert_eq!(audit_path(&leaves, count), None);
        }
    }
}
