//! On what terms something would be moved: networks and what they cost, markets and how much of them, accounts.

use super::super::market::Pair;
use super::answer::Visit;
use super::document::{frame, read};
use super::evaluate::Scope;
use super::expression::Expression;
use super::file::{File, Listing, Purpose};
use super::json::Json;
use super::ordered::FEE;
use super::rows::conditions;
use super::solve::{Draft, Goal, Want, solve};
use wire::Decimal;

/// Assets that are told of where the request names none.
const SYMBOLS: [&str; 8] = ["BTC", "ETH", "USDT", "USD", "EUR", "SOL", "XRP", "USDC"];
/// What payment providers hold.
pub const MONEY: [&str; 3] = ["USD", "EUR", "GBP"];
/// The chain of which every exchange that knows it has an address of the tests.
const USUAL: &str = "eip155:1";
/// Chains of one coin, which exchanges name apart from those that carry many.
const OWN: [(&str, &str); 3] = [
    ("BTC", "bip122:000000000019d6689c085ae165831e93"),
    ("SOL", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"),
    ("XRP", "xrpl:0"),
];
/// Quotes of the pairs that are on offer.
pub const QUOTES: [&str; 5] = ["USD", "USDT", "EUR", "BTC", "USDC"];

/// Exchanges that trade in the currency of their country alone.
const LOCAL: [(&str, &str); 4] =
    [("bit2c", "ILS"), ("coincheck", "JPY"), ("indodax", "IDR"), ("mercado", "BRL")];

/// The one currency that an exchange trades in, where it is none of the usual ones.
pub fn local(file: &File) -> Option<&'static str> {
    LOCAL.iter().find(|(id, _)| *id == file.id).map(|(_, currency)| *currency)
}

/// Whether an exchange pays people and bank accounts: then it holds the money of states.
pub fn is_of_money(file: &File) -> bool {
    let pays = |listing: &Listing| {
        let pays = |(_, setting): &(String, Json)| {
            let setting = setting.write();
            setting.contains("{param.units") || setting.contains("{param.recipient_type")
        };
        matches!(listing.purpose, Purpose::Act(_)) && listing.params.iter().any(pays)
    };
    file.listings.iter().any(pays)
}

/// The id under which the accounts have saved where an asset may be sent to.
pub fn saved(asset: &str) -> String {
    format!("sandbox-saved-{}", asset.to_lowercase())
}

/// What a withdrawal costs: what the file says of it whatever the answer, else what every one costs here.
pub fn fee(file: &File) -> Decimal {
    let withdraws =
        |listing: &&Listing| matches!(&listing.purpose, Purpose::Terms(operation) if operation == "withdraw");
    let fields = file.listings.iter().filter(withdraws).flat_map(|listing| &listing.fields);
    let stated = fields.filter(|(name, _)| name == "fee").find_map(|(_, expression)| match expression {
        Expression::Text(text) => text.parse().ok(),
        _ => None,
    });
    stated.or_else(|| FEE.parse().ok()).unwrap_or(Decimal::ZERO)
}

/// What a request counts in, where terms say so of an asset: the smallest coin.
pub fn unit(file: &File, asset: &str) -> Option<Decimal> {
    let is_terms = |listing: &&Listing| matches!(listing.purpose, Purpose::Terms(_));
    let field = |listing: &'static str| move |(name, _): &&(String, Expression)| name == listing;
    file.listings.iter().filter(is_terms).find_map(|listing| {
        let (_, unit) = listing.fields.iter().find(field("unit"))?;
        let (_, about) = listing.fields.iter().find(field("asset"))?;
        let scope = Scope { file, arguments: &[] };
        let code = file.code(asset).to_owned();
        solve(&Draft::default(), &[(about, Want::Text(code))], scope)?.value(unit, scope).number()
    })
}

/// Whether a listing says on what terms something is moved, other than of markets.
pub fn is_terms(listing: &Listing) -> bool {
    match &listing.purpose {
        Purpose::Terms(_) => !is_of_markets(listing),
        Purpose::Read(operation) => ["currencies", "destinations"].contains(&operation.as_str()),
        _ => false,
    }
}

/// Whether terms are those of markets.
pub fn is_of_markets(listing: &Listing) -> bool {
    let says = |name: &str| listing.fields.iter().any(|(known, _)| known == name);
    matches!(&listing.purpose, Purpose::Terms(operation) if operation == "order")
        && ["market", "bid", "ask", "price", "step", "minimum", "minimum_cost"].into_iter().any(says)
}

/// Rows of assets on their networks: those that are asked about, else a few.
pub fn answer(visit: &Visit, listing: &Listing, root: &mut Json) {
    let arguments = &visit.matched.arguments;
    let asked = |name: &str| arguments.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
    let assets: Vec<String> = match asked("asset") {
        Some(code) => vec![visit.file.symbol(code)],
        None if is_of_money(visit.file) => MONEY.map(str::to_owned).to_vec(),
        None => SYMBOLS.map(str::to_owned).to_vec(),
    };
    let says = |name: &str| listing.fields.iter().any(|(known, _)| known == name);
    // Of no asset there is one row, which may be told already.
    if !says("asset") && (visit.tells_outers() || !read(root, listing, visit.scope(arguments)).is_empty()) {
        return;
    }
    let assets = assets.into_iter().take(if says("asset") { SYMBOLS.len() } else { 1 });
    let mut learnt = None;
    for asset in assets {
        for network in networks(visit, &asset, asked("network"), says("network")) {
            let value = |field: &str| stated(visit, &asset, network, &asked, field);
            let fields = listing.fields.iter();
            let goals: Vec<Goal> =
                fields.filter_map(|(name, expression)| Some((expression, value(name)?))).collect();
            learnt = visit.add_as_learnt(listing, conditions(listing), goals, arguments, learnt, root);
        }
    }
    listing.rows.iter().for_each(|path| frame(root, path));
}

/// The network that is asked about; else the usual one and, of a coin with a chain of its own, that.
fn networks<'v>(visit: &Visit<'v>, asset: &str, asked: Option<&'v str>, told: bool) -> Vec<Option<&'v str>> {
    let own = OWN.iter().find(|(coin, _)| *coin == asset).map(|(_, chain)| *chain);
    let name_of = |chain: &str| visit.file.networks.iter().find(|(_, known)| known == chain);
    let own = own.and_then(name_of).map(|(name, _)| name.as_str());
    let usual = asked.or_else(|| usual(visit));
    let apart = own.filter(|own| told && asked.is_none() && Some(*own) != usual);
    std::iter::once(usual).chain(apart.map(Some)).collect()
}

fn usual<'v>(visit: &Visit<'v>) -> Option<&'v str> {
    let networks = &visit.file.networks;
    let found = networks.iter().find(|(_, chain)| chain == USUAL).or(networks.first());
    found.map(|(name, _)| name.as_str())
}

fn stated<'a>(
    visit: &Visit,
    asset: &str,
    network: Option<&str>,
    asked: &dyn Fn(&str) -> Option<&'a str>,
    field: &str,
) -> Option<Want> {
    let text = |text: &str| Some(Want::Text(text.to_owned()));
    let code = visit.file.code(asset);
    match field {
        "asset" | "fee_asset" => text(code),
        "network" => network.and_then(text),
        "fee" => number(FEE),
        "fee_rate" => Some(Want::Nothing),
        "minimum" => number("0.01"),
        "maximum" => number("1000000000"),
        "precision" | "step" => number("0.00000001"),
        "active" | "withdraw" | "deposit" => yes(),
        "tag" => no(),
        "account_id" => text("1001"),
        "base" => text(code),
        "quote" => asked("to_asset").and_then(text),
        "saved" => text(&saved(asset)),
        "name" => text("saved in the sandbox"),
        "address" | "method" => asked(field).and_then(text),
        _ => None,
    }
}

/// What a field says of a pair.
pub fn of_pair(pair: &Pair, field: &str) -> Option<Want> {
    match field {
        "price" => number(&pair.last),
        "step" | "precision" | "step_cost" => number("0.00000001"),
        "minimum" => number("0.0001"),
        "minimum_cost" => number("0.01"),
        "active" => yes(),
        _ => None,
    }
}

fn number(text: &str) -> Option<Want> {
    text.parse::<Decimal>().ok().map(Want::Number)
}

fn yes() -> Option<Want> {
    Some(Want::OneOf(["yes", "true", "1"].map(str::to_owned).to_vec()))
}

fn no() -> Option<Want> {
    Some(Want::OneOf(["no", "false", "0"].map(str::to_owned).to_vec()))
}
