//! Merkle trees (RFC 6962 §2.1, RFC 9162 §2.1.3): of client nonces, which one quote answers; of the register.

mod frontier;

use aws_lc_rs::digest::{Context, SHA256};
use wire::evidence::{Hash, Inclusion, MAX_PROOF};
use wire::register::MAX_PATH;

pub use frontier::{Frontier, audit_path};

/// What a client draws anew for each verification.
pub type Nonce = [u8; 32];
pub type Digest = [u8; 32];

/// One quote answers at most this many clients.
pub const MAX_LEAVES: usize = 1 << MAX_PROOF;

/// The tree over one batch of nonces, every level of it: memory is two hashes a nonce.
pub struct Tree {
    /// Level 0 are the leaves; the last has one node, the root. A last node without a sibling is carried up.
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// Builds the tree; `None` for no nonces or more than [`MAX_LEAVES`].
    pub fn new<'n>(nonces: impl IntoIterator<Item = &'n Nonce>) -> Option<Tree> {
        let mut level: Vec<Digest> =
            nonces.into_iter().take(MAX_LEAVES.saturating_add(1)).map(|nonce| leaf(nonce)).collect();
        if level.is_empty() || level.len() > MAX_LEAVES {
            return None;
        }
        let mut levels = Vec::new();
        while level.len() > 1 {
            let above = level
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => node(left, right),
                    [single, ..] => *single,
                    [] => Digest::default(),
                })
                .collect();
            levels.push(core::mem::replace(&mut level, above));
        }
        levels.push(level);
        Some(Tree { levels })
    }

    /// The Merkle tree hash.
    pub fn root(&self) -> Digest {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or_default()
    }

    /// The audit path of the nonce at `index`, bottom up.
    pub fn inclusion(&self, index: usize) -> Option<Inclusion> {
        let size = self.levels.first()?.len();
        if index >= size {
            return None;
        }
        let siblings = self.levels.iter().enumerate().filter_map(|(height, level)| {
            let position = index.checked_shr(u32::try_from(height).ok()?)?;
            level.get(position ^ 1).copied().map(Hash)
        });
        let path = siblings.collect();
        Some(Inclusion { index: u32::try_from(index).ok()?, size: u32::try_from(size).ok()?, path })
    }
}

/// The root that this proof leads to from the nonce; `None` if the proof does not have the shape that its index and
/// size demand (RFC 9162 §2.1.3.2).
pub fn root_of(nonce: &Nonce, inclusion: &Inclusion) -> Option<Digest> {
    let Inclusion { index, size, path } = inclusion;
    let is_bounded = usize::try_from(*size).is_ok_and(|size| size <= MAX_LEAVES) && path.len() <= MAX_PROOF;
    if index >= size || !is_bounded {
        return None;
    }
    climb(leaf(nonce), u64::from(*index), u64::from(*size), path)
}

/// The root that an audit path leads to from a leaf's hash, as [`root_of`] says.
pub fn climb(leaf: Digest, index: u64, size: u64, path: &[Hash]) -> Option<Digest> {
    if index >= size || path.len() > MAX_PATH {
        return None;
    }
    let (mut position, mut last) = (index, size.saturating_sub(1));
    let mut hash = leaf;
    for Hash(sibling) in path {
        if last == 0 {
            return None;
        }
        if position & 1 == 1 || position == last {
            hash = node(sibling, &hash);
            // A last node without a sibling was carried up unchanged: skip those levels.
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// The hash of a leaf.
pub fn leaf(content: &[u8]) -> Digest {
    hash(&[&[0x00], content])
}

/// The hash of an inner node.
pub fn node(left: &Digest, right: &Digest) -> Digest {
    hash(&[&[0x01], left, right])
}

fn hash(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut out = Digest::default();
    out.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nonces(count: usize) -> Vec<Nonce> {
        (0..count).map(|at| hash(&[&at.to_be_bytes()])).collect()
    }

    /// MTH of RFC 6962 §2.1, as it is defined: recursively, split at the largest power of two below the size.
    fn tree_hash(leaves: &[Nonce]) -> Digest {
        match leaves {
            [only] => leaf(only),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node(&tree_hash(left), &tree_hash(right))
            }
        }
    }

    #[test]
    fn the_root_is_the_tree_hash_of_rfc_6962_and_every_proof_leads_to_it() {
        for count in 1..=70 {
            let nonces = nonces(count);
            let tree = Tree::new(&nonces).unwrap();
            assert_eq!(tree.root(), tree_hash(&nonces), "{count} leaves");
            for (index, nonce) in nonces.iter().enumerate() {
                let inclusion = tree.inclusion(index).unwrap();
                assert_eq!(root_of(nonce, &inclusion), Some(tree.root()), "leaf {index} of {count}");
            }
            assert!(tree.inclusion(count).is_none());
        }
    }

    #[test]
    fn a_batch_of_one_is_its_leaf() {
        let inclusion = Inclusion { index: 0, size: 1, path: Vec::new() };
        assert_eq!(root_of(&[7; 32], &inclusion), Some(leaf(&[7; 32])));
    }

    #[test]
    fn no_or_too_many_nonces_make_no_tree() {
        assert!(Tree::new(&[]).is_none());
        assert!(Tree::new(std::iter::repeat_n(&[0; 32], MAX_LEAVES + 1)).is_none());
        let tree = Tree::new(std::iter::repeat_n(&[0; 32], MAX_LEAVES)).unwrap();
        assert_eq!(tree.inclusion(MAX_LEAVES - 1).unwrap().path.len(), MAX_PROOF);
    }

    #[test]
    fn m06_a_proof_of_another_shape_is_refused() {
        let nonces = nonces(13);
        let tree = Tree::new(&nonces).unwrap();
        let good = tree.inclusion(5).unwrap();
        let altered = |change: fn(&mut Inclusion)| {
            let mut altered = good.clone();
            change(&mut altered);
            root_of(&nonces[5], &altered)
        };
        assert_eq!(altered(|p| p.index = 13), None);
        assert_eq!(altered(|p| p.size = 0), None);
        assert_eq!(altered(|p| p.size = u32::MAX), None);
        assert_eq!(altered(|p| p.path.truncate(p.path.len() - 1)), None);
        assert_eq!(altered(|p| p.path.push(Hash([0; 32]))), None);
        assert_eq!(altered(|p| p.path = vec![Hash([0; 32]); 1000]), None);
        for other in
            [altered(|p| p.index = 4), altered(|p| p.path[0].0[0] ^= 1), altered(|p| p.path.swap(0, 1))]
        {
            assert_ne!(other, Some(tree.root()));
        }
        assert_ne!(root_of(&nonces[6], &good), Some(tree.root()), "another client's nonce");
    }

    proptest! {
        #[test]
        fn no_proof_makes_the_check_panic(
            index in any::<u32>(),
            size in any::<u32>(),
            path in proptest::collection::vec(any::<[u8; 32]>(), 0..20),
        ) {
            let path = path.into_iter().map(Hash).collect();
            let _ = root_of(&[1; 32], &Inclusion { index, size, path });
        }
    }
}
