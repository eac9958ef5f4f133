//! ECDSA signatures in DER (RFC 3279 §2.2.3, X.690 §8.3 and §10), as authenticators write them: `SEQUENCE { r, s }` in its one
//! form, so that a signature is one text.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
/// Of a coordinate of P-256.
const BYTES: usize = 32;

/// r‖s. `None`: it is not the one encoding of two positive numbers of at most 32 bytes.
pub(super) fn raw_signature(der: &[u8]) -> Option<[u8; 2 * BYTES]> {
    // Two such numbers take 70 bytes: every length is in its short form.
    let (content, rest) = element(SEQUENCE, der)?;
    let (r, content) = element(INTEGER, content)?;
    let (s, content) = element(INTEGER, content)?;
    if !rest.is_empty() || !content.is_empty() {
        return None;
    }
    let mut raw = [0; 2 * BYTES];
    let (left, right) = raw.split_at_mut(BYTES);
    write(r, left)?;
    write(s, right)?;
    Some(raw)
}

/// The content of the element that is first, and what follows it.
fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = bytes.split_first_chunk::<2>()?;
    (found == tag && length < 0x80).then(|| rest.split_at_checked(usize::from(length)))?
}

/// A positive INTEGER, right-aligned: no sign bit, and a leading zero only where it keeps that bit from being one.
fn write(integer: &[u8], out: &mut [u8]) -> Option<()> {
    let magnitude = match integer {
        [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => rest,
        [first, ..] if (1..0x80).contains(first) => integer,
        _ => return None,
    };
    let start = out.len().checked_sub(magnitude.len())?;
    out.get_mut(start..)?.copy_from_slice(magnitude);
    Some(())
}
