//! The seal and the message inside it.

use crate::keys::SealingKeys;
use verify::bhttp::Request;
use verify::ohttp::ReplySealer;
use wire::Refusal;
use zeroize::Zeroizing;

/// The path of the one resource.
const PATH: &str = "/v1/operation";
const CONTENT_TYPE: &str = "application/cbor";

/// A request whose seal opened: it comes from whoever made this seal, and a reply can be sealed to them.
pub(crate) struct Opened {
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
    pub(crate) sealed_to: SealedTo,
    pub(crate) reply: ReplySealer,
}

/// What a request was in fact sealed to, and so what its owner must have signed.
#[derive(Clone, Copy)]
pub(crate) struct SealedTo {
    pub(crate) key: u8,
    pub(crate) identity: [u8; 32],
    pub(crate) encapsulated: [u8; 32],
}

impl Opened {
    /// Opens an encapsulated request (RFC 9458 §4.3). A refusal here cannot be sealed to anyone.
    pub(crate) fn open(keys: &SealingKeys, bytes: &[u8]) -> Result<Opened, Refusal> {
        let opened = keys.open(bytes)?;
        let sealed_to = SealedTo {
            key: opened.key_id,
            identity: keys.identity_of(opened.key_id).ok_or(Refusal::UnknownKey)?,
            encapsulated: opened.encapsulated_key_hash,
        };
        Ok(Opened { plaintext: opened.plaintext, sealed_to, reply: opened.reply })
    }
}

/// The CBOR body of the Binary HTTP message: `POST /v1/operation`, and nothing else.
pub(crate) fn body(plaintext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let message = Request::from_bytes(plaintext).map_err(|_| Refusal::Malformed)?;
    let is_cbor = message.fields.iter().any(|f| f.name == "content-type" && f.value == CONTENT_TYPE);
    if message.method != "POST" || message.scheme != "https" || message.path != PATH || !is_cbor {
        return Err(Refusal::Malformed);
    }
    Ok(message.content)
}
