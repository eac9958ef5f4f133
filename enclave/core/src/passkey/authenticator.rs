//! `authenticatorData` of an assertion (WebAuthn §6.1).

use super::Fault;
use minicbor::Decoder;

/// Hash of the RP ID, flags, counter; extension outputs may follow.
const FIXED: usize = 32 + 1 + 4;
/// The largest: what authenticators answer to extensions is some tens of bytes each.
const MAX_BYTES: usize = 1024;

const USER_PRESENT: u8 = 1 << 0;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
/// Of registrations alone.
const ATTESTED_CREDENTIAL: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;
/// Bits 1 and 5: nobody knows yet what they will say.
const RESERVED: u8 = 1 << 1 | 1 << 5;

pub(super) struct Authenticator {
    /// SHA-256 of the RP ID.
    pub(super) relying_party: [u8; 32],
    pub(super) user_present: bool,
    pub(super) user_verified: bool,
    pub(super) backup_eligible: bool,
    pub(super) backed_up: bool,
}

impl Authenticator {
    pub(super) fn parse(bytes: &[u8]) -> Result<Authenticator, Fault> {
        if bytes.len() > MAX_BYTES {
            return Err(Fault::Authenticator);
        }
        let (fixed, extensions) = bytes.split_first_chunk::<FIXED>().ok_or(Fault::Authenticator)?;
        let (relying_party, rest) = fixed.split_first_chunk::<32>().ok_or(Fault::Authenticator)?;
        let flags = *rest.first().ok_or(Fault::Authenticator)?;
        let has = |flag: u8| flags & flag != 0;
        let is_whole = if has(EXTENSIONS) { is_map(extensions) } else { extensions.is_empty() };
        if has(RESERVED) || has(ATTESTED_CREDENTIAL) || !is_whole {
            return Err(Fault::Authenticator);
        }
        Ok(Authenticator {
            relying_party: *relying_party,
            user_present: has(USER_PRESENT),
            user_verified: has(USER_VERIFIED),
            backup_eligible: has(BACKUP_ELIGIBLE),
            backed_up: has(BACKED_UP),
        })
    }
}

/// One CBOR map of extension names to anything, and nothing behind it. What extensions answer decides nothing here.
fn is_map(bytes: &[u8]) -> bool {
    let mut decoder = Decoder::new(bytes);
    let Ok(Some(members)) = decoder.map() else { return false };
    let whole = (0..members).all(|_| decoder.str().is_ok() && decoder.skip().is_ok());
    whole && decoder.position() == bytes.len()
}
