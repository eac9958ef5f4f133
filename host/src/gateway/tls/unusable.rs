//! Why a certificate or its key is not used: what is wrong with which file, and what to do.

use std::fmt::{Display, Formatter};
use std::io;
use std::path::PathBuf;

/// Whoever runs the host can mend each of them.
#[derive(Debug)]
pub enum Unusable {
    /// The file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// No file of this kind is so large.
    TooLarge(PathBuf),
    /// Others than its owner may read or write the key: its mode.
    Exposed(PathBuf, u32),
    /// No certificate in PEM is in it.
    NoCertificate(PathBuf),
    /// No private key in PEM, or more than one.
    NotOneKey(PathBuf),
    /// The key is encrypted under a passphrase, which nobody could type here.
    Locked(PathBuf),
    /// The key is of a kind that TLS 1.3 has no use for, or damaged.
    Key(PathBuf),
    /// Key and certificate do not belong together.
    OtherKey { key: PathBuf, certificate: PathBuf },
    /// It was over this many seconds ago.
    Expired(PathBuf, u64),
    /// It begins in this many seconds.
    NotYet(PathBuf, u64),
    /// An authority's own certificate, which no client takes for a server's.
    Authority(PathBuf),
    /// A certificate for another purpose than to be a server.
    OtherUse(PathBuf),
    /// It does not hold this name.
    OtherName(PathBuf, String),
    /// No X.509 certificate, or one that the library cannot read.
    Damaged(PathBuf),
    /// The library refuses our own settings.
    Library(rustls::Error),
}

impl Display for Unusable {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Unusable::Unreadable(path, error) => write!(
                f,
                "`{}` cannot be read: {error}; it has to be there, and the gateway's user has to be allowed to read it",
                path.display()
            ),
            Unusable::TooLarge(path) => {
                write!(f, "`{}` is too large for a certificate or key", path.display())
            }
            Unusable::Exposed(path, mode) => write!(
                f,
                "the key `{0}` may be read or written by others (mode {mode:04o}): `chmod 600 {0}`, and if others had access, get a new key and certificate",
                path.display()
            ),
            Unusable::NoCertificate(path) => write!(
                f,
                "`{}` holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`): name the chain, the server's own certificate first",
                path.display()
            ),
            Unusable::NotOneKey(path) => write!(
                f,
                "`{}` does not hold exactly one private key in PEM (`-----BEGIN PRIVATE KEY-----`)",
                path.display()
            ),
            Unusable::Locked(path) => write!(
                f,
                "the key `{}` is encrypted, and nobody is here to type its passphrase: `openssl pkey -in FILE -out FILE.plain`, with mode 600",
                path.display()
            ),
            Unusable::Key(path) => write!(
                f,
                "the key `{}` is damaged, or of a kind that cannot sign here: use ECDSA (P-256, P-384), Ed25519 or RSA",
                path.display()
            ),
            Unusable::OtherKey { key, certificate } => write!(
                f,
                "the key `{}` is not the one of the certificate `{}`: name the two that were made together",
                key.display(),
                certificate.display()
            ),
            Unusable::Expired(path, ago) => write!(
                f,
                "the certificate `{}` expired {} ago: have it renewed, or set this machine's clock",
                path.display(),
                span(*ago)
            ),
            Unusable::NotYet(path, wait) => write!(
                f,
                "the certificate `{}` is valid in {} only: set this machine's clock, or wait",
                path.display(),
                span(*wait)
            ),
            Unusable::Authority(path) => write!(
                f,
                "the first certificate in `{}` is an authority's (CA:TRUE), which clients refuse as a server's: put the server's own first, or make it with `basicConstraints=CA:FALSE`",
                path.display()
            ),
            Unusable::OtherUse(path) => write!(
                f,
                "the certificate `{}` is not for servers (extended key usage): get one with `serverAuth`",
                path.display()
            ),
            Unusable::OtherName(path, name) => write!(
                f,
                "the certificate `{}` is not for `{name}` (subject alternative name), which `--host` gives: get one that is, or give another name",
                path.display()
            ),
            Unusable::Damaged(path) => write!(f, "the certificate `{}` is damaged", path.display()),
            Unusable::Library(error) => write!(f, "the TLS library refuses its settings: {error}"),
        }
    }
}

impl std::error::Error for Unusable {}

fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
