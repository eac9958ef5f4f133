//! What moves money at a described exchange: read from the request as the file writes it, and answered in its words.

use super::super::refusal::Refusal;
use super::answer::Visit;
use super::document::{add, frame};
use super::expression::Expression;
use super::file::{Listing, Purpose};
use super::json::Json;
use super::ledger::{Ledger, Moved, Quote};
use super::ordered::Request;
use super::rows::conditions;
use super::solve::{Goal, Want, solve_softly};
use wire::Decimal;
use wire::decimal::Rounding;

/// Digits of a price.
const PLACES: u8 = 8;
/// How long a quote holds.
const QUOTE_MS: u64 = 30_000;

/// Why nothing was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum No {
    Refusal(Refusal),
    /// The exchange's own code.
    Code(String),
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

/// Carries an action out, and says so in `root`.
pub fn act(visit: &Visit, request: &Request, ledger: &mut Ledger, root: &mut Json) -> Result<(), No> {
    let account = visit.account.ok_or(Refusal::NotPermitted)?;
    let (listing, act) = (request.listing, request.act);
    let fields: Vec<&(String, Expression)> = listing.fields.iter().collect();
    if act.operation == "quote" {
        let (out, into) = request.conversion(visit)?;
        let quote = ledger.quote(out, into);
        return said(
            visit,
            listing,
            &fields,
            &visit.matched.arguments,
            |field| quoted(visit, &quote, request, field),
            root,
        );
    }
    // A table of parameters, and a header, are known by the reference in them.
    let reference = || request.reference().map(str::to_owned);
    let once = act
        .once
        .as_ref()
        .and_then(|name| visit.matched.received.param(name).map(str::to_owned).or_else(reference));
    let known =
        ledger.of(&visit.file.id, account.name).iter().find(|moved| once.is_some() && moved.once == once);
    let moved = match known.cloned() {
        Some(_) if !act.repeated.is_empty() => return Err(No::Code(act.repeated[0].clone())),
        // The second is answered with the first.
        Some(moved) => moved,
        None => {
            let moved = Moved { once, ..request.moved(visit, ledger)? };
            ledger.make(&visit.file.id, account, moved).ok_or(Refusal::InsufficientFunds)?
        }
    };
    said(visit, listing, &fields, &visit.matched.arguments, |field| told(visit, &moved, field), root)
}

/// Says what became of what the request asks about; gives the listings whose rows are told.
pub fn statuses<'v>(
    visit: &Visit,
    listings: &[(usize, &'v Listing)],
    ledger: &Ledger,
    root: &mut Json,
) -> Result<Vec<&'v Listing>, No> {
    let mut told: Vec<&Listing> = Vec::new();
    for (_, listing) in listings {
        if let Purpose::Status { operation, absent } = &listing.purpose
            && !told.iter().any(|other| other.rows == listing.rows)
        {
            told.push(listing);
            // Listings of the same rows are told in the same ones.
            let fields = listings.iter().filter(|(_, other)| other.rows == listing.rows);
            let fields: Vec<&(String, Expression)> = fields.flat_map(|(_, other)| &other.fields).collect();
            status(visit, listing, &fields, operation, absent, ledger, root)?;
        }
    }
    Ok(told)
}

fn status(
    visit: &Visit,
    listing: &Listing,
    fields: &[&(String, Expression)],
    operation: &str,
    absent: &[String],
    ledger: &Ledger,
    root: &mut Json,
) -> Result<(), No> {
    let account = visit.account.ok_or(Refusal::NotPermitted)?;
    let asked = |name: &str| {
        let arguments = visit.matched.arguments.iter();
        arguments.filter(move |(known, _)| known.starts_with(name)).map(|(_, text)| text.as_str()).next()
    };
    let is_it = |moved: &&Moved| {
        let is_known = |wanted: &str| moved.references().any(|known| known == wanted);
        let id = asked("id").is_none_or(|id| id == moved.id || is_known(id));
        moved.operation == operation && id && asked("reference").is_none_or(is_known)
    };
    let found: Vec<&Moved> = ledger.of(&visit.file.id, account.name).iter().rev().filter(is_it).collect();
    if found.is_empty()
        && let Some(code) = absent.first()
    {
        return Err(No::Code(code.clone()));
    }
    for moved in found {
        let arguments = moved.known(&visit.matched.arguments);
        said(visit, listing, fields, &arguments, |field| told(visit, moved, field), root)?;
    }
    listing.rows.iter().for_each(|path| frame(root, path));
    Ok(())
}

/// Adds a row with as much as the listing can say; what is told first is what it is told apart by.
fn said(
    visit: &Visit,
    listing: &Listing,
    fields: &[&(String, Expression)],
    arguments: &[(String, String)],
    value: impl Fn(&str) -> Option<Want>,
    root: &mut Json,
) -> Result<(), No> {
    // At some exchanges the caller's id is the only one.
    let first = |name: &str| {
        let known = ["reference", "id", "quote_id", "status"];
        known.iter().position(|known| *known == name).unwrap_or(known.len())
    };
    let mut fields = fields.to_vec();
    fields.sort_by_key(|(name, _)| first(name));
    let goals: Vec<Goal> =
        fields.into_iter().filter_map(|(name, expression)| Some((expression, value(name)?))).collect();
    let solved = solve_softly(conditions(listing), goals, visit.scope(arguments));
    let (draft, _) = solved.ok_or(Refusal::Failing { status: 500 })?;
    listing.rows.first().and_then(|path| add(root, path, &draft)).ok_or(Refusal::Failing { status: 500 })?;
    Ok(())
}

/// What a field says of something that was moved.
pub fn told(visit: &Visit, moved: &Moved, field: &str) -> Option<Want> {
    let file = visit.file;
    let text = |text: &str| Some(Want::Text(text.to_owned()));
    let argument = |name: &str| moved.argument(name).and_then(text);
    let one_of = |words: &[&str]| Some(Want::OneOf(words.iter().map(|word| (*word).to_owned()).collect()));
    let order = moved.operation == "order";
    let buys = order && moved.argument("side") == Some("buy");
    let into = moved.into.as_ref().map(|entry| entry.amount);
    match field {
        "id" => text(&moved.id),
        "txid" => text(&format!("0x{:0>64}", moved.id)),
        "status" if order => one_of(&["closed", "ok", "open", "pending"]),
        "status" => one_of(&["ok", "closed", "pending", "open"]),
        "reference" => moved.references().next().and_then(text),
        "amount" if buys => into.map(Want::Number),
        "amount" => Some(Want::Number(moved.net())),
        "cost" if buys => Some(Want::Number(moved.out.amount)),
        "cost" | "received" => into.map(Want::Number),
        "fee" if order => None,
        "fee" => Some(Want::Number(moved.fee)),
        "asset" | "fee_asset" => text(file.code(&moved.out.asset)),
        "received_asset" => moved.into.as_ref().and_then(|entry| text(file.code(&entry.asset))),
        "timestamp" => text(&moved.at_ms.to_string()),
        "from_account" | "to_account" | "network" | "address" | "tag" | "market" | "side" => argument(field),
        _ => None,
    }
}

/// What a field says of a quote.
fn quoted(visit: &Visit, quote: &Quote, request: &Request, field: &str) -> Option<Want> {
    let price = quote.into.amount.checked_div_to(quote.out.amount, PLACES, Rounding::Down).ok();
    match field {
        "quote_id" => Some(Want::Text(quote.id.clone())),
        "price" => price.map(Want::Number),
        "received" => Some(Want::Number(quote.into.amount)),
        "debited" => Some(Want::Number(quote.out.amount)),
        "expires" => Some(Want::Text((visit.now_ms + QUOTE_MS).to_string())),
        "side" => request.argument("side").map(|side| Want::Text(side.to_owned())),
        "fee" => Some(Want::Number(Decimal::ZERO)),
        _ => None,
    }
}
