//! What came of giving a connection up, as its owner keeps it when everything else of it is gone.

use super::realm::Realm;
use crate::client::encode::{hex, serde_base64};
use crate::client::failure::{Failure, Result};
use serde::Serialize;

/// The contents of `panic/conn_….json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Panicked {
    format: &'static str,
    version: u8,
    pub realm: Realm,
    pub connection: String,
    pub exchange: String,
    pub name: String,
    /// What became of the credential at its provider: `ended`, `unknown`, `not_offered`, `failed`.
    pub at_provider: &'static str,
    /// Why it failed.
    pub refusal: Option<&'static str>,
    /// Where its owner ends it by hand, where that is left to do.
    pub by_hand: Option<String>,
    /// The receipt of the enclave as it came: COSE_Sign1.
    #[serde(with = "serde_base64")]
    pub receipt: Vec<u8>,
    /// The key that signed it, of the identity that was verified.
    pub receipt_key: String,
}

/// What is told of one connection.
#[derive(Debug)]
pub struct Told {
    pub at_provider: &'static str,
    pub refusal: Option<&'static str>,
    pub by_hand: Option<String>,
}

impl Panicked {
    pub fn new(
        record: &super::record::Record,
        told: &Told,
        receipt: Vec<u8>,
        receipt_key: &[u8; 32],
    ) -> Panicked {
        Panicked {
            format: "tensfer panic",
            version: 1,
            realm: record.realm,
            connection: record.id.to_string(),
            exchange: record.exchange.clone(),
            name: record.name.clone(),
            at_provider: told.at_provider,
            refusal: told.refusal,
            by_hand: told.by_hand.clone(),
            receipt,
            receipt_key: hex(receipt_key),
        }
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|_| Failure::internal("this program could not write a receipt"))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}
