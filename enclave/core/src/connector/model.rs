//! A connector, as loaded from its file: everything the engine knows about one exchange.

use super::api_keys::ApiKeys;
use super::budget::Limit;
use super::expression::{Expression, Slots};
use super::model_action::{Action, Lookup, TermsCall};
use super::new_key::NewKey;
use super::oauth::OAuth;
use super::session::Session;
use super::value::Params;

pub use super::model_listing::{Call, Listing, Paging, Steps};
pub use super::model_signing::{Glob, Hash, Rule, Setting, Step, Work};

/// One exchange. `docs/spec/connector.md` describes each field as it is written in the file.
#[derive(Debug)]
pub struct Connector {
    pub id: String,
    pub name: String,
    /// What to create at the exchange, and how; shown to the owner.
    pub guide: Guide,
    /// What a credential consists of; of OAuth, the client and the access token.
    pub credential: Vec<CredentialField>,
    pub oauth: Option<OAuth>,
    /// How the exchange makes a key for a client that its owner authorises.
    pub new_key: Option<NewKey>,
    /// What its API does with its own keys.
    pub api_keys: Option<ApiKeys>,
    /// A token that a login yields.
    pub session: Option<Session>,
    pub sections: Vec<Section>,
    pub rules: Vec<Rule>,
    /// The exchange wants strictly increasing numbers per key: one signed call at a time, across all runs.
    pub nonce: Option<NonceUnit>,
    /// What the signed calls of one key may cost, over all runs.
    pub limit: Option<Limit>,
    /// The exchange speaks TLS 1.2 at most.
    pub tls12: bool,
    pub time: Option<Listing>,
    pub balances: Vec<BalanceSource>,
    /// Account types that the exchange has and this connector cannot read, with the reason.
    pub unsupported: Vec<(String, String)>,
    pub prices: Option<Prices>,
    pub capabilities: Vec<Probe>,
    pub reads: Vec<Read>,
    /// The market dictionary: what the exchange says of its markets.
    pub markets: Vec<MarketsCall>,
    /// What a market's name alone tells, by its form; the first that fits.
    pub market_names: Vec<(Glob, Params)>,
    /// Account types, and what each means to the routes of reads.
    pub accounts: Vec<(String, Params)>,
    pub actions: Vec<Action>,
    /// Operations that the connector has no action for, with the reason.
    pub unoffered: Vec<(String, String)>,
    /// What is asked before an action.
    pub terms: Vec<TermsCall>,
    /// What is asked after one.
    pub lookups: Vec<Lookup>,
    pub errors: Errors,
    pub assets: Assets,
    pub tables: Vec<NamedTable>,
    /// The exchange's names of networks, and the CAIP-2 id of each.
    pub networks: Vec<(String, String)>,
}

/// What the numbers of a key start from: Unix time in this unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceUnit {
    Millis,
    Seconds,
}

impl NonceUnit {
    /// The least number at that time.
    pub fn at(self, now_ms: u64) -> u64 {
        match self {
            Self::Millis => now_ms,
            Self::Seconds => now_ms / 1000,
        }
    }
}

/// A table of texts that expressions map through.
pub type NamedTable = (String, Vec<(String, String)>);

#[derive(Debug)]
pub struct Guide {
    pub url: String,
    pub steps: String,
}

#[derive(Debug)]
pub struct CredentialField {
    /// The name in the credential's JSON, such as `apiKey`.
    pub name: String,
    pub label: String,
    pub secret: bool,
    /// Accepted formats; the first that recognises the text is taken.
    pub kinds: Vec<KeyKind>,
}

/// The format of a credential field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The text itself, which is also the key of a MAC.
    Text,
    /// Base64 of the key of a MAC.
    Base64,
    /// ECDSA P-256, PEM (SEC 1 or PKCS #8).
    P256,
    /// Ed25519: PEM (PKCS #8), or base64 of the seed or of seed and public key.
    Ed25519,
    /// Ed25519: base58 of the seed or of seed and public key.
    Ed25519Base58,
    /// secp256k1: 32 bytes in hexadecimal, with or without `0x`.
    Secp256k1,
    /// RSA of 2048 bits and more, PEM (PKCS #1 or PKCS #8).
    Rsa,
}

/// A group of endpoints with the same host and path prefix.
#[derive(Debug)]
pub struct Section {
    pub name: String,
    pub host: String,
    pub prefix: String,
    /// Endpoints of the section that lie elsewhere: method, path, prefix.
    pub elsewhere: Vec<(Method, String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    pub fn parse(name: &str) -> Result<Self, String> {
        [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete]
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or_else(|| format!("unknown method `{name}`"))
    }
}

#[derive(Debug)]
pub struct BalanceSource {
    pub name: String,
    pub account: String,
    /// False where another source covers it: asked only by name.
    pub default: bool,
    /// Error codes by which the exchange says that this account type does not exist for the owner.
    pub absent: Vec<String>,
    pub listing: Listing,
}

#[derive(Debug)]
pub struct Prices {
    /// Gives base and quote of each market, where the tickers do not.
    pub markets: Option<Listing>,
    pub tickers: Vec<Listing>,
    /// Quote currencies by which a market's name is split, where nothing else says so; longest first.
    pub quotes: Vec<String>,
}

/// A call that tells what a key may do.
#[derive(Debug)]
pub struct Probe {
    pub stated: bool,
    pub listing: Listing,
}

/// A listing of markets, asked before a route is chosen that depends on the market.
#[derive(Debug)]
pub struct MarketsCall {
    pub when: Vec<(String, Vec<String>)>,
    /// Error codes by which the exchange says that it has no such market here.
    pub absent: Vec<String>,
    pub listing: Listing,
}

/// One way to serve a read operation: the first whose conditions hold is taken.
#[derive(Debug)]
pub struct Read {
    pub operation: String,
    /// Arguments and their allowed values (patterns with `*`); `absent` and `present` for any value.
    pub when: Vec<(String, Vec<String>)>,
    pub listing: Listing,
    /// Of a history without pages.
    pub unpaged: Option<Unpaged>,
}

/// What an exchange answers with that has no pages for a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpaged {
    /// All there is.
    Whole,
    /// The newest rows: nobody can ask for the ones before.
    Latest,
}

/// Read operations whose rows grow with time.
pub const HISTORIES: [&str; 5] = ["deposits", "withdrawals", "ledger", "my_trades", "transfers"];

/// How the exchange says that something failed.
#[derive(Debug, Default)]
pub struct Errors {
    pub code: Option<Expression>,
    pub message: Option<Expression>,
    /// Of a refusal for a reference that was used: the id of what it was used for.
    pub original: Option<Expression>,
    pub slots: Slots,
    /// Values of the code that mean success.
    pub success: Vec<String>,
    /// The exchange refuses a wrong clock with the words for a wrong key.
    pub clock_unsaid: bool,
    pub exact: Vec<(String, FaultKind)>,
    pub contains: Vec<(String, FaultKind)>,
}

/// What an exchange's error means; closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The key is unknown, revoked, expired, or its signature is wrong: the provider does not say which.
    Credential,
    /// The key itself is unknown, revoked or expired, and nothing else is meant by it.
    Gone,
    /// The key may not do this.
    Permission,
    /// The key is pinned to other addresses.
    Ip,
    /// The request's time or nonce was not accepted.
    Clock,
    RateLimit,
    Funds,
    Address,
    /// A blockchain network that the exchange does not serve for the asset.
    Network,
    /// The exchange does not serve the place the request came from.
    Region,
    /// Down, overloaded or in maintenance.
    Maintenance,
    /// The exchange wants something of the person first.
    Challenge,
    Unknown,
}

impl FaultKind {
    pub const ALL: [(FaultKind, &'static str); 13] = [
        (Self::Credential, "credential"),
        (Self::Gone, "gone"),
        (Self::Permission, "permission"),
        (Self::Ip, "ip"),
        (Self::Clock, "clock"),
        (Self::RateLimit, "rate_limit"),
        (Self::Funds, "funds"),
        (Self::Address, "address"),
        (Self::Network, "network"),
        (Self::Region, "region"),
        (Self::Maintenance, "maintenance"),
        (Self::Challenge, "challenge"),
        (Self::Unknown, "unknown"),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("unknown", |(_, name)| name)
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// From the exchange's asset codes to unified ones.
#[derive(Debug, Default)]
pub struct Assets {
    /// Sorted by the exchange's code.
    pub alias: Vec<(String, String)>,
    /// Suffixes that mark the same asset in another account type: suffix, account.
    pub suffix: Vec<(String, String)>,
}

impl Connector {
    /// How an owner authorises us there, for tokens or for a new key.
    pub fn authorisation(&self) -> Option<&OAuth> {
        self.oauth.as_ref().or_else(|| self.new_key.as_ref().map(|new_key| &new_key.oauth))
    }

    /// Every host the connector may talk to, each once.
    pub fn hosts(&self) -> Vec<&str> {
        let mut hosts: Vec<&str> = self.sections.iter().map(|section| section.host.as_str()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The unified code of the exchange's own asset code, and the account type that its suffix names.
    pub fn asset<'a>(&'a self, symbol: &'a str) -> (&'a str, Option<&'a str>) {
        let alias = |symbol: &'a str| {
            let found = self.assets.alias.binary_search_by(|(from, _)| from.as_str().cmp(symbol)).ok();
            found.and_then(|at| self.assets.alias.get(at)).map_or(symbol, |(_, to)| to.as_str())
        };
        for (suffix, account) in &self.assets.suffix {
            if let Some(bare) = symbol.strip_suffix(suffix.as_str()).filter(|bare| !bare.is_empty()) {
                return (alias(bare), Some(account));
            }
        }
        (alias(symbol), None)
    }

    /// The exchange's own code of a unified one: the shortest of those that mean it.
    pub fn symbol<'a>(&'a self, code: &'a str) -> &'a str {
        let own = self.assets.alias.iter().filter(|(_, to)| to == code).map(|(from, _)| from.as_str());
        own.min_by_key(|from| from.len()).unwrap_or(code)
    }

    /// The exchange's own name of a chain (CAIP-2).
    pub fn network(&self, chain: &str) -> Option<&str> {
        self.networks.iter().find(|(_, known)| known == chain).map(|(name, _)| name.as_str())
    }

    pub fn table(&self, name: &str) -> Option<&[(String, String)]> {
        self.tables.iter().find(|(known, _)| known == name).map(|(_, rows)| rows.as_slice())
    }

    /// Whether some route serves this read operation.
    pub fn reads(&self, operation: &str) -> bool {
        self.reads.iter().any(|read| read.operation == operation)
    }
}
