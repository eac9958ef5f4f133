//! The call by which a provider makes an API key, and the key pair that opens what it answers.
//!
//! The pair is made for this one call and dies with it. It is in nobody's envelope, so that what a provider sealed to it
//! opens in this call and nowhere else.

use super::answer::Reply;
use super::encode::{from_base64, to_base64};
use super::fault::{CallerFault, Fault, FaultCode};
use super::fields::object_of;
use super::grant::{Tokens, is_token};
use super::json::Document;
use super::model::{Connector, Method};
use super::new_key::{NewKey, PUBLIC_KEY, Padding};
use super::request::Request;
use super::sign::{self, Signing};
use super::value::{self, Params, Style, Value};
use crate::secret::SecretBytes;
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    Pkcs1PrivateDecryptingKey, PrivateDecryptingKey,
};
use zeroize::Zeroizing;

/// The size of every pair: what Binance documents as usual, and no more than one exchange takes a second of.
const SIZE: KeySize = KeySize::Rsa2048;

/// A key that is being made.
pub struct Making {
    connector: &'static Connector,
    new_key: &'static NewKey,
    pair: Option<Pair>,
}

/// An RSA key pair of one call.
pub struct Pair {
    padding: Padding,
    private: PrivateDecryptingKey,
}

impl Making {
    /// Makes the pair, where the provider encrypts what it makes.
    pub fn begin(connector: &'static Connector) -> Result<Making, Fault> {
        let new_key = connector.new_key.as_ref().ok_or(CallerFault::Unsupported)?;
        Ok(Making { connector, new_key, pair: new_key.sealed.map(Pair::make).transpose()? })
    }

    /// The call, by the token of its owner.
    pub fn request(&self, tokens: &Tokens, signing: &mut Signing<'_>) -> Result<Request, Fault> {
        let NewKey { create, body, .. } = self.new_key;
        let section = self.connector.section(&create.call.section).ok_or(CallerFault::Unsupported)?;
        let mut arguments = Params::new();
        if let Some(pair) = &self.pair {
            arguments.push((PUBLIC_KEY.to_owned(), Value::Text(pair.public()?)));
        }
        let params = sign::params(self.connector, create, arguments, signing)?;
        let mut encoded = Vec::with_capacity(1024);
        value::encode(&params, *body, &mut encoded);
        let content = match body.style {
            Style::Form => "application/x-www-form-urlencoded",
            _ => "application/json",
        };
        Ok(Request {
            host: section.host.clone(),
            method: Method::Post,
            target: format!("{}{}", section.prefix, create.call.path),
            headers: vec![
                ("Authorization".to_owned(), tokens.bearer()),
                ("Content-Type".to_owned(), content.to_owned()),
                ("Accept".to_owned(), "application/json".to_owned()),
            ],
            body: encoded,
            cost: create.call.cost,
        })
    }

    /// The credential in the provider's answer, opened. Nothing where it is not what the connector says, or is sealed to
    /// another key.
    pub fn read(&self, document: &Document<'_>) -> Option<SecretBytes> {
        let arguments = Params::new();
        let reply = Reply { connector: self.connector, arguments: &arguments, root: document.root() };
        let mut fields = Vec::new();
        for (name, text) in reply.texts(&self.new_key.create, &[])? {
            fields.push((name, self.open(&text.0)?));
        }
        let texts = fields.iter().map(|(name, value)| Some((*name, str::from_utf8(value.expose()).ok()?)));
        let texts: Vec<(&str, &str)> = texts.collect::<Option<_>>()?;
        texts.iter().all(|(_, text)| is_token(text)).then(|| object_of(texts.iter().copied()))
    }

    fn open(&self, text: &str) -> Option<SecretBytes> {
        match &self.pair {
            Some(pair) => pair.open(text),
            None => Some(SecretBytes::copied(text.as_bytes())),
        }
    }
}

impl Pair {
    fn make(padding: Padding) -> Result<Pair, Fault> {
        let private = PrivateDecryptingKey::generate(SIZE).map_err(|_| FaultCode::Internal)?;
        Ok(Pair { padding, private })
    }

    /// X.509 SubjectPublicKeyInfo (RFC 5280 §4.1, RFC 8017 appendix A.1) in base64.
    fn public(&self) -> Result<String, Fault> {
        let der: PublicKeyX509Der<'_> =
            self.private.public_key().as_der().map_err(|_| FaultCode::Internal)?;
        Ok(to_base64(der.as_ref()))
    }

    /// What a base64 ciphertext says.
    fn open(&self, text: &str) -> Option<SecretBytes> {
        let sealed = from_base64(text.as_bytes())?;
        let mut room = Zeroizing::new(vec![0; self.private.key_size_bytes()]);
        let oaep = |algorithm: &'static OaepAlgorithm, room: &mut [u8]| {
            let key = OaepPrivateDecryptingKey::new(self.private.clone()).ok()?;
            Some(SecretBytes::copied(key.decrypt(algorithm, &sealed, room, None).ok()?))
        };
        match self.padding {
            Padding::Pkcs1 => {
                let key = Pkcs1PrivateDecryptingKey::new(self.private.clone()).ok()?;
                Some(SecretBytes::copied(key.decrypt(&sealed, &mut room).ok()?))
            }
            Padding::OaepSha1 => oaep(&OAEP_SHA1_MGF1SHA1, &mut room),
            Padding::OaepSha256 => oaep(&OAEP_SHA256_MGF1SHA256, &mut room),
        }
    }
}

#[cfg(test)]
#[path = "making_tests.rs"]
mod tests;
