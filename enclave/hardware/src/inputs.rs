//! What the image gives the program besides itself: files in `/measured`, all of them part of PCR0 and PCR2 (docs/spec/image.md §1).

use enclave::egress::Trust;
use std::io::ErrorKind;
use std::path::Path;
use verify::Root;

/// The sandbox's root, DER: an image that has it reaches made-up exchanges and nothing else, and says so in its identity.
const SANDBOX_ROOT: &str = "sandbox-root.der";
/// A development signer's root, DER: an image for a sandbox that has it hands its roots to emulated machines that this signer
/// vouches for, and takes theirs.
const PEERS_ROOT: &str = "peers-root.der";
/// Where the image has them.
pub const MEASURED: &str = "/measured";

/// An input that is there cannot be read, or is not what its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadInput(pub &'static str);

/// Whom to believe.
///
/// INVARIANT: only what is measured decides this. No frame, argument or environment leads here.
#[derive(Debug)]
pub struct Inputs {
    /// To be an exchange: the world's roots, unless the image has a sandbox's.
    pub trust: Trust,
    /// To be a peer: hardware vendors, and in a sandbox whom this root vouches for.
    pub peers: Option<Root>,
}

impl Inputs {
    /// The inputs in this folder.
    pub fn read(measured: &Path) -> Result<Inputs, BadInput> {
        let peers = read(measured, PEERS_ROOT)?;
        let (trust, peers) = match (read(measured, SANDBOX_ROOT)?, peers) {
            (None, None) => (Trust::live(), None),
            // Among the real exchanges an emulated machine is nobody's peer: such an image was made by mistake, or worse.
            (None, Some(_)) => return Err(BadInput(PEERS_ROOT)),
            (Some(root), peers) => (sandbox(&root)?, peers),
        };
        let peers = peers.map(|der| Root::dangerous_from_der(&der)).transpose();
        Ok(Inputs { trust, peers: peers.map_err(|_| BadInput(PEERS_ROOT))? })
    }
}

fn sandbox(root: &[u8]) -> Result<Trust, BadInput> {
    Trust::sandbox(root).map_err(|_| BadInput(SANDBOX_ROOT))
}

/// `None`: the image does not have it. One that is there and cannot be read never counts as missing.
fn read(measured: &Path, name: &'static str) -> Result<Option<Vec<u8>>, BadInput> {
    match std::fs::read(measured.join(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(_) => Err(BadInput(name)),
    }
}

#[cfg(test)]
mod tests;
