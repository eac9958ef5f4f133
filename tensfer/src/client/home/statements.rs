//! The last statement of completion that was checked of each server: the next one has to be the same or later.

use super::Home;
use super::files;
use super::keys::sha256;
use super::realm::Realm;
use crate::client::encode::hex;
use crate::client::failure::Result;
use std::path::PathBuf;

impl Home {
    /// As the server published it.
    pub fn last_statement(&self, realm: Realm, server: &str) -> Result<Option<Vec<u8>>> {
        Ok(files::read(&self.statement_path(realm, server))?.map(|bytes| bytes.to_vec()))
    }

    pub fn keep_statement(&self, realm: Realm, server: &str, published: &[u8]) -> Result<()> {
        let path = self.statement_path(realm, server);
        files::make_private_dir(path.parent().unwrap_or(&self.root))?;
        files::replace(&path, published)
    }

    /// Named by the server's address, of which a file's name cannot have every character.
    fn statement_path(&self, realm: Realm, server: &str) -> PathBuf {
        let name = hex(&sha256(server.as_bytes())[..16]);
        self.root.join(realm.name()).join("statements").join(format!("{name}.cbor"))
    }
}
