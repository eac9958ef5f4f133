//! The independent provider: an authorisation server and an API that takes its tokens.

use serde_json::{Value, json};
use stack::{Process, http};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const START: Duration = Duration::from_secs(90);

pub const CLIENT: &str = "tensfer-test";
/// Registered for these tests, made up.
pub const SECRET: &str = "made-up-client-secret";

pub struct Provider {
    _process: Process,
    pub authorisation: u16,
    api: u16,
}

impl Provider {
    /// `lifetime` of an access token in seconds; the enclave refreshes one that has less than 30 left.
    pub fn start(lifetime: u32) -> Provider {
        let folder = std::env::var("TENSFER_OAUTH").expect("`make test-oauth` names the folder it fetched");
        let mut node = Command::new("node");
        node.current_dir(PathBuf::from(folder)).arg("server.mjs").arg(configuration(lifetime).to_string());
        let process = Process::start(&mut node);
        let ready = process.line("ready ", START);
        let (authorisation, api) = ready.split_once(' ').unwrap();
        Provider {
            authorisation: authorisation.parse().unwrap(),
            api: api.parse().unwrap(),
            _process: process,
        }
    }

    /// Options of `tensfer sandbox` that put it where Coinbase would be.
    pub fn upstreams(&self) -> Vec<String> {
        let upstream = |host: &str, port: u16| ["--upstream".to_owned(), format!("{host}=127.0.0.1:{port}")];
        [upstream("login.coinbase.com", self.authorisation), upstream("api.coinbase.com", self.api)].concat()
    }

    /// How often the token endpoint was asked for this grant, and with which statuses.
    pub fn grants(&self, grant: &str) -> Vec<u64> {
        let of_grant = |call: &&Value| call["endpoint"] == "token" && call["grant"] == grant;
        self.calls().iter().filter(of_grant).map(|call| call["status"].as_u64().unwrap()).collect()
    }

    pub fn calls(&self) -> Vec<Value> {
        serde_json::from_slice(&http::get(&self.control("calls")).body).unwrap()
    }

    /// Answers of the token endpoint wait this long.
    pub fn delay(&self, ms: u32) {
        assert_eq!(http::post(&self.control(&format!("delay/{ms}")), "text/plain", b"").status, 200);
    }

    /// The person says no from now on.
    pub fn deny(&self) {
        assert_eq!(http::post(&self.control("deny"), "text/plain", b"").status, 200);
    }

    fn control(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.api)
    }
}

fn configuration(lifetime: u32) -> Value {
    let amount = |currency: &str, amount: &str| json!({"currency": currency, "amount": amount});
    let wallet = |id: &str, currency: &str, balance: &str| {
        let balance = amount(currency, balance);
        json!({"id": id, "type": "wallet", "currency": {"code": currency}, "balance": balance})
    };
    json!({
        "issuer": "https://login.coinbase.com",
        "routes": {"authorization": "/oauth2/auth", "token": "/oauth2/token", "revocation": "/oauth2/revoke"},
        "client": {"id": CLIENT, "secret": SECRET, "method": "client_secret_post", "redirect": "http://127.0.0.1/tensfer"},
        // Coinbase separates scopes by a comma; to this server that is one scope.
        "scopes": ["wallet:accounts:read,offline_access"],
        "lifetime": lifetime,
        "push": false,
        "accounts": {
            "/v2/accounts": {
                "pagination": {"next_starting_after": null},
                "data": [wallet("a", "BTC", "0.5"), wallet("b", "ETH", "12.25")],
            },
            "/api/v3/brokerage/accounts": {"accounts": [], "cursor": ""},
        },
        "public": {
            "/api/v3/brokerage/market/products": {"products": [
                {"base_currency_id": "BTC", "quote_currency_id": "EUR", "price": "50000"},
            ]},
        },
    })
}
