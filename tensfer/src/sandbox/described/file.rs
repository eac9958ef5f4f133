//! What a connector file says of an exchange's dialect.

mod listing;
mod rule;

use super::expression::Expression;
use super::json::Json;

pub use listing::{Act, KeyCall, Listing, Page, Paging, Purpose};
pub use rule::{Rule, Section, Step, matches_glob};

use listing::listings_of;

/// One exchange, as its file describes it.
#[derive(Debug)]
pub struct File {
    pub id: String,
    pub credential: Vec<Field>,
    pub sections: Vec<Section>,
    pub rules: Vec<Rule>,
    /// Numbers of a key must grow.
    pub has_nonce: bool,
    pub listings: Vec<Listing>,
    pub errors: Errors,
    /// The exchange's asset code = the common one.
    pub alias: Vec<(String, String)>,
    /// A suffix of an asset code = the account type that it marks.
    pub suffix: Vec<(String, String)>,
    pub tables: Vec<(String, Vec<(String, String)>)>,
    /// The exchange's name of a network = its CAIP-2 id.
    pub networks: Vec<(String, String)>,
    /// What a login yields besides its body: names, and the headers and cookies that they stand in.
    pub login_headers: Vec<(String, String)>,
    pub login_cookies: Vec<(String, String)>,
    /// Requests name markets by numbers.
    pub numbers_markets: bool,
    /// The credential field by which keys are told apart, where they are listed, made or deleted.
    pub named_by: Option<String>,
}

/// The token of a login, which stands in rules as credential fields do.
pub const SESSION: &str = "session";

/// Whether a token is something that a login yielded: `session`, `session.NAME`.
pub fn is_session(token: &str) -> bool {
    token.strip_prefix(SESSION).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The token for what a login yields by that name.
pub fn session_token(name: &str) -> String {
    if name == "token" { SESSION.to_owned() } else { format!("{SESSION}.{name}") }
}

/// Fields of a login that say when it ends.
pub const ENDS: [&str; 2] = ["expires_in", "expires"];

/// A field of the credential.
#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub secret: bool,
    /// `text`, `base64`, `p256`, `ed25519`, `ed25519-base58`, `secp256k1`, `rsa`.
    pub kinds: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Errors {
    pub code: Option<Expression>,
    pub message: Option<Expression>,
    pub success: Vec<String>,
    /// Kind = whole codes or messages.
    pub exact: Vec<(String, Vec<String>)>,
    /// Kind = parts of codes or messages.
    pub contains: Vec<(String, Vec<String>)>,
}

impl File {
    /// # Errors
    /// What in the file is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let root = Json::parse(text).ok_or("no JSON")?;
        let mut listings = Vec::new();
        listings_of(&root, &mut listings)?;
        let assets = root.member("assets").unwrap_or(&Json::Null);
        let session = root.member(SESSION).unwrap_or(&Json::Null);
        let is_number = |listing: &Listing| {
            let by_number = |(_, setting): &(String, Json)| {
                setting.field("number").is_some_and(|template| template.contains("{param.market"))
            };
            listing.params.iter().any(by_number)
        };
        Ok(Self {
            numbers_markets: listings.iter().any(is_number),
            named_by: root.member("api_keys").and_then(|keys| keys.field("named_by")).map(str::to_owned),
            id: root.field("id").ok_or("no id")?.to_owned(),
            credential: members(&root, "credential")
                .iter()
                .map(|(name, field)| credential(name, field))
                .collect(),
            sections: members(&root, "sections")
                .iter()
                .map(|(name, section)| Section::of(name, section))
                .collect(),
            rules: list(&root, "signing").iter().map(Rule::of).collect::<Result<_, _>>()?,
            has_nonce: root.field("nonce").is_some_and(|nonce| nonce != "false"),
            listings,
            errors: Errors::of(root.member("errors").unwrap_or(&Json::Null))?,
            alias: pairs(assets, "alias"),
            suffix: pairs(assets, "suffix"),
            tables: members(&root, "tables")
                .iter()
                .map(|(name, _)| (name.clone(), pairs(root.member("tables").unwrap_or(&Json::Null), name)))
                .collect(),
            networks: pairs(&root, "networks"),
            login_headers: pairs(session, "headers"),
            login_cookies: pairs(session, "cookies"),
        })
    }

    /// Names of what a login yields.
    pub fn session_names(&self) -> impl Iterator<Item = &str> {
        let logins = self.listings.iter().filter(|listing| matches!(listing.purpose, Purpose::Session));
        let fields = logins.flat_map(|login| &login.fields).map(|(name, _)| name.as_str());
        let elsewhere = self.login_headers.iter().chain(&self.login_cookies).map(|(name, _)| name.as_str());
        fields.filter(|name| !ENDS.contains(name)).chain(elsewhere)
    }

    /// Whether any key of an account can be named in a call.
    pub fn lists_keys(&self) -> bool {
        self.listings.iter().any(|listing| listing.purpose == Purpose::Keys(KeyCall::List))
    }

    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The rows of a table that `map()` goes through.
    pub fn table(&self, name: &str) -> &[(String, String)] {
        self.tables.iter().find(|(known, _)| known == name).map_or(&[], |(_, rows)| rows)
    }

    /// The exchange's own code of a common one.
    pub fn code<'s>(&'s self, symbol: &'s str) -> &'s str {
        self.alias.iter().find(|(_, common)| common == symbol).map_or(symbol, |(code, _)| code)
    }

    /// The common code of the exchange's own, in whatever case it is written.
    pub fn symbol(&self, code: &str) -> String {
        let alias = self.alias.iter().find(|(known, _)| known.eq_ignore_ascii_case(code));
        alias.map_or_else(|| code.to_uppercase(), |(_, common)| common.clone())
    }

    /// The common code of the exchange's own.
    pub fn common<'s>(&'s self, code: &'s str) -> &'s str {
        self.alias.iter().find(|(known, _)| known == code).map_or(code, |(_, common)| common)
    }
}

impl Errors {
    fn of(errors: &Json) -> Result<Self, String> {
        let expression = |name: &str| errors.field(name).map(Expression::parse).transpose();
        let kinds = |name: &str| {
            let kinds = members(errors, name).iter();
            kinds.map(|(kind, _)| (kind.clone(), owned(errors.member(name), kind))).collect()
        };
        Ok(Self {
            code: expression("code")?,
            message: expression("message")?,
            success: owned(Some(errors), "success"),
            exact: kinds("exact"),
            contains: kinds("contains"),
        })
    }
}

fn credential(name: &str, field: &Json) -> Field {
    let kinds = field.texts("kinds").into_iter().map(str::to_owned).collect();
    Field { name: name.to_owned(), secret: field.field("secret") == Some("true"), kinds }
}

fn list<'j>(json: &'j Json, name: &str) -> &'j [Json] {
    json.member(name).map_or(&[], Json::items)
}

fn members<'j>(json: &'j Json, name: &str) -> &'j [(String, Json)] {
    json.member(name).map_or(&[], Json::members)
}

fn pairs(json: &Json, name: &str) -> Vec<(String, String)> {
    let text = |(name, value): &(String, Json)| Some((name.clone(), value.text()?.to_owned()));
    members(json, name).iter().filter_map(text).collect()
}

fn owned(json: Option<&Json>, name: &str) -> Vec<String> {
    json.map(|json| json.texts(name).into_iter().map(str::to_owned).collect()).unwrap_or_default()
}
