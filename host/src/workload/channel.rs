//! How a process that was started with a socket gets its certificates over it: it shows that it holds a key, and who
//! started it, and so knows its role, certifies that key for that role.

use super::authority::{Authority, Issued, Proven};
use super::credential::{Credential, Unusable};
use crate::calls::Role;
use crate::clock::Clock;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use wire::transcript::{Transcript, domain};

/// A point of P-256, uncompressed.
const KEY: usize = 65;
/// `r ‖ s`.
const SIGNATURE: usize = 64;
/// A certificate of ours has some hundred bytes.
const CERTIFICATE: usize = 4096;

/// Asks for a certificate for a key that is made now.
///
/// # Errors
/// [`Unusable::NotGiven`]: whoever started us gave none. Cancelling it leaves the channel of no use.
pub(super) async fn ask(channel: &mut UnixStream, role: Role, clock: &Clock) -> Result<Credential, Unusable> {
    let (document, request) = make(role).ok_or(Unusable::NotMade)?;
    let answered = exchange(channel, &request).await;
    let Issued { certificate, authority } = answered.map_err(|_| Unusable::NotGiven)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(document.as_ref()));
    Credential::new(role, vec![certificate], &key, vec![authority], clock)
}

/// A new private key, and the request for it: `public key ‖ signature`.
fn make(role: Role) -> Option<(aws_lc_rs::pkcs8::Document, [u8; KEY + SIGNATURE])> {
    let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).ok()?;
    let key = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).ok()?;
    let public = key.public_key().as_ref();
    let signature = key.sign(&random, &signed(role, public)).ok()?;
    let request = [public, signature.as_ref()].concat();
    Some((document, request.try_into().ok()?))
}

async fn exchange(channel: &mut UnixStream, request: &[u8]) -> io::Result<Issued> {
    channel.write_all(request).await?;
    let certificate = certificate(channel).await?;
    Ok(Issued { certificate, authority: self::certificate(channel).await? })
}

async fn certificate(channel: &mut UnixStream) -> io::Result<CertificateDer<'static>> {
    let length = usize::from(channel.read_u16().await?);
    if length > CERTIFICATE {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    channel.read_exact(&mut bytes).await?;
    Ok(CertificateDer::from(bytes))
}

/// Certifies keys of the process at the other end, for the role in which it was started and no other, until it closes its
/// end.
///
/// # Errors
/// What it asked is no request, or not for its role; or its end was lost. It gets no more certificates.
pub async fn serve(authority: Arc<Authority>, role: Role, mut channel: UnixStream) -> io::Result<()> {
    let mut request = [0; KEY + SIGNATURE];
    while begins(&mut channel, &mut request).await? {
        let proven = prove(role, &request).ok_or(io::ErrorKind::PermissionDenied)?;
        let issued = authority.issue(role, &proven).map_err(io::Error::other)?;
        let mut answer = Vec::new();
        for certificate in [&issued.certificate, &issued.authority] {
            let length = u16::try_from(certificate.len()).map_err(io::Error::other)?;
            answer.extend_from_slice(&length.to_be_bytes());
            answer.extend_from_slice(certificate);
        }
        channel.write_all(&answer).await?;
    }
    Ok(())
}

/// The next request; false at a clean end.
async fn begins(channel: &mut UnixStream, request: &mut [u8]) -> io::Result<bool> {
    let [first, rest @ ..] = request else { return Ok(false) };
    if channel.read(std::slice::from_mut(first)).await? == 0 {
        return Ok(false);
    }
    channel.read_exact(rest).await?;
    Ok(true)
}

fn prove(role: Role, request: &[u8; KEY + SIGNATURE]) -> Option<Proven> {
    let (public, signature) = request.split_at(KEY);
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public);
    key.verify(&signed(role, public), signature).ok()?;
    Some(Proven(public.to_vec()))
}

fn signed(role: Role, public: &[u8]) -> Vec<u8> {
    Transcript::new(domain::ROLE_CERTIFICATE).field(role.name().as_bytes()).field(public).bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::authority;

    #[tokio::test]
    async fn a_key_is_certified_for_the_role_of_the_process_and_for_no_other() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        tokio::spawn(serve(authority(), Role::Egress, theirs));
        let clock = Clock::system();
        for _ in 0..2 {
            let credential = ask(&mut ours, Role::Egress, &clock).await.unwrap();
            assert!(format!("{credential:?}").ends_with("/role/egress)"));
        }
        // One that says that it is another role gets nothing, then or later.
        assert_eq!(ask(&mut ours, Role::Relay, &clock).await.unwrap_err(), Unusable::NotGiven);
        assert_eq!(ask(&mut ours, Role::Egress, &clock).await.unwrap_err(), Unusable::NotGiven);
    }

    #[tokio::test]
    async fn a_key_that_the_process_does_not_hold_is_not_certified() {
        let (_, request) = make(Role::Relay).unwrap();
        assert!(prove(Role::Relay, &request).is_some());
        for place in 0..request.len() {
            let mut altered = request;
            altered[place] ^= 1;
            assert!(prove(Role::Relay, &altered).is_none(), "byte {place}");
        }
        let (_, other) = make(Role::Relay).unwrap();
        let mut mixed = request;
        mixed[..KEY].copy_from_slice(&other[..KEY]);
        assert!(prove(Role::Relay, &mixed).is_none());
    }

    #[tokio::test]
    async fn half_a_request_and_an_authority_that_is_gone_give_nothing() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let serving = tokio::spawn(serve(authority(), Role::Relay, theirs));
        ours.write_all(&[4; KEY]).await.unwrap();
        ours.shutdown().await.unwrap();
        assert_eq!(serving.await.unwrap().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let asked = ask(&mut ours, Role::Relay, &Clock::system()).await;
        assert_eq!(asked.unwrap_err(), Unusable::NotGiven);
    }
}
