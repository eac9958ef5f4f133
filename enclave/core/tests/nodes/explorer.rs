//! Esplora's interface in front of a real Bitcoin node: what the node says, in the words of that interface.
//!
//! The node's chain is regtest; who asks is told that it is the main network, whose addresses stand for the same scripts.

use crate::bitcoin::{Bitcoin, satoshis};
use enclave::connector::{Request, TransportFault};
use enclave::wallet::bitcoin::{Address, Network};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const GENESIS: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
/// Transactions of a page, as Esplora has them.
const PAGE: usize = 25;

pub struct Esplora<'n> {
    node: &'n Bitcoin,
    /// What the first block's hash is said to be.
    pub genesis: String,
    /// Every transaction, the newest first; those that wait for a block before all others.
    transactions: Vec<Transaction>,
}

struct Transaction {
    json: Value,
    /// Addresses that receive, and that spend, with satoshis, outpoints behind.
    outputs: Vec<(String, u64)>,
    inputs: Vec<(String, u64)>,
    spends: Vec<(String, u64)>,
    is_confirmed: bool,
}

impl<'n> Esplora<'n> {
    /// Reads the node's whole chain.
    pub fn of(node: &'n Bitcoin) -> Esplora<'n> {
        let mut esplora = Esplora { node, genesis: GENESIS.to_owned(), transactions: Vec::new() };
        let rpc = node.node();
        let height = rpc.call("getblockcount", json!([])).as_u64().unwrap();
        let mut found: Vec<(Value, Value)> = Vec::new();
        for at in 1..=height {
            let hash = rpc.call("getblockhash", json!([at]));
            let block = rpc.call("getblock", json!([hash, 2]));
            let status = json!({ "confirmed": true, "block_height": at, "block_hash": hash, "block_time": block["time"] });
            for transaction in block["tx"].as_array().unwrap() {
                found.push((transaction.clone(), status.clone()));
            }
        }
        for txid in rpc.call("getrawmempool", json!([])).as_array().unwrap() {
            let transaction = rpc.call("getrawtransaction", json!([txid, true]));
            found.push((transaction, json!({ "confirmed": false })));
        }
        let mut outputs: BTreeMap<(String, u64), (String, u64)> = BTreeMap::new();
        for (transaction, status) in found {
            let seen = Transaction::of(&transaction, &status, &mut outputs);
            esplora.transactions.push(seen);
        }
        esplora.transactions.reverse();
        esplora
    }

    pub fn serve(&self, request: &Request) -> Result<(u16, Vec<u8>), TransportFault> {
        let path = request.target.strip_prefix("/api").unwrap();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let answer = match parts[..] {
            ["block-height", "0"] => self.genesis.clone(),
            ["blocks", "tip", "height"] => self.node.node().call("getblockcount", json!([])).to_string(),
            ["address", address] => self.stats(address).to_string(),
            ["address", address, "utxo"] => self.unspent(address).to_string(),
            ["address", address, "txs"] => self.page(address, None).to_string(),
            ["address", address, "txs", "chain", after] => self.page(address, Some(after)).to_string(),
            ["fee-estimates"] => {
                json!({ "1": 12.5, "3": 8.0, "6": 5.25, "144": 1.0, "1008": 1.0 }).to_string()
            }
            _ => return Ok((404, b"not found".to_vec())),
        };
        Ok((200, answer.into_bytes()))
    }

    fn stats(&self, address: &str) -> Value {
        let sums = |is_confirmed: bool| {
            let of = self.transactions.iter().filter(|tx| tx.is_confirmed == is_confirmed);
            let (mut funded, mut spent, mut count) = (0, 0, 0);
            for transaction in of {
                let sum = |list: &[(String, u64)]| -> u64 {
                    list.iter().filter(|(to, _)| to == address).map(|(_, value)| value).sum()
                };
                funded += sum(&transaction.outputs);
                spent += sum(&transaction.inputs);
                count += u64::from(transaction.touches(address));
            }
            json!({ "funded_txo_sum": funded, "spent_txo_sum": spent, "tx_count": count })
        };
        json!({ "address": address, "chain_stats": sums(true), "mempool_stats": sums(false) })
    }

    fn unspent(&self, address: &str) -> Value {
        let spent: Vec<&(String, u64)> = self.transactions.iter().flat_map(|tx| &tx.spends).collect();
        let mut unspent = Vec::new();
        for transaction in &self.transactions {
            let txid = transaction.json["txid"].as_str().unwrap();
            for (vout, (to, value)) in transaction.outputs.iter().enumerate() {
                if to == address && !spent.contains(&&(txid.to_owned(), vout as u64)) {
                    let status = &transaction.json["status"];
                    unspent.push(json!({ "txid": txid, "vout": vout, "value": value, "status": status }));
                }
            }
        }
        Value::Array(unspent)
    }

    fn page(&self, address: &str, after: Option<&str>) -> Value {
        let of: Vec<&Transaction> = self.transactions.iter().filter(|tx| tx.touches(address)).collect();
        let start = after.map_or(0, |after| {
            of.iter().position(|tx| tx.json["txid"] == after).map_or(of.len(), |at| at + 1)
        });
        let waiting = of.iter().filter(|tx| after.is_none() && !tx.is_confirmed);
        let confirmed = of.iter().skip(start).filter(|tx| tx.is_confirmed).take(PAGE);
        Value::Array(waiting.chain(confirmed).map(|tx| tx.json.clone()).collect())
    }
}

impl Transaction {
    fn of(
        transaction: &Value,
        status: &Value,
        known: &mut BTreeMap<(String, u64), (String, u64)>,
    ) -> Transaction {
        let txid = transaction["txid"].as_str().unwrap().to_owned();
        let mut outputs = Vec::new();
        for (vout, output) in transaction["vout"].as_array().unwrap().iter().enumerate() {
            let address = output["scriptPubKey"]["address"].as_str().map_or(String::new(), on_main);
            let value = satoshis(&output["value"]);
            known.insert((txid.clone(), vout as u64), (address.clone(), value));
            outputs.push((address, value));
        }
        let mut inputs = Vec::new();
        let mut spends = Vec::new();
        for input in transaction["vin"].as_array().unwrap() {
            let Some(from) = input["txid"].as_str() else { continue };
            let outpoint = (from.to_owned(), input["vout"].as_u64().unwrap());
            inputs.push(known[&outpoint].clone());
            spends.push(outpoint);
        }
        let output = |(address, value): &(String, u64)| {
            let mut output = json!({ "scriptpubkey": "", "value": value });
            if !address.is_empty() {
                output["scriptpubkey_address"] = json!(address);
            }
            output
        };
        let input = |(spent, (txid, vout)): (&(String, u64), &(String, u64))| json!({ "txid": txid, "vout": vout, "is_coinbase": false, "prevout": output(spent) });
        let received: u64 = inputs.iter().map(|(_, value)| value).sum();
        let sent: u64 = outputs.iter().map(|(_, value)| value).sum();
        let mut vin: Vec<Value> = inputs.iter().zip(&spends).map(input).collect();
        if vin.is_empty() {
            vin.push(json!({ "is_coinbase": true, "prevout": null }));
        }
        let json = json!({
            "txid": txid, "status": status, "fee": received.saturating_sub(sent), "vin": vin,
            "vout": outputs.iter().map(output).collect::<Vec<_>>(),
        });
        Transaction { json, outputs, inputs, spends, is_confirmed: status["confirmed"] == true }
    }

    fn touches(&self, address: &str) -> bool {
        self.outputs.iter().chain(&self.inputs).any(|(of, _)| of == address)
    }
}

/// The main network's address of the same script.
fn on_main(address: &str) -> String {
    let address: Address = address.parse().unwrap();
    Address::new(Network::Main, address.destination).to_string()
}

/// The node's address of the same script.
pub fn on_regtest(address: &Address) -> String {
    Address::new(Network::Regtest, address.destination.clone()).to_string()
}
