#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::connector::oauth::Endpoint;

const STATE: &str = "c3RhdGUtb2YtdGhpcy1hdXRob3Jpc2F0aW9u";
const ISSUER: &str = "https://accounts.example.com";

fn oauth(issuer: Option<&str>, states_issuer: bool) -> OAuth {
    let endpoint = || Endpoint { section: "accounts".to_owned(), path: "token".to_owned() };
    OAuth {
        authorize: "https://accounts.example.com/auth".to_owned(),
        issuer: issuer.map(str::to_owned),
        states_issuer,
        token: endpoint(),
        revoke: None,
        push: None,
        client: ClientKind::Public,
        rotates: true,
        scopes: vec!["read:accounts".to_owned(), "offline_access".to_owned()],
        separator: " ".to_owned(),
        extra: vec![("prompt".to_owned(), "consent".to_owned())],
    }
}

fn code(oauth: &OAuth, query: &str) -> Result<String, Refusal> {
    Expected { oauth, state: STATE }.code(query).map(|code| code.to_string())
}

#[test]
fn a_request_has_the_challenge_of_rfc_7636_appendix_b_and_nothing_of_the_verifier() {
    let verifier = b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let parameters = parameters(&oauth(None, false), "client", "http://127.0.0.1:5/x", STATE, verifier);
    let url = url(&oauth(None, false), &parameters);
    assert_eq!(
        url,
        format!(
            "https://accounts.example.com/auth?response_type=code&client_id=client&redirect_uri=\
             http%3A%2F%2F127.0.0.1%3A5%2Fx&scope=read%3Aaccounts%20offline_access&state={STATE}&code_challenge=\
             E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&prompt=consent"
        )
    );
}

#[test]
fn a_code_comes_with_the_right_state_and_from_the_right_issuer_or_not_at_all() {
    let (plain, named, always) = (oauth(None, false), oauth(Some(ISSUER), false), oauth(Some(ISSUER), true));
    let escaped = "https%3A%2F%2Faccounts.example.com";
    let answer = format!("code=a%2Bb+c&state={STATE}");
    let stated = format!("{answer}&iss={escaped}");
    for (oauth, query) in
        [(&plain, &answer), (&plain, &stated), (&named, &answer), (&named, &stated), (&always, &stated)]
    {
        assert_eq!(code(oauth, query).unwrap(), "a+b c", "{query}");
    }
    // The provider always says who it is: an answer that does not is another's (RFC 9207 §2.4).
    assert_eq!(code(&always, &answer), Err(Refusal::AnswerRefused));
    for other in ["https%3A%2F%2Fevil.example.com", "https%3A%2F%2Faccounts.example.com%2F", ""] {
        let mixed_up = format!("{answer}&iss={other}");
        assert_eq!(code(&named, &mixed_up), Err(Refusal::AnswerRefused), "{other}");
        assert_eq!(code(&always, &mixed_up), Err(Refusal::AnswerRefused), "{other}");
    }
    for state in ["", "&state=", "&state=other", "&state=c3RhdGUtb2YtdGhpcy1hdXRob3Jpc2F0aW9u0"] {
        assert_eq!(code(&plain, &format!("code=abc{state}")), Err(Refusal::AnswerRefused), "{state}");
    }
}

#[test]
fn what_is_no_answer_is_refused_and_a_denial_is_told_as_one() {
    let plain = oauth(None, false);
    let with = |rest: &str| code(&plain, &format!("state={STATE}{rest}"));
    assert_eq!(with("&error=access_denied&error_description=no"), Err(Refusal::ConsentDenied));
    assert_eq!(with("&error=server_error"), Err(Refusal::AuthorisationFailed));
    assert_eq!(with("&error=access_denied&code=abc"), Err(Refusal::ConsentDenied));
    assert_eq!(
        code(&plain, "error=access_denied"),
        Err(Refusal::AnswerRefused),
        "a denial needs the state too"
    );
    for rest in ["", "&code=a&code=b", "&code=%", "&code=%zz", "&code=%ff"] {
        assert_eq!(with(rest), Err(Refusal::AnswerRefused), "{rest}");
    }
    assert_eq!(with(&format!("&{STATE}=1&state={STATE}&code=a")), Err(Refusal::AnswerRefused));
    assert_eq!(with(&"&x".repeat(MAX_REDIRECT)), Err(Refusal::Malformed));
}

#[test]
fn a_redirect_is_https_or_loopback_with_a_port() {
    for right in ["http://127.0.0.1:8123/tensfer", "http://[::1]:1/x", "https://app.example.com/back"] {
        assert!(is_redirect(right), "{right}");
    }
    for wrong in [
        "",
        "http://127.0.0.1/tensfer",
        "http://127.0.0.1:0/x",
        "http://127.0.0.1:+5/x",
        "http://127.0.0.1:99999/x",
        "http://localhost:8123/x",
        "http://app.example.com/back",
        "http://127.0.0.1:80@evil.example/x",
        "https://user@app.example.com/back",
        "https://app.example.com/back#x",
        "https://app.example.com/back?x=1",
        "myapp://back",
    ] {
        assert!(!is_redirect(wrong), "{wrong}");
    }
    assert!(!is_redirect(&format!("https://app.example.com/{}", "x".repeat(512))));
}

#[test]
fn an_answer_of_thousands_of_names_is_refused_before_they_are_compared() {
    let names = |count: usize| (0..count).map(|n| format!("&n{n}")).collect::<String>();
    let answer = |count| format!("state={STATE}&code=c{}", names(count));
    assert_eq!(code(&oauth(None, false), &answer(MAX_PARAMETERS - 2)).unwrap(), "c");
    assert_eq!(code(&oauth(None, false), &answer(MAX_PARAMETERS - 1)), Err(Refusal::AnswerRefused));
}
