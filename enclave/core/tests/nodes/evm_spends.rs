//! Paying on chains of the Ethereum Virtual Machine, on anvil.

use crate::ethereum::receipt;
use crate::evm_reads::Chain;
use crate::pay::{PHRASE, Payer};
use crate::read::network;
use enclave::connector::{Request, TransportFault};
use enclave::network::spend::{Plan, Progress};
use enclave::wallet::u256::U256;
use serde_json::{Value, json};
use wire::Refusal;
use wire::action::Instruction;

/// The first account of the phrase, which anvil gives 10,000 coins.
const WALLET: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const TO: &str = "0x4242424242424242424242424242424242424242";
const USDC: &str = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";

/// An account that nobody else uses: what it holds is what was paid to it.
fn payer() -> Payer {
    Payer { network: network("ethereum"), phrase: PHRASE, addresses: "segwit" }
}

fn balance(chain: &Chain, of: &str) -> u128 {
    number(chain.rpc.call("eth_getBalance", json!([of, "latest"])))
}

fn tokens(chain: &Chain, of: &str) -> u128 {
    let data = format!("0x70a08231{:0>64}", of.trim_start_matches("0x"));
    number(chain.rpc.call("eth_call", json!([{ "to": USDC, "data": data }, "latest"])))
}

fn number(answer: Value) -> u128 {
    u128::from_str_radix(&answer.as_str().unwrap()[2..], 16).unwrap()
}

fn mine(chain: &Chain, blocks: u64) {
    chain.rpc.call("anvil_mine", json!([format!("0x{blocks:x}")]));
}

#[test]
fn coins_arrive_to_the_wei_and_the_fee_is_at_most_what_was_shown() {
    let (chain, payer) = (Chain::start(1), payer());
    let serve = &mut |request: &Request| chain.serve(request);
    let before = balance(&chain, WALLET);
    let (quote, signed) = payer.preview(&payer.instruction("ETH", "1.234567890123456789", TO), serve);
    assert_eq!(balance(&chain, TO), 0, "a preview moves nothing");
    let report = payer.send(&signed, serve);
    assert_eq!(report.progress, Progress::Waiting);
    let txid = json!(report.txid.unwrap());
    assert_eq!(receipt(&chain.rpc, &txid)["status"], "0x1");
    assert_eq!(balance(&chain, TO), 1_234_567_890_123_456_789);
    let spent = before - balance(&chain, WALLET) - 1_234_567_890_123_456_789;
    assert!(U256::from(spent) <= quote.summary.max_fee);
    let found = payer.find(&signed, serve);
    assert_eq!((found.progress, found.fee), (Progress::Included(1), Some(U256::from(spent))));
    mine(&chain, 11);
    assert_eq!(payer.find(&signed, serve).progress, Progress::Done);
}

#[test]
fn listed_tokens_arrive_and_the_fee_is_paid_in_coins() {
    let (chain, payer) = (Chain::start(1), payer());
    let serve = &mut |request: &Request| chain.serve(request);
    chain.put_token(USDC, WALLET, 5_000_000);
    let instruction = payer.instruction("USDC", "1.25", TO);
    let (quote, signed) = payer.preview(&instruction, serve);
    assert_eq!(quote.summary.asset, format!("eip155:1/erc20:{USDC}"));
    let report = payer.send(&signed, serve);
    assert_eq!(receipt(&chain.rpc, &json!(report.txid.unwrap()))["status"], "0x1");
    assert_eq!((tokens(&chain, TO), tokens(&chain, WALLET)), (1_250_000, 3_750_000));
    let too_much = payer.instruction("USDC", "3.750001", TO);
    assert_eq!(payer.try_preview(&too_much, serve).unwrap_err(), Refusal::FundsMissing);
    // The contract itself would not take them.
    let nobody = payer.instruction("USDC", "1", &format!("0x{}", "0".repeat(40)));
    assert_eq!(payer.try_preview(&nobody, serve).unwrap_err(), Refusal::DestinationRefused);
}

#[test]
fn everything_leaves_and_nothing_but_what_the_fee_was_less_stays() {
    let (chain, payer) = (Chain::start(1), payer());
    let serve = &mut |request: &Request| chain.serve(request);
    let all = balance(&chain, WALLET);
    let instruction = Instruction { fee_included: true, ..payer.instruction("ETH", "10000", TO) };
    let (quote, signed) = payer.preview(&instruction, serve);
    assert_eq!(quote.most, Some(U256::from(all)));
    let report = payer.send(&signed, serve);
    let receipt = receipt(&chain.rpc, &json!(report.txid.unwrap()));
    let fee = number(receipt["gasUsed"].clone()) * number(receipt["effectiveGasPrice"].clone());
    let most: u128 = quote.summary.max_fee.to_string().parse().unwrap();
    assert_eq!(balance(&chain, TO), all - most);
    assert_eq!(balance(&chain, WALLET), most - fee);
}

#[test]
fn m38_a_repeat_pays_once_while_it_waits_and_after_it_was_mined() {
    let (chain, payer) = (Chain::start(1), payer());
    let serve = &mut |request: &Request| chain.serve(request);
    chain.rpc.call("evm_setAutomine", json!([false]));
    let (_, signed) = payer.preview(&payer.instruction("ETH", "2", TO), serve);
    let first = payer.send(&signed, serve);
    let repeat = payer.send(&signed, serve);
    assert_eq!((&first.txid, first.progress), (&repeat.txid, repeat.progress));
    mine(&chain, 1);
    assert_eq!(balance(&chain, TO), 2_000_000_000_000_000_000);
    let late = payer.send(&signed, serve);
    assert_eq!((late.txid, late.progress), (first.txid.clone(), Progress::Included(1)));
    mine(&chain, 20);
    assert_eq!(payer.send(&signed, serve).progress, Progress::Done);
    assert_eq!(balance(&chain, TO), 2_000_000_000_000_000_000);
}

#[test]
fn m38_a_reply_that_is_lost_after_it_was_sent_is_found_again_and_paid_once() {
    let (chain, payer) = (Chain::start(1), payer());
    let (_, signed) =
        payer.preview(&payer.instruction("ETH", "2", TO), &mut |request: &Request| chain.serve(request));
    // The first node takes it, and its answer is lost; the next node is of the same chain.
    let mut is_lost = false;
    let report = payer.send(&signed, &mut |request: &Request| {
        let answer = chain.serve(request);
        let sends = String::from_utf8_lossy(&request.body).contains("eth_sendRawTransaction");
        if sends && !std::mem::replace(&mut is_lost, true) {
            return Err(TransportFault::Closed);
        }
        answer
    });
    assert!(is_lost);
    // The node mines by itself, a moment after it took it: whether it has by then is chance.
    assert!(matches!(report.progress, Progress::Waiting | Progress::Included(1)), "{:?}", report.progress);
    mine(&chain, 1);
    let repeat = payer.send(&signed, &mut |request: &Request| chain.serve(request));
    assert!(matches!(repeat.progress, Progress::Included(1..=2)), "{:?}", repeat.progress);
    assert_eq!(repeat.txid, report.txid);
    assert_eq!(balance(&chain, TO), 2_000_000_000_000_000_000);
}

#[test]
fn what_waits_for_too_low_a_fee_is_replaced_and_only_one_of_the_two_happens() {
    let (chain, payer) = (Chain::start(1), payer());
    let serve = &mut |request: &Request| chain.serve(request);
    chain.rpc.call("evm_setAutomine", json!([false]));
    let instruction = payer.instruction("ETH", "3", TO);
    let (former, signed) = payer.preview(&instruction, serve);
    let first = payer.send(&signed, serve);
    assert_eq!(payer.find(&signed, serve).progress, Progress::Waiting);
    let again = Instruction { quote: signed.quote.clone(), ..instruction };
    let (dearer, signed_again) = payer.preview(&again, serve);
    assert_eq!(dearer.summary.nonce, former.summary.nonce);
    assert!(dearer.summary.max_fee > former.summary.max_fee);
    let second = payer.send(&signed_again, serve);
    assert_ne!(first.txid, second.txid);
    mine(&chain, 1);
    assert_eq!(balance(&chain, TO), 3_000_000_000_000_000_000);
    assert_eq!(payer.find(&signed_again, serve).progress, Progress::Included(1));
    // Something with its count is in a block, but not for long: nobody is told yet that it is over.
    assert_eq!(payer.find(&signed, serve).progress, Progress::Unknown);
    mine(&chain, 20);
    assert_eq!(payer.find(&signed, serve).progress, Progress::Superseded);
    assert_eq!(payer.send(&signed, serve).progress, Progress::Superseded);
    assert_eq!(payer.try_preview(&again, serve).unwrap_err(), Refusal::ReferenceUsed);
    assert_eq!(balance(&chain, TO), 3_000_000_000_000_000_000);
}

#[test]
fn nothing_is_sent_for_a_higher_fee_than_the_owner_allows() {
    let (chain, payer) = (Chain::start(1), payer());
    let serve = &mut |request: &Request| chain.serve(request);
    let (quote, signed) = payer.preview(&payer.instruction("ETH", "2", TO), serve);
    let Plan::Evm(_) = &quote.plan else { panic!() };
    let low = Instruction { max_fee: Some("0.000000000000000001".into()), ..signed.clone() };
    assert_eq!(payer.try_send(&low, serve).unwrap_err(), Refusal::FeeAboveMaximum);
    let none = Instruction { max_fee: None, max_fee_asset: None, ..signed.clone() };
    assert_eq!(payer.try_send(&none, serve).unwrap_err(), Refusal::TermsUnstated);
    // Another amount, asset or recipient than the quote's transaction has.
    for other in [
        Instruction { amount: "3".into(), ..signed.clone() },
        Instruction { address: Some(WALLET.into()), ..signed.clone() },
        Instruction { asset: "USDC".into(), ..signed.clone() },
        Instruction { fee_included: true, ..signed.clone() },
    ] {
        assert_eq!(payer.try_send(&other, serve).unwrap_err(), Refusal::Malformed);
    }
    assert_eq!(balance(&chain, TO), 0);
}

/// A rollup takes a fee for data beside the gas, which its oracle tells and no transaction bounds.
#[test]
fn a_fee_that_no_transaction_bounds_is_shown_and_twice_as_much_stays() {
    let chain = Chain::start(8453);
    let payer = Payer { network: network("base"), phrase: PHRASE, addresses: "segwit" };
    // Answers every call by 100,000.
    let oracle = "0x620186a060005260206000f3";
    chain.rpc.call("anvil_setCode", json!(["0x420000000000000000000000000000000000000f", oracle]));
    let serve = &mut |request: &Request| chain.serve(request);
    let all = balance(&chain, WALLET);
    let (quote, _) = payer.preview(&payer.instruction("ETH", "1", TO), serve);
    assert_eq!(quote.beside, Some(U256::from(100_000_u64)));
    assert_eq!(quote.most, Some(U256::from(all - 200_000)));
    let everything = Instruction { fee_included: true, ..payer.instruction("ETH", "10000", TO) };
    assert_eq!(payer.try_preview(&everything, serve).unwrap_err(), Refusal::FundsMissing);
    let instruction = Instruction { amount: "9999.9999999999998".into(), ..everything };
    let (_, signed) = payer.preview(&instruction, serve);
    let report = payer.send(&signed, serve);
    assert_eq!(receipt(&chain.rpc, &json!(report.txid.unwrap()))["status"], "0x1");
}
