//! Reading wallets on chains of the Ethereum Virtual Machine: anvil as a chain with the contracts that the network's
//! file names, at their addresses.

use crate::node::{Node, folder, free_port};
use crate::read::{account, balances, network, read, statuses, total, whole};
use crate::rpc::{Rpc, hex};
use enclave::connector::{FaultCode, FaultKind, Operation, Request, Status, TransportFault};
use enclave::keccak::keccak256;
use enclave::network::load_leaked;
use serde_json::{Value, json};
use std::process::Command;

/// Deploys the real Multicall3, as its authors signed it.
const MULTICALL3: &str = include_str!("../../../../tests/nodes/multicall3/deployment.hex");
const DEPLOYER: &str = "0x05f32b3cc3888453ff71b01135b34ff8e41263f2";
const WALLET: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

pub struct Chain {
    _node: Node,
    pub rpc: Rpc,
}

impl Chain {
    pub fn start(chain_id: u64) -> Chain {
        let port = free_port();
        let rpc = Rpc { port, path: "/".into(), credentials: String::new() };
        let program = folder().join("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil");
        let command = |_: &std::path::Path| {
            let mut command = Command::new(program);
            command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
            command.args(["--chain-id", &chain_id.to_string()]);
            command
        };
        let node = Node::start("anvil", command, || rpc.try_call("eth_chainId", json!([])).is_ok());
        Chain { _node: node, rpc }
    }

    pub fn with_multicall(self) -> Chain {
        self.rpc.call("anvil_setBalance", json!([DEPLOYER, "0xde0b6b3a7640000"]));
        let transaction: String = MULTICALL3.split_whitespace().collect();
        self.rpc.call("eth_sendRawTransaction", json!([transaction]));
        self
    }

    /// A token at an address of the network's file, of which a wallet holds something.
    pub fn put_token(&self, contract: &str, holder: &str, amount: u64) {
        let code = std::fs::read_to_string(folder().join("token.hex")).unwrap();
        let from = self.rpc.call("eth_accounts", json!([]))[0].clone();
        let call = json!([{ "from": from, "data": format!("0x{}", code.trim()), "gas": "0x200000" }]);
        let hash = self.rpc.call("eth_sendTransaction", call);
        let deployed = crate::ethereum::receipt(&self.rpc, &hash)["contractAddress"].clone();
        let runtime = self.rpc.call("eth_getCode", json!([deployed, "latest"]));
        self.rpc.call("anvil_setCode", json!([contract, runtime]));
        // The first variable of the contract is the table of balances.
        let key = format!("{:0>64}{:0>64}", holder.trim_start_matches("0x").to_lowercase(), "0");
        let slot = format!("0x{}", hex(&keccak256(&crate::rpc::unhex(&key))));
        self.rpc.call("anvil_setStorageAt", json!([contract, slot, format!("0x{amount:064x}")]));
    }

    /// Answers a request of the enclave's, whatever node it was for.
    pub fn serve(&self, request: &Request) -> Result<(u16, Vec<u8>), TransportFault> {
        let body = std::str::from_utf8(&request.body).unwrap();
        Ok((200, self.rpc.raw(body).unwrap().into_bytes()))
    }
}

#[test]
fn a_watched_address_has_its_coin_and_listed_tokens_and_nothing_else() {
    let chain = Chain::start(1).with_multicall();
    let ethereum = network("ethereum");
    chain.rpc.call("anvil_setBalance", json!([WALLET, "0x112210f47de98115"]));
    chain.put_token("0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", WALLET, 12_345_678);
    chain.put_token("0xdac17f958d2ee523a2206206994597c13d831ec7", WALLET, 1);
    // Somebody's token that the file does not list, whatever it calls itself.
    chain.put_token("0x00000000000000000000000000000000000000aa", WALLET, 999);
    let watched = account(ethereum, json!({ "watch": WALLET }));
    let (held, outcome) = balances(ethereum, &watched, &mut |request: &Request| chain.serve(request));
    assert_eq!(total(&held, "ETH").unwrap(), "1.234567890123456789");
    assert_eq!(total(&held, "USDC").unwrap(), "12.345678");
    assert_eq!(total(&held, "USDT").unwrap(), "0.000001");
    assert_eq!(held.len(), 3);
    assert_eq!(&*held[1].symbol, "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48");
    // Most of the file's tokens are no contracts on this chain, which is said.
    assert_eq!(statuses(&outcome), [("coin", "ok"), ("tokens", "partial"), ("other_tokens", "unsupported")]);
    assert_eq!(outcome.calls, 4);
}

#[test]
fn every_listed_token_that_answers_makes_the_tokens_complete() {
    let chain = Chain::start(1).with_multicall();
    let ethereum = network("ethereum");
    for (at, token) in ethereum.tokens.iter().enumerate() {
        chain.put_token(&token.address, WALLET, at as u64);
    }
    let watched = account(ethereum, json!({ "watch": WALLET }));
    let (held, outcome) = balances(ethereum, &watched, &mut |request: &Request| chain.serve(request));
    // The first has none of it, and is not listed.
    assert_eq!(held.len(), ethereum.tokens.len());
    assert!(matches!(outcome.coverage[1].status, Status::Ok));
}

#[test]
fn a_node_of_another_chain_is_refused_and_the_next_is_asked() {
    let right = Chain::start(1).with_multicall();
    let wrong = Chain::start(56).with_multicall();
    wrong.rpc.call("anvil_setBalance", json!([WALLET, "0xffffffffffffffff"]));
    let ethereum = network("ethereum");
    let watched = account(ethereum, json!({ "watch": WALLET }));
    let mut asked = Vec::new();
    let (held, _) = balances(ethereum, &watched, &mut |request: &Request| {
        asked.push(request.host.clone());
        if request.host == ethereum.nodes[0].host { wrong.serve(request) } else { right.serve(request) }
    });
    assert_eq!(total(&held, "ETH").unwrap(), "0");
    assert!(asked.contains(&ethereum.nodes[1].host));
    let operation = Operation::Balances { sources: None };
    let outcome = read(ethereum, &watched, operation, &mut |request: &Request| wrong.serve(request));
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Provider(FaultKind::Network));
}

#[test]
fn a_node_that_is_behind_is_refused() {
    let chain = Chain::start(1);
    chain.rpc.call("anvil_setBlockTimestampInterval", json!([1]));
    chain.rpc.call("evm_mine", json!([]));
    let ethereum = network("ethereum");
    let watched = account(ethereum, json!({ "watch": WALLET }));
    let mut old = |request: &Request| {
        let (status, body) = chain.serve(request)?;
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        if let Some(time) = answer["result"].get_mut("timestamp") {
            let seconds = u64::from_str_radix(&time.as_str().unwrap()[2..], 16).unwrap();
            *time = json!(format!("{:#x}", seconds - 3600));
        }
        Ok((status, answer.to_string().into_bytes()))
    };
    let outcome = read(ethereum, &watched, Operation::Balances { sources: None }, &mut old);
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Provider(FaultKind::Maintenance));
}

#[test]
fn a_chain_without_the_contract_still_has_its_coin_and_the_tokens_are_said_to_have_failed() {
    let chain = Chain::start(1);
    let ethereum = network("ethereum");
    chain.rpc.call("anvil_setBalance", json!([WALLET, "0xde0b6b3a7640000"]));
    let watched = account(ethereum, json!({ "watch": WALLET }));
    let (held, outcome) = balances(ethereum, &watched, &mut |request: &Request| chain.serve(request));
    assert_eq!(total(&held, "ETH").unwrap(), "1");
    assert_eq!(statuses(&outcome)[1], ("tokens", "failed"));
}

#[test]
fn transfers_of_listed_tokens_are_read_in_both_directions_and_the_coins_own_are_said_to_be_missing() {
    let chain = Chain::start(1).with_multicall();
    let usdc = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
    let ethereum = load_leaked(
        json!({
            "id": "few_blocks", "name": "Ethereum", "family": "evm", "chain": "eip155:1",
            "guide": { "url": "https://ethereum.org", "steps": "None." },
            "multicall": "0xca11bde05977b3631167028862be2a173976ca11", "stale_after": 900, "log_blocks": 10,
            "nodes": [{ "operator": "here", "host": "node.example", "path": "/" }],
            "coin": { "symbol": "ETH", "asset": "slip44:60", "decimals": 18 },
            "tokens": [{ "symbol": "USDC", "asset": format!("erc20:{usdc}"), "decimals": 6 }],
        })
        .to_string()
        .as_bytes(),
    )
    .unwrap();
    chain.put_token(usdc, WALLET, 1_000_000);
    chain.rpc.call("anvil_impersonateAccount", json!([WALLET]));
    chain.rpc.call("anvil_setBalance", json!([WALLET, "0xde0b6b3a7640000"]));
    let other = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    let send = |from: &str, to: &str, amount: u64| {
        let data = format!("0xa9059cbb{:0>64}{amount:064x}", &to[2..].to_lowercase());
        let hash = chain.rpc.call(
            "eth_sendTransaction",
            json!([{ "from": from, "to": usdc, "data": data, "gas": "0x30000" }]),
        );
        assert_eq!(crate::ethereum::receipt(&chain.rpc, &hash)["status"], "0x1");
        hash.as_str().unwrap().to_owned()
    };
    let out = send(WALLET, other, 250_000);
    // Further back than one page of windows reaches.
    chain.rpc.call("anvil_mine", json!(["0x12c", "0x0"]));
    let into = send(other, WALLET, 100_000);
    let watched = account(ethereum, json!({ "watch": WALLET }));
    let serve = &mut |request: &Request| chain.serve(request);
    let (ledger, outcome, pages) = whole(ethereum, &watched, "ledger", serve);
    assert!(pages > 1, "it goes on where it stopped");
    let seen: Vec<_> = ledger
        .iter()
        .map(|row| {
            (
                row.field("txid").unwrap(),
                row.field("direction").unwrap(),
                row.field("amount").unwrap(),
                row.field("address").unwrap(),
            )
        })
        .collect();
    assert_eq!(seen, [(into.as_str(), "in", "0.1", other), (out.as_str(), "out", "0.25", other)]);
    assert!(ledger.iter().all(|row| row.field("timestamp").is_some() && row.field("asset") == Some("USDC")));
    // A node does not list what moved the coin.
    assert_eq!(statuses(&outcome), [("history", "partial")]);
    assert_eq!(whole(ethereum, &watched, "deposits", serve).0.len(), 1);
    let mut lying = |request: &Request| {
        let (status, body) = chain.serve(request)?;
        let text = String::from_utf8(body).unwrap();
        // The node makes somebody else's transfer out of it.
        let text = text.replace(&WALLET[2..].to_lowercase(), &other[2..].to_lowercase());
        Ok((status, text.into_bytes()))
    };
    let outcome = read(ethereum, &watched, crate::read::page("ledger", Default::default()), &mut lying);
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Malformed);
}
