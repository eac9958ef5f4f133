//! What a wallet is watched by: given as arguments, because it is no secret.

use crate::client::credential::Credential;
use crate::client::failure::{Failure, Result};
use crate::client::terminal::printable;
use host::catalogue::Exchange;
use zeroize::Zeroizing;

#[derive(clap::Args, Debug, Default)]
#[group(multiple = false)]
pub struct Watched {
    /// Watch the wallet at this address.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "credentials")]
    address: Option<String>,

    /// Watch every address of an account, by its extended public key (Bitcoin).
    #[arg(long, value_name = "XPUB", conflicts_with = "credentials")]
    xpub: Option<String>,

    /// Watch every address of an output descriptor (Bitcoin).
    #[arg(long, value_name = "DESCRIPTOR", conflicts_with = "credentials")]
    descriptor: Option<String>,
}

impl Watched {
    /// The credential that says whom to watch, if one was given.
    pub fn credential(&self, exchange: &Exchange) -> Result<Option<Credential>> {
        let given = [("address", &self.address), ("xpub", &self.xpub), ("descriptor", &self.descriptor)];
        let Some((name, text)) = given.into_iter().find_map(|(name, text)| Some((name, text.as_ref()?)))
        else {
            return Ok(None);
        };
        let Some(chain) = &exchange.chain else {
            return Err(Failure::usage(format!("{}: an exchange is linked by an API key", exchange.name))
                .hint(format!("leave `--{name}` out")));
        };
        if name != "address" && !chain.starts_with("bip122:") {
            return Err(Failure::usage(format!("a wallet on {} has no {name}", exchange.name))
                .hint("watch it by `--address`"));
        }
        let json = serde_json::json!({ "watch": public(name, text)? }).to_string();
        Ok(Some(Zeroizing::new(json.into_bytes())))
    }
}

/// Refuses a private key where a wallet's credential says whom to watch; whether it is one of the network's, the enclave says.
pub fn check_public(credential: &[u8], exchange: &Exchange) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Watch {
        watch: Option<String>,
    }
    if exchange.chain.is_none() {
        return Ok(());
    }
    let watch: Option<Watch> = serde_json::from_slice(credential).ok();
    match watch.and_then(|credential| credential.watch).map(Zeroizing::new) {
        Some(watch) => public("watch", &watch).map(|_| ()),
        None => Err(Failure::usage("a wallet is watched: its credential is `{\"watch\": ADDRESS}`")),
    }
}

/// What was given as `--NAME`, if it is plain text and no private key.
pub fn public<'t>(name: &str, text: &'t str) -> Result<&'t str> {
    let text = text.trim();
    if is_private(text) {
        return Err(Failure::usage("this is a PRIVATE key: whoever has it can spend").hint(
            "it was not sent anywhere, but your shell may remember it: move what it holds, and give the public key",
        ));
    }
    if text.is_empty() || printable(text) != text {
        return Err(Failure::usage(format!("what you gave as `--{name}` is not plain text")));
    }
    Ok(text)
}

/// Whether a text holds a private key that people paste by mistake: an extended one (SLIP-132), one in wallet import
/// format, or 32 bare bytes.
fn is_private(text: &str) -> bool {
    let extended = ["xprv", "yprv", "zprv", "tprv", "uprv", "vprv"];
    let bare = text.strip_prefix("0x").unwrap_or(text);
    let is_base58 = text.bytes().all(|byte| byte.is_ascii_alphanumeric() && !b"0OIl".contains(&byte));
    extended.iter().any(|prefix| text.contains(prefix))
        || (bare.len() == 64 && bare.bytes().all(|byte| byte.is_ascii_hexdigit()))
        || (is_base58 && matches!(text.len(), 51 | 52) && text.starts_with(['5', 'K', 'L', '9', 'c']))
        || (is_base58 && matches!(text.len(), 87 | 88))
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::catalogue;

    fn given(network: &str, address: Option<&str>, xpub: Option<&str>) -> Result<Option<Credential>> {
        let (address, xpub) = (address.map(str::to_owned), xpub.map(str::to_owned));
        Watched { address, xpub, descriptor: None }.credential(catalogue::find(network).unwrap())
    }

    #[test]
    fn what_is_watched_becomes_the_credential_and_fits_the_network() {
        let json = given("ethereum", Some(" 0xabc "), None).unwrap().unwrap();
        assert_eq!(*json, br#"{"watch":"0xabc"}"#);
        assert!(given("ethereum", None, None).unwrap().is_none());
        assert!(given("ethereum", None, Some("xpub6")).is_err());
        assert!(given("kraken", Some("0xabc"), None).is_err());
        assert!(given("ethereum", Some("0x\u{7}"), None).is_err());
    }

    #[test]
    fn a_private_key_is_refused_before_it_is_sent_anywhere() {
        for private in [
            "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
            "4C0883A69102937D6231471B5DBB6204FE5129617082792AE468D01A3F362318",
            "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
            "L1aW4aubDFB7yfras2S1mN3bqg9nwySY8nkoLmJebSLD5BWv3ENZ",
            "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
            "wpkh(zprvAWgYBBk7JR8Gjrh4UJQ2uJdG1r3WNRRfURiABBE3RvMXYSrRJL62XuezvGdPvG6GFBZduosCc1YP5wixPox7zhZLfiUm8aunE96BBa4Kei5/0/*)",
        ] {
            assert!(is_private(private), "{private}");
        }
        for public in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
            "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
            "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM",
            "zpub6jftahH18ngZxLmXaKw3GSZzZsszmt9WqedkyZdezFtWRFBZqsQH5hyUmb4pCEeZGmVfQuP5bedXTB8is6fTv19U1GQRyQUKQGUTzyHACMF",
        ] {
            assert!(!is_private(public), "{public}");
        }
    }
}
