//! A Bitcoin node behind the questions that Esplora answers. It reads the whole chain, which is short, whenever it changed.

use crate::bitcoin::{Bitcoin, satoshis};
use enclave::connector::{Request, TransportFault};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;

pub struct Esplora<'b> {
    pub bitcoin: &'b Bitcoin,
    /// Satoshis for a virtual byte.
    pub rate: f64,
    read: RefCell<Option<(Value, Rc<Chain>)>>,
}

/// Every transaction: with its block's height, or waiting.
type Chain = Vec<(Value, Option<u64>)>;

type Answer = (u16, String);

impl<'b> Esplora<'b> {
    pub fn new(bitcoin: &'b Bitcoin, rate: f64) -> Esplora<'b> {
        Esplora { bitcoin, rate, read: RefCell::new(None) }
    }

    pub fn serve(&self, request: &Request) -> Result<(u16, Vec<u8>), TransportFault> {
        let (path, body) = (request.target.clone(), String::from_utf8(request.body.clone()).unwrap());
        let (status, answer) = self.answer(&path, &body);
        Ok((status, answer.into_bytes()))
    }

    fn answer(&self, path: &str, body: &str) -> Answer {
        let node = self.bitcoin.node();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match parts.as_slice() {
            ["block-height", height] => {
                let height: u64 = height.parse().unwrap();
                (200, node.call("getblockhash", json!([height])).as_str().unwrap().to_owned())
            }
            ["blocks", "tip", "height"] => (200, node.call("getblockcount", json!([])).to_string()),
            ["fee-estimates"] => (200, json!({ "1": 99.5, "3": self.rate, "144": 1.0 }).to_string()),
            ["address", address] => (200, self.address(address).to_string()),
            ["address", address, "utxo"] => (200, self.unspent(address).to_string()),
            ["tx", txid] => self.transaction(txid).map_or_else(missing, |found| (200, found.to_string())),
            ["tx", txid, "hex"] => match node.try_call("getrawtransaction", json!([txid])) {
                Ok(hex) => (200, hex.as_str().unwrap().to_owned()),
                Err(_) => missing(),
            },
            ["tx", txid, "outspend", index] => (200, self.spender(txid, index.parse().unwrap()).to_string()),
            ["tx"] => match node.try_call("sendrawtransaction", json!([body])) {
                Ok(txid) => (200, txid.as_str().unwrap().to_owned()),
                Err(error) => (400, error),
            },
            _ => missing(),
        }
    }

    fn all(&self) -> Rc<Chain> {
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

    fn read_all(&self, waiting: &Value) -> Chain {
        let node = self.bitcoin.node();
        let tip = node.call("getblockcount", json!([])).as_u64().unwrap();
        let mut all = Vec::new();
        for height in 0..=tip {
            let hash = node.call("getblockhash", json!([height]));
            let block = node.call("getblock", json!([hash, 3]));
            all.extend(block["tx"].as_array().unwrap().iter().map(|found| (found.clone(), Some(height))));
        }
        for txid in waiting.as_array().unwrap() {
            all.push((node.call("getrawtransaction", json!([txid, 2])), None));
        }
        all
    }

    fn address(&self, address: &str) -> Value {
        let all = self.all();
        let stats = |is_mined: bool| {
            let (mut funded, mut spent, mut count) = (0, 0, 0);
            for (found, _) in all.iter().filter(|(_, height)| height.is_some() == is_mined) {
                let list = |name: &str| found[name].as_array().unwrap().clone();
                let received: u64 = list("vout").iter().map(|out| value_of(out, address)).sum();
                let given: u64 = list("vin").iter().map(|input| value_of(&input["prevout"], address)).sum();
                count += u64::from(received + given > 0);
                (funded, spent) = (funded + received, spent + given);
            }
            json!({ "tx_count": count, "funded_txo_sum": funded, "spent_txo_sum": spent })
        };
        json!({ "address": address, "chain_stats": stats(true), "mempool_stats": stats(false) })
    }

    fn unspent(&self, address: &str) -> Value {
        let mut unspent = Vec::new();
        let all = self.all();
        for (found, height) in all.iter() {
            for out in found["vout"].as_array().unwrap() {
                let (txid, index) = (found["txid"].as_str().unwrap(), out["n"].as_u64().unwrap());
                if is_of(&out["scriptPubKey"], address) && spent_by(&all, txid, index).is_none() {
                    let status = status(*height);
                    unspent.push(json!({ "txid": txid, "vout": index, "value": satoshis(&out["value"]), "status": status }));
                }
            }
        }
        unspent.into()
    }

    fn transaction(&self, txid: &str) -> Option<Value> {
        let all = self.all();
        let (_, height) = all.iter().find(|(found, _)| found["txid"] == txid)?;
        Some(json!({ "txid": txid, "status": status(*height) }))
    }

    fn spender(&self, txid: &str, index: u64) -> Value {
        match spent_by(&self.all(), txid, index) {
            Some((spender, height)) => {
                json!({ "spent": true, "txid": spender, "vin": 0, "status": status(height) })
            }
            None => json!({ "spent": false }),
        }
    }
}

fn missing() -> Answer {
    (404, "Transaction not found".to_owned())
}

/// Satoshis in an output, if it is an address's.
fn value_of(output: &Value, address: &str) -> u64 {
    if is_of(&output["scriptPubKey"], address) { satoshis(&output["value"]) } else { 0 }
}

fn is_of(script: &Value, address: &str) -> bool {
    script["address"] == address
}

fn status(height: Option<u64>) -> Value {
    match height {
        Some(height) => json!({ "confirmed": true, "block_height": height }),
        None => json!({ "confirmed": false }),
    }
}

fn spent_by(all: &[(Value, Option<u64>)], txid: &str, index: u64) -> Option<(Value, Option<u64>)> {
    let spends = |input: &Value| input["txid"] == txid && input["vout"] == index;
    let (found, height) =
        all.iter().find(|(found, _)| found["vin"].as_array().unwrap().iter().any(spends))?;
    Some((found["txid"].clone(), *height))
}
