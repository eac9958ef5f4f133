//! Which certificates are used, and what is said of the others.

use super::{Files, Tls, Unusable};
use crate::testing::Folder;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::ServerName;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use wire::UnixMillis;

const NAME: &str = "vault.example";
/// 2026-01-01, and a day.
const NOW: u64 = 1_767_225_600;
const DAY: u64 = 86_400;

fn moment(seconds: u64) -> UnixMillis {
    UnixMillis(seconds * 1000)
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::new(vec![NAME.to_owned(), "192.0.2.7".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2025, 12, 1);
    params.not_after = rcgen::date_time_ymd(2026, 2, 1);
    params
}

fn files(folder: &Folder) -> Files {
    Files { certificate: folder.path().join("chain.pem"), key: folder.path().join("key.pem") }
}

fn write(path: &Path, text: &str, mode: u32) {
    let _ = std::fs::remove_file(path);
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn put(folder: &Folder, params: CertificateParams, key: &KeyPair) -> Files {
    let files = files(folder);
    write(&files.certificate, &params.self_signed(key).unwrap().pem(), 0o644);
    write(&files.key, &key.serialize_pem(), 0o600);
    files
}

/// TLS with a certificate that is valid now.
pub fn example(folder: &Folder) -> Tls {
    let mut params = params();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(4000, 1, 1);
    load(&put(folder, params, &KeyPair::generate().unwrap())).unwrap()
}

fn load_at(files: &Files, names: &[&str], seconds: u64) -> Result<Tls, Unusable> {
    let names = names.iter().map(|name| ServerName::try_from((*name).to_owned()).unwrap()).collect();
    Tls::load(files.clone(), names, moment(seconds))
}

fn load(files: &Files) -> Result<Tls, Unusable> {
    load_at(files, &[NAME], NOW)
}

#[test]
fn a_certificate_that_clients_would_take_is_used() {
    let folder = Folder::new();
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
        let files = put(&folder, params(), &KeyPair::generate_for(algorithm).unwrap());
        assert!(load_at(&files, &[NAME, "192.0.2.7"], NOW).is_ok());
    }
}

#[test]
fn one_that_clients_would_refuse_is_refused_with_what_to_do() {
    let folder = Folder::new();
    let key = KeyPair::generate().unwrap();
    let files = put(&folder, params(), &key);
    let mut expected = vec![
        (load_at(&files, &[NAME], NOW + 100 * DAY), "expired 69 days ago"),
        (load_at(&files, &[NAME], NOW - 100 * DAY), "valid in 69 days only"),
        (load_at(&files, &[NAME, "other.example"], NOW), "not for `other.example`"),
        (load_at(&files, &["192.0.2.8"], NOW), "not for `192.0.2.8`"),
    ];
    let mut authority = params();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    expected.push((load(&put(&folder, authority, &key)), "CA:FALSE"));
    let mut client = params();
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    expected.push((load(&put(&folder, client, &key)), "serverAuth"));
    for (outcome, said) in expected {
        let error = outcome.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(said) && error.contains("chain.pem"), "{said}: {error}");
    }
}

#[test]
fn a_file_that_is_not_what_it_should_be_is_named_with_what_to_do() {
    let folder = Folder::new();
    let key = KeyPair::generate().unwrap();
    let files = put(&folder, params(), &key);
    let (chain, secret) = (std::fs::read_to_string(&files.certificate).unwrap(), key.serialize_pem());
    let other = KeyPair::generate().unwrap().serialize_pem();
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let damaged = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let two = [secret.as_str(), other.as_str()].concat();
    for (certificate, key, mode, said) in [
        ("", secret.as_str(), 0o600, "holds no certificate in PEM"),
        ("\x30\x03", &secret, 0o600, "holds no certificate in PEM"),
        (&secret, &secret, 0o600, "holds no certificate in PEM"),
        (no_certificate, &secret, 0o600, "is damaged"),
        (&chain, "", 0o600, "exactly one private key"),
        (&chain, &chain, 0o600, "exactly one private key"),
        (&chain, &two, 0o600, "exactly one private key"),
        (&chain, locked, 0o600, "is encrypted"),
        (&chain, damaged, 0o600, "is damaged, or of a kind"),
        (&chain, &other, 0o600, "is not the one of the certificate"),
        (&chain, &secret, 0o640, "chmod 600"),
        (&chain, &secret, 0o604, "chmod 600"),
        (&"x".repeat(300_000), &secret, 0o600, "too large"),
    ] {
        write(&files.certificate, certificate, 0o644);
        write(&files.key, key, mode);
        let error = load(&files).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(said), "{said}: {error}");
        assert!(!error.contains(secret.lines().nth(1).unwrap()), "no key is said");
    }
    for (gone, kept) in [(&files.certificate, &files.key), (&files.key, &files.certificate)] {
        write(&files.certificate, &chain, 0o644);
        write(&files.key, &secret, 0o600);
        std::fs::remove_file(gone).unwrap();
        let error = load(&files).unwrap_err().to_string();
        assert!(error.contains(gone.to_str().unwrap()) && error.contains("cannot be read"), "{error}");
        assert!(!error.contains(kept.to_str().unwrap()), "{error}");
    }
}

#[test]
fn a_broken_new_certificate_leaves_the_one_from_before_in_use() {
    let folder = Folder::new();
    let tls = load(&put(&folder, params(), &KeyPair::generate().unwrap())).unwrap();
    let in_use = || tls.presented.certificate.read().unwrap().cert.clone();
    let before = in_use();
    let next = put(&folder, params(), &KeyPair::generate().unwrap());
    assert!(tls.renew(moment(NOW + 100 * DAY)).is_err());
    write(&next.key, &KeyPair::generate().unwrap().serialize_pem(), 0o600);
    assert!(tls.renew(moment(NOW)).is_err());
    assert_eq!(in_use(), before);
    put(&folder, params(), &KeyPair::generate().unwrap());
    tls.renew(moment(NOW)).unwrap();
    assert_ne!(in_use(), before);
}
