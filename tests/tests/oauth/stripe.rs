//! Stripe: every request and answer held against the document that Stripe publishes, by a validator that we did not write;
//! and payouts at localstripe, an emulator that we did not write either, alone in a network namespace.

use crate::merchant::{Merchant, fetched, restricted};
use stack::Process;
use std::process::Command;
use std::time::Duration;

const KEY: &str = "rk_test_made_up";
const PAY: [&str; 8] = ["withdraw", "stripe", "10.50", "USD", "--saved", "ba_1OwnAccount", "--yes", "--json"];

fn by_document() -> Merchant {
    let merchant = Merchant::start("api.stripe.com", &["stripe.mjs", KEY]);
    let linked = merchant.link("stripe", &restricted(KEY));
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    merchant
}

#[test]
fn stripe_document_a_payout_goes_to_a_destination_that_was_listed_and_is_followed() {
    let merchant = by_document();
    let destinations = merchant.json(&["destinations", "stripe", "--json"]);
    let rows = destinations["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{destinations:#}");
    assert_eq!(
        (rows[0]["saved"].as_str(), rows[0]["address"].as_str()),
        (Some("ba_1OwnAccount"), Some("6789"))
    );
    let preview = merchant.json(&[&PAY[..6], &["--preview", "--json"]].concat());
    assert_eq!(merchant.told("payouts").len(), 0, "{preview:#}");
    let paid = merchant.json(&PAY);
    assert_eq!(paid["outcome"]["status"], "pending", "{paid:#}");
    let payouts = merchant.told("payouts");
    assert_eq!(payouts.len(), 1);
    assert_eq!((&payouts[0]["amount"], &payouts[0]["destination"]), (&1050.into(), &"ba_1OwnAccount".into()));
    let reference = payouts[0]["metadata"]["reference"].as_str().unwrap();
    let followed = merchant.json(&["status", reference, "--json"]);
    assert!(followed.to_string().contains("pending"), "{followed:#}");
    let history = merchant.json(&["history", "stripe", "withdrawals", "--since", "2026-01-01", "--json"]);
    assert_eq!(history["rows"].as_array().unwrap().len(), 2, "{history:#}");
    // More digits than the currency has, more than there is, an account that nobody named.
    for (amount, code) in [("10.505", "not_a_multiple"), ("1000.01", "above_maximum")] {
        let (ended, told) =
            merchant.said(&["withdraw", "stripe", amount, "USD", "--saved", "ba_1OwnAccount", "--yes"]);
        assert!(ended != 0 && told.contains(code), "{told}");
    }
    assert_eq!(merchant.told("payouts").len(), 1);
    merchant.calls();
}

#[test]
fn m38_stripe_document_an_answer_that_is_lost_is_repeated_by_the_same_key_and_pays_once() {
    let merchant = by_document();
    merchant.ask("lose/1");
    let paid = merchant.json(&PAY);
    assert_eq!(paid["outcome"]["status"], "pending", "{paid:#}");
    assert_eq!(merchant.told("payouts").len(), 1);
    let calls = merchant.calls();
    let posts: Vec<_> = calls.iter().filter(|call| call["method"] == "POST").collect();
    assert_eq!(posts.len(), 2);
    assert_eq!((&posts[0]["key"], &posts[1]["repeated"]), (&posts[1]["key"], &true.into()));
}

#[test]
fn m38_stripe_document_a_client_that_is_killed_anywhere_and_run_again_pays_at_most_once() {
    let merchant = by_document();
    // Longer than the longest that a client lives here: one that was answered has done its work, and the next pays anew.
    merchant.ask("delay/2000");
    let mut paid = 0;
    for step in 0..6u64 {
        let amount = format!("10.{step:02}");
        let command = ["withdraw", "stripe", &amount, "USD", "--saved", "ba_1OwnAccount", "--yes", "--json"];
        let paying = merchant.begin(&command);
        std::thread::sleep(Duration::from_millis(150 * step));
        // SIGKILL.
        drop(paying);
        std::thread::sleep(Duration::from_millis(800));
        let (code, told) = merchant.said(&command);
        let of_this =
            merchant.told("payouts").iter().filter(|payout| payout["amount"] == 1000 + step).count();
        // It was paid, by the first or the second; or nobody may know yet, and nothing is ordered.
        match code {
            0 => assert_eq!(of_this, 1, "step {step}: {told}"),
            _ => assert!(told.contains("not known what became of it") && of_this <= 1, "step {step}: {told}"),
        }
        paid += of_this;
    }
    assert!(paid > 0);
    merchant.calls();
}

#[test]
fn localstripe_takes_a_payout_and_says_what_became_of_it() {
    let folder = stack::Folder::new();
    let socket = folder.join("localstripe");
    let mut alone = Command::new("unshare");
    alone.current_dir(fetched()).env("PYTHONPATH", fetched().join("python"));
    alone.args(["-rn", "python3", "namespace.py"]).arg(&socket);
    let emulator = Process::start(&mut alone);
    emulator.line("ready", Duration::from_secs(60));
    let merchant = Merchant::start("api.stripe.com", &["stripe.mjs", KEY, socket.to_str().unwrap()]);
    let linked = merchant.link("stripe", &restricted(KEY));
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    let balances = merchant.json(&["balances", "--json"]);
    assert_eq!(balances["connections"][0]["accounts"][0]["assets"][0]["free"], "20", "{balances:#}");
    let pay = ["withdraw", "stripe", "12.34", "EUR", "--saved", "ba_1OwnAccount", "--yes", "--json"];
    let paid = merchant.json(&pay);
    assert_eq!(paid["outcome"]["status"], "pending", "{paid:#}");
    assert!(paid["outcome"]["id"].as_str().unwrap().starts_with("po_"), "{paid:#}");
    assert_eq!(paid["outcome"]["amount"], "12.34");
    let reference = paid["reference"].as_str().or(paid["outcome"]["reference"].as_str()).unwrap().to_owned();
    let followed = merchant.json(&["status", &reference, "--json"]);
    assert!(followed.to_string().contains("pending"), "{followed:#}");
    let posts = merchant.calls().iter().filter(|call| call["method"] == "POST").count();
    assert_eq!(posts, 1);
}

#[test]
fn stripe_document_a_wrong_key_links_nothing_and_is_told_as_the_keys_fault() {
    let merchant = Merchant::start("api.stripe.com", &["stripe.mjs", KEY]);
    let refused = merchant.link("stripe", &restricted("rk_test_wrong"));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(3), "{told}");
    assert!(told.contains("credential_refused"), "{told}");
}
