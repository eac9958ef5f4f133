//! Solana's virtual machine with its own system, token and account programs.

use crate::node::{Node, folder, free_port};
use crate::rpc::{Rpc, base64, unbase64};
use enclave::wallet::key::{Ed25519Key, Mnemonic};
use enclave::wallet::solana::{Address, Cluster, Instruction, Message, TOKEN_ACCOUNT_RENT};
use enclave::wallet::u256::U256;
use serde_json::json;
use std::path::Path;
use std::process::Command;

const PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
pub const TOKEN: &str = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";
const ASSOCIATED_TOKEN: &str = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL";
const COMPUTE_BUDGET: &str = "ComputeBudget111111111111111111111111111111";
pub const MINT: Address = Address([9; 32]);

pub fn start() -> (Node, Rpc) {
    let port = free_port();
    let rpc = Rpc { port, path: "/".into(), credentials: String::new() };
    let command = |_: &Path| {
        let mut command = Command::new("node");
        command.arg(folder().join("svm.mjs")).arg(port.to_string());
        command
    };
    let node = Node::start("svm", command, || rpc.try_call("latestBlockhash", json!([])).is_ok());
    rpc.call("airdrop", json!([wallet().to_string(), 1_000_000_000_u64]));
    (node, rpc)
}

fn key() -> Ed25519Key {
    let seed = Mnemonic::parse(PHRASE).unwrap().seed("").unwrap();
    Ed25519Key::master(&seed).derive(&"m/44h/501h/0h/0h".parse().unwrap()).unwrap()
}

pub fn wallet() -> Address {
    Address(key().public_key().unwrap())
}

fn program(name: &str) -> Address {
    name.parse().unwrap()
}

pub fn balance(rpc: &Rpc, of: &Address) -> u64 {
    rpc.call("getBalance", json!([of.to_string()])).as_str().unwrap().parse().unwrap()
}

/// A message in which we pay and sign: `written` behind us, then what is only read.
fn message(rpc: &Rpc, written: &[Address], read: &[Address], instructions: Vec<Instruction>) -> Message {
    let hash = rpc.call("latestBlockhash", json!([]));
    Message {
        is_version_0: false,
        signers: 1,
        read_only_signers: 0,
        read_only_others: read.len().try_into().unwrap(),
        accounts: [&[wallet()], written, read].concat(),
        block_hash: hash.as_str().unwrap().parse::<Address>().unwrap().0,
        instructions,
    }
}

pub fn pay(rpc: &Rpc, to: Address, lamports: u64) -> Message {
    let data = [&[2, 0, 0, 0], lamports.to_le_bytes().as_slice()].concat();
    message(rpc, &[to], &[Address::SYSTEM], vec![Instruction { program: 2, accounts: vec![0, 1], data }])
}

pub fn sign(message: &Message, to: &Address) -> (Vec<u8>, u64) {
    let shown = message.summary(Cluster::Dev, &wallet(), Some(to)).unwrap();
    assert_eq!(shown.to, to.to_string());
    let fee = shown.max_fee.to_string().parse().unwrap();
    (message.sign(Cluster::Dev, &key(), &shown).unwrap(), fee)
}

fn send(rpc: &Rpc, transaction: &[u8]) -> Result<(), String> {
    rpc.try_call("sendTransaction", json!([base64(transaction)])).map(|_| ())
}

#[test]
fn solana_takes_a_transfer_that_we_sign_and_moves_exactly_what_was_shown() {
    let (_node, rpc) = start();
    let (to, before) = (Address([7; 32]), balance(&rpc, &wallet()));
    let (transaction, fee) = sign(&pay(&rpc, to, 123_456_789), &to);
    send(&rpc, &transaction).unwrap();
    assert_eq!(balance(&rpc, &to), 123_456_789);
    assert_eq!(balance(&rpc, &wallet()), before - 123_456_789 - fee);
}

#[test]
fn solana_refuses_our_transfer_twice_and_altered() {
    let (_node, rpc) = start();
    let to = Address([7; 32]);
    let (transaction, _) = sign(&pay(&rpc, to, 1_000_000), &to);
    // Signature, recipient, block and amount. What makes no message at all would end the machine, not the transaction.
    let (signature, recipient, block) = (1..65, 65 + 36..65 + 68, 65 + 100..65 + 132);
    let amount = transaction.len() - 8..transaction.len();
    for at in signature.chain(recipient).chain(block).chain(amount) {
        let mut altered = transaction.clone();
        altered[at] ^= 1;
        assert!(send(&rpc, &altered).is_err(), "byte {at}");
    }
    assert_eq!(balance(&rpc, &to), 0);
    send(&rpc, &transaction).unwrap();
    assert!(send(&rpc, &transaction).is_err());
    assert_eq!(balance(&rpc, &to), 1_000_000);
}

#[test]
fn solana_takes_the_priority_fee_that_was_shown() {
    let (_node, rpc) = start();
    let (to, before) = (Address([7; 32]), balance(&rpc, &wallet()));
    let mut message = pay(&rpc, to, 1_000_000);
    message.accounts.push(program(COMPUTE_BUDGET));
    message.read_only_others += 1;
    let budget = |data: &[&[u8]]| Instruction { program: 3, accounts: vec![], data: data.concat() };
    message.instructions.insert(0, budget(&[&[2], &10_000_u32.to_le_bytes()]));
    message.instructions.insert(0, budget(&[&[3], &1_234_567_u64.to_le_bytes()]));
    let (transaction, fee) = sign(&message, &to);
    assert_eq!(fee, 5000 + 12_346);
    send(&rpc, &transaction).unwrap();
    assert_eq!(balance(&rpc, &wallet()), before - 1_000_000 - fee);
}

#[test]
fn solana_moves_tokens_to_an_account_that_is_made_for_them_and_takes_its_rent() {
    let (_node, rpc) = start();
    let (to, before) = (Address([7; 32]), balance(&rpc, &wallet()));
    assert_eq!(rpc.call("rent", json!([165])), TOKEN_ACCOUNT_RENT.to_string());
    let [ours, theirs] = [wallet(), to].map(|owner| Address::token_account(&owner, &MINT).unwrap());
    give_tokens(&rpc, &MINT, &ours, 1000);
    let token = program(TOKEN);
    let create = Instruction { program: 7, accounts: vec![0, 2, 3, 4, 5, 6], data: vec![1] };
    let data = [&[12], 321_u64.to_le_bytes().as_slice(), &[6]].concat();
    let transfer = Instruction { program: 6, accounts: vec![1, 4, 2, 0], data };
    let read = [to, MINT, Address::SYSTEM, token, program(ASSOCIATED_TOKEN)];
    let message = message(&rpc, &[ours, theirs], &read, vec![create, transfer]);
    let shown = message.summary(Cluster::Dev, &wallet(), None).unwrap();
    assert_eq!(
        (shown.amount, shown.asset),
        (U256::from(321_u64), format!("{}/token:{MINT}", Cluster::Dev.chain()))
    );
    let (transaction, fee) = sign(&message, &to);
    send(&rpc, &transaction).unwrap();
    assert_eq!((tokens(&rpc, &ours), tokens(&rpc, &theirs)), (1000 - 321, 321));
    assert_eq!(balance(&rpc, &wallet()), before - fee);
}

/// A mint of six decimals, and an account of ours with tokens of it.
pub fn give_tokens(rpc: &Rpc, mint: &Address, account: &Address, amount: u64) {
    let content = [&[0; 36], amount.to_le_bytes().as_slice(), &[6, 1], &[0; 36]].concat();
    let ours = [&mint.0, &wallet().0, amount.to_le_bytes().as_slice(), &[0; 36], &[1], &[0; 56]].concat();
    for (at, data) in [(mint, content), (account, ours)] {
        rpc.call("setData", json!([at.to_string(), TOKEN, base64(&data)]));
    }
}

pub fn tokens(rpc: &Rpc, account: &Address) -> u64 {
    let data = unbase64(rpc.call("getData", json!([account.to_string()])).as_str().unwrap());
    u64::from_le_bytes(data[64..72].try_into().unwrap())
}
