//! A cluster: the real rules of witnesses and the real counting of their words, enclaves of a few lines, and a host that
//! keeps every message and every head, and loses none of them but by will. Of the witnesses there are generations: each
//! enclave is started under the manifest of one.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::collections::{HashMap, HashSet};
use verify::manifest::key_name;
use verify::witness::{Cosignatures, Heard, Promises, Rules, Term, Witnesses, to_be_signed};
use wire::cose::{EDDSA, Protected, Sign1};
use wire::evidence::Hash;
use wire::freshness::{TERMS, generation_of, group_transcript, term_of};
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
    /// By whom it is committed.
    group: Hash,
    /// The group that the line goes on in.
    closed_for: Option<Hash>,
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
    /// Of the witnesses that its manifest names.
    group: usize,
    /// The highest terms that a refusal named: of its own witnesses, and of the former ones.
    heard_of: [u64; 2],
    phase: Phase,
}

#[derive(Clone)]
enum Phase {
    Started,
    /// Asks for a term; with enough promises it waits for the head that they name.
    Taking(Promises),
    /// Has this term of its own witnesses, who know no head, and asks for one of the former ones.
    Following(u64, Promises),
    /// Has both, and made the head that closes the former ones; `Holding` this if they sign it.
    Closing(Tip, Cosignatures),
    /// Has the term, and builds on this head.
    Holding(Tip, Option<Cosignatures>),
    /// The line has gone on before newer witnesses.
    Lost,
}

/// Where an enclave stands: its term as heads have it, and the last head that it made or took.
#[derive(Clone, Copy)]
struct Tip {
    term: u64,
    head: Option<[u8; 32]>,
    counter: u64,
}

/// The witnesses of one generation, and whom they replaced.
struct Group {
    name: Hash,
    members: Witnesses,
    generation: u16,
    former: usize,
}

/// Which witnesses a generation has, by bit, how many of them it takes, and the place of those whom they replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub members: Reached,
    pub threshold: u8,
    pub former: usize,
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
    groups: Vec<Group>,
    witnesses: Vec<Witness>,
    enclaves: Vec<Enclave>,
    wire: Vec<Message>,
    /// What the host keeps: every head, in the order in which they were made.
    heads: Vec<[u8; 32]>,
    by_hash: HashMap<[u8; 32], Head>,
    released: HashSet<[u8; 32]>,
    pub commits: u32,
    pub takeovers: u32,
    pub closings: u32,
}

/// Which of the witnesses a message reaches, by bit.
pub type Reached = u8;

impl Cluster {
    pub fn new(number: u8, generations: &[Chosen]) -> Cluster {
        let witnesses: Vec<Witness> = (0..number).map(Witness::new).collect();
        let mut groups: Vec<Group> = Vec::new();
        for chosen in generations {
            let members = witnesses.iter().enumerate().filter(|(at, _)| chosen.members >> at & 1 == 1);
            let members =
                members.map(|(at, witness)| Signer { alias: format!("w{at}"), key: witness.key() }).collect();
            let signers = Signers { threshold: chosen.threshold, members };
            let generation = groups.get(chosen.former).map_or(0, |former| former.generation + 1);
            let transcript = group_transcript(&DEPLOYMENT, generation, &sha256(&signers.to_bytes()));
            let name = if generation == 0 { DEPLOYMENT } else { sha256(&transcript) };
            let members = Witnesses::new(&signers).expect("a majority");
            groups.push(Group { name, members, generation, former: chosen.former });
        }
        Cluster {
            groups,
            witnesses,
            enclaves: Vec::new(),
            wire: Vec::new(),
            heads: Vec::new(),
            by_hash: HashMap::new(),
            released: HashSet::new(),
            commits: 0,
            takeovers: 0,
            closings: 0,
        }
    }

    /// Under the manifest that names these witnesses.
    pub fn boot(&mut self, group: usize) -> usize {
        let number = u8::try_from(self.enclaves.len()).expect("few enclaves");
        let (boot, group) = (BootId([number; 16]), group % self.groups.len());
        self.enclaves.push(Enclave { boot, group, heard_of: [0; 2], phase: Phase::Started });
        self.enclaves.len() - 1
    }

    pub fn enclaves(&self) -> usize {
        self.enclaves.len()
    }

    /// The enclave asks for the next term that it can hope for; the ask reaches some, and of their answers some come back.
    pub fn take(&mut self, enclave: usize, there: Reached, back: Reached) -> Result<(), Broken> {
        let promises = self.ask_for_term(enclave, 0);
        self.enclaves[enclave].phase = Phase::Taking(promises.clone());
        self.ask(enclave, Ask::Take(*promises.take()), there, back)
    }

    /// The same of the former witnesses, once its own have promised.
    pub fn follow(&mut self, enclave: usize, there: Reached, back: Reached) -> Result<(), Broken> {
        let Phase::Following(term, _) = self.enclaves[enclave].phase else { return Ok(()) };
        let promises = self.ask_for_term(enclave, 1);
        self.enclaves[enclave].phase = Phase::Following(term, promises.clone());
        self.ask(enclave, Ask::Take(*promises.take()), there, back)
    }

    fn ask_for_term(&mut self, enclave: usize, back: usize) -> Promises {
        let one = &mut self.enclaves[enclave];
        one.heard_of[back] += 1;
        let own = &self.groups[one.group];
        let deployment = if back == 0 { own.name } else { self.groups[own.former].name };
        let (term, boot) = (one.heard_of[back], one.boot);
        Promises::new(Take { deployment, line: 0, term, boot, nonce: Hash([7; 32]) })
    }

    /// The host shows a head that it keeps, counted from the newest: the enclave goes on from it if that is the one that
    /// its promises name, or one that goes on from it.
    pub fn show(&mut self, enclave: usize, from_newest: usize) -> Result<(), Broken> {
        let place = self.heads.len().checked_sub(1 + from_newest % self.heads.len().max(1));
        let shown = place.and_then(|place| self.heads.get(place)).copied();
        let own = &self.groups[self.enclaves[enclave].group];
        match self.enclaves[enclave].phase.clone() {
            Phase::Taking(promises) => {
                let Some(Ok(term)) = promises.term(&own.members) else { return Ok(()) };
                self.show_own(enclave, (own.name, own.generation), &term, shown)
            }
            Phase::Following(promised, promises) => {
                let Some(Ok(term)) = promises.term(&self.groups[own.former].members) else { return Ok(()) };
                self.show_former(enclave, promised, &term, shown)
            }
            _ => Ok(()),
        }
    }

    fn show_own(
        &mut self,
        enclave: usize,
        (own, generation): (Hash, u16),
        term: &Term,
        shown: Option<[u8; 32]>,
    ) -> Result<(), Broken> {
        let promised = term_of(generation, term.take().term).expect("low terms");
        let head = shown.map(|shown| self.by_hash[&shown].clone());
        let is_own = head.as_ref().is_some_and(|head| head.group == own);
        let has_left = |head: &Head| {
            generation_of(head.term) >= u64::from(generation)
                && (head.group != own || head.closed_for.is_some())
        };
        if head.as_ref().is_some_and(has_left) {
            self.enclaves[enclave].phase = Phase::Lost;
            return Ok(());
        }
        match (term.from(), shown) {
            (Some(named), Some(shown)) if is_own && self.leads_to(shown, generation, &named) => {}
            (Some(_), _) => return Ok(()),
            // A head of this group is made behind a close that was signed.
            (None, _) if is_own || generation == 0 => {}
            (None, _) => {
                let boot = self.enclaves[enclave].boot;
                let nobody = Take { deployment: DEPLOYMENT, line: 0, term: 0, boot, nonce: Hash([0; 32]) };
                self.enclaves[enclave].phase = Phase::Following(promised, Promises::new(nobody));
                return Ok(());
            }
        }
        let counter = shown.map_or(0, |shown| self.by_hash[&shown].counter);
        self.enclaves[enclave].phase = Phase::Holding(Tip { term: promised, head: shown, counter }, None);
        self.takeovers += 1;
        self.check_nothing_is_lost()
    }

    /// The former witnesses' last head is closed in this term, whether it was before or not.
    fn show_former(
        &mut self,
        enclave: usize,
        promised: u64,
        term: &Term,
        shown: Option<[u8; 32]>,
    ) -> Result<(), Broken> {
        let Enclave { boot, group, .. } = self.enclaves[enclave];
        let own = &self.groups[group];
        let Group { name: before, generation: former, .. } = self.groups[own.former];
        let group = own.name;
        let head = shown.map(|shown| self.by_hash[&shown].clone());
        if let Some(head) = &head {
            if head.group != before {
                return Ok(());
            }
            if head.closed_for.is_some_and(|closed_for| closed_for != group) {
                self.enclaves[enclave].phase = Phase::Lost;
                return Ok(());
            }
        }
        match (term.from(), shown) {
            (Some(named), Some(shown)) if self.leads_to(shown, former, &named) => {}
            (Some(_), _) => return Ok(()),
            (None, Some(_)) => {}
            // Nobody has gone over to them: what those before them know, nobody has asked.
            (None, None) if former > 0 => return Ok(()),
            (None, None) => {}
        }
        let Take { deployment, term, .. } = *term.take();
        let counter = head.map_or(0, |head| head.counter) + 1;
        let made = Head {
            term: term_of(former, term).expect("low terms"),
            counter,
            previous: shown,
            group: before,
            closed_for: Some(group),
        };
        let advance = Advance { deployment, line: 0, term, boot, counter, head: Hash(made.hash(boot)) };
        let tip = Tip { term: promised, head: Some(advance.head.0), counter };
        self.enclaves[enclave].phase = Phase::Closing(tip, Cosignatures::new(advance));
        self.keep(made, advance.head.0);
        self.closings += 1;
        Ok(())
    }

    /// The enclave makes a head on top of its last one, which waits for no one: that one may never have been committed.
    pub fn advance(&mut self, enclave: usize, there: Reached, back: Reached) -> Result<(), Broken> {
        let Enclave { boot, group, phase: Phase::Holding(tip, commit), .. } = &mut self.enclaves[enclave]
        else {
            return Ok(());
        };
        let counter = tip.counter + 1;
        let group = self.groups[*group].name;
        let head = Head { term: tip.term, counter, previous: tip.head, group, closed_for: None };
        let hash = head.hash(*boot);
        let advance = Advance {
            deployment: group,
            line: 0,
            term: tip.term % TERMS,
            boot: *boot,
            counter,
            head: Hash(hash),
        };
        (tip.counter, tip.head) = (counter, Some(hash));
        *commit = Some(Cosignatures::new(advance));
        self.keep(head, hash);
        self.ask(enclave, Ask::Advance(advance), there, back)
    }

    fn keep(&mut self, head: Head, hash: [u8; 32]) {
        self.heads.push(hash);
        self.by_hash.insert(hash, head);
    }

    /// Asks once more for what is under way.
    pub fn again(&mut self, enclave: usize, there: Reached, back: Reached) -> Result<(), Broken> {
        let ask = match &self.enclaves[enclave].phase {
            Phase::Holding(_, Some(commit)) | Phase::Closing(_, commit) => Ask::Advance(*commit.advance()),
            Phase::Taking(promises) | Phase::Following(_, promises) => Ask::Take(*promises.take()),
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
        let group = self.groups[leap as usize % self.groups.len()].name;
        let lines = &self.witnesses[witness].disk.lines;
        let line = lines.iter().find(|line| line.deployment == group).copied();
        let ask = match (head, line) {
            (Some(head), Some(line)) => {
                let known = self.heads.get(head).copied().unwrap_or([0xff; 32]);
                let counter = line.accepted.map_or(0, |accepted| accepted.counter) + leap;
                let (term, boot) = (line.term, line.boot);
                Ask::Advance(Advance { deployment: group, line: 0, term, boot, counter, head: Hash(known) })
            }
            (_, line) => {
                let term = line.map_or(0, |line| line.term) + leap;
                Ask::Take(Take { deployment: group, line: 0, term, boot, nonce: Hash([8; 32]) })
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

    /// Takes the line, or not, as far as each of `reach` lets it, and makes heads, one for each that is left.
    pub fn reign(
        &mut self,
        enclave: usize,
        oldest_first: bool,
        reach: &[(Reached, Reached)],
    ) -> Result<(), Broken> {
        reach.iter().try_for_each(|(there, back)| {
            match self.enclaves[enclave].phase {
                Phase::Started | Phase::Taking(_) => {
                    for _ in 0..2 {
                        if !self.has_promises(enclave) {
                            self.take(enclave, *there, *back)?;
                        }
                    }
                }
                Phase::Following(..) => self.follow(enclave, *there, *back)?,
                Phase::Closing(..) => self.again(enclave, *there, *back)?,
                Phase::Holding(..) => self.advance(enclave, *there, *back)?,
                Phase::Lost => {}
            }
            self.show_all(enclave, oldest_first)
        })
    }

    fn show_all(&mut self, enclave: usize, oldest_first: bool) -> Result<(), Broken> {
        let kept = self.heads.len().max(1);
        let place = |at| if oldest_first { kept - 1 - at } else { at };
        (0..kept).try_for_each(|at| self.show(enclave, place(at)))
    }

    fn has_promises(&self, enclave: usize) -> bool {
        let Enclave { group, phase, .. } = &self.enclaves[enclave];
        let own = &self.groups[*group];
        match phase {
            Phase::Taking(promises) => promises.term(&own.members).is_some(),
            Phase::Following(_, promises) => promises.term(&self.groups[own.former].members).is_some(),
            _ => false,
        }
    }

    /// To which generation the line has got, by the heads that are kept: at least the first one.
    pub fn generation(&self) -> usize {
        let of = |head: &Head| generation_of(head.term) + u64::from(head.closed_for.is_some());
        self.by_hash.values().map(of).max().unwrap_or(0) as usize
    }

    /// A fresh enclave of this generation, an honest host, and the witnesses in `there`: how many asks it takes to commit a head.
    pub fn recover(&mut self, generation: usize, there: Reached) -> Result<u32, Broken> {
        let enclave = self.boot(generation);
        let before = self.commits;
        for asks in 1.. {
            self.reign(enclave, false, &[(there, there)])?;
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
        let own = &self.groups[one.group];
        let of = |back| if back == 0 { &own.members } else { &self.groups[own.former].members };
        let (back, heard) = match &mut one.phase {
            Phase::Started | Phase::Lost | Phase::Holding(_, None) => return Ok(()),
            Phase::Taking(promises) => (0, promises.add(of(0), answer)),
            Phase::Following(_, promises) => (1, promises.add(of(1), answer)),
            Phase::Closing(_, commit) => (1, commit.add(of(1), answer)),
            Phase::Holding(_, Some(commit)) => (0, commit.add(of(0), answer)),
        };
        if let Ok(Heard::Refused(refused)) = heard {
            one.heard_of[back] = one.heard_of[back].max(refused.promised);
        }
        match &mut one.phase {
            Phase::Closing(tip, commit) if commit.commit(of(1)).is_some() => {
                one.phase = Phase::Holding(*tip, None);
                self.takeovers += 1;
                self.check_nothing_is_lost()
            }
            Phase::Holding(_, commit) => match commit.as_ref().and_then(|commit| commit.commit(of(0))) {
                Some(committed) => {
                    *commit = None;
                    self.release(committed.advance().head.0)
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// How many results were released before witnesses who replaced others.
    pub fn released_by_newer(&self) -> u32 {
        let is_newer = |head: &&[u8; 32]| generation_of(self.by_hash[*head].term) > 0;
        u32::try_from(self.released.iter().filter(is_newer).count()).expect("few")
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
            let Phase::Holding(Tip { term, head, .. }, _) = &enclave.phase else { continue };
            let line: HashSet<[u8; 32]> = head.iter().flat_map(|head| self.line(*head)).collect();
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

    /// Whether the named head is this one or before it. A genuine head is the one that was named if its place is, too: a host
    /// can have any hash named, at any place.
    fn leads_to(&self, shown: [u8; 32], generation: u16, named: &Accepted) -> bool {
        let Some(term) = term_of(generation, named.term) else { return false };
        let is_it = |hash: [u8; 32]| {
            let head = &self.by_hash[&hash];
            hash == named.head.0 && (head.term, head.counter) == (term, named.counter)
        };
        self.line(shown).any(is_it)
    }
}

impl Head {
    fn hash(&self, boot: BootId) -> [u8; 32] {
        let numbers = [self.term.to_be_bytes(), self.counter.to_be_bytes()].concat();
        let closed_for = self.closed_for.map_or([0; 32], |group| group.0);
        sha256(
            &[&numbers[..], &boot.0, &self.previous.unwrap_or_default(), &self.group.0, &closed_for].concat(),
        )
        .0
    }
}

fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    Hash(hash)
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
