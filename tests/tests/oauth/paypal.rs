//! PayPal: a session of client credentials, and every request and answer held against the documents that PayPal
//! publishes, by a validator that we did not write.

use crate::merchant::Merchant;
use serde_json::{Value, json};
use std::process::Output;
use std::time::Duration;

const SECRET: &str = "made-up-paypal-secret";
const PAY: [&str; 8] =
    ["withdraw", "paypal", "12.50", "USD", "--address", "someone@example.com", "--yes", "--json"];

fn merchant() -> Merchant {
    Merchant::start("api-m.paypal.com", &["paypal.mjs", "id", SECRET])
}

fn link(merchant: &Merchant, secret: &str) -> Output {
    merchant.link("paypal", &json!({"clientId": "id", "clientSecret": secret}))
}

fn linked() -> Merchant {
    let merchant = merchant();
    let linked = link(&merchant, SECRET);
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    merchant
}

fn logins(merchant: &Merchant) -> usize {
    merchant.calls().iter().filter(|call| call["path"] == "/v1/oauth2/token").count()
}

#[test]
fn balances_and_ledger_of_paypal_are_read_as_its_published_document_has_them() {
    let merchant = linked();
    let portfolio = merchant.json(&["balances", "--json"]);
    let assets = portfolio["connections"][0]["accounts"][0]["assets"].as_array().unwrap();
    let row = |asset: &Value| {
        ["asset", "free", "used", "total"].map(|name| asset[name].as_str().unwrap().to_owned())
    };
    let mut rows: Vec<_> = assets.iter().map(row).collect();
    rows.sort();
    let expected = [["iso4217:JPY", "1000", "0", "1000"], ["iso4217:USD", "120", "5.5", "125.5"]];
    let digits = |rows: &[[String; 4]]| {
        rows.iter().map(|row| row.join(" ").replace(".50", ".5").replace(".00", "")).collect::<Vec<_>>()
    };
    assert_eq!(digits(&rows), expected.map(|row| row.join(" ")));
    let history = merchant.json(&["history", "paypal", "ledger", "--since", "2026-09-01", "--json"]);
    let rows = history["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{history:#}");
    assert_eq!(
        (&rows[0]["amount"], &rows[0]["fee"], &rows[0]["direction"]),
        (&json!("465"), &json!("13.79"), &json!("in"))
    );
    assert_eq!(logins(&merchant), 1, "one login serves them all");
    // A token that PayPal ended is followed by another.
    merchant.ask("expire");
    merchant.json(&["balances", "--json"]);
    assert_eq!(logins(&merchant), 2);
}

#[test]
fn a_wrong_secret_of_paypal_links_nothing_and_is_told_as_the_keys_fault() {
    let merchant = merchant();
    let refused = link(&merchant, "wrong");
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(3), "{told}");
    assert!(told.contains("credential_refused"), "{told}");
    assert_eq!(merchant.json(&["connections", "--json"]), json!([]));
}

#[test]
fn a_person_is_paid_at_paypal_and_what_became_of_it_is_asked_by_its_id() {
    let merchant = linked();
    let paid = merchant.json(&PAY);
    assert_eq!(
        (&paid["outcome"]["status"], &paid["outcome"]["id"]),
        (&json!("pending"), &json!("BATCH0")),
        "{paid:#}"
    );
    let payouts = merchant.told("payouts");
    let item = &payouts[0]["items"][0];
    assert_eq!((payouts.len(), &item["amount"]), (1, &json!({"value": "12.5", "currency": "USD"})));
    assert_eq!(
        (&item["recipient_type"], &item["receiver"]),
        (&json!("EMAIL"), &json!("someone@example.com"))
    );
    let reference = payouts[0]["header"]["sender_batch_id"].as_str().unwrap();
    let followed = merchant.json(&["status", reference, "--json"]);
    assert_eq!((&followed["status"], &followed["fee"]), (&json!("done"), &json!("0.25")), "{followed:#}");
    for (amount, address, code) in [
        ("12.505", "someone@example.com", "not_a_multiple"),
        ("120.01", "someone@example.com", "above_maximum"),
        ("1", "someone@example", "address_malformed"),
    ] {
        let (ended, told) =
            merchant.said(&["withdraw", "paypal", amount, "USD", "--address", address, "--yes"]);
        assert!(ended != 0 && told.contains(code), "{told}");
    }
    assert_eq!(merchant.told("payouts").len(), 1);
    merchant.calls();
}

#[test]
fn m38_an_answer_of_paypal_that_is_lost_is_known_by_the_refusal_of_its_repetition_and_pays_once() {
    let merchant = linked();
    merchant.ask("lose/1");
    let paid = merchant.json(&PAY);
    assert_eq!(
        (&paid["outcome"]["status"], &paid["outcome"]["id"]),
        (&json!("pending"), &json!("BATCH0")),
        "{paid:#}"
    );
    assert_eq!(merchant.told("payouts").len(), 1);
    let posts = merchant.calls().iter().filter(|call| call["path"] == "/v1/payments/payouts").count();
    assert_eq!(posts, 2);
}

#[test]
fn m38_a_client_that_is_killed_while_paypal_is_paid_and_run_again_pays_once() {
    let merchant = linked();
    merchant.ask("delay/1500");
    let paying = merchant.begin(&PAY);
    while merchant.told("payouts").is_empty() {
        std::thread::sleep(Duration::from_millis(20));
    }
    // SIGKILL, before the answer.
    drop(paying);
    merchant.ask("delay/0");
    std::thread::sleep(Duration::from_millis(1_700));
    let (code, told) = merchant.said(&PAY);
    // Without the id, and before it is among the transactions, nobody knows: and nothing is ordered again.
    assert!(code != 0 && told.contains("not known what became of it"), "{code} {told}");
    assert_eq!(merchant.told("payouts").len(), 1);
}
