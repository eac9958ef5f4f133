//! The test cases of RFC 9421, appendix B.

use super::*;
use crate::signatures::base::signature_base;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct File {
    keys: BTreeMap<String, Key>,
    requests: Vec<Case>,
    altered: Vec<Case>,
    response: Response,
}

#[derive(Deserialize)]
struct Key {
    public: Option<String>,
    pkcs8: Option<String>,
    secret: Option<String>,
}

#[derive(Deserialize)]
struct Case {
    section: String,
    algorithm: String,
    request: Written,
    input: String,
    base: Option<String>,
    signature: Option<String>,
    refused: Option<String>,
}

#[derive(Deserialize)]
struct Response {
    algorithm: String,
    base: String,
    signature: String,
}

impl File {
    fn verifies(&self, name: &str, base: &str, signature: &str) -> bool {
        let (key, signature) = (&self.keys[name], BASE64_STANDARD.decode(signature).unwrap());
        match algorithm(name) {
            Some(algorithm) => {
                let public = PublicKey::new(algorithm, &bytes(key.public.as_ref().unwrap())).unwrap();
                public.verifies(base.as_bytes(), &signature)
            }
            // Not one of ours: here to show that the base is right.
            None => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, &bytes(key.secret.as_ref().unwrap()));
                hmac::verify(&secret, base.as_bytes(), &signature).is_ok()
            }
        }
    }
}

#[test]
fn signature_bases_and_signatures_are_those_of_rfc_9421() {
    let mut file: File = vectors("rfc9421.json");
    let mut verified = 0;
    for case in core::mem::take(&mut file.requests) {
        let received = Received::from(case.request);
        let base = signature_base(&received.request().unwrap(), &only(&case.input));
        let expected = case.base.ok_or_else(|| case.refused.unwrap());
        assert_eq!(base.map_err(|refused| refused.code().to_owned()), expected, "{}", case.section);
        let Some(signature) = case.signature else { continue };
        assert!(file.verifies(&case.algorithm, &expected.unwrap(), &signature), "{}", case.section);
        verified += 1;
    }
    assert_eq!(verified, 7);
    assert!(file.verifies(&file.response.algorithm, &file.response.base, &file.response.signature));
}

#[test]
fn ed25519_signatures_are_made_as_in_rfc_9421_and_ones_of_p_256_verify() {
    let file: File = vectors("rfc9421.json");
    for case in &file.requests {
        let (Some(algorithm), Some(base)) = (algorithm(&case.algorithm), &case.base) else { continue };
        let pkcs8 = file.keys[&case.algorithm].pkcs8.as_ref().unwrap();
        let key = SigningKey::from_pkcs8(algorithm, &bytes(pkcs8)).unwrap();
        assert_eq!(key.public(), bytes(file.keys[&case.algorithm].public.as_ref().unwrap()));
        let made = BASE64_STANDARD.encode(key.sign(base.as_bytes()).unwrap());
        assert!(file.verifies(&case.algorithm, base, &made));
        assert_eq!(algorithm == Algorithm::Ed25519, Some(made) == case.signature);
    }
}

#[test]
fn altered_requests_of_rfc_9421_have_other_bases() {
    let mut file: File = vectors("rfc9421.json");
    for case in core::mem::take(&mut file.altered) {
        let received = Received::from(case.request);
        let base = signature_base(&received.request().unwrap(), &only(&case.input)).unwrap();
        assert!(!file.verifies(&case.algorithm, &base, &case.signature.unwrap()));
    }
}

/// Our profile is stricter than the standard: these have neither our tag nor an end.
#[test]
fn requests_that_only_the_standard_takes_are_refused() {
    let file: File = vectors("rfc9421.json");
    for case in file.requests {
        let received = Received::from(case.request);
        let signature = format!("{}=:AAAA:", case.input.split_once('=').unwrap().0);
        let request = received.request().unwrap();
        let request = request
            .with(("Signature-Input", case.input.as_bytes()))
            .with(("Signature", signature.as_bytes()));
        let here = [request.authority().clone()];
        assert_eq!(Presented::read(&request, &here).err(), Some(Refused::SignatureMissing));
    }
}
