//! The calls of an exchange: what each is there for, what it asks, and the rows of its answer.

use super::super::expression::{Expression, RowStep, row_path};
use super::super::json::{Json, Members};
use super::{list, members, owned, pairs};

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
    /// About the keys of the account itself.
    Keys(KeyCall),
}

/// What is asked about keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyCall {
    List,
    Create,
    Delete,
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

impl Listing {
    /// Whether one answer is that of both.
    pub fn is_same_call(&self, other: &Self) -> bool {
        let place = |of: &Self| [&of.method, &of.section, &of.path].map(String::clone);
        place(self) == place(other) && self.params == other.params
    }
}

/// How a listing goes on behind its first page.
#[derive(Debug)]
pub struct Page {
    pub size: usize,
    /// The parameter that asks for so many rows.
    pub limit: Option<String>,
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

/// All of a file, in its order.
pub(super) fn listings_of(root: &Json, out: &mut Vec<Listing>) -> Result<(), String> {
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
    let keys = root.member("api_keys").unwrap_or(&Json::Null);
    for (name, call) in [("list", KeyCall::List), ("create", KeyCall::Create), ("delete", KeyCall::Delete)] {
        if let Some(json) = keys.member(name) {
            add(Purpose::Keys(call), json, out)?;
        }
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
