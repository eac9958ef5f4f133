//! A person's device: a key as browsers make them (P-256), and requests that it signs by docs/spec/http-signatures.md, with no code of
//! ours.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use stack::http;
use std::time::{Duration, SystemTime};
use wire::SessionId;

pub const ALGORITHM: &str = "ecdsa-p256-sha256";

pub struct Device {
    pair: EcdsaKeyPair,
    url: String,
}

type Fields = Vec<(&'static str, String)>;

/// Status, and what was told.
pub type Told = (u16, Value);

impl Device {
    pub fn new(url: &str) -> Device {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Device { pair, url: url.to_owned() }
    }

    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub fn session(&self) -> String {
        let of = transcript(&[b"tensfer/session/v1", ALGORITHM.as_bytes(), self.public()]);
        let hash = digest(&SHA256, &of);
        SessionId(hash.as_ref()[..16].try_into().unwrap()).to_string()
    }

    /// Asks for a ceremony, and computes what a passkey is to sign for it. `None` for whom: signing in names nobody.
    pub fn begin(&self, purpose: &str) -> (Value, Vec<u8>) {
        let body = json!({ "purpose": purpose, "algorithm": ALGORITHM, "public_key": STANDARD.encode(self.public()) });
        let url = format!("{}/v1/challenges", self.url);
        let answer = http::post(&url, "application/json", body.to_string().as_bytes());
        assert_eq!(answer.status, 201, "{}", answer.text());
        let begun: Value = serde_json::from_slice(&answer.body).unwrap();
        let token = URL_SAFE_NO_PAD.decode(begun["ceremony"].as_str().unwrap()).unwrap();
        let of = [
            &b"tensfer/ceremony-challenge/v1"[..],
            purpose.as_bytes(),
            &token,
            ALGORITHM.as_bytes(),
            self.public(),
        ];
        (begun, digest(&SHA256, &transcript(&of)).as_ref().to_vec())
    }

    /// The members of a body that bring this device's key.
    pub fn brought(&self, begun: &Value) -> Value {
        json!({
            "ceremony": begun["ceremony"], "algorithm": ALGORITHM,
            "public_key": STANDARD.encode(self.public()), "device": "browser",
        })
    }

    /// As [`Device::ask`], with the word that a passkey gives for the very request.
    pub fn ask_with_word(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        passkey: impl FnMut(&[u8]) -> Value,
    ) -> Told {
        self.send(method, path, body, Some(passkey))
    }

    /// Signs and sends.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Told {
        self.send(method, path, body, None::<fn(&[u8]) -> Value>)
    }

    /// Signs and sends; again while the server says that it has just started.
    fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        mut passkey: Option<impl FnMut(&[u8]) -> Value>,
    ) -> Told {
        let body = body.map(Value::to_string).unwrap_or_default();
        loop {
            let (mut fields, base) = self.signed(method, path, &body);
            if let Some(passkey) = &mut passkey {
                let hash = digest(&SHA256, base.as_bytes());
                let challenge = digest(&SHA256, &transcript(&[b"tensfer/step-up/v1", hash.as_ref()]));
                let given = passkey(challenge.as_ref());
                let part = |member: &str| given[member].as_str().unwrap().to_owned();
                let parts = ["id", "authenticator_data", "client_data_json", "signature"].map(part);
                fields.push(("passkey-assertion", parts.join(".")));
            }
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = http::request(method, &format!("{}{path}", self.url), &fields, body.as_bytes());
            let told: Value = serde_json::from_slice(&answer.body).unwrap();
            if told["code"] != "signature_starting" {
                return (answer.status, told);
            }
            let seconds = answer.header("retry-after").unwrap().parse().unwrap();
            std::thread::sleep(Duration::from_secs(seconds));
        }
    }

    /// The fields to send, and what was signed.
    fn signed(&self, method: &str, path: &str, body: &str) -> (Fields, String) {
        let authority = self.url.strip_prefix("http://").unwrap();
        let mut fields = Vec::new();
        let mut lines =
            vec![("@method", method), ("@authority", authority), ("@path", path), ("@query", "?")];
        let hash = STANDARD.encode(digest(&SHA256, body.as_bytes()));
        let content = format!("sha-256=:{hash}:");
        if !body.is_empty() {
            lines.extend([("content-type", "application/json"), ("content-digest", content.as_str())]);
            fields.extend([
                ("content-type", "application/json".to_owned()),
                ("content-digest", content.clone()),
            ]);
        }
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let mut nonce = [0; 16];
        fill(&mut nonce).unwrap();
        let names: Vec<String> = lines.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let input = format!(
            "({});created={now};expires={};nonce=\"{}\";keyid=\"{}\";tag=\"tensfer\"",
            names.join(" "),
            now + 60,
            URL_SAFE_NO_PAD.encode(nonce),
            self.session(),
        );
        let mut base: String = lines.iter().map(|(name, value)| format!("\"{name}\": {value}\n")).collect();
        base.push_str(&format!("\"@signature-params\": {input}"));
        let signature = self.pair.sign(&SystemRandom::new(), base.as_bytes()).unwrap();
        fields.push(("signature-input", format!("tensfer={input}")));
        fields.push(("signature", format!("tensfer=:{}:", STANDARD.encode(signature))));
        (fields, base)
    }
}

fn transcript(fields: &[&[u8]]) -> Vec<u8> {
    let field = |field: &&[u8]| [&u32::try_from(field.len()).unwrap().to_be_bytes()[..], field].concat();
    fields.iter().flat_map(field).collect()
}
