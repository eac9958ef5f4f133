//! Recorded calls that move money, as the actions that they are here.

use enclave::connector::{Connector, Deed, Json, Params, Record, Value, accounts, action};
use wire::Decimal;
use wire::action::Kind;
use wire::decimal::Rounding;

use crate::claims::Claims;
use crate::compare::value;
use crate::dictionary::{Dictionary, text};
use crate::input::{Input, set_absent};

/// The action of ours that a method of theirs is.
pub fn deed(method: &str) -> Option<Deed> {
    Some(match method {
        "transfer" => Deed::Do(Kind::Transfer),
        "withdraw" => Deed::Do(Kind::Withdraw),
        "fetchConvertQuote" => Deed::Quote,
        "createConvertTrade" => Deed::Do(Kind::Convert),
        "createOrder"
        | "createMarketBuyOrderWithCost"
        | "createMarketSellOrderWithCost"
        | "createMarketOrderWithCost" => Deed::Do(Kind::Order),
        _ => return None,
    })
}

/// Whether the connector has it at all.
pub fn is_claimed(connector: &Connector, deed: Deed) -> bool {
    connector.actions.iter().any(|action| action.operation == deed)
}

/// Further parameters of recorded orders that say what the arguments here say.
const SAID: [&str; 3] = ["cost", "createMarketBuyOrderRequiresPrice", "tgtCcy"];

/// Why a recorded call is no operation of ours; nothing where it is one. An order here is at the market, of a spot market and
/// without conditions; a transfer is between types of accounts.
pub fn beyond(connector: &Connector, claims: &Claims, deed: Deed, input: &Input) -> Option<&'static str> {
    let argument = |name: &str| find(&input.arguments, name);
    let known = |name: &str| {
        let used = connector.actions.iter().filter(|action| action.operation == deed);
        SAID.contains(&name)
            || claims.consumed.iter().any(|consumed| consumed == name)
            || used.into_iter().any(|action| action.when.iter().any(|(known, _)| known == name))
    };
    match deed {
        Deed::Do(Kind::Order) if argument("order_type").is_some_and(|kind| kind != "market") => {
            Some("orders at a price are not offered")
        }
        Deed::Do(Kind::Order) if argument("market_type") != Some("spot") => {
            Some("orders of derivatives are not offered")
        }
        Deed::Do(Kind::Order) if input.given.iter().any(|(name, _)| !known(name)) => {
            Some("orders with further conditions are not offered")
        }
        Deed::Do(Kind::Transfer) if ["from", "to"].iter().any(|name| is_pair(argument(name))) => {
            Some("transfers of isolated pairs are not offered")
        }
        _ => None,
    }
}

fn is_pair(account: Option<&str>) -> bool {
    account.is_some_and(|account| account.contains('/') || account == "isolated")
}

/// Puts what the recorded call says into the arguments that an instruction has here.
pub fn complete(connector: &Connector, claims: &Claims, deed: Deed, input: &mut Input) -> Result<(), String> {
    let kind = match deed {
        Deed::Quote => Kind::Convert,
        Deed::Do(kind) => kind,
    };
    set_absent(&mut input.arguments, "kind", Value::Text(kind.name().to_owned()));
    match kind {
        Kind::Order => {
            // What the recording client itself takes no notice of.
            if claims.consumed.iter().any(|consumed| consumed == "price") {
                input.arguments.retain(|(name, _)| name != "price");
            }
            // What a price makes of the amount is meant where something can be spent; else the amount is meant.
            let mut priced = input.arguments.clone();
            order(&mut priced)?;
            if action(connector, deed, &priced).is_none() {
                input.arguments.retain(|(name, _)| name != "price");
                order(&mut input.arguments)
            } else {
                input.arguments = priced;
                Ok(())
            }
        }
        // A conversion out of the first asset is a sale of it where the exchange wants a side.
        Kind::Convert => {
            for (from, to) in [("asset", "base"), ("to_asset", "quote")] {
                if let Some(id) = find(&input.arguments, from).map(str::to_owned) {
                    set_absent(&mut input.arguments, to, Value::Text(id));
                }
            }
            set_absent(&mut input.arguments, "side", Value::Text("sell".to_owned()));
            Ok(())
        }
        Kind::Withdraw => {
            set_absent(&mut input.arguments, "fee_included", Value::Text("no".to_owned()));
            Ok(())
        }
        Kind::Transfer => {
            for name in ["from", "to"] {
                rename(claims, &mut input.arguments, name);
            }
            Ok(())
        }
    }?;
    for (_, amount) in
        input.arguments.iter_mut().filter(|(name, _)| ["amount", "fee"].contains(&name.as_str()))
    {
        let exact = amount.text().parse::<Decimal>().map_err(|_| "an amount is no decimal")?;
        *amount = Value::Text(exact.to_string());
    }
    let found = action(connector, deed, &input.arguments).ok_or("no action for these arguments")?;
    accounts(&found.accounts, &mut input.arguments).map_err(|refusal| refusal.code().to_owned())
}

/// Cuts an amount to the market's step, what is spent to that of its price, as the recording client does: an owner is told to.
pub fn cut(dictionary: &Dictionary<'_>, arguments: &mut Params) {
    let number = |text: &str| text.parse::<Decimal>().ok();
    let market = find(arguments, "market").and_then(|id| dictionary.by_id(id, Some("spot")));
    let spends = find(arguments, "counts") == Some("quote");
    let step = market.and_then(|market| number(if spends { &market.tick } else { &market.step }));
    let step = step.filter(|step| !step.is_zero());
    let amount = find(arguments, "amount").and_then(number);
    let cut = amount.zip(step).and_then(|(amount, step)| {
        amount.checked_div_to(step, 0, Rounding::Down).and_then(|count| count.checked_mul(step)).ok()
    });
    if let Some(cut) = cut {
        arguments.retain(|(name, _)| name != "amount");
        arguments.push(("amount".to_owned(), Value::Text(cut.to_string())));
    }
}

/// The amount of an order: of the base asset, or what is spent. The recording client computes the latter from a price.
fn order(arguments: &mut Params) -> Result<(), String> {
    let number = |name: &str| find(arguments, name).and_then(|text| text.parse::<Decimal>().ok());
    let unpriced = ["create_market_buy_order_requires_price", "options.createMarketBuyOrderRequiresPrice"];
    let spends = unpriced.iter().any(|name| find(arguments, name) == Some("false"))
        && find(arguments, "side") == Some("buy");
    // A price of nothing is none.
    let price = number("price").filter(|price| !price.is_zero());
    let cost = match (number("cost"), number("amount"), price) {
        (Some(cost), _, _) => Some(cost),
        (None, Some(amount), Some(price)) => {
            Some(amount.checked_mul(price).map_err(|_| "the cost does not fit")?)
        }
        (None, Some(amount), None) if spends => Some(amount),
        _ => None,
    };
    let (counts, amount) = match cost {
        Some(cost) => ("quote", Some(cost.to_string())),
        None => ("base", find(arguments, "amount").map(str::to_owned)),
    };
    arguments.retain(|(name, _)| name != "amount");
    arguments.push(("amount".to_owned(), Value::Text(amount.ok_or("an order without an amount")?)));
    arguments.push(("counts".to_owned(), Value::Text(counts.to_owned())));
    Ok(())
}

/// The recording client's names of account types, and ours.
const ACCOUNTS: [(&str, &str); 8] = [
    ("main", "spot"),
    ("cross", "margin"),
    ("swap", "futures"),
    ("future", "futures"),
    ("linear", "futures"),
    ("contract", "futures"),
    ("option", "options"),
    ("fund", "funding"),
];

fn rename(claims: &Claims, arguments: &mut Params, name: &str) {
    let Some((_, account)) = arguments.iter_mut().find(|(known, _)| known == name) else { return };
    let theirs = account.text().to_ascii_lowercase();
    let own = claims.accounts.iter().find(|(known, _)| *known == theirs).map(|(_, ours)| ours.as_str());
    let usual = || ACCOUNTS.iter().find(|(known, _)| *known == theirs).map(|(_, ours)| *ours);
    *account = Value::Text(own.or_else(usual).unwrap_or(&theirs).to_owned());
}

/// Gives the reference the value of the recording client's id, in each form, where the case has one of that length.
pub fn refer(digits: &[u8], arguments: &mut Params) {
    let Some(hex) = digits.get(..32).and_then(|digits| std::str::from_utf8(digits).ok()) else { return };
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    let uuid = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
    arguments.push(("reference".to_owned(), Value::Text(hex.to_owned())));
    arguments.push(("reference_uuid".to_owned(), Value::Text(uuid)));
}

/// What their results and ours both say.
const FIELDS: [(&str, &str); 7] = [
    ("id", "id"),
    ("id", "quote_id"),
    ("txid", "txid"),
    ("status", "status"),
    ("filled", "amount"),
    ("cost", "cost"),
    ("toAmount", "received"),
];

/// Compares the result of an action. Much of theirs is what the call had said, or a default.
pub fn check(rows: &[Record], expected: Json<'_>) -> Result<(), String> {
    let [row] = rows else { return Err(format!("ours has {} rows, theirs 1", rows.len())) };
    for (theirs, ours) in FIELDS {
        let stated = expected.member(theirs).ok().flatten().filter(|value| !value.is_null());
        let Some((stated, ours_text)) = stated.zip(row.field(ours)) else { continue };
        if !value(Some(ours_text), stated) {
            return Err(format!("{theirs}: ours {ours_text}, theirs {}", stated.raw()));
        }
    }
    let id = row.field("id").or_else(|| row.field("quote_id"));
    match text(expected, "id") {
        Some(theirs) if id.is_none() => Err(format!("id: ours none, theirs {theirs}")),
        _ => Ok(()),
    }
}

fn find<'a>(arguments: &'a Params, name: &str) -> Option<&'a str> {
    let found = arguments.iter().find(|(known, value)| known == name && *value != Value::Null);
    found.map(|(_, value)| value.text())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use enclave::connector::Document;

    #[test]
    fn an_amount_is_cut_to_the_step_of_its_spot_market_and_no_further() {
        let markets = r#"{"A/B":{"id":"ab","symbol":"A/B","type":"spot","precision":{"amount":0.01,"price":0.1}},
            "A/B:B":{"id":"ab","symbol":"A/B:B","type":"swap","precision":{"amount":1}},
            "C/B":{"id":"cb","symbol":"C/B","type":"spot","precision":{"amount":null}}}"#;
        let (markets, none) = (Document::parse(markets.as_bytes()).unwrap(), Document::parse(b"{}").unwrap());
        let dictionary = Dictionary::new(&markets, &none, &[]);
        let cut_of = |market: &str, counts: &str, amount: &str| {
            let given = [("market", market), ("counts", counts), ("amount", amount)];
            let mut arguments: Params =
                given.map(|(name, text)| (name.to_owned(), Value::Text(text.to_owned()))).into();
            cut(&dictionary, &mut arguments);
            find(&arguments, "amount").map(str::to_owned)
        };
        assert_eq!(cut_of("ab", "base", "9.996").as_deref(), Some("9.99"));
        assert_eq!(cut_of("ab", "base", "0.5").as_deref(), Some("0.5"));
        assert_eq!(cut_of("ab", "quote", "9.996").as_deref(), Some("9.9"));
        assert_eq!(cut_of("cb", "base", "9.996").as_deref(), Some("9.996"));
    }
}
