//! Reading a certificate and its key, and refusing what clients would refuse.

use super::unusable::Unusable;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error, RootCertStore};
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wire::UnixMillis;
use zeroize::{Zeroize, Zeroizing};

/// A chain is a few KiB.
const MOST: usize = 256 << 10;

/// Where certificate and key are; both in PEM.
#[derive(Clone, Debug)]
pub struct Files {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// Its private key, which its owner alone may read.
    pub key: PathBuf,
}

impl Files {
    /// The certificate with its key, if clients would take it for `names` now.
    pub(super) fn read(
        &self,
        names: &[ServerName<'_>],
        now: UnixMillis,
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, Unusable> {
        let chain = self.chain()?;
        let mut key = self.key()?;
        let signing = provider.key_provider.load_private_key(key.clone_key());
        key.zeroize();
        let certified = CertifiedKey::new(chain, signing.map_err(|_| Unusable::Key(self.key.clone()))?);
        self.check(&certified, names, now, provider)?;
        Ok(certified)
    }

    /// What tells that a file was replaced: of each its folder entry, time and size.
    pub(super) fn stamp(&self) -> [Option<Stamp>; 2] {
        [&self.certificate, &self.key].map(|path| path.metadata().ok().map(|found| Stamp::of(&found)))
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, Unusable> {
        let path = &self.certificate;
        let bytes = read(path, |_| Ok(()))?;
        let chain = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>().unwrap_or_default();
        if chain.is_empty() { Err(Unusable::NoCertificate(path.clone())) } else { Ok(chain) }
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, Unusable> {
        let path = &self.key;
        let bytes = read(path, |found| private(path, found))?;
        let mut keys =
            PrivateKeyDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>().unwrap_or_default();
        if is_locked(&bytes) {
            return Err(Unusable::Locked(path.clone()));
        }
        match (keys.pop(), keys.is_empty()) {
            (Some(key), true) => Ok(key),
            _ => Err(Unusable::NotOneKey(path.clone())),
        }
    }

    fn check(
        &self,
        certified: &CertifiedKey,
        names: &[ServerName<'_>],
        now: UnixMillis,
        provider: &CryptoProvider,
    ) -> Result<(), Unusable> {
        let path = &self.certificate;
        let [own, intermediates @ ..] = &certified.cert[..] else {
            return Err(Unusable::NoCertificate(path.clone()));
        };
        let own = ParsedCertificate::try_from(own).map_err(|_| Unusable::Damaged(path.clone()))?;
        certified
            .keys_match()
            .map_err(|_| Unusable::OtherKey { key: self.key.clone(), certificate: path.clone() })?;
        // Whose authority it is, clients know and we do not: what is wrong with the certificate by itself is found first.
        let algorithms = provider.signature_verification_algorithms.all;
        let now = UnixTime::since_unix_epoch(Duration::from_millis(now.0));
        let checked = verify_server_cert_signed_by_trust_anchor(
            &own,
            &RootCertStore::empty(),
            intermediates,
            now,
            algorithms,
        );
        if let Err(error) = checked {
            self.refuse(&error, now)?;
        }
        let other = names.iter().find(|name| verify_server_name(&own, name).is_err());
        other.map_or(Ok(()), |name| Err(Unusable::OtherName(path.clone(), name.to_str().into_owned())))
    }

    /// That nobody vouches for it is no fault here.
    fn refuse(&self, error: &Error, now: UnixTime) -> Result<(), Unusable> {
        let path = self.certificate.clone();
        let Error::InvalidCertificate(error) = error else { return Err(Unusable::Damaged(path)) };
        match error {
            CertificateError::UnknownIssuer => Ok(()),
            CertificateError::ExpiredContext { not_after, .. } => {
                Err(Unusable::Expired(path, now.as_secs().saturating_sub(not_after.as_secs())))
            }
            CertificateError::NotValidYetContext { not_before, .. } => {
                Err(Unusable::NotYet(path, not_before.as_secs().saturating_sub(now.as_secs())))
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Err(Unusable::OtherUse(path))
            }
            CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
                Err(Unusable::Authority(path))
            }
            _ => Err(Unusable::Damaged(path)),
        }
    }
}

/// One state of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    entry: (u64, u64),
    changed: (i64, i64),
    size: u64,
}

impl Stamp {
    fn of(found: &Metadata) -> Stamp {
        Stamp {
            entry: (found.dev(), found.ino()),
            changed: (found.ctime(), found.ctime_nsec()),
            size: found.size(),
        }
    }
}

/// Reads a whole file that `may` be read. It is wiped afterwards, in the one place where it ever was.
fn read(
    path: &Path,
    may: impl FnOnce(&Metadata) -> Result<(), Unusable>,
) -> Result<Zeroizing<Vec<u8>>, Unusable> {
    let unreadable = |error| Unusable::Unreadable(path.to_owned(), error);
    let mut file = File::open(path).map_err(unreadable)?;
    may(&file.metadata().map_err(unreadable)?)?;
    let mut bytes = Zeroizing::new(vec![0; MOST]);
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest).map_err(unreadable)? {
            0 => break,
            count => filled += count,
        }
    }
    if filled == MOST {
        return Err(Unusable::TooLarge(path.to_owned()));
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn private(path: &Path, found: &Metadata) -> Result<(), Unusable> {
    let mode = found.mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(Unusable::Exposed(path.to_owned(), mode)) }
}

/// PKCS #8 under a passphrase (RFC 7468 §11), or the older form of PEM that says so in a header.
fn is_locked(bytes: &[u8]) -> bool {
    let marks: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED"];
    marks.iter().any(|mark| bytes.windows(mark.len()).any(|part| part == *mark))
}
