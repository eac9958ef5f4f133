//! A Bitcoin node behind the questions that Esplora answers: what the node says, in the words of that interface. It reads
//! the whole chain, which is short, whenever it changed.

use crate::bitcoin::{Bitcoin, satoshis};
use enclave::connector::{Request, TransportFault};
use enclave::wallet::bitcoin::{Address, Network};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The main network's first block.
const GENESIS: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
/// Transactions of a page, as Esplora has them.
const PAGE: usize = 25;

pub struct Esplora<'b> {
    bitcoin: &'b Bitcoin,
    /// In whose writing addresses are given; they stand for the same scripts.
    network: Network,
    /// What the first block's hash is said to be.
    pub genesis: String,
    /// Satoshis for a virtual byte.
    rate: f64,
    read: RefCell<Option<(Value, Rc<Vec<Transaction>>)>>,
}

/// A transaction, in Esplora's words and in those of the questions that are asked about it.
struct Transaction {
    json: Value,
    outputs: Vec<Paid>,
    inputs: Vec<Spent>,
    is_confirmed: bool,
}

/// What an address was paid; a script without an address has an empty one.
#[derive(Clone)]
struct Paid {
    address: String,
    value: u64,
}

/// Which output is spent, and what was paid there.
struct Spent {
    outpoint: (String, u64),
    paid: Paid,
}

type Answer = (u16, String);

impl<'b> Esplora<'b> {
    /// The node's own chain.
    pub fn of(bitcoin: &'b Bitcoin, rate: f64) -> Esplora<'b> {
        let genesis = bitcoin.node().call("getblockhash", json!([0])).as_str().unwrap().to_owned();
        Esplora { bitcoin, network: Network::Regtest, genesis, rate, read: RefCell::new(None) }
    }

    /// The same, said to be the main network.
    pub fn of_main(bitcoin: &'b Bitcoin) -> Esplora<'b> {
        let genesis = GENESIS.to_owned();
        Esplora { bitcoin, network: Network::Main, genesis, rate: 8.0, read: RefCell::new(None) }
    }

    pub fn serve(&self, request: &Request) -> Result<(u16, Vec<u8>), TransportFault> {
        let path = request.target.strip_prefix("/api").unwrap_or(&request.target);
        let (status, answer) = self.answer(path, std::str::from_utf8(&request.body).unwrap());
        Ok((status, answer.into_bytes()))
    }

    fn answer(&self, path: &str, body: &str) -> Answer {
        let node = self.bitcoin.node();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let found = match parts[..] {
            ["block-height", "0"] => Some(self.genesis.clone()),
            ["blocks", "tip", "height"] => Some(node.call("getblockcount", json!([])).to_string()),
            ["fee-estimates"] => Some(json!({ "1": 99.5, "3": self.rate, "144": 1.0 }).to_string()),
            ["address", address] => Some(self.stats(address).to_string()),
            ["address", address, "utxo"] => Some(self.unspent(address).to_string()),
            ["address", address, "txs"] => Some(self.page(address, None).to_string()),
            ["address", address, "txs", "chain", after] => Some(self.page(address, Some(after)).to_string()),
            ["tx", txid] => {
                self.all().iter().find(|tx| tx.json["txid"] == txid).map(|tx| tx.json.to_string())
            }
            ["tx", txid, "hex"] => {
                let hex = node.try_call("getrawtransaction", json!([txid])).ok();
                hex.map(|hex| hex.as_str().unwrap().to_owned())
            }
            ["tx", txid, "outspend", index] => {
                Some(self.spender(&(txid.to_owned(), index.parse().unwrap())).to_string())
            }
            ["tx"] => match node.try_call("sendrawtransaction", json!([body])) {
                Ok(txid) => Some(txid.as_str().unwrap().to_owned()),
                Err(error) => return (400, error),
            },
            _ => None,
        };
        found.map_or_else(|| (404, "Transaction not found".to_owned()), |found| (200, found))
    }

    /// Every transaction, the oldest first; those that wait for a block behind all others.
    fn all(&self) -> Rc<Vec<Transaction>> {
        let node = self.bitcoin.node();
        let state = json!([node.call("getbestblockhash", json!([])), node.call("getrawmempool", json!([]))]);
        let mut read = self.read.borrow_mut();
        match &*read {
            Some((known, all)) if *known == state => Rc::clone(all),
            _ => {
                let all = Rc::new(self.read_all(&state[1]));
                *read = Some((state, Rc::clone(&all)));
                all
            }
        }
    }

    fn read_all(&self, waiting: &Value) -> Vec<Transaction> {
        let node = self.bitcoin.node();
        let tip = node.call("getblockcount", json!([])).as_u64().unwrap();
        let (mut all, mut known) = (Vec::new(), HashMap::new());
        for height in 0..=tip {
            let hash = node.call("getblockhash", json!([height]));
            let block = node.call("getblock", json!([hash, 2]));
            let status = json!({ "confirmed": true, "block_height": height, "block_hash": hash, "block_time": block["time"] });
            for found in block["tx"].as_array().unwrap() {
                all.push(self.transaction(found, &status, &mut known));
            }
        }
        for txid in waiting.as_array().unwrap() {
            let found = node.call("getrawtransaction", json!([txid, true]));
            all.push(self.transaction(&found, &json!({ "confirmed": false }), &mut known));
        }
        all
    }

    /// `known` is every output so far.
    fn transaction(
        &self,
        found: &Value,
        status: &Value,
        known: &mut HashMap<(String, u64), Paid>,
    ) -> Transaction {
        let list = |name: &str| found[name].as_array().unwrap().iter();
        let outputs: Vec<Paid> = list("vout").map(|output| self.paid(output)).collect();
        for (vout, paid) in outputs.iter().enumerate() {
            known.insert((found["txid"].as_str().unwrap().to_owned(), vout as u64), paid.clone());
        }
        let spends = list("vin").filter(|input| input["txid"].is_string());
        let outpoint =
            |input: &Value| (input["txid"].as_str().unwrap().to_owned(), input["vout"].as_u64().unwrap());
        let inputs: Vec<Spent> =
            spends.map(outpoint).map(|outpoint| Spent { paid: known[&outpoint].clone(), outpoint }).collect();
        let mut vin: Vec<Value> = inputs.iter().map(Spent::json).collect();
        if vin.is_empty() {
            vin.push(json!({ "is_coinbase": true, "prevout": null }));
        }
        let received: u64 = inputs.iter().map(|input| input.paid.value).sum();
        let sent: u64 = outputs.iter().map(|output| output.value).sum();
        let json = json!({
            "txid": found["txid"], "status": status, "fee": received.saturating_sub(sent), "vin": vin,
            "vout": outputs.iter().map(Paid::json).collect::<Vec<_>>(),
        });
        Transaction { json, outputs, inputs, is_confirmed: status["confirmed"] == true }
    }

    fn paid(&self, output: &Value) -> Paid {
        let address = output["scriptPubKey"]["address"].as_str();
        let written = |address: &str| on(self.network, &address.parse().unwrap());
        Paid { address: address.map(written).unwrap_or_default(), value: satoshis(&output["value"]) }
    }

    fn stats(&self, address: &str) -> Value {
        let all = self.all();
        let stats = |is_confirmed: bool| {
            let (mut funded, mut spent, mut count) = (0, 0, 0);
            for transaction in all.iter().filter(|found| found.is_confirmed == is_confirmed) {
                let outputs = transaction.outputs.iter().filter(|paid| paid.address == address);
                let inputs = transaction.inputs.iter().filter(|spent| spent.paid.address == address);
                funded += outputs.map(|paid| paid.value).sum::<u64>();
                spent += inputs.map(|spent| spent.paid.value).sum::<u64>();
                count += u64::from(transaction.touches(address));
            }
            json!({ "funded_txo_sum": funded, "spent_txo_sum": spent, "tx_count": count })
        };
        json!({ "address": address, "chain_stats": stats(true), "mempool_stats": stats(false) })
    }

    fn unspent(&self, address: &str) -> Value {
        let all = self.all();
        let mut unspent = Vec::new();
        for transaction in all.iter() {
            let txid = transaction.json["txid"].as_str().unwrap();
            for (vout, paid) in transaction.outputs.iter().enumerate() {
                if paid.address == address && spender(&all, &(txid.to_owned(), vout as u64)).is_none() {
                    let status = &transaction.json["status"];
                    unspent
                        .push(json!({ "txid": txid, "vout": vout, "value": paid.value, "status": status }));
                }
            }
        }
        Value::Array(unspent)
    }

    /// The newest first, those that wait before all others.
    fn page(&self, address: &str, after: Option<&str>) -> Value {
        let all = self.all();
        let of: Vec<&Transaction> = all.iter().rev().filter(|found| found.touches(address)).collect();
        let start = after.map_or(0, |after| {
            of.iter().position(|found| found.json["txid"] == after).map_or(of.len(), |at| at + 1)
        });
        let waiting = of.iter().filter(|found| after.is_none() && !found.is_confirmed);
        let confirmed = of.iter().skip(start).filter(|found| found.is_confirmed).take(PAGE);
        Value::Array(waiting.chain(confirmed).map(|found| found.json.clone()).collect())
    }

    fn spender(&self, outpoint: &(String, u64)) -> Value {
        match spender(&self.all(), outpoint) {
            Some(found) => {
                json!({ "spent": true, "txid": found.json["txid"], "vin": 0, "status": found.json["status"] })
            }
            None => json!({ "spent": false }),
        }
    }
}

impl Transaction {
    fn touches(&self, address: &str) -> bool {
        let spent = self.inputs.iter().map(|spent| &spent.paid);
        self.outputs.iter().chain(spent).any(|paid| paid.address == address)
    }
}

impl Paid {
    fn json(&self) -> Value {
        let mut output = json!({ "scriptpubkey": "", "value": self.value });
        if !self.address.is_empty() {
            output["scriptpubkey_address"] = json!(self.address);
        }
        output
    }
}

impl Spent {
    fn json(&self) -> Value {
        let (txid, vout) = &self.outpoint;
        json!({ "txid": txid, "vout": vout, "is_coinbase": false, "prevout": self.paid.json() })
    }
}

fn spender<'t>(all: &'t [Transaction], outpoint: &(String, u64)) -> Option<&'t Transaction> {
    all.iter().find(|found| found.inputs.iter().any(|spent| spent.outpoint == *outpoint))
}

/// A network's address of the same script.
pub fn on(network: Network, address: &Address) -> String {
    Address::new(network, address.destination.clone()).to_string()
}
