//! Coinbase Advanced Trade (v3) and App (v2): a JWT of at most two minutes by a CDP key, made for one method and path.
//!
//! Source: <https://docs.cdp.coinbase.com/>.

mod account;
mod jwt;
mod market;

use super::call::Call;
use super::dialect::{Dialect, Endpoint, Limit, Permission, Site};
use super::refusal::Refusal;
use super::reply::Reply;
use super::seed::Account;
use serde_json::{Value, json};

/// The dialect.
#[derive(Debug)]
pub struct Coinbase;

const READ: Permission = Permission::Read;
pub(super) const PORTFOLIO: &str = "/api/v3/brokerage/portfolios/{}";
pub(super) const PRODUCT: &str = "/api/v3/brokerage/market/products/{}";
pub(super) const PRICE: &str = "/v2/prices/{}/spot";
pub(super) const WALLET: &str = "/v2/accounts/{}";

const SITES: &[Site] = &[Site {
    hosts: &["api.coinbase.com"],
    endpoints: &[
        Endpoint::public("/v2/time", 1, market::time_v2),
        Endpoint::public("/v2/currencies", 1, market::fiat),
        Endpoint::public("/v2/currencies/crypto", 1, market::crypto),
        Endpoint::public("/v2/exchange-rates", 1, market::rates),
        Endpoint::public(PRICE, 1, market::spot_price),
        Endpoint::public("/api/v3/brokerage/time", 1, market::time_v3),
        Endpoint::public("/api/v3/brokerage/market/products", 1, market::products),
        Endpoint::public(PRODUCT, 1, market::product),
        Endpoint::signed("GET", "/api/v3/brokerage/key_permissions", 1, READ, account::key),
        Endpoint::signed("GET", "/api/v3/brokerage/accounts", 1, READ, account::accounts_v3),
        Endpoint::signed("GET", "/api/v3/brokerage/portfolios", 1, READ, account::portfolios),
        Endpoint::signed("GET", PORTFOLIO, 1, READ, account::portfolio),
        Endpoint::signed("GET", "/api/v3/brokerage/cfm/balance_summary", 1, READ, account::futures),
        Endpoint::signed("GET", "/api/v3/brokerage/transaction_summary", 1, READ, account::fees),
        Endpoint::signed("GET", "/v2/user", 1, READ, account::user),
        Endpoint::signed("GET", "/v2/accounts", 1, READ, account::accounts_v2),
        Endpoint::signed("GET", WALLET, 1, READ, account::wallet_v2),
        Endpoint::signed("POST", "/v2/accounts/{}/transactions", 1, Permission::Withdraw, account::send),
    ],
}];

impl Dialect for Coinbase {
    fn sites(&self) -> &'static [Site] {
        SITES
    }

    fn claimed_key(&self, call: &Call) -> Result<String, Refusal> {
        jwt::claimed_key(call)
    }

    fn verify(&self, call: &Call, account: &Account) -> Result<Option<u64>, Refusal> {
        jwt::verify(call, &account.credentials).map(|()| None)
    }

    /// 30 requests a second for a key, 10 for an address without one.
    fn limit(&self, signed: bool) -> Limit {
        let requests = if signed { 30 } else { 10 };
        Limit { capacity: requests, per_second: requests, each_endpoint: false, weighted: false }
    }

    fn succeed(&self, _: &Call, result: Value) -> Reply {
        Reply::json(200, &result)
    }

    fn refuse(&self, call: &Call, refusal: Refusal) -> Reply {
        match refusal {
            Refusal::Missing(_)
            | Refusal::UnknownKey
            | Refusal::BadPassphrase
            | Refusal::BadSignature
            | Refusal::BadTimestamp { .. }
            | Refusal::BadNonce
            | Refusal::IpNotAllowed => Reply::text(401, "Unauthorized\n"),
            Refusal::NotPermitted => {
                error(call, 403, "PERMISSION_DENIED", "invalid_scope", "Missing required scopes")
            }
            Refusal::RateLimited { retry_after } => {
                error(call, 429, "rate_limit_exceeded", "rate_limit_exceeded", "Too many requests")
                    .with("retry-after", retry_after)
            }
            Refusal::Maintenance => Reply::text(503, "Service Unavailable\n"),
            Refusal::Failing { status } => {
                error(call, status, "INTERNAL", "internal_server_error", "Internal server error")
            }
            Refusal::UnknownEndpoint => error(call, 404, "NOT_FOUND", "not_found", "Not found"),
            Refusal::BadParameter(name) => {
                error(call, 400, "INVALID_ARGUMENT", "invalid_request", &format!("invalid {name}"))
            }
            Refusal::InsufficientFunds => {
                error(call, 400, "INSUFFICIENT_FUND", "validation_error", "You don't have that much.")
            }
        }
    }
}

/// v3 and v2 have error shapes of their own.
fn error(call: &Call, status: u16, v3: &str, v2: &str, message: &str) -> Reply {
    let body = if call.path.starts_with("/v2/") {
        json!({"errors": [{"id": v2, "message": message}]})
    } else {
        json!({"error": v3, "error_details": message, "message": message})
    };
    Reply::json(status, &body)
}
