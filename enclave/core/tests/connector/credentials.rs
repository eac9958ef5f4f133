use super::provider::*;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use enclave::connector::*;

fn read(id: &str, json: &str) -> Result<Credential, CredentialError> {
    Credential::from_json(find(id).unwrap(), json.as_bytes())
}

fn field(name: &str) -> String {
    name.to_owned()
}

#[test]
fn fields_that_are_missing_or_unknown_are_named() {
    assert_eq!(
        read("okx", r#"{"apiKey":"k","secret":"s"}"#).unwrap_err(),
        CredentialError::Missing { field: field("password") }
    );
    let unknown = r#"{"apiKey":"k","secret":"s","password":"p","otp":"1"}"#;
    assert_eq!(read("okx", unknown).unwrap_err(), CredentialError::Unknown { field: field("otp") });
    assert_eq!(
        read("kraken", r#"{"apiKey":"k","apiKey":"k"}"#).unwrap_err(),
        CredentialError::Duplicate { field: field("apiKey") }
    );
    for text in ["", " ", "a\\nb", " k", "k\\u0000"] {
        let json = format!(r#"{{"apiKey":"{text}","secret":"c2VjcmV0"}}"#);
        assert_eq!(
            read("kraken", &json).unwrap_err(),
            CredentialError::Text { field: field("apiKey") },
            "{text:?}"
        );
    }
    assert_eq!(read("kraken", "[]").unwrap_err(), CredentialError::Missing { field: field("apiKey") });
    assert_eq!(read("kraken", r#"{"apiKey":1}"#).unwrap_err(), CredentialError::Malformed);
    let long = format!(r#"{{"apiKey":"{}","secret":"c2VjcmV0"}}"#, "k".repeat(9000));
    assert_eq!(read("kraken", &long).unwrap_err(), CredentialError::Text { field: field("apiKey") });
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\\n{}\\n-----END {label}-----\\n", to_base64(der))
}

fn coinbase(secret: &str) -> Result<Credential, CredentialError> {
    read("coinbase", &format!(r#"{{"apiKey":"organizations/o/apiKeys/k","secret":"{secret}"}}"#))
}

#[test]
fn m37_both_kinds_of_coinbase_key_are_read_in_every_form_they_come_in() {
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let sec1 = ec.private_key().as_der().unwrap();
    coinbase(&pem("EC PRIVATE KEY", sec1.as_ref())).unwrap();
    coinbase(&pem("PRIVATE KEY", ec.to_pkcs8v1().unwrap().as_ref())).unwrap();
    let ed = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    coinbase(&pem("PRIVATE KEY", ed.to_pkcs8v1().unwrap().as_ref())).unwrap();
    use aws_lc_rs::signature::KeyPair as _;
    let both: Vec<u8> = [9u8; 32].iter().chain(ed.public_key().as_ref()).copied().collect();
    coinbase(&to_base64(&both)).unwrap();
    coinbase(&to_base64(&[9; 32])).unwrap();
}

#[test]
fn m37_the_algorithm_of_a_token_follows_from_the_key() {
    let algorithm = |secret: &str| {
        let connector = find("coinbase").unwrap();
        let mut run = Run::start(
            connector,
            Operation::Capabilities,
            Some(coinbase(secret).unwrap()),
            0,
            NonceState::new(),
        )
        .unwrap();
        let Step::Send { request, .. } = run.next(NOW_MS, &mut Counting(0)) else { panic!("nothing sent") };
        let (_, bearer) = request.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
        let mut parts = bearer.strip_prefix("Bearer ").unwrap().split('.');
        let header = from_base64(parts.next().unwrap().as_bytes()).unwrap();
        assert_eq!(from_base64(parts.nth(1).unwrap().as_bytes()).unwrap().len(), 64);
        let header = String::from_utf8(header).unwrap();
        header.split("\"alg\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    assert_eq!(algorithm(&pem("PRIVATE KEY", ec.to_pkcs8v1().unwrap().as_ref())), "ES256");
    assert_eq!(algorithm(&to_base64(&[9; 32])), "EdDSA");
}

#[test]
fn m37_an_unknown_key_format_is_an_error_and_never_an_empty_signature() {
    let p384 = EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let wrong = [
        pem("PRIVATE KEY", p384.to_pkcs8v1().unwrap().as_ref()),
        pem("PRIVATE KEY", b"not a key"),
        pem("PUBLIC KEY", b"not a key"),
        pem("ENCRYPTED PRIVATE KEY", b"not a key"),
        "-----BEGIN PRIVATE KEY-----".to_owned(),
        "-----BEGIN OPENSSH PRIVATE KEY-----\\nAAAA\\n-----END OPENSSH PRIVATE KEY-----".to_owned(),
    ];
    for secret in wrong {
        assert_eq!(
            coinbase(&secret).unwrap_err(),
            CredentialError::KeyFormat { field: field("secret") },
            "{secret}"
        );
    }
    // An RSA key is not one of Coinbase's, and P-256 not one of Binance's.
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let json =
        format!(r#"{{"apiKey":"k","secret":"{}"}}"#, pem("PRIVATE KEY", ec.to_pkcs8v1().unwrap().as_ref()));
    assert_eq!(read("binance", &json).unwrap_err(), CredentialError::KeyFormat { field: field("secret") });
    assert_eq!(
        read("kraken", r#"{"apiKey":"k","secret":"not base64!"}"#).unwrap_err(),
        CredentialError::KeyFormat { field: field("secret") }
    );
}

#[test]
fn an_ed25519_seed_with_a_foreign_public_key_is_not_taken_for_a_key() {
    let mut both = [9u8; 64];
    both[63] = 1;
    // What remains is a shared secret of a legacy key, which signs with HMAC and never with Ed25519.
    let credential = coinbase(&to_base64(&both)).unwrap();
    let mut run = Run::start(
        find("coinbase").unwrap(),
        Operation::Capabilities,
        Some(credential),
        0,
        NonceState::new(),
    )
    .unwrap();
    let Step::Send { request, .. } = run.next(NOW_MS, &mut Counting(0)) else { panic!("nothing sent") };
    assert!(request.headers.iter().any(|(name, _)| name == "CB-ACCESS-SIGN"));
}

#[test]
fn nothing_secret_is_printed() {
    let credential = credential("okx");
    let mut run =
        Run::start(find("okx").unwrap(), Operation::Capabilities, Some(credential), 0, NonceState::new())
            .unwrap();
    let step = run.next(NOW_MS, &mut Counting(0));
    let Step::Send { request, .. } = &step else { panic!("nothing sent") };
    assert_eq!(format!("{request:?}"), "GET www.okx.com/api/v5/account/config (0 bytes)");
    let printed =
        format!("{step:?} {run:?} {:?} {:?}", super::provider::credential("okx"), read("okx", "{}"));
    for secret in ["S3CRET", "P4SSPHRASE", "K1"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    let error = read("kraken", r#"{"apiKey":"k","secret":"S3CRET!"}"#).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("S3CRET"));
}
