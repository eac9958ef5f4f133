//! Binance REST over its spot, USDⓈ-M, COIN-M, options and portfolio-margin hosts: signed parameters, `X-MBX-APIKEY`.
//!
//! Source: <https://developers.binance.com/docs>.

mod account;
mod futures;
mod market;
mod moving;
mod signature;

use super::call::Call;
use super::dialect::{Dialect, Endpoint, Limit, Permission, Site};
use super::refusal::Refusal;
use super::reply::Reply;
use super::seed::Account;
use serde_json::{Value, json};

/// The dialect.
#[derive(Debug)]
pub struct Binance;

const READ: Permission = Permission::Read;

const SITES: &[Site] = &[
    Site {
        hosts: &["api.binance.com"],
        endpoints: &[
            Endpoint::public("/api/v3/ping", 1, market::ping),
            Endpoint::public("/api/v3/time", 1, market::time),
            Endpoint::public("/api/v3/exchangeInfo", 20, market::spot_info),
            Endpoint::public("/api/v3/ticker/price", 4, market::prices),
            Endpoint::public("/api/v3/ticker/24hr", 80, market::tickers),
            Endpoint::public("/api/v3/ticker/bookTicker", 4, market::books),
            Endpoint::public("/sapi/v1/system/status", 1, market::status),
            Endpoint::signed("GET", "/api/v3/account", 20, READ, account::spot),
            Endpoint::signed("GET", "/sapi/v1/account/apiRestrictions", 1, READ, account::restrictions),
            Endpoint::signed("GET", "/sapi/v1/capital/config/getall", 10, READ, account::coins),
            Endpoint::signed("POST", "/sapi/v1/asset/get-funding-asset", 1, READ, account::funding),
            Endpoint::signed("POST", "/sapi/v3/asset/getUserAsset", 5, READ, account::user_assets),
            Endpoint::signed("GET", "/sapi/v1/margin/allPairs", 1, READ, account::margin_pairs),
            Endpoint::signed("GET", "/sapi/v1/margin/isolated/allPairs", 1, READ, account::margin_pairs),
            Endpoint::signed("GET", "/sapi/v1/margin/account", 10, READ, account::margin),
            Endpoint::signed("GET", "/sapi/v1/margin/isolated/account", 10, READ, account::isolated),
            Endpoint::signed("GET", "/sapi/v1/simple-earn/flexible/position", 150, READ, account::flexible),
            Endpoint::signed("GET", "/sapi/v1/simple-earn/locked/position", 150, READ, account::locked),
            Endpoint::signed("GET", "/sapi/v1/lending/union/account", 1, READ, account::savings),
            Endpoint::signed(
                "POST",
                "/sapi/v1/capital/withdraw/apply",
                600,
                Permission::Withdraw,
                moving::withdraw,
            ),
            Endpoint::signed("GET", "/sapi/v1/capital/withdraw/history", 1, READ, moving::withdrawals),
            Endpoint::signed("POST", "/sapi/v1/asset/transfer", 1, Permission::Trade, moving::transfer),
            Endpoint::signed("GET", "/sapi/v1/asset/transfer", 1, READ, moving::transfers),
            Endpoint::signed("POST", "/api/v3/order", 1, Permission::Trade, moving::order),
            Endpoint::signed("GET", "/api/v3/order", 4, READ, moving::order_status),
            Endpoint::signed("POST", "/sapi/v1/convert/getQuote", 1, Permission::Trade, moving::quote),
            Endpoint::signed("POST", "/sapi/v1/convert/acceptQuote", 1, Permission::Trade, moving::accept),
        ],
    },
    Site {
        hosts: &["fapi.binance.com"],
        endpoints: &[
            Endpoint::public("/fapi/v1/time", 1, market::time),
            Endpoint::public("/fapi/v1/exchangeInfo", 1, futures::linear_info),
            Endpoint::public("/fapi/v1/ticker/24hr", 40, futures::linear_tickers),
            Endpoint::signed("GET", "/fapi/v2/account", 5, READ, futures::linear_account),
            Endpoint::signed("GET", "/fapi/v3/account", 5, READ, futures::linear_account),
            Endpoint::signed("GET", "/fapi/v2/balance", 5, READ, futures::linear_balance),
            Endpoint::signed("GET", "/fapi/v3/balance", 5, READ, futures::linear_balance),
        ],
    },
    Site {
        hosts: &["dapi.binance.com"],
        endpoints: &[
            Endpoint::public("/dapi/v1/time", 1, market::time),
            Endpoint::public("/dapi/v1/exchangeInfo", 1, futures::inverse_info),
            Endpoint::public("/dapi/v1/ticker/24hr", 40, futures::inverse_tickers),
            Endpoint::signed("GET", "/dapi/v1/account", 5, READ, futures::inverse_account),
            Endpoint::signed("GET", "/dapi/v1/balance", 1, READ, futures::inverse_balance),
        ],
    },
    Site {
        hosts: &["eapi.binance.com"],
        endpoints: &[
            Endpoint::public("/eapi/v1/time", 1, market::time),
            Endpoint::signed("GET", "/eapi/v1/marginAccount", 3, READ, account::options),
        ],
    },
    Site {
        hosts: &["papi.binance.com"],
        endpoints: &[
            Endpoint::public("/papi/v1/ping", 1, market::ping),
            Endpoint::signed("GET", "/papi/v1/balance", 20, READ, account::portfolio),
            Endpoint::signed("GET", "/papi/v1/account", 20, READ, account::portfolio),
        ],
    },
];

impl Dialect for Binance {
    fn sites(&self) -> &'static [Site] {
        SITES
    }

    fn claimed_key(&self, call: &Call) -> Result<String, Refusal> {
        call.header("x-mbx-apikey").map(str::to_owned).ok_or(Refusal::Missing("X-MBX-APIKEY"))
    }

    fn verify(&self, call: &Call, account: &Account) -> Result<Option<u64>, Refusal> {
        signature::verify(call, &account.credentials.secret).map(|()| None)
    }

    /// 6,000 weight a minute.
    fn limit(&self, _: bool) -> Limit {
        Limit { capacity: 6_000, per_second: 100, each_endpoint: false, weighted: true }
    }

    fn succeed(&self, _: &Call, result: Value) -> Reply {
        Reply::json(200, &result)
    }

    fn refuse(&self, call: &Call, refusal: Refusal) -> Reply {
        match refusal {
            Refusal::Missing("X-MBX-APIKEY") => error(401, -2014, "API-key format invalid."),
            Refusal::Missing(name) => {
                let sentence =
                    format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed.");
                error(400, -1102, &sentence)
            }
            Refusal::UnknownKey | Refusal::IpNotAllowed | Refusal::NotPermitted | Refusal::BadPassphrase => {
                error(401, -2015, "Invalid API-key, IP, or permissions for action.")
            }
            Refusal::BadSignature => error(400, -1022, "Signature for this request is not valid."),
            Refusal::BadTimestamp { sent } if sent > call.now => {
                error(400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.")
            }
            Refusal::BadTimestamp { .. } | Refusal::BadNonce => {
                error(400, -1021, "Timestamp for this request is outside of the recvWindow.")
            }
            Refusal::Maintenance => error(503, 1, "System is under maintenance."),
            Refusal::Failing { status } => {
                error(status, -1001, "Internal error; unable to process your request.")
            }
            Refusal::UnknownEndpoint => Reply::text(404, "<html><body><h2>404 Not found</h2></body></html>"),
            Refusal::BadParameter("recvWindow") => error(400, -1131, "recvWindow must be less than 60000"),
            Refusal::BadParameter("order") => error(400, -2013, "Order does not exist."),
            Refusal::BadParameter("symbol") => error(400, -1121, "Invalid symbol."),
            Refusal::BadParameter("portfolio") => error(400, -21001, "User is not a Portfolio Margin User"),
            Refusal::BadParameter(name) => {
                error(400, -1100, &format!("Illegal characters found in parameter '{name}'."))
            }
            Refusal::InsufficientFunds => error(400, -4026, "User has insufficient balance"),
            Refusal::RateLimited { retry_after } => {
                error(429, -1003, "Too many requests; please use the websocket for live updates.")
                    .with("retry-after", retry_after)
            }
        }
    }
}

fn error(status: u16, code: i32, message: &str) -> Reply {
    Reply::json(status, &json!({"code": code, "msg": message}))
}
