//! Who signs manifests: an approver's key, in a file (Ed25519) or on a token (P-256).

use super::key_file;
use super::manifest::public_text;
use crate::client::failure::{Failure, Result};
use crate::client::home::key_file::Purpose;
use crate::client::home::realm::Realm;
use crate::client::options::Options;
use crate::client::token::{Key, OnToken, Use};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::path::Path;
use verify::manifest::{key_name, to_be_approved};
use wire::Canonical;
use wire::cose::{EDDSA, ES256, Protected, Sign1};
use wire::manifest::{Manifest, SigningKey};
use wire::owner::OwnerAlgorithm;

/// An approver's key, ready to sign.
pub enum Signer {
    InFile(Ed25519KeyPair),
    OnToken(Key),
}

impl Signer {
    /// Opens the file, or the token; one of them was named.
    pub fn open(
        options: &Options,
        file: Option<&Path>,
        token: &OnToken,
        manifest: &Manifest,
    ) -> Result<Signer> {
        if let Some(key) = token.key()? {
            return Ok(Signer::OnToken(key));
        }
        let path =
            file.ok_or_else(|| Failure::usage("no key was named").hint("`--key FILE`, or `--token MODULE`"))?;
        let secret =
            key_file::open(path, Purpose::Approver, key_file::realm(manifest), &options.passphrases())?;
        Ed25519KeyPair::from_pkcs8(&secret).map(Signer::InFile).map_err(|_| key_file::not_a_key(path))
    }

    /// Makes a key in a new file: Ed25519.
    pub fn make(options: &Options, path: &Path, realm: Realm) -> Result<Signer> {
        let failed = |_| Failure::internal("this machine could not make a key");
        let pair = Ed25519KeyPair::generate().map_err(failed)?;
        let document = pair.to_pkcs8().map_err(failed)?;
        key_file::create(path, Purpose::Approver, realm, document.as_ref(), &options.passphrases())?;
        Ok(Signer::InFile(pair))
    }

    /// Makes a key on a token, or takes one that is there and stays there. `None`: no token was named.
    pub fn make_on_token(token: &OnToken, existing: bool) -> Result<Option<Signer>> {
        let key = if existing { token.key()? } else { token.make(Use::Sign)? };
        key.map(|key| key.check_kept().map(|()| Signer::OnToken(key))).transpose()
    }

    /// As a manifest names it.
    pub fn public(&self) -> SigningKey {
        match self {
            Signer::InFile(pair) => {
                SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: pair.public_key().as_ref().to_vec() }
            }
            Signer::OnToken(key) => {
                SigningKey { algorithm: OwnerAlgorithm::Es256, public: key.public().to_vec() }
            }
        }
    }

    pub fn public_text(&self) -> String {
        public_text(&self.public())
    }

    /// An approval of the manifest of this hash (docs/spec/provisioning.md §3).
    pub fn approve(&self, manifest: &[u8; 32]) -> Result<Vec<u8>> {
        let algorithm = match self {
            Signer::InFile(_) => EDDSA,
            Signer::OnToken(_) => ES256,
        };
        let protected = Protected { algorithm, key: key_name(&self.public()) }.to_bytes();
        let message = to_be_approved(&protected, manifest);
        let signature = match self {
            Signer::InFile(pair) => pair.sign(&message).as_ref().to_vec(),
            Signer::OnToken(key) => key.sign(&message)?.to_vec(),
        };
        Ok(Sign1 { protected: &protected, payload: None, signature: &signature }.to_bytes())
    }
}
