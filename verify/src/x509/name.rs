//! Distinguished names: compared by their bytes; looked into for one attribute only.

use super::der::{OID, Reader, SEQUENCE, SET};
use crate::Refused;

/// organizationName, 2.5.4.10.
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

/// Whether the contents of a Name carry this organisation.
pub(super) fn has_organization(name: &[u8], organization: &str) -> Result<bool, Refused> {
    let mut found = false;
    let mut sets = Reader::new(name);
    while !sets.is_empty() {
        let mut attributes = sets.enter(SET)?;
        while !attributes.is_empty() {
            let mut attribute = attributes.enter(SEQUENCE)?;
            let kind = attribute.expect(OID)?.contents;
            let value = attribute.element()?.contents;
            attribute.finish()?;
            found |= kind == ORGANIZATION && value == organization.as_bytes();
        }
    }
    Ok(found)
}
