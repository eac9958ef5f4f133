//! Finds the addresses of an account that were ever used: line by line, until twenty in a row were not (BIP 44).

use super::scripts::{Line, Scripts};
use crate::connector::{Fault, Json, Kind};
use crate::network::ask::{Answers, Ask};
use crate::wallet::bitcoin::{Address, MAX_MONEY};

/// Unused addresses in a row after which a line is taken to have ended.
const GAP: u32 = 20;
/// Addresses that one scan asks about at most.
const MAX_ADDRESSES: usize = 400;

/// A scan in progress.
pub(in crate::network) struct Scan {
    lines: Vec<State>,
    asked: Vec<Place>,
    pub(in crate::network) used: Vec<Used>,
    count: usize,
    /// There were more addresses than one scan asks about.
    pub(super) is_cut: bool,
}

struct State {
    line: Line,
    /// The index to ask about next, and the one behind the last that was used.
    next: u32,
    end: u32,
}

/// An address of the account, and where it is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::network) struct Place {
    pub(in crate::network) line: usize,
    pub(in crate::network) index: u32,
    pub(in crate::network) address: Address,
}

/// An address that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::network) struct Used {
    pub(in crate::network) place: Place,
    pub(in crate::network) stats: Stats,
}

/// What an address received and spent, in satoshis: in blocks, and in transactions that wait for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::network) struct Stats {
    pub(super) received: u64,
    pub(super) spent: u64,
    pub(super) pending_received: u64,
    pub(super) pending_spent: u64,
    pub(super) transactions: u64,
}

impl Scan {
    pub(in crate::network) fn of(scripts: &Scripts) -> Scan {
        let lines = scripts.lines().into_iter().map(|line| State { line, next: 0, end: 0 }).collect();
        Scan { lines, asked: Vec::new(), used: Vec::new(), count: 0, is_cut: false }
    }

    /// The next questions; none once every line has ended.
    pub(in crate::network) fn asks(&mut self) -> Vec<Ask> {
        self.asked.clear();
        for at in 0..self.lines.len() {
            self.ask_line(at);
        }
        self.count += self.asked.len();
        if self.count > MAX_ADDRESSES {
            self.is_cut = true;
            self.asked.clear();
        }
        self.asked.iter().map(|place| Ask::get(format!("/address/{}", place.address))).collect()
    }

    fn ask_line(&mut self, at: usize) {
        let waits = |state: &State| state.line.after.is_some_and(|other| !self.is_used(other));
        let Some(state) = self.lines.get(at).filter(|state| !waits(state)) else { return };
        let until = state.end.saturating_add(GAP);
        let places = (state.next..until)
            .map_while(|index| state.line.address(index).map(|address| Place { line: at, index, address }));
        let places: Vec<Place> = places.collect();
        if let Some(state) = self.lines.get_mut(at) {
            state.next = until;
        }
        self.asked.extend(places);
    }

    fn is_used(&self, line: usize) -> bool {
        self.lines.get(line).is_some_and(|state| state.end > 0)
    }

    /// Takes the answers to the last questions, which begin at `from`.
    pub(in crate::network) fn take(&mut self, answers: &Answers, from: usize) -> Result<(), Fault> {
        for (at, place) in std::mem::take(&mut self.asked).into_iter().enumerate() {
            let text = place.address.to_string();
            let stats = answers.json(from + at, |json| stats(json, &text))?;
            if stats.transactions == 0 {
                continue;
            }
            if let Some(state) = self.lines.get_mut(place.line) {
                state.end = state.end.max(place.index + 1);
            }
            self.used.push(Used { place, stats });
        }
        Ok(())
    }

    /// The first address that nobody has paid to yet.
    pub(super) fn fresh(&self) -> Option<Address> {
        let state = self.lines.first()?;
        state.line.address(state.end).or_else(|| state.line.address(0))
    }
}

/// What a server says of this very address.
fn stats(json: Json<'_>, address: &str) -> Option<Stats> {
    let said = json.member("address").ok()??.string()?;
    let [chain, pending] = ["chain_stats", "mempool_stats"].map(|name| json.member(name).ok().flatten());
    let (chain, pending) = (chain?, pending?);
    let stats = Stats {
        received: satoshis(chain, "funded_txo_sum")?,
        spent: satoshis(chain, "spent_txo_sum")?,
        pending_received: satoshis(pending, "funded_txo_sum")?,
        pending_spent: satoshis(pending, "spent_txo_sum")?,
        transactions: number(chain, "tx_count")?.checked_add(number(pending, "tx_count")?)?,
    };
    (said == address && stats.is_possible()).then_some(stats)
}

impl Stats {
    /// What lies at the address: in blocks, and with what waits for one. `None` where more was spent than had been received,
    /// or more is left than there is money.
    pub(super) fn left(&self) -> Option<(u64, u64)> {
        let confirmed = self.received.checked_sub(self.spent)?;
        let all = confirmed.checked_add(self.pending_received)?.checked_sub(self.pending_spent)?;
        (confirmed.max(all) <= MAX_MONEY).then_some((confirmed, all))
    }

    fn is_possible(&self) -> bool {
        self.left().is_some()
    }
}

/// A sum over time may be larger than all the money there is, but not by so much.
fn satoshis(json: Json<'_>, name: &str) -> Option<u64> {
    number(json, name).filter(|sum| *sum <= MAX_MONEY.saturating_mul(1000))
}

pub(in crate::network) fn number(json: Json<'_>, name: &str) -> Option<u64> {
    let number = json.member(name).ok()??;
    number.raw().parse().ok().filter(|_| number.kind() == Kind::Number)
}
