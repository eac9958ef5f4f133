//! Paying on Bitcoin, on a chain of its own.

use crate::bitcoin::{Bitcoin, satoshis};
use crate::esplora::Esplora;
use crate::pay::Payer;
use enclave::connector::Request;
use enclave::network::load_leaked;
use enclave::network::spend::{Plan, Progress, Wallet};
use enclave::wallet::bitcoin::{Account, Branch};
use enclave::wallet::u256::U256;
use serde_json::json;
use wire::Refusal;
use wire::action::Instruction;

const PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const KINDS: [&str; 2] = ["segwit", "taproot"];

fn payer(addresses: &'static str) -> Payer {
    let network = json!({
        "id": "regtest", "name": "Regtest", "family": "bitcoin",
        "chain": "bip122:0f9188f13cb7b2c71f2a335e3a4fc328",
        "guide": { "url": "https://bitcoin.org", "steps": "None." },
        "nodes": [{ "operator": "here", "host": "node.example", "path": "/" }],
        "coin": { "symbol": "BTC", "asset": "slip44:1", "decimals": 8 },
    });
    let network = load_leaked(network.to_string().as_bytes()).unwrap();
    Payer { network, phrase: PHRASE, addresses }
}

fn account(payer: &Payer) -> Account {
    let Wallet::Bitcoin(account) = payer.wallet() else { panic!() };
    account
}

/// Pays the wallet's first addresses, in blocks.
fn fund(bitcoin: &Bitcoin, account: &Account, amounts: &[f64]) {
    for (index, amount) in amounts.iter().enumerate() {
        let to = account.address(Branch::Receive, index.try_into().unwrap()).unwrap().to_string();
        bitcoin.wallet("miner").call("sendtoaddress", json!([to, amount]));
    }
    bitcoin.mine(1);
}

fn new_address(bitcoin: &Bitcoin) -> String {
    let address = bitcoin.wallet("miner").call("getnewaddress", json!(["", "bech32m"]));
    address.as_str().unwrap().to_owned()
}

/// Satoshis that an address was paid in blocks.
fn received(bitcoin: &Bitcoin, address: &str) -> u64 {
    satoshis(&bitcoin.wallet("miner").call("getreceivedbyaddress", json!([address, 1])))
}

fn units(amount: u64) -> U256 {
    U256::from(amount)
}

#[test]
fn a_payment_arrives_at_the_asked_rate_and_its_change_is_found_and_spent_again() {
    let bitcoin = Bitcoin::start();
    for kind in KINDS {
        let payer = payer(kind);
        fund(&bitcoin, &account(&payer), &[0.3, 0.2]);
        let server = Esplora::of(&bitcoin, 7.25);
        let serve = &mut |request: &Request| server.serve(request);
        let to = new_address(&bitcoin);
        let (quote, signed) = payer.preview(&payer.instruction("BTC", "0.45", &to), serve);
        assert_eq!(quote.most, Some(units(50_000_000)));
        let report = payer.send(&signed, serve);
        assert_eq!(report.progress, Progress::Waiting);
        let txid = report.txid.unwrap();
        let entry = bitcoin.node().call("getmempoolentry", json!([txid]));
        let (size, fee) = (entry["vsize"].as_f64().unwrap(), satoshis(&entry["fees"]["base"]));
        assert_eq!(quote.summary.max_fee, units(fee), "the fee is the one that was shown");
        let rate = fee as f64 / size;
        assert!((7.25..7.25 * 1.01).contains(&rate), "{rate} sat/vB");
        bitcoin.mine(1);
        assert_eq!(received(&bitcoin, &to), 45_000_000);
        let found = payer.find(&signed, serve);
        assert_eq!((found.progress, found.fee), (Progress::Included(1), Some(units(fee))));
        // All that is left is change, which the wallet finds.
        let left = 50_000_000 - 45_000_000 - fee;
        let to = new_address(&bitcoin);
        let rest = format!("0.{left:08}");
        let instruction =
            Instruction { fee_included: true, ..payer.instruction("BTC", rest.trim_end_matches('0'), &to) };
        let (quote, signed) = payer.preview(&instruction, serve);
        assert_eq!(quote.most, Some(units(left)));
        let Plan::Bitcoin(draft) = &quote.plan else { panic!() };
        assert_eq!((draft.coins.len(), draft.coins[0].branch, draft.change), (1, Branch::Change, None));
        payer.send(&signed, serve);
        bitcoin.mine(6);
        assert_eq!(units(received(&bitcoin, &to)).checked_add(quote.summary.max_fee), Some(units(left)));
        assert_eq!(payer.find(&signed, serve).progress, Progress::Done);
        let empty = payer.instruction("BTC", "0.001", &to);
        assert_eq!(payer.try_preview(&empty, serve).unwrap_err(), Refusal::FundsMissing);
    }
}

#[test]
fn m38_a_repeat_is_the_same_transaction_and_pays_once() {
    let bitcoin = Bitcoin::start();
    for kind in KINDS {
        let payer = payer(kind);
        fund(&bitcoin, &account(&payer), &[0.3, 0.2, 0.1]);
        let server = Esplora::of(&bitcoin, 3.0);
        let serve = &mut |request: &Request| server.serve(request);
        let to = new_address(&bitcoin);
        let (_, signed) = payer.preview(&payer.instruction("BTC", "0.1", &to), serve);
        let first = payer.send(&signed, serve);
        assert_eq!(payer.send(&signed, serve), first);
        bitcoin.mine(1);
        let late = payer.send(&signed, serve);
        assert_eq!((late.txid, late.progress), (first.txid, Progress::Included(1)));
        bitcoin.mine(6);
        assert_eq!(payer.send(&signed, serve).progress, Progress::Done);
        assert_eq!(received(&bitcoin, &to), 10_000_000);
    }
}

#[test]
fn what_waits_for_too_low_a_fee_is_replaced_and_only_one_of_the_two_happens() {
    let bitcoin = Bitcoin::start();
    let payer = payer("taproot");
    fund(&bitcoin, &account(&payer), &[0.3, 0.2]);
    let slow = Esplora::of(&bitcoin, 1.0);
    let fast = Esplora::of(&bitcoin, 20.0);
    let to = new_address(&bitcoin);
    let instruction = payer.instruction("BTC", "0.25", &to);
    let (former, signed) = payer.preview(&instruction, &mut |request: &Request| slow.serve(request));
    let serve = &mut |request: &Request| fast.serve(request);
    let first = payer.send(&signed, serve);
    let again = Instruction { quote: signed.quote.clone(), ..instruction };
    let (dearer, signed_again) = payer.preview(&again, serve);
    assert!(dearer.summary.max_fee > former.summary.max_fee);
    let second = payer.send(&signed_again, serve);
    assert_eq!(second.progress, Progress::Waiting);
    assert_ne!(first.txid, second.txid);
    bitcoin.mine(1);
    assert_eq!(received(&bitcoin, &to), 25_000_000);
    assert_eq!(payer.find(&signed_again, serve).progress, Progress::Included(1));
    assert_eq!(payer.find(&signed, serve).progress, Progress::Unknown);
    bitcoin.mine(5);
    assert_eq!(payer.find(&signed, serve).progress, Progress::Superseded);
    assert_eq!(payer.send(&signed, serve).progress, Progress::Superseded);
    assert_eq!(received(&bitcoin, &to), 25_000_000);
    // Another payment does not take the place of this one.
    let other = Instruction { amount: "0.01".into(), ..again };
    assert_eq!(payer.try_preview(&other, serve).unwrap_err(), Refusal::ReferenceUsed);
}

#[test]
fn a_node_that_makes_coins_larger_has_nothing_signed() {
    let bitcoin = Bitcoin::start();
    let payer = payer("segwit");
    fund(&bitcoin, &account(&payer), &[0.3]);
    let server = Esplora::of(&bitcoin, 3.0);
    let lying = &mut |request: &Request| {
        let (status, body) = server.serve(request)?;
        let text = String::from_utf8(body).unwrap().replace("\"value\":30000000", "\"value\":90000000");
        Ok((status, text.into_bytes()))
    };
    let to = new_address(&bitcoin);
    let (quote, signed) = payer.preview(&payer.instruction("BTC", "0.5", &to), lying);
    assert_eq!(quote.most, Some(units(90_000_000)));
    assert_eq!(payer.try_send(&signed, lying).unwrap_err(), Refusal::Malformed);
    assert_eq!(bitcoin.node().call("getrawmempool", json!([])), json!([]));
}
