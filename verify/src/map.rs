//! The map of connections' states: a sparse Merkle tree over blinded names, of which a few hashes prove that a name has
//! a leaf, or none (docs/spec/freshness.md §3).
//!
//! A subtree without leaves is [`EMPTY`]; one with a single leaf is that leaf, however far up; else it is a [`node`] over
//! its halves, by the next bit of the names, the highest first. So a map of n names that nobody chose is about log2(n) high.

mod part;
#[cfg(test)]
mod tests;

pub use part::Part;

use crate::merkle::Digest;
use aws_lc_rs::digest::{Context, SHA256};
use wire::freshness::{MAX_SIBLINGS, MAX_STATE, StateProof};

/// Of no leaf at all. Nobody finds bytes whose SHA-256 this is.
pub const EMPTY: Digest = [0; 32];

/// A path that does not lead to the root, or contradicts itself. Always the host's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch;

/// `SHA-256(0x02 ‖ name ‖ state)`. The prefixes are others than those of the logs (RFC 6962 §2.1).
pub fn leaf(name: &Digest, state: &[u8]) -> Digest {
    hash(&[&[2], name, state])
}

/// `SHA-256(0x03 ‖ left ‖ right)`
pub fn node(left: &Digest, right: &Digest) -> Digest {
    hash(&[&[3], left, right])
}

/// What the map with this root has under `name`: the state's bytes, or `None` if it has nothing.
pub fn find<'p>(root: &Digest, name: &Digest, proof: &'p StateProof) -> Result<Option<&'p [u8]>, Mismatch> {
    let (found, end) = end(name, proof)?;
    if climb(name, 0, proof, end) == *root { Ok(found) } else { Err(Mismatch) }
}

/// The bit that decides at this depth.
fn goes_right(name: &Digest, depth: usize) -> bool {
    const BITS: [u8; 8] = [0x80, 0x40, 0x20, 0x10, 8, 4, 2, 1];
    let bit = BITS.get(depth % 8).copied().unwrap_or_default();
    name.get(depth / 8).is_some_and(|byte| byte & bit != 0)
}

/// What lies at the path's end: the state if it is the name's own, and its hash.
fn end<'p>(name: &Digest, proof: &'p StateProof) -> Result<(Option<&'p [u8]>, Digest), Mismatch> {
    let depth = proof.siblings.len();
    if depth > MAX_SIBLINGS {
        return Err(Mismatch);
    }
    let Some(there) = &proof.leaf else { return Ok((None, EMPTY)) };
    let below = (0..depth).all(|at| goes_right(&there.name.0, at) == goes_right(name, at));
    if !below || there.state.0.len() > MAX_STATE {
        return Err(Mismatch);
    }
    let state = (there.name.0 == *name).then_some(there.state.0.as_slice());
    Ok((state, leaf(&there.name.0, &there.state.0)))
}

/// The hash at depth `from` of the name's path, from its end upwards.
fn climb(name: &Digest, from: usize, proof: &StateProof, end: Digest) -> Digest {
    let siblings = proof.siblings.iter().enumerate().skip(from).rev();
    siblings.fold(end, |below, (depth, sibling)| {
        if goes_right(name, depth) { node(&sibling.0, &below) } else { node(&below, &sibling.0) }
    })
}

fn hash(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut out = [0; 32];
    out.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    out
}
