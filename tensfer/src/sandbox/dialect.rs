//! What an exchange is made of here: sites with endpoints, a way to recognise a key, and a way to say no.

use super::call::Call;
use super::market::Market;
use super::moves::Moves;
use super::refusal::Refusal;
use super::reply::Reply;
use super::seed::Account;
use super::{binance, bybit, coinbase, described, kraken, kucoin, okx};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The exchanges served; named as ccxt names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exchange {
    Kraken,
    Binance,
    Coinbase,
    Okx,
    Bybit,
    Kucoin,
    /// Spoken as the connector file of this id describes it.
    Described(&'static str),
}

impl Exchange {
    /// Those with a dialect written by hand.
    pub const WRITTEN: [Self; 6] =
        [Self::Kraken, Self::Binance, Self::Coinbase, Self::Okx, Self::Bybit, Self::Kucoin];

    /// Every exchange, in order of id.
    pub fn all() -> impl Iterator<Item = Self> {
        described::all().map(|(id, _)| Self::of(id))
    }

    /// Whether an id is of one with a dialect written by hand.
    pub fn is_written(id: &str) -> bool {
        Self::WRITTEN.iter().any(|exchange| exchange.id() == id)
    }

    /// The exchange of an id that a file has.
    pub fn of(id: &'static str) -> Self {
        Self::WRITTEN.into_iter().find(|exchange| exchange.id() == id).unwrap_or(Self::Described(id))
    }

    pub fn id(self) -> &'static str {
        match self {
            Self::Kraken => "kraken",
            Self::Binance => "binance",
            Self::Coinbase => "coinbase",
            Self::Okx => "okx",
            Self::Bybit => "bybit",
            Self::Kucoin => "kucoin",
            Self::Described(id) => id,
        }
    }

    /// The dialect that was written by hand, where there is one.
    pub fn dialect(self) -> Option<&'static dyn Dialect> {
        match self {
            Self::Kraken => Some(&kraken::Kraken),
            Self::Binance => Some(&binance::Binance),
            Self::Coinbase => Some(&coinbase::Coinbase),
            Self::Okx => Some(&okx::Okx),
            Self::Bybit => Some(&bybit::Bybit),
            Self::Kucoin => Some(&kucoin::Kucoin),
            Self::Described(_) => None,
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl Serialize for Exchange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Exchange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        let known = Self::all().find(|exchange| exchange.id() == id);
        known.ok_or_else(|| D::Error::custom(format!("unknown exchange `{id}`")))
    }
}

/// One exchange's REST dialect.
pub trait Dialect: Sync {
    fn sites(&self) -> &'static [Site];

    /// The key that the caller claims to hold; nothing is verified yet.
    ///
    /// # Errors
    /// [`Refusal::Missing`] when the call carries none.
    fn claimed_key(&self, call: &Call) -> Result<String, Refusal>;

    /// Checks that the account's secret signed exactly this call, now. Returns the nonce where the dialect has
    /// one that must grow.
    ///
    /// # Errors
    /// In the order in which the exchange checks.
    fn verify(&self, call: &Call, account: &Account) -> Result<Option<u64>, Refusal>;

    fn limit(&self, signed: bool) -> Limit;

    /// Dresses an endpoint's result as the exchange does.
    fn succeed(&self, call: &Call, result: Value) -> Reply;

    fn refuse(&self, call: &Call, refusal: Refusal) -> Reply;
}

/// The endpoints behind one or more host names.
#[derive(Debug)]
pub struct Site {
    pub hosts: &'static [&'static str],
    pub endpoints: &'static [Endpoint],
}

/// A method and path, its cost against the rate limit, and what answers. `{}` in a path stands for one segment.
#[derive(Debug)]
pub struct Endpoint {
    pub method: &'static str,
    pub path: &'static str,
    pub weight: u32,
    pub answer: Answer,
}

/// Who may call, and what they get.
#[derive(Debug)]
pub enum Answer {
    Public(fn(&Query) -> Result<Value, Refusal>),
    Signed(Permission, fn(&Visit) -> Result<Value, Refusal>),
}

/// What a key may do. Withdrawing does not include trading, nor the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    Read,
    Trade,
    Withdraw,
}

/// What a public endpoint sees.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    pub call: &'a Call<'a>,
    pub market: &'a Market,
}

/// What a signed endpoint sees. Made only after the key, its signature, its permissions and its address passed.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    pub call: &'a Call<'a>,
    pub market: &'a Market,
    /// As it stands now.
    pub account: &'a Account,
    pub moves: &'a Mutex<Moves>,
}

impl Visit<'_> {
    pub fn moves(&self) -> MutexGuard<'_, Moves> {
        self.moves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A leaky bucket: `capacity` units, of which `per_second` leak each second.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    pub capacity: u32,
    pub per_second: u32,
    /// Counted for each endpoint apart, or all together.
    pub each_endpoint: bool,
    /// Every call costs 1, or what its endpoint says.
    pub weighted: bool,
}

impl Endpoint {
    pub const fn public(
        path: &'static str,
        weight: u32,
        answer: fn(&Query) -> Result<Value, Refusal>,
    ) -> Self {
        Self { method: "GET", path, weight, answer: Answer::Public(answer) }
    }

    pub const fn signed(
        method: &'static str,
        path: &'static str,
        weight: u32,
        permission: Permission,
        answer: fn(&Visit) -> Result<Value, Refusal>,
    ) -> Self {
        Self { method, path, weight, answer: Answer::Signed(permission, answer) }
    }

    pub fn matches(&self, method: &str, path: &str) -> bool {
        let mut given = path.split('/');
        let alike =
            self.path.split('/').all(|want| given.next().is_some_and(|have| want == "{}" || want == have));
        alike && given.next().is_none() && self.method == method
    }
}

/// The path segment that stands where the endpoint's path has its first `{}`.
pub fn segment<'a>(call: &Call<'a>, pattern: &str) -> &'a str {
    let at = pattern.split('/').position(|part| part == "{}").unwrap_or(usize::MAX);
    call.path.split('/').nth(at).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_placeholder_stands_for_exactly_one_segment() {
        let endpoint = Endpoint::public("/v2/accounts/{}", 1, |_| Ok(Value::Null));
        assert!(endpoint.matches("GET", "/v2/accounts/abc"));
        assert!(!endpoint.matches("GET", "/v2/accounts"));
        assert!(!endpoint.matches("GET", "/v2/accounts/abc/def"));
        assert!(!endpoint.matches("POST", "/v2/accounts/abc"));
    }

    #[test]
    fn no_host_belongs_to_two_sites() {
        let mut seen = HashSet::new();
        for site in
            Exchange::WRITTEN.iter().filter_map(|exchange| exchange.dialect()).flat_map(Dialect::sites)
        {
            assert!(site.hosts.iter().all(|host| seen.insert(*host)), "{:?}", site.hosts);
        }
    }
}
