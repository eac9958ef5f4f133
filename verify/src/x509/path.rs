//! A path from a pinned root to the evidence certificate (RFC 5280 §6, for a path that is given): everything that
//! needs no clock.

use super::algorithm::{Algorithm, Key};
use super::certificate::Certificate;
use crate::Refused;

/// Whether the leaf has to say that its key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeafUsage {
    /// `keyUsage` with digitalSignature.
    Stated,
    /// AMD's certificates have no `keyUsage`; where there is one, it has to allow signatures.
    MayBeUnsaid,
}

/// Checks names, signatures and constraints along `path`: the pinned root first, the leaf last (m03).
///
/// That the first certificate *is* a pinned root is the caller's check, by its bytes; its own signature says nothing.
pub(crate) fn check_path(path: &[&Certificate<'_>], usage: LeafUsage) -> Result<(), Refused> {
    let (leaf, authorities) = path.split_last().ok_or(Refused::Malformed)?;
    for (below, authority) in (0..authorities.len()).rev().zip(authorities) {
        check_authority(authority, below)?;
    }
    check_leaf(leaf, usage)?;
    for (issuer, subject) in path.iter().zip(path.iter().skip(1)) {
        if subject.issuer != issuer.subject {
            return Err(Refused::CertificateIssuer);
        }
        if !subject.is_signed_by(issuer) {
            return Err(Refused::CertificateSignature);
        }
    }
    Ok(())
}

/// `below` is the number of authorities between this one and the leaf.
fn check_authority(certificate: &Certificate<'_>, below: usize) -> Result<(), Refused> {
    let constraints = certificate.extensions.basic_constraints.ok_or(Refused::NotAnAuthority)?;
    if !constraints.ca || !constraints.critical {
        return Err(Refused::NotAnAuthority);
    }
    if constraints.path_length.is_some_and(|longest| below > usize::from(longest)) {
        return Err(Refused::PathLength);
    }
    match certificate.extensions.key_usage {
        Some(usage) if usage.key_cert_sign => Ok(()),
        _ => Err(Refused::KeyUsage),
    }
}

fn check_leaf(certificate: &Certificate<'_>, usage: LeafUsage) -> Result<(), Refused> {
    if certificate.extensions.basic_constraints.is_some_and(|constraints| constraints.ca) {
        return Err(Refused::LeafIsAnAuthority);
    }
    match certificate.extensions.key_usage {
        Some(usage) if usage.digital_signature && !usage.key_cert_sign => Ok(()),
        None if usage == LeafUsage::MayBeUnsaid => Ok(()),
        _ => Err(Refused::KeyUsage),
    }
}

/// Whether each key of the path is one that its vendor uses, and each signature one that such keys make.
pub(crate) fn check_algorithms(
    path: &[&Certificate<'_>],
    algorithm: Algorithm,
    is_key: impl Fn(Key<'_>) -> bool,
) -> Result<(), Refused> {
    let fits =
        |certificate: &&Certificate<'_>| certificate.signed.algorithm == algorithm && is_key(certificate.key);
    if path.iter().all(fits) { Ok(()) } else { Err(Refused::CertificateAlgorithm) }
}
