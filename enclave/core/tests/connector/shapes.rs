//! Answers of unusual shape, as the exchanges document them.

use super::provider::*;
use enclave::connector::*;

/// The balances that one source reads, as `account asset free used total debt`.
fn read(id: &str, source: &str, answers: &[(&str, &str)]) -> Vec<String> {
    let operation = Operation::Balances { sources: Some(vec![source.to_owned()]) };
    let (outcome, _) = finish(&mut start(id, operation), |request, _| {
        let found = answers.iter().find(|(path, _)| *path == request.path());
        ok(found.unwrap_or_else(|| panic!("{} was not expected", request.target)).1)
    });
    assert_eq!(outcome.coverage[0].status, Status::Ok, "{outcome:?}");
    let amount = |amount: Option<wire::Decimal>| amount.map_or("-".to_owned(), |amount| amount.to_string());
    let row = |row: &Balance| {
        let amounts = [row.free, row.used, row.total, row.debt].map(amount).join(" ");
        format!("{} {} {amounts}", row.account, row.asset)
    };
    balances(outcome).iter().map(row).collect()
}

/// What a key may do, as a stated probe of the exchange tells it: `capability state`.
fn told(id: &str, answer: &str) -> Vec<String> {
    let (outcome, _) = finish(&mut start(id, Operation::Capabilities), |_, _| ok(answer));
    let Answer::Capabilities(findings) = outcome.answer else { panic!("{outcome:?}") };
    let stated = findings.iter().filter(|finding| finding.source == Source::Stated);
    stated.map(|finding| format!("{} {:?}", finding.capability, finding.state)).collect()
}

fn prices(id: &str, answer: impl Fn(&str) -> &'static str) -> PriceTable {
    let mut run = Run::start(find(id).unwrap(), Operation::Prices, None, 0, NonceState::new()).unwrap();
    let (outcome, _) = finish(&mut run, |request, _| ok(answer(&request.target)));
    match outcome.answer {
        Answer::Prices(prices) => prices,
        _ => panic!("{outcome:?}"),
    }
}

#[test]
fn m33_coincheck_balances_are_members_of_one_object_and_what_is_lent_counts() {
    let answer = r#"{"success":true,"jpy":"0.8401","btc":"7.75","jpy_reserved":"3000.0","btc_reserved":"1.25",
        "jpy_lend_in_use":"0","btc_lend_in_use":"0.3","btc_lent":"1.2","btc_debt":"0.5","btc_tsumitate":"0.1"}"#;
    assert_eq!(
        read("coincheck", "account", &[("/api/accounts/balance", answer)]),
        ["spot JPY 0.8401 3000 3000.8401 -", "spot BTC 7.75 1.25 9 0.5", "earn BTC 0 1.6 1.6 -",]
    );
}

#[test]
fn bitfinex_wallets_are_lists_and_derivatives_collateral_is_the_same_money() {
    let answer = r#"[["exchange","UST",19788.6529257,0,19700.5,"Exchange",null],
        ["margin","USTF0",5,0,5,null,null],["funding","UST",100,0.5,null,null,null]]"#;
    assert_eq!(
        read("bitfinex", "wallets", &[("/v2/auth/r/wallets", answer)]),
        ["spot USDT 19700.5 88.1529257 19788.6529257 -", "margin USDT 5 0 5 -", "funding USDT - - 100 -",]
    );
}

#[test]
fn a_bitfinex_refusal_is_a_list_that_begins_with_error() {
    let operation = Operation::Balances { sources: None };
    let (outcome, _) = finish(&mut start("bitfinex", operation), |_, _| {
        status(500, r#"["error",10100,"apikey: digest invalid"]"#)
    });
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Provider(FaultKind::Credential));
}

#[test]
fn bitfinex_and_bitflyer_and_gemini_tell_what_a_key_may_do() {
    let answer = r#"[["account",1,0],["history",1,0],["orders",1,0],["positions",1,1],["wallets",1,1],["withdraw",0,1]]"#;
    assert_eq!(
        told("bitfinex", answer),
        ["trade No", "margin Yes", "read Yes", "transfer Yes", "withdraw Yes"]
    );
    let answer = r#"["/v1/me/getpermissions","/v1/me/getbalance","/v1/me/getwithdrawals"]"#;
    assert_eq!(told("bitflyer", answer), ["read Yes", "trade No", "withdraw No", "transfer No"]);
    let answer = r#"{"isAuditor":false,"isFundManager":true,"isTrader":false}"#;
    assert_eq!(told("gemini", answer), ["read Yes", "trade No", "withdraw Yes", "transfer Yes"]);
}

#[test]
fn a_price_is_asked_for_each_market_where_there_is_no_list_of_prices() {
    let table = prices("bitflyer", |target| match target {
        "/v1/getmarkets" => {
            r#"[{"product_code":"BTC_JPY","market_type":"Spot"},{"product_code":"FX_BTC_JPY","market_type":"FX"}]"#
        }
        "/v1/ticker?product_code=BTC_JPY" => {
            r#"{"product_code":"BTC_JPY","ltp":15000000,"best_bid":1,"best_ask":2}"#
        }
        other => panic!("{other}"),
    });
    assert_eq!(table.value("BTC", "JPY").map(|price| price.to_string()).as_deref(), Some("15000000"));
    let table = prices(
        "bitfinex",
        |_| r#"[["tBTCUSD",1,1,3,1,0,0,2,9,9,9],["tAVAX:UST",1,1,3,1,0,0,20,9,9,9],["fUSD",0,0,0,0,0,0,0,0,0,7]]"#,
    );
    assert_eq!(table.value("BTC", "USD").map(|price| price.to_string()).as_deref(), Some("2"));
    assert_eq!(table.value("AVAX", "USDT").map(|price| price.to_string()).as_deref(), Some("20"));
}

#[test]
fn m33_every_htx_account_is_read_and_its_kinds_of_money_are_told_apart() {
    let accounts = r#"{"status":"ok","data":[{"id":1,"type":"spot","subtype":"","state":"working"},
        {"id":2,"type":"margin","subtype":"btcusdt","state":"working"},
        {"id":3,"type":"point","subtype":"","state":"working"},{"id":4,"type":"otc","subtype":"","state":"lock"}]}"#;
    let spot = r#"{"status":"ok","data":{"list":[{"currency":"usdt","type":"trade","balance":"5.5"},
        {"currency":"usdt","type":"frozen","balance":"1.5"},{"currency":"usdt","type":"lock","balance":"1"}]}}"#;
    let margin = r#"{"status":"ok","data":{"list":[{"currency":"btc","type":"trade","balance":"2"},
        {"currency":"btc","type":"loan","balance":"-0.5"},{"currency":"btc","type":"interest","balance":"-0.1"}]}}"#;
    assert_eq!(
        read(
            "htx",
            "accounts",
            &[
                ("/v1/account/accounts", accounts),
                ("/v1/account/accounts/1/balance", spot),
                ("/v1/account/accounts/2/balance", margin),
            ]
        ),
        ["spot USDT 5.5 2.5 8 -", "isolated_margin BTC 2 0 2 0.6"]
    );
}

#[test]
fn an_htx_key_finds_its_own_entry_by_the_user_that_it_belongs_to() {
    let key = r#"{"code":200,"data":[{"accessKey":"K1","permission":"readOnly,trade","ipAddresses":"","status":"normal"}]}"#;
    let (outcome, _) = finish(&mut start("htx", Operation::Capabilities), |request, _| {
        if request.path() == "/v2/user/uid" {
            return ok(r#"{"code":200,"data":63628520}"#);
        }
        assert!(request.target.starts_with("/v2/user/api-key?"), "{}", request.target);
        assert!(request.target.contains("accessKey=K1&uid=63628520"), "{}", request.target);
        ok(key)
    });
    let Answer::Capabilities(findings) = outcome.answer else { panic!("{outcome:?}") };
    let state = |name: &str| findings.iter().find(|finding| finding.capability == name).unwrap().state;
    assert_eq!(
        [state("read"), state("trade"), state("withdraw"), state("ip_restricted")],
        [State::Yes, State::Yes, State::No, State::No]
    );
}

/// What a Gate account of this mode is asked, and what it has.
fn gate(mode: &'static str) -> (Vec<String>, Vec<String>) {
    let mut asked = Vec::new();
    let operation = Operation::Balances { sources: None };
    let (outcome, _) = finish(&mut start("gate", operation), |request, _| {
        asked.push(request.path().to_owned());
        match request.path() {
            "/api/v4/unified/unified_mode" => ok(format!(r#"{{"mode":"{mode}"}}"#)),
            "/api/v4/spot/accounts" => ok(r#"[{"currency":"BTC","available":"1","locked":"0"}]"#),
            "/api/v4/unified/accounts" => {
                ok(r#"{"balances":{"BTC":{"available":"1","freeze":"0","equity":"1.2","total_liab":"0.1"}}}"#)
            }
            "/api/v4/futures/btc/accounts" => {
                status(400, r#"{"label":"USER_NOT_FOUND","message":"transfer first"}"#)
            }
            path if path.ends_with("usdt/accounts") || path == "/api/v4/options/accounts" => {
                ok(r#"{"currency":"USDT","available":"5","total":"7","unrealised_pnl":"-1"}"#)
            }
            _ => ok("[]"),
        }
    });
    assert_eq!(*source(&outcome, "futures-btc"), Status::Absent);
    let row = |row: &Balance| format!("{} {} {:?}", row.account, row.asset, row.total);
    let mut rows: Vec<String> = balances(outcome).iter().map(row).collect();
    rows.sort();
    (asked, rows)
}

#[test]
fn m33_a_unified_gate_account_is_not_counted_twice() {
    let (asked, rows) = gate("classic");
    assert!(asked.contains(&"/api/v4/spot/accounts".to_owned()));
    assert!(!asked.contains(&"/api/v4/unified/accounts".to_owned()));
    assert_eq!(
        rows,
        ["futures USDT Some(6)", "futures USDT Some(6)", "options USDT Some(7)", "spot BTC Some(1)"]
    );
    let (asked, rows) = gate("multi_currency");
    assert!(!asked.contains(&"/api/v4/spot/accounts".to_owned()));
    assert_eq!(rows, ["futures USDT Some(6)", "unified BTC Some(1.2)"]);
}
