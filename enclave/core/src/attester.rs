//! The one joint between the core and a kind of TEE: who yields evidence.

use verify::measurement::Registers;
use verify::{Root, VendorRoots};
use wire::UnixMillis;
use wire::evidence::Form;
use wire::identity::TeeKind;

/// What a TEE says, in its own form.
#[derive(Clone, Debug)]
pub struct Attestation {
    pub form: Form,
    pub document: Vec<u8>,
    /// Certificates that a verifier needs and that the document does not have, DER.
    pub certificates: Vec<Vec<u8>>,
}

impl Attestation {
    /// A Nitro document, which carries all that it needs.
    pub fn nitro(document: Vec<u8>) -> Attestation {
        Attestation { form: Form::Nitro, document, certificates: Vec::new() }
    }
}

/// The TEE yielded no evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestFailed;

/// Yields evidence that carries 64 bytes of the core's choosing.
///
/// An implementation answers within bounded time: a kernel interface that hangs is its failure, not the core's (m08).
pub trait Attester {
    fn kind(&self) -> TeeKind;

    /// Whose word on another enclave counts, before roots are handed to it or taken from it: the hardware vendors'. A
    /// simulation's never does, so that simulated enclaves hand their roots to nobody.
    fn vendors(&self) -> VendorRoots {
        VendorRoots::default()
    }

    /// A root whose word on emulated peers counts besides: a development signer's, where the program's measured inputs name one
    /// (docs/spec/image.md §4). Asked in a sandbox only: among the real exchanges nobody's word counts but the vendors'.
    fn dangerous_peers(&self) -> Option<Root> {
        None
    }

    /// What was measured of this very program, by a device in whose place its host cannot answer: enough to know oneself by, and
    /// proof to nobody. `None`: only its own evidence, verified, would show it.
    fn own_registers(&mut self) -> Option<Registers> {
        None
    }

    /// A document over `report_data`, made at the claimed `time`. Hardware has a clock of its own and ignores `time`.
    fn attest(&mut self, report_data: &[u8; 64], time: UnixMillis) -> Result<Attestation, AttestFailed>;
}
