//! anvil: an Ethereum node whose accounts come from the phrase below.

use crate::node::{Node, folder, free_port};
use crate::rpc::{Rpc, hex, unhex};
use enclave::secp256k1::SigningKey;
use enclave::wallet::evm::{
    Address, Call, Domain, Field, Transaction, personal_hash, struct_hash, typed_hash,
};
use enclave::wallet::key::{ExtendedKey, Mnemonic};
use enclave::wallet::u256::U256;
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

const PHRASE: &str = "test test test test test test test test test test test junk";
const CHAIN: u64 = 31337;

fn start() -> (Node, Rpc) {
    let port = free_port();
    let rpc = Rpc { port, path: "/".into(), credentials: String::new() };
    let program = folder().join("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil");
    let command = |_: &std::path::Path| {
        let mut command = Command::new(program);
        command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--mnemonic", PHRASE]);
        command
    };
    let node = Node::start("anvil", command, || rpc.try_call("eth_chainId", json!([])).is_ok());
    (node, rpc)
}

fn master() -> ExtendedKey {
    ExtendedKey::master(&Mnemonic::parse(PHRASE).unwrap().seed("").unwrap()).unwrap()
}

fn account(index: u32) -> ExtendedKey {
    master().derive(&format!("m/44h/60h/0h/0/{index}").parse().unwrap()).unwrap()
}

fn address(key: &SigningKey) -> Address {
    Address::of(&key.public_key())
}

fn balance(rpc: &Rpc, of: &Address) -> u128 {
    let answer = rpc.call("eth_getBalance", json!([of.to_string(), "latest"]));
    u128::from_str_radix(&answer.as_str().unwrap()[2..], 16).unwrap()
}

/// A transfer of coins from the first account, with the node's own nonce and fees.
fn transfer(rpc: &Rpc, to: Address, value: u128) -> Transaction {
    let number = |answer: Value| u128::from_str_radix(&answer.as_str().unwrap()[2..], 16).unwrap();
    let from = address(account(0).signing_key()).to_string();
    let nonce = number(rpc.call("eth_getTransactionCount", json!([from, "latest"])));
    let tip = number(rpc.call("eth_maxPriorityFeePerGas", json!([])));
    let price = number(rpc.call("eth_gasPrice", json!([])));
    Transaction {
        chain_id: CHAIN,
        nonce: nonce.try_into().unwrap(),
        max_priority_fee_per_gas: tip,
        max_fee_per_gas: 2 * price + tip,
        gas_limit: 21_000,
        to,
        value: U256::from(value),
        data: vec![],
    }
}

fn send(rpc: &Rpc, raw: &[u8]) -> Result<Value, String> {
    rpc.try_call("eth_sendRawTransaction", json!([format!("0x{}", hex(raw))]))
}

/// A transaction's receipt, as soon as it is in a block.
pub fn receipt(rpc: &Rpc, hash: &Value) -> Value {
    for _ in 0..200 {
        let receipt = rpc.call("eth_getTransactionReceipt", json!([hash]));
        if !receipt.is_null() {
            return receipt;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{hash} is in no block")
}

#[test]
fn anvil_derives_the_same_accounts() {
    let (_node, rpc) = start();
    let theirs = rpc.call("eth_accounts", json!([]));
    for (index, theirs) in theirs.as_array().unwrap().iter().enumerate() {
        let ours = address(account(index.try_into().unwrap()).signing_key());
        assert_eq!(ours.to_string().to_lowercase(), theirs.as_str().unwrap().to_lowercase());
    }
    assert_eq!(theirs.as_array().unwrap().len(), 10);
}

#[test]
fn anvil_takes_a_transfer_that_we_sign_and_moves_exactly_what_was_shown() {
    let (_node, rpc) = start();
    let (key, to) = (account(0), Address([0x42; 20]));
    let before = balance(&rpc, &address(key.signing_key()));
    let transaction = transfer(&rpc, to, 1_234_567_890_123_456_789);
    let shown = transaction.summary().unwrap();
    let signed = transaction.sign(key.signing_key(), &shown).unwrap();
    let hash = send(&rpc, &signed.encode()).unwrap();
    assert_eq!(unhex(hash.as_str().unwrap()), signed.hash());
    assert_eq!(receipt(&rpc, &hash)["status"], "0x1");
    assert_eq!(balance(&rpc, &to), 1_234_567_890_123_456_789);
    let spent = before - balance(&rpc, &address(key.signing_key())) - 1_234_567_890_123_456_789;
    assert!(spent > 0 && U256::from(spent) <= shown.max_fee);
}

#[test]
fn anvil_refuses_our_transfer_twice_and_altered() {
    let (_node, rpc) = start();
    let transaction = transfer(&rpc, Address([0x42; 20]), 5);
    let shown = transaction.summary().unwrap();
    let raw = transaction.sign(account(0).signing_key(), &shown).unwrap().encode();
    // The signature is at the end: every altered byte of it is another signer, or none.
    for at in (raw.len() - 64)..raw.len() {
        let mut altered = raw.clone();
        altered[at] ^= 1;
        assert!(send(&rpc, &altered).is_err(), "byte {at}");
    }
    assert_eq!(balance(&rpc, &Address([0x42; 20])), 0);
    assert_eq!(receipt(&rpc, &send(&rpc, &raw).unwrap())["status"], "0x1");
    assert!(send(&rpc, &raw).unwrap_err().contains("nonce too low"));
    assert_eq!(balance(&rpc, &Address([0x42; 20])), 5);
}

#[test]
fn anvil_moves_tokens_that_we_transfer() {
    let (_node, rpc) = start();
    let (key, to) = (account(0), Address([0x42; 20]));
    let contract = deploy_token(&rpc, &address(key.signing_key()));
    let call = Call::Transfer { to, amount: U256::from(777_u64) };
    let transaction =
        Transaction { to: contract, gas_limit: 100_000, data: call.encode(), ..transfer(&rpc, contract, 0) };
    let shown = transaction.summary().unwrap();
    assert_eq!(shown.to, to.to_string());
    let signed = transaction.sign(key.signing_key(), &shown).unwrap();
    let hash = send(&rpc, &signed.encode()).unwrap();
    assert_eq!(receipt(&rpc, &hash)["status"], "0x1");
    assert_eq!(token_balance(&rpc, &contract, &to), 777);
    assert_eq!(token_balance(&rpc, &contract, &address(key.signing_key())), 1_000_000 - 777);
}

/// `tests/nodes/token.sol`, which gives all its tokens to who deploys it.
fn deploy_token(rpc: &Rpc, from: &Address) -> Address {
    let code = std::fs::read_to_string(folder().join("token.hex")).unwrap();
    let call = json!([{ "from": from.to_string(), "data": format!("0x{}", code.trim()), "gas": "0x200000" }]);
    let hash = rpc.call("eth_sendTransaction", call);
    receipt(rpc, &hash)["contractAddress"].as_str().unwrap().parse().unwrap()
}

fn token_balance(rpc: &Rpc, contract: &Address, of: &Address) -> u128 {
    // balanceOf(address)
    let data = format!("0x70a08231{:0>64}", hex(&of.0));
    let answer = rpc.call("eth_call", json!([{ "to": contract.to_string(), "data": data }, "latest"]));
    u128::from_str_radix(&answer.as_str().unwrap()[2..], 16).unwrap()
}

#[test]
fn anvil_signs_the_same_texts_and_structures() {
    let (_node, rpc) = start();
    let key = account(0);
    let from = address(key.signing_key()).to_string();
    let ours = |hash: &[u8; 32]| {
        let signature = key.signing_key().sign_recoverable(hash);
        [signature.compact().as_slice(), &[27 + signature.recovery]].concat()
    };
    let text = "I am who I say I am.";
    let theirs = rpc.call("personal_sign", json!([format!("0x{}", hex(text.as_bytes())), from]));
    assert_eq!(unhex(theirs.as_str().unwrap()), ours(&personal_hash(text.as_bytes())));

    let document = json!({
        "types": {
            "EIP712Domain": [{ "name": "name", "type": "string" }, { "name": "chainId", "type": "uint256" }],
            "Order": [{ "name": "to", "type": "address" }, { "name": "amount", "type": "uint256" }, { "name": "note", "type": "string" }]
        },
        "primaryType": "Order",
        "domain": { "name": "Test", "chainId": CHAIN },
        "message": { "to": Address([7; 20]).to_string(), "amount": "123456789012345678901234567890", "note": text }
    });
    let theirs = rpc.call("eth_signTypedData_v4", json!([from, document]));
    let amount = Field::Number("123456789012345678901234567890".parse().unwrap());
    let order = [Field::Address(Address([7; 20])), amount, Field::Text(text)];
    let order = struct_hash("Order(address to,uint256 amount,string note)", &order);
    let domain = Domain { name: Some("Test"), chain_id: Some(CHAIN), ..Domain::default() };
    assert_eq!(unhex(theirs.as_str().unwrap()), ours(&typed_hash(&domain, &order)));
}
