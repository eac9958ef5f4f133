//! Binance's Fast API: key and secret come encrypted by RSA to a public key that the call brings.

use super::{Proof, Provider, Wanted};
use crate::sandbox::call::{self, Call};
use crate::sandbox::dialect::{Exchange, Permission};
use crate::sandbox::mac;
use crate::sandbox::reply::Reply;
use crate::sandbox::seed::Credentials;
use aws_lc_rs::rsa::{KeySize, Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

pub static PROVIDER: Provider = Provider {
    exchange: Exchange::Binance,
    page: "https://accounts.binance.com/en/oauth/authorize",
    token: ("accounts.binance.com", "/oauth/token"),
    make: ("www.binanceapis.com", "/oauth-api/v1/api-key/create"),
    proof: Proof::Body,
    separator: ',',
    needed: &["account:status", "create:apikey", "user:openId"],
    form,
    refuse,
};

fn form(call: &Call, foreign: bool) -> Result<Wanted, Reply> {
    let field = |name: &'static str| call.field(name).ok_or_else(|| refuse(name));
    let flag = |name: &'static str| match field(name)?.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(refuse(name)),
    };
    let (name, trade, futures) = (field("apiName")?, flag("enableTrade")?, flag("enableFutureTrade")?);
    let public = call::base64(&field("publicKey")?).ok_or_else(|| refuse("publicKey"))?;
    if trade || futures {
        // A key that may trade is bound to addresses, and none can be given here.
        return Err(refuse("status"));
    }
    Ok(Wanted {
        permissions: vec![Permission::Read],
        make,
        dress: Box::new(move |made| {
            let key = if foreign { another()? } else { PublicEncryptingKey::from_der(&public).ok()? };
            let data = json!({
                "apiName": name,
                "apiKey": seal(key.clone(), &made.key)?,
                "secretKey": seal(key, &made.secret)?,
                "enableTrade": trade,
                "enableFutureTrade": futures,
                "enableMargin": false,
                "enableEuropeanOptions": false,
                "createTime": 1_735_689_600_000_u64,
            });
            Some(Reply::json(200, &json!({"code": "000000", "message": null, "data": data, "success": true})))
        }),
    })
}

fn refuse(why: &str) -> Reply {
    Reply::json(200, &json!({"code": "000002", "message": why, "data": null, "success": false}))
}

/// 64 characters each, as Binance's are.
fn make(label: &str) -> Credentials {
    let text = |of: &str| {
        let digest = mac::sha256(&[label.as_bytes(), of.as_bytes()]);
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    Credentials { key: text("key"), secret: text("secret"), passphrase: None }
}

fn seal(key: PublicEncryptingKey, text: &str) -> Option<String> {
    let key = Pkcs1PublicEncryptingKey::new(key).ok()?;
    let mut sealed = vec![0; key.ciphertext_size()];
    key.encrypt(text.as_bytes(), &mut sealed).ok()?;
    Some(STANDARD.encode(sealed))
}

/// A key that nobody asked for.
fn another() -> Option<PublicEncryptingKey> {
    Some(PrivateDecryptingKey::generate(KeySize::Rsa2048).ok()?.public_key())
}
