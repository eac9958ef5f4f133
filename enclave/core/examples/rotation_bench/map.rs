//! The host's map of many connections, and a head over it that the enclave goes on from: as after a restart.

use aws_lc_rs::{digest, hmac};
use verify::map::{EMPTY, leaf, node};
use wire::cose::Sign1;
use wire::evidence::Hash;
use wire::freshness::{ConnectionState, Found, Leaf, Lookup, StateProof};
use wire::reached::AllReached;
use wire::register::{Head, Kept};
use wire::rewrap::Bytes;
use wire::transcript::{Transcript, domain};
use wire::{BootId, Canonical, ConnectionId, RegisterId, UnixMillis};

/// Every connection in it is in its first generation, and has been used once.
pub struct Map {
    state: Vec<u8>,
    /// Ascending.
    names: Vec<[u8; 32]>,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy)]
struct Node {
    hash: [u8; 32],
    /// Places of the halves; of a leaf, or of nothing, none.
    halves: Option<[usize; 2]>,
}

impl Map {
    pub fn of(connections: impl Iterator<Item = ConnectionId>) -> Map {
        let last = Some(Hash([7; 32]));
        let state =
            ConnectionState { current: 1, pending: None, counter: 1, last, over: false, grants: Vec::new() }
                .to_bytes();
        let mut names: Vec<[u8; 32]> = connections.map(verify::register::name).collect();
        names.sort_unstable();
        let mut map = Map { state, nodes: Vec::with_capacity(names.len() * 3), names: Vec::new() };
        map.add(&names, 0);
        map.names = names;
        map
    }

    /// Adds the subtree over these names, which have the first `depth` bits in common: its place.
    fn add(&mut self, names: &[[u8; 32]], depth: usize) -> usize {
        let (hash, halves) = match names {
            [] => (EMPTY, None),
            [name] => (leaf(name, &self.state), None),
            names => {
                let (left, right) = names.split_at(names.partition_point(|name| !goes_right(name, depth)));
                let halves = [self.add(left, depth + 1), self.add(right, depth + 1)];
                (node(&self.nodes[halves[0]].hash, &self.nodes[halves[1]].hash), Some(halves))
            }
        };
        self.nodes.push(Node { hash, halves });
        self.nodes.len() - 1
    }

    pub fn find(&self, lookup: &Lookup) -> Found {
        Found { proofs: lookup.names.iter().map(|name| self.proof(&name.0)).collect() }
    }

    fn proof(&self, name: &[u8; 32]) -> StateProof {
        let (mut here, mut siblings) = (self.nodes.last().unwrap(), Vec::new());
        while let Some(halves) = here.halves {
            let is_right = goes_right(name, siblings.len());
            siblings.push(Hash(self.nodes[halves[usize::from(!is_right)]].hash));
            here = &self.nodes[halves[usize::from(is_right)]];
        }
        let is_there = self.names.binary_search(name).is_ok();
        let leaf = is_there.then(|| Leaf { name: Hash(*name), state: Bytes(self.state.clone()) });
        StateProof { siblings, leaf }
    }

    /// What an enclave with this root of the epoch left when it ended, without an entry in the register.
    pub fn kept(&self, epoch: u32, root: &[u8; 32]) -> Kept {
        let head = Head {
            version: 1,
            register: RegisterId([1; 16]),
            chapter: 1,
            counter: 1,
            size: 0,
            root: Hash(verify::merkle::Frontier::default().root()),
            epoch,
            boot: BootId([1; 16]),
            time: UnixMillis(1),
            previous: None,
            statement: None,
            line: 0,
            term: 1,
            map: Hash(self.nodes.last().unwrap().hash),
            oldest: 1,
            reached: None,
            group: None,
            closed_for: None,
        };
        let payload = head.to_bytes();
        let hash = digest::digest(&digest::SHA256, &payload);
        let seal = Transcript::new(domain::REGISTER_SEAL).number(epoch.into()).field(hash.as_ref()).bytes();
        let signed = Sign1 { protected: &[], payload: Some(&payload), signature: &[] };
        let (seal, reached) = (Hash(hkdf(root, seal)), AllReached::default());
        Kept { head: Bytes(signed.to_bytes()), seal, peaks: Vec::new(), reached }
    }
}

fn hkdf(root: &[u8; 32], mut info: Vec<u8>) -> [u8; 32] {
    let prk = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[]), root);
    info.push(1);
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, prk.as_ref()), &info).as_ref().try_into().unwrap()
}

fn goes_right(name: &[u8; 32], depth: usize) -> bool {
    name[depth / 8] >> (7 - depth % 8) & 1 == 1
}
