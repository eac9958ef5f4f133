//! Answers of exchanges to normalised results.

use std::collections::BTreeMap;

use enclave::connector::{Balance, Connector, Document, Json, Kind, Record, Reply, Value, merged};

use crate::actions;
use crate::claims::Claims;
use crate::compare::value;
use crate::currencies;
use crate::dictionary::{Dictionary, text};
use crate::input::Input;
use crate::network;
use crate::operations::{Plan, case_name, dictionaries, prepare};
use crate::report::{Exchange, Part};
use crate::vectors::Vectors;

/// Their field, and ours.
const FIELDS: &[(&str, &str)] = &[
    ("id", "id"),
    ("order", "order"),
    ("timestamp", "timestamp"),
    ("updated", "updated"),
    ("network", "network"),
    ("address", "address"),
    ("addressFrom", "address_from"),
    ("addressTo", "address_to"),
    ("tag", "tag"),
    ("tagFrom", "tag_from"),
    ("tagTo", "tag_to"),
    ("txid", "txid"),
    ("type", "type"),
    ("status", "status"),
    ("amount", "amount"),
    ("internal", "internal"),
    ("comment", "comment"),
    ("side", "side"),
    ("price", "price"),
    ("cost", "cost"),
    ("takerOrMaker", "role"),
    ("direction", "direction"),
    ("account", "account"),
    ("before", "before"),
    ("after", "after"),
    ("referenceId", "reference"),
    ("fromAccount", "from_account"),
    ("toAccount", "to_account"),
    ("last", "last"),
    ("close", "last"),
    ("open", "open"),
    ("high", "high"),
    ("low", "low"),
    ("bid", "bid"),
    ("bidVolume", "bid_volume"),
    ("ask", "ask"),
    ("askVolume", "ask_volume"),
    ("vwap", "vwap"),
    ("baseVolume", "base_volume"),
    ("quoteVolume", "quote_volume"),
    ("change", "change"),
    ("percentage", "percentage"),
    ("markPrice", "mark"),
    ("indexPrice", "index"),
    ("name", "name"),
    ("active", "active"),
    ("symbol", "market"),
    ("currency", "asset"),
    ("code", "code"),
    ("fee", "fee"),
    ("contracts", "contracts"),
    ("contractSize", "contract_size"),
    ("entryPrice", "entry_price"),
    ("notional", "notional"),
    ("leverage", "leverage"),
    ("unrealizedPnl", "unrealized_profit"),
    ("realizedPnl", "realized_profit"),
    ("liquidationPrice", "liquidation_price"),
    ("initialMargin", "initial_margin"),
    ("maintenanceMargin", "maintenance_margin"),
    ("collateral", "collateral"),
    ("marginMode", "margin_mode"),
];

pub fn check(
    connector: &'static Connector,
    claims: &Claims,
    vectors: &Vectors,
    report: &mut Exchange,
) -> Result<(), String> {
    let file = Document::parse(&vectors.response).map_err(|error| format!("response: {error:?}"))?;
    let (markets, currencies) = dictionaries(vectors)?;
    let dictionary = Dictionary::new(&markets, &currencies, &claims.markets);
    let methods = file.root().member("methods").ok().flatten();
    for (method, cases) in methods.into_iter().flat_map(Json::members) {
        let method = method.text().into_owned();
        for case in cases.elements() {
            let planned = prepare(connector, claims, Part::Response, &method, case, &dictionary, report);
            let Some((input, plan)) = planned else { continue };
            let result = plan.and_then(|plan| {
                check_case(connector, &plan, &input, &method, case, &dictionary, report)?;
                if let Ok(Some(answer)) = case.member("httpResponse") {
                    report.exercised.see_recorded(connector, plan.listing, &input.arguments, answer);
                }
                Ok(())
            });
            report.record(Part::Response, &case_name(&method, case), result);
        }
    }
    Ok(())
}

fn check_case(
    connector: &'static Connector,
    plan: &Plan,
    input: &Input,
    method: &str,
    case: Json<'_>,
    dictionary: &Dictionary<'_>,
    report: &mut Exchange,
) -> Result<(), String> {
    let answer = case.member("httpResponse").ok().flatten().ok_or("case has no answer")?;
    let expected = case.member("parsedResponse").ok().flatten().ok_or("case has no result")?;
    let reply = Reply { connector, arguments: &input.arguments, root: answer };
    if let Some(source) = plan.source {
        let read = reply.balances(source).map_err(|_| "the answer does not fit the description")?;
        if read.damaged {
            return Err("some rows could not be read".to_owned());
        }
        report.leave_out(method, "timestamp");
        let balances = merged(read.rows).map_err(|_| "a sum does not fit")?;
        return check_balances(&balances, expected, dictionary);
    }
    if method == "fetchTime" {
        let ours = reply.instant(plan.listing, "at").map(|ms| ms.to_string());
        return if value(ours.as_deref(), expected) {
            Ok(())
        } else {
            Err(format!("time: ours {ours:?}, theirs {}", expected.raw()))
        };
    }
    let read = reply.records(plan.listing).map_err(|_| "the answer does not fit the description")?;
    if read.damaged {
        return Err("some rows could not be read".to_owned());
    }
    if actions::deed(method).is_some() {
        return actions::check(&read.rows, expected);
    }
    if method == "fetchCurrencies" {
        return currencies::check(plan.listing, &read.rows, expected, report);
    }
    check_records(connector, plan, &read.rows, input, method, expected, dictionary, report)
}

/// What balances are compared by, in the order of [`Amounts`].
const FOUR: [&str; 4] = ["free", "used", "total", "debt"];

type Amounts = [Option<String>; 4];

fn check_balances(
    balances: &[Balance],
    expected: Json<'_>,
    dictionary: &Dictionary<'_>,
) -> Result<(), String> {
    const META: [&str; 7] = ["info", "timestamp", "datetime", "free", "used", "total", "debt"];
    let mut ours: BTreeMap<(String, String), Amounts> = BTreeMap::new();
    let nested = expected.members().any(|(name, _)| name.text().contains('/'));
    for balance in balances {
        let pair = match (&balance.pair, nested) {
            (Some(pair), true) => {
                dictionary.by_id(pair, Some("spot")).map_or_else(|| pair.clone(), |market| market.symbol)
            }
            _ => String::new(),
        };
        let text = |amount: Option<wire::Decimal>| amount.map(|amount| amount.to_string());
        let amounts = [text(balance.free), text(balance.used), text(balance.total), text(balance.debt)];
        ours.insert((pair, balance.asset.to_string()), amounts);
    }
    check_columns(&ours, expected)?;
    let mut seen = 0;
    for (name, entry) in expected.members() {
        let name = name.text().into_owned();
        if META.contains(&name.as_str()) {
            continue;
        }
        let entries: Vec<((String, String), Json<'_>)> = if name.contains('/') {
            let inner =
                entry.members().map(|(code, value)| ((name.clone(), code.text().into_owned()), value));
            inner.filter(|((_, code), _)| !META.contains(&code.as_str())).collect()
        } else {
            vec![((String::new(), name), entry)]
        };
        for (key, entry) in entries {
            seen += 1;
            let amounts = ours.get(&key).ok_or_else(|| format!("{key:?} is missing"))?;
            for (field, amount) in FOUR.iter().zip(amounts) {
                let Ok(Some(theirs)) = entry.member(field) else { continue };
                if !value(amount.as_deref(), theirs) {
                    return Err(format!("{key:?} {field}: ours {amount:?}, theirs {}", theirs.raw()));
                }
            }
        }
    }
    if seen == ours.len() { Ok(()) } else { Err(format!("ours has {} assets, theirs {seen}", ours.len())) }
}

/// The same amounts again, by field and then by code: `free`, `used`, `total` and `debt` of the whole, or of each pair.
fn check_columns(ours: &BTreeMap<(String, String), Amounts>, expected: Json<'_>) -> Result<(), String> {
    let pairs = expected.members().filter(|(name, _)| name.text().contains('/'));
    let wholes = std::iter::once((String::new(), expected))
        .chain(pairs.map(|(name, entry)| (name.text().into_owned(), entry)));
    for (pair, whole) in wholes {
        for (at, field) in FOUR.iter().enumerate() {
            let Ok(Some(column)) = whole.member(field) else { continue };
            for (code, theirs) in column.members() {
                let key = (pair.clone(), code.text().into_owned());
                let amounts = ours.get(&key).ok_or_else(|| format!("{key:?} is missing"))?;
                let amount = amounts.get(at).and_then(Option::as_deref);
                if !value(amount, theirs) {
                    return Err(format!("{field} {key:?}: ours {amount:?}, theirs {}", theirs.raw()));
                }
            }
        }
    }
    Ok(())
}

/// Their client leaves out rows of other markets than the call names, where an exchange tells of all.
fn is_asked_for(row: &Record, input: &Input) -> bool {
    let named = input.arguments.iter().find(|(name, _)| name == "markets").map(|(_, list)| list);
    match (named, row.field("market")) {
        (Some(Value::List(names)), Some(market)) if !names.is_empty() => {
            names.iter().any(|name| name.text() == market)
        }
        _ => true,
    }
}

/// Their client keeps the newest rows where an exchange answers with more than the call asked for.
fn cut_to_limit(rows: &mut Vec<&Record>, input: &Input) {
    let limit = input.arguments.iter().find(|(name, _)| name == "limit");
    let Some(limit) = limit.and_then(|(_, value)| value.text().parse::<usize>().ok()) else { return };
    if rows.len() > limit {
        let time = |row: &Record| row.field("timestamp").and_then(|text| text.parse::<u64>().ok());
        rows.sort_by_key(|row| std::cmp::Reverse(time(row)));
        rows.truncate(limit);
    }
}

#[expect(clippy::too_many_arguments, reason = "a comparison of everything that is known about a case")]
fn check_records(
    connector: &'static Connector,
    plan: &Plan,
    rows: &[Record],
    input: &Input,
    method: &str,
    expected: Json<'_>,
    dictionary: &Dictionary<'_>,
    report: &mut Exchange,
) -> Result<(), String> {
    let theirs: Vec<Json<'_>> = match expected.kind() {
        Kind::Array => expected.elements().collect(),
        _ if expected.member("info").ok().flatten().is_some() => vec![expected],
        _ => expected.members().map(|(_, entry)| entry).collect(),
    };
    let mut unmatched: Vec<&Record> = rows.iter().filter(|row| is_asked_for(row, input)).collect();
    cut_to_limit(&mut unmatched, input);
    if theirs.len() != unmatched.len() {
        return Err(format!("ours has {} rows, theirs {}", unmatched.len(), theirs.len()));
    }
    let mut reason = String::new();
    for entry in theirs {
        // Their results may be sorted otherwise.
        let found = unmatched.iter().position(|row| {
            match check_record(connector, plan, row, input, entry, dictionary) {
                Ok(()) => true,
                Err(why) => {
                    reason = why;
                    false
                }
            }
        });
        match found {
            Some(at) => unmatched.remove(at),
            None => return Err(reason),
        };
        for (name, field) in entry.members() {
            let name = name.text();
            let ours = FIELDS.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours);
            let has = ours.is_some_and(|ours| plan.listing.field(ours).is_some());
            if !has && !field.is_null() && !["info", "datetime"].contains(&name.as_ref()) {
                report.leave_out(method, &name);
            }
        }
    }
    Ok(())
}

fn check_record(
    connector: &Connector,
    plan: &Plan,
    row: &Record,
    input: &Input,
    entry: Json<'_>,
    dictionary: &Dictionary<'_>,
) -> Result<(), String> {
    for &(theirs, ours) in FIELDS {
        if plan.listing.field(ours).is_none() {
            continue;
        }
        let Ok(Some(expected)) = entry.member(theirs) else { continue };
        let text_of = row.field(ours).map(str::to_owned);
        let converted = match theirs {
            "symbol" => text_of.map(|id| {
                let kind = input
                    .arguments
                    .iter()
                    .find(|(name, _)| name == "market_type")
                    .map(|(_, kind)| kind.text().to_owned());
                let market = dictionary.by_id(&id, kind.as_deref());
                market.map_or(id, |market| market.symbol)
            }),
            "currency" => text_of.map(|id| code(connector, &id, dictionary)),
            // Their result may leave out what the call had named.
            "network" => {
                let theirs = text(entry, theirs);
                if theirs.as_ref().is_none_or(|theirs| {
                    text_of.as_ref().is_some_and(|ours| network::same(connector, ours, theirs))
                }) {
                    continue;
                }
                text_of
            }
            "fee" => {
                check_fee(connector, row, expected, dictionary)?;
                continue;
            }
            _ => text_of,
        };
        if !value(converted.as_deref(), expected) {
            return Err(format!("{theirs}: ours {converted:?}, theirs {}", expected.raw()));
        }
    }
    Ok(())
}

fn check_fee(
    connector: &Connector,
    row: &Record,
    expected: Json<'_>,
    dictionary: &Dictionary<'_>,
) -> Result<(), String> {
    let cost = text(expected, "cost");
    let ours = row.field("fee");
    match (&cost, ours) {
        (None, None) => return Ok(()),
        (Some(_), _) => {}
        (None, Some(fee)) => return Err(format!("fee: ours {fee}, theirs none")),
    }
    let expected_cost = expected.member("cost").ok().flatten().ok_or("fee has no cost")?;
    if !value(ours, expected_cost) {
        return Err(format!("fee: ours {ours:?}, theirs {cost:?}"));
    }
    let currency = row.field("fee_asset").map(|id| code(connector, id, dictionary));
    let expected_currency = text(expected, "currency");
    if currency == expected_currency {
        Ok(())
    } else {
        Err(format!("fee currency: ours {currency:?}, theirs {expected_currency:?}"))
    }
}

/// Through the connector's own rules; the dictionary is only asked where they leave the code as it is.
fn code(connector: &Connector, id: &str, dictionary: &Dictionary<'_>) -> String {
    let (unified, _) = connector.asset(id);
    if unified == id { dictionary.code(id).unwrap_or_else(|| id.to_owned()) } else { unified.to_owned() }
}
