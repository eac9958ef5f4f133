//! What the image gives the program besides itself: files in `/measured`, all of them part of PCR0 and PCR2 (docs/spec/image.md §1).

use enclave::egress::Trust;
use std::io::ErrorKind;
use std::path::Path;

/// The sandbox's root, DER: an image that has it reaches made-up exchanges and nothing else, and says so in its identity.
const SANDBOX_ROOT: &str = "sandbox-root.der";
/// Where the image has them.
pub const MEASURED: &str = "/measured";

/// An input that is there cannot be read, or is not what its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadInput(pub &'static str);

/// Whom to believe to be an exchange: the world's roots, unless the image has a sandbox's.
///
/// INVARIANT: only what is measured decides this. No frame, argument or environment leads here.
pub fn trust(measured: &Path) -> Result<Trust, BadInput> {
    match std::fs::read(measured.join(SANDBOX_ROOT)) {
        Ok(root) => Trust::sandbox(&root).map_err(|_| BadInput(SANDBOX_ROOT)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Trust::live()),
        // There, and not readable: never fall back to the live roots.
        Err(_) => Err(BadInput(SANDBOX_ROOT)),
    }
}
