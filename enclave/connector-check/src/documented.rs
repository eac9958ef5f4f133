//! Answers as providers document them, and what each must be read as: `vectors/documented/README.md`.

use std::path::Path;

use enclave::connector::{
    Balance, Connector, Document, FaultCode, Json, Kind, Listing, Params, Record, Reply, Said, Value,
    listings, merged, refusal, said,
};

use crate::coverage::{CURSOR, ERRORS, Exercised};
use crate::dictionary::text;
use crate::input;
use crate::vectors::read;

/// Runs the cases of one exchange; what is wrong with them, as place and reason.
pub fn check(
    folder: &Path,
    connector: &'static Connector,
    exercised: &mut Exercised,
) -> Result<Vec<(String, String)>, String> {
    let name = format!("{}.json", connector.id);
    let bytes = read(&folder.join(&name))?;
    let file = Document::parse(&bytes).map_err(|error| format!("documented/{name}: {error:?}"))?;
    if file.root().is_null() {
        return Ok(Vec::new());
    }
    let mut failures = Vec::new();
    let mut member = |root: Json<'_>, place: &str, known: &[&str]| {
        let unknown = root.members().find(|(name, _)| !known.contains(&name.text().as_ref()));
        failures
            .extend(unknown.map(|(name, _)| (place.to_owned(), format!("unknown member `{}`", name.text()))));
    };
    member(file.root(), "", &["source", "cases"]);
    let cases: Vec<Json<'_>> =
        file.root().member("cases").ok().flatten().into_iter().flat_map(Json::elements).collect();
    for case in &cases {
        member(*case, &place_of(*case), &MEMBERS);
    }
    let source = text(file.root(), "source");
    for case in cases {
        let place = place_of(case);
        let source = text(case, "source").or_else(|| source.clone());
        if !source.is_some_and(|source| source.starts_with("https://")) {
            failures.push((place, "no source: the address of the provider's documentation".to_owned()));
        } else if let Err(reason) = check_case(connector, &place, case, exercised) {
            failures.push((place, reason));
        }
    }
    Ok(failures)
}

const MEMBERS: [&str; 9] =
    ["source", "listing", "arguments", "status", "answer", "rows", "next", "fault", "absent"];

fn place_of(case: Json<'_>) -> String {
    text(case, "listing")
        .unwrap_or_else(|| if has(case, "fault") { ERRORS.to_owned() } else { String::new() })
}

fn has(case: Json<'_>, name: &str) -> bool {
    case.member(name).ok().flatten().is_some()
}

fn check_case(
    connector: &'static Connector,
    place: &str,
    case: Json<'_>,
    exercised: &mut Exercised,
) -> Result<(), String> {
    let answer = case.member("answer").ok().flatten().ok_or("the case has no answer")?;
    let answer = input::from_json(answer).to_json();
    let document = Document::parse(answer.as_bytes()).map_err(|error| format!("answer: {error:?}"))?;
    let status = text(case, "status").map_or(Ok(200), |status| status.parse::<u16>());
    let status = status.map_err(|_| "`status` is no HTTP status")?;
    let fault = refusal(connector, status, Some(&document)).map(|fault| fault.code);
    let expected = text(case, "fault");
    let ours = fault.map(|code| match code {
        FaultCode::Provider(kind) => kind.name().to_owned(),
        other => format!("{other:?}"),
    });
    if ours != expected {
        return Err(format!("fault: ours {ours:?}, documented {expected:?}"));
    }
    for (field, reason) in case.member("absent").ok().flatten().into_iter().flat_map(Json::members) {
        let reason = reason.string().filter(|reason| !reason.is_empty()).ok_or("`absent` has no reason")?;
        exercised.absent.insert((place.to_owned(), field.text().into_owned()), reason.into_owned());
    }
    if place == ERRORS || expected.is_some() {
        return check_errors(connector, document.root(), case, exercised);
    }
    let found = listings(connector).into_iter().find(|(known, _)| known == place);
    let (_, listing) = found.ok_or_else(|| no_listing(connector, place))?;
    let arguments: Params = case
        .member("arguments")
        .ok()
        .flatten()
        .into_iter()
        .flat_map(Json::members)
        .map(|(name, value)| (name.text().into_owned(), input::from_json(value)))
        .collect();
    let reply = Reply { connector, arguments: &arguments, root: document.root() };
    same_rows(&rows(connector, place, listing, &reply)?, case)?;
    let cursor = listing.cursor().and_then(|next| reply.cursor(next));
    let next = text(case, "next");
    if cursor != next {
        return Err(format!("{CURSOR}: ours {cursor:?}, documented {next:?}"));
    }
    exercised.see_answer(place, listing, &reply);
    Ok(())
}

fn no_listing(connector: &Connector, place: &str) -> String {
    let places: Vec<String> = listings(connector).into_iter().map(|(place, _)| place).collect();
    format!("no listing `{place}`; there are {}", places.join(", "))
}

fn check_errors(
    connector: &'static Connector,
    root: Json<'_>,
    case: Json<'_>,
    exercised: &mut Exercised,
) -> Result<(), String> {
    let Said { code, message, original } = said(connector, root);
    let fields = [("code", code), ("message", message), ("original", original)];
    let row: Row = fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?))).collect();
    for (name, _) in &row {
        exercised.see(ERRORS, name);
    }
    if has(case, "rows") { same_rows(&[row], case) } else { Ok(()) }
}

/// Names and texts, in the order of the listing.
type Row = Vec<(String, String)>;

/// What the engine reads: balances completed and added up, the clock as a time, other rows as they are.
fn rows(
    connector: &'static Connector,
    place: &str,
    listing: &'static Listing,
    reply: &Reply<'_>,
) -> Result<Vec<Row>, String> {
    let misfit = |_| "the answer does not fit the description".to_owned();
    let damaged =
        |damaged: bool| if damaged { Err("some rows could not be read".to_owned()) } else { Ok(()) };
    if place == "time" {
        let at = reply.instant(listing, "at").ok_or("the answer has no time")?;
        return Ok(vec![vec![("at".to_owned(), at.to_string())]]);
    }
    let source = connector.balances.iter().find(|source| std::ptr::eq(&source.listing, listing));
    if let Some(source) = source {
        let read = reply.balances(source).map_err(misfit)?;
        damaged(read.damaged)?;
        let balances = merged(read.rows).map_err(|_| "a sum does not fit")?;
        return Ok(balances.iter().map(balance).collect());
    }
    let read = reply.records(listing).map_err(misfit)?;
    damaged(read.damaged)?;
    Ok(read.rows.iter().map(record).collect())
}

fn balance(balance: &Balance) -> Row {
    let amount = |amount: Option<wire::Decimal>| amount.map(|amount| amount.to_string());
    let fields = [
        ("asset", Some(balance.asset.to_string())),
        ("account", Some(balance.account.to_string())),
        ("pair", balance.pair.clone()),
        ("free", amount(balance.free)),
        ("used", amount(balance.used)),
        ("total", amount(balance.total)),
        ("debt", amount(balance.debt)),
    ];
    fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?))).collect()
}

fn record(record: &Record) -> Row {
    record.0.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect()
}

/// The same rows in the same order, each with the same fields, in any order, and texts.
fn same_rows(ours: &[Row], case: Json<'_>) -> Result<(), String> {
    let documented = case.member("rows").ok().flatten().filter(|rows| rows.kind() == Kind::Array);
    let documented = documented.ok_or("the case has no `rows`")?;
    let row = |row: Json<'_>| {
        let texts = row.members().map(|(name, value)| {
            let value = value.string().ok_or_else(|| format!("`{}` is no text", name.text()))?;
            Ok((name.text().into_owned(), value.into_owned()))
        });
        texts.collect::<Result<Row, String>>()
    };
    let expected: Vec<Row> = documented.elements().map(row).collect::<Result<_, _>>()?;
    let sorted = |rows: &[Row]| -> Vec<Row> {
        let mut rows = rows.to_vec();
        rows.iter_mut().for_each(|row| row.sort());
        rows
    };
    if sorted(ours) == sorted(&expected) {
        return Ok(());
    }
    let documented = input::from_json(documented).to_json();
    Err(format!("rows: ours {}, documented {documented}", shown(ours)))
}

fn shown(rows: &[Row]) -> String {
    let value = |row: &Row| {
        Value::Map(row.iter().map(|(name, text)| (name.clone(), Value::Text(text.clone()))).collect())
    };
    Value::List(rows.iter().map(value).collect()).to_json()
}
