use super::*;
use serde_json::json;
use wire::balance::Account as WireAccount;

fn asset(symbol: &str, total: &str, price: Option<&str>, value: Option<&str>) -> balance::Asset {
    balance::Asset {
        asset: format!("unknown:kraken/{symbol}"),
        symbol: symbol.into(),
        free: Some(total.into()),
        used: Some("0".into()),
        total: total.into(),
        debt: None,
        price: price.map(Into::into),
        value: value.map(Into::into),
    }
}

fn holdings(as_of: u64, status: Status, assets: Vec<balance::Asset>) -> Holdings {
    Holdings {
        as_of: UnixMillis(as_of),
        currency: "EUR".into(),
        accounts: vec![WireAccount { kind: "spot".into(), assets }],
        sources: vec![balance::Source { name: "spot".into(), status, fault: None }],
    }
}

fn answer(id: &str, outcome: Result<Holdings, Failure>) -> Answer {
    Answer { id: id.into(), exchange: "kraken".into(), name: format!("my {id}"), outcome }
}

fn portfolio(answers: Vec<Answer>) -> Portfolio {
    Portfolio::new("EUR", UnixMillis(9_000_000), answers)
}

#[test]
fn the_json_is_exactly_what_is_documented() {
    let btc = asset("BTC", "0.1", Some("50000.5"), Some("5000.05"));
    let odd = asset("ODD", "7", None, None);
    let json = serde_json::to_value(portfolio(vec![answer(
        "a",
        Ok(holdings(2000, Status::Complete, vec![btc, odd])),
    )]))
    .unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "as_of": "1970-01-01T00:00:02Z",
            "currency": "EUR",
            "total": "5000.05",
            "coverage": { "complete": true, "sources": [
                { "connection": "a", "exchange": "kraken", "source": "spot", "status": "complete", "fault": null },
            ] },
            "connections": [ { "id": "a", "exchange": "kraken", "accounts": [ { "type": "spot", "assets": [
                { "asset": "unknown:kraken/BTC", "symbol": "BTC", "free": "0.1", "used": "0", "total": "0.1",
                  "price": "50000.5", "value": "5000.05" },
                { "asset": "unknown:kraken/ODD", "symbol": "ODD", "free": "7", "used": "0", "total": "7",
                  "price": null, "value": null },
            ] } ], "errors": [] } ],
        })
    );
}

#[test]
fn m31_totals_are_exact() {
    let tenths = |_| asset("X", "1", Some("0.1"), Some("0.1"));
    let portfolio =
        portfolio(vec![answer("a", Ok(holdings(1, Status::Complete, (0..3).map(tenths).collect())))]);
    assert_eq!(portfolio.total.as_deref(), Some("0.3"));
}

#[test]
fn unpriced_is_not_zero_and_is_said() {
    let assets = vec![asset("ODD", "7", None, None), asset("NIL", "7", Some("0"), Some("0"))];
    let text = portfolio(vec![answer("a", Ok(holdings(1, Status::Complete, assets)))]).to_string();
    assert!(
        text.contains("no price") && text.contains("1 asset has no price and is not in the total"),
        "{text}"
    );
}

#[test]
fn an_exchange_that_prices_nothing_in_a_currency_is_named_and_another_currency_proposed() {
    let unpriced = |more: Vec<balance::Asset>, prices: Option<Status>| {
        let assets = [vec![asset("BTC", "1", None, None)], more].concat();
        let mut holdings = holdings(1, Status::Complete, assets);
        let source =
            |status| balance::Source { name: "prices".into(), status, fault: Some("timeout".into()) };
        holdings.sources.extend(prices.map(source));
        portfolio(vec![answer("a", Ok(holdings))]).to_string()
    };
    let told = unpriced(Vec::new(), None);
    assert!(told.contains("my a prices none of this in EUR") && told.contains("`--in USDT`"), "{told}");
    let one = vec![asset("EUR", "1", Some("1"), Some("1"))];
    for other in [unpriced(one, None), unpriced(Vec::new(), Some(Status::Failed))] {
        assert!(!other.contains("prices none of this"), "{other}");
    }
}

#[test]
fn m33_a_partial_read_is_said_loudly() {
    let whole = portfolio(vec![answer("a", Ok(holdings(1, Status::Complete, Vec::new())))]);
    assert!(whole.coverage.complete && !whole.to_string().contains("INCOMPLETE"));
    for status in [Status::Partial, Status::Failed, Status::NotPermitted, Status::Unsupported] {
        let part = portfolio(vec![answer("a", Ok(holdings(1, status, Vec::new())))]);
        assert!(!part.coverage.complete);
        assert!(part.to_string().contains("INCOMPLETE"), "{part}");
    }
}

#[test]
fn a_connection_that_failed_is_an_error_and_an_incomplete_source_beside_the_others() {
    let failure = crate::client::explain::explain(wire::Refusal::CredentialRefused, "kraken");
    let portfolio = portfolio(vec![
        answer("a", Ok(holdings(5000, Status::Complete, vec![asset("EUR", "1", Some("1"), Some("1"))]))),
        answer("b", Err(failure)),
    ]);
    assert!(!portfolio.coverage.complete);
    assert_eq!(portfolio.coverage.sources[1].fault.as_deref(), Some("credential_refused"));
    assert_eq!(portfolio.total.as_deref(), Some("1"));
    assert_eq!(portfolio.connections[1].errors[0].code, "credential_refused");
    let text = portfolio.to_string();
    assert!(text.contains("INCOMPLETE") && text.contains("my b: kraken refused the key"), "{text}");
}

#[test]
fn m33_an_account_type_that_failed_is_an_error_of_its_connection_beside_what_was_read() {
    let mut holdings = holdings(1, Status::Complete, vec![asset("EUR", "1", Some("1"), Some("1"))]);
    let failed = |name: &str, fault: &str| balance::Source {
        name: name.into(),
        status: Status::Failed,
        fault: Some(fault.into()),
    };
    holdings.sources.extend([failed("funding", "maintenance"), failed("earn", "timeout")]);
    let answer = answer("a", Ok(holdings));
    let faults: Vec<Fault> = failures(&answer).iter().map(|failure| failure.fault).collect();
    assert_eq!(faults, [Fault::Provider, Fault::Host]);
    let portfolio = portfolio(vec![answer]);
    assert_eq!(portfolio.total.as_deref(), Some("1"));
    let errors = &portfolio.connections[0].errors;
    assert_eq!(errors.len(), 2);
    assert!(errors.iter().all(|error| error.code == "source_failed" && error.retryable), "{errors:?}");
    assert!(errors[0].message.contains("funding") && errors[0].message.contains("maintenance"), "{errors:?}");
    let text = portfolio.to_string();
    assert_eq!(text.matches("funding").count(), 1, "{text}");
}

#[test]
fn what_has_no_price_or_was_not_read_has_no_total_rather_than_zero() {
    let nothing = portfolio(vec![answer("a", Ok(holdings(1, Status::Complete, Vec::new())))]);
    assert_eq!(nothing.total.as_deref(), Some("0"));
    let unpriced =
        portfolio(vec![answer("a", Ok(holdings(1, Status::Complete, vec![asset("ODD", "7", None, None)])))]);
    let failure = crate::client::explain::explain(wire::Refusal::CredentialRefused, "kraken");
    let unread = portfolio(vec![answer("a", Err(failure))]);
    for portfolio in [unpriced, unread] {
        assert_eq!(portfolio.total, None);
        assert!(portfolio.to_string().contains("total not known"), "{portfolio}");
    }
}

#[test]
fn what_people_see_is_rounded_and_grouped_and_never_becomes_nothing() {
    for (amount, text) in [
        ("1234567.891", "1,234,567.89"),
        ("5", "5.00"),
        ("5.5", "5.50"),
        ("0.001", "0.001"),
        ("0", "0.00"),
        ("-0.5", "-0.50"),
    ] {
        assert_eq!(shown_money(amount), text, "{amount}");
    }
}

#[test]
fn amounts_beyond_exact_arithmetic_have_no_total_rather_than_a_wrong_one() {
    let huge = "9".repeat(38);
    let assets = (0..20).map(|_| asset("X", "1", Some(&huge), Some(&huge))).collect();
    let portfolio = portfolio(vec![answer("a", Ok(holdings(1, Status::Complete, assets)))]);
    assert_eq!(portfolio.total, None);
    assert!(portfolio.to_string().contains("too large to add"));
}

#[test]
fn accounts_and_assets_have_one_order_and_debts_are_said() {
    let mut holdings =
        holdings(1, Status::Complete, ["SOL", "ADA"].map(|symbol| asset(symbol, "1", None, None)).into());
    holdings.accounts[0].assets[0].debt = Some("1234.5".into());
    holdings.accounts[0].assets[1].debt = Some("0".into());
    holdings.accounts.push(WireAccount { kind: "margin".into(), assets: Vec::new() });
    let portfolio = portfolio(vec![answer("a", Ok(holdings))]);
    let accounts = &portfolio.connections[0].accounts;
    assert_eq!([&accounts[0].kind, &accounts[1].kind], ["margin", "spot"]);
    assert_eq!([&accounts[1].assets[0].symbol, &accounts[1].assets[1].symbol], ["ADA", "SOL"]);
    assert_eq!(accounts[1].assets[0].debt, None);
    let text = portfolio.to_string();
    assert_eq!(text.matches("owed").count(), 1);
    assert!(text.contains("owed, and not subtracted: 1,234.5 SOL in my a, spot account"), "{text}");
}

#[test]
fn m33_what_an_exchange_does_not_tell_is_shown_as_untold_and_never_as_zero() {
    let untold = balance::Asset { free: None, used: None, ..asset("BTC", "7", None, None) };
    let portfolio = portfolio(vec![answer("a", Ok(holdings(2000, Status::Complete, vec![untold])))]);
    assert!(portfolio.to_string().lines().any(|line| line.contains("BTC") && line.contains("not told")));
    let json = serde_json::to_value(portfolio).unwrap();
    let asset = &json["connections"][0]["accounts"][0]["assets"][0];
    assert_eq!((&asset["free"], &asset["used"], &asset["total"]), (&json!(null), &json!(null), &json!("7")));
}
