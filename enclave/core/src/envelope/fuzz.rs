//! The envelope's parsers under arbitrary bytes.

use super::{Share, layout, open, payload};
use crate::root::Roots;
use crate::secret::Secret;
use wire::Canonical;
use wire::envelope::{Envelope, MAX_ENVELOPE};

/// Reads `data` as everything that arrives as an envelope. Never panics, except to report a finding: that the
/// strict parser and the general decoder disagree.
pub fn fuzz_envelope(data: &[u8]) {
    let strict = layout::parse(data).is_ok();
    let general = Envelope::from_bytes(data)
        .is_ok_and(|envelope| layout::admissible(&envelope) && data.len() <= MAX_ENVELOPE);
    assert_eq!(strict, general, "the strict parser and the general decoder agree");
    let _ = payload::parse(data).is_ok();
    if let (Ok(roots), Ok(share)) = (Roots::new(1, &Secret::copied(&[1; 32])), Share::parse(&[2; 32])) {
        let _ = open(data, &share, &roots).is_ok();
    }
}
