//! API keys of programs, `TENSFER_HOME/api-keys/NAME.json`: the private half never leaves this machine (docs/spec/client.md).
//!
//! There is no passphrase on them, because a program asks nobody for one: whoever reads the file is the program.

use super::files;
use crate::client::encode::{base64, from_base64};
use crate::client::failure::{Failure, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use host::identity::Public;
use host::signatures::{Algorithm, SigningKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A key pair that is kept here.
pub struct ApiKey {
    pub name: String,
    /// Where it is registered.
    pub server: String,
    /// Whether the server has said so.
    pub is_registered: bool,
    pub public: Public,
    pub signing: SigningKey,
    pkcs8: Zeroizing<Vec<u8>>,
}

/// The folder of them.
#[derive(Debug)]
pub struct ApiKeys(PathBuf);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'w> {
    server: String,
    registered: bool,
    algorithm: &'w str,
    /// PKCS #8, base64. Lent, so that no copy is left behind.
    private_key: &'w str,
}

impl ApiKey {
    pub fn make(name: &str, server: &str, algorithm: Algorithm) -> Result<ApiKey> {
        let failed = |_| Failure::internal("this machine could not make a key");
        let pkcs8 = match algorithm {
            Algorithm::Ed25519 => {
                Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1()).map_err(failed)?
            }
            Algorithm::EcdsaP256Sha256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                    .map_err(failed)?
            }
        };
        let pkcs8 = Zeroizing::new(pkcs8.as_ref().to_vec());
        let key = ApiKey::from_pkcs8(name, server, algorithm, pkcs8, false);
        key.ok_or_else(|| Failure::internal("this machine could not read back a key"))
    }

    fn from_pkcs8(
        name: &str,
        server: &str,
        algorithm: Algorithm,
        pkcs8: Zeroizing<Vec<u8>>,
        is_registered: bool,
    ) -> Option<ApiKey> {
        let signing = SigningKey::from_pkcs8(algorithm, &pkcs8).ok()?;
        let public = Public::new(algorithm, &signing.public()).ok()?;
        let (name, server) = (name.to_owned(), server.to_owned());
        Some(ApiKey { name, server, is_registered, public, signing, pkcs8 })
    }

    pub fn id(&self) -> String {
        self.public.id().to_string()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}, {})", self.name, self.id())
    }
}

impl ApiKeys {
    /// In the owner's directory, made if need be.
    pub fn open(home: &Path) -> Result<ApiKeys> {
        files::make_private_dir(home)?;
        let folder = home.join("api-keys");
        files::make_private_dir(&folder)?;
        Ok(ApiKeys(folder))
    }

    /// A name that can be a file's.
    pub fn check_name(name: &str) -> Result<()> {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        if (1..=64).contains(&name.len()) && name.bytes().all(is_plain) {
            return Ok(());
        }
        Err(Failure::usage("a key's name here has 1 to 64 of a-z 0-9 - _"))
    }

    /// `None`: there is none of that name.
    pub fn find(&self, name: &str) -> Result<Option<ApiKey>> {
        ApiKeys::check_name(name)?;
        self.read(name, &self.path(name))
    }

    /// Which state of its file there is; `None`: there is none of that name.
    pub fn version(&self, name: &str) -> Result<Option<files::Version>> {
        ApiKeys::check_name(name)?;
        files::version(&self.path(name))
    }

    /// The one that was named, or the only one.
    pub fn chosen(&self, name: Option<&str>) -> Result<ApiKey> {
        let name = match name {
            Some(name) => name.to_owned(),
            None => self.only()?,
        };
        self.find(&name)?.ok_or_else(|| {
            Failure::usage(format!("there is no API key `{name}` on this machine"))
                .hint("`tensfer keys make` makes one; `--key NAME` names another")
        })
    }

    fn only(&self) -> Result<String> {
        let entries = std::fs::read_dir(&self.0)
            .map_err(|_| Failure::internal("this machine could not read its folder of API keys"))?;
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.ok()?.file_name().to_str()?.strip_suffix(".json").map(str::to_owned)
        };
        let mut names: Vec<String> = entries.filter_map(name).collect();
        names.sort();
        match names.as_slice() {
            [only] => Ok(only.clone()),
            [] => {
                Err(Failure::usage("there is no API key on this machine")
                    .hint("`tensfer keys make` makes one"))
            }
            several => Err(Failure::usage("there are several API keys on this machine")
                .hint(format!("name one with `--key`: {}", several.join(", ")))),
        }
    }

    pub fn save(&self, key: &ApiKey) -> Result<()> {
        self.write(key, &self.path(&key.name))
    }

    pub fn remove(&self, name: &str) -> Result<()> {
        files::remove(&self.path(name)).map(|_| ())
    }

    /// The pair that is to take a key's place, kept until the server has it.
    pub fn next(&self, name: &str) -> Result<Option<ApiKey>> {
        self.read(name, &self.next_path(name))
    }

    pub fn save_next(&self, key: &ApiKey) -> Result<()> {
        self.write(key, &self.next_path(&key.name))
    }

    /// Puts the pair that was next in the place of the one before.
    pub fn adopt_next(&self, mut next: ApiKey) -> Result<ApiKey> {
        next.is_registered = true;
        self.save(&next)?;
        files::remove(&self.next_path(&next.name))?;
        Ok(next)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.json"))
    }

    fn next_path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.next"))
    }

    fn read(&self, name: &str, path: &Path) -> Result<Option<ApiKey>> {
        let Some(bytes) = files::read(path)? else { return Ok(None) };
        if let Some(warning) = files::exposure_warning(path) {
            crate::client::terminal::say(warning);
        }
        let parse = || {
            let written: Written<'_> = serde_json::from_slice(&bytes).ok()?;
            let algorithm = Algorithm::ALL.into_iter().find(|known| known.name() == written.algorithm)?;
            let pkcs8 = Zeroizing::new(from_base64(written.private_key)?);
            ApiKey::from_pkcs8(name, &written.server, algorithm, pkcs8, written.registered)
        };
        let damaged =
            || Failure::refused("key_damaged", format!("the API key `{}` is damaged", path.display()));
        parse().map(Some).ok_or_else(damaged)
    }

    fn write(&self, key: &ApiKey, path: &Path) -> Result<()> {
        let private_key = Zeroizing::new(base64(&key.pkcs8));
        let written = Written {
            server: key.server.clone(),
            registered: key.is_registered,
            algorithm: key.public.algorithm().name(),
            private_key: &private_key,
        };
        let bytes = Zeroizing::new(
            serde_json::to_vec_pretty(&written)
                .map_err(|_| Failure::internal("a key could not be written"))?,
        );
        files::replace(path, &bytes)
    }
}
