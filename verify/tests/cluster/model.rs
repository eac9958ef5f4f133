//! A cluster: the real rules of witnesses and the real counting of their words, enclaves of a few lines, and a host that
//! keeps every message and every head, and loses none of them but by will.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::collections::{HashMap, HashSet};
use verify::manifest::key_name;
use verify::witness::{Cosignatures, Heard, Promises, Rules, Witnesses, to_be_signed};
use wire::cose::{EDDSA, Protected, Sign1};
use wire::evidence::Hash;
use wire::manifest::{Signer, Signers, SigningKey};
use wire::owner::OwnerAlgorithm;
use wire::witness::{Accepted, Advance, Answer, Memory, Take};
use wire::{BootId, Canonical};

const DEPLOYMENT: Hash = Hash([0xd0; 32]);

/// A state of the line, as an enclave signed it. Nobody but an enclave can make one.
#[derive(Clone, Debug)]
struct Head {
    term: u64,
    counter: u64,
    previous: Option<[u8; 32]>,
}

/// A witness: what it remembers, what is on its disk, and whether it runs.
struct Witness {
    pair: Ed25519KeyPair,
    rules: Rules,
    disk: Memory,
}

#[derive(Clone, Debug)]
enum Ask {
    Take(Take),
    Advance(Advance),
}

/// Everything that was ever on the wire. A hostile host gives it to whom it likes, as often as it likes.
#[derive(Clone, Debug)]
enum Message {
    Ask(Ask),
    Answer(Vec<u8>),
}

/// One start of an enclave.
struct Enclave {
    boot: BootId,
    /// The highest term that a refusal named.
    heard_of: u64,
    phase: Phase,
}

enum Phase {
    Started,
    /// Asks for a term; with enough promises it waits for the head that they name.
    Taking(Promises),
    /// Has the term, and builds on this head.
    Holding {
        term: u64,
        tip: Option<[u8; 32]>,
        counter: u64,
        /// The head under way.
        commit: Option<Cosignatures>,
    },
}

/// What must never be, and was.
#[derive(Debug, PartialEq, Eq)]
pub enum Broken {
    /// Two results were released that are not on one line.
    Forked,
    /// A result was released that an enclave with a later term knows nothing of.
    Lost,
}

pub struct Cluster {
    members: Witnesses,
    witnesses: Vec<Witness>,
    enclaves: Vec<Enclave>,
    wire: Vec<Message>,
    /// What the host keeps: every head, in the order in which they were made.
    heads: Vec<[u8; 32]>,
    by_hash: HashMap<[u8; 32], Head>,
    released: HashSet<[u8; 32]>,
    pub commits: u32,
    pub takeovers: u32,
}

/// Which of the witnesses a message reaches, by bit.
pub type Reached = u8;

impl Cluster {
    pub fn new(number: u8, threshold: u8) -> Cluster {
        let witnesses: Vec<Witness> = (0..number).map(Witness::new).collect();
        let member =
            |(at, witness): (usize, &Witness)| Signer { alias: format!("w{at}"), key: witness.key() };
        let members = witnesses.iter().enumerate().map(member).collect();
        let members = Witnesses::new(&Signers { threshold, members }).expect("a majority");
        Cluster {
            members,
            witnesses,
            enclaves: Vec::new(),
            wire: Vec::new(),
            heads: Vec::new(),
            by_hash: HashMap::new(),
            released: HashSet::new(),
            commits: 0,
            takeovers: 0,
        }
    }

    pub fn boot(&mut self) -> usize {
        let number = u8::try_from(self.enclaves.len()).expect("few enclaves");
        self.enclaves.push(Enclave { boot: BootId([number; 16]), heard_of: 0, phase: Phase::Started });
        self.enclaves.len() - 1
    }

    pub fn enclaves(&self) -> usize {
        self.enclaves.len()
    }

    /// The enclave asks for the next term that it can hope for; the ask reaches some, and of their answers some come back.
    pub fn take(&mut self, enclave: usize, there: Reached, back: Reached) -> Result<(), Broken> {
        let one = &mut self.enclaves[enclave];
        let term = one.heard_of + 1;
        one.heard_of = term;
        let take = Take { deployment: DEPLOYMENT, line: 0, term, boot: one.boot, nonce: Hash([7; 32]) };
        one.phase = Phase::Taking(Promises::new(take));
        self.ask(enclave, Ask::Take(take), there, back)
    }

    /// The host shows a head that it keeps, counted from the newest: the enclave goes on from it if that is the one that
    /// its promises name, or one that goes on from it.
    pub fn show(&mut self, enclave: usize, from_newest: usize) -> Result<(), Broken> {
        let Phase::Taking(promises) = &self.enclaves[enclave].phase else { return Ok(()) };
        let Some(Ok(term)) = promises.term(&self.members) else { return Ok(()) };
        let place = self.heads.len().checked_sub(1 + from_newest % self.heads.len().max(1));
        let shown = place.and_then(|place| self.heads.get(place)).copied();
        let goes_on = match (term.from(), shown) {
            (None, _) => true,
            (Some(named), Some(shown)) => self.line(shown).any(|hash| self.is(hash, &named)),
            (Some(_), None) => false,
        };
        if !goes_on {
            return Ok(());
        }
        let term = term.take().term;
        let counter = shown.map_or(0, |shown| self.by_hash[&shown].counter);
        self.enclaves[enclave].phase = Phase::Holding { term, tip: shown, counter, commit: None };
        self.takeovers += 1;
        self.check_nothing_is_lost()
    }

    /// The enclave makes a head on top of its last one, which waits for no one: that one may never have been committed.
    pub fn advance(&mut self, enclave: usize, there: Reached, back: Reached) -> Result<(), Broken> {
        let Enclave { boot, phase: Phase::Holding { term, tip, counter, commit }, .. } =
            &mut self.enclaves[enclave]
        else {
            return Ok(());
        };
        *counter += 1;
        let head = Head { term: *term, counter: *counter, previous: *tip };
        let hash = head.hash(*boot);
        let advance = Advance {
            deployment: DEPLOYMENT,
            line: 0,
            term: *term,
            boot: *boot,
            counter: *counter,
            head: Hash(hash),
        };
        *tip = Some(hash);
        *commit = Some(Cosignatures::new(advance));
        self.heads.push(hash);
        self.by_hash.insert(hash, head);
        self.ask(enclave, Ask::Advance(advance), there, back)
    }

    /// Asks once more for what is under way.
    pub fn again(&mut self, enclave: usize, there: Reached, back: Reached) -> Result<(), Broken> {
        let ask = match &self.enclaves[enclave].phase {
            Phase::Holding { commit: Some(commit), .. } => Ask::Advance(*commit.advance()),
            Phase::Taking(promises) => Ask::Take(*promises.take()),
            _ => return Ok(()),
        };
        self.ask(enclave, ask, there, back)
    }

    /// The host delivers any message that ever was, to anyone.
    pub fn replay(&mut self, message: usize, to: usize) -> Result<(), Broken> {
        let Some(place) = self.wire.len().checked_sub(1 + message % self.wire.len().max(1)) else {
            return Ok(());
        };
        match self.wire[place].clone() {
            Message::Ask(ask) => {
                let witness = to % self.witnesses.len();
                self.deliver(witness, &ask);
                Ok(())
            }
            Message::Answer(answer) if !self.enclaves.is_empty() => {
                self.hear(to % self.enclaves.len(), &answer)
            }
            Message::Answer(_) => Ok(()),
        }
    }

    /// The host asks a witness itself, in an enclave's name: witnesses know no enclave from a host. It has no head but
    /// those that enclaves made, and any hash.
    pub fn forge(&mut self, witness: usize, enclave: usize, leap: u64, head: Option<usize>) {
        let Some(boot) = self.enclaves.get(enclave).map(|enclave| enclave.boot) else { return };
        let witness = witness % self.witnesses.len();
        let line = self.witnesses[witness].disk.lines.first().copied();
        let ask = match (head, line) {
            (Some(head), Some(line)) => {
                let known = self.heads.get(head).copied().unwrap_or([0xff; 32]);
                let counter = line.accepted.map_or(0, |accepted| accepted.counter) + leap;
                let (term, boot) = (line.term, line.boot);
                Ask::Advance(Advance {
                    deployment: DEPLOYMENT,
                    line: 0,
                    term,
                    boot,
                    counter,
                    head: Hash(known),
                })
            }
            (_, line) => {
                let term = line.map_or(0, |line| line.term) + leap;
                Ask::Take(Take { deployment: DEPLOYMENT, line: 0, term, boot, nonce: Hash([8; 32]) })
            }
        };
        self.wire.push(Message::Ask(ask.clone()));
        self.deliver(witness, &ask);
    }

    /// It forgets all but what is on its disk.
    pub fn crash(&mut self, witness: usize) {
        let number = self.witnesses.len();
        let witness = &mut self.witnesses[witness % number];
        witness.rules = Rules::remember(&witness.disk).expect("it wrote it itself");
    }

    /// Takes the line, or not, as far as the first of `reach` lets it, and makes heads, one for each other.
    pub fn reign(
        &mut self,
        enclave: usize,
        oldest_first: bool,
        reach: &[(Reached, Reached)],
    ) -> Result<(), Broken> {
        let Some(((there, back), heads)) = reach.split_first() else { return Ok(()) };
        for _ in 0..2 {
            if !self.has_promises(enclave) {
                self.take(enclave, *there, *back)?;
            }
        }
        let kept = self.heads.len().max(1);
        let place = |at| if oldest_first { kept - 1 - at } else { at };
        (0..kept).try_for_each(|at| self.show(enclave, place(at)))?;
        heads.iter().try_for_each(|(there, back)| self.advance(enclave, *there, *back))
    }

    fn has_promises(&self, enclave: usize) -> bool {
        let Phase::Taking(promises) = &self.enclaves[enclave].phase else { return false };
        promises.term(&self.members).is_some()
    }

    /// A fresh enclave, an honest host, and the witnesses in `there`: how many asks it takes to commit a head.
    pub fn recover(&mut self, there: Reached) -> Result<u32, Broken> {
        let enclave = self.boot();
        let before = self.commits;
        for asks in 1.. {
            if self.has_promises(enclave) {
                (0..self.heads.len().max(1)).try_for_each(|head| self.show(enclave, head))?;
                self.advance(enclave, there, there)?;
            } else {
                self.take(enclave, there, there)?;
            }
            if self.commits > before || asks > 100 {
                return Ok(asks);
            }
        }
        unreachable!("it gives up after a hundred")
    }

    fn ask(&mut self, enclave: usize, ask: Ask, there: Reached, back: Reached) -> Result<(), Broken> {
        self.wire.push(Message::Ask(ask.clone()));
        for witness in (0..self.witnesses.len()).filter(|bit| there >> bit & 1 == 1) {
            if let Some(answer) = self.deliver(witness, &ask)
                && back >> witness & 1 == 1
            {
                self.hear(enclave, &answer)?;
            }
        }
        Ok(())
    }

    fn deliver(&mut self, witness: usize, ask: &Ask) -> Option<Vec<u8>> {
        let answer = self.witnesses[witness].answer(ask)?;
        self.wire.push(Message::Answer(answer.clone()));
        Some(answer)
    }

    fn hear(&mut self, enclave: usize, answer: &[u8]) -> Result<(), Broken> {
        let one = &mut self.enclaves[enclave];
        let heard = match &mut one.phase {
            Phase::Started => return Ok(()),
            Phase::Taking(promises) => promises.add(&self.members, answer),
            Phase::Holding { commit: Some(commit), .. } => commit.add(&self.members, answer),
            Phase::Holding { commit: None, .. } => return Ok(()),
        };
        if let Ok(Heard::Refused(refused)) = heard {
            one.heard_of = one.heard_of.max(refused.promised);
        }
        if let Phase::Holding { commit, .. } = &mut one.phase
            && let Some(committed) = commit.as_ref().and_then(|commit| commit.commit(&self.members))
        {
            *commit = None;
            return self.release(committed.advance().head.0);
        }
        Ok(())
    }

    /// What follows from the head leaves the enclave.
    fn release(&mut self, head: [u8; 32]) -> Result<(), Broken> {
        let line: HashSet<[u8; 32]> = self.line(head).collect();
        let beside =
            |other: &&[u8; 32]| !line.contains(*other) && !self.line(**other).any(|hash| hash == head);
        if self.released.iter().any(|other| beside(&other)) {
            return Err(Broken::Forked);
        }
        self.released.insert(head);
        self.commits += 1;
        self.check_nothing_is_lost()
    }

    /// Whoever has a later term than a released result's knows of that result.
    fn check_nothing_is_lost(&self) -> Result<(), Broken> {
        for enclave in &self.enclaves {
            let Phase::Holding { term, tip, .. } = &enclave.phase else { continue };
            let line: HashSet<[u8; 32]> = tip.iter().flat_map(|tip| self.line(*tip)).collect();
            let lost = |head: &[u8; 32]| self.by_hash[head].term < *term && !line.contains(head);
            if self.released.iter().any(lost) {
                return Err(Broken::Lost);
            }
        }
        Ok(())
    }

    /// The head and all before it.
    fn line(&self, head: [u8; 32]) -> impl Iterator<Item = [u8; 32]> {
        std::iter::successors(Some(head), |hash| self.by_hash.get(hash)?.previous)
    }

    /// A genuine head is the one that was named if its place is, too: a host can have any hash named, at any place.
    fn is(&self, hash: [u8; 32], named: &Accepted) -> bool {
        let head = &self.by_hash[&hash];
        hash == named.head.0 && (head.term, head.counter) == named.order()
    }
}

impl Head {
    fn hash(&self, boot: BootId) -> [u8; 32] {
        let numbers = [self.term.to_be_bytes(), self.counter.to_be_bytes()].concat();
        let bytes = [&numbers[..], &boot.0, &self.previous.unwrap_or_default()].concat();
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &bytes).as_ref());
        hash
    }
}

impl Witness {
    fn new(number: u8) -> Witness {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap();
        let rules = Rules::default();
        Witness { pair, disk: rules.memory(Hash([number; 32])), rules }
    }

    fn key(&self) -> SigningKey {
        SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: self.pair.public_key().as_ref().to_vec() }
    }

    /// Stores, then signs.
    fn answer(&mut self, ask: &Ask) -> Option<Vec<u8>> {
        let told = match ask {
            Ask::Take(take) => self.rules.take(take)?,
            Ask::Advance(advance) => self.rules.advance(advance)?,
        };
        if told.changed {
            self.disk = self.rules.memory(self.disk.key);
        }
        Some(self.sign(&told.answer))
    }

    fn sign(&self, answer: &Answer) -> Vec<u8> {
        let payload = answer.to_bytes();
        let protected = Protected { algorithm: EDDSA, key: key_name(&self.key()) }.to_bytes();
        let signature = self.pair.sign(&to_be_signed(&protected, &payload));
        Sign1 { protected: &protected, payload: Some(&payload), signature: signature.as_ref() }.to_bytes()
    }
}
