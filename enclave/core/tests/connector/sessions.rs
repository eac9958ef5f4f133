//! Sessions: a login yields a token, which serves until it is over or is refused once.

use super::provider::*;
use enclave::connector::*;

const ALL: Operation = Operation::Balances { sources: None };
const BALANCE: &str = r#"{"balances":[{"currency":"USD","total_balance":{"value":"5"},"available_balance":{"value":"4"},
    "withheld_balance":{"value":"1"}}]}"#;

/// A provider that hands out `token-1`, `token-2`, … and takes the last of them alone.
#[derive(Default)]
struct Login {
    logins: u32,
    /// Calls that came with a token, and with which.
    used: Vec<String>,
    lifetime: u32,
}

impl Login {
    fn answer(&mut self, request: &Request) -> Respond {
        let header = |name: &str| request.headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
        if request.path() == "/v1/oauth2/token" {
            assert_eq!(header("Authorization"), "Basic SzE6UzNDUkVULVMzQ1JFVA==");
            assert_eq!(request.body, b"grant_type=client_credentials");
            self.logins += 1;
            return ok(format!(
                r#"{{"access_token":"token-{}","token_type":"Bearer","expires_in":{}}}"#,
                self.logins, self.lifetime
            ));
        }
        let token = header("Authorization");
        self.used.push(token.clone());
        if token == format!("Bearer token-{}", self.logins) {
            return ok(BALANCE);
        }
        status(401, r#"{"error":"invalid_token","error_description":"Token signature verification failed"}"#)
    }
}

fn run(nonce: &NonceState, operation: Operation) -> Run {
    Run::start(find("paypal").unwrap(), operation, Some(credential("paypal")), 0, nonce.clone()).unwrap()
}

#[test]
fn a_login_serves_every_run_of_its_credential_until_it_is_over() {
    let (nonce, mut login) = (NonceState::new(), Login { lifetime: 60, ..Login::default() });
    for _ in 0..3 {
        let (outcome, _) = finish(&mut run(&nonce, ALL), |request, _| login.answer(request));
        assert_eq!(balances(outcome).len(), 1);
    }
    assert_eq!((login.logins, login.used.len()), (1, 3));
    let mut late = run(&nonce, ALL);
    let Step::Send { request, .. } = late.next(NOW_MS + 55_000, &mut Counting(0)) else { panic!() };
    assert_eq!(request.path(), "/v1/oauth2/token");
}

#[test]
fn a_session_that_the_provider_ended_is_followed_by_one_login_and_no_second() {
    let (nonce, mut login) = (NonceState::new(), Login { lifetime: 3600, ..Login::default() });
    finish(&mut run(&nonce, ALL), |request, _| login.answer(request));
    login.logins += 1;
    let (outcome, _) = finish(&mut run(&nonce, ALL), |request, _| login.answer(request));
    assert_eq!(balances(outcome).len(), 1);
    assert_eq!(login.used, ["Bearer token-1", "Bearer token-1", "Bearer token-3"]);
    // One that it never takes is told after the second refusal.
    let mut logins = 0;
    let (outcome, _) = finish(&mut run(&NonceState::new(), ALL), |request, _| {
        if request.path() == "/v1/oauth2/token" {
            logins += 1;
            return ok(r#"{"access_token":"no","expires_in":3600}"#);
        }
        status(401, r#"{"error":"invalid_token"}"#)
    });
    assert_eq!(logins, 2);
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Provider(FaultKind::Credential));
}

#[test]
fn a_login_that_is_refused_is_the_runs_fault_and_names_no_source_of_its_own() {
    let (outcome, _) = finish(&mut run(&NonceState::new(), ALL), |_, _| {
        status(401, r#"{"error":"invalid_client","error_description":"Client Authentication failed"}"#)
    });
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Provider(FaultKind::Credential));
    let names: Vec<&str> = outcome.coverage.iter().map(|source| source.source.as_str()).collect();
    assert_eq!(names, ["balances"]);
    // An answer without a token is none.
    let (outcome, _) = finish(&mut run(&NonceState::new(), ALL), |_, _| ok(r#"{"expires_in":3600}"#));
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Malformed);
}

#[test]
fn a_token_without_a_login_and_a_login_without_a_user_are_refused_when_loaded() {
    let file = |session: &str, header: &str| {
        let file = format!(
            r#"{{"id":"x","name":"X","guide":{{"url":"https://x.example","steps":"s"}},
            "credential":{{"key":{{"label":"k","kinds":["text"]}}}},{session}
            "sections":{{"login":{{"host":"x.example","prefix":"/"}},"api":{{"host":"x.example","prefix":"/"}}}},
            "signing":[{{"sections":["login"],"target":"{{path}}","headers":{{"A":"{{key}}"}}}},
            {{"sections":["api"],"target":"{{path}}","headers":{{"A":"{header}"}}}}]}}"#
        );
        load(file.as_bytes()).map(drop)
    };
    let session = |section: &str, fields: &str| {
        format!(r#""session":{{"call":"POST {section} token","lifetime":60,"fields":{{{fields}}}}},"#)
    };
    let good = session("login", r#""token":"t""#);
    file(&good, "{session}").unwrap();
    file(
        &session("login", r#"},"cookies":{"token":"c"},"headers":{"account":"X-Account""#),
        "{session}{session.account}",
    )
    .unwrap();
    for (session, header, reason) in [
        (String::new(), "{session}", "without a table"),
        (good, "{key}", "no rule uses"),
        (session("api", r#""token":"t""#), "{session}", "needs what it yields"),
        (session("login", r#""expires":"e""#), "{session}", "yields no `token`"),
        (session("login", r#""secret":"t""#), "{session}", "yields no `token`"),
        (session("login", r#""token":"t""#), "{session}{session.account}", "yields no `account`"),
        (session("login", r#""token":"t""#), "{session.expires_in}", "yields no `expires_in`"),
        (session("login", r#""token":"t","A":"t""#), "{session}", "no name"),
        (session("login", r#""token":"t"},"cookies":{"token":"c""#), "{session}", "comes twice"),
        (session("login", r#""token":"t"},"page":{"param":"p","next":"n""#), "{session}", "no pages"),
    ] {
        let refused = file(&session, header).unwrap_err();
        assert!(refused.contains(reason), "{refused}");
    }
}

/// A provider whose login sets a cookie and names the account in a header, and that takes both together alone.
#[derive(Default)]
struct CookieLogin {
    logins: u32,
    calls: u32,
    /// What is wrong with its answer to a login, as a header that takes another's place.
    wrong: Option<(&'static str, &'static str)>,
    /// Further attributes of the cookie.
    attributes: &'static str,
}

impl CookieLogin {
    fn answer(&mut self, request: &Request) -> Respond {
        let header = |name: &str| request.headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
        if request.path() == "/auth/api_key/login" {
            assert_eq!(request.body, br#"{"api_key":"S3CRET-S3CRET"}"#);
            self.logins += 1;
            let cookie = format!("gravity=cookie-{}; Path=/{}", self.logins, self.attributes);
            let mut headers = vec![
                ("set-cookie".to_owned(), "rm=true; Path=/".to_owned()),
                ("set-cookie".to_owned(), cookie),
                ("x-grvt-account-id".to_owned(), format!("account-{}", self.logins)),
            ];
            if let Some((name, text)) = self.wrong {
                headers.retain(|(known, text)| known != name || text.starts_with("rm="));
                headers.push((name.to_owned(), text.to_owned()));
            }
            return Respond { status: 200, headers, body: "{}".to_owned() };
        }
        self.calls += 1;
        let own = format!("gravity=cookie-{}", self.logins);
        if header("Cookie") == own && header("X-Grvt-Account-Id") == format!("account-{}", self.logins) {
            return ok(
                r#"{"result":{"settle_currency":"USDT","available_balance":"4","total_equity":"5","spot_balances":[]}}"#,
            );
        }
        status(401, r#"{"code":1000,"message":"You need to authenticate prior to using this functionality"}"#)
    }
}

fn run_at(nonce: &NonceState, id: &str) -> Run {
    Run::start(find(id).unwrap(), ALL, Some(credential(id)), 0, nonce.clone()).unwrap()
}

#[test]
fn a_login_yields_values_in_a_cookie_and_a_header_and_every_call_carries_them_together() {
    let (nonce, mut login) = (NonceState::new(), CookieLogin::default());
    for _ in 0..2 {
        let (outcome, _) = finish(&mut run_at(&nonce, "grvt"), |request, _| login.answer(request));
        assert_eq!(balances(outcome).len(), 1);
    }
    assert_eq!((login.logins, login.calls), (1, 4));
}

#[test]
fn a_login_that_leaves_out_one_of_its_values_is_none() {
    for wrong in [
        ("set-cookie", "gravity=; Path=/"),
        ("set-cookie", "other=cookie-1"),
        ("set-cookie", "gravity=two words"),
        ("x-grvt-account-id", ""),
        ("x-grvt-account-id", "two words"),
    ] {
        let mut login = CookieLogin { wrong: Some(wrong), ..CookieLogin::default() };
        let (outcome, _) =
            finish(&mut run_at(&NonceState::new(), "grvt"), |request, _| login.answer(request));
        assert_eq!(outcome.fault().unwrap().code, FaultCode::Malformed, "{wrong:?}");
        assert_eq!(login.calls, 0, "{wrong:?}");
    }
}

#[test]
fn a_cookie_is_used_no_longer_than_it_says() {
    let path_at = |attributes: &'static str, later_ms: u64| {
        let (nonce, mut login) = (NonceState::new(), CookieLogin { attributes, ..CookieLogin::default() });
        finish(&mut run_at(&nonce, "grvt"), |request, _| login.answer(request));
        let mut late = run_at(&nonce, "grvt");
        let Step::Send { request, .. } = late.next(NOW_MS + later_ms, &mut Counting(0)) else { panic!() };
        request.path().to_owned()
    };
    assert_eq!(path_at("; Max-Age=60", 40_000), "/full/v1/account_summary");
    assert_eq!(path_at("; Max-Age=60", 55_000), "/auth/api_key/login");
    // NOW_MS is 9 October 2025, 8:53:20.
    assert_eq!(path_at("; Expires=Thu, 09 Oct 2025 08:54:20 GMT", 55_000), "/auth/api_key/login");
    assert_eq!(path_at("", 55_000), "/full/v1/account_summary");
}

#[test]
fn calls_that_are_refused_together_are_followed_by_one_login() {
    let (nonce, mut login) = (NonceState::new(), CookieLogin::default());
    finish(&mut run_at(&nonce, "grvt"), |request, _| login.answer(request));
    // The provider ended the session: both calls of the next run are under way before either is refused.
    login.logins += 1;
    let mut run = run_at(&nonce, "grvt");
    let mut calls = Vec::new();
    let mut now_ms = NOW_MS;
    while calls.len() < 2 {
        let Step::Send { call, request, .. } = run.next(now_ms, &mut Counting(0)) else {
            panic!("two calls")
        };
        calls.push((call, request));
    }
    let answers: Vec<_> = calls.iter().map(|(call, request)| (*call, login.answer(request))).collect();
    let (first, second) = (&answers[0], &answers[1]);
    let tell = |run: &mut Run, (call, reply): &(CallId, Respond), now_ms| {
        run.answer(*call, now_ms, reply.status, &reply.headers, reply.body.as_bytes());
    };
    tell(&mut run, first, now_ms);
    // The login is answered before the second refusal is heard.
    let Step::Send { call, request, .. } = run.next(now_ms, &mut Counting(0)) else { panic!("a login") };
    let entered = (call, login.answer(&request));
    tell(&mut run, &entered, now_ms);
    tell(&mut run, second, now_ms);
    now_ms += 10;
    let (outcome, _) = finish(&mut run, |request, _| login.answer(request));
    assert_eq!(balances(outcome).len(), 1, "at {now_ms}");
    assert_eq!(login.logins, 3, "the one at first, the one that the provider ended it by, and one more");
}

#[test]
fn a_login_signed_by_the_key_yields_the_token_of_signed_calls() {
    let mut paths = Vec::new();
    let (outcome, _) = finish(&mut run_at(&NonceState::new(), "bullish"), |request, _| {
        let header = |name: &str| {
            request.headers.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone())
        };
        paths.push(request.path().to_owned());
        assert!(header("BX-SIGNATURE").is_some_and(|signature| signature.len() == 64));
        match request.path() {
            "/trading-api/v1/users/hmac/login" => {
                assert_eq!((header("BX-PUBLIC-KEY").as_deref(), header("Authorization")), (Some("K1"), None));
                ok(r#"{"authorizer":"03E02367","token":"a.jwt.token"}"#)
            }
            path => {
                assert_eq!(header("Authorization").as_deref(), Some("Bearer a.jwt.token"));
                match path {
                    "/trading-api/v1/accounts/trading-accounts" => ok(r#"[{"tradingAccountId":"1"}]"#),
                    _ => ok(
                        r#"[{"assetSymbol":"BTC","availableQuantity":"1","lockedQuantity":"0","loanedQuantity":"0","borrowedQuantity":"0"}]"#,
                    ),
                }
            }
        }
    });
    assert_eq!(balances(outcome).len(), 1);
    assert_eq!(paths.len(), 3, "{paths:?}");
}
