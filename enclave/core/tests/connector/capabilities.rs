use super::provider::*;
use enclave::connector::*;

fn states(outcome: Outcome) -> Vec<String> {
    let Answer::Capabilities(findings) = outcome.answer else { panic!("{outcome:?}") };
    findings
        .iter()
        .map(|finding| format!("{} {:?} {:?}", finding.capability, finding.state, finding.source))
        .collect()
}

fn findings(id: &str, body: &str) -> Vec<String> {
    states(finish(&mut start(id, Operation::Capabilities), |_, _| ok(body)).0)
}

#[test]
fn each_provider_says_what_the_key_may_do() {
    let cases = [
        (
            "binance",
            r#"{"ipRestrict":true,"enableReading":true,"enableWithdrawals":false,"enableInternalTransfer":false,
            "permitsUniversalTransfer":false,"enableSpotAndMarginTrading":false,"enableFutures":false,"enableMargin":false}"#,
        ),
        (
            "bybit",
            r#"{"retCode":0,"result":{"readOnly":1,"permissions":{"Spot":["SpotTrade"],"Wallet":["Withdraw"]},"ips":["1.2.3.4"]}}"#,
        ),
        ("okx", r#"{"code":"0","data":[{"perm":"read_only","ip":"1.2.3.4"}]}"#),
        ("kucoin", r#"{"code":"200000","data":{"permission":"General","ipWhitelist":"1.2.3.4"}}"#),
        (
            "kraken",
            r#"{"error":[],"result":{"permissions":["query-funds","query-ledger"],"ip_allowlist":["1.2.3.4"]}}"#,
        ),
    ];
    for (id, body) in cases {
        let found = findings(id, body);
        for expected in
            ["read Yes Stated", "trade No Stated", "withdraw No Stated", "ip_restricted Yes Stated"]
        {
            assert!(found.contains(&expected.to_owned()), "{id}: {found:?}");
        }
    }
}

#[test]
fn a_key_that_can_withdraw_is_found_out() {
    let cases = [
        ("binance", r#"{"enableReading":true,"enableWithdrawals":true}"#),
        (
            "bybit",
            r#"{"retCode":0,"result":{"readOnly":0,"permissions":{"Wallet":["AccountTransfer","Withdraw"]}}}"#,
        ),
        ("okx", r#"{"code":"0","data":[{"perm":"read_only,withdraw,trade","ip":""}]}"#),
        ("kucoin", r#"{"code":"200000","data":{"permission":"General,Spot,Withdrawal"}}"#),
        ("kraken", r#"{"error":[],"result":{"permissions":["query-funds","withdraw-funds"]}}"#),
        ("coinbase", r#"{"can_view":true,"can_trade":false,"can_transfer":true}"#),
    ];
    for (id, body) in cases {
        assert!(findings(id, body).contains(&"withdraw Yes Stated".to_owned()), "{id}");
    }
}

#[test]
fn what_the_provider_does_not_state_is_unknown() {
    let found = findings("coinbase", r#"{"can_view":true,"can_trade":false}"#);
    assert!(found.contains(&"withdraw Unknown Documented".to_owned()), "{found:?}");
    assert!(found.contains(&"ip_restricted Unknown Documented".to_owned()), "{found:?}");
    let found = findings("binance", r#"{"enableReading":true}"#);
    assert!(found.contains(&"withdraw Unknown Documented".to_owned()), "{found:?}");
}

#[test]
fn where_the_provider_does_not_tell_reading_is_inferred_by_a_call_that_changes_nothing() {
    let (outcome, _) =
        finish(&mut start("kraken", Operation::Capabilities), |request, _| match request.path() {
            "/0/private/GetApiKeyInfo" => ok(r#"{"error":["EGeneral:Permission denied"]}"#),
            _ => ok(nothing("kraken")),
        });
    let found = states(outcome);
    assert!(found.contains(&"read Yes Inferred".to_owned()), "{found:?}");
    assert!(found.contains(&"withdraw Unknown Documented".to_owned()), "{found:?}");
}

#[test]
fn a_revoked_key_is_a_credential_fault() {
    let cases = [
        ("kraken", 200, r#"{"error":["EAPI:Invalid key"]}"#),
        ("binance", 401, r#"{"code":-2014,"msg":"API-key format invalid."}"#),
        ("okx", 401, r#"{"code":"50111","msg":"Invalid OK-ACCESS-KEY"}"#),
        ("bybit", 200, r#"{"retCode":10003,"retMsg":"API key is invalid."}"#),
        ("kucoin", 401, r#"{"code":"400003","msg":"KC-API-KEY not exists"}"#),
        ("coinbase", 401, r#"{"errors":[{"id":"invalid_token","message":"The access token is invalid"}]}"#),
    ];
    for (id, code, body) in cases {
        let (outcome, _) = finish(&mut start(id, Operation::Capabilities), |_, _| status(code, body));
        assert!(matches!(outcome.answer, Answer::Nothing), "{id}");
        assert!(outcome.fault().unwrap().code.is_of_credential(), "{id}");
    }
}

#[test]
fn a_finding_names_endpoint_and_answer() {
    let body = r#"{"enableReading":true}"#;
    let (outcome, _) = finish(&mut start("binance", Operation::Capabilities), |_, _| ok(body));
    let Answer::Capabilities(findings) = outcome.answer else { panic!("nothing found") };
    assert_eq!(findings[0].endpoint, "GET /sapi/v1/account/apiRestrictions");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
    assert_eq!(findings[0].response.unwrap().as_slice(), digest.as_ref());
}
