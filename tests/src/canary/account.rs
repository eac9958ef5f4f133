//! The sandbox's accounts, whose credentials are the ones to mark: real to the sandbox, and constants.

use super::marks::Marks;
use crate::{run, tensfer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::process::Command;

/// One account of `tensfer sandbox accounts --json`.
#[derive(Debug)]
pub struct Account {
    pub exchange: String,
    pub name: String,
    fields: Value,
}

/// The exchanges whose accounts are seeded, not derived.
const WRITTEN: [&str; 6] = ["kraken", "binance", "coinbase", "okx", "bybit", "kucoin"];

/// All seeded accounts, then `load` generated ones: unlike the seeded ones, these are in no file of the program.
///
/// # Panics
/// When the command fails.
pub fn accounts(load: u32) -> Vec<Account> {
    let listed = WRITTEN.into_iter().flat_map(|exchange| {
        let load = if exchange == "kraken" { load } else { 0 };
        let mut command = Command::new(tensfer());
        command.args(["sandbox", "accounts", "--json", "--exchange", exchange]);
        let output = run(command.args(["--load-accounts", &load.to_string()]), b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Vec<Value>>(&output.stdout).expect("a JSON array")
    });
    let listed: Vec<Value> = listed.collect();
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let account = |value: &Value| Account {
        exchange: text(&value["exchange"]),
        name: text(&value["name"]),
        fields: value["credentials"].clone(),
    };
    listed.iter().map(account).collect()
}

impl Account {
    /// One whose key the sandbox is going to make.
    pub fn to_be_made(exchange: &str, key: &str, secret: &str) -> Account {
        let fields = serde_json::json!({"apiKey": key, "secret": secret});
        Account { exchange: exchange.to_owned(), name: "made".to_owned(), fields }
    }

    /// What `tensfer link EXCHANGE --credentials -` reads.
    pub fn credentials(&self) -> Vec<u8> {
        self.fields.to_string().into_bytes()
    }

    /// What the names of its marks begin with.
    pub(super) fn label(&self) -> String {
        format!("{} {} ", self.exchange, self.name)
    }

    /// The same account with another secret, which its exchange refuses.
    #[must_use]
    pub fn with_secret(&self, secret: &str) -> Account {
        let mut fields = self.fields.clone();
        fields["secret"] = secret.into();
        Account { exchange: self.exchange.clone(), name: format!("wrong {}", self.name), fields }
    }

    /// Every field, and every key that is only encoded in one.
    pub fn marks(&self) -> Marks {
        let fields = self.fields.as_object().expect("credentials are an object");
        fields.iter().fold(Marks::new(), |marks, (field, value)| {
            let name = format!("{}{field}", self.label());
            let text = value.as_str().expect("a credential's field is a string");
            let marks = match private_scalar(text) {
                // The armour and the public key in it are no secrets; the scalar is, also where it stays encoded.
                Some(scalar) => return marks.with(&name, &scalar),
                None => marks.with(&name, text.as_bytes()),
            };
            match STANDARD.decode(text) {
                // 64 bytes of an Ed25519 key are its seed and its public half; other secrets are secret throughout.
                Ok(key) if key.len() == 64 && is_ed25519(&key) => marks.with(&name, &key[..32]),
                Ok(key) if key.len() >= 32 => marks.with(&name, &key),
                _ => marks,
            }
        })
    }
}

/// The private scalar of a PEM-armoured EC key (RFC 5915).
fn private_scalar(text: &str) -> Option<Vec<u8>> {
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body).ok().filter(|_| text.starts_with("-----BEGIN EC PRIVATE KEY-----"))?;
    // `SEQUENCE { INTEGER 1, OCTET STRING (32) …`
    der.strip_prefix(&[0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20]).map(|rest| rest[..32].to_vec())
}

fn is_ed25519(key: &[u8]) -> bool {
    aws_lc_rs::signature::Ed25519KeyPair::from_seed_and_public_key(&key[..32], &key[32..]).is_ok()
}
