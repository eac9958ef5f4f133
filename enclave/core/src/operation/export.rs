//! `export`: the credential, to its owner, sealed to a key in the signed request. Two factors.

use super::Admitted;
use verify::hpke::{Info, PublicKey};
use wire::identity::SUITE;
use wire::operation::{Export, Exported};
use wire::transcript::{Transcript, domain};
use wire::{Canonical, Refusal};

/// HPKE base mode; info = `transcript(tensfer/export/v1, connection, request hash)`, empty AAD.
pub(super) fn export(admitted: &Admitted, export: &Export, request: &[u8; 32]) -> Result<Vec<u8>, Refusal> {
    let recipient = PublicKey::x_wing(&export.recipient).map_err(|_| Refusal::Malformed)?;
    let connection = admitted.opened.header().connection;
    let info = Transcript::new(domain::EXPORT).field(&connection.0).field(request).bytes();
    let info = Info::new(SUITE, &info).map_err(|_| Refusal::Internal)?;
    let (encapsulated, mut context) = recipient.setup_sender(&info).map_err(|_| Refusal::Malformed)?;
    let sealed = admitted.opened.lend_credential(|credential| context.seal(b"", credential));
    let ciphertext = sealed.map_err(|_| Refusal::Internal)?;
    Ok(Exported { encapsulated, ciphertext }.to_bytes())
}
