use super::provider::*;
use enclave::connector::*;

const ALL: Operation = Operation::Balances { sources: None };

#[test]
fn independent_calls_are_in_flight_together() {
    let mut run = start("okx", ALL);
    let mut sent = 0;
    while let Step::Send { authenticated, .. } = run.next(NOW_MS, &mut Counting(0)) {
        assert!(authenticated);
        sent += 1;
    }
    assert_eq!(sent, 4);
    assert!(matches!(run.next(NOW_MS, &mut Counting(0)), Step::Wait { until_ms: None }));
}

fn nonce_of(request: &Request) -> u64 {
    let body = String::from_utf8(request.body.clone()).unwrap();
    body.split('&').find_map(|pair| pair.strip_prefix("nonce=")).unwrap().parse().unwrap()
}

#[test]
fn m34_calls_of_one_kraken_key_are_sent_one_by_one_with_growing_nonces() {
    let (connector, nonce) = (find("kraken").unwrap(), NonceState::new());
    let run =
        |operation| Run::start(connector, operation, Some(credential("kraken")), 0, nonce.clone()).unwrap();
    let (mut first, mut second) = (run(ALL), run(Operation::Capabilities));
    let Step::Send { call, request, .. } = first.next(NOW_MS, &mut Counting(0)) else {
        panic!("nothing sent")
    };
    let Step::Wait { until_ms: Some(_) } = second.next(NOW_MS, &mut Counting(0)) else {
        panic!("sent beside the first")
    };
    first.answer(call, NOW_MS, 200, &[], nothing("kraken").as_bytes());
    // The clock stands still.
    let Step::Send { request: next, .. } = second.next(NOW_MS, &mut Counting(0)) else {
        panic!("nothing sent")
    };
    assert!(nonce_of(&next) > nonce_of(&request));
}

#[test]
fn m34_a_dropped_run_gives_its_turn_back() {
    let (connector, nonce) = (find("kraken").unwrap(), NonceState::new());
    let run = || Run::start(connector, ALL, Some(credential("kraken")), 0, nonce.clone()).unwrap();
    let mut first = run();
    assert!(matches!(first.next(NOW_MS, &mut Counting(0)), Step::Send { .. }));
    drop(first);
    assert!(matches!(run().next(NOW_MS, &mut Counting(0)), Step::Send { .. }));
}

#[test]
fn a_wrong_clock_is_measured_once_corrected_and_handed_back() {
    let provider_ahead_ms = 90_000;
    let mut refused = 0;
    let (outcome, _) = finish(&mut start("binance", ALL), |request, now_ms| {
        if request.path() == "/api/v3/time" {
            return ok(format!(r#"{{"serverTime":{}}}"#, now_ms + 5 + provider_ahead_ms));
        }
        let query = format!("{}&{}", request.target, String::from_utf8_lossy(&request.body));
        let (_, rest) = query.split_once("timestamp=").unwrap();
        let time: u64 = rest.split('&').next().unwrap().parse().unwrap();
        if time.abs_diff(now_ms + provider_ahead_ms) > 1000 {
            refused += 1;
            return status(
                400,
                r#"{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}"#,
            );
        }
        ok(if request.path() == "/api/v3/account" {
            r#"{"balances":[{"asset":"BTC","free":"1","locked":"0"}]}"#
        } else {
            "{}"
        })
    });
    assert_eq!(outcome.skew_ms, Some(90_000));
    assert_eq!(*source(&outcome, "spot"), Status::Ok);
    assert!(refused >= 1);
    assert_eq!(balances(outcome).len(), 1);
}

/// Coinbase answers a wrong clock and a wrong key alike. Its clock is `ahead_ms` off, and so far from ours at most may
/// a request's be; `good` is the key. Gives the outcome and how often the clock was asked.
fn coinbase(ahead_ms: i64, good: bool) -> (Outcome, u32) {
    let mut asked = 0;
    let (outcome, _) = finish(&mut start("coinbase", ALL), |request, now_ms| {
        let its_s = now_ms.saturating_add_signed(ahead_ms) / 1000;
        if request.path() == "/v2/time" {
            asked += 1;
            return ok(format!(r#"{{"data":{{"epoch":{its_s}}}}}"#));
        }
        let stamp = request.headers.iter().find(|(name, _)| name == "CB-ACCESS-TIMESTAMP").unwrap();
        let timely = stamp.1.parse::<u64>().unwrap().abs_diff(its_s) <= 30;
        if good && timely { ok(nothing("coinbase")) } else { status(401, "Unauthorized\n") }
    });
    (outcome, asked)
}

#[test]
fn m19_a_wrong_clock_is_corrected_where_the_exchange_blames_the_key() {
    for ahead_ms in [-590_000, -90_000, 90_000, 590_000] {
        let (outcome, _) = coinbase(ahead_ms, true);
        assert!(outcome.fault().is_none(), "{ahead_ms}: {:?}", outcome.coverage);
        assert!(outcome.skew_ms.unwrap().abs_diff(ahead_ms) < 2_000, "{:?}", outcome.skew_ms);
    }
}

#[test]
fn m19_a_wrong_key_stays_a_wrong_key_where_the_clock_is_right_or_was_corrected() {
    for (ahead_ms, calls_each) in [(1_000, 1), (90_000, 2)] {
        let (outcome, asked) = coinbase(ahead_ms, false);
        assert_eq!(outcome.fault().unwrap().code, FaultCode::Provider(FaultKind::Credential), "{ahead_ms}");
        let sources = u32::try_from(
            outcome.coverage.iter().filter(|source| matches!(source.status, Status::Failed(_))).count(),
        );
        assert!(
            outcome.calls - asked <= sources.unwrap() * calls_each,
            "{ahead_ms}: {} calls",
            outcome.calls
        );
    }
}

#[test]
fn a_providers_clock_more_than_ten_minutes_off_is_not_followed_and_never_blamed_on_the_key() {
    for ahead_ms in [-7_200_000, -602_000, 602_000, 7_200_000] {
        for good in [true, false] {
            let (outcome, asked) = coinbase(ahead_ms, good);
            let code = outcome.fault().unwrap().code;
            assert_eq!(code, FaultCode::Provider(FaultKind::Clock), "{ahead_ms} {good}");
            assert_eq!((outcome.skew_ms, asked), (None, 1), "{ahead_ms} {good}");
        }
    }
}

/// Kraken, whose clock is at `its_ms`, refuses each nonce below its clock. Gives the nonces it saw, and the outcome.
fn kraken_at(its_ms: u64, skew_ms: i64, nonce: &NonceState) -> (Vec<u64>, Outcome) {
    let credential = Some(credential("kraken"));
    let mut run = Run::start(find("kraken").unwrap(), ALL, credential, skew_ms, nonce.clone()).unwrap();
    let mut seen = Vec::new();
    let (outcome, _) = finish(&mut run, |request, _| {
        if request.path() == "/0/public/Time" {
            return ok(format!(r#"{{"error":[],"result":{{"unixtime":{}}}}}"#, its_ms / 1000));
        }
        seen.push(nonce_of(request));
        let early = nonce_of(request) + 1_000 < its_ms;
        ok(if early { r#"{"error":["EAPI:Invalid nonce"]}"# } else { nothing("kraken") })
    });
    (seen, outcome)
}

#[test]
fn m34_no_clock_of_a_provider_makes_a_nonce_jump_past_ten_minutes() {
    const BOUND_MS: u64 = 600_000;
    let nonce = NonceState::new();
    let years_ahead = [601_000, 86_400_000, 1 << 45, u64::MAX / 2 - NOW_MS, u64::MAX - NOW_MS];
    for ahead_ms in years_ahead {
        for known_ms in [0, i64::try_from(ahead_ms).unwrap_or(i64::MAX)] {
            let (seen, outcome) = kraken_at(NOW_MS + ahead_ms, known_ms, &nonce);
            assert_eq!(outcome.fault().unwrap().code, FaultCode::Provider(FaultKind::Clock), "{ahead_ms}");
            assert_eq!(outcome.skew_ms, None, "a skew that is not followed is not handed on either");
            assert!(!seen.is_empty() && seen.iter().all(|nonce| *nonce < NOW_MS + BOUND_MS), "{seen:?}");
        }
    }
    let (seen, outcome) = kraken_at(NOW_MS + BOUND_MS - 1_000, 0, &nonce);
    assert!(outcome.fault().is_none(), "{:?}", outcome.coverage);
    assert!(seen.iter().all(|nonce| *nonce < NOW_MS + BOUND_MS + 1_000), "{seen:?}");
}

#[test]
fn a_clock_that_stays_wrong_is_an_error_and_no_loop() {
    let mut run = start("binance", Operation::Balances { sources: Some(vec!["spot".to_owned()]) });
    let (outcome, _) = finish(&mut run, |request, now_ms| match request.path() {
        "/api/v3/time" => ok(format!(r#"{{"serverTime":{now_ms}}}"#)),
        _ => status(400, r#"{"code":-1021,"msg":"Timestamp"}"#),
    });
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Provider(FaultKind::Clock));
    assert_eq!(outcome.calls, 3);
}

#[test]
fn a_rate_limit_is_waited_for_and_then_reported() {
    let mut run = start("okx", Operation::Balances { sources: Some(vec!["trading".to_owned()]) });
    let (outcome, took_ms) =
        finish(&mut run, |_, _| status(429, r#"{"code":"50011","msg":"Too Many Requests"}"#));
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Provider(FaultKind::RateLimit));
    assert_eq!(outcome.fault().unwrap().provider_code.as_deref(), Some("50011"));
    assert_eq!(outcome.calls, 3);
    assert!((3000..5000).contains(&took_ms), "{took_ms}");
    let mut calls = 0;
    let mut run = start("okx", Operation::Balances { sources: Some(vec!["trading".to_owned()]) });
    let (outcome, took_ms) = finish(&mut run, |_, _| {
        calls += 1;
        let headers = vec![("Retry-After".to_owned(), "2".to_owned())];
        if calls == 1 { Respond { status: 429, headers, body: "{}".to_owned() } } else { ok(nothing("okx")) }
    });
    assert!(outcome.is_complete());
    assert!((2000..2100).contains(&took_ms), "{took_ms}");
}

#[test]
fn a_lost_connection_is_tried_again_and_a_broken_certificate_is_not() {
    let operation = || Operation::Balances { sources: Some(vec!["trading".to_owned()]) };
    for (fault, tries) in [(TransportFault::Timeout, 3), (TransportFault::Tls, 1)] {
        let mut run = start("okx", operation());
        let (mut now_ms, mut sent) = (NOW_MS, 0);
        let outcome = loop {
            match run.next(now_ms, &mut Counting(0)) {
                Step::Send { call, .. } => {
                    sent += 1;
                    run.failed(call, now_ms, fault);
                }
                Step::Wait { until_ms } => now_ms = until_ms.unwrap(),
                Step::Done(outcome) => break outcome,
            }
        };
        assert_eq!(sent, tries);
        assert_eq!(outcome.fault().unwrap().code, FaultCode::Transport(fault));
    }
}

#[test]
fn an_answer_that_is_no_json_or_no_answer_of_this_run_is_harmless() {
    let mut run = start("okx", Operation::Balances { sources: Some(vec!["trading".to_owned()]) });
    run.answer(CallId(0), NOW_MS, 200, &[], b"{}");
    let (outcome, _) = finish(&mut run, |_, _| ok("<html>captive portal</html>"));
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Malformed);
    run.answer(CallId(0), NOW_MS, 200, &[], b"{}");
}

#[test]
fn a_redirect_is_an_answer_and_never_followed() {
    let mut run = start("okx", Operation::Balances { sources: Some(vec!["trading".to_owned()]) });
    let (outcome, _) = finish(&mut run, |request, _| {
        assert_eq!(request.host, "www.okx.com");
        Respond {
            status: 302,
            headers: vec![("Location".to_owned(), "https://evil.example/".to_owned())],
            body: "{}".to_owned(),
        }
    });
    assert_eq!(outcome.calls, 1);
    assert!(matches!(outcome.answer, Answer::Nothing));
}

#[test]
fn a_run_needs_the_credential_of_its_own_exchange() {
    let start =
        |credential| Run::start(find("okx").unwrap(), ALL, credential, 0, NonceState::new()).map(|_| ());
    assert_eq!(start(None).unwrap_err().code, FaultCode::Caller(CallerFault::NoCredential));
    assert_eq!(
        start(Some(credential("kraken"))).unwrap_err().code,
        FaultCode::Caller(CallerFault::NoCredential)
    );
}

#[test]
fn public_operations_carry_no_credential() {
    for connector in all() {
        for operation in [Operation::Time, Operation::Prices] {
            let missing = match operation {
                Operation::Time => connector.time.is_none(),
                _ => connector.prices.is_none(),
            };
            let run = Run::start(connector, operation, None, 0, NonceState::new());
            let Ok(mut run) = run else {
                assert!(missing, "{}", connector.id);
                continue;
            };
            while let Step::Send { request, authenticated, .. } = run.next(NOW_MS, &mut Counting(0)) {
                assert!(!authenticated, "{request:?}");
            }
        }
    }
}

#[test]
fn the_provider_clock_is_read_from_every_exchange() {
    let answers = [
        ("kraken", r#"{"error":[],"result":{"unixtime":1760000000}}"#),
        ("binance", r#"{"serverTime":1760000000000}"#),
        ("coinbase", r#"{"data":{"iso":"2025-10-09T08:53:20Z","epoch":1760000000}}"#),
        ("okx", r#"{"code":"0","data":[{"ts":"1760000000000"}]}"#),
        ("bybit", r#"{"retCode":0,"result":{"timeSecond":"1760000000","timeNano":"1760000000000000000"}}"#),
        ("kucoin", r#"{"code":"200000","data":1760000000000}"#),
    ];
    for (id, body) in answers {
        let mut run = Run::start(find(id).unwrap(), Operation::Time, None, 0, NonceState::new()).unwrap();
        let (outcome, _) = finish(&mut run, |_, _| ok(body));
        assert!(matches!(outcome.answer, Answer::Time(1_760_000_000_000)), "{id}: {outcome:?}");
    }
}

#[test]
fn a_clock_that_is_itself_refused_for_its_clock_ends() {
    let mut run = start("binance", Operation::Balances { sources: Some(vec!["spot".to_owned()]) });
    let (outcome, _) = finish(&mut run, |_, _| status(400, r#"{"code":-1021,"msg":"Timestamp"}"#));
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Provider(FaultKind::Clock));
}
