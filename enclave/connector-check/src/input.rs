//! From the recording client's positional arguments to named ones.

use enclave::connector::{Json, Kind, Params, Value};

use crate::dictionary::{Dictionary, text};

/// The operation of ours that a method of theirs is.
pub fn operation(method: &str) -> String {
    match method {
        "fetchBalance" => "balances".to_owned(),
        _ => snake(method.strip_prefix("fetch").unwrap_or(method)),
    }
}

/// The positional parameters of a method, before the table of further ones.
fn positions(method: &str) -> &'static [&'static str] {
    match method {
        "fetchTicker" | "fetchTradingFee" => &["symbol"],
        "fetchTickers" | "fetchLastPrices" | "fetchPositions" => &["symbols"],
        "fetchMyTrades" | "fetchOrders" | "fetchClosedOrders" | "fetchOpenOrders" => {
            &["symbol", "since", "limit"]
        }
        "fetchOrder" => &["id", "symbol"],
        "fetchDepositAddress" | "fetchDepositAddressesByNetwork" => &["code"],
        "fetchDepositAddresses" => &["codes"],
        "fetchDeposits"
        | "fetchWithdrawals"
        | "fetchDepositsWithdrawals"
        | "fetchLedger"
        | "fetchTransfers" => &["code", "since", "limit"],
        "withdraw" => &["code", "amount", "address", "tag"],
        "transfer" => &["code", "amount", "from", "to"],
        "createOrder" => &["symbol", "order_type", "side", "amount", "price"],
        "createMarketBuyOrderWithCost" | "createMarketSellOrderWithCost" => &["symbol", "cost"],
        "createMarketOrderWithCost" => &["symbol", "side", "cost"],
        "fetchConvertQuote" => &["code", "to_code", "amount"],
        "createConvertTrade" => &["quote_id", "code", "to_code", "amount"],
        _ => &[],
    }
}

/// What a method's name says besides its arguments.
fn implied(method: &str) -> &'static [(&'static str, &'static str)] {
    match method {
        "createMarketBuyOrderWithCost" => &[("order_type", "market"), ("side", "buy")],
        "createMarketSellOrderWithCost" => &[("order_type", "market"), ("side", "sell")],
        "createMarketOrderWithCost" => &[("order_type", "market")],
        _ => &[],
    }
}

/// A recorded input by names.
pub struct Input {
    /// What routes choose by and parameters are made of.
    pub arguments: Params,
    /// The table of further parameters as it was given: name, value.
    pub given: Params,
    /// Symbol of the call, for answers that do not name it.
    pub symbol: Option<String>,
    /// Currency code of the call.
    pub code: Option<String>,
}

/// Reads `input` and `options` of a case.
pub fn read(method: &str, case: Json<'_>, dictionary: &Dictionary<'_>) -> Input {
    let mut input = Input { arguments: Params::new(), given: Params::new(), symbol: None, code: None };
    let values: Vec<Json<'_>> =
        case.member("input").ok().flatten().map(|input| input.elements().collect()).unwrap_or_default();
    let names = positions(method);
    for (name, value) in names.iter().zip(&values) {
        positional(name, *value, dictionary, &mut input);
    }
    for (name, value) in implied(method) {
        set_absent(&mut input.arguments, name, Value::Text((*value).to_owned()));
    }
    let table = values.get(names.len()).copied();
    for (name, value) in table.into_iter().flat_map(Json::members) {
        input.given.push((name.text().into_owned(), from_json(value)));
    }
    if let (false, Some((_, Value::Text(symbol)))) =
        (names.contains(&"symbol"), input.given.iter().find(|(name, _)| name == "symbol"))
    {
        set_market("", symbol, dictionary, &mut input.arguments);
    }
    if let Ok(Some(options)) = case.member("options") {
        flatten("options", options, &mut input.arguments);
    }
    for (name, value) in input.given.clone() {
        set_absent(&mut input.arguments, &snake(&name), value);
    }
    input
}

fn positional(name: &str, value: Json<'_>, dictionary: &Dictionary<'_>, input: &mut Input) {
    if value.is_null() {
        return;
    }
    let plain = value.scalar().map(|text| text.into_owned()).unwrap_or_default();
    match name {
        "symbol" => {
            set_market("", &plain, dictionary, &mut input.arguments);
            input.symbol = Some(plain);
        }
        "symbols" => {
            let symbols: Vec<String> =
                value.elements().filter_map(|item| item.scalar().map(|text| text.into_owned())).collect();
            let id = |symbol: &String| {
                dictionary.market(symbol).map_or_else(|| symbol.clone(), |known| known.market.id)
            };
            let ids = symbols.iter().map(|symbol| Value::Text(id(symbol))).collect();
            if let Some(first) = symbols.first() {
                set_market("first_", first, dictionary, &mut input.arguments);
            }
            input.arguments.push(("markets".to_owned(), Value::List(ids)));
        }
        "code" => {
            input.arguments.push(("asset".to_owned(), Value::Text(dictionary.currency_id(&plain))));
            input.arguments.push(("code".to_owned(), Value::Text(plain.clone())));
            input.code = Some(plain);
        }
        "to_code" => {
            input.arguments.push(("to_asset".to_owned(), Value::Text(dictionary.currency_id(&plain))));
            input.arguments.push(("to_code".to_owned(), Value::Text(plain)));
        }
        _ => input.arguments.push((name.to_owned(), from_json(value))),
    }
}

/// The market of a symbol: its name, and what the engine makes of it for routes and parameters.
fn set_market(prefix: &str, symbol: &str, dictionary: &Dictionary<'_>, arguments: &mut Params) {
    let market = dictionary.market(symbol).unwrap_or_default().market;
    let id = if market.id.is_empty() { symbol.to_owned() } else { market.id.clone() };
    arguments.push((format!("{prefix}market"), Value::Text(id)));
    let base_code = symbol.split('/').next().unwrap_or_default();
    for (name, value) in market.arguments(base_code) {
        let is_type = ["market_type", "sub_type"].contains(&name.as_str());
        arguments.push((if is_type { name } else { format!("{prefix}{name}") }, value));
    }
}

pub fn set_absent(params: &mut Params, name: &str, value: Value) {
    if !params.iter().any(|(known, _)| known == name) {
        params.push((name.to_owned(), value));
    }
}

/// `options.fetchBalance.defaultType = fund`.
fn flatten(prefix: &str, json: Json<'_>, into: &mut Params) {
    for (name, value) in json.members() {
        let name = format!("{prefix}.{}", name.text());
        match value.kind() {
            Kind::Object => flatten(&name, value, into),
            _ => into.push((name, from_json(value))),
        }
    }
}

pub fn from_json(json: Json<'_>) -> Value {
    match json.kind() {
        Kind::Null => Value::Null,
        Kind::True => Value::Bool(true),
        Kind::False => Value::Bool(false),
        Kind::Number => Value::Number(json.raw().to_owned()),
        Kind::String | Kind::Escaped => Value::Text(json.string().unwrap_or_default().into_owned()),
        Kind::Array => Value::List(json.elements().map(from_json).collect()),
        Kind::Object => Value::Map(
            json.members().map(|(name, value)| (name.text().into_owned(), from_json(value))).collect(),
        ),
    }
}

/// `marginMode` to `margin_mode`.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    out
}

/// The description of a case.
pub fn description(case: Json<'_>) -> String {
    text(case, "description").unwrap_or_default()
}
