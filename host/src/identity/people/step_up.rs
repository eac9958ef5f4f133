//! A passkey's word for one request of a person who is signed in: over the hash of what the device signed, so that it is good for
//! that request and no other. It comes in a field beside the signature, which it cannot be part of.

use super::super::ask::Denied;
use super::super::passkey::{self, Asserted, Assertion, Expected};
use super::super::{Refusal, Session};
use super::enter::refused;
use super::model::passkey_id;
use crate::signatures::Signed;
use crate::store::Store;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wire::PasskeyId;
use wire::identity::RelyingParty;
use wire::transcript::{Transcript, domain};

/// Four texts in base64url with a full stop between two: the credential's id, `authenticatorData`, `clientDataJSON`, the signature.
const FIELD: &str = "passkey-assertion";

/// A passkey of the person's, asked a moment ago for this very request.
#[derive(Clone, Copy, Debug)]
pub struct Fresh {
    pub passkey: PasskeyId,
    pub asserted: Asserted,
}

impl Fresh {
    /// `None`: the request brings no such word. One that is wrong is refused, whatever was asked.
    pub async fn read(
        store: &Store,
        parties: &[RelyingParty],
        signed: &Signed<'_>,
        session: &Session,
    ) -> Result<Option<Fresh>, Denied> {
        let Some(field) = signed.dangerous_uncovered(FIELD)? else { return Ok(None) };
        let [credential, authenticator, client, signature] = parts(field).ok_or(Refusal::PasskeyRefused)?;
        let id = passkey_id(&credential);
        let found = store.passkey(id).await.map_err(super::super::admission::denied)?;
        // Another person's is none.
        let passkey = found.filter(|passkey| passkey.person == session.person);
        let passkey = passkey.ok_or(Refusal::PasskeyRefused)?;
        let challenge = challenge(&signed.base_hash());
        let assertion = Assertion { client: &client, authenticator: &authenticator, signature: &signature };
        let expected = Expected { challenge: &challenge, parties };
        let asserted = passkey::assert(assertion, &passkey.credential, expected).map_err(refused)?;
        Ok(Some(Fresh { passkey: id, asserted }))
    }
}

fn parts(field: &str) -> Option<[Vec<u8>; 4]> {
    let parts = field.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).ok()).collect::<Option<Vec<_>>>()?;
    parts.try_into().ok()
}

/// docs/spec/people.md §9.
pub fn challenge(base_hash: &[u8; 32]) -> [u8; 32] {
    let mut challenge = [0; 32];
    let hash = digest(&SHA256, &Transcript::new(domain::STEP_UP).field(base_hash).bytes());
    challenge.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    challenge
}
