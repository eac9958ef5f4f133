//! The host's half of freshness, honest unless told otherwise: the map by its definition, what it kept, and its witnesses.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::collections::BTreeMap;
use verify::manifest::key_name;
use verify::map::{EMPTY, leaf, node};
use verify::witness::{Rules, to_be_signed};
use wire::Canonical;
use wire::cose::{EDDSA, Protected, Sign1};
use wire::evidence::Hash;
use wire::frame::Kind;
use wire::freshness::{
    Commit, Committed, Found, Leaf, Lookup, StateProof, Taken, Witnessed, group_transcript,
};
use wire::manifest::{Replaced, Signer, Signers, SigningKey};
use wire::owner::OwnerAlgorithm;
use wire::register::{Head, Kept};
use wire::rewrap::Bytes;
use wire::witness::{Advance, Answer, Take};

const DEPLOYMENT: Hash = Hash([0xd0; 32]);

/// One witness: the rules that all of them run, and a key.
#[derive(Clone)]
pub struct Witness {
    seed: [u8; 32],
    pub rules: Rules,
    pub is_awake: bool,
}

/// What a host keeps and does.
#[derive(Clone, Default)]
pub struct Keeper {
    pub leaves: BTreeMap<[u8; 32], Vec<u8>>,
    pub kept: Option<Vec<u8>>,
    /// Payloads of the heads before the kept one, the latest first.
    pub links: Vec<Bytes>,
    pub witnesses: Vec<Witness>,
    pub threshold: u8,
    /// Who of them the manifests named, one after another, and how many of those it takes; empty: all, and the threshold.
    pub generations: Vec<(u8, Vec<usize>)>,
    /// How often it keeps something, or asks a witness, before it is killed; absent: for good.
    pub left: Option<usize>,
    /// Every commit that came and that nobody has looked at.
    pub commits: Vec<Commit>,
    /// What it does not do.
    pub is_silent: bool,
    /// Frames that were not answered, in order.
    pub unanswered: Vec<(Kind, u32, Vec<u8>)>,
}

impl Witness {
    pub fn new(number: u8) -> Witness {
        Witness { seed: [number; 32], rules: Rules::default(), is_awake: true }
    }

    fn key(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&self.seed).unwrap()
    }

    pub fn public(&self) -> SigningKey {
        let public = self.key().public_key().as_ref().to_vec();
        SigningKey { algorithm: OwnerAlgorithm::EdDsa, public }
    }

    /// Signs whatever it is told to: what no witness does.
    pub fn sign(&self, answer: &Answer) -> Bytes {
        let payload = answer.to_bytes();
        let protected = Protected { algorithm: EDDSA, key: key_name(&self.public()) }.to_bytes();
        let signature = self.key().sign(&to_be_signed(&protected, &payload));
        let signed = Sign1 { protected: &protected, payload: Some(&payload), signature: signature.as_ref() };
        Bytes(signed.to_bytes())
    }

    pub fn take(&mut self, take: &Take) -> Option<Bytes> {
        let told = self.rules.take(take).filter(|_| self.is_awake)?;
        Some(self.sign(&told.answer))
    }

    pub fn advance(&mut self, advance: &Advance) -> Option<Bytes> {
        let told = self.rules.advance(advance).filter(|_| self.is_awake)?;
        Some(self.sign(&told.answer))
    }
}

impl Keeper {
    /// With nothing kept yet; `threshold` of these many witnesses.
    pub fn new(threshold: u8, witnesses: u8) -> Keeper {
        Keeper { threshold, witnesses: (1..=witnesses).map(Witness::new).collect(), ..Keeper::default() }
    }

    /// As the enclave is told of them.
    pub fn witnessed(&self) -> Option<Witnessed> {
        let all = (self.threshold, (0..self.witnesses.len()).collect());
        let named = self.generations.last().unwrap_or(&all);
        let replaced = self.generations.len().checked_sub(2).map(|before| Replaced {
            generation: u16::try_from(before + 1).unwrap(),
            former: self.signers(&self.generations[before]),
        });
        let witnesses = self.signers(named);
        (self.threshold > 0).then_some(Witnessed { deployment: DEPLOYMENT, witnesses, replaced })
    }

    fn signers(&self, (threshold, members): &(u8, Vec<usize>)) -> Signers {
        let signer =
            |at: &usize| Signer { alias: format!("witness-{at}"), key: self.witnesses[*at].public() };
        Signers { threshold: *threshold, members: members.iter().map(signer).collect() }
    }

    /// What the witnesses of a generation are asked for.
    pub fn group(&self, generation: u16) -> Hash {
        let sha256 = |bytes: &[u8]| Hash(digest(&SHA256, bytes).as_ref().try_into().unwrap());
        let signers = self.signers(&self.generations[usize::from(generation)]).to_bytes();
        match generation {
            0 => DEPLOYMENT,
            _ => sha256(&group_transcript(&DEPLOYMENT, generation, &sha256(&signers))),
        }
    }

    /// Whether it still lives to do one thing more.
    fn lives(&mut self) -> bool {
        match &mut self.left {
            None => true,
            Some(left) => {
                self.is_silent |= *left == 0;
                *left = left.saturating_sub(1);
                !self.is_silent
            }
        }
    }

    fn ask(&mut self, ask: impl Fn(&mut Witness) -> Option<Bytes>) -> Vec<Bytes> {
        let number = self.witnesses.len();
        (0..number).filter_map(|at| if self.lives() { ask(&mut self.witnesses[at]) } else { None }).collect()
    }

    /// The same, with witnesses who remember nothing: all of them collude.
    pub fn with_colluding_witnesses(&self) -> Keeper {
        let mut keeper = self.clone();
        keeper.witnesses.iter_mut().for_each(|witness| witness.rules = Rules::default());
        keeper
    }

    /// What this host says to a frame of the enclave's.
    pub fn answer(&mut self, kind: Kind, stream: u32, body: &[u8]) -> Vec<(Kind, u32, Vec<u8>)> {
        if self.is_silent {
            self.unanswered.push((kind, stream, body.to_vec()));
            return Vec::new();
        }
        match kind {
            Kind::Take => {
                let taken = self.take(&Take::from_bytes(body).unwrap());
                self.unless_dead((Kind::Taken, 0, taken.to_bytes()))
            }
            Kind::Lookup => {
                let lookup = Lookup::from_bytes(body).unwrap();
                vec![(Kind::Found, stream, self.find(&lookup.names).to_bytes())]
            }
            Kind::Commit => {
                let commit = Commit::from_bytes(body).unwrap();
                if !self.lives() {
                    return Vec::new();
                }
                let advance = self.store(&commit);
                let committed = self.witness(&advance);
                self.unless_dead((Kind::Committed, 0, committed.to_bytes()))
            }
            _ => Vec::new(),
        }
    }

    fn unless_dead(&self, frame: (Kind, u32, Vec<u8>)) -> Vec<(Kind, u32, Vec<u8>)> {
        if self.is_silent { Vec::new() } else { vec![frame] }
    }

    pub fn take(&mut self, take: &Take) -> Taken {
        Taken {
            line: take.line,
            term: take.term,
            answers: self.ask(|witness| witness.take(take)),
            kept: self.kept.clone().map(Bytes),
            links: self.links.clone(),
        }
    }

    /// Makes a commit durable; what witnesses are asked then.
    pub fn store(&mut self, commit: &Commit) -> Advance {
        for Leaf { name, state } in &commit.leaves {
            self.leaves.insert(name.0, state.0.clone());
        }
        if let Some(kept) = self.kept.replace(commit.kept.clone()).filter(|kept| *kept != commit.kept) {
            self.links.insert(0, Bytes(payload(&kept)));
        }
        self.commits.push(commit.clone());
        Advance::from_bytes(&commit.advance.0).unwrap()
    }

    pub fn witness(&mut self, advance: &Advance) -> Committed {
        Committed {
            line: advance.line,
            term: advance.term,
            counter: advance.counter,
            answers: self.ask(|witness| witness.advance(advance)),
        }
    }

    pub fn find(&self, names: &[Hash]) -> Found {
        let tree = Tree::over(&self.leaves.iter().collect::<Vec<_>>(), 0);
        Found { proofs: names.iter().map(|name| self.proof(&tree, &name.0)).collect() }
    }

    fn proof(&self, tree: &Tree, name: &[u8; 32]) -> StateProof {
        let (mut here, mut siblings) = (tree, Vec::new());
        while let Tree::Inner(_, halves) = here {
            let is_right = bit(name, siblings.len());
            siblings.push(Hash(halves[usize::from(!is_right)].hash()));
            here = &halves[usize::from(is_right)];
        }
        let leaf = match here {
            Tree::Leaf(_, name) => Some(Leaf { name: Hash(*name), state: Bytes(self.leaves[name].clone()) }),
            _ => None,
        };
        StateProof { siblings, leaf }
    }

    pub fn root(&self) -> [u8; 32] {
        Tree::over(&self.leaves.iter().collect::<Vec<_>>(), 0).hash()
    }

    pub fn head(&self) -> Head {
        Head::from_bytes(&payload(self.kept.as_ref().unwrap())).unwrap()
    }
}

/// The head that is signed in what is kept.
pub fn payload(kept: &[u8]) -> Vec<u8> {
    let kept = Kept::from_bytes(kept).unwrap();
    Sign1::from_bytes(&kept.head.0).unwrap().payload.unwrap().to_vec()
}

/// The map by its definition: a subtree is the leaves whose names begin with a path.
enum Tree {
    Empty,
    Leaf([u8; 32], [u8; 32]),
    Inner([u8; 32], Box<[Tree; 2]>),
}

impl Tree {
    /// Over leaves that ascend by name and have the first `depth` bits in common.
    fn over(leaves: &[(&[u8; 32], &Vec<u8>)], depth: usize) -> Tree {
        match leaves {
            [] => Tree::Empty,
            [(name, state)] => Tree::Leaf(leaf(name, state), **name),
            leaves => {
                let (left, right) = leaves.split_at(leaves.partition_point(|(name, _)| !bit(name, depth)));
                let halves = [Tree::over(left, depth + 1), Tree::over(right, depth + 1)];
                Tree::Inner(node(&halves[0].hash(), &halves[1].hash()), Box::new(halves))
            }
        }
    }

    fn hash(&self) -> [u8; 32] {
        match self {
            Tree::Empty => EMPTY,
            Tree::Leaf(hash, _) | Tree::Inner(hash, _) => *hash,
        }
    }
}

fn bit(name: &[u8; 32], depth: usize) -> bool {
    name[depth / 8] >> (7 - depth % 8) & 1 == 1
}
