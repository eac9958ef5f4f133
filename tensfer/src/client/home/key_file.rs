//! A secret at rest: argon2id over a passphrase, or a token's key; AES-256-GCM, every header field authenticated.
//!
//! Layout in `docs/spec/client.md`. Without a passphrase the secret is stored as it is, and the file says so.

mod on_token;

use crate::client::encode::{base64, from_base64};
use crate::client::failure::{Failure, Result};
use crate::client::home::passphrase::Passphrase;
use crate::client::home::realm::Realm;
use crate::client::token::Point;
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use on_token::OnToken;
use serde::{Deserialize, Serialize};
use std::path::Path;
use wire::transcript::Transcript;
use zeroize::Zeroizing;

/// The transcript that is the AAD: one purpose, one domain.
const DOMAIN: &str = "tensfer/client/key-file/v1";
const VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
/// The code of the one failure that another passphrase may mend.
pub const WRONG_PASSPHRASE: &str = "wrong_passphrase";

/// What a file holds: a file of one purpose never opens as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Owner secret and device keys.
    Owner,
    /// The keys kept apart.
    SecondFactor,
    /// An operator's, who approves manifests.
    Approver,
    /// An operator's, who holds a share.
    Holder,
    /// Of who signs releases.
    Publisher,
    /// A business's, whom owners name in their grants.
    Grantee,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Purpose::Owner => "owner",
            Purpose::SecondFactor => "second_factor",
            Purpose::Approver => "approver",
            Purpose::Holder => "holder",
            Purpose::Publisher => "publisher",
            Purpose::Grantee => "grantee",
        }
    }
}

/// The cost of guessing a passphrase once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

/// The second recommended choice of RFC 9106 §4: 64 MiB, 3 passes, 4 lanes.
pub const COST: Cost = Cost { memory_kib: 64 << 10, passes: 3, lanes: 4 };

/// A file may ask for this much at most: it is read before anything in it is authenticated.
const MAX_COST: Cost = Cost { memory_kib: 1 << 20, passes: 16, lanes: 16 };

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile<'a> {
    format: String,
    version: u8,
    purpose: Purpose,
    realm: Realm,
    protection: Protection,
    /// Borrowed from the file's buffer. Base64: `nonce (12) ‖ ciphertext ‖ tag (16)`, or the secret itself where the protection is `none`.
    secret: &'a str,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Protection {
    /// A struct, so that fields of another protection are refused beside it.
    None {},
    Argon2id {
        cost: Cost,
        salt: String,
    },
    Token {
        /// Base64: the token's public key, and one of one use.
        key: String,
        ephemeral: String,
    },
}

const FORMAT: &str = "tensfer key file";

pub type Secret = Zeroizing<Vec<u8>>;

/// What a file holds: the secret itself, or what a passphrase or a token makes it of.
pub enum Content<'f> {
    Open(Secret),
    Locked(Locked<'f>),
    OnToken(OnToken<'f>),
}

/// A file under a passphrase.
pub struct Locked<'f> {
    kind: (Purpose, Realm),
    cost: Cost,
    salt: Vec<u8>,
    /// Base64, as in the file.
    secret: &'f str,
}

/// Writes the file's bytes. Without a passphrase they hold the secret in clear.
pub fn seal(
    (purpose, realm): (Purpose, Realm),
    secret: &[u8],
    passphrase: Option<&Passphrase>,
    cost: Cost,
) -> Result<Zeroizing<Vec<u8>>> {
    let (protection, bytes) = match passphrase {
        None => (Protection::None {}, Zeroizing::new(secret.to_vec())),
        Some(passphrase) => {
            let salt: [u8; SALT_BYTES] = random()?;
            let key = derive_key(passphrase, &salt, cost)?;
            let aad = associated_data(purpose, realm, cost, &salt);
            let bytes = encrypt(&key, &aad, secret)?;
            (Protection::Argon2id { cost, salt: base64(&salt) }, bytes)
        }
    };
    write((purpose, realm), protection, &bytes)
}

/// Writes the bytes of a file that this key of a token opens, and nothing else does.
pub fn seal_to_token(kind: (Purpose, Realm), secret: &[u8], token: &Point) -> Result<Zeroizing<Vec<u8>>> {
    let (ephemeral, bytes) = on_token::seal(kind, secret, token)?;
    write(kind, Protection::Token { key: base64(token), ephemeral: base64(&ephemeral) }, &bytes)
}

fn write(
    (purpose, realm): (Purpose, Realm),
    protection: Protection,
    bytes: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let secret = Zeroizing::new(base64(bytes));
    let file =
        KeyFile { format: FORMAT.to_owned(), version: VERSION, purpose, realm, protection, secret: &secret };
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() * 2 + 1024));
    serde_json::to_writer_pretty(&mut *text, &file)
        .map_err(|_| Failure::internal("this program could not write a key file"))?;
    text.push(b'\n');
    Ok(text)
}

/// Reads a file's bytes.
pub fn read((purpose, realm): (Purpose, Realm), bytes: &[u8]) -> Result<Content<'_>> {
    let file: KeyFile<'_> = serde_json::from_slice(bytes).map_err(|_| damaged())?;
    if file.format != FORMAT || file.version != VERSION {
        return Err(damaged().hint("it may come from a newer version of this program"));
    }
    if file.realm != realm {
        return Err(Realm::mixed(file.realm, realm));
    }
    if file.purpose != purpose {
        return Err(Failure::usage("you gave a key file of another purpose").hint(
            "keys of an owner, of a second factor, of an approver, of a holder, of a publisher and of a grantee are not interchangeable",
        ));
    }
    match file.protection {
        Protection::None {} => {
            from_base64(file.secret).map(Zeroizing::new).map(Content::Open).ok_or_else(damaged)
        }
        Protection::Argon2id { cost, salt } => {
            Locked::read((purpose, realm), cost, &salt, file.secret).map(Content::Locked)
        }
        Protection::Token { key, ephemeral } => {
            OnToken::read((purpose, realm), &key, &ephemeral, file.secret).map(Content::OnToken)
        }
    }
}

impl<'f> Locked<'f> {
    fn read(kind: (Purpose, Realm), cost: Cost, salt: &str, secret: &'f str) -> Result<Locked<'f>> {
        if cost.memory_kib > MAX_COST.memory_kib
            || cost.passes > MAX_COST.passes
            || cost.lanes > MAX_COST.lanes
        {
            return Err(damaged());
        }
        let salt = from_base64(salt).filter(|salt| salt.len() == SALT_BYTES).ok_or_else(damaged)?;
        Ok(Locked { kind, cost, salt, secret })
    }

    /// The secret, if this is the passphrase; else `wrong_passphrase`.
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<Secret> {
        let (purpose, realm) = self.kind;
        let bytes = Zeroizing::new(from_base64(self.secret).ok_or_else(damaged)?);
        let key = derive_key(passphrase, &self.salt, self.cost)?;
        decrypt(&key, &associated_data(purpose, realm, self.cost, &self.salt), bytes)
    }
}

fn derive_key(passphrase: &Passphrase, salt: &[u8], cost: Cost) -> Result<Zeroizing<[u8; 32]>> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|_| damaged())?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.bytes(), salt, key.as_mut_slice())
        .map_err(|_| Failure::internal("this machine could not derive a key from the passphrase"))?;
    Ok(key)
}

/// `domain, version, purpose, realm, memory, passes, lanes, salt`: no field can be altered or moved to another file.
fn associated_data(purpose: Purpose, realm: Realm, cost: Cost, salt: &[u8]) -> Vec<u8> {
    Transcript::new(DOMAIN)
        .number(VERSION.into())
        .field(purpose.name().as_bytes())
        .field(realm.name().as_bytes())
        .number(cost.memory_kib.into())
        .number(cost.passes.into())
        .number(cost.lanes.into())
        .field(salt)
        .bytes()
}

fn encrypt(key: &[u8; 32], aad: &[u8], secret: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let nonce: [u8; NONCE_LEN] = random()?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(NONCE_LEN + secret.len() + 16));
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(secret);
    let tag = cipher(key)?
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad),
            &mut bytes[NONCE_LEN..],
        )
        .map_err(|_| Failure::internal("this program could not encrypt a key file"))?;
    bytes.extend_from_slice(tag.as_ref());
    Ok(bytes)
}

fn decrypt(key: &[u8; 32], aad: &[u8], mut bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>> {
    let (nonce, ciphertext) = bytes.split_first_chunk_mut::<NONCE_LEN>().ok_or_else(damaged)?;
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length = cipher(key)?
        .open_in_place(nonce, Aad::from(aad), ciphertext)
        .map_err(|_| {
            Failure::refused(WRONG_PASSPHRASE, "the passphrase is wrong, or the key file was altered")
                .hint("try again; without the passphrase or a copy of the file, link your accounts anew")
        })?
        .len();
    let secret = Zeroizing::new(ciphertext[..length].to_vec());
    Ok(secret)
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM, key)
        .map_err(|_| Failure::internal("this program could not set up a cipher"))?;
    Ok(LessSafeKey::new(key))
}

pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Failure::internal("this machine gave no random bytes"))?;
    Ok(bytes)
}

/// The secret is under a token's key, and none was named.
pub fn token_needed(path: &Path) -> Failure {
    Failure::usage(format!("the key in `{}` opens with a token only", path.display()))
        .hint("plug it in, and name it: `--token MODULE --label NAME`")
}

fn damaged() -> Failure {
    Failure::refused("key_file_damaged", "the key file is damaged or was altered")
        .hint("put back a copy of it; without one, link your accounts anew")
}

#[cfg(test)]
mod tests;
