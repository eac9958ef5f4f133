//! The sandbox's generated kraken accounts, and kraken's own signature.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// Kraken's host as the sandbox knows it.
pub const HOST: &str = "api.kraken.com.sandbox.test";
const BALANCES: &str = "/0/private/BalanceEx";

#[derive(Clone)]
pub struct Account {
    /// The credential as `link` takes it.
    pub credential: String,
    key: String,
    secret: Vec<u8>,
    /// What it holds: asset to total, decimal strings.
    pub totals: BTreeMap<String, String>,
}

/// The first `count` generated accounts, as the sandbox lists them.
pub fn generated(count: usize) -> Vec<Account> {
    let mut list = Command::new(stack::tensfer());
    list.args([
        "sandbox",
        "accounts",
        "--json",
        "--exchange",
        "kraken",
        "--load-accounts",
        &count.to_string(),
    ]);
    let output = stack::run(&mut list, b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    let is_generated = |account: &&Value| account["name"].as_str().is_some_and(|n| n.starts_with("load-"));
    let accounts: Vec<Account> = listed.iter().filter(is_generated).map(Account::read).collect();
    assert_eq!(accounts.len(), count);
    accounts
}

impl Account {
    fn read(listed: &Value) -> Account {
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let secret = text(&listed["credentials"]["secret"]);
        let spot = listed["balances"]["spot"].as_object().expect("a spot wallet");
        Account {
            credential: listed["credentials"].to_string(),
            key: text(&listed["credentials"]["apiKey"]),
            secret: STANDARD.decode(secret).expect("base64"),
            totals: spot.iter().map(|(asset, held)| (asset.clone(), text(&held["total"]))).collect(),
        }
    }

    /// A signed request for all balances: the call that `balances` makes at kraken.
    pub fn balances_request(&self, nonce: u64) -> Vec<u8> {
        let body = format!("nonce={nonce}");
        let hash = digest(&SHA256, format!("{nonce}{body}").as_bytes());
        let key = hmac::Key::new(hmac::HMAC_SHA512, &self.secret);
        let signature = hmac::sign(&key, &[BALANCES.as_bytes(), hash.as_ref()].concat());
        let signature = STANDARD.encode(signature);
        let headers = [
            ("API-Key", self.key.as_str()),
            ("API-Sign", &signature),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        crate::http::request("POST", BALANCES, HOST, &headers, body.as_bytes())
    }
}
