//! From a connector file in its embedded form (JSON) to a [`Connector`]: complete, or an error that names the place.

use super::api_keys;
use super::budget::Limit;
use super::expression::{Expression, RowPath, Slots};
use super::json::{Document, Json, Kind};
use super::load_action;
use super::load_page;
use super::load_signing::{self, setting};
use super::model::*;
use super::new_key;
use super::oauth;
use super::session::Session;
use super::table::{LoadError, Table, texts};
use super::template::Scope;
use super::value::{Params, Value};

/// Loads one connector. Unknown fields, undefined names and foreign hosts are refused.
pub fn load(bytes: &[u8]) -> Result<Connector, LoadError> {
    let document = Document::parse(bytes).map_err(|error| format!("not JSON: {error:?}"))?;
    let mut top = Table::of(document.root(), "connector")?;
    let id = top.text("id")?;
    let mut fields = credential(&mut top)?;
    let oauth = oauth::load(&mut top, &mut fields)?;
    let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
    let sections = sections(&mut top)?;
    let connector = Connector {
        id,
        name: top.text("name")?,
        guide: guide(&mut top)?,
        rules: load_signing::rules(&mut top, &fields)?,
        nonce: nonce(&mut top)?,
        limit: top.take("limit").map(limit).transpose()?,
        tls12: top.flag("tls12", false)?,
        time: top.take("time").map(|json| time(json, &names)).transpose()?,
        balances: balances(&mut top, &names)?,
        unsupported: top.pairs("unsupported")?,
        prices: top.take("prices").map(|json| prices(json, &names)).transpose()?,
        capabilities: capabilities(&mut top, &names)?,
        reads: reads(&mut top, &names)?,
        markets: markets(&mut top, &names)?,
        market_names: meanings(&mut top, "market_names")?
            .into_iter()
            .map(|(name, means)| (Glob(name), means))
            .collect(),
        accounts: meanings(&mut top, "accounts")?,
        actions: load_action::actions(&mut top, &names)?,
        unoffered: load_action::unoffered(&mut top)?,
        terms: load_action::terms(&mut top, &names)?,
        lookups: load_action::lookups(&mut top, &names)?,
        errors: errors(&mut top)?,
        assets: assets(&mut top)?,
        tables: tables(&mut top)?,
        networks: top.pairs("networks")?,
        api_keys: top.take("api_keys").map(|json| api_keys::load(json, &fields)).transpose()?,
        new_key: top.take("new_key").map(|json| new_key::load(json, &fields)).transpose()?,
        credential: fields,
        oauth,
        session: top.take("session").map(|json| session(json, &names)).transpose()?,
        sections,
    };
    top.finish()?;
    super::check::check(&connector)?;
    Ok(connector)
}

/// `true` counts in milliseconds, `"seconds"` in seconds.
fn nonce(top: &mut Table<'_>) -> Result<Option<NonceUnit>, LoadError> {
    match top.take("nonce") {
        Some(json) if json.string().as_deref() == Some("seconds") => Ok(Some(NonceUnit::Seconds)),
        Some(json) => match json.kind() {
            Kind::True => Ok(Some(NonceUnit::Millis)),
            Kind::False => Ok(None),
            _ => Err(top.fault("nonce", "expected true, false or `seconds`")),
        },
        None => Ok(None),
    }
}

fn limit(json: Json<'_>) -> Result<Limit, LoadError> {
    let mut table = Table::of(json, "limit")?;
    let limit = Limit { weight: table.number("weight", None)?, seconds: table.number("seconds", None)? };
    if limit.weight == 0 || limit.seconds == 0 {
        return Err(table.fault("weight", "a limit of nothing"));
    }
    table.finish()?;
    Ok(limit)
}

pub(super) fn guide(top: &mut Table<'_>) -> Result<Guide, LoadError> {
    let mut table = Table::of(top.need("guide")?, &top.place("guide"))?;
    let guide = Guide { url: table.text("url")?, steps: table.text("steps")? };
    table.finish()?;
    Ok(guide)
}

fn credential(top: &mut Table<'_>) -> Result<Vec<CredentialField>, LoadError> {
    let listed = top.entries("credential")?;
    let mut fields = Vec::with_capacity(listed.len());
    for (name, json) in listed {
        let mut table = Table::of(json, &format!("credential.{name}"))?;
        let kinds = table.texts("kinds")?;
        fields.push(CredentialField {
            label: table.text("label")?,
            secret: table.flag("secret", false)?,
            kinds: kinds.iter().map(|kind| key_kind(kind)).collect::<Result<_, _>>()?,
            name,
        });
        table.finish()?;
    }
    Ok(fields)
}

pub(super) fn key_kind(name: &str) -> Result<KeyKind, LoadError> {
    Ok(match name {
        "text" => KeyKind::Text,
        "base64" => KeyKind::Base64,
        "p256" => KeyKind::P256,
        "ed25519" => KeyKind::Ed25519,
        "ed25519-base58" => KeyKind::Ed25519Base58,
        "secp256k1" => KeyKind::Secp256k1,
        "rsa" => KeyKind::Rsa,
        _ => return Err(format!("unknown key kind `{name}`")),
    })
}

fn sections(top: &mut Table<'_>) -> Result<Vec<Section>, LoadError> {
    let listed = top.entries("sections")?;
    let mut sections = Vec::with_capacity(listed.len());
    for (name, json) in listed {
        let mut table = Table::of(json, &format!("sections.{name}"))?;
        let listed = table.pairs("elsewhere")?;
        let mut elsewhere = Vec::with_capacity(listed.len());
        for (endpoint, prefix) in listed {
            let (method, path) =
                endpoint.split_once(' ').ok_or_else(|| table.fault(&endpoint, "no method"))?;
            elsewhere.push((Method::parse(method)?, path.to_owned(), prefix));
        }
        sections.push(Section { host: table.text("host")?, prefix: table.text("prefix")?, elsewhere, name });
        table.finish()?;
    }
    Ok(sections)
}

fn time(json: Json<'_>, names: &[String]) -> Result<Listing, LoadError> {
    let mut table = Table::of(json, "time")?;
    let listing = listing(&mut table, names, &["at"])?;
    table.finish()?;
    Ok(listing)
}

fn session(json: Json<'_>, names: &[String]) -> Result<Session, LoadError> {
    let mut table = Table::of(json, "session")?;
    let lifetime_ms = u64::from(table.number("lifetime", None)?) * 1000;
    let (headers, cookies) = (table.pairs("headers")?, table.pairs("cookies")?);
    let session = Session { lifetime_ms, headers, cookies, listing: single(&mut table, names, None)? };
    table.finish()?;
    Ok(session)
}

const BALANCE_FIELDS: [&str; 7] = ["asset", "free", "used", "total", "debt", "account", "pair"];

fn balances(top: &mut Table<'_>, names: &[String]) -> Result<Vec<BalanceSource>, LoadError> {
    let listed = top.tables("balances")?;
    let mut sources = Vec::with_capacity(listed.len());
    for mut table in listed {
        sources.push(BalanceSource {
            name: table.text("source")?,
            account: table.text("account")?,
            default: table.flag("default", true)?,
            absent: table.texts("absent")?,
            listing: listing(&mut table, names, &BALANCE_FIELDS)?,
        });
        table.finish()?;
    }
    Ok(sources)
}

const PRICE_FIELDS: [&str; 7] = ["market", "base", "quote", "last", "bid", "ask", "at"];

fn prices(json: Json<'_>, names: &[String]) -> Result<Prices, LoadError> {
    let mut table = Table::of(json, "prices")?;
    let markets = match table.take("markets") {
        Some(json) => {
            let mut inner = Table::of(json, "prices.markets")?;
            let markets = listing(&mut inner, names, &PRICE_FIELDS)?;
            inner.finish()?;
            Some(markets)
        }
        None => None,
    };
    let listed = table.tables("tickers")?;
    let mut tickers = Vec::with_capacity(listed.len());
    for mut inner in listed {
        tickers.push(listing(&mut inner, names, &PRICE_FIELDS)?);
        inner.finish()?;
    }
    let mut quotes = table.texts("quotes")?;
    quotes.sort_by_key(|quote| std::cmp::Reverse(quote.len()));
    table.finish()?;
    Ok(Prices { markets, tickers, quotes })
}

/// The capabilities that a finding may name.
pub const CAPABILITIES: [&str; 8] =
    ["read", "trade", "futures", "margin", "withdraw", "transfer", "ip_restricted", "expires"];

fn capabilities(top: &mut Table<'_>, names: &[String]) -> Result<Vec<Probe>, LoadError> {
    let listed = top.tables("capabilities")?;
    let mut probes = Vec::with_capacity(listed.len());
    for mut table in listed {
        let stated = match table.text("source")?.as_str() {
            "stated" => true,
            "inferred" => false,
            _ => return Err(table.fault("source", "expected `stated` or `inferred`")),
        };
        probes.push(Probe { stated, listing: listing(&mut table, names, &CAPABILITIES)? });
        table.finish()?;
    }
    Ok(probes)
}

/// The fields that a row of a read operation may have.
pub const READ_FIELDS: &[&str] = &[
    "at",
    "id",
    "order",
    "market",
    "base",
    "quote",
    "timestamp",
    "updated",
    "asset",
    "code",
    "network",
    "address",
    "tag",
    "address_from",
    "address_to",
    "tag_from",
    "tag_to",
    "txid",
    "type",
    "status",
    "amount",
    "fee",
    "fee_asset",
    "internal",
    "comment",
    "side",
    "price",
    "cost",
    "role",
    "direction",
    "account",
    "before",
    "after",
    "reference",
    "from_account",
    "to_account",
    "last",
    "open",
    "high",
    "low",
    "bid",
    "bid_volume",
    "ask",
    "ask_volume",
    "vwap",
    "base_volume",
    "quote_volume",
    "change",
    "percentage",
    "mark",
    "index",
    "name",
    "saved",
    "free",
    "active",
    "deposit",
    "withdraw",
    "minimum",
    "maximum",
    "deposit_minimum",
    "precision",
    "contract",
    "contracts",
    "contract_size",
    "entry_price",
    "notional",
    "leverage",
    "unrealized_profit",
    "realized_profit",
    "liquidation_price",
    "initial_margin",
    "maintenance_margin",
    "collateral",
    "margin_mode",
];

fn reads(top: &mut Table<'_>, names: &[String]) -> Result<Vec<Read>, LoadError> {
    let listed = top.tables("reads")?;
    let mut reads = Vec::with_capacity(listed.len());
    for mut table in listed {
        let when = conditions(&mut table)?;
        let (operation, unpaged) = (table.text("operation")?, load_page::unpaged(&mut table)?);
        reads.push(Read { operation, when, listing: listing(&mut table, names, READ_FIELDS)?, unpaged });
        table.finish()?;
    }
    Ok(reads)
}

const MARKET_FIELDS: [&str; 5] = ["market", "base", "quote", "market_type", "sub_type"];

fn markets(top: &mut Table<'_>, names: &[String]) -> Result<Vec<MarketsCall>, LoadError> {
    let mut markets = Vec::new();
    for mut table in top.tables("markets")? {
        let (when, absent) = (conditions(&mut table)?, table.texts("absent")?);
        markets.push(MarketsCall { when, absent, listing: listing(&mut table, names, &MARKET_FIELDS)? });
        table.finish()?;
    }
    Ok(markets)
}

/// Names, and the arguments that each means: `margin = { margin_mode = "cross" }`.
fn meanings(top: &mut Table<'_>, table: &str) -> Result<Vec<(String, Params)>, LoadError> {
    let mut meanings = Vec::new();
    if let Some(json) = top.take(table) {
        let mut outer = Table::of(json, table)?;
        for (name, _) in Table::of(json, table)?.into_members() {
            let arguments = outer.pairs(&name)?.into_iter();
            meanings.push((name, arguments.map(|(name, text)| (name, Value::Text(text))).collect()));
        }
    }
    Ok(meanings)
}

/// Arguments and their allowed values.
pub(super) fn conditions(table: &mut Table<'_>) -> Result<Vec<(String, Vec<String>)>, LoadError> {
    let listed = table.entries("when")?;
    let mut when = Vec::with_capacity(listed.len());
    for (argument, json) in listed {
        when.push((argument, texts(json).map_err(|reason| table.fault("when", reason))?));
    }
    Ok(when)
}

/// A listing whose fields are among `allowed`, with what it is repeated for.
pub(super) fn listing(
    table: &mut Table<'_>,
    names: &[String],
    allowed: &[&str],
) -> Result<Listing, LoadError> {
    let each = match table.take("each") {
        Some(json) => {
            let mut inner = Table::of(json, "each")?;
            let each = single(&mut inner, names, None)?;
            inner.finish()?;
            Some(Box::new(each))
        }
        None => None,
    };
    Ok(Listing { each, ..single(table, names, Some(allowed))? })
}

fn single(table: &mut Table<'_>, names: &[String], allowed: Option<&[&str]>) -> Result<Listing, LoadError> {
    let mut slots = Slots::default();
    let scope = Scope { fields: names, steps: &[] };
    let listed = table.entries("params")?;
    let mut params = Vec::with_capacity(listed.len());
    for (name, json) in listed {
        let value = setting(json, scope).map_err(|reason| table.fault("params", reason))?;
        params.push((name, value));
    }
    let listed = table.texts("rows")?;
    let mut rows = Vec::with_capacity(listed.len().max(1));
    for path in listed {
        rows.push(RowPath::parse(&path).map_err(|reason| table.fault("rows", reason))?);
    }
    if rows.is_empty() {
        rows.push(RowPath::default());
    }
    let listed = table.entries("only")?;
    let mut only = Vec::with_capacity(listed.len());
    for (expression, json) in listed {
        let expression =
            Expression::parse(&expression, &mut slots).map_err(|reason| table.fault("only", reason))?;
        only.push((expression, texts(json).map_err(|reason| table.fault("only", reason))?));
    }
    let listed = table.entries("fields")?;
    let mut fields = Vec::with_capacity(listed.len());
    for (name, json) in listed {
        let text = json.string().ok_or_else(|| table.fault("fields", "expected text"))?;
        if allowed.is_some_and(|allowed| !allowed.contains(&name.as_str())) {
            return Err(table.fault("fields", format!("unknown field `{name}`")));
        }
        let expression =
            Expression::parse(&text, &mut slots).map_err(|reason| table.fault("fields", reason))?;
        fields.push((name, expression));
    }
    slots.shrink();
    let page = table.take("page").map(load_page::paging).transpose()?;
    let (distinct, call) = (table.flag("distinct", false)?, call(table)?);
    if let Some(place) = call.places().find(|place| !params.iter().any(|(name, _)| name == place)) {
        return Err(table.fault("call", format!("`{{{place}}}` is none of the parameters")));
    }
    Ok(Listing { call, each: None, params, page, rows, only, distinct, fields, slots })
}

fn call(table: &mut Table<'_>) -> Result<Call, LoadError> {
    let text = table.text("call")?;
    let mut parts = text.splitn(3, ' ');
    let mut part =
        || parts.next().map(str::to_owned).ok_or_else(|| table.fault("call", "expected METHOD SECTION PATH"));
    let (method, section, path) = (part()?, part()?, part()?);
    Ok(Call { method: Method::parse(&method)?, section, path, cost: table.number("cost", Some(1))? })
}

fn errors(top: &mut Table<'_>) -> Result<Errors, LoadError> {
    let Some(json) = top.take("errors") else { return Ok(Errors::default()) };
    let mut table = Table::of(json, "errors")?;
    let mut slots = Slots::default();
    let mut expression = |table: &mut Table<'_>, name: &str| -> Result<Option<Expression>, LoadError> {
        let text = table.optional_text(name)?;
        text.map(|text| Expression::parse(&text, &mut slots)).transpose()
    };
    let (code, message) = (expression(&mut table, "code")?, expression(&mut table, "message")?);
    let original = expression(&mut table, "original")?;
    let success = table.texts("success")?;
    let clock_unsaid = table.flag("clock_unsaid", false)?;
    let exact = fault_map(&mut table, "exact")?;
    let contains = fault_map(&mut table, "contains")?;
    table.finish()?;
    Ok(Errors { code, message, original, slots, success, clock_unsaid, exact, contains })
}

fn fault_map(table: &mut Table<'_>, name: &str) -> Result<Vec<(String, FaultKind)>, LoadError> {
    let mut map: Vec<(String, FaultKind)> = Vec::new();
    for (kind, json) in table.entries(name)? {
        let kind =
            FaultKind::parse(&kind).ok_or_else(|| table.fault(name, format!("unknown kind `{kind}`")))?;
        for code in texts(json).map_err(|reason| table.fault(name, reason))? {
            if map.iter().any(|(known, _)| *known == code) {
                return Err(table.fault(name, format!("`{code}` twice")));
            }
            map.push((code, kind));
        }
    }
    map.shrink_to_fit();
    Ok(map)
}

fn assets(top: &mut Table<'_>) -> Result<Assets, LoadError> {
    let Some(json) = top.take("assets") else { return Ok(Assets::default()) };
    let mut table = Table::of(json, "assets")?;
    let mut assets = Assets { alias: table.pairs("alias")?, suffix: table.pairs("suffix")? };
    assets.alias.sort();
    table.finish()?;
    Ok(assets)
}

fn tables(top: &mut Table<'_>) -> Result<Vec<NamedTable>, LoadError> {
    let mut tables = Vec::new();
    if let Some(json) = top.take("tables") {
        let mut outer = Table::of(json, "tables")?;
        for (name, _) in Table::of(json, "tables")?.into_members() {
            let rows = outer.pairs(&name)?;
            tables.push((name, rows));
        }
    }
    Ok(tables)
}
