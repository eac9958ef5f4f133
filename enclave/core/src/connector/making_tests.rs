#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use super::super::{Answer, Grant, Granted, Step, find, load};
use super::*;
use crate::entropy::{Entropy, NoEntropy};
use aws_lc_rs::rsa::{OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey, PublicEncryptingKey};

struct Fixed;

impl Entropy for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        out.fill(7);
        Ok(())
    }
}

fn tokens() -> Tokens {
    let client = br#"{"clientId":"id","clientSecret":"s"}"#;
    let mut grant =
        Grant::exchange(find("binance").unwrap(), client, "c", "http://127.0.0.1:1/x", "v").unwrap();
    let Step::Send { .. } = grant.step() else { panic!("it has a request") };
    grant.answer(200, br#"{"access_token":"token","token_type":"bearer"}"#);
    let Step::Done(outcome) = grant.step() else { panic!("it is done") };
    let Answer::Granted(Granted::Tokens(tokens)) = outcome.answer else { panic!("{outcome:?}") };
    tokens
}

fn make(exchange: &str) -> (Grant, Request) {
    let mut signing = Signing { credential: None, now_ms: 0, nonce: 0, entropy: &mut Fixed };
    let mut grant = Grant::make_key(find(exchange).unwrap(), &tokens(), &mut signing).unwrap();
    let Step::Send { request, .. } = grant.step() else { panic!("it has a request") };
    assert!(matches!(grant.step(), Step::Wait { until_ms: None }), "it is sent once");
    (grant, request)
}

/// The credential that comes of an answer.
fn answered(mut grant: Grant, status: u16, body: &str) -> Option<String> {
    grant.answer(status, body.as_bytes());
    let Step::Done(outcome) = grant.step() else { panic!("it is done") };
    match outcome.answer {
        Answer::Granted(Granted::Key(credential)) => {
            Some(String::from_utf8(credential.expose().to_vec()).unwrap())
        }
        _ => None,
    }
}

fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap()
}

/// The public key as the provider reads it.
fn public_key(request: &Request) -> PublicEncryptingKey {
    let body = str::from_utf8(&request.body).unwrap();
    let (_, key) = body.split_once("publicKey=").unwrap();
    let key = key.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    PublicEncryptingKey::from_der(&from_base64(key.as_bytes()).unwrap()).unwrap()
}

fn sealed(key: &PublicEncryptingKey, text: &str) -> String {
    let key = Pkcs1PublicEncryptingKey::new(key.clone()).unwrap();
    let mut out = vec![0; key.ciphertext_size()];
    key.encrypt(text.as_bytes(), &mut out).unwrap();
    to_base64(&out)
}

fn binance(key: &str, secret: &str) -> String {
    format!(
        r#"{{"code":"000000","message":null,"data":{{"apiKey":"{key}","apiName":"t","secretKey":"{secret}"}}}}"#
    )
}

#[test]
fn a_key_that_reads_and_nothing_else_is_asked_for_with_the_owners_token_and_a_public_key() {
    let (_, request) = make("binance");
    assert_eq!(
        (request.host.as_str(), request.target.as_str()),
        ("www.binanceapis.com", "/oauth-api/v1/api-key/create")
    );
    assert_eq!(header(&request, "Authorization"), "Bearer token");
    let body = str::from_utf8(&request.body).unwrap();
    let asked = "apiName=tensfer-07070707&enableTrade=false&enableFutureTrade=false&enableMargin=false&\
                 enableEuropeanOptions=false&status=1&publicKey=MII";
    assert!(body.starts_with(asked), "{body}");
    assert_eq!(public_key(&request).key_size_bits(), 2048);

    let (_, request) = make("kraken");
    assert_eq!((request.host.as_str(), request.target.as_str()), ("api.kraken.com", "/oauth/fast-api-key"));
    assert_eq!(header(&request, "Content-Type"), "application/json");
    assert_eq!(
        str::from_utf8(&request.body).unwrap(),
        r#"{"api_key_name":"tensfer-07070707","nonce_window":10000,"permissions":{"funds_query":true,"ledger_query":true,"trades_query_open":true,"trades_query_closed":true}}"#
    );
}

#[test]
fn what_was_sealed_to_the_key_of_the_call_opens_and_nothing_else_does() {
    let (grant, request) = make("binance");
    let key = public_key(&request);
    let good = binance(&sealed(&key, "key"), &sealed(&key, "secret"));
    assert_eq!(answered(grant, 200, &good).as_deref(), Some(r#"{"apiKey":"key","secret":"secret"}"#));

    let other = public_key(&make("binance").1);
    for (name, body) in [
        ("sealed to another key", binance(&sealed(&other, "key"), &sealed(&other, "secret"))),
        ("one of the two", binance(&sealed(&key, "key"), &sealed(&other, "secret"))),
        ("of another call", good),
        ("in clear", binance("key", "secret")),
        ("too long", binance(&"A".repeat(4096), &"A".repeat(344))),
        ("none", r#"{"code":"000000","data":null}"#.to_owned()),
        ("refused", r#"{"code":"100001","message":"no","data":null,"success":false}"#.to_owned()),
    ] {
        assert_eq!(answered(make("binance").0, 200, &body), None, "{name}");
    }
}

#[test]
fn what_opens_to_no_text_of_a_credential_is_none() {
    for text in ["", "a b", "a\nb", "\u{e9}"] {
        let (grant, request) = make("binance");
        let key = public_key(&request);
        assert_eq!(
            answered(grant, 200, &binance(&sealed(&key, "key"), &sealed(&key, text))),
            None,
            "{text:?}"
        );
    }
}

#[test]
fn a_key_that_comes_in_clear_is_read_where_its_connector_says_so() {
    let body = r#"{"result":{"api_key":"key","secret":"c2VjcmV0","permissions":{}}}"#;
    let expected = r#"{"apiKey":"key","secret":"c2VjcmV0"}"#;
    assert_eq!(answered(make("kraken").0, 200, body).as_deref(), Some(expected));
    for (status, body) in [(401, body), (200, r#"{"result":{"api_key":"key"}}"#), (200, "[]"), (200, "")] {
        assert_eq!(answered(make("kraken").0, status, body), None, "{status} {body}");
    }
}

#[test]
fn every_padding_of_rsa_opens_what_was_sealed_with_it_alone() {
    let paddings = [Padding::Pkcs1, Padding::OaepSha1, Padding::OaepSha256];
    for one in paddings {
        let pair = Pair::make(one).unwrap();
        let key = pair.private.public_key();
        let oaep = |algorithm| {
            let key = OaepPublicEncryptingKey::new(key.clone()).unwrap();
            let mut out = vec![0; key.ciphertext_size()];
            key.encrypt(algorithm, b"text", &mut out, None).unwrap();
            to_base64(&out)
        };
        let texts = [sealed(&key, "text"), oaep(&OAEP_SHA1_MGF1SHA1), oaep(&OAEP_SHA256_MGF1SHA256)];
        for (other, text) in paddings.into_iter().zip(texts) {
            let opened = pair.open(&text).map(|text| text.expose().to_vec());
            assert_eq!(opened.as_deref(), (one == other).then_some(&b"text"[..]), "{one:?} {other:?}");
        }
    }
}

/// A connector file with this table `new_key`, as far as its loader looks.
fn loaded(oauth: &str, create: &str) -> Result<(), String> {
    let file = format!(
        r#"{{"id":"x","name":"X","guide":{{"url":"u","steps":"s"}},
        "credential":{{"apiKey":{{"label":"k","kinds":["text"]}},"secret":{{"label":"s","kinds":["text"],"secret":true}}}},
        "sections":{{"a":{{"host":"a.example.com","prefix":"/"}}}},
        "signing":[{{"sections":["a"],"target":"{{path}}"}}],
        "new_key":{{"guide":{{"url":"u","steps":"s"}},
            "oauth":{{"authorize":"https://a.example.com/x","token":"a token","client":"public","scopes":["s"]{oauth}}},
            "create":{create}}}}}"#
    );
    load(file.as_bytes()).map(drop)
}

#[test]
fn a_table_that_could_not_make_a_whole_key_is_refused() {
    let good = r#"{"call":"POST a make","body":"form","sealed":"rsa-pkcs1","params":{"k":"{param.public_key}"},
        "fields":{"apiKey":"k","secret":"s"}}"#;
    assert_eq!(loaded("", good), Ok(()));
    for (from, to, part) in [
        (r#""sealed":"rsa-pkcs1","#, "", "public key"),
        ("{param.public_key}", "x", "public key"),
        ("rsa-pkcs1", "rsa", "unknown encryption"),
        (r#""secret":"s""#, r#""other":"s""#, "unknown field"),
        (r#","secret":"s""#, "", "no field `secret`"),
        ("POST a make", "GET a make", "one POST"),
        ("POST a make", "POST b make", "unknown section"),
        (r#""body":"form""#, r#""body":"raw""#, "body"),
        (r#""body":"form","#, "", "body"),
    ] {
        let error = loaded("", &good.replace(from, to)).unwrap_err();
        assert!(error.contains(part), "{from} -> {to}: {error}");
    }
    assert!(loaded(r#","extra":{"state":"x"}"#, good).unwrap_err().contains("extra"));
}
