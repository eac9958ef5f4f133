//! `authenticatorData` (WebAuthn §6.1), and the credential that a registration has in it (§6.5.1).

use super::Fault;
use crate::identity::Public;
use crate::signatures::Algorithm;
use minicbor::Decoder;

/// Hash of the RP ID, flags, counter; a credential and extension outputs may follow.
const FIXED: usize = 32 + 1 + 4;
/// The largest: a credential id has at most 1,023 bytes, and what extensions answer is some tens of bytes each.
const MAX_BYTES: usize = 4096;
/// WebAuthn §4, Credential ID.
const MAX_CREDENTIAL: usize = 1023;

const USER_PRESENT: u8 = 1 << 0;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED_CREDENTIAL: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;
/// Bits 1 and 5: nobody knows yet what they will say.
const RESERVED: u8 = 1 << 1 | 1 << 5;

#[derive(Debug)]
pub(super) struct Authenticator {
    /// SHA-256 of the RP ID.
    pub relying_party: [u8; 32],
    pub user_present: bool,
    pub user_verified: bool,
    pub backup_eligible: bool,
    pub backed_up: bool,
    pub counter: u32,
    /// Of registrations alone.
    pub credential: Option<Attested>,
}

/// A credential that was made.
#[derive(Debug)]
pub(super) struct Attested {
    pub id: Vec<u8>,
    pub public: Public,
}

impl Authenticator {
    pub(super) fn parse(bytes: &[u8]) -> Result<Authenticator, Fault> {
        if bytes.len() > MAX_BYTES {
            return Err(Fault::Authenticator);
        }
        let (fixed, rest) = bytes.split_first_chunk::<FIXED>().ok_or(Fault::Authenticator)?;
        let (relying_party, numbers) = fixed.split_first_chunk::<32>().ok_or(Fault::Authenticator)?;
        let &[flags, ref counter @ ..] = numbers else { return Err(Fault::Authenticator) };
        let counter = counter.try_into().map(u32::from_be_bytes).map_err(|_| Fault::Authenticator)?;
        let has = |flag: u8| flags & flag != 0;
        let (credential, extensions) = match has(ATTESTED_CREDENTIAL) {
            true => attested(rest).map(|(credential, rest)| (Some(credential), rest))?,
            false => (None, rest),
        };
        let is_whole = if has(EXTENSIONS) { is_map(extensions) } else { extensions.is_empty() };
        if has(RESERVED) || !is_whole {
            return Err(Fault::Authenticator);
        }
        Ok(Authenticator {
            relying_party: *relying_party,
            user_present: has(USER_PRESENT),
            user_verified: has(USER_VERIFIED),
            backup_eligible: has(BACKUP_ELIGIBLE),
            backed_up: has(BACKED_UP),
            counter,
            credential,
        })
    }
}

/// The kind of authenticator (16 bytes, which say nothing that was attested), the credential's id and key; and what follows.
fn attested(bytes: &[u8]) -> Result<(Attested, &[u8]), Fault> {
    let (head, rest) = bytes.split_first_chunk::<18>().ok_or(Fault::Authenticator)?;
    let &[.., high, low] = head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let split = rest.split_at_checked(length).filter(|_| (1..=MAX_CREDENTIAL).contains(&length));
    let (id, rest) = split.ok_or(Fault::Authenticator)?;
    let mut decoder = Decoder::new(rest);
    let public = public_key(&mut decoder).ok_or(Fault::Key)?;
    let rest = rest.get(decoder.position()..).ok_or(Fault::Authenticator)?;
    Ok((Attested { id: id.to_vec(), public }, rest))
}

/// A COSE_Key (RFC 9053 §7, WebAuthn §5.8.5) in its canonical form. `None`: of another algorithm than ES256 and EdDSA (Ed25519), or
/// no point of its curve.
fn public_key(key: &mut Decoder<'_>) -> Option<Public> {
    let members = key.map().ok()??;
    let kind = labelled(key, 1)?;
    let algorithm = labelled(key, 3)?;
    let curve = labelled(key, -1)?;
    let x = coordinate(key, -2)?;
    let public = match (members, kind, algorithm, curve) {
        (5, 2, -7, 1) => {
            let y = coordinate(key, -3)?;
            Public::new(Algorithm::EcdsaP256Sha256, &[&[4], x, y].concat())
        }
        (4, 1, -8, 6) => Public::new(Algorithm::Ed25519, x),
        _ => return None,
    };
    public.ok()
}

fn labelled(key: &mut Decoder<'_>, label: i8) -> Option<i8> {
    (key.i8().ok()? == label).then(|| key.i8().ok())?
}

fn coordinate<'b>(key: &mut Decoder<'b>, label: i8) -> Option<&'b [u8]> {
    let bytes = (key.i8().ok()? == label).then(|| key.bytes().ok())??;
    (bytes.len() == 32).then_some(bytes)
}

/// One CBOR map of extension names to anything, and nothing behind it. What extensions answer decides nothing here.
fn is_map(bytes: &[u8]) -> bool {
    let mut decoder = Decoder::new(bytes);
    let Ok(Some(members)) = decoder.map() else { return false };
    let whole = (0..members).all(|_| decoder.str().is_ok() && decoder.skip().is_ok());
    whole && decoder.position() == bytes.len()
}

/// `authData` of an attestation object (WebAuthn §6.5.4): a map of three members, each once and nothing behind them. What is
/// attested was not asked for, and is not looked at.
pub(super) fn authenticator_data(object: &[u8]) -> Result<&[u8], Fault> {
    read_object(object).ok_or(Fault::Attestation)
}

fn read_object(object: &[u8]) -> Option<&[u8]> {
    let mut decoder = Decoder::new(object);
    if decoder.map().ok()?? != 3 {
        return None;
    }
    let (mut format, mut statement, mut data) = (None, None, None);
    for _ in 0..3 {
        let fresh = match decoder.str().ok()? {
            "fmt" => format.replace(decoder.str().ok()?).is_none(),
            "attStmt" => statement.replace(decoder.skip().ok()?).is_none(),
            "authData" => data.replace(decoder.bytes().ok()?).is_none(),
            _ => false,
        };
        if !fresh {
            return None;
        }
    }
    data.filter(|_| decoder.position() == object.len())
}
