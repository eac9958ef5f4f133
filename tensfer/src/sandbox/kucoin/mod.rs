//! KuCoin REST over its spot and futures hosts: `KC-API-*` headers, with the passphrase under an HMAC of its own.
//!
//! Source: <https://www.kucoin.com/docs-new/introduction>.

mod account;
mod futures;
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
pub struct Kucoin;

const READ: Permission = Permission::Read;

const SITES: &[Site] = &[
    Site {
        hosts: &["api.kucoin.com"],
        endpoints: &[
            Endpoint::public("/api/v1/timestamp", 3, market::time),
            Endpoint::public("/api/v1/status", 3, market::status),
            Endpoint::public("/api/v1/symbols", 4, market::symbols),
            Endpoint::public("/api/v2/symbols", 4, market::symbols),
            Endpoint::public("/api/v1/market/allTickers", 15, market::tickers),
            Endpoint::public("/api/v1/prices", 3, market::prices),
            Endpoint::public("/api/v3/currencies", 3, market::currencies),
            Endpoint::signed("GET", "/api/v1/user/api-key", 3, READ, account::key),
            Endpoint::signed("GET", "/api/ua/v1/account/mode", 3, READ, account::mode),
            Endpoint::signed("GET", "/api/ua/v1/unified/account/balance", 5, READ, account::unified),
            Endpoint::signed("GET", "/api/v1/hf/accounts/opened", 2, READ, account::high_frequency),
            Endpoint::signed("GET", "/api/v1/accounts", 5, READ, account::accounts),
            Endpoint::signed("GET", "/api/v1/margin/account", 15, READ, account::margin),
            Endpoint::signed("GET", "/api/v3/margin/accounts", 15, READ, account::margin),
            Endpoint::signed("GET", "/api/v1/isolated/accounts", 15, READ, account::isolated),
            Endpoint::signed("GET", "/api/v3/isolated/accounts", 15, READ, account::isolated),
            Endpoint::signed("GET", "/api/v3/margin/symbols", 3, READ, account::margin_symbols),
            Endpoint::signed("GET", "/api/v1/isolated/symbols", 3, READ, account::isolated_symbols),
            Endpoint::signed("GET", "/api/v1/earn/hold-assets", 5, READ, account::earn),
            Endpoint::signed("POST", "/api/v3/withdrawals", 5, Permission::Withdraw, account::withdraw),
        ],
    },
    Site {
        hosts: &["api-futures.kucoin.com"],
        endpoints: &[
            Endpoint::public("/api/v1/timestamp", 2, market::time),
            Endpoint::public("/api/v1/contracts/active", 3, futures::contracts),
            Endpoint::public("/api/v1/allTickers", 5, futures::tickers),
            Endpoint::signed("GET", "/api/v1/account-overview", 5, READ, futures::overview),
        ],
    },
];

impl Dialect for Kucoin {
    fn sites(&self) -> &'static [Site] {
        SITES
    }

    fn claimed_key(&self, call: &Call) -> Result<String, Refusal> {
        call.header("kc-api-key").map(str::to_owned).ok_or(Refusal::Missing("KC-API-KEY"))
    }

    fn verify(&self, call: &Call, account: &Account) -> Result<Option<u64>, Refusal> {
        signature::verify(call, &account.credentials).map(|()| None)
    }

    /// 4,000 weight in 30 seconds for a VIP0 user, 2,000 for an address.
    fn limit(&self, signed: bool) -> Limit {
        let (capacity, per_second) = if signed { (4_000, 133) } else { (2_000, 66) };
        Limit { capacity, per_second, each_endpoint: false, weighted: true }
    }

    fn succeed(&self, _: &Call, result: Value) -> Reply {
        Reply::json(200, &json!({"code": "200000", "data": result}))
    }

    fn refuse(&self, _: &Call, refusal: Refusal) -> Reply {
        match refusal {
            Refusal::Missing(_) => {
                let headers = "KC-API-KEY, KC-API-SIGN, KC-API-TIMESTAMP, KC-API-PASSPHRASE";
                error(401, "400001", &format!("Any of {headers} is missing in your request header."))
            }
            Refusal::UnknownKey => error(401, "400003", "KC-API-KEY not exists"),
            Refusal::BadPassphrase => error(401, "400004", "Invalid KC-API-PASSPHRASE"),
            Refusal::BadSignature => error(401, "400005", "Invalid KC-API-SIGN"),
            Refusal::BadTimestamp { .. } | Refusal::BadNonce => {
                error(401, "400002", "Invalid KC-API-TIMESTAMP")
            }
            Refusal::IpNotAllowed => {
                error(401, "400006", "The requested ip address is not in the api whitelist")
            }
            Refusal::NotPermitted => error(403, "400007", "Access denied, Require more permission."),
            Refusal::RateLimited { retry_after } => {
                error(429, "429000", "Too many requests in a short period of time, please retry later")
                    .with("gw-ratelimit-remaining", 0)
                    .with("gw-ratelimit-reset", u64::from(retry_after) * 1000)
                    .with("retry-after", retry_after)
            }
            Refusal::Maintenance => error(503, "500000", "Service is under maintenance"),
            Refusal::Failing { status } => error(status, "500000", "Internal Server Error"),
            Refusal::UnknownEndpoint => error(404, "404000", "Url Not Found"),
            Refusal::BadParameter(name) => error(400, "400100", &format!("Parameter Error: {name}")),
            Refusal::InsufficientFunds => error(200, "200004", "Balance insufficient!"),
        }
    }
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({"code": code, "msg": message}))
}
