//! Kraken spot REST, version 0: `API-Key`, `API-Sign`, a nonce that grows. Errors come with status 200.
//!
//! Source: <https://docs.kraken.com/api-reference/>.

mod account;
mod history;
mod market;
mod moving;
mod names;
mod signature;

use super::call::Call;
use super::dialect::{Dialect, Endpoint, Limit, Permission, Site};
use super::refusal::Refusal;
use super::reply::Reply;
use super::seed::Account;
use serde_json::{Value, json};

/// The dialect.
#[derive(Debug)]
pub struct Kraken;

const SITES: &[Site] = &[Site {
    hosts: &["api.kraken.com"],
    endpoints: &[
        Endpoint::public("/0/public/Time", 1, market::time),
        Endpoint::public("/0/public/SystemStatus", 1, market::status),
        Endpoint::public("/0/public/Assets", 1, market::assets),
        Endpoint::public("/0/public/AssetPairs", 1, market::pairs),
        Endpoint::public("/0/public/Ticker", 1, market::tickers),
        Endpoint::signed("POST", "/0/private/GetApiKeyInfo", 1, Permission::Read, account::key),
        Endpoint::signed("POST", "/0/private/Balance", 1, Permission::Read, account::totals),
        Endpoint::signed("POST", "/0/private/BalanceEx", 1, Permission::Read, account::balances),
        Endpoint::signed("POST", "/0/private/TradeBalance", 1, Permission::Read, account::trade_balance),
        Endpoint::signed("POST", "/0/private/Earn/Allocations", 1, Permission::Read, account::allocations),
        Endpoint::signed("POST", "/0/private/DepositStatus", 1, Permission::Read, history::deposits),
        Endpoint::signed("POST", "/0/private/WithdrawStatus", 1, Permission::Read, history::withdrawals),
        Endpoint::signed("POST", "/0/private/Ledgers", 2, Permission::Read, history::ledger),
        Endpoint::signed("POST", "/0/private/TradesHistory", 2, Permission::Read, history::trades),
        Endpoint::signed("POST", "/0/private/Withdraw", 1, Permission::Withdraw, moving::withdraw),
        Endpoint::signed("POST", "/0/private/WithdrawAddresses", 1, Permission::Read, moving::addresses),
        Endpoint::signed("POST", "/0/private/WithdrawMethods", 1, Permission::Read, moving::methods),
        Endpoint::signed("POST", "/0/private/WithdrawInfo", 1, Permission::Read, moving::info),
    ],
}];

impl Dialect for Kraken {
    fn sites(&self) -> &'static [Site] {
        SITES
    }

    fn claimed_key(&self, call: &Call) -> Result<String, Refusal> {
        call.header("api-key").map(str::to_owned).ok_or(Refusal::Missing("API-Key"))
    }

    fn verify(&self, call: &Call, account: &Account) -> Result<Option<u64>, Refusal> {
        signature::verify(call, &account.credentials.secret).map(Some)
    }

    /// The call counter of a Pro account: 20, one less each second.
    fn limit(&self, _: bool) -> Limit {
        Limit { capacity: 20, per_second: 1, each_endpoint: false, weighted: true }
    }

    fn succeed(&self, _: &Call, result: Value) -> Reply {
        Reply::json(200, &json!({"error": [], "result": result}))
    }

    fn refuse(&self, _: &Call, refusal: Refusal) -> Reply {
        let (status, error) = match refusal {
            Refusal::Missing("nonce") | Refusal::BadNonce | Refusal::BadTimestamp { .. } => {
                (200, "EAPI:Invalid nonce")
            }
            // A key that is bound to other addresses is answered like one that does not exist.
            Refusal::Missing(_) | Refusal::UnknownKey | Refusal::BadPassphrase | Refusal::IpNotAllowed => {
                (200, "EAPI:Invalid key")
            }
            Refusal::BadSignature => (200, "EAPI:Invalid signature"),
            Refusal::NotPermitted => (200, "EGeneral:Permission denied"),
            Refusal::RateLimited { .. } => (429, "EAPI:Rate limit exceeded"),
            Refusal::Maintenance => (200, "EService:Unavailable"),
            Refusal::Failing { status } => (status, "EGeneral:Internal error"),
            Refusal::UnknownEndpoint => (200, "EGeneral:Unknown method"),
            Refusal::BadParameter(_) => (200, "EGeneral:Invalid arguments"),
            Refusal::InsufficientFunds => (200, "EFunding:Insufficient funds"),
        };
        let reply = Reply::json(status, &json!({"error": [error]}));
        match refusal {
            Refusal::RateLimited { retry_after } => reply.with("retry-after", retry_after),
            _ => reply,
        }
    }
}
