//! From the credential's JSON to a signed request and its end, for every kind of key.

use crate::watch;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use enclave::connector::{Credential, NonceState, Operation, Run, Step, find, from_base64, to_base64};
use enclave::entropy::{Entropy, NoEntropy};

struct Fixed;

impl Entropy for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        out.fill(7);
        Ok(())
    }
}

/// A credential, and what of it must not be found.
struct Case {
    exchange: &'static str,
    json: String,
    secrets: Vec<Vec<u8>>,
}

pub fn no_field_of_a_credential_is_left_behind_by_signing() {
    for Case { exchange, json, secrets } in cases() {
        let secrets: Vec<&[u8]> = secrets.iter().map(Vec::as_slice).collect();
        let connector = find(exchange).unwrap();
        let (found, sent) = watch(&secrets, || {
            let mut sent = 0;
            for operation in [Operation::Balances { sources: None }, Operation::Capabilities] {
                let credential = Credential::from_json(connector, json.as_bytes()).unwrap();
                let mut run =
                    Run::start(connector, operation, Some(credential), 0, NonceState::new()).unwrap();
                while let Step::Send { .. } = run.next(1_760_000_000_000, &mut Fixed) {
                    sent += 1;
                }
            }
            sent
        });
        assert!(sent > 1, "{exchange}");
        assert_eq!(found, 0, "{exchange}: {json}");
    }
    refused_credentials_leave_nothing();
}

fn cases() -> Vec<Case> {
    let text = "a-secret-of-forty-characters-and-no-less";
    let password = "a-passphrase-of-an-owner";
    // It has slashes, so that its JSON can be escaped.
    let decoded: Vec<u8> = [0xff; 3].into_iter().chain(0..61).collect();
    let base64 = to_base64(&decoded);
    let seed: Vec<u8> = (100..132).collect();
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let sec1 = pair.private_key().as_der().unwrap().as_ref().to_vec();
    // The private key follows the header of seven bytes (RFC 5915); what follows it is public.
    let private = &sec1[..39];
    let pem = |line_break: &str| {
        let body: Vec<String> =
            to_base64(&sec1).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into()).collect();
        let body = body.join(line_break);
        format!(
            "-----BEGIN EC PRIVATE KEY-----{line_break}{body}{line_break}-----END EC PRIVATE KEY-----{line_break}"
        )
    };
    let body = &to_base64(&sec1)[..52];
    let case = |exchange, fields: &[(&str, &str)], secrets: &[&[u8]]| Case {
        exchange,
        json: format!(
            "{{{}}}",
            fields.iter().map(|(n, v)| format!(r#""{n}":"{v}""#)).collect::<Vec<_>>().join(",")
        ),
        secrets: secrets.iter().map(|secret| secret.to_vec()).collect(),
    };
    let secret = ("secret", text);
    let mut cases = vec![
        case("binance", &[("apiKey", "k"), secret], &[text.as_bytes()]),
        case("bybit", &[("apiKey", "k"), secret], &[text.as_bytes()]),
        case("kraken", &[("apiKey", "k"), ("secret", &base64)], &[base64.as_bytes(), &decoded]),
        case(
            "kraken",
            &[("apiKey", "k"), ("secret", &base64.replace('/', "\\/"))],
            &[base64.as_bytes(), &decoded],
        ),
        case(
            "coinbase",
            &[("apiKey", "organizations/o/apiKeys/k"), ("secret", &to_base64(&seed))],
            &[to_base64(&seed).as_bytes(), &seed],
        ),
    ];
    for line_break in ["\\n", "\\\\n", "\\r\\n"] {
        let field = pem(line_break);
        let fields = [("apiKey", "organizations/o/apiKeys/k"), ("secret", field.as_str())];
        cases.push(case("coinbase", &fields, &[body.as_bytes(), private, &private[7..]]));
    }
    for exchange in ["okx", "kucoin"] {
        let fields = [("apiKey", "k"), secret, ("password", password)];
        let hidden: &[&[u8]] = &[text.as_bytes(), password.as_bytes()];
        cases.push(case(exchange, &fields, hidden));
    }
    cases
}

/// What is refused was read first.
fn refused_credentials_leave_nothing() {
    let text = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA=";
    let long = text.repeat(300);
    let pem = format!("-----BEGIN PRIVATE KEY-----\\n{text}\\n-----END PRIVATE KEY-----");
    for field in [text, &text.replace('c', "\\u0063"), &long, &pem, &format!("{text} !")] {
        for json in [
            format!(r#"{{"apiKey":"k","secret":"{field}"}}"#),
            format!(r#"{{"secret":"{field}","secret":"{field}"}}"#),
            format!(r#"{{"secret":"{field}","more":"{field}"}}"#),
            format!(r#"{{"secret":"{field}","apiKey":1}}"#),
        ] {
            for exchange in ["kraken", "coinbase", "okx"] {
                let connector = find(exchange).unwrap();
                let decoded = from_base64(&text.as_bytes()[..44]).unwrap();
                let secrets = [text.as_bytes(), &decoded];
                let (found, _) = watch(&secrets, || drop(Credential::from_json(connector, json.as_bytes())));
                assert_eq!(found, 0, "{exchange}: {json}");
            }
        }
    }
}
