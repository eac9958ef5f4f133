//! What is measured of each exchange: requests as they were recorded, and answers, recorded or documented, with many rows.

use std::path::Path;

use connector_check::claims::Claims;
use connector_check::coverage::mapped;
use connector_check::dictionary::text;
use connector_check::input::from_json;
use connector_check::signing::{self, is_signed};
use connector_check::vectors::{Vectors, read};
use enclave::connector::{
    Connector, Document, Json, Listing, Params, Reply, Value, listings, merged, refusal,
};

use crate::many::repeated;

/// Assets, or markets, of an answer.
pub const ROWS: usize = 100;

/// One exchange's inputs, as a file for both sides.
pub fn exchange(folder: &Path, connector: &'static Connector, claims: &Claims) -> Result<Value, String> {
    let vectors = Vectors::open(&folder.join("exchanges"), &connector.id)?;
    let mut members = vec![("id".to_owned(), Value::Text(connector.id.clone()))];
    members.extend(requests(connector, claims, &vectors)?);
    let answer = recorded(connector, &vectors)?
        .or(documented(connector, &folder.join("documented"))?)
        .or(as_it_is(connector, &vectors)?);
    members.extend(answer.map(|answer| ("parse".to_owned(), answer)));
    Ok(Value::Map(members))
}

/// Kinds of key, the most common first.
const VARIANTS: [&str; 6] = ["default", "hmac", "apikey", "es256-jwt", "ed25519", "rsa"];

/// The recorded balance call, and a recorded call with a body, both signed.
fn requests(
    connector: &'static Connector,
    claims: &Claims,
    vectors: &Vectors,
) -> Result<Vec<(String, Value)>, String> {
    let file = Document::parse(&vectors.signing).map_err(|error| format!("signing: {error:?}"))?;
    let keys = Document::parse(&vectors.test_keys).map_err(|error| format!("testkeys: {error:?}"))?;
    let Some(given) = file.root().member("credentials").ok().flatten() else { return Ok(Vec::new()) };
    let cases = file.root().member("cases").ok().flatten();
    let mut cases: Vec<Json<'_>> = cases.into_iter().flat_map(Json::elements).collect();
    let variant = |case: &Json<'_>| text(*case, "variant").unwrap_or_default();
    cases.sort_by_key(|case| VARIANTS.iter().position(|known| *known == variant(case)).unwrap_or(usize::MAX));
    let passes =
        |case: &&Json<'_>| signing::check_case(connector, claims, given, **case, keys.root()).is_ok();
    let is_balance = |case: &&Json<'_>| {
        let calls = connector.balances.iter().map(|source| &source.listing.call);
        let field = |name| text(**case, name).unwrap_or_default();
        calls.into_iter().any(|call| {
            (call.method.name(), &call.section, &call.path)
                == (&field("method"), &signing::section(**case), &field("path"))
        })
    };
    let has_body = |case: &&Json<'_>| {
        let body = case.member("result").ok().flatten().and_then(|result| text(result, "body"));
        body.is_some_and(|body| body.len() > 2)
            && case.member("params").ok().flatten().is_some_and(|p| p.size() > 2)
    };
    let signed = || cases.iter().filter(|case| is_signed(**case));
    let balance = signed().filter(is_balance).find(passes).or_else(|| signed().find(passes));
    let body = signed().filter(has_body).find(passes);
    let mut members = vec![("credentials".to_owned(), from_json(given))];
    let named = [("sign", balance), ("sign_body", body)];
    members.extend(named.into_iter().filter_map(|(name, case)| Some((name.to_owned(), from_json(*case?)))));
    Ok(members)
}

/// A recorded answer, with many rows: of the balances, else of tickers.
fn recorded(connector: &'static Connector, vectors: &Vectors) -> Result<Option<Value>, String> {
    let many = |answer: &Answer<'_>| answer.with_many_rows();
    from_recordings(connector, vectors, &["fetchBalance", "fetchTickers"], &many)
}

/// A recorded answer as it is, where it cannot have many rows.
fn as_it_is(connector: &'static Connector, vectors: &Vectors) -> Result<Option<Value>, String> {
    let methods = ["fetchBalance", "fetchTickers", "fetchTicker"];
    let same = |answer: &Answer<'_>| answer.is_read().then(|| (from_json(answer.root), answer.names()));
    from_recordings(connector, vectors, &methods, &same)
}

type Make<'m> = &'m dyn Fn(&Answer<'_>) -> Option<(Value, Vec<String>)>;

fn from_recordings(
    connector: &'static Connector,
    vectors: &Vectors,
    methods: &[&str],
    make: Make<'_>,
) -> Result<Option<Value>, String> {
    let file = Document::parse(&vectors.response).map_err(|error| format!("response: {error:?}"))?;
    let cases = |method: &str| {
        let methods = file.root().member("methods").ok().flatten()?;
        methods.member(method).ok().flatten()
    };
    for &method in methods {
        for case in cases(method).into_iter().flat_map(Json::elements) {
            let Some(root) = case.member("httpResponse").ok().flatten() else { continue };
            let places = places(connector, method);
            let made = places.into_iter().find_map(|(place, listing)| {
                let answer = Answer { connector, listing, root, is_balance: method == "fetchBalance" };
                let (value, names) = make(&answer)?;
                Some((place, value, names))
            });
            let Some((place, value, names)) = made else { continue };
            let options =
                [file.root(), case].map(|json| json.member("options").ok().flatten().map(from_json));
            // Of many tickers the call names none, so that none is left out.
            let input = case.member("input").ok().flatten().filter(|_| method != "fetchTickers");
            let input = input.map_or(Value::List(Vec::new()), from_json);
            return Ok(Some(parse(method, &place, input, options, &value, &names)));
        }
    }
    Ok(None)
}

fn documented(connector: &'static Connector, folder: &Path) -> Result<Option<Value>, String> {
    let bytes = read(&folder.join(format!("{}.json", connector.id)))?;
    let file = Document::parse(&bytes).map_err(|error| format!("documented: {error:?}"))?;
    let cases: Vec<Json<'_>> =
        file.root().member("cases").ok().flatten().into_iter().flat_map(Json::elements).collect();
    for method in ["fetchBalance", "fetchTickers"] {
        for (place, listing) in places(connector, method) {
            let of_place = cases.iter().filter(|case| text(**case, "listing").as_ref() == Some(&place));
            for root in of_place.filter_map(|case| case.member("answer").ok().flatten()) {
                let answer = Answer { connector, listing, root, is_balance: method == "fetchBalance" };
                if let Some((value, names)) = answer.with_many_rows() {
                    let input = Value::List(Vec::new());
                    return Ok(Some(parse(method, &place, input, [None, None], &value, &names)));
                }
            }
        }
    }
    Ok(None)
}

/// The listings that read what a method of the other client answers.
fn places(connector: &'static Connector, method: &str) -> Vec<(String, &'static Listing)> {
    let wanted = |place: &str| match method {
        "fetchBalance" => place.starts_with("balances/"),
        "fetchTickers" => place.starts_with("reads/tickers") || place.starts_with("prices/tickers"),
        _ => place.starts_with("reads/ticker"),
    };
    let known = mapped(connector);
    listings(connector).into_iter().filter(|(place, _)| wanted(place) && known.contains_key(place)).collect()
}

fn parse(
    method: &str,
    place: &str,
    input: Value,
    options: [Option<Value>; 2],
    answer: &Value,
    names: &[String],
) -> Value {
    let names = names.iter().map(|name| Value::Text(name.clone())).collect();
    let members = [
        ("method", Value::Text(method.to_owned())),
        ("place", Value::Text(place.to_owned())),
        ("input", input),
        ("options", Value::List(options.into_iter().flatten().collect())),
        ("names", Value::List(names)),
        ("text", Value::Text(answer.to_json())),
    ];
    Value::Map(members.map(|(name, value)| (name.to_owned(), value)).to_vec())
}

struct Answer<'d> {
    connector: &'static Connector,
    listing: &'static Listing,
    root: Json<'d>,
    is_balance: bool,
}

impl Answer<'_> {
    /// The answer with [`ROWS`] rows, and their names; nothing where the engine does not read as many then.
    fn with_many_rows(&self) -> Option<(Value, Vec<String>)> {
        let names = self.names();
        let ending =
            names.first().and_then(|name| quote_of(name)).filter(|_| !self.is_balance).unwrap_or_default();
        let others: Vec<String> = (0..ROWS).map(|at| letters(at) + ending).collect();
        let value = names.iter().find_map(|name| repeated(self.root, std::slice::from_ref(name), &others))?;
        let text = value.to_json();
        let document = Document::parse(text.as_bytes()).ok()?;
        if refusal(self.connector, 200, Some(&document)).is_some() {
            return None;
        }
        let count = rows(self.connector, self.listing, document.root(), self.is_balance).ok()?;
        (count >= ROWS).then_some((value, others))
    }

    /// Whether the engine reads a row.
    fn is_read(&self) -> bool {
        let text = from_json(self.root).to_json();
        let Ok(document) = Document::parse(text.as_bytes()) else { return false };
        refusal(self.connector, 200, Some(&document)).is_none()
            && rows(self.connector, self.listing, document.root(), self.is_balance)
                .is_ok_and(|count| count > 0)
    }

    /// What the rows are of, in the exchange's own words.
    fn names(&self) -> Vec<String> {
        let arguments = Params::new();
        let reply = Reply { connector: self.connector, arguments: &arguments, root: self.root };
        let Ok(read) = reply.records(self.listing) else { return Vec::new() };
        let field = if self.is_balance { "asset" } else { "market" };
        let names = read.rows.iter().filter_map(|row| row.field(field).map(str::to_owned));
        names.collect()
    }
}

/// How a market's name ends, behind its base.
fn quote_of(market: &str) -> Option<&str> {
    let at = market.find(|c: char| !c.is_ascii_alphanumeric());
    at.and_then(|at| market.get(at..)).or_else(|| market.get(3..))
}

/// `QAAA`, `QAAB`, …: codes that no exchange has a rule for.
fn letters(at: usize) -> String {
    let letter = |at: usize| char::from(b'A' + (at % 26) as u8);
    ['Q', letter(at / 676), letter(at / 26), letter(at)].iter().collect()
}

/// How many rows the engine reads.
pub fn rows(
    connector: &'static Connector,
    listing: &'static Listing,
    root: Json<'_>,
    is_balance: bool,
) -> Result<usize, String> {
    let arguments = Params::new();
    let reply = Reply { connector, arguments: &arguments, root };
    let source =
        connector.balances.iter().find(|source| is_balance && std::ptr::eq(&source.listing, listing));
    let damaged = |damaged: bool| if damaged { Err("rows that cannot be read".to_owned()) } else { Ok(()) };
    match source {
        Some(source) => {
            let read = reply.balances(source).map_err(|_| "no fit")?;
            damaged(read.damaged)?;
            Ok(merged(read.rows).map_err(|_| "a sum does not fit")?.len())
        }
        None => {
            let read = reply.records(listing).map_err(|_| "no fit")?;
            damaged(read.damaged)?;
            Ok(read.rows.len())
        }
    }
}
