use super::provider::*;
use enclave::connector::*;

/// Every request that any operation of any connector sends first.
fn requests() -> Vec<(&'static str, Request)> {
    let mut requests = Vec::new();
    for connector in all() {
        let names = connector.balances.iter().map(|source| source.name.clone()).collect();
        let operations = [
            Operation::Balances { sources: Some(names) },
            Operation::Capabilities,
            Operation::Prices,
            Operation::Time,
        ];
        for operation in operations {
            let missing = match operation {
                Operation::Time => connector.time.is_none(),
                Operation::Prices => connector.prices.is_none(),
                _ => false,
            };
            let run = Run::start(connector, operation, Some(credential(&connector.id)), 0, NonceState::new());
            let Ok(mut run) = run else {
                assert!(missing, "{}", connector.id);
                continue;
            };
            loop {
                match run.next(NOW_MS, &mut Counting(0)) {
                    Step::Send { call, request, .. } => {
                        requests.push((connector.id.as_str(), request));
                        run.failed(call, NOW_MS, TransportFault::Tls);
                    }
                    Step::Wait { .. } => panic!("nothing is in flight"),
                    Step::Done(_) => break,
                }
            }
        }
    }
    requests
}

#[test]
fn m36_no_request_carries_a_broker_or_referral_id() {
    let requests = requests();
    assert!(requests.len() > 40, "{}", requests.len());
    for (id, request) in requests {
        // BIT.TEAM named a part of its own interface after a library.
        let own = if id == "bitteam" { "/trade/api/ccxt/" } else { "" };
        let target = request.target.strip_prefix(own).unwrap_or(&request.target);
        let text = format!("{target} {:?} {}", request.headers, String::from_utf8_lossy(&request.body))
            .to_lowercase();
        for mark in [
            "kc-api-partner",
            "kc-broker",
            "refer",
            "x-tkt5px2f",
            "x-xckt",
            "x-cvbprnm9",
            "6b9ad766b55dbcde",
            "ccxt",
            "brokerid",
            "broker-",
            "clordid",
        ] {
            assert!(!text.contains(mark), "{id}: {text}");
        }
    }
}

/// Endpoints that only read and want to be asked by POST; each reviewed. Where several share a path, what the body says.
const READS_BY_POST: &[&str] = &[
    "/v1/oauth2/token",
    "/exchange/v1/private/user-balance",
    "/exchange/v1/private/staking/get-staking-position",
    "/0/private/BalanceEx",
    "/0/private/GetApiKeyInfo",
    "/api/spot/rest-public/get_server_time",
    "/api/spot/rest-public/get_ticker",
    "/api/spot/rest/get_my_account_status_v3",
    "/api/spot/rest/get_my_wallet_balance",
    "/api/balances",
    "/Private/GetAccounts",
    "/api/trade/v1/currentCoinBalance/EVERYTHING",
    "/api/v1/balance",
    "/api/v2/account/balances",
    "/auth/api_key/login",
    "/api/v1/contract_account_info",
    "/api/v2/account_balances/",
    "/api/v2/ro/my/balances",
    "/api/v2/ro/status",
    "/api/v4/collateral-account/balance",
    "/api/v4/collateral-account/balance-summary",
    "/api/v4/main-account/balance",
    "/api/v4/main-account/smart/investments",
    "/api/v4/trade-account/balance",
    "/sapi/v1/asset/get-funding-asset",
    "/v1/balances",
    "/v1/balances/staking",
    "/v1/roles",
    "/v2/auth/r/permissions",
    "/v2/auth/r/wallets",
    "/v2/supplement/user_info_account.do",
    "/swap-api/v1/swap_account_info",
    "/tapi method=getInfo&",
    "/tapi method=get_info2&",
    "/tapi/v3/ tapi_method=get_account_info&",
    "/v2.1/account/balance/all",
    "/private/get_all_portfolios",
    "/public/get_time",
    "/info",
    "/full/v1/account_summary",
    "/full/v1/funding_account_summary",
];

/// Whether the request is one of those.
fn reads_by_post(request: &Request) -> bool {
    let body = String::from_utf8_lossy(&request.body);
    READS_BY_POST.iter().any(|known| match known.split_once(' ') {
        Some((path, start)) => request.path() == path && body.starts_with(start),
        None => request.path() == *known,
    })
}

#[test]
fn requests_go_to_hosts_of_the_connector_and_change_nothing() {
    for (id, request) in requests() {
        let connector = find(id).unwrap();
        assert!(connector.hosts().contains(&request.host.as_str()), "{request:?}");
        assert!(request.is_sendable(), "{request:?}");
        assert!(request.cost > 0);
        assert!(request.method == Method::Get || reads_by_post(&request), "{request:?}");
    }
}

fn read(operation: &str, arguments: &[(&str, &str)]) -> Step {
    let named = arguments.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    let operation = Operation::Read {
        operation: operation.to_owned(),
        arguments: named,
        extra: Params::new(),
        from: Position::Start,
        pages: None,
    };
    let mut run =
        Run::start(find("coinbase").unwrap(), operation, Some(credential("coinbase")), 0, NonceState::new())
            .unwrap();
    run.next(NOW_MS, &mut Counting(0))
}

#[test]
fn an_argument_cannot_leave_its_place_in_a_request() {
    let Step::Send { request, .. } = read("ticker", &[("market", "BTC-USD/../../x?y=1#z\r\nHost: evil")])
    else {
        panic!("not sent")
    };
    assert_eq!(
        request.target,
        "/api/v3/brokerage/market/products/BTC-USD%2F..%2F..%2Fx%3Fy%3D1%23z%0D%0AHost%3A%20evil/ticker?limit=1"
    );
}

#[test]
fn what_cannot_stand_in_a_request_line_is_never_sent() {
    // Bybit takes parameters as they are.
    let arguments = vec![
        ("market".to_owned(), Value::from("BTC USDT\r\nX: y")),
        ("sub_type".to_owned(), Value::from("linear")),
    ];
    let operation = Operation::Read {
        operation: "ticker".to_owned(),
        arguments,
        extra: Params::new(),
        from: Position::Start,
        pages: None,
    };
    let mut run = Run::start(find("bybit").unwrap(), operation, None, 0, NonceState::new()).unwrap();
    let Step::Done(outcome) = run.next(NOW_MS, &mut Counting(0)) else { panic!("sent") };
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Caller(CallerFault::Argument));
}

#[test]
fn a_failing_random_source_ends_the_call() {
    struct Broken;
    impl enclave::entropy::Entropy for Broken {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), enclave::entropy::NoEntropy> {
            Err(enclave::entropy::NoEntropy)
        }
    }
    let json = format!(r#"{{"apiKey":"k","secret":"{}"}}"#, to_base64(&[9; 32]));
    let credential = Credential::from_json(find("coinbase").unwrap(), json.as_bytes()).unwrap();
    let operation = Operation::Balances { sources: None };
    let mut run =
        Run::start(find("coinbase").unwrap(), operation, Some(credential), 0, NonceState::new()).unwrap();
    let Step::Done(outcome) = run.next(NOW_MS, &mut Broken) else { panic!("sent") };
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Internal);
}

/// What a call of a listing would be with these arguments.
fn written(connector: &'static Connector, listing: &Listing, arguments: Params) -> Result<Request, Fault> {
    let credential = credential(&connector.id);
    let mut entropy = Counting(0);
    let mut signing =
        Signing { credential: Some(&credential), now_ms: NOW_MS, nonce: 1, entropy: &mut entropy };
    let params = params(connector, listing, arguments, &mut signing)?;
    build(connector, &listing.call, params, &mut signing)
}

#[test]
fn a_part_of_a_path_without_a_value_is_refused_at_every_endpoint_of_every_connector() {
    let argument = Some(FaultCode::Caller(CallerFault::Argument));
    let mut checked = 0;
    for connector in all() {
        for (place, listing) in listings(connector) {
            if !listing.call.path.contains('{') {
                continue;
            }
            let names = listing.arguments();
            for text in [None, Some(""), Some(".."), Some(".")] {
                let named = |name: &String| Some((name.clone(), Value::from(text?)));
                let arguments = names.iter().filter_map(named).collect();
                match written(connector, listing, arguments) {
                    Err(fault) => {
                        assert_eq!(Some(fault.code), argument, "{} {place} {text:?}", connector.id);
                        checked += 1;
                    }
                    // The file says all of it.
                    Ok(request) => {
                        let bare =
                            request.path().split('/').skip(1).all(|part| !["", ".", ".."].contains(&part));
                        let ends = listing.call.path.ends_with('/') && !request.path().contains("//");
                        assert!(bare || ends, "{} {place}: {request:?}", connector.id);
                    }
                }
            }
        }
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn a_market_that_no_dictionary_knows_is_not_asked_for_by_half_a_path() {
    let arguments = vec![("market".to_owned(), Value::from("NOBODY"))];
    let (extra, from) = (Params::new(), Position::Start);
    let operation = "my_trades".to_owned();
    let read = Operation::Read { operation, arguments, extra, from, pages: None };
    let mut asked = Vec::new();
    let (outcome, _) = finish(&mut start("latoken", read), |request, _| {
        asked.push(request.target.clone());
        ok("[]")
    });
    assert_eq!(asked, ["/v2/pair"]);
    assert_eq!(outcome.fault().map(|fault| fault.code), Some(FaultCode::Caller(CallerFault::Argument)));
}
