//! What changed an account's coin and tokens, address by address, the newest first: the wallet's own, then the token
//! accounts that it has now.
//!
//! A transaction that touches several of them is told with the first, so that it is told once.

use super::balances::{PROGRAMS, text, token_accounts};
use super::chain;
use crate::connector::{Fault, FaultCode, Json, Kind, Status};
use crate::network::amount::decimal;
use crate::network::ask::{Answers, Ask, malformed};
use crate::network::history::{Entry, Query};
use crate::network::model::Network;
use crate::network::reading::{Reading, Turn};
use crate::wallet::solana::Address;
use crate::wallet::u256::U256;
use std::collections::{BTreeMap, BTreeSet};

/// Transactions of one address that are asked about at once, and rounds of that in one page.
const PAGE: usize = 25;
const MAX_ROUNDS: u32 = 6;

pub(in crate::network) struct History {
    network: &'static Network,
    wallet: Address,
    query: Query,
    addresses: Vec<String>,
    at: usize,
    before: Option<String>,
    /// The signatures that are asked about, the newest first.
    signatures: Vec<String>,
    is_last: bool,
    rounds: u32,
    entries: Vec<Entry>,
    /// Transactions that the node no longer has.
    is_pruned: bool,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Begin,
    Accounts,
    Signatures,
    Transactions,
}

impl History {
    pub(in crate::network) fn of(network: &'static Network, wallet: Address, query: Query) -> History {
        History {
            network,
            wallet,
            query,
            addresses: Vec::new(),
            at: 0,
            before: None,
            signatures: Vec::new(),
            is_last: false,
            rounds: 0,
            entries: Vec::new(),
            is_pruned: false,
            state: State::Begin,
        }
    }

    fn begin(&mut self, answers: &Answers) -> Result<(), Fault> {
        chain::check(self.network, answers, 0)?;
        let mut accounts = BTreeSet::new();
        for at in 0..PROGRAMS.len() {
            accounts.extend(answers.result(at + 1, pubkeys)?);
        }
        self.addresses = std::iter::once(self.wallet.to_string()).chain(accounts).collect();
        if let Some(cursor) = self.query.cursor() {
            let (address, before) = cursor.split_once('.').ok_or_else(malformed)?;
            // An account that was closed meanwhile has no history left to go on with.
            self.at =
                self.addresses.iter().position(|known| known == address).unwrap_or(self.addresses.len());
            self.before = Some(before.to_owned()).filter(|before| is_signature(before));
        }
        Ok(())
    }

    fn ask(&mut self) -> Turn {
        let Some(address) = self.addresses.get(self.at) else { return self.done(None) };
        if self.rounds >= MAX_ROUNDS {
            return self.done(Some(format!("{address}.{}", self.before.as_deref().unwrap_or("-"))));
        }
        self.rounds += 1;
        self.state = State::Signatures;
        let before = self.before.as_ref().map_or(String::new(), |before| format!(r#","before":"{before}""#));
        let options = format!(r#"{{"commitment":"confirmed","limit":{PAGE}{before}}}"#);
        Turn::Ask(vec![Ask::rpc("getSignaturesForAddress", format!(r#"["{address}",{options}]"#))])
    }

    /// Token accounts that were closed are found by nobody, so this is never said to be all.
    fn done(&self, next: Option<String>) -> Turn {
        let code = if self.is_pruned { FaultCode::Malformed } else { FaultCode::Caller(CLOSED) };
        let status = if next.is_none() { Status::Partial(code.into()) } else { Status::Ok };
        self.query.page(self.network, &self.entries, next, status)
    }

    fn take_signatures(&mut self, answers: &Answers) -> Result<Turn, Fault> {
        let found = answers.result(0, |json| {
            let is_list = json.kind() == Kind::Array;
            let read = json.elements().map(|row| text(row, "signature").filter(|text| is_signature(text)));
            is_list.then(|| read.collect::<Option<Vec<String>>>()).flatten()
        })?;
        if found.len() > PAGE {
            return Err(malformed());
        }
        self.is_last = found.len() < PAGE;
        self.signatures = found;
        if self.signatures.is_empty() {
            return Ok(self.next_address());
        }
        self.state = State::Transactions;
        let options =
            r#"{"commitment":"confirmed","encoding":"jsonParsed","maxSupportedTransactionVersion":0}"#;
        let ask = |signature: &String| Ask::rpc("getTransaction", format!(r#"["{signature}",{options}]"#));
        Ok(Turn::Ask(self.signatures.iter().map(ask).collect()))
    }

    fn next_address(&mut self) -> Turn {
        (self.at, self.before) = (self.at + 1, None);
        self.ask()
    }

    fn take_transactions(&mut self, answers: &Answers) -> Result<Turn, Fault> {
        let signatures = std::mem::take(&mut self.signatures);
        let mut is_past = false;
        for (at, signature) in signatures.iter().enumerate() {
            let read = answers.result(at, |json| {
                if json.is_null() { Some(None) } else { self.transaction(signature, json).map(Some) }
            })?;
            let Some((time_ms, entries)) = read else {
                self.is_pruned = true;
                continue;
            };
            is_past |= time_ms.is_some_and(|time| self.query.is_before(time));
            self.entries.extend(entries);
        }
        if self.is_last || is_past {
            return Ok(self.next_address());
        }
        self.before = signatures.last().cloned();
        Ok(self.ask())
    }

    /// What one transaction changed. One that does not touch the address is not believed.
    fn transaction(&self, signature: &str, json: Json<'_>) -> Option<(Option<u64>, Vec<Entry>)> {
        let meta = json.member("meta").ok()??;
        let message = json.member("transaction").ok()??.member("message").ok()??;
        let keys: Vec<String> = message
            .member("accountKeys")
            .ok()??
            .elements()
            .map(|key| text(key, "pubkey"))
            .collect::<Option<_>>()?;
        let first = self.addresses.iter().position(|address| keys.contains(address))?;
        if first > self.at {
            return None;
        }
        let time = json.member("blockTime").ok()?.filter(|time| time.kind() == Kind::Number);
        let time_ms = match time {
            Some(time) => Some(time.raw().parse::<u64>().ok()?.checked_mul(1000)?),
            None => None,
        };
        if first < self.at {
            return Some((time_ms, Vec::new()));
        }
        let has_failed = meta.member("err").ok()?.is_some_and(|err| !err.is_null());
        let entry = |id: &str, symbol: &str, asset: &str, is_in, amount, fee| Entry {
            id: format!("{signature}{id}"),
            txid: signature.to_owned(),
            time_ms,
            symbol: symbol.to_owned(),
            asset: asset.to_owned(),
            is_in,
            amount,
            fee,
            address: None,
            has_failed,
        };
        let mut entries = Vec::new();
        let coin = &self.network.coin;
        let lamports = |units: u64| decimal(U256::from(units), coin.decimals);
        if let Some(place) = keys.iter().position(|key| *key == self.wallet.to_string()) {
            let [before, after] = ["preBalances", "postBalances"].map(|name| balance_at(meta, name, place));
            let (before, after) = (before?, after?);
            let fee = if place == 0 { unsigned(meta, "fee")? } else { 0 };
            // The fee is told beside what was moved.
            let after = after.checked_add(fee)?;
            if before != after || fee > 0 {
                let fee = if fee > 0 { Some(lamports(fee)?) } else { None };
                let amount = lamports(before.abs_diff(after))?;
                entries.push(entry("", &coin.symbol, &coin.asset, after > before, amount, fee));
            }
        }
        let (before, after) =
            (self.tokens(meta, "preTokenBalances")?, self.tokens(meta, "postTokenBalances")?);
        let mints: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for mint in mints {
            let (had, has) = (before.get(mint), after.get(mint));
            let decimals = has.or(had)?.1;
            let listed = self.network.token(mint);
            if listed.is_some_and(|token| token.decimals != decimals) {
                return None;
            }
            let (had, has) = (had.map_or(0, |held| held.0), has.map_or(0, |held| held.0));
            if had == has {
                continue;
            }
            let symbol = listed.map_or(mint.as_str(), |token| &token.symbol);
            let asset = format!("{}/token:{mint}", self.network.chain);
            let amount = decimal(U256::from(had.abs_diff(has)), decimals)?;
            entries.push(entry(&format!(":{mint}"), symbol, &asset, has > had, amount, None));
        }
        Some((time_ms, entries))
    }

    /// What the wallet's token accounts held, by mint, with the mint's decimals.
    fn tokens(&self, meta: Json<'_>, name: &str) -> Option<BTreeMap<String, (u64, u8)>> {
        let owner = self.wallet.to_string();
        let mut held: BTreeMap<String, (u64, u8)> = BTreeMap::new();
        for row in meta.member(name).ok()?.into_iter().flat_map(Json::elements) {
            if text(row, "owner")? != owner {
                continue;
            }
            let mint = text(row, "mint")?.parse::<Address>().ok()?.to_string();
            let amount = row.member("uiTokenAmount").ok()??;
            let units: u64 = text(amount, "amount")?.parse().ok()?;
            let decimals = u8::try_from(unsigned(amount, "decimals")?).ok()?;
            let sum = held.entry(mint).or_insert((0, decimals));
            sum.0 = sum.0.checked_add(units)?;
        }
        Some(held)
    }
}

/// Accounts that are no longer there cannot be asked about.
const CLOSED: crate::connector::CallerFault = crate::connector::CallerFault::Unsupported;

impl Reading for History {
    fn turn(&mut self, answers: &Answers, _: u64) -> Result<Turn, Fault> {
        match self.state {
            State::Begin => {
                self.state = State::Accounts;
                let accounts = PROGRAMS.map(|(program, _)| token_accounts(&self.wallet, program));
                Ok(Turn::Ask(std::iter::once(chain::ask()).chain(accounts).collect()))
            }
            State::Accounts => {
                self.begin(answers)?;
                Ok(self.ask())
            }
            State::Signatures => self.take_signatures(answers),
            State::Transactions => self.take_transactions(answers),
        }
    }
}

fn pubkeys(json: Json<'_>) -> Option<Vec<String>> {
    let accounts = json.member("value").ok()?.filter(|value| value.kind() == Kind::Array)?;
    let key = |account| text(account, "pubkey")?.parse::<Address>().ok().map(|key| key.to_string());
    accounts.elements().map(key).collect()
}

fn balance_at(meta: Json<'_>, name: &str, place: usize) -> Option<u64> {
    let balance = meta.member(name).ok()??.elements().nth(place)?;
    balance.raw().parse().ok().filter(|_| balance.kind() == Kind::Number)
}

fn unsigned(json: Json<'_>, name: &str) -> Option<u64> {
    let number = json.member(name).ok()??;
    number.raw().parse().ok().filter(|_| number.kind() == Kind::Number)
}

/// 64 bytes in Base58.
fn is_signature(text: &str) -> bool {
    (64..=90).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
