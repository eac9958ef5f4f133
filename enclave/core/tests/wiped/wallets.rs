//! From a wallet's credential to a signed transaction and its end, on each kind of chain.

use crate::watch;
use enclave::connector::Step;
use enclave::network::spend::{Order, Plan, Task, Timed, Wallet};
use enclave::network::{Network, Run, load_leaked};
use enclave::wallet::bitcoin::{self, Branch};
use enclave::wallet::payment::Amount;
use enclave::wallet::u256::U256;
use enclave::wallet::{evm, solana};
use std::sync::Arc;
use wire::action::{Instruction, Kind, Reference};

const PHRASE: &str = "test test test test test test test test test test test junk";

/// The first key of the phrase on Ethereum's chains, which everybody knows.
const KEY: [u8; 32] = [
    0xac, 0x09, 0x74, 0xbe, 0xc3, 0x9a, 0x17, 0xe3, 0x6b, 0xa4, 0xa6, 0xb4, 0xd2, 0x38, 0xff, 0x94, 0x4b,
    0xac, 0xb4, 0x78, 0xcb, 0xed, 0x5e, 0xfc, 0xae, 0x78, 0x4d, 0x7b, 0xf4, 0xf2, 0xff, 0x80,
];

pub fn no_part_of_a_wallets_key_is_left_behind_by_paying() {
    let credential = format!(r#"{{"phrase":"{PHRASE}","passphrase":"","account":"0"}}"#);
    for (network, instruction, answers) in payments() {
        let (found, sent) = watch(&[PHRASE.as_bytes(), &KEY], || {
            let order = Order::read(network, &instruction).unwrap();
            let wallet = Wallet::open(network, credential.as_bytes()).unwrap();
            let task = Task::send(network, order, wallet, [7; 32]).unwrap();
            send(task, &answers)
        });
        assert!(sent, "{network:?}");
        assert_eq!(found, 0, "{network:?}");
    }
}

/// Runs until a transaction leaves.
fn send(task: Task, answer: &Answer) -> bool {
    let task = Arc::new(task);
    let mut run = Run::spend(Arc::clone(&task)).unwrap();
    loop {
        match run.next(1_760_000_000_000) {
            Step::Send { call, request, .. } => {
                let body = String::from_utf8_lossy(&request.body).into_owned();
                let asked = if body.is_empty() { request.target.clone() } else { body };
                let number = asked.split("\"id\":").nth(1).and_then(|rest| rest.split(',').next());
                let result = answer(&asked);
                let text = match number {
                    Some(number) => format!(r#"{{"jsonrpc":"2.0","id":{number},"result":{result}}}"#),
                    None => result,
                };
                run.answer(call, 1_760_000_000_000, 200, &[], text.as_bytes());
                if task.sent().is_some() {
                    return true;
                }
            }
            Step::Wait { .. } | Step::Done(_) => return task.sent().is_some(),
        }
    }
}

type Answer = Box<dyn Fn(&str) -> String>;

type Payment = (&'static Network, Instruction, Answer);

fn payments() -> Vec<Payment> {
    vec![ethereum(), bitcoin(), solana()]
}

fn instruction(network: &Network, asset: &str, amount: &str, to: String, plan: &Plan) -> Instruction {
    Instruction {
        address: Some(to),
        max_fee: Some("1".to_owned()),
        max_fee_asset: Some(network.coin.asset.clone()),
        quote: Some(plan.write()),
        ..Instruction::new(Kind::Withdraw, Reference([7; 16]), asset, amount.parse().unwrap())
    }
}

fn ethereum() -> Payment {
    let network = enclave::network::find("ethereum").unwrap();
    let to = evm::Address([0x42; 20]);
    let fees = evm::Fees { max_fee: 2_000_000_000, priority: 1_000_000_000 };
    let place = evm::Place { chain_id: 1, nonce: 5, gas_limit: 21_000, fees };
    let amount = Amount::Arriving(U256::from(1_000_000_000_000_000_000_u64));
    let held = U256::from(u64::MAX);
    let plan = evm::Payment { token: None, to, amount }.build(place, held, U256::ZERO).unwrap();
    let instruction = instruction(network, "ETH", "1", to.to_string(), &Plan::Evm(plan));
    (
        network,
        instruction,
        Box::new(|asked: &str| {
            let result = match asked {
                asked if asked.contains("eth_chainId") => "\"0x1\"",
                asked if asked.contains("eth_getBlock") => r#"{"number":"0x100","timestamp":"0x68e77800"}"#,
                asked if asked.contains("eth_getTransactionCount") => "\"0x5\"",
                _ => "null",
            };
            result.to_owned()
        }),
    )
}

fn bitcoin() -> Payment {
    let network = network("bitcoin", "bip122:0f9188f13cb7b2c71f2a335e3a4fc328", "BTC", 8);
    let Wallet::Bitcoin(account) = wallet(network) else { panic!("a wallet of another kind") };
    let made = paid(&account);
    let outpoint = bitcoin::OutPoint { txid: made.txid(), index: 0 };
    let coin = bitcoin::Coin { outpoint, value: 1_000_000, branch: Branch::Receive, index: 0 };
    let to = account.address(Branch::Receive, 9).unwrap();
    let rate = bitcoin::FeeRate::new(2000).unwrap();
    let amount = Amount::Arriving(U256::from(400_000_u64));
    let payment = bitcoin::Payment { to: to.clone(), amount, rate, change: 0, height: 500 };
    let plan = payment.build(&account, &[coin]).unwrap();
    let instruction = instruction(network, "BTC", "0.004", to.to_string(), &Plan::Bitcoin(plan));
    let raw: String = made.encode().iter().map(|byte| format!("{byte:02x}")).collect();
    let answer = move |asked: &str| match asked {
        "/block-height/0" => "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206".to_owned(),
        "/blocks/tip/height" => "500".to_owned(),
        asked if asked.ends_with("/hex") => raw.clone(),
        _ => r#"{"spent":false}"#.to_owned(),
    };
    (network, instruction, Box::new(answer))
}

/// A transaction that paid the account's first address.
fn paid(account: &bitcoin::Account) -> bitcoin::Transaction {
    let script = account.address(Branch::Receive, 0).unwrap().destination.script();
    let previous = bitcoin::OutPoint { txid: [5; 32], index: 0 };
    let input = bitcoin::Input { previous, script_sig: vec![], sequence: 0, witness: vec![] };
    let outputs = vec![bitcoin::Output { value: 1_000_000, script }];
    bitcoin::Transaction { version: 2, inputs: vec![input], outputs, lock_time: 0 }
}

fn solana() -> Payment {
    let network = network("solana", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", "SOL", 9);
    let Wallet::Solana(key) = wallet(network) else { panic!("a wallet of another kind") };
    let (from, to) = (solana::Address(key.public_key().unwrap()), solana::Address([7; 32]));
    let amount = Amount::Arriving(U256::from(1_000_000_000_u64));
    let payment = solana::Payment { from, to, amount, token: None, price: 1000, block_hash: [3; 32] };
    let message = payment.build(solana::State { balance: 9_000_000_000, recipient: 0 }).unwrap();
    let plan = Plan::Solana(Timed { message, last_height: 900 });
    let instruction = instruction(network, "SOL", "1", to.to_string(), &plan);
    (
        network,
        instruction,
        Box::new(|asked: &str| {
            let result = match asked {
                asked if asked.contains("getGenesisHash") => {
                    "\"EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG\""
                }
                asked if asked.contains("getBlockHeight") => "800",
                asked if asked.contains("getSignatureStatuses") => r#"{"value":[null]}"#,
                _ => "null",
            };
            result.to_owned()
        }),
    )
}

fn wallet(network: &Network) -> Wallet {
    Wallet::open(network, format!(r#"{{"phrase":"{PHRASE}"}}"#).as_bytes()).unwrap()
}

fn network(family: &str, chain: &str, symbol: &str, decimals: u8) -> &'static Network {
    let file = format!(
        r#"{{"id":"test","name":"Test","family":"{family}","chain":"{chain}","guide":{{"url":"https://example.com","steps":"None."}},"nodes":[{{"operator":"one","host":"node.example","path":"/"}}],"coin":{{"symbol":"{symbol}","asset":"slip44:1","decimals":{decimals}}}}}"#
    );
    load_leaked(file.as_bytes()).unwrap()
}
