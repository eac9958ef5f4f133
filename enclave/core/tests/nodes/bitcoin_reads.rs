//! Reading wallets on Bitcoin: a real node behind Esplora's interface.

use crate::bitcoin::Bitcoin;
use crate::esplora::{Esplora, on};
use crate::read::{account, balances, network, page, read, rows, statuses, total, whole};
use enclave::connector::{FaultCode, FaultKind, Operation, Position, Request};
use enclave::wallet::bitcoin::{Account, Branch, Kind, Network};
use enclave::wallet::key::Mnemonic;
use serde_json::json;

pub const PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";

pub fn wallet(kind: Kind) -> Account {
    let seed = Mnemonic::parse(PHRASE).unwrap().seed("").unwrap();
    Account::derive(&seed, kind, Network::Main, 0).unwrap()
}

/// Pays an address of the account.
pub fn pay(bitcoin: &Bitcoin, account: &Account, branch: Branch, index: u32, amount: f64) {
    let to = on(Network::Regtest, &account.address(branch, index).unwrap());
    bitcoin.wallet("miner").call("sendtoaddress", json!([to, amount]));
}

#[test]
fn an_account_has_what_all_its_addresses_have_up_to_twenty_unused_in_a_row() {
    let bitcoin = Bitcoin::start();
    let ours = wallet(Kind::Segwit);
    for (branch, index, amount) in [
        (Branch::Receive, 0, 1.0),
        (Branch::Receive, 19, 0.5),
        // Found only because the twentieth was used; and what lies behind a gap of twenty, by nobody.
        (Branch::Receive, 39, 0.25),
        (Branch::Change, 3, 0.125),
        (Branch::Receive, 60, 7.0),
    ] {
        pay(&bitcoin, &ours, branch, index, amount);
    }
    bitcoin.mine(1);
    pay(&bitcoin, &ours, Branch::Receive, 1, 0.01);
    let esplora = Esplora::of_main(&bitcoin);
    let mainnet = network("bitcoin");
    let watched = account(mainnet, json!({ "watch": ours.descriptor() }));
    let (held, outcome) = balances(mainnet, &watched, &mut |request: &Request| esplora.serve(request));
    assert_eq!(total(&held, "BTC").unwrap(), "1.885");
    assert_eq!(held[0].free.unwrap().to_string(), "1.875");
    assert_eq!(held[0].used.unwrap().to_string(), "0.01");
    assert_eq!(statuses(&outcome), [("coin", "ok")]);
    // The kept key's own account is the same one.
    let kept = account(mainnet, json!({ "phrase": PHRASE }));
    let (same, _) = balances(mainnet, &kept, &mut |request: &Request| esplora.serve(request));
    assert_eq!(same, held);
    // One address has what it has alone.
    let address = ours.address(Branch::Receive, 19).unwrap().to_string();
    let one = account(mainnet, json!({ "watch": address }));
    let (held, outcome) = balances(mainnet, &one, &mut |request: &Request| esplora.serve(request));
    assert_eq!((total(&held, "BTC").unwrap().as_str(), outcome.calls), ("0.5", 2));
}

#[test]
fn an_account_is_paid_to_the_first_address_that_nobody_has_paid_to_yet() {
    let bitcoin = Bitcoin::start();
    let ours = wallet(Kind::Segwit);
    for index in [0, 1, 4] {
        pay(&bitcoin, &ours, Branch::Receive, index, 0.1);
    }
    let esplora = Esplora::of_main(&bitcoin);
    let mainnet = network("bitcoin");
    let watched = account(mainnet, json!({ "watch": ours.descriptor() }));
    let operation = page("addresses", Position::Start);
    let (found, _) = rows(mainnet, &watched, operation, &mut |request: &Request| esplora.serve(request));
    let fresh = ours.address(Branch::Receive, 5).unwrap().to_string();
    assert_eq!((found.len(), found[0].field("address")), (1, Some(fresh.as_str())));
}

#[test]
fn an_extended_key_finds_its_addresses_whatever_kind_they_are() {
    let bitcoin = Bitcoin::start();
    let ours = wallet(Kind::Taproot);
    pay(&bitcoin, &ours, Branch::Receive, 2, 0.75);
    pay(&bitcoin, &ours, Branch::Change, 0, 0.25);
    bitcoin.mine(1);
    let esplora = Esplora::of_main(&bitcoin);
    let descriptor = ours.descriptor();
    let xpub = &descriptor[descriptor.find("xpub").unwrap()..descriptor.find("/<0;1>").unwrap()];
    let mainnet = network("bitcoin");
    let watched = account(mainnet, json!({ "watch": xpub }));
    let (held, outcome) = balances(mainnet, &watched, &mut |request: &Request| esplora.serve(request));
    assert_eq!(total(&held, "BTC").unwrap(), "1");
    assert!(outcome.calls < 150, "{}", outcome.calls);
}

#[test]
fn a_server_of_another_chain_is_refused() {
    let bitcoin = Bitcoin::start();
    let mut esplora = Esplora::of_main(&bitcoin);
    esplora.genesis = bitcoin.node().call("getblockhash", json!([0])).as_str().unwrap().to_owned();
    let mainnet = network("bitcoin");
    let watched = account(mainnet, json!({ "watch": wallet(Kind::Segwit).descriptor() }));
    let operation = Operation::Balances { sources: None };
    let outcome = read(mainnet, &watched, operation, &mut |request: &Request| esplora.serve(request));
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Provider(FaultKind::Network));
}

#[test]
fn a_server_that_answers_for_another_address_is_not_believed() {
    let bitcoin = Bitcoin::start();
    let ours = wallet(Kind::Segwit);
    pay(&bitcoin, &ours, Branch::Receive, 0, 1.0);
    let esplora = Esplora::of_main(&bitcoin);
    let rich = ours.address(Branch::Receive, 0).unwrap().to_string();
    let mainnet = network("bitcoin");
    let poor = ours.address(Branch::Receive, 1).unwrap().to_string();
    let watched = account(mainnet, json!({ "watch": poor }));
    let mut lying = |request: &Request| {
        let (status, body) = esplora.serve(request)?;
        if !request.target.contains("/address/") {
            return Ok((status, body));
        }
        let of = format!("/api/address/{rich}");
        esplora.serve(&Request { target: of, headers: vec![], body: vec![], host: String::new(), ..*request })
    };
    let outcome = read(mainnet, &watched, Operation::Balances { sources: None }, &mut lying);
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Malformed);
}

#[test]
fn a_history_is_read_to_its_beginning_each_transaction_once_and_its_sum_is_the_balance() {
    let bitcoin = Bitcoin::start();
    let ours = wallet(Kind::Segwit);
    // More than a server's page of one address, and a transaction that pays two of them.
    for _ in 0..3 {
        for _ in 0..10 {
            pay(&bitcoin, &ours, Branch::Receive, 0, 0.01);
        }
        bitcoin.mine(1);
    }
    let to = [3, 5].map(|index| on(Network::Regtest, &ours.address(Branch::Receive, index).unwrap()));
    let outputs = json!({ &to[0]: 0.2, &to[1]: 0.3 });
    bitcoin.wallet("miner").call("sendmany", json!(["", outputs]));
    bitcoin.mine(1);
    pay(&bitcoin, &ours, Branch::Change, 2, 0.5);
    let esplora = Esplora::of_main(&bitcoin);
    let mainnet = network("bitcoin");
    let watched = account(mainnet, json!({ "watch": ours.descriptor() }));
    let serve = &mut |request: &Request| esplora.serve(request);
    let (deposits, outcome, _) = whole(mainnet, &watched, "deposits", serve);
    assert_eq!(deposits.len(), 32, "thirty, the one that pays two, and the one that waits");
    let ids: std::collections::BTreeSet<&str> = deposits.iter().map(|row| row.field("id").unwrap()).collect();
    assert_eq!(ids.len(), 32, "each once");
    assert_eq!(statuses(&outcome), [("history", "ok")]);
    let twice =
        deposits.iter().find(|row| row.field("amount") == Some("0.5") && row.field("status") == Some("ok"));
    assert!(twice.is_some(), "what two addresses received together is one row");
    let waiting: Vec<_> = deposits.iter().filter(|row| row.field("status") == Some("pending")).collect();
    assert_eq!((waiting.len(), waiting[0].field("timestamp")), (1, None));
    let sum = deposits.iter().fold(wire::Decimal::ZERO, |sum, row| {
        sum.checked_add(row.field("amount").unwrap().parse().unwrap()).unwrap()
    });
    let (held, _) = balances(mainnet, &watched, serve);
    assert_eq!(sum, held[0].total.unwrap());
    assert!(whole(mainnet, &watched, "withdrawals", serve).0.is_empty());
}

#[test]
fn a_payment_is_told_without_its_fee_which_stands_beside_it() {
    let bitcoin = Bitcoin::start();
    // A wallet of the node's own, watched as a person would.
    bitcoin.node().call("createwallet", json!({ "wallet_name": "spender" }));
    let spender = bitcoin.wallet("spender");
    let address = spender.call("getnewaddress", json!(["", "bech32"]));
    bitcoin.wallet("miner").call("sendtoaddress", json!([address, 2]));
    bitcoin.mine(1);
    let descriptors = spender.call("listdescriptors", json!([]));
    let of_branch = |branch: &str| {
        let all = descriptors["descriptors"].as_array().unwrap();
        let found = all.iter().map(|known| known["desc"].as_str().unwrap().to_owned());
        let mut found = found.filter(|text| text.starts_with("wpkh(") && text.contains(branch));
        found.next().unwrap()
    };
    let text = of_branch("/0/*").split('#').next().unwrap().replace("/0/*", "/<0;1>/*");
    let mainnet = network("bitcoin");
    let main = text.replace(&text[text.find("tpub").unwrap()..text.find("/<0;1>").unwrap()], &{
        let key = &text[text.find("tpub").unwrap()..text.find("/<0;1>").unwrap()];
        let mut key: enclave::wallet::key::ExtendedPublicKey = key.parse().unwrap();
        key.is_test = false;
        key.to_string()
    });
    let to = on(Network::Regtest, &wallet(Kind::Segwit).address(Branch::Receive, 0).unwrap());
    let options = json!({ "change_type": "bech32" });
    let sent = spender.call("send", json!([{ &to: 1.25 }, null, "unset", 10, options]));
    let txid = sent["txid"].clone();
    bitcoin.mine(1);
    let esplora = Esplora::of_main(&bitcoin);
    let watched = account(mainnet, json!({ "watch": main }));
    let serve = &mut |request: &Request| esplora.serve(request);
    let (withdrawals, _, _) = whole(mainnet, &watched, "withdrawals", serve);
    let found = withdrawals.iter().find(|row| row.field("txid") == txid.as_str());
    let row = found.unwrap_or_else(|| panic!("{main}: {txid} is none of {withdrawals:?}"));
    let known = spender.call("gettransaction", json!([txid]));
    assert_eq!(row.field("amount"), Some("1.25"));
    let fee = known["fee"].to_string();
    let fee: wire::Decimal = fee.trim_start_matches('-').parse().unwrap();
    assert_eq!(row.field("fee").unwrap().parse::<wire::Decimal>().unwrap(), fee);
}
