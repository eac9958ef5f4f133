//! What QEMU's security module yields: the payload of a Nitro document, unsigned (QEMU, `hw/virtio/virtio-nsm.c`: the algorithm is -1, signature and
//! certificates are zeros).

use crate::authority::{Authority, SigningFailed, encode};
use minicbor::decode::Error;
use minicbor::{Decoder, data::Type};
use wire::UnixMillis;

/// How the name of every emulated machine begins (docs/spec/evidence.md §1.4).
const MODULE_PREFIX: &str = "dev-simulated-emulated-";
/// `{1: -1}`: no algorithm that there is.
const UNSIGNED: [u8; 3] = [0xa1, 0x01, 0x20];
/// No Nitro document is longer.
const MAX_DOCUMENT: usize = 16_384;

/// Why a document is not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSigned {
    /// Not the document of an emulation: hardware signs its own, and this never replaces that.
    NotEmulated,
    /// The emulated machine was not started with a name that says what it is.
    Unmarked,
    /// The cryptographic library failed.
    Library,
}

/// The emulated document with the development root's certificates in the place of the zeros, signed by its leaf. All else stays as the emulation wrote it.
pub fn sign(document: &[u8], authority: &mut Authority, now: UnixMillis) -> Result<Vec<u8>, NotSigned> {
    let payload = unsigned(document).ok_or(NotSigned::NotEmulated)?;
    let members = members(payload).map_err(|_| NotSigned::NotEmulated)?;
    let name = members.iter().find(|(key, _)| *key == "module_id").map(|(_, value)| *value);
    let name = name.and_then(|value| Decoder::new(value).str().ok()).ok_or(NotSigned::NotEmulated)?;
    if !name.starts_with(MODULE_PREFIX) {
        return Err(NotSigned::Unmarked);
    }
    let payload = certified(&members, authority, now).map_err(|SigningFailed| NotSigned::Library)?;
    authority.sign(&payload).map_err(|SigningFailed| NotSigned::Library)
}

fn certified(
    members: &[(&str, &[u8])],
    authority: &mut Authority,
    now: UnixMillis,
) -> Result<Vec<u8>, SigningFailed> {
    let root = authority.root().to_vec();
    let leaf = authority.leaf(now)?;
    let leaf = encode(|e| e.bytes(leaf)?.ok())?;
    let bundle = encode(|e| e.array(1)?.bytes(&root)?.ok())?;
    let mut payload = encode(|e| e.map(members.len() as u64)?.ok())?;
    for (key, value) in members {
        payload.extend(encode(|e| e.str(key)?.ok())?);
        payload.extend_from_slice(match *key {
            "certificate" => &leaf,
            "cabundle" => &bundle,
            _ => value,
        });
    }
    Ok(payload)
}

/// The payload of a COSE_Sign1 that says that nobody signed it.
fn unsigned(document: &[u8]) -> Option<&[u8]> {
    let mut from = Decoder::new(document);
    if document.len() > MAX_DOCUMENT {
        return None;
    }
    if from.datatype().ok()? == Type::Tag {
        from.tag().ok()?;
    }
    let is_sign1 =
        from.array().ok()? == Some(4) && from.bytes().ok()? == UNSIGNED && from.map().ok()? == Some(0);
    let payload = from.bytes().ok()?;
    let is_zero = from.bytes().ok()?.iter().all(|byte| *byte == 0);
    (is_sign1 && is_zero && from.position() == document.len()).then_some(payload)
}

/// Key and value of each member, as they are encoded.
fn members(payload: &[u8]) -> Result<Vec<(&str, &[u8])>, Error> {
    let mut from = Decoder::new(payload);
    let count = from.map()?;
    let mut members = Vec::new();
    while count.is_none_or(|count| (members.len() as u64) < count) {
        if count.is_none() && from.datatype()? == Type::Break {
            from.skip()?;
            break;
        }
        let key = from.str()?;
        let start = from.position();
        from.skip()?;
        members.push((key, payload.get(start..from.position()).ok_or(Error::end_of_input())?));
    }
    if from.position() == payload.len() {
        Ok(members)
    } else {
        Err(Error::message("more behind the payload"))
    }
}

#[cfg(test)]
mod tests;
