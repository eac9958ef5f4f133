//! Paying on Solana, by its virtual machine with its own programs.

use crate::node::Node;
use crate::pay::Payer;
use crate::rpc::Rpc;
use crate::solana::{MINT, balance, give_tokens, start, tokens, wallet};
use enclave::connector::{Request, TransportFault};
use enclave::network::load_leaked;
use enclave::network::spend::{Progress, Report};
use enclave::wallet::solana::{Address, TOKEN_ACCOUNT_RENT};
use enclave::wallet::u256::U256;
use serde_json::json;
use wire::Refusal;
use wire::action::Instruction;

const PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const TO: &str = "GjJyeC1r2RgkuoCWMyPYkCWSGSGLcz266EaAkLA27AhL";

struct Chain {
    _node: Node,
    rpc: Rpc,
}

impl Chain {
    fn start() -> (Chain, Payer) {
        let (node, rpc) = start();
        let network = json!({
            "id": "solana_dev", "name": "Solana", "family": "solana",
            "chain": "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1",
            "guide": { "url": "https://solana.com", "steps": "None." },
            "nodes": [
                { "operator": "here", "host": "node.example", "path": "/" },
                { "operator": "there", "host": "other.example", "path": "/" },
            ],
            "coin": { "symbol": "SOL", "asset": "slip44:1", "decimals": 9 },
            "tokens": [{ "symbol": "TEST", "asset": format!("token:{MINT}"), "decimals": 6 }],
        });
        let network = load_leaked(network.to_string().as_bytes()).unwrap();
        (Chain { _node: node, rpc }, Payer { network, phrase: PHRASE, addresses: "segwit" })
    }

    fn serve(&self, request: &Request) -> Result<(u16, Vec<u8>), TransportFault> {
        let body = std::str::from_utf8(&request.body).unwrap();
        Ok((200, self.rpc.raw(body).unwrap().into_bytes()))
    }

    fn pass(&self, blocks: u64) {
        self.rpc.call("pass", json!([blocks]));
    }
}

fn to() -> Address {
    TO.parse().unwrap()
}

#[test]
fn coins_arrive_to_the_lamport_and_the_fee_is_exactly_what_was_shown() {
    let (chain, payer) = Chain::start();
    let serve = &mut |request: &Request| chain.serve(request);
    let before = balance(&chain.rpc, &wallet());
    let (quote, signed) = payer.preview(&payer.instruction("SOL", "0.123456789", TO), serve);
    let report = payer.send(&signed, serve);
    assert_eq!(report.progress, Progress::Waiting);
    assert_eq!(balance(&chain.rpc, &to()), 123_456_789);
    let spent = before - balance(&chain.rpc, &wallet()) - 123_456_789;
    assert_eq!(quote.summary.max_fee, U256::from(spent));
    let found = payer.find(&signed, serve);
    assert_eq!((&found.txid, found.progress), (&report.txid, Progress::Included(1)));
    chain.rpc.call("finalize", json!([]));
    assert_eq!(payer.find(&signed, serve).progress, Progress::Done);
}

#[test]
fn tokens_arrive_at_an_account_that_is_made_and_at_one_that_is_there() {
    let (chain, payer) = Chain::start();
    let serve = &mut |request: &Request| chain.serve(request);
    let [ours, theirs] = [wallet(), to()].map(|owner| Address::token_account(&owner, &MINT).unwrap());
    give_tokens(&chain.rpc, &MINT, &ours, 1000);
    let before = balance(&chain.rpc, &wallet());
    let (made, signed) = payer.preview(&payer.instruction("TEST", "0.0003", TO), serve);
    assert!(made.summary.max_fee > U256::from(TOKEN_ACCOUNT_RENT));
    payer.send(&signed, serve);
    assert_eq!((tokens(&chain.rpc, &ours), tokens(&chain.rpc, &theirs)), (700, 300));
    assert_eq!(U256::from(before - balance(&chain.rpc, &wallet())), made.summary.max_fee);
    let (there, signed) = payer.preview(&payer.instruction("TEST", "0.0007", TO), serve);
    assert!(there.summary.max_fee < U256::from(TOKEN_ACCOUNT_RENT));
    payer.send(&signed, serve);
    assert_eq!((tokens(&chain.rpc, &ours), tokens(&chain.rpc, &theirs)), (0, 1000));
    // To the token account itself, and to what is no wallet.
    give_tokens(&chain.rpc, &MINT, &ours, 10);
    let (_, signed) = payer.preview(&payer.instruction("TEST", "0.00001", &theirs.to_string()), serve);
    payer.send(&signed, serve);
    assert_eq!(tokens(&chain.rpc, &theirs), 1010);
    let lost = payer.instruction("SOL", "0.1", &theirs.to_string());
    assert_eq!(payer.try_preview(&lost, serve).unwrap_err(), Refusal::DestinationRefused);
}

#[test]
fn everything_leaves() {
    let (chain, payer) = Chain::start();
    let serve = &mut |request: &Request| chain.serve(request);
    assert_eq!(balance(&chain.rpc, &wallet()), 1_000_000_000);
    let instruction = Instruction { fee_included: true, ..payer.instruction("SOL", "1", TO) };
    let (quote, signed) = payer.preview(&instruction, serve);
    payer.send(&signed, serve);
    assert_eq!(balance(&chain.rpc, &wallet()), 0);
    let arrived = U256::from(balance(&chain.rpc, &to()));
    assert_eq!(arrived.checked_add(quote.summary.max_fee), Some(U256::from(1_000_000_000_u64)));
    // A remainder that the chain would not keep is refused.
    chain.rpc.call("airdrop", json!([wallet().to_string(), 1_000_000_u64]));
    let crumbs = payer.instruction("SOL", "0.0009", TO);
    assert_eq!(payer.try_preview(&crumbs, serve).unwrap_err(), Refusal::BelowMinimum);
}

#[test]
fn m38_a_repeat_pays_once_and_what_is_expired_never_pays() {
    let (chain, payer) = Chain::start();
    let serve = &mut |request: &Request| chain.serve(request);
    let (_, signed) = payer.preview(&payer.instruction("SOL", "0.1", TO), serve);
    let first = payer.send(&signed, serve);
    let again = payer.send(&signed, serve);
    assert_eq!((&again.txid, again.progress), (&first.txid, Progress::Included(1)));
    assert_eq!(balance(&chain.rpc, &to()), 100_000_000);
    // One that was never sent while its block was recent.
    let instruction = payer.instruction("SOL", "0.2", TO);
    let (_, late) = payer.preview(&instruction, serve);
    assert_eq!(
        payer.find(&late, serve),
        Report { txid: None, progress: Progress::Unknown, fee: None, fault: None }
    );
    let replacing = Instruction { quote: late.quote.clone(), ..instruction };
    assert_eq!(
        payer.try_preview(&replacing, serve).unwrap_err(),
        Refusal::ReferenceUsed,
        "both could happen"
    );
    chain.pass(151);
    assert_eq!(payer.send(&late, serve).progress, Progress::Expired);
    assert_eq!(payer.find(&late, serve).progress, Progress::Expired);
    let (_, anew) = payer.preview(&replacing, serve);
    payer.send(&anew, serve);
    assert_eq!(balance(&chain.rpc, &to()), 300_000_000);
    assert_eq!(payer.send(&signed, serve).txid, first.txid);
    assert_eq!(
        payer.try_preview(&Instruction { quote: anew.quote, ..replacing }, serve).unwrap_err(),
        Refusal::ReferenceUsed
    );
    assert_eq!(balance(&chain.rpc, &to()), 300_000_000);
}

#[test]
fn m38_a_reply_that_is_lost_after_it_was_sent_is_found_again_and_paid_once() {
    let (chain, payer) = Chain::start();
    let (_, signed) =
        payer.preview(&payer.instruction("SOL", "0.1", TO), &mut |request: &Request| chain.serve(request));
    let mut is_lost = false;
    let report = payer.send(&signed, &mut |request: &Request| {
        let answer = chain.serve(request);
        let sends = String::from_utf8_lossy(&request.body).contains("sendTransaction");
        if sends && !std::mem::replace(&mut is_lost, true) { Err(TransportFault::Closed) } else { answer }
    });
    assert!(is_lost);
    assert_eq!(report.progress, Progress::Included(1));
    assert_eq!(balance(&chain.rpc, &to()), 100_000_000);
}
