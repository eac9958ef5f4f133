//! A connector, as loaded from its file: everything the engine knows about one exchange.

use super::budget::Limit;
use super::ethereum::Structure;
use super::expression::{Expression, Path, RowPath, Slots};
use super::model_action::{Action, Lookup, TermsCall};
use super::oauth::OAuth;
use super::session::Session;
use super::template::{Filter, Template};
use super::value::Encoding;

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
    pub actions: Vec<Action>,
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

/// How requests to some endpoints are written and signed. The first rule that applies is taken.
#[derive(Debug)]
pub struct Rule {
    pub sections: Vec<String>,
    pub methods: Vec<Method>,
    pub paths: Vec<Glob>,
    /// Parameters that must match.
    pub when: Vec<(String, Glob)>,
    /// Only for requests without parameters (besides those in the path).
    pub empty: bool,
    /// Kinds that the credential's signing key must have.
    pub keys: Vec<KeyKind>,
    /// Path parameters stay among the others.
    pub keeps_path: bool,
    /// Parameters put in front.
    pub first: Vec<(String, Setting)>,
    /// Parameters set at the end.
    pub last: Vec<(String, Setting)>,
    /// Parameters set at the end where the caller did not set them.
    pub defaults: Vec<(String, Setting)>,
    pub steps: Vec<Step>,
    /// Parameters set after the steps, before target and body are written.
    pub seal: Vec<(String, Setting)>,
    pub target: Template,
    pub body: Option<Template>,
    pub headers: Vec<(String, Template)>,
    /// Headers that are sent only along with a body.
    pub body_headers: Vec<(String, Template)>,
}

impl Rule {
    /// Whether requests by this rule carry something of the credential.
    pub fn authenticates(&self) -> bool {
        !self.steps.is_empty() || self.headers.iter().any(|(_, template)| template.uses_field())
    }
}

impl Template {
    pub fn uses_field(&self) -> bool {
        use super::template::Token;
        self.tokens().any(|token| matches!(token, Token::Field(_) | Token::Address(_) | Token::Session))
    }
}

/// A value made from templates.
#[derive(Clone, Debug)]
pub enum Setting {
    Text(Template),
    Number(Template),
    Bool(bool),
    List(Vec<Setting>),
    Map(Vec<(String, Setting)>),
    /// The JSON text of the parameter of that name, `[]` where it is missing.
    JsonText(String),
    /// The items of the list of that name with commas between.
    Joined(String),
    /// All parameters, as a table.
    Params,
    /// The first of these whose arguments all have a value.
    First(Vec<Setting>),
}

/// One computation of a signing rule; its output is a token of that name.
#[derive(Debug)]
pub struct Step {
    pub name: String,
    /// Kinds of the signing key for which the step applies; all when empty.
    pub keys: Vec<KeyKind>,
    pub work: Work,
    pub encode: Vec<Filter>,
}

#[derive(Debug)]
pub enum Work {
    Text(Template),
    /// A JSON object of these settings, with the parameters behind them where `params` says so.
    Json {
        members: Vec<(String, Setting)>,
        params: bool,
    },
    /// The parameters, and further ones that are signed without being sent.
    Params {
        encoding: Encoding,
        with: Vec<(String, Setting)>,
    },
    Hash {
        hash: Hash,
        message: Template,
    },
    Hmac {
        hash: Hash,
        key: Template,
        message: Template,
    },
    /// A signature by the key in a credential field; the algorithm follows from the key.
    Sign {
        field: usize,
        message: Template,
    },
    /// A text signed by an Ethereum key as `personal_sign` does (EIP-191): r ‖ s ‖ 27 or 28.
    Personal {
        field: usize,
        message: Template,
    },
    /// A structure signed by an Ethereum key (EIP-712): r ‖ s ‖ 27 or 28.
    Typed {
        field: usize,
        structure: Box<Structure>,
    },
    /// A JWT (RFC 7519) by the key in a credential field; `alg` follows from the key.
    Jwt {
        field: usize,
        header: Vec<(String, Setting)>,
        claims: Vec<(String, Setting)>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// RFC 1321: broken against collisions, and what some exchanges still ask for.
    Md5,
    Sha256,
    Sha384,
    Sha512,
    /// As Ethereum uses it, which is not SHA-3.
    Keccak256,
}

/// A pattern with `*` for any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(pub String);

impl Glob {
    pub fn matches(&self, text: &str) -> bool {
        is_like(text, &self.0)
    }
}

/// Whether a text is what the pattern says, in which `*` stands for any text.
pub fn is_like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| text.strip_prefix(start)) else { return false };
    let Some(end) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(end)
}

/// An endpoint and its weight in the exchange's rate limit.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub section: String,
    pub path: String,
    pub cost: u32,
}

/// A call, and how the rows of its answer are read.
#[derive(Debug)]
pub struct Listing {
    pub call: Call,
    /// The call is made once for each row of this listing, whose fields become arguments.
    pub each: Option<Box<Listing>>,
    /// Arguments with no value are left out.
    pub params: Vec<(String, Setting)>,
    pub page: Option<Paging>,
    pub rows: Vec<RowPath>,
    /// Rows are skipped whose expression yields none of the values.
    pub only: Vec<(Expression, Vec<String>)>,
    /// Rows equal to an earlier one in every field are left out: some providers say each thing twice.
    pub distinct: bool,
    pub fields: Vec<(String, Expression)>,
    pub slots: Slots,
}

impl Listing {
    pub fn field(&self, name: &str) -> Option<&Expression> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, expression)| expression)
    }
}

impl Listing {
    /// Names of the arguments that one setting is made of.
    pub fn arguments_of(setting: &Setting) -> Vec<String> {
        let mut names = Vec::new();
        setting.arguments(&mut names);
        names
    }

    /// Whether the parameters say something of the credential.
    pub fn names_field(&self) -> bool {
        self.params.iter().any(|(_, setting)| setting.uses_field())
    }

    /// Names of the arguments that the parameters are made of.
    pub fn arguments(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (_, setting) in &self.params {
            setting.arguments(&mut names);
        }
        names
    }
}

impl Setting {
    fn uses_field(&self) -> bool {
        match self {
            Self::Text(template) | Self::Number(template) => template.uses_field(),
            Self::List(items) | Self::First(items) => items.iter().any(Self::uses_field),
            Self::Map(members) => members.iter().any(|(_, member)| member.uses_field()),
            Self::Bool(_) | Self::JsonText(_) | Self::Joined(_) | Self::Params => false,
        }
    }

    fn arguments(&self, names: &mut Vec<String>) {
        match self {
            Self::Text(template) | Self::Number(template) => names.extend(template.params()),
            Self::JsonText(name) | Self::Joined(name) => names.push(name.clone()),
            Self::Bool(_) | Self::Params => {}
            Self::List(items) | Self::First(items) => items.iter().for_each(|item| item.arguments(names)),
            Self::Map(members) => members.iter().for_each(|(_, member)| member.arguments(names)),
        }
    }
}

/// How a listing goes on behind its first page.
#[derive(Debug)]
pub struct Paging {
    pub steps: Steps,
    /// Rows of a full page: one with fewer is the last, or the last of its window. None where an empty page, or the
    /// exchange's word, ends the listing.
    pub size: Option<u32>,
    /// The parameter that asks for pages of `size` rows.
    pub limit: Option<String>,
    /// Parameters that ask for pages and for nothing else, their texts: a direction, a first cursor.
    pub with: Vec<(String, String)>,
    /// The exchange tells of the last so many days only.
    pub kept_ms: Option<u64>,
    /// The most pages of one run.
    pub max: u32,
}

#[derive(Debug)]
pub enum Steps {
    /// The next page's cursor is in the answer.
    Cursor { param: String, next: Path },
    /// The next page's cursor is this field of the last row.
    Last { param: String, field: String },
    /// Pages are numbered from `first` in steps of `step` (1, or the size where rows are counted); `end` is the
    /// parameter for where the page ends, which it does not hold.
    Number { param: String, first: u32, step: u32, end: Option<String> },
    /// Windows of time of at most that span, in the arguments `since` and `until`. A full page does not hold all of
    /// its window: with `newest` it holds the newest rows, else the oldest.
    Window { span_ms: u64, newest: bool, earliest_ms: u64 },
}

impl Paging {
    /// Whether a page of so many rows has another one behind it.
    pub fn is_full(&self, rows: usize) -> bool {
        self.size.map_or(rows != 0, |size| rows >= size as usize)
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

/// One way to serve a read operation: the first whose conditions hold is taken.
#[derive(Debug)]
pub struct Read {
    pub operation: String,
    /// Arguments and their allowed values (patterns with `*`); `absent` and `present` for any value.
    pub when: Vec<(String, Vec<String>)>,
    pub listing: Listing,
}

/// How the exchange says that something failed.
#[derive(Debug, Default)]
pub struct Errors {
    pub code: Option<Expression>,
    pub message: Option<Expression>,
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
    /// The key is unknown, revoked, expired, or its signature is wrong.
    Credential,
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
    pub const ALL: [(FaultKind, &'static str); 12] = [
        (Self::Credential, "credential"),
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
