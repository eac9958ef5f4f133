//! The API key that signs what leaves, as its file is at each request: a program that runs for long signs with the key that a
//! rotation put there, and with none that was taken away (docs/spec/client.md §10).

use crate::client::failure::{Failure, Fault, Result};
use crate::client::home::api_keys::{ApiKey, ApiKeys};
use crate::client::home::files::Version;
use crate::client::terminal::say;
use std::sync::{Arc, Mutex, PoisonError};

/// A key of this machine, by its name, for one server.
#[derive(Debug)]
pub struct Kept {
    keys: ApiKeys,
    name: String,
    server: String,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    key: Arc<ApiKey>,
    /// Of the file that it was read from.
    version: Option<Version>,
}

impl Kept {
    /// Fails where there is no such key, or it is for another server.
    pub fn open(keys: ApiKeys, name: &str, server: &str) -> Result<Kept> {
        let held = Mutex::new(Held::read(&keys, name, server)?);
        Ok(Kept { keys, name: name.to_owned(), server: server.to_owned(), held })
    }

    /// The key as it is now. A file that is gone, damaged or for another server fails each request until it is mended: the
    /// key that it held before may have been taken from us on purpose.
    pub fn key(&self) -> Result<Arc<ApiKey>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if self.keys.version(&self.name)? != held.version {
            let read = Held::read(&self.keys, &self.name, &self.server).map_err(lost)?;
            if read.key.public != held.key.public {
                say(format!(
                    "The API key `{}` was replaced: signing with {} from now on.",
                    self.name,
                    read.key.id()
                ));
            }
            *held = read;
        }
        Ok(Arc::clone(&held.key))
    }
}

impl Held {
    /// The version comes first: a file that is replaced between the two is read once more, and not missed.
    fn read(keys: &ApiKeys, name: &str, server: &str) -> Result<Held> {
        let version = keys.version(name)?;
        let key = keys.chosen(Some(name))?;
        if key.server != server {
            let sentence = format!("the API key `{name}` is for {}, and not for {server}", key.server);
            return Err(Failure::usage(sentence).hint("name that server with `--server URL`, or another key"));
        }
        Ok(Held { key: Arc::new(key), version })
    }
}

/// What was right when the program began is no fault of whoever asks it for something now.
fn lost(failure: Failure) -> Failure {
    match failure.fault {
        Fault::Usage => Failure { fault: Fault::Refused, code: "key_lost", ..failure },
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::signatures::Algorithm;
    use std::fs;

    const SERVER: &str = "http://localhost:8080";

    fn saved(keys: &ApiKeys, server: &str) -> String {
        let key = ApiKey::make("backend", server, Algorithm::Ed25519).unwrap();
        keys.save(&key).unwrap();
        key.id()
    }

    #[test]
    fn each_request_is_signed_with_the_key_that_its_file_holds_then() {
        let home = tempfile::tempdir().unwrap();
        let keys = || ApiKeys::open(home.path()).unwrap();
        let first = saved(&keys(), SERVER);
        let kept = Kept::open(keys(), "backend", SERVER).unwrap();
        assert_eq!(kept.key().unwrap().id(), first);
        assert!(Arc::ptr_eq(&kept.key().unwrap(), &kept.key().unwrap()), "read again without need");
        for _ in 0..3 {
            let next = saved(&keys(), SERVER);
            assert_eq!(kept.key().unwrap().id(), next);
        }
    }

    #[test]
    fn a_key_that_is_gone_damaged_or_for_another_server_signs_nothing_until_it_is_mended() {
        let home = tempfile::tempdir().unwrap();
        let keys = || ApiKeys::open(home.path()).unwrap();
        let file = home.path().join("api-keys/backend.json");
        assert_eq!(Kept::open(keys(), "backend", SERVER).unwrap_err().code, "usage");
        saved(&keys(), SERVER);
        let kept = Kept::open(keys(), "backend", SERVER).unwrap();
        let refused = || [kept.key().unwrap_err().code, kept.key().unwrap_err().code];
        keys().remove("backend").unwrap();
        assert_eq!(refused(), ["key_lost"; 2]);
        fs::write(&file, "{}").unwrap();
        assert_eq!(refused(), ["key_damaged"; 2]);
        saved(&keys(), "http://localhost:8081");
        assert_eq!(refused(), ["key_lost"; 2]);
        let mended = saved(&keys(), SERVER);
        assert_eq!(kept.key().unwrap().id(), mended);
    }
}
