//! Instructions against a provider in process: what is sent, how often, and what is said about it (m38).

use super::provider::*;
use enclave::connector::*;
use wire::action::{Inquiry, Instruction, Kind, Reference, Side, Status as Became};
use wire::{Decimal, Refusal, UnixMillis};

pub const REFERENCE: Reference = Reference([0xA5; 16]);
pub const ETHEREUM: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

pub fn withdrawal(amount: &str) -> Instruction {
    let mut instruction =
        Instruction::new(Kind::Withdraw, REFERENCE, "USDT", amount.parse::<Decimal>().unwrap());
    instruction.chain = Some("eip155:1".into());
    instruction.address = Some(ETHEREUM.into());
    instruction.fee_included = true;
    instruction
}

/// What Binance and Bybit say of USDT's networks: a fee of 3, at least 10, six digits.
pub fn terms(request: &Request) -> Option<Respond> {
    match request.path() {
        "/sapi/v1/capital/config/getall" => Some(ok(r#"[
            {"coin":"BTC","networkList":[{"network":"BTC","withdrawFee":"0.0001","withdrawMin":"0.001","withdrawEnable":true}]},
            {"coin":"USDT","networkList":[
              {"network":"TRX","withdrawFee":"1","withdrawMin":"2","withdrawMax":"9","withdrawIntegerMultiple":"0.000001","withdrawEnable":false,"sameAddress":false},
              {"network":"ETH","withdrawFee":"3","withdrawMin":"10","withdrawMax":"10000","withdrawIntegerMultiple":"0.000001","withdrawEnable":true,"sameAddress":false}]}]"#)),
        "/v5/asset/coin/query-info" => Some(ok(r#"{"retCode":0,"result":{"rows":[{"coin":"USDT","chains":[
            {"chain":"ETH","withdrawFee":"3","withdrawMin":"10","minAccuracy":"6","chainWithdraw":"1"}]}]}}"#)),
        _ => None,
    }
}

/// Runs an instruction; gives what became of it and how often something was to be moved.
pub fn act(
    id: &str,
    operation: Operation,
    moving: &str,
    provider: impl FnMut(u32, &Request) -> Result<Respond, TransportFault>,
) -> (Answer, u32) {
    drive(start(id, operation), moving, provider)
}

pub fn drive(
    mut run: Run,
    moving: &str,
    mut provider: impl FnMut(u32, &Request) -> Result<Respond, TransportFault>,
) -> (Answer, u32) {
    let (mut now_ms, mut moved) = (NOW_MS, 0);
    for _ in 0..100 {
        match run.next(now_ms, &mut Counting(0)) {
            Step::Send { call, request, .. } => {
                now_ms += 10;
                if request.path() == moving && request.method == Method::Post {
                    moved += 1;
                }
                let answer = terms(&request).map_or_else(|| provider(moved, &request), Ok);
                match answer {
                    Ok(reply) => {
                        run.answer(call, now_ms, reply.status, &reply.headers, reply.body.as_bytes())
                    }
                    Err(fault) => run.failed(call, now_ms, fault),
                }
            }
            Step::Wait { until_ms } => now_ms = until_ms.expect("nothing is in flight").max(now_ms + 1),
            Step::Done(outcome) => return (outcome.answer, moved),
        }
    }
    panic!("the run does not end");
}

pub const BINANCE: &str = "/sapi/v1/capital/withdraw/apply";
pub const BYBIT: &str = "/v5/asset/withdraw/create";

pub fn withdraw(
    id: &str,
    instruction: &Instruction,
    provider: impl FnMut(u32, &Request) -> Result<Respond, TransportFault>,
) -> (Answer, u32) {
    let moving = if id == "binance" { BINANCE } else { BYBIT };
    act(id, Operation::Act(Box::new(instruction.clone())), moving, provider)
}

pub fn became(answer: &Answer) -> (Became, Option<&str>) {
    match answer {
        Answer::Outcome(outcome) => {
            assert_eq!(outcome.reference, REFERENCE);
            (outcome.status, outcome.fault.as_deref())
        }
        other => panic!("{other:?}"),
    }
}

pub fn refused(answer: &Answer) -> FaultCode {
    match answer {
        Answer::Refused(fault) => fault.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_withdrawal_is_sent_once_with_its_reference_and_the_exchanges_own_names() {
    let mut sent = String::new();
    let (answer, moved) = withdraw("binance", &withdrawal("25"), |_, request| {
        sent = String::from_utf8(request.body.clone()).unwrap();
        Ok(ok(r#"{"id":"W1"}"#))
    });
    assert_eq!((became(&answer), moved), ((Became::Pending, None), 1));
    let pairs: Vec<&str> = sent.split('&').collect();
    for pair in ["coin=USDT", "network=ETH", "amount=25", &format!("withdrawOrderId={}", REFERENCE.hex())] {
        assert!(pairs.contains(&pair), "{sent}");
    }
    assert!(sent.contains(ETHEREUM));
}

#[test]
fn m38_a_request_that_may_have_arrived_is_never_sent_again() {
    let lost: [fn() -> Result<Respond, TransportFault>; 8] = [
        || Err(TransportFault::Timeout),
        || Err(TransportFault::Closed),
        || Err(TransportFault::Malformed),
        || Err(TransportFault::Tls),
        || Ok(status(502, "<html>Bad Gateway</html>")),
        || Ok(status(503, r#"{"code":-1003,"msg":"too many requests"}"#)),
        || Ok(status(400, r#"{"code":-1007,"msg":"execution status unknown"}"#)),
        || Ok(ok("not JSON at all")),
    ];
    for (case, answer) in lost.into_iter().enumerate() {
        let (answer, moved) = withdraw("binance", &withdrawal("25"), |_, _| answer());
        assert_eq!((became(&answer).0, moved), (Became::Unknown, 1), "case {case}");
    }
}

#[test]
fn m38_a_refusal_that_says_so_moves_nothing_and_is_a_refusal() {
    let (answer, moved) = withdraw("binance", &withdrawal("25"), |_, _| {
        Ok(status(400, r#"{"code":-4026,"msg":"The user has insufficient balance available"}"#))
    });
    assert_eq!((refused(&answer), moved), (FaultCode::Provider(FaultKind::Funds), 1));
}

#[test]
fn m38_where_the_exchange_takes_a_reference_once_the_same_one_is_sent_again() {
    let mut sent: Vec<String> = Vec::new();
    let body = |request: &Request| {
        let text = String::from_utf8(request.body.clone()).unwrap();
        let (_, rest) = text.split_once("requestId").unwrap();
        rest[..35].to_owned()
    };
    let (answer, moved) = withdraw("bybit", &withdrawal("25"), |moved, request| {
        sent.push(body(request));
        if moved == 1 { Err(TransportFault::Timeout) } else { Ok(ok(r#"{"retCode":0,"result":{"id":"9"}}"#)) }
    });
    assert_eq!((became(&answer), moved), ((Became::Pending, None), 2));
    assert_eq!(sent[0], sent[1]);
    assert!(sent[0].contains(&REFERENCE.hex()));
}

#[test]
fn m38_a_refusal_after_a_lost_answer_is_no_refusal() {
    let (answer, moved) = withdraw("bybit", &withdrawal("25"), |moved, _| match moved {
        1 => Err(TransportFault::Closed),
        // The first one took the money.
        _ => Ok(ok(r#"{"retCode":131001,"retMsg":"insufficient balance"}"#)),
    });
    assert_eq!((became(&answer), moved), ((Became::Unknown, Some("funds")), 2));
}

#[test]
fn what_never_left_is_sent_again_and_is_no_doubt() {
    let mut run = start("binance", Operation::Act(Box::new(withdrawal("25"))));
    let (mut now_ms, mut moved) = (NOW_MS, 0);
    let answer = loop {
        match run.next(now_ms, &mut Counting(0)) {
            Step::Send { call, request, .. } => match terms(&request) {
                Some(reply) => run.answer(call, now_ms, reply.status, &[], reply.body.as_bytes()),
                None => {
                    moved += 1;
                    run.unsent(call, now_ms, TransportFault::Refused);
                }
            },
            Step::Wait { until_ms } => now_ms = until_ms.unwrap(),
            Step::Done(outcome) => break outcome.answer,
        }
    };
    assert_eq!((refused(&answer), moved), (FaultCode::Transport(TransportFault::Refused), 3));
}

#[test]
fn what_the_terms_forbid_is_refused_before_anything_moves() {
    type Change = fn(&mut Instruction);
    let cases: [(&str, Change, Refusal); 10] = [
        ("9.99", |_| {}, Refusal::BelowMinimum),
        ("10001", |_| {}, Refusal::AboveMaximum),
        ("25.0000001", |_| {}, Refusal::NotAMultiple),
        ("25", |order| order.max_fee = Some("2.99".into()), Refusal::FeeAboveMaximum),
        ("25", |order| order.min_received = Some("22.5".into()), Refusal::TooLittleReceived),
        ("25", |order| order.chain = Some("tron:0x2b6653dc".into()), Refusal::NetworkClosed),
        ("25", |order| order.chain = Some("eip155:42".into()), Refusal::UnknownNetwork),
        ("25", |order| order.chain = Some("eip155:56".into()), Refusal::UnknownNetwork),
        ("25", |order| order.asset = "NOPE".into(), Refusal::UnknownAsset),
        ("25", |order| order.address = Some(ETHEREUM.replace("EE7", "eE7")), Refusal::AddressMalformed),
    ];
    for (amount, change, wanted) in cases {
        let mut instruction = withdrawal(amount);
        change(&mut instruction);
        let operation = Operation::Act(Box::new(instruction));
        let run = Run::start(
            find("binance").unwrap(),
            operation.clone(),
            Some(credential("binance")),
            0,
            NonceState::new(),
        );
        let (code, moved) = match run {
            Err(fault) => (fault.code, 0),
            Ok(_) => {
                let (answer, moved) = act("binance", operation, BINANCE, |_, _| Ok(ok("{}")));
                (refused(&answer), moved)
            }
        };
        assert_eq!((code, moved), (FaultCode::Refused(wanted), 0));
    }
}

#[test]
fn an_amount_that_is_to_arrive_is_sent_with_the_fee_where_the_exchange_takes_it_out() {
    let mut sent = String::new();
    let mut instruction = withdrawal("25");
    instruction.fee_included = false;
    let (_, moved) = withdraw("binance", &instruction, |_, request| {
        sent = String::from_utf8(request.body.clone()).unwrap();
        Ok(ok(r#"{"id":"W1"}"#))
    });
    assert!(moved == 1 && sent.contains("amount=28"), "{sent}");
    let preview = Operation::Preview(Box::new(instruction));
    let (answer, moved) = act("binance", preview, BINANCE, |_, _| Ok(ok("{}")));
    let Answer::Terms(terms) = answer else { panic!("{answer:?}") };
    assert_eq!(moved, 0);
    let shown = [&terms.fee, &terms.debited, &terms.received, &terms.minimum, &terms.step];
    assert_eq!(shown.map(|text| text.as_deref().unwrap()), ["3", "28", "25", "10", "0.000001"]);
    assert_eq!((terms.network.as_deref(), terms.repeat_refused), (Some("ETH"), false));
}

#[test]
fn an_amount_that_the_owner_leaves_to_the_exchange_is_sent_as_it_is_where_the_fee_is_taken_out() {
    let mut sent = String::new();
    let mut instruction = withdrawal("25");
    (instruction.fee_included, instruction.fee_either) = (false, true);
    let (_, moved) = withdraw("binance", &instruction, |_, request| {
        sent = String::from_utf8(request.body.clone()).unwrap();
        Ok(ok(r#"{"id":"W1"}"#))
    });
    assert!(moved == 1 && sent.contains("amount=25"), "{sent}");
    let (answer, _) = act("binance", Operation::Preview(Box::new(instruction)), BINANCE, |_, _| Ok(ok("{}")));
    let Answer::Terms(terms) = answer else { panic!("{answer:?}") };
    let shown = [&terms.debited, &terms.received].map(|text| text.as_deref().unwrap());
    assert_eq!(
        (shown, terms.unstated.len()),
        (["25", "22"], 0),
        "this exchange says where it takes the fee from"
    );
}

#[test]
fn a_tag_that_the_exchange_wants_is_not_left_out() {
    let needed = r#"[{"coin":"USDT","networkList":[{"network":"ETH","withdrawFee":"3","sameAddress":true,"withdrawEnable":true}]}]"#;
    let mut run = start("binance", Operation::Act(Box::new(withdrawal("25"))));
    let Step::Send { call, .. } = run.next(NOW_MS, &mut Counting(0)) else { panic!("nothing sent") };
    run.answer(call, NOW_MS, 200, &[], needed.as_bytes());
    let Step::Done(outcome) = run.next(NOW_MS, &mut Counting(0)) else { panic!("goes on") };
    assert_eq!(refused(&outcome.answer), FaultCode::Refused(Refusal::TagNeeded));
}

pub fn inquiry(sent_ms: u64) -> Operation {
    let instruction = withdrawal("25");
    Operation::Status(Box::new(Inquiry { instruction, id: None, sent: UnixMillis(sent_ms) }))
}

#[test]
fn what_became_of_it_is_looked_up_by_reference_and_absent_only_when_it_would_be_there() {
    let row = format!(
        r#"[{{"id":"W1","withdrawOrderId":"{}","coin":"USDT","amount":"22","transactionFee":"3","txId":"0xab","status":6}}]"#,
        REFERENCE.hex()
    );
    let asked = |sent_ms, body: &str| act("binance", inquiry(sent_ms), BINANCE, |_, _| Ok(ok(body))).0;
    let long_ago = NOW_MS - 480_000;
    let Answer::Outcome(done) = asked(long_ago, &row) else { panic!("not found") };
    assert_eq!(
        (done.status, done.txid.as_deref(), done.fee.as_deref()),
        (Became::Done, Some("0xab"), Some("3"))
    );
    assert_eq!(became(&asked(long_ago, "[]")), (Became::Absent, None));
    // It may not have been booked yet.
    for ago in [1_000, 479_000] {
        assert_eq!(became(&asked(NOW_MS - ago, "[]")), (Became::Unknown, Some("not_found")), "{ago}");
    }
    // An exchange that does not understand the question answers with others.
    let other = row.replace(&REFERENCE.hex(), "other");
    assert_eq!(became(&asked(long_ago, &other)), (Became::Unknown, Some("not_found")));
}

#[test]
fn without_an_id_it_is_the_one_row_that_agrees_in_asset_amount_address_and_time() {
    let row = |id: &str, amount: &str, at_s: u64| {
        format!(
            r#"{{"refid":"{id}","asset":"USDT","amount":"{amount}","fee":"3","info":"{ETHEREUM}","time":{at_s},"status":"Success"}}"#
        )
    };
    let ask = |rows: &[String]| {
        let body = format!(r#"{{"error":[],"result":[{}]}}"#, rows.join(","));
        act("kraken", inquiry(NOW_MS), "/0/private/Withdraw", |_, _| Ok(ok(body.clone()))).0
    };
    let at = NOW_MS / 1000;
    let Answer::Outcome(found) = ask(&[row("R1", "22", at + 5), row("R2", "8", at)]) else {
        panic!("not found")
    };
    assert_eq!((found.status, found.id.as_deref()), (Became::Done, Some("R1")));
    // Two that could be it, one of another day, none.
    let unknown = (Became::Unknown, Some("not_found"));
    assert_eq!(became(&ask(&[row("R1", "22", at), row("R3", "25", at + 9)])), unknown);
    assert_eq!(became(&ask(&[row("R1", "22", at - 86_400)])), unknown);
    assert_eq!(became(&ask(&[])), unknown);
}

#[test]
fn kraken_withdraws_only_to_an_address_of_the_book_on_the_chain_that_was_meant() {
    let mut sent = String::new();
    let mut ask = |chain: &str, address: &str| {
        let mut instruction = withdrawal("25");
        instruction.chain = Some(chain.into());
        instruction.address = Some(address.into());
        sent.clear();
        let operation = Operation::Act(Box::new(instruction));
        let (answer, moved) = act("kraken", operation, "/0/private/Withdraw", |_, request| {
            Ok(ok(match request.path() {
                "/0/private/WithdrawAddresses" => format!(
                    r#"{{"error":[],"result":[{{"asset":"USDT","key":"tron","method":"T2","address":"T1"}},
                       {{"asset":"USDT","key":"mine","method":"T1","address":"{ETHEREUM}","verified":true}}]}}"#
                ),
                "/0/private/WithdrawMethods" => r#"{"error":[],"result":[
                    {"asset":"USDT","method":"T1","network":"Ethereum","minimum":"10"},
                    {"asset":"USDT","method":"T2","network":"Tron","minimum":"5"}]}"#
                    .to_owned(),
                "/0/private/WithdrawInfo" => {
                    r#"{"error":[],"result":{"method":"T1","limit":"100","amount":"22","fee":"3"}}"#
                        .to_owned()
                }
                _ => {
                    sent = String::from_utf8(request.body.clone()).unwrap();
                    r#"{"error":[],"result":{"refid":"R1"}}"#.to_owned()
                }
            }))
        });
        (answer, moved, sent.clone())
    };
    let (answer, moved, body) = ask("eip155:1", ETHEREUM);
    assert_eq!((became(&answer), moved), ((Became::Pending, None), 1));
    assert!(body.contains("key=mine") && body.contains("amount=25"), "{body}");
    let (answer, moved, _) = ask("eip155:1", "0x0000000000000000000000000000000000000001");
    assert_eq!((refused(&answer), moved), (FaultCode::Refused(Refusal::DestinationRefused), 0));
    // The same address, saved for another chain.
    let (answer, moved, _) = ask("eip155:10", ETHEREUM);
    assert_eq!((refused(&answer), moved), (FaultCode::Refused(Refusal::UnknownNetwork), 0));
}

#[test]
fn an_order_goes_to_the_market_of_its_two_assets_within_its_bounds() {
    let mut order = Instruction::new(Kind::Order, REFERENCE, "BTC", Decimal::from(100));
    order.to_asset = Some("USDT".into());
    order.side = Some(Side::Buy);
    order.counts_quote = true;
    let provider = |_: u32, request: &Request| {
        Ok(ok(match request.path() {
            "/api/v3/exchangeInfo" => {
                r#"{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","filters":[
                {"filterType":"PRICE_FILTER","minPrice":"0.01"},
                {"filterType":"LOT_SIZE","minQty":"0.00001","maxQty":"9000","stepSize":"0.00001"},
                {"filterType":"NOTIONAL","minNotional":"5"}]}]}"#
            }
            "/api/v3/ticker/bookTicker" => r#"{"symbol":"BTCUSDT","bidPrice":"49990","askPrice":"50000"}"#,
            _ => {
                r#"{"orderId":7,"clientOrderId":"x","status":"FILLED","executedQty":"0.002","cummulativeQuoteQty":"99.9"}"#
            }
        }))
    };
    let run = |order: &Instruction| {
        act("binance", Operation::Act(Box::new(order.clone())), "/api/v3/order", provider)
    };
    let (answer, moved) = run(&order);
    let Answer::Outcome(outcome) = answer else { panic!("{answer:?}") };
    assert_eq!((outcome.status, outcome.received.as_deref(), moved), (Became::Done, Some("0.002"), 1));
    assert_eq!((outcome.received_asset.as_deref(), outcome.amount.as_deref()), (Some("BTC"), Some("99.9")));
    for (change, wanted) in [
        (
            Box::new(|order: &mut Instruction| order.amount = "4".into()) as Box<dyn Fn(&mut Instruction)>,
            Refusal::BelowMinimum,
        ),
        (
            Box::new(|order: &mut Instruction| order.min_received = Some("0.0021".into())),
            Refusal::TooLittleReceived,
        ),
        (Box::new(|order: &mut Instruction| order.to_asset = Some("EUR".into())), Refusal::UnknownMarket),
        (Box::new(|order: &mut Instruction| order.max_fee = Some("1".into())), Refusal::TermsUnstated),
    ] {
        let mut changed = order.clone();
        change(&mut changed);
        let (answer, moved) = run(&changed);
        assert_eq!((refused(&answer), moved), (FaultCode::Refused(wanted), 0));
    }
}

#[test]
fn a_conversion_takes_a_quote_that_gives_enough() {
    let mut conversion = Instruction::new(Kind::Convert, REFERENCE, "USDC", Decimal::from(5));
    conversion.to_asset = Some("USDT".into());
    let provider = |_: u32, request: &Request| {
        Ok(ok(match request.path() {
            "/sapi/v1/convert/getQuote" => format!(
                r#"{{"quoteId":"Q1","ratio":"0.9993","validTimestamp":{},"toAmount":"4.9967","fromAmount":"5"}}"#,
                NOW_MS + 10_000
            ),
            _ => {
                let body = String::from_utf8(request.body.clone()).unwrap();
                assert!(body.contains("quoteId=Q1"), "{body}");
                r#"{"orderId":"9","orderStatus":"PROCESS"}"#.to_owned()
            }
        }))
    };
    let run = |conversion: &Instruction| {
        act("binance", Operation::Act(Box::new(conversion.clone())), "/sapi/v1/convert/acceptQuote", provider)
    };
    assert_eq!(became(&run(&conversion).0), (Became::Pending, None));
    conversion.min_received = Some("4.9968".into());
    let (answer, moved) = run(&conversion);
    assert_eq!((refused(&answer), moved), (FaultCode::Refused(Refusal::TooLittleReceived), 0));
}

#[test]
fn a_transfer_knows_the_exchanges_accounts_and_no_others() {
    let transfer = |from: Option<&str>, to: &str| {
        let mut instruction = Instruction::new(Kind::Transfer, REFERENCE, "USDT", Decimal::ONE);
        instruction.from = from.map(str::to_owned);
        instruction.to = Some(to.to_owned());
        let operation = Operation::Act(Box::new(instruction));
        Run::start(find("binance").unwrap(), operation, Some(credential("binance")), 0, NonceState::new())
    };
    let body = |mut run: Run| match run.next(NOW_MS, &mut Counting(0)) {
        Step::Send { request, .. } => String::from_utf8(request.body.clone()).unwrap(),
        other => panic!("{other:?}"),
    };
    assert!(body(transfer(None, "funding").unwrap()).contains("type=MAIN_FUNDING"));
    assert!(body(transfer(Some("funding"), "futures").unwrap()).contains("type=FUNDING_UMFUTURE"));
    for run in [transfer(None, "pension"), transfer(Some("pension"), "spot"), transfer(None, "spot")] {
        assert_eq!(run.unwrap_err().code, FaultCode::Refused(Refusal::UnknownAccount));
    }
}
