//! Certificates in files: for a process on another machine, whose agent keeps them new, and for commands of the host's
//! user, for whom our own authority does.

use super::authority::Authority;
use super::credential::{Credential, Unusable};
use crate::calls::Role;
use crate::clock::Clock;
use crate::log;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use zeroize::Zeroizing;

/// The names that SPIFFE's own helper gives them.
const CHAIN: &str = "svid.pem";
const KEY: &str = "svid_key.pem";
const BUNDLE: &str = "svid_bundle.pem";
/// A chain, or the authorities of one trust domain.
const SIZE: u64 = 64 << 10;
/// How often it is looked whether a certificate is due.
const LOOK: Duration = Duration::from_secs(1);

/// What the files in a folder hold now.
pub(super) fn read(folder: &Path, role: Role, clock: &Clock) -> Result<Credential, Unusable> {
    let [chain, authorities] = [CHAIN, BUNDLE].map(|name| {
        let bytes = read_file(&folder.join(name), |_| true)?;
        let read = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
        read.map_err(|_| Unusable::Damaged)
    });
    // Others who may read it are as good as we.
    let key = read_file(&folder.join(KEY), |mode| mode & 0o077 == 0)?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| Unusable::Damaged)?;
    Credential::new(role, chain?, &key, authorities?, clock)
}

fn read_file(path: &Path, may: impl FnOnce(u32) -> bool) -> Result<Zeroizing<Vec<u8>>, Unusable> {
    let file = File::open(path).map_err(|_| Unusable::Unreadable)?;
    let found = file.metadata().map_err(|_| Unusable::Unreadable)?;
    if !may(found.mode()) || found.len() > SIZE {
        return Err(Unusable::Unreadable);
    }
    // Grown, it would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(SIZE as usize + 1));
    file.take(SIZE).read_to_end(&mut bytes).map_err(|_| Unusable::Unreadable)?;
    Ok(bytes)
}

/// A folder in which our authority keeps a certificate and key of one role new. It goes with this.
#[derive(Debug)]
pub struct Published {
    authority: Arc<Authority>,
    folder: PathBuf,
    role: Role,
    written: Credential,
    me: Role,
}

impl Published {
    /// Makes the folder, for its owner alone, and writes the first certificate of `role`. `me` is who does.
    pub fn make(me: Role, authority: Arc<Authority>, folder: PathBuf, role: Role) -> io::Result<Published> {
        DirBuilder::new().mode(0o700).create(&folder)?;
        let written = write(&authority, &folder, role)?;
        Ok(Published { authority, folder, role, written, me })
    }

    /// Writes another one whenever one is due, until it is dropped.
    pub async fn keep(mut self) -> std::convert::Infallible {
        loop {
            sleep(LOOK).await;
            if !self.written.is_due(self.authority.clock().now()) {
                continue;
            }
            match write(&self.authority, &self.folder, self.role) {
                Ok(written) => self.written = written,
                Err(error) => {
                    log::line(self.me, format_args!("no certificate for {}: {error}", self.role.name()));
                }
            }
        }
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn write(authority: &Authority, folder: &Path, role: Role) -> io::Result<Credential> {
    let (credential, key) = authority.credential(role).map_err(io::Error::other)?;
    replace(&folder.join(BUNDLE), pem(slice::from_ref(authority.certificate())).as_bytes())?;
    replace(&folder.join(KEY), Zeroizing::new(key.serialize_pem()).as_bytes())?;
    replace(&folder.join(CHAIN), pem(credential.chain()).as_bytes())?;
    Ok(credential)
}

/// RFC 7468.
fn pem(certificates: &[CertificateDer<'_>]) -> String {
    let mut text = String::new();
    for certificate in certificates {
        let base64 = STANDARD.encode(certificate);
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for (place, character) in (1..).zip(base64.chars()) {
            text.push(character);
            if place % 64 == 0 || place == base64.len() {
                text.push('\n');
            }
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = path.with_extension("next");
    match std::fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().mode(0o600).create_new(true).write(true).open(&next)?;
    file.write_all(bytes)?;
    std::fs::rename(&next, path)
}
