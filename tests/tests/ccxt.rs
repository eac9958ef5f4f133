//! The sandbox against the npm package ccxt, a client that we did not write: accepted with the right key, refused
//! with a wrong one, balances equal to what `tensfer sandbox accounts --json` lists.

use serde_json::{Map, Value, json};
use stack::{Folder, LONG, Process, http, run, tensfer};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

const EXCHANGES: [&str; 6] = ["kraken", "binance", "coinbase", "okx", "bybit", "kucoin"];
const STRUCK: [&str; 6] = [
    "/0/private",
    "/api/v3/account",
    "/api/v3/brokerage/accounts",
    "/api/v5/asset/balances",
    "/v5/asset/transfer",
    "/api/v1/accounts",
];

/// A running sandbox with its rate limits lifted, and its root where Node can read it.
struct Sandbox {
    process: Process,
    folder: Folder,
    port: u16,
    control: String,
}

impl Sandbox {
    fn start() -> Self {
        let folder = Folder::new();
        let mut command = Command::new(tensfer());
        command.args(["sandbox", "--unlimited", "--control", "0", "--ca"]).arg(folder.join("root.pem"));
        let process = Process::start(&mut command);
        let control = process.line("control ", LONG);
        let ready = process.line("ready https://127.0.0.1:", LONG);
        Self { process, folder, port: ready.parse().unwrap(), control }
    }

    /// Strikes the calls for balances, and nothing that ccxt does before them.
    fn strike_balances(&self, effect: &Value) {
        let url = format!("{}/v1/faults", self.control);
        assert_eq!(http::request("DELETE", &url, &[], &[]).status, 200);
        for path in STRUCK {
            let fault = json!({"path": path, "effect": effect}).to_string();
            assert_eq!(http::post(&url, "application/json", fault.as_bytes()).status, 201);
        }
    }

    /// What ccxt made of each job, in order.
    fn drive(&self, jobs: &[Value]) -> Vec<Value> {
        let mut node = node();
        node.env("NODE_EXTRA_CA_CERTS", self.folder.join("root.pem"));
        driven(node, self.port, jobs)
    }
}

fn node() -> Command {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("ccxt");
    let installed = folder.join("node_modules/ccxt/package.json");
    assert!(installed.is_file(), "{} is missing: run `make deps`", installed.display());
    let mut node = Command::new("node");
    node.current_dir(&folder).arg("drive.mjs");
    node
}

fn driven(mut node: Command, port: u16, jobs: &[Value]) -> Vec<Value> {
    let output = run(&mut node, json!({"port": port, "jobs": jobs}).to_string().as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(results.len(), jobs.len());
    results
}

/// The exchanges whose dialects are written by hand: ccxt is their witness, as recorded requests are the others'.
const WRITTEN: [&str; 6] = ["kraken", "binance", "coinbase", "okx", "bybit", "kucoin"];

fn accounts() -> Vec<Value> {
    let listed = |exchange| {
        let mut command = Command::new(tensfer());
        let output = run(command.args(["sandbox", "accounts", "--json", "--exchange", exchange]), b"");
        let listed: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        // The mover's are the described dialect's answers, with its account types: `moving` drives those.
        listed.into_iter().filter(|account| account["name"] != "mover")
    };
    WRITTEN.into_iter().flat_map(listed).collect()
}

fn account(exchange: &str, name: &str) -> Value {
    let of = |account: &Value| account["exchange"] == exchange && account["name"] == name;
    accounts().into_iter().find(of).unwrap()
}

fn is_locked(account: &Value) -> bool {
    account["ips"].as_array().is_some_and(|ips| !ips.is_empty())
}

fn job(operation: &str, account: &Value, wallet: &str) -> Value {
    json!({"do": operation, "exchange": account["exchange"], "credentials": account["credentials"], "wallet": wallet})
}

/// The wallets of an account as ccxt reaches them: kraken answers spot and earn together.
fn wallets(account: &Value) -> Vec<String> {
    let wallets: Vec<String> = account["balances"].as_object().unwrap().keys().cloned().collect();
    if account["exchange"] == "kraken" { vec!["spot+earn".to_owned()] } else { wallets }
}

/// What a wallet must hold: {code: (free, used, total)}; an empty string is not compared.
fn expected(account: &Value, wallet: &str) -> BTreeMap<String, [String; 3]> {
    let mut expected: BTreeMap<String, [String; 3]> = BTreeMap::new();
    for part in wallet.split('+') {
        let Some(holdings) = account["balances"][part].as_object() else { continue };
        for (symbol, holding) in holdings {
            let code = if account["exchange"] == "kraken" && part == "earn" {
                format!("{symbol}.B")
            } else {
                symbol.clone()
            };
            let free_too = !is_total_only(account["exchange"].as_str().unwrap(), wallet);
            let field = |name: &str| if free_too { canonical(&holding[name]) } else { String::new() };
            let row = [field("free"), field("used"), canonical(&holding["total"])];
            expected.insert(code, row);
        }
    }
    expected
}

/// Where ccxt, or the exchange itself, says only how much there is.
fn is_total_only(exchange: &str, wallet: &str) -> bool {
    let raw_earn = wallet == "earn" && exchange != "binance";
    raw_earn || (exchange == "coinbase" && wallet != "spot")
}

/// The same decimal without trailing zeros.
fn canonical(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn seen(balance: &Map<String, Value>, want: &BTreeMap<String, [String; 3]>) -> BTreeMap<String, [String; 3]> {
    let row = |(code, row): (&String, &Value)| {
        let compared = |index: usize| want.get(code).is_some_and(|want| !want[index].is_empty());
        let field =
            |index: usize, name: &str| if compared(index) { canonical(&row[name]) } else { String::new() };
        (code.clone(), [field(0, "free"), field(1, "used"), canonical(&row["total"])])
    };
    balance.iter().map(row).collect()
}

fn has_class(result: &Value, classes: &[&str]) -> bool {
    let seen = result["error"]["classes"].as_array();
    seen.is_some_and(|seen| seen.iter().any(|class| classes.contains(&class.as_str().unwrap_or_default())))
}

fn message(result: &Value) -> &str {
    result["error"]["message"].as_str().unwrap_or_default()
}

#[test]
fn balances_of_every_account_and_wallet_equal_what_is_listed() {
    let sandbox = Sandbox::start();
    let open: Vec<Value> = accounts().into_iter().filter(|account| !is_locked(account)).collect();
    let cases: Vec<(&Value, String)> = open
        .iter()
        .flat_map(|account| wallets(account).into_iter().map(move |wallet| (account, wallet)))
        .collect();
    let jobs: Vec<Value> = cases.iter().map(|(account, wallet)| job("balance", account, wallet)).collect();
    let results = sandbox.drive(&jobs);
    for exchange in EXCHANGES {
        assert!(
            cases.iter().filter(|(account, _)| account["exchange"] == exchange).count() >= 3,
            "{exchange}"
        );
    }
    for ((account, wallet), result) in cases.iter().zip(&results) {
        let label = format!("{} {} {wallet}: {result}", account["exchange"], account["name"]);
        let want = expected(account, wallet);
        let mut have = seen(result["ok"].as_object().expect(&label), &want);
        // ccxt lists what is not there as zero in single-currency accounts.
        have.retain(|code, row| want.contains_key(code) || row[2] != "0");
        assert_eq!(have, want, "{label}");
    }
}

#[test]
fn public_time_and_prices_reach_ccxt() {
    let sandbox = Sandbox::start();
    let jobs: Vec<Value> = EXCHANGES
        .iter()
        .flat_map(|exchange| {
            ["time", "tickers"].map(|operation| json!({"do": operation, "exchange": exchange}))
        })
        .collect();
    let results = sandbox.drive(&jobs);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    for (exchange, pair) in EXCHANGES.iter().zip(results.chunks(2)) {
        let time = pair[0]["ok"].as_u64().unwrap_or_else(|| panic!("{exchange}: {}", pair[0]));
        assert!(u128::from(time).abs_diff(now) < 60_000, "{exchange}: {time}");
        let tickers = pair[1]["ok"].as_object().unwrap_or_else(|| panic!("{exchange}: {}", pair[1]));
        assert_eq!(tickers["BTC/EUR"], "59217.05", "{exchange}");
        assert_eq!(tickers["ETH/BTC"], "0.04997237", "{exchange}");
        let dollar = tickers.get("BTC/USD").or(tickers.get("BTC/USDT")).map(canonical);
        assert!(["64250.5", "64263.35"].contains(&dollar.unwrap_or_default().as_str()), "{exchange}");
    }
}

#[test]
fn every_listed_asset_but_the_unknown_ones_has_a_price() {
    let sandbox = Sandbox::start();
    for exchange in EXCHANGES {
        let results = sandbox.drive(&[json!({"do": "tickers", "exchange": exchange})]);
        let tickers = results[0]["ok"].as_object().unwrap();
        let everything = account(exchange, "everything");
        let wallets = everything["balances"].as_object().unwrap().values();
        for symbol in wallets.flat_map(|wallet| wallet.as_object().unwrap().keys()) {
            let priced =
                |quote: &&str| symbol == *quote || tickers.contains_key(&format!("{symbol}/{quote}"));
            assert!(["USD", "USDT", "EUR"].iter().any(priced), "{exchange}: {symbol}");
        }
    }
}

#[test]
fn wrong_credentials_are_refused() {
    let sandbox = Sandbox::start();
    let mut jobs = Vec::new();
    for exchange in EXCHANGES {
        let (right, other) = (account(exchange, "reader"), account(exchange, "curious"));
        let wallet = wallets(&right).pop().unwrap();
        jobs.push(job("balance", &right, &wallet));
        for field in
            ["apiKey", "secret", "password"].iter().filter(|field| right["credentials"][**field].is_string())
        {
            let mut wrong = right.clone();
            wrong["credentials"][*field] = match *field {
                "apiKey" => Value::from("organizations/nobody/apiKeys/nobody"),
                field => other["credentials"][field].clone(),
            };
            jobs.push(job("balance", &wrong, &wallet));
        }
    }
    let results = sandbox.drive(&jobs);
    assert_eq!(jobs.len(), 6 * 3 + 2, "two exchanges have a passphrase too");
    for (job, result) in jobs.iter().zip(&results) {
        let right = account(job["exchange"].as_str().unwrap(), "reader")["credentials"] == job["credentials"];
        let label = format!("{} {result}", job["exchange"]);
        assert_eq!(result["ok"].is_object(), right, "{label}");
        // ccxt has no class of its own for kraken's documented answer to a wrong signature.
        let refused =
            has_class(result, &["AuthenticationError"]) || message(result).contains("EAPI:Invalid signature");
        assert_eq!(refused, !right, "{label}");
    }
}

#[test]
fn keys_bound_to_other_addresses_are_refused() {
    let sandbox = Sandbox::start();
    let locked: Vec<Value> = accounts().into_iter().filter(is_locked).collect();
    // The open key first: ccxt loads the markets with whichever key comes first.
    let open = EXCHANGES.map(|exchange| account(exchange, "reader"));
    let all: Vec<&Value> = open.iter().chain(&locked).collect();
    let jobs: Vec<Value> =
        all.iter().map(|account| job("balance", account, &wallets(account).pop().unwrap())).collect();
    let results = sandbox.drive(&jobs);
    assert_eq!(locked.len(), EXCHANGES.len());
    for (account, result) in all.iter().zip(&results) {
        let label = format!("{} {result}", account["exchange"]);
        assert_eq!(
            has_class(result, &["AuthenticationError", "PermissionDenied", "ExchangeError"]),
            is_locked(account),
            "{label}"
        );
    }
}

#[test]
fn a_key_that_may_only_read_cannot_withdraw() {
    let sandbox = Sandbox::start();
    let all: Vec<Value> = EXCHANGES
        .iter()
        .flat_map(|exchange| ["reader", "everything"].map(|name| account(exchange, name)))
        .collect();
    let jobs: Vec<Value> = all.iter().map(|account| job("withdraw", account, "")).collect();
    for (account, result) in all.iter().zip(sandbox.drive(&jobs)) {
        let denied = has_class(&result, &["PermissionDenied", "AuthenticationError"]);
        let label = format!("{} {} {result}", account["exchange"], account["name"]);
        assert!(result["error"].is_object(), "{label}");
        let said_so = denied || message(&result).to_lowercase().contains("permission");
        assert_eq!(said_so, account["name"] == "reader", "{label}");
    }
}

#[test]
fn misbehaviour_reaches_ccxt_as_the_error_that_the_exchange_documents() {
    let sandbox = Sandbox::start();
    let readers = EXCHANGES.map(|exchange| account(exchange, "reader"));
    let faults = [
        (json!({"kind": "rate_limited", "retry_after": 1}), ["DDoSProtection", "RateLimitExceeded"]),
        (json!({"kind": "maintenance"}), ["ExchangeNotAvailable", "OnMaintenance"]),
        (json!({"kind": "server_error", "status": 500}), ["OperationFailed", "ExchangeError"]),
        (json!({"kind": "truncated", "bytes": 10}), ["NetworkError", "TypeError"]),
        (json!({"kind": "silence"}), ["RequestTimeout", "NetworkError"]),
        (json!({"kind": "revoked"}), ["AuthenticationError", "PermissionDenied"]),
    ];
    for (effect, classes) in faults {
        sandbox.strike_balances(&effect);
        let jobs: Vec<Value> = readers.iter().map(|account| struck_job(account, &effect)).collect();
        for (job, result) in jobs.iter().zip(sandbox.drive(&jobs)) {
            // ccxt has no class of its own for kucoin's documented rate-limit code.
            let known = has_class(&result, &classes) || message(&result).contains(r#""code":"429000""#);
            assert!(known, "{effect} {} {result}", job["exchange"]);
        }
    }
}

/// Asks for the wallet whose path [`Sandbox::strike_balances`] strikes, and not for long when nothing will answer.
fn struck_job(account: &Value, effect: &Value) -> Value {
    let wallet = match account["exchange"].as_str().unwrap() {
        "kraken" => "spot+earn",
        "binance" | "coinbase" => "spot",
        _ => "funding",
    };
    let mut job = job("balance", account, wallet);
    if effect["kind"] == "silence" {
        job["timeout"] = json!(1_000);
    }
    job
}

#[test]
fn the_control_api_refuses_what_a_foreign_page_could_send() {
    let sandbox = Sandbox::start();
    let url = format!("{}/v1/faults", sandbox.control);
    let fault = br#"{"effect": {"kind": "maintenance"}}"#;
    assert_eq!(http::post(&url, "text/plain", fault).status, 415);
    let port: u16 = sandbox.control.rsplit(':').next().unwrap().parse().unwrap();
    let rebound = "GET /v1/calls HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert_eq!(http::raw(port, rebound.as_bytes()).unwrap().status, 421);
    assert_eq!(http::post(&url, "application/json", br#"{"effect": {"kind": "explode"}}"#).status, 400);
    assert_eq!(http::get(&url).text(), "[]");
}

#[test]
fn the_log_shows_calls_without_their_secrets() {
    let sandbox = Sandbox::start();
    let reader = account("okx", "reader");
    assert!(sandbox.drive(&[job("balance", &reader, "funding")])[0]["ok"].is_object());
    let log = http::get(&format!("{}/v1/calls", sandbox.control)).text();
    let calls: Vec<Value> = serde_json::from_str(&log).unwrap();
    let balance = calls.iter().find(|call| call["path"] == "/api/v5/asset/balances").unwrap();
    assert_eq!((&balance["account"], &balance["status"]), (&json!("reader"), &json!(200)));
    assert!(balance["headers"].as_array().unwrap().contains(&json!("ok-access-sign")));
    for secret in reader["credentials"].as_object().unwrap().values() {
        assert!(!log.contains(secret.as_str().unwrap()));
    }
}

#[test]
fn the_sandbox_ends_on_a_signal() {
    let Sandbox { process, .. } = Sandbox::start();
    assert_eq!(process.stop(LONG).code, Some(0));
}

#[test]
fn ccxt_does_not_trust_the_sandbox_without_its_root() {
    let sandbox = Sandbox::start();
    let jobs = EXCHANGES.map(|exchange| json!({"do": "time", "exchange": exchange}));
    for (job, result) in jobs.iter().zip(driven(node(), sandbox.port, &jobs)) {
        assert!(message(&result).contains("certificate"), "{} {result}", job["exchange"]);
    }
}
