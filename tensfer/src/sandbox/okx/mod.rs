//! OKX REST v5: key, passphrase, ISO timestamp and signature in `OK-ACCESS-*` headers.
//!
//! Source: <https://www.okx.com/docs-v5/en/>.

mod account;
mod market;
mod signature;

use super::call::Call;
use super::dialect::{Dialect, Endpoint, Limit, Permission, Site};
use super::refusal::Refusal;
use super::reply::Reply;
use super::seed::Account;
use serde_json::{Value, json};

/// The dialect.
#[derive(Debug)]
pub struct Okx;

const READ: Permission = Permission::Read;

const SITES: &[Site] = &[Site {
    hosts: &["www.okx.com"],
    endpoints: &[
        Endpoint::public("/api/v5/public/time", 1, market::time),
        Endpoint::public("/api/v5/system/status", 1, market::status),
        Endpoint::public("/api/v5/public/instruments", 1, market::instruments),
        Endpoint::public("/api/v5/market/tickers", 1, market::tickers),
        Endpoint::public("/api/v5/market/ticker", 1, market::ticker),
        Endpoint::public("/api/v5/market/index-tickers", 1, market::index_tickers),
        Endpoint::signed("GET", "/api/v5/account/config", 1, READ, account::config),
        Endpoint::signed("GET", "/api/v5/account/balance", 1, READ, account::trading),
        Endpoint::signed("GET", "/api/v5/asset/balances", 1, READ, account::funding),
        Endpoint::signed("GET", "/api/v5/asset/asset-valuation", 1, READ, account::valuation),
        Endpoint::signed("GET", "/api/v5/asset/currencies", 1, READ, account::currencies),
        Endpoint::signed("GET", "/api/v5/finance/savings/balance", 1, READ, account::savings),
        Endpoint::signed("GET", "/api/v5/finance/staking-defi/orders-active", 1, READ, account::staking),
        Endpoint::signed("POST", "/api/v5/asset/withdrawal", 1, Permission::Withdraw, account::withdraw),
    ],
}];

impl Dialect for Okx {
    fn sites(&self) -> &'static [Site] {
        SITES
    }

    fn claimed_key(&self, call: &Call) -> Result<String, Refusal> {
        call.header("ok-access-key").map(str::to_owned).ok_or(Refusal::Missing("OK-ACCESS-KEY"))
    }

    fn verify(&self, call: &Call, account: &Account) -> Result<Option<u64>, Refusal> {
        signature::verify(call, &account.credentials).map(|()| None)
    }

    /// 20 requests in 2 seconds for each endpoint, as most are documented.
    fn limit(&self, _: bool) -> Limit {
        Limit { capacity: 20, per_second: 10, each_endpoint: true, weighted: false }
    }

    fn succeed(&self, _: &Call, result: Value) -> Reply {
        Reply::json(200, &json!({"code": "0", "msg": "", "data": result}))
    }

    fn refuse(&self, call: &Call, refusal: Refusal) -> Reply {
        match refusal {
            Refusal::Missing("OK-ACCESS-KEY") => missing("50103", "OK-ACCESS-KEY"),
            Refusal::Missing("OK-ACCESS-PASSPHRASE") => missing("50104", "OK-ACCESS-PASSPHRASE"),
            Refusal::Missing("OK-ACCESS-SIGN") => missing("50106", "OK-ACCESS-SIGN"),
            Refusal::Missing(_) => missing("50107", "OK-ACCESS-TIMESTAMP"),
            Refusal::UnknownKey => error(401, "50111", "Invalid OK-ACCESS-KEY"),
            Refusal::BadPassphrase => error(401, "50105", "Request header OK-ACCESS-PASSPHRASE incorrect."),
            Refusal::BadSignature => error(401, "50113", "Invalid Sign"),
            Refusal::BadTimestamp { .. } | Refusal::BadNonce => {
                error(401, "50102", "Timestamp request expired")
            }
            Refusal::NotPermitted => {
                error(401, "50120", "This API key doesn't have permission to use this function")
            }
            Refusal::IpNotAllowed => {
                let sentence =
                    format!("Your IP {} is not included in your API key's IP whitelist.", call.peer);
                error(401, "50110", &sentence)
            }
            Refusal::RateLimited { retry_after } => {
                error(429, "50011", "Too Many Requests").with("retry-after", retry_after)
            }
            Refusal::Maintenance => error(503, "50001", "Service temporarily unavailable. Try again later."),
            Refusal::Failing { status } => error(status, "50026", "System error. Try again later"),
            Refusal::UnknownEndpoint => error(404, "404", "Not Found"),
            Refusal::BadParameter(name) => error(400, "51000", &format!("Parameter {name} error")),
            Refusal::InsufficientFunds => error(200, "58350", "Insufficient balance"),
        }
    }
}

fn missing(code: &str, header: &str) -> Reply {
    error(401, code, &format!("Request header \"{header}\" cannot be empty."))
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({"code": code, "msg": message, "data": []}))
}
