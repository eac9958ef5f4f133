//! The one joint between the core and a kind of TEE: who yields evidence.

use wire::UnixMillis;
use wire::identity::TeeKind;

/// The TEE yielded no evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestFailed;

/// Yields evidence that carries 64 bytes of the core's choosing.
///
/// An implementation answers within bounded time: a kernel interface that hangs is its failure, not the core's (m08).
pub trait Attester {
    fn kind(&self) -> TeeKind;

    /// A document over `report_data`, made at the claimed `time`. Hardware has a clock of its own and ignores `time`.
    fn attest(&mut self, report_data: &[u8; 64], time: UnixMillis) -> Result<Vec<u8>, AttestFailed>;
}
