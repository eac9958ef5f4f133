//! Linking: what must work, and what must not.

use crate::person::Person;
use crate::provider::SECRET;
use stack::http;

/// Longer than any of these tests: nothing is refreshed.
const HOUR: u32 = 3600;

#[test]
fn an_account_is_linked_by_signing_in_and_read_with_tokens_that_only_the_enclave_has() {
    let person = Person::start(HOUR);
    let linked = person.link();
    assert_eq!(linked["exchange"], "coinbase_oauth");
    let state = |name: &str| {
        let found = linked["capabilities"].as_array().unwrap().iter().find(|one| one["name"] == name);
        found.unwrap()["state"].clone()
    };
    assert_eq!((state("read"), state("withdraw")), ("yes".into(), "no".into()));
    let portfolio = person.json(&["balances", "--json"]);
    let assets = portfolio["connections"][0]["accounts"][0]["assets"].as_array().unwrap().clone();
    let totals: Vec<_> = assets
        .iter()
        .map(|asset| (asset["symbol"].as_str().unwrap(), asset["total"].as_str().unwrap()))
        .collect();
    assert_eq!(totals, [("BTC", "0.5"), ("ETH", "12.25")]);
    assert_eq!(person.provider.grants("authorization_code"), [200]);
    assert!(
        person.provider.calls().iter().any(|call| call["verifier"] == true),
        "the code came with its verifier"
    );
    let inspected = person.done(&["inspect", "coinbase_oauth", "--json"]);
    assert!(inspected.contains("access_token") && !inspected.contains(SECRET), "{inspected}");
}

#[test]
fn the_address_asks_for_a_code_with_pkce_and_the_least_scopes_and_holds_no_secret() {
    let person = Person::start(HOUR);
    let (process, url) = person.begin();
    let (_, query) = url.split_once('?').unwrap();
    let value = |name: &str| {
        let pair = query.split('&').find(|pair| pair.starts_with(&format!("{name}=")));
        pair.and_then(|pair| pair.split_once('=')).unwrap().1.to_owned()
    };
    assert_eq!(value("response_type"), "code");
    assert_eq!(value("code_challenge_method"), "S256");
    assert_eq!((value("code_challenge").len(), value("state").len()), (43, 43));
    assert_eq!(value("scope"), "wallet%3Aaccounts%3Aread%2Coffline_access");
    assert!(value("redirect_uri").starts_with("http%3A%2F%2F127.0.0.1%3A"));
    assert!(!url.contains(SECRET) && !url.contains("verifier"));
    drop(process);
}

#[test]
fn a_request_whose_challenge_was_taken_away_is_refused_by_the_provider_and_links_nothing() {
    let person = Person::start(HOUR);
    let (process, url) = person.begin();
    let (page, query) = url.split_once('?').unwrap();
    let without: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("code_challenge")).collect();
    let back = person.consent(&format!("{page}?{}", without.join("&")));
    assert!(back.contains("error=invalid_request"), "{back}");
    assert_eq!(http::get(&back).status, 200);
    let ended = person.wait(process);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("authorisation_failed"), "{}", ended.stderr);
    assert!(person.provider.grants("authorization_code").is_empty());
}

#[test]
fn an_answer_with_another_state_is_not_taken() {
    let person = Person::start(HOUR);
    let (process, url) = person.begin();
    let back = person.consent(&url);
    let (page, query) = back.split_once('?').unwrap();
    let forged: Vec<String> = query
        .split('&')
        .map(|pair| if pair.starts_with("state=") { "state=forged".to_owned() } else { pair.to_owned() })
        .collect();
    assert_eq!(http::get(&format!("{page}?{}", forged.join("&"))).status, 404);
    assert!(person.provider.grants("authorization_code").is_empty());
    assert_eq!(http::get(&back).status, 200);
    assert_eq!(person.wait(process).code, Some(0), "the right answer is still taken");
}

#[test]
fn a_code_that_was_used_is_refused_and_links_nothing() {
    let person = Person::start(HOUR);
    let (first, url) = person.begin();
    let back = person.consent(&url);
    let code = |back: &str| back.split(['?', '&']).find(|pair| pair.starts_with("code=")).unwrap().to_owned();
    let spent = code(&back);
    assert_eq!(http::get(&back).status, 200);
    assert_eq!(person.wait(first).code, Some(0));
    // Somebody puts the code of one authorisation into the answer of another: the verifier is not the one it needs.
    let (second, url) = person.begin();
    let back = person.consent(&url);
    assert_eq!(http::get(&back.replace(&code(&back), &spent)).status, 200);
    let ended = person.wait(second);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("authorisation_failed") && ended.stderr.contains("hint: "),
        "{}",
        ended.stderr
    );
    assert_eq!(person.provider.grants("authorization_code"), [200, 400]);
    assert_eq!(person.json(&["connections", "--json"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_person_who_says_no_at_the_provider_links_nothing() {
    let person = Person::start(HOUR);
    person.provider.deny();
    let (process, url) = person.begin();
    assert_eq!(http::get(&person.consent(&url)).status, 200);
    let ended = person.wait(process);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("consent_denied"), "{}", ended.stderr);
    assert!(person.provider.grants("authorization_code").is_empty());
    assert_eq!(person.json(&["connections", "--json"]).as_array().unwrap().len(), 0);
}

#[test]
fn m18_no_code_and_no_token_is_in_what_the_client_says_or_keeps() {
    let person = Person::start(HOUR);
    let (process, url) = person.begin();
    let back = person.consent(&url);
    let code = back.split(['?', '&']).find_map(|pair| pair.strip_prefix("code=")).unwrap().to_owned();
    let page = http::get(&back);
    assert!(!page.text().contains(&code));
    let ended = person.wait(process);
    assert!(!ended.stderr.contains(&code) && !ended.stdout.contains(&code));
    let mut folders = vec![person.folder.join("home"), person.folder.join("data")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => {
                    let held = std::fs::read(entry.path()).unwrap_or_default();
                    let has =
                        |needle: &str| held.windows(needle.len()).any(|bytes| bytes == needle.as_bytes());
                    assert!(!has(&code) && !has(SECRET), "{}", entry.path().display());
                }
            }
        }
    }
}

#[test]
fn forgetting_ends_the_authorisation_at_the_provider() {
    let person = Person::start(31);
    person.link();
    person.done(&["forget", "coinbase_oauth"]);
    assert_eq!(person.json(&["connections", "--json"]).as_array().unwrap().len(), 0);
    // What the provider then says to the tokens is for `refresh.rs` to show, with an envelope that was kept.
}
