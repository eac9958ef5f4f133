//! The coins of an account: addresses are asked for until twenty in a row of a branch were never used (BIP 44).

use crate::connector::{Fault, Json};
use crate::network::ask::{Answers, Ask, malformed};
use crate::wallet::bitcoin::{Account, Branch, Coin, MAX_INDEX, OutPoint, parse_txid};
use std::collections::BTreeMap;

/// Addresses in a row that were never used, after which no wallet looks for more.
const GAP: u32 = 20;

/// Addresses of a branch that are asked for at most.
const MAX_ADDRESSES: u32 = 200;

/// Coins of one address that are read at most.
const MAX_COINS_OF_ONE: usize = 500;

/// A walk over the addresses of an account.
pub(super) struct Scan {
    lines: [Line; 2],
    coins: BTreeMap<OutPoint, Coin>,
    asked: Asked,
}

/// What is asked of a branch.
struct Line {
    branch: Branch,
    /// Where the next question begins.
    next: u32,
    /// The index behind the last that was used.
    unused: u32,
    used: Vec<u32>,
}

#[derive(Clone, Copy)]
enum Asked {
    Nothing,
    /// Whether addresses were used: so many of each branch, from the first index on.
    Use,
    Coins,
}

/// What a walk found.
pub(super) struct Found {
    pub(super) coins: Vec<Coin>,
    /// The first index on the branch for change behind every used one.
    pub(super) change: u32,
}

pub(super) enum Step {
    Ask(Vec<Ask>),
    Found(Found),
}

impl Scan {
    pub(super) fn new() -> Scan {
        let line = |branch| Line { branch, next: 0, unused: 0, used: Vec::new() };
        let lines = [line(Branch::Receive), line(Branch::Change)];
        Scan { lines, coins: BTreeMap::new(), asked: Asked::Nothing }
    }

    /// Takes the answers to the last questions, which begin at `from` among `answers`.
    pub(super) fn step(&mut self, account: &Account, answers: &Answers, from: usize) -> Result<Step, Fault> {
        match self.asked {
            Asked::Nothing => {}
            Asked::Use => self.read_use(answers, from)?,
            Asked::Coins => {
                self.read_coins(answers, from)?;
                let [_, change] = &self.lines;
                let coins = self.coins.values().copied().collect();
                return Ok(Step::Found(Found { coins, change: change.unused }));
            }
        }
        let asks = self.ask_use(account)?;
        if !asks.is_empty() {
            self.asked = Asked::Use;
            return Ok(Step::Ask(asks));
        }
        self.asked = Asked::Coins;
        let asks = self.each_used().map(|(branch, index)| ask(account, branch, index, "/utxo"));
        let asks: Vec<Ask> = asks.collect::<Result<_, Fault>>()?;
        if asks.is_empty() {
            return Ok(Step::Found(Found { coins: Vec::new(), change: 0 }));
        }
        Ok(Step::Ask(asks))
    }

    fn ask_use(&self, account: &Account) -> Result<Vec<Ask>, Fault> {
        let wanted = self.lines.iter().flat_map(|line| line.wanted().map(|index| (line.branch, index)));
        wanted.map(|(branch, index)| ask(account, branch, index, "")).collect()
    }

    fn read_use(&mut self, answers: &Answers, from: usize) -> Result<(), Fault> {
        let mut at = from;
        for line in &mut self.lines {
            let wanted = line.wanted();
            line.next = wanted.end;
            for index in wanted {
                if answers.json(at, transactions)? > 0 {
                    line.used.push(index);
                    line.unused = index + 1;
                }
                at += 1;
            }
        }
        Ok(())
    }

    fn read_coins(&mut self, answers: &Answers, from: usize) -> Result<(), Fault> {
        let places: Vec<(Branch, u32)> = self.each_used().collect();
        for (at, (branch, index)) in places.into_iter().enumerate() {
            let listed = answers.json(from + at, |root| {
                root.elements().take(MAX_COINS_OF_ONE).map(coin).collect::<Option<Vec<_>>>()
            })?;
            for (outpoint, value, is_confirmed) in listed {
                // What others have sent and no block has is not spent: it may never be.
                if is_confirmed || branch == Branch::Change {
                    self.coins.insert(outpoint, Coin { outpoint, value, branch, index });
                }
            }
        }
        Ok(())
    }

    fn each_used(&self) -> impl Iterator<Item = (Branch, u32)> {
        self.lines.iter().flat_map(|line| line.used.iter().map(|index| (line.branch, *index)))
    }
}

impl Line {
    /// The indices to ask for now: none once the last twenty were not used.
    fn wanted(&self) -> core::ops::Range<u32> {
        let end = self.unused.saturating_add(GAP).min(MAX_ADDRESSES).min(MAX_INDEX);
        self.next..end.max(self.next)
    }
}

fn ask(account: &Account, branch: Branch, index: u32, what: &str) -> Result<Ask, Fault> {
    let address = account.address(branch, index).map_err(|_| malformed())?;
    Ok(Ask::get(format!("/address/{address}{what}")))
}

/// How many transactions an address is in, mined or waiting.
fn transactions(root: Json<'_>) -> Option<u64> {
    let count = |stats: &str| -> Option<u64> {
        root.member(stats).ok()??.member("tx_count").ok()??.scalar()?.parse().ok()
    };
    count("chain_stats")?.checked_add(count("mempool_stats")?)
}

fn coin(json: Json<'_>) -> Option<(OutPoint, u64, bool)> {
    let field = |name: &str| json.member(name).ok().flatten();
    let txid = parse_txid(&field("txid")?.string()?)?;
    let index = field("vout")?.scalar()?.parse().ok()?;
    let value = field("value")?.scalar()?.parse().ok()?;
    let is_confirmed = field("status")?.member("confirmed").ok()??.raw() == "true";
    Some((OutPoint { txid, index }, value, is_confirmed))
}
