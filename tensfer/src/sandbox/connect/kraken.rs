//! Kraken Connect: key and secret come in clear, within TLS.

use super::{Proof, Provider, Wanted};
use crate::sandbox::call::Call;
use crate::sandbox::dialect::{Exchange, Permission};
use crate::sandbox::mac;
use crate::sandbox::reply::Reply;
use crate::sandbox::seed::Credentials;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub static PROVIDER: Provider = Provider {
    exchange: Exchange::Kraken,
    page: "https://id.kraken.com/oauth/authorize",
    token: ("api.kraken.com", "/oauth/token"),
    make: ("api.kraken.com", "/oauth/fast-api-key"),
    proof: Proof::Header,
    separator: ' ',
    needed: &["account.fast-api-key:write"],
    form,
    refuse,
};

/// What Kraken calls what a key may do, as far as this sandbox tells keys apart.
const WORDS: [(&str, Permission); 10] = [
    ("funds_query", Permission::Read),
    ("ledger_query", Permission::Read),
    ("trades_query_open", Permission::Read),
    ("trades_query_closed", Permission::Read),
    ("export_data", Permission::Read),
    ("funds_earn", Permission::Trade),
    ("trades_modify", Permission::Trade),
    ("trades_close", Permission::Trade),
    ("funds_add", Permission::Withdraw),
    ("funds_withdraw", Permission::Withdraw),
];

fn form(call: &Call, _: bool) -> Result<Wanted, Reply> {
    let body: Value = serde_json::from_slice(call.body).map_err(|_| refuse("body"))?;
    let name = body["api_key_name"].as_str().filter(|name| (1..=32).contains(&name.len()));
    let name = name.ok_or_else(|| refuse("api_key_name"))?.to_owned();
    let asked = body["permissions"].as_object().ok_or_else(|| refuse("permissions"))?.clone();
    let mut permissions = Vec::new();
    for (word, value) in &asked {
        let known = WORDS.iter().find(|(known, _)| known == word).ok_or_else(|| refuse("permissions"))?;
        if value == &json!(true) && !permissions.contains(&known.1) {
            permissions.push(known.1);
        }
    }
    Ok(Wanted {
        permissions,
        make,
        dress: Box::new(move |made| {
            let result = json!({
                "id": "1",
                "api_key": made.key,
                "secret": made.secret,
                "api_key_name": name,
                "permissions": asked,
                "created_time": "1735689600",
                "modified_time": "1735689600",
                "ip_allowlist": [],
                "purpose": "standard",
            });
            Some(Reply::json(200, &json!({"result": result})))
        }),
    })
}

fn refuse(why: &str) -> Reply {
    Reply::json(400, &json!({"errors": [{"message": why}]}))
}

/// 56 characters, and the base64 of 64 bytes.
fn make(label: &str) -> Credentials {
    let part = |of: &str| mac::sha256(&[label.as_bytes(), of.as_bytes()]).as_ref().to_vec();
    let key = STANDARD.encode([part("key"), part("more")].concat());
    let secret = STANDARD.encode([part("secret"), part("rest")].concat());
    Credentials { key: key.chars().take(56).collect(), secret, passphrase: None }
}
