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
    for (session, header, reason) in [
        (String::new(), "{session}", "without a table"),
        (good, "{key}", "no rule uses"),
        (session("api", r#""token":"t""#), "{session}", "needs its token"),
        (session("login", r#""expires":"e""#), "{session}", "field `token`"),
        (session("login", r#""secret":"t""#), "{session}", "unknown field"),
    ] {
        let refused = file(&session, header).unwrap_err();
        assert!(refused.contains(reason), "{refused}");
    }
}
