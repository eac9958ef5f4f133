//! Every transaction of an account, address by address, the newest first.
//!
//! A transaction that touches several addresses is told with the first of them, so that it is told once, whichever page
//! asks, without anything being remembered between pages.

use super::scan::{Place, Scan, number};
use super::{Scripts, chain};
use crate::connector::{Fault, FaultCode, Json, Kind, Status};
use crate::network::amount::decimal;
use crate::network::ask::{Answers, Ask, malformed};
use crate::network::history::{Entry, Query};
use crate::network::model::Network;
use crate::network::reading::{Reading, Turn};
use crate::wallet::u256::U256;
use std::collections::HashMap;

/// Confirmed transactions that a server gives at once.
const PAGE: usize = 25;
/// Pages of the server's in one of ours.
const MAX_PAGES: u32 = 20;

pub(in crate::network) struct History {
    network: &'static Network,
    query: Query,
    scan: Scan,
    began: bool,
    /// The used addresses in their order, and each one's place in it.
    places: Vec<Place>,
    order: HashMap<String, usize>,
    /// Which address is read, and the last transaction that was told of it.
    at: usize,
    after: Option<String>,
    asked: bool,
    pages: u32,
    entries: Vec<Entry>,
}

impl History {
    pub(in crate::network) fn of(network: &'static Network, scripts: &Scripts, query: Query) -> History {
        History {
            network,
            query,
            scan: Scan::of(scripts),
            began: false,
            places: Vec::new(),
            order: HashMap::new(),
            at: 0,
            after: None,
            asked: false,
            pages: 0,
            entries: Vec::new(),
        }
    }

    /// The scan is over: where the page begins.
    fn begin(&mut self) -> Result<(), Fault> {
        self.places = self.scan.used.iter().map(|used| used.place.clone()).collect();
        self.places.sort_by_key(|place| (place.line, place.index));
        let order = self.places.iter().enumerate().map(|(at, place)| (place.address.to_string(), at));
        self.order = order.collect();
        let Some(cursor) = self.query.cursor() else { return Ok(()) };
        let mut parts = cursor.splitn(3, '.');
        let mut next = || parts.next()?.parse::<usize>().ok();
        let (line, index) = (next().ok_or_else(malformed)?, next().ok_or_else(malformed)?);
        let txid = parts.next().filter(|txid| is_txid(txid)).map(str::to_owned);
        let here = |place: &Place| (place.line, place.index as usize).cmp(&(line, index));
        self.at = self.places.iter().position(|place| here(place).is_ge()).unwrap_or(self.places.len());
        let is_same = self.places.get(self.at).is_some_and(|place| here(place).is_eq());
        self.after = txid.filter(|_| is_same);
        Ok(())
    }

    fn ask(&mut self) -> Turn {
        let Some(place) = self.places.get(self.at) else { return self.done(None) };
        if self.pages >= MAX_PAGES {
            let after = self.after.as_deref().unwrap_or("-");
            return self.done(Some(format!("{}.{}.{after}", place.line, place.index)));
        }
        self.pages += 1;
        self.asked = true;
        let path = match &self.after {
            None => format!("/address/{}/txs", place.address),
            Some(txid) => format!("/address/{}/txs/chain/{txid}", place.address),
        };
        Turn::Ask(vec![Ask::get(path)])
    }

    fn done(&self, next: Option<String>) -> Turn {
        let cut = self.scan.is_cut;
        let status = if cut { Status::Partial(FaultCode::TooMany.into()) } else { Status::Ok };
        self.query.page(self.network, &self.entries, next, status)
    }

    fn take(&mut self, answers: &Answers) -> Result<(), Fault> {
        let seen = answers.json(0, |json| {
            let is_list = json.kind() == Kind::Array;
            let read = json.elements().map(|transaction| self.transaction(transaction));
            is_list.then(|| read.collect::<Option<Vec<_>>>()).flatten()
        })?;
        let confirmed: Vec<&Seen> = seen.iter().filter(|seen| seen.is_confirmed).collect();
        let last = confirmed.last().filter(|_| confirmed.len() >= PAGE).map(|seen| seen.txid.clone());
        let is_past =
            confirmed.last().and_then(|seen| seen.time_ms).is_some_and(|time| self.query.is_before(time));
        match last.filter(|last| self.after.as_ref() != Some(last) && !is_past) {
            Some(last) => self.after = Some(last),
            None => (self.at, self.after) = (self.at + 1, None),
        }
        self.entries.extend(seen.into_iter().filter_map(|seen| seen.entry));
        Ok(())
    }

    /// A transaction of the address that is read. One that does not touch it is not believed.
    fn transaction(&self, json: Json<'_>) -> Option<Seen> {
        let txid = json.member("txid").ok()??.string().filter(|txid| is_txid(txid))?.into_owned();
        let status = json.member("status").ok()??;
        let is_confirmed = status.member("confirmed").ok()??.kind() == Kind::True;
        let time_ms =
            if is_confirmed { Some(number(status, "block_time")?.checked_mul(1000)?) } else { None };
        let fee = number(json, "fee")?;
        let mut flow = Flow::default();
        for input in json.member("vin").ok()??.elements() {
            if let Some(spent) = input.member("prevout").ok()?.filter(|spent| !spent.is_null()) {
                flow.add(self, spent, false)?;
            } else {
                flow.others_pay = true;
            }
        }
        for output in json.member("vout").ok()??.elements() {
            flow.add(self, output, true)?;
        }
        let first = flow.first.filter(|first| *first <= self.at)?;
        let entry = if first == self.at { Some(self.entry(&txid, time_ms, fee, &flow)?) } else { None };
        Some(Seen { txid, is_confirmed, time_ms, entry })
    }

    fn entry(&self, txid: &str, time_ms: Option<u64>, fee: u64, flow: &Flow) -> Option<Entry> {
        let coin = &self.network.coin;
        let amount = |satoshis: u64| decimal(U256::from(satoshis), coin.decimals);
        let is_in = flow.received > flow.spent;
        // Who pays alone pays the whole fee; with others, nobody can say who paid what of it.
        let pays = flow.spent > 0 && !flow.others_pay;
        let moved = flow.received.abs_diff(flow.spent);
        let moved = if pays && !is_in { moved.checked_sub(fee)? } else { moved };
        Some(Entry {
            id: txid.to_owned(),
            txid: txid.to_owned(),
            time_ms,
            symbol: coin.symbol.clone(),
            asset: coin.asset.clone(),
            is_in,
            amount: amount(moved)?,
            fee: if pays { Some(amount(fee)?) } else { None },
            address: if is_in { flow.own.clone() } else { flow.other.clone() },
            has_failed: false,
        })
    }
}

/// What one transaction moves between the account and others.
#[derive(Default)]
struct Flow {
    received: u64,
    spent: u64,
    /// The first of the account's addresses that it touches.
    first: Option<usize>,
    own: Option<String>,
    other: Option<String>,
    others_pay: bool,
}

struct Seen {
    txid: String,
    is_confirmed: bool,
    time_ms: Option<u64>,
    /// Absent where it is told with another address.
    entry: Option<Entry>,
}

impl Flow {
    fn add(&mut self, history: &History, output: Json<'_>, is_output: bool) -> Option<()> {
        let value = number(output, "value")?;
        let address = output.member("scriptpubkey_address").ok()?.and_then(Json::string);
        let place = address.as_ref().and_then(|address| history.order.get(address.as_ref()).copied());
        let address = address.map(|address| address.into_owned());
        match (place, is_output) {
            (Some(_), true) => {
                self.received = self.received.checked_add(value)?;
                self.own = self.own.take().or(address);
            }
            (Some(_), false) => self.spent = self.spent.checked_add(value)?,
            (None, true) => self.other = self.other.take().or(address),
            (None, false) => self.others_pay = true,
        }
        self.first = self.first.into_iter().chain(place).min();
        Some(())
    }
}

impl Reading for History {
    fn turn(&mut self, answers: &Answers, _: u64) -> Result<Turn, Fault> {
        if self.asked {
            self.take(answers)?;
            return Ok(self.ask());
        }
        let asks = chain::scan_on(self.network, &mut self.scan, &mut self.began, answers)?;
        if !asks.is_empty() {
            return Ok(Turn::Ask(asks));
        }
        self.begin()?;
        Ok(self.ask())
    }
}

fn is_txid(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
