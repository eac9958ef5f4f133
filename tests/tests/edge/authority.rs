//! A private authority, and server certificates of it, by `openssl`.

use stack::Folder;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The names that every certificate here is for.
pub const NAMES: &str = "subjectAltName=DNS:localhost,DNS:vault.test,IP:127.0.0.1";

#[derive(Debug)]
pub struct Authority {
    pub folder: Folder,
}

impl Authority {
    pub fn new() -> Authority {
        let authority = Authority { folder: Folder::new() };
        let make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=authority -days 2";
        authority.openssl(make, &["-keyout", "ca.key", "-out", "ca.pem"]);
        authority
    }

    /// Its own certificate, PEM.
    pub fn root(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    pub fn certificate(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    pub fn key(&self) -> PathBuf {
        self.folder.join("server.key")
    }

    /// Puts a new certificate and key in their places, as one that renews them does: written beside, then renamed.
    pub fn issue(&self) {
        let make = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server";
        self.openssl(make, &["-keyout", "next.key", "-out", "next.csr"]);
        std::fs::write(
            self.folder.join("extensions"),
            format!("{NAMES}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"),
        )
        .unwrap();
        let sign =
            "x509 -req -in next.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions";
        self.openssl(sign, &["-out", "next.pem"]);
        set_mode(&self.folder.join("next.key"), 0o600);
        std::fs::rename(self.folder.join("next.key"), self.key()).unwrap();
        std::fs::rename(self.folder.join("next.pem"), self.certificate()).unwrap();
    }

    fn openssl(&self, words: &str, more: &[&str]) {
        let mut command = Command::new("openssl");
        let made = command.args(words.split(' ')).args(more).current_dir(self.folder.path()).output();
        let made = made.expect("`scripts/deps test` installs openssl");
        assert!(made.status.success(), "{words}: {}", String::from_utf8_lossy(&made.stderr));
    }
}

pub fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
