//! Instructions against a provider in process: what is refused or left in doubt though an exchange would take it (m38).

use super::actions::*;
use super::provider::*;
use enclave::connector::*;
use wire::action::{Destination, Instruction, Kind, Status as Became, Travel};
use wire::{Decimal, Refusal};

#[test]
fn what_the_owner_signed_and_the_exchange_has_no_word_for_is_refused() {
    let started = |id: &str, change: &dyn Fn(&mut Instruction)| {
        let mut instruction = withdrawal("25");
        change(&mut instruction);
        let operation = Operation::Act(Box::new(instruction));
        let run = Run::start(find(id).unwrap(), operation, Some(credential(id)), 0, NonceState::new());
        run.err().map(|fault| fault.code)
    };
    // Gate takes withdrawals from its one spot account.
    let margin = started("gate", &|order| order.from = Some("margin".into()));
    assert_eq!(margin, Some(FaultCode::Refused(Refusal::UnknownAccount)));
    assert_eq!(started("gate", &|order| order.from = Some("spot".into())), None);
}

#[test]
fn m32_a_chain_that_the_exchange_neither_is_told_nor_confirms_is_refused() {
    // It sends by the asset alone; what it says of the asset names the chain.
    let file = serde_json::json!({
        "id": "small", "name": "Small", "guide": {"url": "https://small.example/keys", "steps": "make a key"},
        "credential": {"apiKey": {"label": "key", "kinds": ["text"]}},
        "sections": {"private": {"host": "api.small.example", "prefix": "/"}},
        "signing": [{"sections": ["private"], "target": "{path}{?params:form}", "headers": {"K": "{apiKey}"}}],
        "networks": {"ETH": "eip155:1", "TRX": "tron:0x2b6653dc"},
        "terms": [{"operation": "withdraw", "call": "GET private asset", "fields": {"asset": "a", "network": "n.0"}}],
        "actions": [{"operation": "withdraw", "amount": "gross", "call": "POST private send",
            "params": {"a": "{param.asset}", "to": "{param.address}"}, "fields": {"id": "id"}}],
    });
    let connector = load_leaked(file.to_string().as_bytes()).unwrap();
    let ask = |networks: &str| {
        let asset = format!(r#"{{"a":"USDT","n":{networks}}}"#);
        let key = Credential::from_json(connector, br#"{"apiKey":"k"}"#).unwrap();
        let operation = Operation::Act(Box::new(withdrawal("25")));
        let run = Run::start(connector, operation, Some(key), 0, NonceState::new()).unwrap();
        drive(run, "/send", |_, request| {
            Ok(ok(if request.path() == "/asset" { asset.as_str() } else { r#"{"id":"1"}"# }))
        })
    };
    assert_eq!(became(&ask(r#"["ETH"]"#).0), (Became::Pending, None));
    for networks in ["[]", r#"["TRX"]"#] {
        let (answer, moved) = ask(networks);
        assert_eq!((refused(&answer), moved), (FaultCode::Refused(Refusal::UnknownNetwork), 0));
    }
}

#[test]
fn a_fee_below_zero_is_no_fee_and_a_quote_for_more_than_was_ordered_is_refused() {
    let body = r#"[{"coin":"USDT","networkList":[{"network":"ETH","withdrawFee":"-1","withdrawMin":"-1","withdrawEnable":true}]}]"#;
    let ask = |change: fn(&mut Instruction)| {
        let mut instruction = withdrawal("25");
        change(&mut instruction);
        let mut run = start("binance", Operation::Act(Box::new(instruction)));
        let Step::Send { call, .. } = run.next(NOW_MS, &mut Counting(0)) else { panic!("nothing sent") };
        run.answer(call, NOW_MS, 200, &[], body.as_bytes());
        match run.next(NOW_MS, &mut Counting(0)) {
            Step::Done(outcome) => refused(&outcome.answer),
            other => panic!("{other:?}"),
        }
    };
    let unstated = FaultCode::Refused(Refusal::TermsUnstated);
    assert_eq!(ask(|order| order.max_fee = Some("0".into())), unstated);
    // What is to be sent would follow from it.
    assert_eq!(ask(|order| order.fee_included = false), unstated);

    let mut conversion = Instruction::new(Kind::Convert, REFERENCE, "USDC", Decimal::from(5));
    conversion.to_asset = Some("USDT".into());
    let (answer, moved) =
        act("binance", Operation::Act(Box::new(conversion)), "/sapi/v1/convert/acceptQuote", |_, _| {
            Ok(ok(format!(
                r#"{{"quoteId":"Q1","validTimestamp":{},"toAmount":"49.9","fromAmount":"50"}}"#,
                NOW_MS + 10_000
            )))
        });
    assert_eq!((refused(&answer), moved), (unstated, 0));
}

#[test]
fn m38_an_error_that_nobody_knows_is_no_refusal_where_it_may_mean_a_known_reference() {
    let (answer, moved) = withdraw("bybit", &withdrawal("25"), |_, _| {
        Ok(status(400, r#"{"retCode":999999,"retMsg":"something about your requestId"}"#))
    });
    assert_eq!((became(&answer).0, moved), (Became::Unknown, 1));
}

#[test]
fn m38_an_earlier_one_that_was_alike_and_failed_is_not_this_one() {
    let at_s = NOW_MS / 1000 - 30;
    let body = format!(
        r#"{{"error":[],"result":[{{"refid":"R0","asset":"USDT","amount":"22","fee":"3","info":"{ETHEREUM}","time":{at_s},"status":"Failure"}}]}}"#
    );
    let (answer, _) = act("kraken", inquiry(NOW_MS), "/0/private/Withdraw", |_, _| Ok(ok(body.clone())));
    assert_eq!(became(&answer), (Became::Unknown, Some("not_found")));
}

#[test]
fn m38_several_rows_of_which_none_says_that_it_was_looked_up_are_no_answer() {
    // Binance was asked for one `withdrawOrderId`; rows without it are anybody's.
    let row = r#"{"coin":"USDT","amount":"22","status":6}"#;
    let body = format!("[{row},{row}]");
    let (answer, _) = act("binance", inquiry(NOW_MS - 900_000), BINANCE, |_, _| Ok(ok(body.clone())));
    assert_eq!(became(&answer), (Became::Unknown, Some("not_found")));
}

#[test]
fn m38_what_a_host_held_back_or_sends_under_an_old_clock_moves_nothing() {
    // NOW_MS is 09-Oct-2025 08:53:20; the exchange's own answers bear a date, which a host cannot change.
    assert_eq!(dated("Thu, 09 Oct 2025 08:55:20 GMT"), 1);
    assert_eq!(dated("Thu, 09 Oct 2025 08:55:25 GMT"), 0);
    assert_eq!(dated("Thu, 09 Oct 2025 08:50:00 GMT"), 1, "an answer may be an old copy");
}

/// How often a withdrawal is sent where the terms come with a date; 0 only for want of time.
fn dated(date: &str) -> u32 {
    let mut run = start("binance", Operation::Act(Box::new(withdrawal("25"))));
    let Step::Send { call, request, .. } = run.next(NOW_MS, &mut Counting(0)) else { panic!("nothing sent") };
    let headers = [("date".to_owned(), date.to_owned())];
    run.answer(call, NOW_MS, 200, &headers, terms(&request).unwrap().body.as_bytes());
    match run.next(NOW_MS, &mut Counting(0)) {
        Step::Send { request, .. } => u32::from(request.path() == BINANCE),
        Step::Done(outcome) => {
            assert_eq!(refused(&outcome.answer), FaultCode::Refused(Refusal::ProviderClock));
            0
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn m38_a_clock_that_lags_is_not_corrected_to_move_something() {
    let mut run = start("binance", Operation::Act(Box::new(withdrawal("25"))));
    let (mut now_ms, mut moved) = (NOW_MS, 0);
    let answer = loop {
        match run.next(now_ms, &mut Counting(0)) {
            Step::Send { call, request, .. } => {
                let reply = terms(&request).unwrap_or_else(|| match request.path() {
                    BINANCE => {
                        moved += 1;
                        status(400, r#"{"code":-1021,"msg":"Timestamp outside of the recvWindow"}"#)
                    }
                    _ => ok(format!(r#"{{"serverTime":{}}}"#, now_ms + 121_000)),
                });
                run.answer(call, now_ms, reply.status, &[], reply.body.as_bytes());
            }
            Step::Wait { until_ms } => now_ms = until_ms.unwrap(),
            Step::Done(outcome) => break outcome.answer,
        }
    };
    assert_eq!((refused(&answer), moved), (FaultCode::Provider(FaultKind::Clock), 1));
}

#[test]
fn what_the_travel_rule_asks_is_said_in_the_exchanges_own_words() {
    let travel = |destination, beneficiary: Option<&str>, company| Travel {
        destination,
        institution: None,
        beneficiary: beneficiary.map(str::to_owned),
        company,
        country: None,
        purpose: None,
        answers: Vec::new(),
    };
    let sent = |id: &str, travel: Option<Travel>| {
        let mut instruction = withdrawal("25");
        (instruction.fee_included, instruction.travel) = (false, travel);
        let mut body = String::new();
        let moving = if id == "okx" { "/api/v5/asset/withdrawal" } else { "/v2/accounts/A1/transactions" };
        act(id, Operation::Act(Box::new(instruction)), moving, |_, request| {
            Ok(ok(match request.path() {
                "/api/v5/asset/currencies" => {
                    r#"{"code":"0","data":[{"ccy":"USDT","chain":"USDT-ERC20","fee":"3","minWd":"1","canWd":true,"needTag":false}]}"#
                }
                "/v2/accounts" => {
                    r#"{"data":[{"id":"A1","type":"wallet","balance":{"currency":"USDT","amount":"99"}}]}"#
                }
                _ => {
                    body = String::from_utf8(request.body.clone()).unwrap();
                    r#"{"code":"0","data":[{"wdId":"1"}]}"#
                }
            }))
        });
        body
    };
    let has = |body: &str, part: &str| assert!(body.contains(part), "{part}: {body}");
    for id in ["okx", "coinbase"] {
        let silent = sent(id, None);
        assert!(
            silent.contains("USDT") && !silent.contains("rcvrInfo") && !silent.contains("travel"),
            "{silent}"
        );
    }
    let hosted = travel(Destination::Hosted, Some("Anna Maria Muster"), false);
    has(
        &sent("okx", Some(hosted.clone())),
        r#""rcvrInfo":{"walletType":"exchange","exchId":"0","rcvrFirstName":"Anna Maria","rcvrLastName":"Muster"}"#,
    );
    has(&sent("okx", Some(travel(Destination::Own, None, false))), r#""rcvrInfo":{"walletType":"private"}"#);
    let company = travel(Destination::Other, Some("Muster AG"), true);
    has(&sent("okx", Some(company)), r#""rcvrFirstName":"Muster AG","rcvrLastName":"N/A""#);
    has(
        &sent("coinbase", Some(hosted)),
        r#""travel_rule_data":{"beneficiary_wallet_type":"WALLET_TYPE_EXCHANGE","is_self":"IS_SELF_FALSE","beneficiary_name":"Anna Maria Muster"}"#,
    );
    has(
        &sent("coinbase", Some(travel(Destination::Own, None, false))),
        r#""beneficiary_wallet_type":"WALLET_TYPE_SELF_HOSTED","is_self":"IS_SELF_TRUE""#,
    );
}
