//! The public keys of a business, as owners are given them.

use crate::client::encode::{hex, serde_base64};
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::grantee::Pair;
use crate::client::home::keys::sha256;
use crate::client::home::realm::Realm;
use serde::{Deserialize, Serialize};
use std::path::Path;
use utoipa::ToSchema;
use wire::owner::{OwnerAlgorithm, OwnerKey, OwnerRole};

const FORMAT: &str = "tensfer grantee";
const VERSION: u8 = 1;
const ED25519_BYTES: usize = 32;
const X_WING_BYTES: usize = 1_216;

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GranteeKeys)]
pub struct PublicKeys {
    format: String,
    version: u8,
    #[schema(value_type = String)]
    pub realm: Realm,
    /// Ed25519, 32 bytes in base64.
    #[serde(with = "serde_base64")]
    #[schema(value_type = String)]
    signing: Vec<u8>,
    /// X-Wing, 1,216 bytes in base64.
    #[serde(with = "serde_base64")]
    #[schema(value_type = String)]
    pub sealing: Vec<u8>,
}

impl PublicKeys {
    pub fn of(realm: Realm, pair: &Pair) -> PublicKeys {
        PublicKeys {
            format: FORMAT.to_owned(),
            version: VERSION,
            realm,
            signing: pair.signing.public().public.clone(),
            sealing: pair.sealing.public_key().bytes().to_vec(),
        }
    }

    pub fn read(path: &Path) -> Result<PublicKeys> {
        let bytes = files::read_named(path, "file of public keys")?;
        let keys: Option<PublicKeys> = serde_json::from_slice(&bytes).ok();
        let is_known = |keys: &PublicKeys| {
            (keys.format.as_str(), keys.version) == (FORMAT, VERSION)
                && (keys.signing.len(), keys.sealing.len()) == (ED25519_BYTES, X_WING_BYTES)
        };
        keys.filter(is_known).ok_or_else(|| {
            Failure::usage(format!("`{}` does not hold a business's public keys", path.display()))
                .hint("the business makes it: `tensfer granted key --output FILE`")
        })
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let text = serde_json::to_vec_pretty(self);
        let mut text = text.map_err(|_| Failure::internal("this program could not write its keys"))?;
        text.push(b'\n');
        Ok(text)
    }

    pub fn key(&self) -> OwnerKey {
        OwnerKey::new(OwnerAlgorithm::EdDsa, self.signing.clone(), OwnerRole::Device)
    }

    /// What business and owner compare.
    pub fn name(&self) -> String {
        hex(&sha256(&self.key().transcript()))
    }
}
