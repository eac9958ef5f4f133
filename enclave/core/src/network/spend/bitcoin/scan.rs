//! The coins of an account: its addresses that were ever used, and what lies at each.

use crate::connector::{Fault, Json};
use crate::network::ask::{Answers, Ask, malformed};
use crate::network::bitcoin::Scripts;
use crate::network::bitcoin::scan::{Scan as Addresses, Used, number};
use crate::wallet::bitcoin::{Account, Branch, Coin, OutPoint, parse_txid};
use std::collections::BTreeMap;

/// Coins of one address that are read at most.
const MAX_COINS_OF_ONE: usize = 500;

/// A walk over the addresses of an account, and then over its coins.
pub(super) struct Scan {
    addresses: Addresses,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    Beginning,
    Addresses,
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
    pub(super) fn of(account: &Account) -> Result<Scan, Fault> {
        // Its lines: the branch for others to pay to, and the one for change.
        let scripts = Scripts::parse(&account.descriptor(), account.network()).map_err(|_| malformed())?;
        Ok(Scan { addresses: Addresses::of(&scripts), stage: Stage::Beginning })
    }

    /// Takes the answers to the last questions; none of them the first time.
    pub(super) fn step(&mut self, answers: &Answers) -> Result<Step, Fault> {
        match self.stage {
            Stage::Beginning => self.stage = Stage::Addresses,
            Stage::Addresses => self.addresses.take(answers, 0)?,
            Stage::Coins => return self.found(answers).map(Step::Found),
        }
        let asks = self.addresses.asks();
        if !asks.is_empty() {
            return Ok(Step::Ask(asks));
        }
        self.stage = Stage::Coins;
        let used = &self.addresses.used;
        if used.is_empty() {
            return Ok(Step::Found(Found { coins: Vec::new(), change: 0 }));
        }
        let path = |used: &Used| format!("/address/{}/utxo", used.place.address);
        Ok(Step::Ask(used.iter().map(|used| Ask::get(path(used))).collect()))
    }

    fn found(&self, answers: &Answers) -> Result<Found, Fault> {
        let mut coins: BTreeMap<OutPoint, Coin> = BTreeMap::new();
        let mut change = 0;
        for (at, used) in self.addresses.used.iter().enumerate() {
            let (branch, index) = (branch(used)?, used.place.index);
            if branch == Branch::Change {
                change = change.max(index + 1);
            }
            let listed = answers.json(at, |root| {
                root.elements().take(MAX_COINS_OF_ONE).map(coin).collect::<Option<Vec<_>>>()
            })?;
            for (outpoint, value, is_confirmed) in listed {
                // What others have sent and no block has is not spent: it may never be.
                if is_confirmed || branch == Branch::Change {
                    coins.insert(outpoint, Coin { outpoint, value, branch, index });
                }
            }
        }
        Ok(Found { coins: coins.into_values().collect(), change })
    }
}

fn branch(used: &Used) -> Result<Branch, Fault> {
    match used.place.line {
        0 => Ok(Branch::Receive),
        1 => Ok(Branch::Change),
        _ => Err(malformed()),
    }
}

fn coin(json: Json<'_>) -> Option<(OutPoint, u64, bool)> {
    let txid = parse_txid(&json.member("txid").ok()??.string()?)?;
    let index = number(json, "vout")?.try_into().ok()?;
    let is_confirmed = json.member("status").ok()??.member("confirmed").ok()??.raw() == "true";
    Some((OutPoint { txid, index }, number(json, "value")?, is_confirmed))
}
