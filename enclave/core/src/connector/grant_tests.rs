#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use super::*;
use crate::connector::{find, load_leaked};

const CLIENT: &[u8] = br#"{"clientId":"id","clientSecret":"s:&/"}"#;

fn sent(grant: &mut Grant) -> Request {
    let Step::Send { request, .. } = grant.step() else { panic!("it has a request") };
    request
}

fn answered(mut grant: Grant, status: u16, body: &str) -> Outcome {
    drop(sent(&mut grant));
    grant.answer(status, body.as_bytes());
    let Step::Done(outcome) = grant.step() else { panic!("it is done") };
    outcome
}

fn exchange() -> Grant {
    Grant::exchange(find("coinbase_oauth").unwrap(), CLIENT, "c+d", "http://127.0.0.1:1/x", "v").unwrap()
}

fn tokens(status: u16, body: &str) -> Option<Tokens> {
    match answered(exchange(), status, body).answer {
        Answer::Granted(Granted::Tokens(tokens)) => Some(tokens),
        _ => None,
    }
}

fn fault(status: u16, body: &str) -> FaultKind {
    let outcome = answered(exchange(), status, body);
    let FaultCode::Provider(kind) = outcome.fault().unwrap().code else { panic!("{outcome:?}") };
    kind
}

#[test]
fn a_code_is_exchanged_by_one_form_with_verifier_and_client() {
    let mut grant = exchange();
    let request = sent(&mut grant);
    assert_eq!((request.host.as_str(), request.target.as_str()), ("login.coinbase.com", "/oauth2/token"));
    assert_eq!(
        str::from_utf8(&request.body).unwrap(),
        "grant_type=authorization_code&code=c%2Bd&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fx&code_verifier=v&\
         client_id=id&client_secret=s%3A%26%2F"
    );
    assert!(matches!(grant.step(), Step::Wait { until_ms: None }), "it is sent once");
}

#[test]
fn a_call_that_failed_is_not_repeated() {
    let mut grant = exchange();
    drop(sent(&mut grant));
    grant.failed(TransportFault::Closed);
    let Step::Done(outcome) = grant.step() else { panic!("it is over") };
    assert_eq!(outcome.fault().unwrap().code, FaultCode::Transport(TransportFault::Closed));
    assert!(matches!(grant.step(), Step::Wait { .. }));
}

#[test]
fn tokens_are_read_strictly() {
    let good = r#"{"access_token":"a.b-c","token_type":"Bearer","expires_in":3600,"refresh_token":"r"}"#;
    let granted = tokens(200, good).unwrap();
    let credential = granted.credential(CLIENT, 1_000).unwrap();
    assert_eq!(
        str::from_utf8(credential.expose()).unwrap(),
        r#"{"clientId":"id","clientSecret":"s:&/","access_token":"a.b-c","expires":"3601000","refresh_token":"r"}"#
    );
    for bad in [
        "",
        "[]",
        r#"{"access_token":"a","expires_in":3600}"#,
        r#"{"access_token":"a","token_type":"mac"}"#,
        r#"{"access_token":"","token_type":"bearer"}"#,
        r#"{"access_token":"a b","token_type":"bearer"}"#,
        r#"{"access_token":"a\n","token_type":"bearer"}"#,
        r#"{"access_token":1,"token_type":"bearer"}"#,
        r#"{"access_token":"a","access_token":"b","token_type":"bearer"}"#,
        r#"{"access_token":"a","token_type":"bearer","refresh_token":"é"}"#,
        &format!(r#"{{"access_token":"{}","token_type":"bearer"}}"#, "a".repeat(MAX_TOKEN + 1)),
    ] {
        assert!(tokens(200, bad).is_none(), "{bad}");
    }
}

/// What spent the old tokens must not be thrown away for a member that nobody needs.
#[test]
fn tokens_whose_lifetime_or_refresh_token_makes_no_sense_are_kept_without_it() {
    for member in [
        r#""expires_in":"soon""#,
        r#""expires_in":-1"#,
        r#""expires_in":99999999999999999999"#,
        r#""expires_in":null"#,
        r#""expires_in":{},"refresh_token":"""#,
        r#""refresh_token":null"#,
    ] {
        let granted = tokens(200, &format!(r#"{{"access_token":"a","token_type":"bearer",{member}}}"#));
        let credential = granted.unwrap().credential(br#"{"refresh_token":"old"}"#, 1_000).unwrap();
        let expected = r#"{"refresh_token":"old","access_token":"a","expires":""}"#;
        assert_eq!(str::from_utf8(credential.expose()).unwrap(), expected, "{member}");
    }
}

#[test]
fn a_refresh_token_that_is_not_replaced_stays() {
    let granted = tokens(200, r#"{"access_token":"new","token_type":"bearer"}"#).unwrap();
    let before = br#"{"clientId":"id","access_token":"old","refresh_token":"kept","expires":"5"}"#;
    let credential = granted.credential(before, 0).unwrap();
    let document = Document::parse(credential.expose()).unwrap();
    let held = |name| text(&document, name).unwrap().0.to_string();
    assert_eq!(
        (held(ACCESS_TOKEN), held(REFRESH_TOKEN), held(EXPIRES)),
        ("new".into(), "kept".into(), String::new())
    );
}

#[test]
fn refusals_keep_whose_fault_it_is() {
    for (status, body, kind) in [
        (400, r#"{"error":"invalid_grant"}"#, FaultKind::Gone),
        (401, r#"{"error":"invalid_client"}"#, FaultKind::Credential),
        (400, r#"{"error":"invalid_scope"}"#, FaultKind::Permission),
        (200, r#"{"error":"invalid_grant"}"#, FaultKind::Gone),
        (503, "<html>", FaultKind::Maintenance),
        (429, "", FaultKind::RateLimit),
        (302, "", FaultKind::Unknown),
        (400, r#"{"error":"something_new"}"#, FaultKind::Unknown),
    ] {
        assert_eq!(fault(status, body), kind, "{status} {body}");
    }
}

#[test]
fn revoking_names_the_refresh_token_or_else_the_access_token() {
    let connector = find("coinbase_oauth").unwrap();
    for (held, expected) in [
        (r#""access_token":"a","refresh_token":"r""#, "token=r&token_type_hint=refresh_token"),
        (r#""access_token":"a""#, "token=a&token_type_hint=access_token"),
    ] {
        let credential = format!(r#"{{"clientId":"id","clientSecret":"s",{held}}}"#);
        let request = sent(&mut Grant::revoke(connector, credential.as_bytes()).unwrap());
        assert_eq!(request.target, "/oauth2/revoke");
        assert!(str::from_utf8(&request.body).unwrap().starts_with(expected));
    }
}

#[test]
fn a_client_proves_itself_as_its_connector_says() {
    let connector = |kind: &str, fields: &str| {
        let file = format!(
            r#"{{"id":"x","name":"X","guide":{{"url":"https://x.example","steps":"s"}},
            "credential":{{{fields}}},"oauth":{{"authorize":"https://x.example/a","token":"t token","push":"t par",
            "client":"{kind}","scopes":["read"]}},"sections":{{"t":{{"host":"x.example","prefix":"/"}}}}}}"#
        );
        load_leaked(file.as_bytes()).unwrap()
    };
    let id = r#""clientId":{"label":"i","kinds":["text"]}"#;
    let both = format!(r#"{id},"clientSecret":{{"label":"s","kinds":["text"],"secret":true}}"#);
    let basic = connector("basic", &both);
    let request = sent(&mut Grant::exchange(basic, CLIENT, "c", "http://127.0.0.1:1/x", "v").unwrap());
    let header = request.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
    // id:s%3A%26%2F
    assert_eq!(header.1, "Basic aWQ6cyUzQSUyNiUyRg==");
    assert!(!str::from_utf8(&request.body).unwrap().contains("client_secret"));
    let public = connector("public", id);
    let request =
        sent(&mut Grant::push(public, br#"{"clientId":"id"}"#, &[("state".into(), "s".into())]).unwrap());
    assert_eq!(
        (request.target.as_str(), str::from_utf8(&request.body).unwrap()),
        ("/par", "state=s&client_id=id")
    );
    assert!(request.headers.iter().all(|(name, _)| name != "Authorization"));
}
