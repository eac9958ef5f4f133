//! Simulated evidence: a Nitro-format document under a throw-away root made at start (docs/spec/evidence.md §1.4).

use aws_lc_rs::digest::{SHA384, digest};
use dev_signer::authority::{Authority, MODULE_PREFIX, SigningFailed, encode};
use enclave::{AttestFailed, Attestation, Attester};
use wire::UnixMillis;
use wire::identity::TeeKind;

pub use dev_signer::authority::MARK;

/// Signs documents that only a verifier told to accept this very root will take.
pub struct SimulatedAttester {
    authority: Authority,
    module_id: String,
    pcrs: [[u8; 48]; 3],
}

impl SimulatedAttester {
    /// Makes the root and the first leaf.
    ///
    /// `program` is the file that runs; PCR0 is its SHA-384, so that a simulation too can be told from another.
    /// PCR1 and PCR2 are the SHA-384 of [`MARK`].
    pub fn make(program: &[u8], now: UnixMillis) -> Result<SimulatedAttester, AttestFailed> {
        let authority = Authority::make(now).map_err(|SigningFailed| AttestFailed)?;
        let mark = sha384(MARK.as_bytes())?;
        let name = sha384(authority.root())?;
        let module_id = format!("{MODULE_PREFIX}{}", hex(name.get(..8).unwrap_or_default()));
        Ok(SimulatedAttester { authority, module_id, pcrs: [sha384(program)?, mark, mark] })
    }

    /// DER of the root that a caller must name to accept this simulation.
    pub fn root(&self) -> &[u8] {
        self.authority.root()
    }
}

impl Attester for SimulatedAttester {
    fn kind(&self) -> TeeKind {
        TeeKind::Simulated
    }

    fn attest(&mut self, report_data: &[u8; 64], time: UnixMillis) -> Result<Attestation, AttestFailed> {
        let payload = self.payload(report_data, time).map_err(|SigningFailed| AttestFailed)?;
        self.authority.sign(&payload).map(Attestation::nitro).map_err(|SigningFailed| AttestFailed)
    }
}

impl SimulatedAttester {
    fn payload(&mut self, report_data: &[u8; 64], time: UnixMillis) -> Result<Vec<u8>, SigningFailed> {
        let root = self.authority.root().to_vec();
        let leaf = self.authority.leaf(time)?;
        encode(|e| {
            e.map(9)?;
            e.str("module_id")?.str(&self.module_id)?;
            e.str("digest")?.str("SHA384")?;
            e.str("timestamp")?.u64(time.0)?;
            e.str("pcrs")?.map(3)?;
            for (index, pcr) in (0u8..).zip(&self.pcrs) {
                e.u8(index)?.bytes(pcr)?;
            }
            e.str("certificate")?.bytes(leaf)?;
            e.str("cabundle")?.array(1)?.bytes(&root)?;
            e.str("public_key")?.null()?;
            e.str("user_data")?.bytes(report_data)?;
            e.str("nonce")?.null()?.ok()
        })
    }
}

fn sha384(bytes: &[u8]) -> Result<[u8; 48], AttestFailed> {
    digest(&SHA384, bytes).as_ref().try_into().map_err(|_| AttestFailed)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
