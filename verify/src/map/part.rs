//! The part of a map that some paths show, and what it becomes when leaves of it change.

use super::{Digest, EMPTY, Mismatch, climb, end, goes_right, leaf, node};
use core::mem::replace;
use wire::evidence::Hash;
use wire::freshness::StateProof;

/// Every path that was shown to it leads to one root. At most 256 levels high.
pub struct Part(Node);

enum Node {
    Empty,
    Leaf {
        name: Digest,
        hash: Digest,
    },
    Inner(Box<[Node; 2]>),
    /// What is below was not shown.
    Unseen(Digest),
}

impl Part {
    /// Of a map, nothing of which was shown yet.
    pub fn new(root: Digest) -> Part {
        Part(Node::unseen(root))
    }

    /// Takes the path to a name in: the state's bytes, or `None` if the map has nothing there.
    pub fn show<'p>(&mut self, name: &Digest, proof: &'p StateProof) -> Result<Option<&'p [u8]>, Mismatch> {
        let (state, hash) = end(name, proof)?;
        let (mut here, mut depth) = (&mut self.0, 0);
        while let Node::Inner(halves) = here {
            if depth >= proof.siblings.len() {
                return Err(Mismatch);
            }
            let [left, right] = &mut **halves;
            here = if goes_right(name, depth) { right } else { left };
            depth = depth.saturating_add(1);
        }
        if climb(name, depth, proof, hash) != here.hash() {
            return Err(Mismatch);
        }
        if let Node::Unseen(_) = here {
            let last = match &proof.leaf {
                Some(leaf) => Node::Leaf { name: leaf.name.0, hash },
                None => Node::Empty,
            };
            *here = Node::path(name, depth, proof, last);
        }
        Ok(state)
    }

    /// Gives a name a leaf. Its path was shown before.
    pub fn set(&mut self, name: &Digest, state: &[u8]) -> Result<(), Mismatch> {
        let (mut here, mut depth) = (&mut self.0, 0);
        while let Node::Inner(halves) = here {
            let [left, right] = &mut **halves;
            here = if goes_right(name, depth) { right } else { left };
            depth = depth.saturating_add(1);
        }
        let new = Node::Leaf { name: *name, hash: leaf(name, state) };
        match replace(here, Node::Empty) {
            Node::Empty => *here = new,
            Node::Leaf { name: there, .. } if there == *name => *here = new,
            Node::Leaf { name: there, hash } => {
                *here = Node::split(depth, (name, new), (&there, Node::Leaf { name: there, hash }));
            }
            unseen => {
                *here = unseen;
                return Err(Mismatch);
            }
        }
        Ok(())
    }

    /// The root, of the map as it is now.
    pub fn root(&self) -> Digest {
        self.0.hash()
    }
}

impl Node {
    fn unseen(hash: Digest) -> Node {
        if hash == EMPTY { Node::Empty } else { Node::Unseen(hash) }
    }

    fn hash(&self) -> Digest {
        match self {
            Node::Empty => EMPTY,
            Node::Leaf { hash, .. } | Node::Unseen(hash) => *hash,
            Node::Inner(halves) => {
                let [left, right] = &**halves;
                node(&left.hash(), &right.hash())
            }
        }
    }

    /// The path of a name from this depth down to its end.
    fn path(name: &Digest, from: usize, proof: &StateProof, end: Node) -> Node {
        let siblings = proof.siblings.iter().enumerate().skip(from).rev();
        siblings.fold(end, |below, (depth, Hash(sibling))| {
            Node::inner(goes_right(name, depth), below, Node::unseen(*sibling))
        })
    }

    /// Two leaves with different names, below a common path of this length.
    fn split(from: usize, one: (&Digest, Node), other: (&Digest, Node)) -> Node {
        let parts = (from..256).find(|depth| goes_right(one.0, *depth) != goes_right(other.0, *depth));
        let parts = parts.unwrap_or(from);
        let lowest = Node::inner(goes_right(one.0, parts), one.1, other.1);
        (from..parts)
            .rev()
            .fold(lowest, |below, depth| Node::inner(goes_right(one.0, depth), below, Node::Empty))
    }

    fn inner(is_right: bool, here: Node, beside: Node) -> Node {
        Node::Inner(Box::new(if is_right { [beside, here] } else { [here, beside] }))
    }
}

impl core::fmt::Debug for Part {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Part(..)")
    }
}
