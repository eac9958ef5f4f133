//! Transfers of listed tokens to and from an address, window of blocks by window, the newest first.
//!
//! Only contracts leave a log. What moved the coin itself, a node does not list for an address, so this is never said to
//! be all of it.

use super::block::{self, Block};
use super::quantity::{bytes, small, written};
use crate::connector::{CallerFault, Fault, FaultCode, Json, Kind, Status};
use crate::network::amount::decimal;
use crate::network::ask::{Answers, Ask, malformed};
use crate::network::history::{Entry, Query};
use crate::network::model::{Evm, Network};
use crate::network::reading::{Reading, Turn};
use crate::wallet::evm::Address;
use crate::wallet::hex;
use crate::wallet::u256::U256;
use std::collections::BTreeMap;

/// Keccak-256 of `Transfer(address,address,uint256)` (EIP-20).
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/// Windows of one page, and blocks of them whose times are asked for.
const MAX_WINDOWS: u32 = 20;
const MAX_BLOCKS: usize = 200;

pub(in crate::network) struct History {
    network: &'static Network,
    chain: Evm,
    address: Address,
    query: Query,
    /// The newest block that was not read yet; none once all were.
    next: Option<u64>,
    window: (u64, u64),
    windows: u32,
    logs: Vec<Log>,
    times: BTreeMap<u64, u64>,
    asked: Vec<u64>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Begin,
    Newest,
    Logs,
    Times,
}

struct Log {
    block: u64,
    txid: String,
    index: u64,
    token: usize,
    is_in: bool,
    other: Address,
    units: U256,
}

impl History {
    pub(in crate::network) fn of(
        network: &'static Network,
        chain: Evm,
        address: Address,
        query: Query,
    ) -> History {
        History {
            network,
            chain,
            address,
            query,
            next: None,
            window: (0, 0),
            windows: 0,
            logs: Vec::new(),
            times: BTreeMap::new(),
            asked: Vec::new(),
            state: State::Begin,
        }
    }

    fn begin(&mut self, newest: Block) -> Result<(), Fault> {
        let from = match self.query.cursor() {
            None => newest.number,
            Some(cursor) => cursor.parse::<u64>().map_err(|_| malformed())?.min(newest.number),
        };
        self.next = Some(from);
        Ok(())
    }

    /// The next window, both directions; and its first block's time where nothing before some time is wanted.
    fn ask_logs(&mut self) -> Turn {
        let is_full = self.windows >= MAX_WINDOWS || self.logs.len() >= MAX_BLOCKS;
        let Some(until) = self.next.filter(|_| !is_full) else {
            return self.ask_times();
        };
        self.windows += 1;
        let from = until.saturating_add(1).saturating_sub(self.chain.log_blocks);
        self.window = (from, until);
        self.state = State::Logs;
        let contracts: Vec<String> =
            self.network.tokens.iter().map(|token| format!(r#""{}""#, token.address)).collect();
        let own = format!(r#""0x{:0>64}""#, hex::encode(&self.address.0));
        let ask = |topics: String| {
            let contracts = contracts.join(",");
            let (from, until) = (written(from), written(until));
            let filter = format!(
                r#"[{{"fromBlock":"{from}","toBlock":"{until}","address":[{contracts}],"topics":{topics}}}]"#
            );
            Ask::rpc("eth_getLogs", filter)
        };
        let (into, out) = (format!(r#"["{TRANSFER}",null,{own}]"#), format!(r#"["{TRANSFER}",{own}]"#));
        let mut asks = vec![ask(into), ask(out)];
        if self.query.has_since() {
            asks.push(block::ask(from));
        }
        Turn::Ask(asks)
    }

    fn take_logs(&mut self, answers: &Answers) -> Result<Turn, Fault> {
        for (at, is_in) in [(0, true), (1, false)] {
            let logs = answers.result(at, |json| {
                let read = json.elements().map(|log| self.log(log, is_in));
                (json.kind() == Kind::Array).then(|| read.collect::<Option<Vec<Log>>>()).flatten()
            })?;
            self.logs.extend(logs);
        }
        let is_past = if self.query.has_since() {
            let block = answers.result(2, block::read)?;
            self.query.is_before(block.time_s.saturating_mul(1000))
        } else {
            false
        };
        let (from, _) = self.window;
        self.next = from.checked_sub(1).filter(|_| !is_past);
        Ok(self.ask_logs())
    }

    /// A log of this window, of a listed token, to or from this address.
    fn log(&self, json: Json<'_>, is_in: bool) -> Option<Log> {
        let member = |name: &str| json.member(name).ok().flatten();
        let contract = member("address")?.string()?.to_ascii_lowercase();
        let token = self.network.tokens.iter().position(|token| token.address == contract)?;
        let topics: Vec<Vec<u8>> = member("topics")?.elements().map(bytes).collect::<Option<_>>()?;
        let [signature, from, to] = topics.as_slice() else { return None };
        let (from, to) = (address(from)?, address(to)?);
        let (own, other) = if is_in { (to, from) } else { (from, to) };
        let block = small(member("blockNumber")?)?;
        let txid = member("transactionHash")?.string()?.to_ascii_lowercase();
        let is_ours = own == self.address
            && format!("0x{}", hex::encode(signature)) == TRANSFER
            && (self.window.0..=self.window.1).contains(&block)
            && txid.len() == 66;
        let units = U256::from_be_bytes(bytes(member("data")?)?.try_into().ok()?);
        let index = small(member("logIndex")?)?;
        is_ours.then_some(Log { block, txid, index, token, is_in, other, units })
    }

    fn ask_times(&mut self) -> Turn {
        let mut blocks: Vec<u64> = self.logs.iter().map(|log| log.block).collect();
        blocks.sort_unstable();
        blocks.dedup();
        if blocks.is_empty() {
            return self.done();
        }
        if let Some(cutoff) = blocks.len().checked_sub(MAX_BLOCKS).and_then(|at| blocks.get(at)).copied() {
            // What is older is the next page's.
            blocks.retain(|block| *block >= cutoff);
            if self.logs.iter().any(|log| log.block < cutoff) {
                self.logs.retain(|log| log.block >= cutoff);
                self.next = cutoff.checked_sub(1);
            }
        }
        self.state = State::Times;
        let asks = blocks.iter().map(|number| block::ask(*number)).collect();
        self.asked = blocks;
        Turn::Ask(asks)
    }

    fn take_times(&mut self, answers: &Answers) -> Result<Turn, Fault> {
        for (at, number) in std::mem::take(&mut self.asked).into_iter().enumerate() {
            let block = answers.result(at, block::read)?;
            if block.number != number {
                return Err(malformed());
            }
            self.times.insert(number, block.time_s.saturating_mul(1000));
        }
        Ok(self.done())
    }

    fn done(&mut self) -> Turn {
        self.logs.sort_by_key(|log| core::cmp::Reverse((log.block, log.index)));
        let entries: Vec<Entry> = self.logs.iter().filter_map(|log| self.entry(log)).collect();
        let next = self.next.map(|next| next.to_string());
        let coin: Fault = FaultCode::Caller(CallerFault::Unsupported).into();
        let status = if next.is_none() { Status::Partial(coin) } else { Status::Ok };
        self.query.page(self.network, &entries, next, status)
    }

    fn entry(&self, log: &Log) -> Option<Entry> {
        let token = self.network.tokens.get(log.token)?;
        Some(Entry {
            id: format!("{}:{}", log.txid, log.index),
            txid: log.txid.clone(),
            time_ms: self.times.get(&log.block).copied(),
            symbol: token.symbol.clone(),
            asset: token.asset.clone(),
            is_in: log.is_in,
            amount: decimal(log.units, token.decimals)?,
            fee: None,
            address: Some(log.other.to_string()),
            has_failed: false,
        })
    }
}

fn address(topic: &[u8]) -> Option<Address> {
    let (zeros, address) = topic.split_first_chunk::<12>()?;
    let address = address.try_into().ok().map(Address)?;
    (*zeros == [0; 12]).then_some(address)
}

impl Reading for History {
    fn turn(&mut self, answers: &Answers, now_ms: u64) -> Result<Turn, Fault> {
        match self.state {
            State::Begin => {
                self.state = State::Newest;
                Ok(Turn::Ask(block::asks()))
            }
            State::Newest => {
                let newest = Block::newest(answers, self.chain, now_ms)?;
                self.begin(newest)?;
                if self.network.tokens.is_empty() {
                    self.next = None;
                }
                Ok(self.ask_logs())
            }
            State::Logs => self.take_logs(answers),
            State::Times => self.take_times(answers),
        }
    }
}
