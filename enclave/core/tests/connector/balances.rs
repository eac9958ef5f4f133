use super::provider::*;
use enclave::connector::*;

const ALL: Operation = Operation::Balances { sources: None };

fn binance(request: &Request) -> Respond {
    match request.path() {
        "/api/v3/account" => ok(r#"{"balances":[
            {"asset":"BTC","free":"0.10000000","locked":"0.05"},
            {"asset":"ZZZ-NOBODY-KNOWS","free":"3","locked":"0"},
            {"asset":"NIL","free":"0","locked":"0"}]}"#),
        "/sapi/v1/asset/get-funding-asset" => {
            ok(r#"[{"asset":"USDT","free":"100","locked":"1","freeze":"2","withdrawing":"3"}]"#)
        }
        "/sapi/v1/margin/account" => ok(
            r#"{"userAssets":[{"asset":"ETH","free":"1","locked":"0","borrowed":"0.4","interest":"0.01"}]}"#,
        ),
        "/sapi/v1/margin/isolated/account" => {
            status(400, r#"{"code":-11001,"msg":"Isolated margin account does not exist."}"#)
        }
        "/fapi/v3/account" => ok(
            r#"{"assets":[{"asset":"USDT","availableBalance":"7","initialMargin":"3","marginBalance":"10","updateTime":1}]}"#,
        ),
        "/dapi/v1/account" => {
            status(401, r#"{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}"#)
        }
        "/eapi/v1/marginAccount" => ok(r#"{"asset":[]}"#),
        "/papi/v1/balance" => status(400, r#"{"code":-21001,"msg":"User is not a Portfolio Margin User"}"#),
        "/sapi/v1/simple-earn/flexible/position" => {
            ok(r#"{"rows":[{"asset":"BTC","totalAmount":"0.5"}],"total":1}"#)
        }
        "/sapi/v1/simple-earn/locked/position" => status(500, "upstream down"),
        other => panic!("{other} was not expected"),
    }
}

#[test]
fn m33_every_account_type_is_asked_and_what_failed_is_said() {
    let (outcome, _) = finish(&mut start("binance", ALL), |request, _| binance(request));
    assert_eq!(*source(&outcome, "spot"), Status::Ok);
    assert_eq!(*source(&outcome, "funding"), Status::Ok);
    assert_eq!(*source(&outcome, "isolated-margin"), Status::Absent);
    assert_eq!(source(&outcome, "coin-futures").name(), "not_permitted");
    assert_eq!(*source(&outcome, "portfolio-margin"), Status::Absent);
    assert_eq!(source(&outcome, "earn-locked").name(), "failed");
    assert!(!outcome.is_complete());
    let rows: Vec<String> = balances(outcome)
        .iter()
        .map(|row| {
            format!(
                "{} {} {:?} {:?} {:?} {:?}",
                row.account,
                row.asset,
                row.free.unwrap_or_default(),
                row.used,
                row.total,
                row.debt
            )
        })
        .collect();
    assert!(rows.contains(&"spot BTC 0.1 Some(0.05) Some(0.15) None".to_owned()), "{rows:#?}");
    assert!(rows.contains(&"funding USDT 100 Some(6) Some(106) None".to_owned()), "{rows:#?}");
    assert!(rows.contains(&"margin ETH 1 Some(0) Some(1) Some(0.41)".to_owned()), "{rows:#?}");
    assert!(rows.contains(&"earn BTC 0 None Some(0.5) None".to_owned()), "{rows:#?}");
}

#[test]
fn m33_what_the_connector_cannot_read_is_in_the_report() {
    let (outcome, _) = finish(&mut start("coinbase", ALL), |_, _| ok(nothing("coinbase")));
    assert_eq!(source(&outcome, "perpetuals").name(), "unsupported");
    assert!(!outcome.is_complete());
}

#[test]
fn m33_every_connector_names_every_account_type_of_its_exchange() {
    let accounts = |id: &str| {
        let connector = find(id).unwrap();
        let mut accounts: Vec<&str> = connector
            .balances
            .iter()
            .filter(|source| source.default)
            .map(|source| source.account.as_str())
            .collect();
        accounts.extend(connector.unsupported.iter().map(|(account, _)| account.as_str()));
        accounts.sort_unstable();
        accounts.dedup();
        accounts.join(" ")
    };
    assert_eq!(
        accounts("binance"),
        "earn funding futures isolated_margin margin options portfolio_margin spot"
    );
    assert_eq!(accounts("bybit"), "earn funding futures spot unified");
    assert_eq!(accounts("coinbase"), "futures perpetuals spot");
    assert_eq!(accounts("kraken"), "spot");
    assert_eq!(accounts("kucoin"), "earn futures isolated_margin margin spot unified");
    assert_eq!(accounts("okx"), "earn funding unified");
}

#[test]
fn m35_an_unknown_asset_is_shown_and_does_not_disturb_the_rest() {
    let (outcome, _) = finish(&mut start("binance", ALL), |request, _| binance(request));
    let rows = balances(outcome);
    let unknown = rows.iter().find(|row| &*row.symbol == "ZZZ-NOBODY-KNOWS").expect("the unknown asset");
    assert_eq!((&*unknown.asset, unknown.total.unwrap().to_string()), ("ZZZ-NOBODY-KNOWS", "3".to_owned()));
    assert!(rows.iter().any(|row| &*row.asset == "BTC"));
    assert!(!rows.iter().any(|row| &*row.asset == "NIL"), "what is nothing is not listed");
}

#[test]
fn m35_a_damaged_row_leaves_the_others_and_marks_the_source() {
    let body = r#"{"error":[],"result":{"XXBT":{"balance":"1","hold_trade":"0.25"},"XETH":{"balance":"1e999","hold_trade":"0"},
        "ZEUR":{"balance":"12,5","hold_trade":"0"},"SOL.F":{"balance":"2","hold_trade":"0"}}}"#;
    let (outcome, _) = finish(&mut start("kraken", ALL), |_, _| ok(body));
    assert_eq!(source(&outcome, "spot").name(), "partial");
    let rows = balances(outcome);
    let named: Vec<_> = rows.iter().map(|row| (&*row.account, &*row.asset, &*row.symbol)).collect();
    assert_eq!(named, [("spot", "BTC", "XXBT"), ("earn", "SOL", "SOL.F")]);
    assert_eq!(rows[0].free.unwrap().to_string(), "0.75");
}

#[test]
fn m31_amounts_are_exact_to_the_last_digit() {
    let body = r#"{"code":"0","data":[{"details":[
        {"ccy":"PEPE","eq":"123456789012345678.123456789012345678","availEq":"0.1","frozenBal":"0"},
        {"ccy":"USDT","eq":0.30000000000000004,"availEq":"0.1"}]}]}"#;
    let answer = |request: &Request, _: u64| {
        ok(if request.path() == "/api/v5/account/balance" { body } else { nothing("okx") })
    };
    let rows = balances(finish(&mut start("okx", ALL), answer).0);
    assert_eq!(rows[0].used.unwrap().to_string(), "123456789012345678.023456789012345678");
    assert_eq!(rows[1].used.unwrap().to_string(), "0.20000000000000004");
}

#[test]
fn wallets_of_one_asset_add_up_over_all_pages() {
    let page = |rows: &str, next: &str| {
        format!(r#"{{"data":[{rows}],"pagination":{{"next_starting_after":{next}}}}}"#)
    };
    let row = |amount: &str, kind: &str| {
        format!(r#"{{"type":"{kind}","balance":{{"amount":"{amount}","currency":"ADA"}}}}"#)
    };
    let mut targets = Vec::new();
    let (outcome, _) = finish(&mut start("coinbase", ALL), |request, _| {
        targets.push(request.target.clone());
        match request.path() {
            "/v2/accounts" if request.target.contains("starting_after=id-2") => {
                ok(page(&row("0.5", "vault"), "null"))
            }
            "/v2/accounts" => {
                ok(page(&format!("{},{}", row("5.047160", "wallet"), row("22.314018", "wallet")), "\"id-2\""))
            }
            _ => status(404, "{}"),
        }
    });
    assert_eq!(targets.iter().filter(|target| target.starts_with("/v2/accounts")).count(), 2);
    let rows: Vec<_> =
        balances(outcome).into_iter().map(|row| format!("{} {}", row.account, row.total.unwrap())).collect();
    assert_eq!(rows, ["spot 27.361178", "vault 0.5"]);
}

#[test]
fn a_cursor_that_never_ends_is_cut_and_said() {
    let mut page = 0;
    let (outcome, _) = finish(&mut start("coinbase", ALL), |_, _| {
        page += 1;
        ok(format!(r#"{{"data":[],"pagination":{{"next_starting_after":"{page}"}}}}"#))
    });
    let Status::Partial(fault) = source(&outcome, "wallets") else { panic!("{:?}", outcome.coverage) };
    assert_eq!(fault.code, FaultCode::TooMany);
}

#[test]
fn a_duplicate_amount_is_refused_and_not_chosen_from() {
    let body = r#"{"error":[],"result":{"XXBT":{"balance":"1","balance":"100","hold_trade":"0"}}}"#;
    let (outcome, _) = finish(&mut start("kraken", ALL), |_, _| ok(body));
    assert_eq!(source(&outcome, "spot").name(), "failed");
    let body = r#"{"error":[],"result":{"XXBT":{"balance":"1"},"XXBT":{"balance":"100"}}}"#;
    let (outcome, _) = finish(&mut start("kraken", ALL), |_, _| ok(body));
    assert_eq!(source(&outcome, "spot").name(), "failed");
}

#[test]
fn a_revoked_key_is_a_credential_fault_of_every_source_and_nothing_is_learnt() {
    let refusals = [
        ("kraken", 200, r#"{"error":["EAPI:Invalid key"]}"#),
        ("binance", 401, r#"{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}"#),
        ("okx", 401, r#"{"code":"50111","msg":"Invalid OK-ACCESS-KEY"}"#),
        ("bybit", 200, r#"{"retCode":10003,"retMsg":"API key is invalid."}"#),
        ("kucoin", 401, r#"{"code":"400003","msg":"KC-API-KEY not exists"}"#),
        ("coinbase", 401, r#"{"errors":[{"id":"invalid_token","message":"The access token is invalid"}]}"#),
    ];
    for (id, code, body) in refusals {
        let (outcome, _) = finish(&mut start(id, ALL), |_, _| status(code, body));
        assert!(matches!(outcome.answer, Answer::Nothing), "{id}: {outcome:?}");
        for source in &outcome.coverage {
            assert!(matches!(source.status.name(), "failed" | "unsupported"), "{id}: {source:?}");
        }
        assert!(outcome.fault().unwrap().code.is_of_credential(), "{id}");
    }
}
