//! What moves money at a described exchange: read from the request as the file writes it, and answered in its words.

use super::super::refusal::Refusal;
use super::answer::Visit;
use super::document::{add, frame};
use super::expression::Expression;
use super::file::{Act, Listing, Purpose};
use super::json::Json;
use super::ledger::{Entry, Ledger, Moved, Quote};
use super::rows::conditions;
use super::solve::{Goal, Want, solve_softly};
use wire::Decimal;
use wire::decimal::Rounding;

/// What a withdrawal costs, of whatever asset.
pub const FEE: &str = "0.25";
/// Digits of what is bought.
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
pub fn act(
    visit: &Visit,
    listing: &Listing,
    act: &Act,
    ledger: &mut Ledger,
    root: &mut Json,
) -> Result<(), No> {
    let account = visit.account.ok_or(Refusal::NotPermitted)?;
    let request = Request::of(visit, act);
    let fields: Vec<&(String, Expression)> = listing.fields.iter().collect();
    if act.operation == "quote" {
        let (out, into) = request.conversion(visit)?;
        let quote = ledger.quote(out, into);
        return said(visit, listing, &fields, |field| quoted(visit, &quote, &request, field), root);
    }
    let once = act.once.as_ref().and_then(|name| visit.matched.received.param(name)).map(str::to_owned);
    let known =
        ledger.of(&visit.file.id, account.name).iter().find(|moved| once.is_some() && moved.once == once);
    let moved = match known.cloned() {
        Some(_) if !act.repeated.is_empty() => return Err(No::Code(act.repeated[0].clone())),
        // The second is answered with the first.
        Some(moved) => moved,
        None => {
            let moved = Moved { once, ..request.moved(visit, act, ledger)? };
            ledger.make(&visit.file.id, account, moved).ok_or(Refusal::InsufficientFunds)?
        }
    };
    said(visit, listing, &fields, |field| told(visit, &moved, field), root)
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
        said(visit, listing, fields, |field| told(visit, moved, field), root)?;
    }
    listing.rows.iter().for_each(|path| frame(root, path));
    Ok(())
}

/// Adds a row with as much as the listing can say; what is told first is what it is told apart by.
fn said(
    visit: &Visit,
    listing: &Listing,
    fields: &[&(String, Expression)],
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
    let solved = solve_softly(conditions(listing), goals, visit.scope(&visit.matched.arguments));
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

/// What a request orders, by the names that the file gives it.
struct Request(Vec<(String, String)>);

impl Request {
    /// What the action is taken for, where it is for one thing alone, counts as said.
    fn of(visit: &Visit, act: &Act) -> Self {
        let mut arguments = visit.matched.arguments.clone();
        for (name, allowed) in &act.when {
            if let [only] = allowed.as_slice()
                && only != "present"
                && only != "absent"
                && !arguments.iter().any(|(known, _)| known == name)
            {
                arguments.push((name.clone(), only.clone()));
            }
        }
        for (name, code) in [("from", "from_account"), ("to", "to_account")] {
            let said = arguments.iter().find(|(known, _)| known == code).map(|(_, text)| text.clone());
            let ours = said.and_then(|said| act.accounts.iter().find(|(_, theirs)| *theirs == said));
            arguments.extend(ours.map(|(ours, _)| (name.to_owned(), ours.clone())));
        }
        // Some write the side in capitals.
        for (name, text) in &mut arguments {
            if name == "side" {
                *text = text.to_lowercase();
            }
        }
        Self(arguments)
    }

    fn argument(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    fn amount(&self) -> Result<Decimal, No> {
        let amount = self.argument("amount").and_then(|text| text.parse::<Decimal>().ok());
        // Some write what is sold as less than nothing.
        let amount = amount
            .map(|amount| if amount.is_negative() { amount.checked_neg().unwrap_or(amount) } else { amount });
        Ok(amount.ok_or(Refusal::BadParameter("amount"))?)
    }

    fn asset(&self, visit: &Visit) -> Result<String, No> {
        let code = self.argument("asset").ok_or(Refusal::BadParameter("asset"))?;
        Ok(visit.file.symbol(code))
    }

    fn moved(&self, visit: &Visit, act: &Act, ledger: &Ledger) -> Result<Moved, No> {
        let owned = |name: &str| self.argument(name).map(str::to_owned);
        let entry = |account, asset, amount| Entry { account, asset, amount };
        let (out, into, fee) = match act.operation.as_str() {
            "withdraw" => {
                let (amount, fee) = (self.amount()?, FEE.parse().unwrap_or(Decimal::ZERO));
                let all = if act.net { amount.checked_add(fee) } else { Ok(amount) };
                let all = all.map_err(|_| Refusal::BadParameter("amount"))?;
                (entry(owned("from"), self.asset(visit)?, all), None, fee)
            }
            "transfer" => {
                let (asset, amount) = (self.asset(visit)?, self.amount()?);
                let from = owned("from").or_else(|| act.accounts.first().map(|(ours, _)| ours.clone()));
                (entry(from, asset.clone(), amount), Some(entry(owned("to"), asset, amount)), Decimal::ZERO)
            }
            "convert" => {
                let id = self.argument("quote_id").ok_or(Refusal::BadParameter("quote"))?;
                let quote = ledger.quoted(id).ok_or(Refusal::BadParameter("quote"))?;
                (quote.out.clone(), Some(quote.into.clone()), Decimal::ZERO)
            }
            _ => {
                let (out, into) = self.order(visit)?;
                (out, Some(into), Decimal::ZERO)
            }
        };
        let (arguments, operation) = (self.0.clone(), act.operation.clone());
        Ok(Moved { id: String::new(), operation, arguments, once: None, out, into, fee, at_ms: visit.now_ms })
    }

    /// At the price of the market.
    fn order(&self, visit: &Visit) -> Result<(Entry, Entry), No> {
        let pair = visit.pair(&self.0).ok_or(Refusal::BadParameter("market"))?;
        let (amount, buys) = (self.amount()?, self.argument("side") == Some("buy"));
        let price = if buys { &pair.ask } else { &pair.bid };
        let price: Decimal = price.parse().map_err(|_| Refusal::BadParameter("market"))?;
        let wrong = |_| Refusal::BadParameter("amount");
        let (base, quote) = if self.argument("counts") == Some("quote") {
            (amount.checked_div_to(price, PLACES, Rounding::Down).map_err(wrong)?, amount)
        } else {
            (amount, amount.checked_mul_to(price, PLACES, Rounding::Down).map_err(wrong)?)
        };
        let entry = |asset: &str, amount| Entry { account: None, asset: asset.to_owned(), amount };
        let (base, quote) = (entry(pair.base, base), entry(pair.quote, quote));
        Ok(if buys { (quote, base) } else { (base, quote) })
    }

    /// At the quotient of two prices.
    fn conversion(&self, visit: &Visit) -> Result<(Entry, Entry), No> {
        let wrong = Refusal::BadParameter("asset");
        let (base, quote) = (self.argument("base"), self.argument("quote"));
        let (from, to) = match (self.argument("asset"), self.argument("to_asset"), self.argument("side")) {
            (Some(from), Some(to), _) => (from, to),
            (_, _, Some("buy")) => (quote.ok_or(wrong)?, base.ok_or(wrong)?),
            _ => (base.ok_or(wrong)?, quote.ok_or(wrong)?),
        };
        let (from, to) = (visit.file.symbol(from), visit.file.symbol(to));
        let price = |asset: &str| -> Result<Decimal, No> {
            let price = visit.market.price(asset).ok_or(wrong)?;
            Ok(price.to_string().parse().map_err(|_| wrong)?)
        };
        let amount = self.amount()?;
        let value = amount.checked_mul_to(price(&from)?, 12, Rounding::Down).map_err(|_| wrong)?;
        let received = value.checked_div_to(price(&to)?, PLACES, Rounding::Down).map_err(|_| wrong)?;
        let entry = |asset, amount| Entry { account: None, asset, amount };
        Ok((entry(from, amount), entry(to, received)))
    }
}

/// The action that a request is: of those that it fits, the first that is taken with these arguments.
pub fn action<'v>(visit: &Visit<'v>) -> Option<(&'v Listing, &'v Act)> {
    let listings = visit.matched.listings.iter().filter_map(|index| visit.file.listings.get(*index));
    let mut actions = listings.filter_map(|listing| match &listing.purpose {
        Purpose::Act(act) => Some((listing, act.as_ref())),
        _ => None,
    });
    let said = |name: &str| {
        let found = visit.matched.arguments.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.to_lowercase())
    };
    let fits = |(_, act): &(&Listing, &Act)| {
        act.when.iter().all(|(name, allowed)| {
            said(name).is_none_or(|text| allowed.contains(&text) || allowed.contains(&"present".to_owned()))
        })
    };
    actions.find(fits)
}
