//! What a connector file says of an exchange's dialect.

use super::expression::{Expression, RowStep, row_path};
use super::json::{Json, Members};

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

#[derive(Debug)]
pub struct Section {
    pub name: String,
    pub host: String,
    prefix: String,
    /// `METHOD path` = another prefix.
    elsewhere: Vec<(String, String)>,
}

/// How requests are written and signed. Settings and templates stay as they are in the file.
#[derive(Debug)]
pub struct Rule {
    pub sections: Vec<String>,
    pub methods: Vec<String>,
    pub paths: Vec<String>,
    pub when: Vec<(String, String)>,
    pub empty: bool,
    pub keys: Vec<String>,
    pub keeps_path: bool,
    pub first: Members,
    pub last: Members,
    pub defaults: Members,
    pub seal: Members,
    pub steps: Vec<Step>,
    pub target: String,
    pub body: Option<String>,
    pub headers: Vec<(String, String)>,
    /// Sent along with a body only.
    pub body_headers: Vec<(String, String)>,
}

/// One computation of a rule.
#[derive(Debug)]
pub struct Step {
    pub name: String,
    pub keys: Vec<String>,
    pub encode: Vec<String>,
    pub work: Json,
}

/// What a listing is there for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    Time,
    /// A login, whose token signs in the credential's place.
    Session,
    Balance {
        source: String,
        account: String,
        default: bool,
    },
    Markets,
    Tickers,
    Capability,
    /// The operation's name.
    Read(String),
    /// Rows for each of which another call is made: the index of that one.
    Outer(usize),
    /// On what terms an operation would be carried out.
    Terms(String),
    /// Moves something, or quotes a conversion.
    Act(Box<Act>),
    /// What became of an operation.
    Status {
        operation: String,
        /// Codes that say that there is none.
        absent: Vec<String>,
    },
}

/// How something is moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// `transfer`, `withdraw`, `convert`, `order`, `quote`.
    pub operation: String,
    pub when: Vec<(String, Vec<String>)>,
    /// Our account types and the exchange's codes of them.
    pub accounts: Vec<(String, String)>,
    /// Of a withdrawal: the fee comes on top of the amount.
    pub net: bool,
    /// The parameter of which the exchange takes each value once.
    pub once: Option<String>,
    /// Codes by which it says that it knows one.
    pub repeated: Vec<String>,
}

/// A call and the rows of its answer.
#[derive(Debug)]
pub struct Listing {
    pub purpose: Purpose,
    pub method: String,
    pub section: String,
    pub path: String,
    pub params: Members,
    pub page: Option<Page>,
    /// At least one.
    pub rows: Vec<Vec<RowStep>>,
    pub only: Vec<(Expression, Vec<String>)>,
    pub fields: Vec<(String, Expression)>,
    /// The index of the listing whose rows this one is called for.
    pub each: Option<usize>,
}

/// How a listing goes on behind its first page.
#[derive(Debug)]
pub struct Page {
    pub size: usize,
    /// The parameter that asks for so many rows.
    limit: Option<String>,
    /// Further parameters that pages are asked with.
    with: Vec<String>,
    pub kind: Paging,
}

#[derive(Debug)]
pub enum Paging {
    /// The next page's cursor is in the answer.
    Cursor {
        param: String,
        next: Expression,
    },
    /// It is a field of the last row.
    Last {
        param: String,
        field: String,
    },
    Number {
        param: String,
        end: Option<String>,
        first: u64,
        step: u64,
    },
    Window {
        newest: bool,
    },
}

impl Page {
    /// Whether a parameter is there for the pages.
    pub fn names(&self, name: &str) -> bool {
        let own = match &self.kind {
            Paging::Cursor { param, .. } | Paging::Last { param, .. } => param == name,
            Paging::Number { param, end, .. } => param == name || end.as_deref() == Some(name),
            Paging::Window { .. } => false,
        };
        own || self.limit.as_deref() == Some(name) || self.with.iter().any(|known| known == name)
    }
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

impl Section {
    fn of(name: &str, section: &Json) -> Self {
        Self {
            name: name.to_owned(),
            host: section.field("host").unwrap_or_default().to_owned(),
            prefix: section.field("prefix").unwrap_or("/").to_owned(),
            elsewhere: pairs(section, "elsewhere"),
        }
    }

    /// What stands in front of an endpoint's path.
    pub fn prefix(&self, method: &str, path: &str) -> &str {
        let name = format!("{method} {path}");
        let elsewhere = self.elsewhere.iter().find(|(endpoint, _)| *endpoint == name);
        elsewhere.map_or(&self.prefix, |(_, prefix)| prefix)
    }
}

impl Rule {
    fn of(rule: &Json) -> Result<Self, String> {
        let owned = |name: &str| rule.texts(name).into_iter().map(str::to_owned).collect::<Vec<_>>();
        Ok(Self {
            sections: owned("sections"),
            methods: owned("methods"),
            paths: owned("paths"),
            when: pairs(rule, "when"),
            empty: rule.field("empty") == Some("true"),
            keys: owned("keys"),
            keeps_path: rule.field("keeps_path") == Some("true"),
            first: members(rule, "first").to_vec(),
            last: members(rule, "last").to_vec(),
            defaults: members(rule, "defaults").to_vec(),
            seal: members(rule, "seal").to_vec(),
            steps: list(rule, "steps").iter().map(Step::of).collect(),
            target: rule.field("target").ok_or("a signing rule without target")?.to_owned(),
            body: rule.field("body").map(str::to_owned),
            headers: pairs(rule, "headers"),
            body_headers: pairs(rule, "body_headers"),
        })
    }

    /// Whether requests by this rule carry something of a credential with these fields.
    pub fn authenticates(&self, credential: &[Field]) -> bool {
        let names_field = |(_, template): &(String, String)| {
            let mut tokens = credential.iter().map(|field| field.name.as_str()).chain([SESSION]);
            tokens.any(|token| template.contains(&format!("{{{token}")))
        };
        let written = self.body.iter().chain([&self.target]).map(|text| (String::new(), text.clone()));
        !self.steps.is_empty() || self.headers.iter().cloned().chain(written).any(|pair| names_field(&pair))
    }

    /// Whether the rule is for this endpoint, whatever its parameters.
    pub fn covers(&self, section: &str, method: &str, path: &str) -> bool {
        self.sections.iter().any(|known| known == section)
            && (self.methods.is_empty() || self.methods.iter().any(|known| known == method))
            && (self.paths.is_empty() || self.paths.iter().any(|glob| matches_glob(glob, path)))
    }
}

impl Step {
    fn of(step: &Json) -> Self {
        let encode = step.field("encode").unwrap_or_default();
        Self {
            name: step.field("name").unwrap_or_default().to_owned(),
            keys: step.texts("keys").into_iter().map(str::to_owned).collect(),
            encode: encode.split('|').filter(|filter| !filter.is_empty()).map(str::to_owned).collect(),
            work: step.clone(),
        }
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

fn listings_of(root: &Json, out: &mut Vec<Listing>) -> Result<(), String> {
    if let Some(time) = root.member("time") {
        add(Purpose::Time, time, out)?;
    }
    if let Some(session) = root.member("session") {
        add(Purpose::Session, session, out)?;
    }
    for balance in list(root, "balances") {
        let text = |name: &str| balance.field(name).unwrap_or_default().to_owned();
        let default = balance.field("default") != Some("false");
        add(Purpose::Balance { source: text("source"), account: text("account"), default }, balance, out)?;
    }
    for markets in list(root, "markets") {
        add(Purpose::Markets, markets, out)?;
    }
    let prices = root.member("prices").unwrap_or(&Json::Null);
    if let Some(markets) = prices.member("markets") {
        add(Purpose::Markets, markets, out)?;
    }
    for tickers in list(prices, "tickers") {
        add(Purpose::Tickers, tickers, out)?;
    }
    for probe in list(root, "capabilities") {
        add(Purpose::Capability, probe, out)?;
    }
    for read in list(root, "reads") {
        add(Purpose::Read(operation(read)), read, out)?;
    }
    for terms in list(root, "terms") {
        add(Purpose::Terms(operation(terms)), terms, out)?;
    }
    for action in list(root, "actions") {
        add(Purpose::Act(Box::new(Act::of(action))), action, out)?;
    }
    for status in list(root, "status") {
        let absent = owned(Some(status), "absent");
        add(Purpose::Status { operation: operation(status), absent }, status, out)?;
    }
    Ok(())
}

fn operation(table: &Json) -> String {
    table.field("operation").unwrap_or_default().to_owned()
}

impl Act {
    fn of(action: &Json) -> Self {
        let when = members(action, "when").iter();
        Self {
            operation: operation(action),
            when: when.map(|(name, _)| (name.clone(), owned(action.member("when"), name))).collect(),
            accounts: pairs(action, "accounts"),
            // Where nobody says, it comes on top.
            net: action.field("amount") != Some("gross"),
            once: action.field("once").map(str::to_owned),
            repeated: owned(Some(action), "repeated"),
        }
    }
}

/// Adds a listing, behind the one that it is called for.
fn add(purpose: Purpose, json: &Json, out: &mut Vec<Listing>) -> Result<(), String> {
    let each = match json.member("each") {
        Some(outer) => {
            add(Purpose::Outer(out.len() + 1), outer, out)?;
            Some(out.len() - 1)
        }
        None => None,
    };
    out.push(listing(purpose, json, each)?);
    Ok(())
}

fn listing(purpose: Purpose, json: &Json, each: Option<usize>) -> Result<Listing, String> {
    let call = json.field("call").ok_or("a listing without call")?;
    let mut words = call.splitn(3, ' ').map(str::to_owned);
    let mut word = || words.next().ok_or_else(|| format!("`{call}` is no call"));
    let only = members(json, "only")
        .iter()
        .map(|(expression, _)| Ok((Expression::parse(expression)?, owned(json.member("only"), expression))));
    let fields = pairs(json, "fields").into_iter().map(|(name, text)| Ok((name, Expression::parse(&text)?)));
    let rows: Vec<_> = json.texts("rows").into_iter().map(row_path).collect();
    Ok(Listing {
        purpose,
        method: word()?,
        section: word()?,
        path: word()?,
        params: members(json, "params").to_vec(),
        page: json.member("page").map(page).transpose()?,
        rows: if rows.is_empty() { vec![Vec::new()] } else { rows },
        only: only.collect::<Result<_, String>>()?,
        fields: fields.collect::<Result<_, String>>()?,
        each,
    })
}

fn page(page: &Json) -> Result<Page, String> {
    let number = |name: &str| page.field(name).and_then(|text| text.parse::<u64>().ok());
    let text = |name: &str| page.field(name).map(str::to_owned);
    let param = text("param").unwrap_or_default();
    let kind = match (text("next"), text("last"), page.member("days")) {
        (Some(next), ..) => Paging::Cursor { param, next: Expression::parse(&next)? },
        (_, Some(field), _) => Paging::Last { param, field },
        (.., Some(_)) => Paging::Window { newest: page.field("order") == Some("newest") },
        _ => {
            let (first, step) = (number("first").unwrap_or(1), number("step").unwrap_or(1));
            Paging::Number { param, end: text("end"), first, step }
        }
    };
    let size = number("size").and_then(|size| usize::try_from(size).ok()).unwrap_or(100);
    let with = pairs(page, "with").into_iter().map(|(name, _)| name).collect();
    Ok(Page { size, limit: text("limit"), with, kind })
}

fn credential(name: &str, field: &Json) -> Field {
    let kinds = field.texts("kinds").into_iter().map(str::to_owned).collect();
    Field { name: name.to_owned(), secret: field.field("secret") == Some("true"), kinds }
}

/// Whether a pattern with `*` for any text fits.
pub fn matches_glob(glob: &str, text: &str) -> bool {
    let Some((start, rest)) = glob.split_once('*') else { return glob == text };
    let Some(tail) = text.strip_prefix(start) else { return false };
    (0..=tail.len()).filter_map(|at| tail.get(at..)).any(|tail| matches_glob(rest, tail))
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
