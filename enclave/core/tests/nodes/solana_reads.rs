//! Reading wallets on Solana: the real virtual machine keeps the accounts, and is asked for them in the words of Solana's
//! JSON-RPC.

use crate::read::{account, balances, network, read, statuses, total};
use crate::rpc::{Rpc, unbase64};
use crate::solana::{MINT, TOKEN, give_tokens, start, wallet};
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
            other => panic!("the validator has no {other}"),
        };
        let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
        Ok((200, answer.to_string().into_bytes()))
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
    let validator = Validator { rpc: &rpc, genesis: GENESIS, accounts };
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
    let validator = Validator { rpc: &rpc, genesis: devnet, accounts: vec![] };
    let outcome = read(solana, &watched, operation(), &mut |request: &Request| validator.serve(request));
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Provider(FaultKind::Network));

    let usdc: Address = USDC.parse().unwrap();
    give_tokens(&rpc, &usdc, &token_account(&usdc), 2_000_001);
    let validator = Validator { rpc: &rpc, genesis: GENESIS, accounts: vec![token_account(&usdc)] };
    let mut lying = |request: &Request| {
        let (status, body) = validator.serve(request)?;
        let text = String::from_utf8(body).unwrap().replace(r#""decimals":6"#, r#""decimals":2"#);
        Ok((status, text.into_bytes()))
    };
    let outcome = read(solana, &watched, operation(), &mut lying);
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Malformed);
}
