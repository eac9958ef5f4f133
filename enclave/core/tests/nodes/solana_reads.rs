//! Reading wallets on Solana: the real virtual machine keeps the accounts, and is asked for them in the words of Solana's
//! JSON-RPC.

use crate::read::{account, balances, network, read, statuses, total, whole};
use crate::rpc::{Rpc, base64, unbase64};
use crate::solana::{MINT, TOKEN, balance, give_tokens, pay, sign, start, wallet};
use enclave::connector::{FaultCode, FaultKind, Operation, Request, TransportFault};
use enclave::wallet::solana::Address;
use serde_json::{Value, json};

const GENESIS: &str = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d";
const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

/// What a validator answers, from the machine's accounts.
pub struct Validator<'r> {
    pub rpc: &'r Rpc,
    pub genesis: &'static str,
    /// The token accounts that it has indexed.
    pub accounts: Vec<Address>,
    /// What it saw happen, the oldest first.
    pub seen: Vec<Value>,
}

impl Validator<'_> {
    pub fn serve(&self, request: &Request) -> Result<(u16, Vec<u8>), TransportFault> {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let params = &asked["params"];
        let context = json!({ "slot": 1 });
        let result = match asked["method"].as_str().unwrap() {
            "getGenesisHash" => json!(self.genesis),
            "getBalance" => {
                let lamports: u64 =
                    self.rpc.call("getBalance", json!([params[0]])).as_str().unwrap().parse().unwrap();
                json!({ "context": context, "value": lamports })
            }
            "getTokenAccountsByOwner" if params[1]["programId"] == TOKEN => {
                let owned = self.accounts.iter().map(|at| (at, self.parsed(at)));
                let owned = owned.filter(|(_, info)| info["owner"] == params[0]);
                let value = owned.map(|(at, info)| {
                    let data =
                        json!({ "program": "spl-token", "parsed": { "type": "account", "info": info } });
                    json!({ "pubkey": at.to_string(), "account": { "data": data, "owner": TOKEN } })
                });
                json!({ "context": context, "value": value.collect::<Vec<_>>() })
            }
            "getTokenAccountsByOwner" => json!({ "context": context, "value": [] }),
            "getSignaturesForAddress" => {
                let of = params[0].as_str().unwrap();
                let before = params[1]["before"].as_str();
                let limit: usize = params[1]["limit"].as_u64().unwrap().try_into().unwrap();
                let newest = self.seen.iter().rev();
                let newest =
                    newest.skip_while(|seen| before.is_some_and(|before| seen["signature"] != before));
                let newest = newest.skip(usize::from(before.is_some()));
                let of = newest.filter(|seen| seen["transaction"].to_string().contains(of)).take(limit);
                Value::Array(of.map(|seen| json!({ "signature": seen["signature"], "err": null })).collect())
            }
            "getTransaction" => {
                let found = self.seen.iter().find(|seen| seen["signature"] == params[0]).unwrap();
                let mut found = found.clone();
                found.as_object_mut().unwrap().remove("signature");
                found
            }
            other => panic!("the validator has no {other}"),
        };
        let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
        Ok((200, answer.to_string().into_bytes()))
    }

    /// Pays from the wallet, and remembers what it changed as the machine's accounts show it.
    fn pay(&mut self, to: Address, lamports: u64) {
        let message = pay(self.rpc, to, lamports);
        let balances = || message.accounts.iter().map(|at| balance(self.rpc, at)).collect::<Vec<u64>>();
        let before = balances();
        let (transaction, fee) = sign(&message, &to);
        let signature = self.rpc.call("sendTransaction", json!([base64(&transaction)]));
        let keys = message.accounts.iter().map(|key| json!({ "pubkey": key.to_string() }));
        let seen = json!({
            "signature": signature,
            "blockTime": 1_795_305_600 + self.seen.len(),
            "transaction": { "message": { "accountKeys": keys.collect::<Vec<_>>() } },
            "meta": {
                "err": null, "fee": fee, "preBalances": before, "postBalances": balances(),
                "preTokenBalances": [], "postTokenBalances": [],
            },
        });
        self.seen.push(seen);
    }

    /// A token account's bytes, as the validator explains them.
    fn parsed(&self, at: &Address) -> Value {
        let data = self.data(at);
        let key = |from: usize| Address(data[from..from + 32].try_into().unwrap()).to_string();
        let amount = u64::from_le_bytes(data[64..72].try_into().unwrap());
        let mint = self.data(&Address(data[..32].try_into().unwrap()));
        let state = if data[108] == 2 { "frozen" } else { "initialized" };
        json!({
            "mint": key(0), "owner": key(32), "state": state, "isNative": false,
            "tokenAmount": { "amount": amount.to_string(), "decimals": mint[44], "uiAmountString": "not read" },
        })
    }

    fn data(&self, at: &Address) -> Vec<u8> {
        unbase64(self.rpc.call("getData", json!([at.to_string()])).as_str().unwrap())
    }
}

fn token_account(mint: &Address) -> Address {
    Address::token_account(&wallet(), mint).unwrap()
}

#[test]
fn a_watched_address_has_its_coin_and_tokens_and_an_unlisted_one_is_called_by_its_mint() {
    let (_node, rpc) = start();
    let usdc: Address = USDC.parse().unwrap();
    give_tokens(&rpc, &MINT, &token_account(&MINT), 1_500_000);
    give_tokens(&rpc, &usdc, &token_account(&usdc), 2_000_001);
    let accounts = vec![token_account(&MINT), token_account(&usdc)];
    let validator = Validator { rpc: &rpc, genesis: GENESIS, accounts, seen: vec![] };
    let solana = network("solana");
    let watched = account(solana, json!({ "watch": wallet().to_string() }));
    let (held, outcome) = balances(solana, &watched, &mut |request: &Request| validator.serve(request));
    assert_eq!(total(&held, "SOL").unwrap(), "1");
    assert_eq!(total(&held, "USDC").unwrap(), "2.000001");
    assert_eq!(total(&held, &MINT.to_string()).unwrap(), "1.5");
    let unlisted = held.iter().find(|balance| *balance.asset == MINT.to_string()).unwrap();
    assert_eq!(*unlisted.symbol, format!("{}/token:{MINT}", solana.chain));
    assert_eq!(
        statuses(&outcome),
        [("coin", "ok"), ("tokens", "ok"), ("tokens_2022", "ok"), ("stake", "unsupported")]
    );
}

#[test]
fn a_node_of_another_cluster_is_refused_and_so_is_one_that_lies_about_a_listed_tokens_digits() {
    let (_node, rpc) = start();
    let solana = network("solana");
    let watched = account(solana, json!({ "watch": wallet().to_string() }));
    let operation = || Operation::Balances { sources: None };
    let devnet = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG";
    let validator = Validator { rpc: &rpc, genesis: devnet, accounts: vec![], seen: vec![] };
    let outcome = read(solana, &watched, operation(), &mut |request: &Request| validator.serve(request));
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Provider(FaultKind::Network));

    let usdc: Address = USDC.parse().unwrap();
    give_tokens(&rpc, &usdc, &token_account(&usdc), 2_000_001);
    let validator =
        Validator { rpc: &rpc, genesis: GENESIS, accounts: vec![token_account(&usdc)], seen: vec![] };
    let mut lying = |request: &Request| {
        let (status, body) = validator.serve(request)?;
        let text = String::from_utf8(body).unwrap().replace(r#""decimals":6"#, r#""decimals":2"#);
        Ok((status, text.into_bytes()))
    };
    let outcome = read(solana, &watched, operation(), &mut lying);
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Malformed);
}

#[test]
fn a_history_is_read_to_its_beginning_with_each_fee_beside_what_was_moved() {
    let (_node, rpc) = start();
    let mut validator = Validator { rpc: &rpc, genesis: GENESIS, accounts: vec![], seen: vec![] };
    for amount in 0..40 {
        validator.pay(Address([7; 32]), 1_000_000 + amount);
    }
    let solana = network("solana");
    let watched = account(solana, json!({ "watch": wallet().to_string() }));
    let serve = &mut |request: &Request| validator.serve(request);
    let (rows, outcome, _) = whole(solana, &watched, "withdrawals", serve);
    assert_eq!(rows.len(), 40);
    assert_eq!((rows[0].field("amount"), rows[0].field("fee")), (Some("0.001000039"), Some("0.000005")));
    assert_eq!(rows[39].field("amount"), Some("0.001"));
    // Token accounts that were closed are asked about by nobody.
    assert_eq!(statuses(&outcome), [("history", "partial")]);
    // Who was paid has the same transactions the other way round.
    let paid = account(solana, json!({ "watch": Address([7; 32]).to_string() }));
    let (rows, _, _) = whole(solana, &paid, "deposits", serve);
    assert_eq!((rows.len(), rows[0].field("fee")), (40, None));
}
