//! The market dictionary: routes that depend on what kind of market a name means, and what the amounts of a trade are of.

use super::files::small;
use super::provider::*;
use enclave::connector::*;
use serde_json::json;

/// An exchange with trades of spot markets, of contracts and on margin, and a listing of each kind of market.
fn exchange() -> &'static Connector {
    let mut tree = small();
    let listing = |kind: &str| {
        json!({
            "call": format!("GET private markets/{kind}"), "params": {"name": "{param.market}"}, "absent": ["no_market"],
            "when": {"market_type": ["absent", kind]}, "rows": ["[*]"],
            "fields": {"market": "n", "base": "b", "quote": "q", "market_type": format!("'{kind}'")},
        })
    };
    let trades = |path: &str, when: serde_json::Value| {
        json!({
            "operation": "my_trades", "when": when, "unpaged": {"whole": "few"}, "call": format!("GET private {path}"),
            "params": {"market": "{param.market}"}, "rows": ["[*]"],
            "fields": {"id": "id", "market": "m"},
        })
    };
    tree["markets"] = json!([listing("spot"), listing("swap")]);
    tree["market_names"] = json!({"*-OPTION": {"market_type": "option"}});
    tree["accounts"] = json!({"futures": {"market_type": "swap"}, "margin": {"margin": "yes"}});
    tree["reads"] = json!([
        trades("trades/swap", json!({"market_type": ["swap"]})),
        trades("trades/option", json!({"market_type": ["option"]})),
        trades("trades/margin", json!({"margin": ["yes"]})),
        trades("trades/spot", json!({})),
        {"operation": "deposits", "unpaged": {"whole": "few"}, "call": "GET private deposits", "rows": ["[*]"],
            "params": {"market": "{param.market}"}, "fields": {"id": "id"}},
    ]);
    tree["errors"] = json!({"code": "code"});
    tree["prices"] = json!({"quotes": ["USD", "USDT"], "tickers": [{"call": "GET private tickers", "fields": {"base": "b", "quote": "q", "last": "l"}}]});
    load_leaked(tree.to_string().as_bytes()).unwrap()
}

/// Reads with these arguments: the targets that were asked, in order, and the outcome.
fn read(
    operation: &str,
    arguments: &[(&str, &str)],
    respond: impl Fn(&str) -> Option<Respond>,
) -> (Vec<String>, Outcome) {
    let connector = exchange();
    let arguments: Params =
        arguments.iter().map(|(name, text)| ((*name).to_owned(), Value::Text((*text).to_owned()))).collect();
    let (extra, from) = (Params::new(), Position::Start);
    let operation = Operation::Read { operation: operation.to_owned(), arguments, extra, from, pages: None };
    let credential = Credential::from_json(connector, br#"{"apiKey":"K1"}"#).unwrap();
    let mut run = Run::start(connector, operation, Some(credential), 0, NonceState::new()).unwrap();
    let mut asked = Vec::new();
    let (outcome, _) = finish(&mut run, |request, _| {
        asked.push(request.target.clone());
        respond(&request.target).unwrap_or_else(|| ok("[]"))
    });
    (asked, outcome)
}

fn rows(outcome: &Outcome) -> &[Record] {
    let Answer::Rows(rows) = &outcome.answer else { panic!("{:?}", outcome.answer) };
    rows
}

#[test]
fn a_route_is_chosen_by_what_the_exchange_says_of_the_market() {
    let (asked, outcome) = read("my_trades", &[("market", "XBTM")], |target| match target {
        "/v1/markets/spot?name=XBTM" => Some(status(400, r#"{"code":"no_market"}"#)),
        "/v1/markets/swap?name=XBTM" => {
            Some(ok(r#"[{"n":"OTHER","b":"A","q":"B"},{"n":"XBTM","b":"XBT","q":"USD"}]"#))
        }
        "/v1/trades/swap?market=XBTM" => {
            Some(ok(r#"[{"id":"1","m":"XBTM"},{"id":"2","m":"ETHUSDT"},{"id":"3","m":"?"}]"#))
        }
        other => panic!("{other}"),
    });
    assert_eq!(asked.len(), 3);
    assert!(outcome.is_complete() && outcome.coverage.len() == 1, "{:?}", outcome.coverage);
    let pair = |row: &Record| (row.field("base").map(str::to_owned), row.field("quote").map(str::to_owned));
    let text = |text: &str| Some(text.to_owned());
    // By the dictionary, by the quote currency that ends the name, and not at all.
    let told: Vec<_> = rows(&outcome).iter().map(pair).collect();
    assert_eq!(told, [(text("XBT"), text("USD")), (text("ETH"), text("USDT")), (None, None)]);
}

#[test]
fn of_two_markets_with_one_name_the_first_listed_kind_is_meant_unless_the_account_says_the_other() {
    let both = |target: &str| {
        let told = target.starts_with("/v1/markets/");
        told.then(|| ok(r#"[{"n":"BTCUSDT","b":"BTC","q":"USDT"}]"#))
    };
    let (asked, _) = read("my_trades", &[("market", "BTCUSDT")], both);
    assert_eq!(asked.last().unwrap(), "/v1/trades/spot?market=BTCUSDT");
    let (asked, _) = read("my_trades", &[("market", "BTCUSDT"), ("market_type", "swap")], both);
    assert_eq!(asked, ["/v1/markets/swap?name=BTCUSDT", "/v1/trades/swap?market=BTCUSDT"]);
}

#[test]
fn nothing_is_looked_up_that_nothing_depends_on() {
    let none = |_: &str| None;
    assert_eq!(read("my_trades", &[], none).0, ["/v1/trades/spot"]);
    assert_eq!(read("deposits", &[("market", "BTCUSDT")], none).0, ["/v1/deposits?market=BTCUSDT"]);
    // The name says enough.
    let (asked, _) = read("my_trades", &[("market", "BTC-OPTION")], none);
    assert_eq!(asked, ["/v1/trades/option?market=BTC-OPTION"]);
}

#[test]
fn a_market_that_is_listed_nowhere_is_asked_for_like_any_other() {
    let (asked, outcome) = read("my_trades", &[("market", "GONE")], |_| None);
    assert_eq!(asked.last().unwrap(), "/v1/trades/spot?market=GONE");
    assert!(outcome.is_complete());
}

#[test]
fn where_the_dictionary_does_not_answer_nothing_of_the_owner_is_asked() {
    let broken = |target: &str| match target {
        "/v1/markets/spot?name=BTCUSDT" => Some(ok(r#"[{"n":"BTCUSDT","b":"BTC","q":"USDT"}]"#)),
        "/v1/markets/swap?name=BTCUSDT" => Some(status(400, r#"{"code":"broken"}"#)),
        other => panic!("{other}"),
    };
    let (_, outcome) = read("my_trades", &[("market", "BTCUSDT")], broken);
    assert!(matches!(outcome.answer, Answer::Nothing) && outcome.next.is_none());
    let [coverage] = outcome.coverage.as_slice() else { panic!("{:?}", outcome.coverage) };
    assert!(matches!(coverage.status, Status::Failed(_)));
}

#[test]
fn an_answer_that_is_no_listing_of_markets_decides_nothing() {
    for hostile in [
        r#"[{"n":"BTCUSDT","b":"B\nC","q":"USDT"}]"#,
        r#"[{"n":"btcusdt","b":"BTC","q":"USDT"}]"#,
        r#"[{"b":"BTC","q":"USDT"}, 7, null, []]"#,
    ] {
        let (asked, outcome) = read("my_trades", &[("market", "BTCUSDT")], |target| {
            target.starts_with("/v1/markets/swap").then(|| ok(hostile))
        });
        assert_eq!(asked.last().unwrap(), "/v1/trades/spot?market=BTCUSDT", "{hostile}");
        assert!(outcome.is_complete(), "{hostile}: {:?}", outcome.coverage);
    }
}

#[test]
fn account_types_with_a_history_of_their_own_are_those_that_a_route_depends_on() {
    let connector = exchange();
    let of = |operation: &'static str| connector.accounts_of(operation).collect::<Vec<_>>();
    assert_eq!(of("my_trades"), ["futures", "margin"]);
    assert!(of("deposits").is_empty());
    let binance: Vec<&str> = find("binance").unwrap().accounts_of("ledger").collect();
    assert!(binance.contains(&"coin_futures") && !binance.contains(&"margin"), "{binance:?}");
}
