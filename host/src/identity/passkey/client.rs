//! `clientDataJSON` (WebAuthn §5.8.1): read as JSON, never searched. A browser adds members, in any order and spelling that
//! JSON has; those that are read are there once, and nothing that is not read decides anything.

use super::Fault;
use serde::Deserialize;

/// Browsers write a few hundred bytes.
const MAX_BYTES: usize = 4096;

#[derive(Debug, Deserialize)]
pub(super) struct Client {
    #[serde(rename = "type")]
    pub kind: String,
    pub challenge: String,
    pub origin: String,
    #[serde(rename = "crossOrigin", default)]
    pub cross_origin: bool,
    /// Of the page around the one that asked. `null` is one, too: a browser that has none leaves it out.
    #[serde(rename = "topOrigin", default, deserialize_with = "there")]
    pub top_origin: Option<serde_json::Value>,
}

impl Client {
    pub(super) fn parse(bytes: &[u8]) -> Result<Client, Fault> {
        if bytes.len() > MAX_BYTES {
            return Err(Fault::Client);
        }
        // A member that comes twice is an error of serde's.
        serde_json::from_slice(bytes).map_err(|_| Fault::Client)
    }
}

fn there<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(reader).map(Some)
}
