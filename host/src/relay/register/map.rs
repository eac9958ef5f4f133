//! The map of connections' states, with every hash in memory: some 170 bytes a connection (docs/spec/freshness.md §3).
//!
//! Written apart from what the enclave checks it with.

use aws_lc_rs::digest::{Context, SHA256};
use wire::evidence::Hash;
use wire::freshness::{Leaf, StateProof};
use wire::rewrap::Bytes;

type Digest = [u8; 32];

#[derive(Debug, Default)]
pub struct Map {
    root: Child,
    inner: Vec<Inner>,
    leaves: Vec<Kept>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Child {
    #[default]
    Empty,
    Leaf(u32),
    Inner(u32),
}

#[derive(Debug)]
struct Inner {
    hash: Digest,
    halves: [Child; 2],
}

#[derive(Debug)]
struct Kept {
    name: Digest,
    state: Box<[u8]>,
}

impl Map {
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Gives names their states. `None`: more than 2^32 − 1 connections.
    pub fn set_all<'l>(&mut self, leaves: impl IntoIterator<Item = (&'l Digest, &'l [u8])>) -> Option<()> {
        for (name, state) in leaves {
            self.set(name, state)?;
        }
        self.rehash(self.root);
        Some(())
    }

    /// What there is under a name, and the path to it.
    pub fn proof(&self, name: &Digest) -> StateProof {
        let (mut here, mut siblings) = (self.root, Vec::new());
        while let Some(inner) = self.inner(here) {
            let [left, right] = inner.halves;
            let is_right = goes_right(name, siblings.len());
            let (next, beside) = if is_right { (right, left) } else { (left, right) };
            siblings.push(Hash(self.hash(beside)));
            here = next;
        }
        let leaf = self
            .leaf(here)
            .map(|kept| Leaf { name: Hash(kept.name), state: Bytes(kept.state.clone().into_vec()) });
        StateProof { siblings, leaf }
    }

    /// What its heads say.
    #[cfg(test)]
    pub fn root(&self) -> Digest {
        self.hash(self.root)
    }

    /// Hashes on the way are stale afterwards, and marked so by zeros.
    fn set(&mut self, name: &Digest, state: &[u8]) -> Option<()> {
        let (mut above, mut here, mut depth) = (None, self.root, 0);
        while let Child::Inner(at) = here {
            let side = usize::from(goes_right(name, depth));
            let inner = self.inner.get_mut(at as usize)?;
            inner.hash = [0; 32];
            (above, here, depth) = (Some((at, side)), inner.halves[side], depth + 1);
        }
        let new = match here {
            Child::Leaf(at) => {
                let there = self.leaves.get_mut(at as usize)?;
                if there.name == *name {
                    there.state = state.into();
                    return Some(());
                }
                let other = there.name;
                let added = self.add(name, state)?;
                self.split((name, added), (&other, here), depth)?
            }
            _ => self.add(name, state)?,
        };
        match above {
            None => self.root = new,
            Some((at, side)) => self.inner.get_mut(at as usize)?.halves[side] = new,
        }
        Some(())
    }

    fn add(&mut self, name: &Digest, state: &[u8]) -> Option<Child> {
        let at = u32::try_from(self.leaves.len()).ok()?;
        self.leaves.push(Kept { name: *name, state: state.into() });
        Some(Child::Leaf(at))
    }

    /// Two leaves that have the first `depth` bits in common, and perhaps more.
    fn split(&mut self, one: (&Digest, Child), other: (&Digest, Child), depth: usize) -> Option<Child> {
        let is_right = goes_right(one.0, depth);
        let halves = if is_right == goes_right(other.0, depth) {
            let below = self.split(one, other, depth + 1)?;
            if is_right { [Child::Empty, below] } else { [below, Child::Empty] }
        } else if is_right {
            [other.1, one.1]
        } else {
            [one.1, other.1]
        };
        let at = u32::try_from(self.inner.len()).ok()?;
        self.inner.push(Inner { hash: [0; 32], halves });
        Some(Child::Inner(at))
    }

    /// Hashes what is stale, from below; no deeper than a name has bits.
    fn rehash(&mut self, here: Child) -> Digest {
        let Child::Inner(at) = here else { return self.hash(here) };
        let Some(Inner { hash, halves: [left, right] }) = self.inner.get(at as usize) else { return [0; 32] };
        if *hash != [0; 32] {
            return *hash;
        }
        let (left, right) = (*left, *right);
        let hash = sha256(&[&[3], &self.rehash(left), &self.rehash(right)]);
        if let Some(inner) = self.inner.get_mut(at as usize) {
            inner.hash = hash;
        }
        hash
    }

    fn hash(&self, child: Child) -> Digest {
        match (self.inner(child), self.leaf(child)) {
            (Some(inner), _) => inner.hash,
            (_, Some(leaf)) => sha256(&[&[2], &leaf.name, &leaf.state]),
            _ => [0; 32],
        }
    }

    fn inner(&self, child: Child) -> Option<&Inner> {
        if let Child::Inner(at) = child { self.inner.get(at as usize) } else { None }
    }

    fn leaf(&self, child: Child) -> Option<&Kept> {
        if let Child::Leaf(at) = child { self.leaves.get(at as usize) } else { None }
    }
}

/// The bit that decides at this depth, the highest of the first byte first. Names of 256 bits part before they end.
fn goes_right(name: &Digest, depth: usize) -> bool {
    name.get(depth / 8).is_some_and(|byte| byte >> (7 - depth % 8) & 1 == 1)
}

fn sha256(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: u32) -> Digest {
        // Beginnings that are shared for long: the first bytes count last.
        let mut name = [0; 32];
        name[..4].copy_from_slice(&(number % 3).to_be_bytes());
        name[20..24].copy_from_slice(&number.to_be_bytes());
        name
    }

    /// By the definition, from all leaves.
    fn root_of(leaves: &[(Digest, Vec<u8>)], depth: usize) -> Digest {
        match leaves {
            [] => [0; 32],
            [(name, state)] => sha256(&[&[2], name, state]),
            leaves => {
                let (right, left): (Vec<_>, Vec<_>) =
                    leaves.iter().cloned().partition(|(name, _)| goes_right(name, depth));
                sha256(&[&[3], &root_of(&left, depth + 1), &root_of(&right, depth + 1)])
            }
        }
    }

    fn climbs_to(name: &Digest, proof: &StateProof) -> Digest {
        let end = proof.leaf.as_ref().map_or([0; 32], |leaf| sha256(&[&[2], &leaf.name.0, &leaf.state.0]));
        proof.siblings.iter().enumerate().rev().fold(end, |below, (depth, sibling)| {
            if goes_right(name, depth) {
                sha256(&[&[3], &sibling.0, &below])
            } else {
                sha256(&[&[3], &below, &sibling.0])
            }
        })
    }

    #[test]
    fn the_root_is_the_definitions_whatever_the_order_and_the_number_of_steps() {
        let mut leaves: Vec<(Digest, Vec<u8>)> = (0..60).map(|n| (name(n), vec![n as u8; 3])).collect();
        let mut map = Map::default();
        for chunk in leaves.chunks(7) {
            map.set_all(chunk.iter().map(|(name, state)| (name, state.as_slice()))).unwrap();
        }
        assert_eq!(map.root(), root_of(&leaves, 0));
        for at in [0, 17, 59] {
            leaves[at].1 = vec![0xff; at];
            map.set_all([(&leaves[at].0, leaves[at].1.as_slice())]).unwrap();
            assert_eq!(map.root(), root_of(&leaves, 0));
        }
        leaves.reverse();
        let mut other = Map::default();
        other.set_all(leaves.iter().map(|(name, state)| (name, state.as_slice()))).unwrap();
        assert_eq!((other.root(), other.len()), (map.root(), 60));
    }

    #[test]
    fn every_name_has_a_path_to_the_root_whether_it_is_there_or_not() {
        let mut map = Map::default();
        assert_eq!(climbs_to(&name(1), &map.proof(&name(1))), map.root());
        for n in 0..40 {
            map.set_all([(&name(n), &[n as u8][..])]).unwrap();
            for probe in 0..60 {
                let proof = map.proof(&name(probe));
                assert_eq!(climbs_to(&name(probe), &proof), map.root());
                let is_there = proof.leaf.is_some_and(|leaf| leaf.name.0 == name(probe));
                assert_eq!(is_there, probe <= n, "{probe} of {n}");
            }
        }
    }
}
