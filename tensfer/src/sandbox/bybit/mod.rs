//! Bybit REST v5: key, timestamp, window and signature in `X-BAPI-*` headers. Errors come with status 200.
//!
//! Source: <https://bybit-exchange.github.io/docs/v5/intro>.

mod account;
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
pub struct Bybit;

const READ: Permission = Permission::Read;
const COINS: &str = "/v5/asset/transfer/query-account-coins-balance";

const SITES: &[Site] = &[Site {
    hosts: &["api.bybit.com"],
    endpoints: &[
        Endpoint::public("/v5/market/time", 1, market::time),
        Endpoint::public("/v5/market/instruments-info", 1, market::instruments),
        Endpoint::public("/v5/market/tickers", 1, market::tickers),
        Endpoint::public("/v5/system/status", 1, market::status),
        Endpoint::signed("GET", "/v5/user/query-api", 1, READ, account::key),
        Endpoint::signed("GET", "/v5/account/info", 1, READ, account::info),
        Endpoint::signed("GET", "/v5/account/wallet-balance", 1, READ, account::unified),
        Endpoint::signed("GET", COINS, 1, READ, account::funding),
        Endpoint::signed("GET", "/v5/asset/coin/query-info", 1, READ, account::coins),
        Endpoint::signed("GET", "/v5/earn/position", 1, READ, account::earn),
        Endpoint::signed("POST", "/v5/asset/withdraw/create", 1, Permission::Withdraw, moving::withdraw),
        Endpoint::signed("GET", "/v5/asset/withdraw/query-record", 1, READ, moving::records),
    ],
}];

impl Dialect for Bybit {
    fn sites(&self) -> &'static [Site] {
        SITES
    }

    fn claimed_key(&self, call: &Call) -> Result<String, Refusal> {
        call.header("x-bapi-api-key").map(str::to_owned).ok_or(Refusal::Missing("api_key"))
    }

    fn verify(&self, call: &Call, account: &Account) -> Result<Option<u64>, Refusal> {
        signature::verify(call, &account.credentials).map(|()| None)
    }

    /// 50 requests a second for each endpoint; 120 for an address without a key.
    fn limit(&self, signed: bool) -> Limit {
        let requests = if signed { 50 } else { 120 };
        Limit { capacity: requests, per_second: requests, each_endpoint: signed, weighted: false }
    }

    fn succeed(&self, call: &Call, result: Value) -> Reply {
        enveloped(200, 0, "OK", result, call.now)
    }

    fn refuse(&self, call: &Call, refusal: Refusal) -> Reply {
        let error = |status, code, message: &str| enveloped(status, code, message, json!({}), call.now);
        match refusal {
            Refusal::Missing(name) => error(200, 10001, &format!("empty value: {name}")),
            Refusal::UnknownKey | Refusal::BadPassphrase => error(200, 10003, "API key is invalid."),
            Refusal::BadSignature => {
                error(200, 10004, "error sign! please check your signature generation algorithm.")
            }
            Refusal::BadTimestamp { sent } => {
                let sentence = "invalid request, please check your server timestamp or recv_window param.";
                let now = call.now;
                error(200, 10002, &format!("{sentence} req_timestamp[{sent}],server_timestamp[{now}]"))
            }
            Refusal::BadNonce => error(200, 10002, "invalid request"),
            Refusal::NotPermitted => {
                error(200, 10005, "Permission denied, please check your API key permissions.")
            }
            Refusal::IpNotAllowed => {
                error(200, 10010, "Unmatched IP, please check your API key's bound IP addresses.")
            }
            Refusal::RateLimited { retry_after } => {
                let reset = call.now + u64::from(retry_after) * 1000;
                error(200, 10006, "Too many visits. Exceeded the API Rate Limit.")
                    .with("x-bapi-limit-status", 0)
                    .with("x-bapi-limit-reset-timestamp", reset)
                    .with("retry-after", retry_after)
            }
            Refusal::Maintenance => Reply::text(503, "Service Unavailable\n"),
            Refusal::Failing { status } => error(status, 10016, "Internal server error."),
            Refusal::UnknownEndpoint => Reply::text(404, "404 page not found"),
            Refusal::BadParameter(name) => error(200, 10001, &format!("params error: {name} is invalid")),
            Refusal::InsufficientFunds => error(200, 131_001, "insufficient balance"),
        }
    }
}

fn enveloped(status: u16, code: u32, message: &str, result: Value, now: u64) -> Reply {
    let body = json!({"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": now});
    Reply::json(status, &body)
}
