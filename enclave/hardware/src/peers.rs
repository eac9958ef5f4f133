//! An enclave of a test image: whom its development signer vouches for is its peer.

use enclave::{AttestFailed, Attestation, Attester};
use verify::measurement::Registers;
use verify::{Root, VendorRoots};
use wire::UnixMillis;
use wire::identity::TeeKind;

/// The machine's own attester, and a root whose word on emulated peers counts. Its own evidence stays what it was.
pub struct Peers {
    pub attester: Box<dyn Attester>,
    pub root: Root,
}

impl Attester for Peers {
    fn kind(&self) -> TeeKind {
        self.attester.kind()
    }

    fn vendors(&self) -> VendorRoots {
        self.attester.vendors()
    }

    fn dangerous_peers(&self) -> Option<Root> {
        Some(self.root.clone())
    }

    fn own_registers(&mut self) -> Option<Registers> {
        self.attester.own_registers()
    }

    fn attest(&mut self, report_data: &[u8; 64], time: UnixMillis) -> Result<Attestation, AttestFailed> {
        self.attester.attest(report_data, time)
    }
}
