//! Calls to a provider about its API keys, and which of them are ours.

use super::{Enclave, Exchanging, Next, ask_server};
use crate::calls::refusal_of;
use crate::connector::{
    self, Answer, Connector, Credential, Document, Grant, Granted, KeyQuestion, KeyRow, Outcome, Signing,
};
use crate::credentials::CredentialName;
use crate::hash::sha256;
use wire::{ConnectionId, Refusal};

/// How the keys of a connection are called at their provider: 16 characters, letters, digits and an underscore.
///
/// By that name a key is found again that was made and never stored.
pub(super) fn key_name(connection: ConnectionId) -> String {
    let digest = sha256(&connection.0);
    let tag = digest.iter().take(4).map(|byte| format!("{byte:02x}"));
    core::iter::once("tensfer_".to_owned()).chain(tag).collect()
}

/// A member of a credential that is not secret.
pub(super) fn member(credential: &[u8], name: &str) -> Option<String> {
    let document = Document::parse(credential).ok()?;
    connector::text(&document, name).map(|text| text.0.as_ref().to_owned())
}

/// The key that a credential is of, among those of its account.
pub(super) fn own_key<'r>(
    connector: &Connector,
    credential: &[u8],
    rows: &'r [KeyRow],
) -> Option<&'r KeyRow> {
    let named_by = &connector.api_keys.as_ref()?.named_by;
    let own = member(credential, named_by)?;
    rows.iter().find(|row| row.key == own)
}

/// The ids of keys that must go: those of the connection's name, and the one that the credential took the place of; never
/// the credential's own.
pub(super) fn superseded(
    connection: ConnectionId,
    credential: &[u8],
    own: &KeyRow,
    rows: &[KeyRow],
) -> Vec<String> {
    let (name, retires) = (key_name(connection), member(credential, connector::api_keys::RETIRES));
    let goes = |row: &&KeyRow| row.id != own.id && (row.name == name || Some(&row.id) == retires.as_ref());
    rows.iter().filter(goes).map(|row| row.id.clone()).collect()
}

impl Enclave {
    /// Asks the provider by `credential`, whose name is `name`.
    pub(super) fn ask_about_keys(
        &mut self,
        (connection, name): (ConnectionId, CredentialName),
        connector: &'static Connector,
        credential: &[u8],
        question: &KeyQuestion<'_>,
        exchanging: Exchanging,
    ) -> Result<Next, Refusal> {
        let credential =
            Credential::from_json(connector, credential).map_err(|_| Refusal::CredentialMalformed)?;
        let now_ms = self.surroundings.clock.now().0.saturating_add_signed(self.credentials.skew_ms(name));
        let entropy = &mut *self.surroundings.entropy;
        let mut signing = Signing { credential: Some(&credential), now_ms, nonce: 0, entropy };
        let grant = Grant::keys(connector, question, &mut signing).map_err(|fault| refusal_of(&fault))?;
        Ok(ask_server(exchanging, (connection, name), connector, grant, true))
    }
}

/// What the provider answered, or why it did not.
pub(super) fn told(outcome: Result<Outcome, Refusal>) -> Result<Granted, Refusal> {
    match outcome? {
        Outcome { answer: Answer::Granted(granted), .. } => Ok(granted),
        outcome => Err(outcome.fault().map_or(Refusal::ProviderFailed, refusal_of)),
    }
}
