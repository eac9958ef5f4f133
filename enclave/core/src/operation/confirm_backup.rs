//! `confirm_backup`: the owner of a wallet has its words. Whoever shows them has had them by both factors, or brought them: so
//! the device key is enough to say it.

use super::{Admitted, provider_of};
use crate::enclave::Enclave;
use crate::hash::sha256;
use crate::provider::Provider;
use crate::wallet::key::Credential;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use wire::operation::{ConfirmBackup, Nothing, words_transcript};
use wire::register::{Backup, State};
use wire::{Canonical, Refusal};

impl Enclave {
    /// Records it; said twice, nothing changes.
    pub(super) fn confirm_backup(
        &mut self,
        admitted: &Admitted,
        confirm: &ConfirmBackup,
    ) -> Result<Vec<u8>, Refusal> {
        let connection = admitted.opened.header().connection;
        let words = admitted.words().ok_or(Refusal::NotOffered)?;
        let expected = sha256(&words_transcript(connection, &words));
        verify_slices_are_equal(&expected, &confirm.words.0).map_err(|_| Refusal::WordsDiffer)?;
        self.record(&admitted.opened.envelope, State::Held, Backup::Confirmed)?;
        Ok(Nothing {}.to_bytes())
    }
}

impl Admitted {
    /// What an entry of this envelope says of a wallet's words. That they were confirmed is said once, and stays.
    pub(super) fn backup(&self) -> Backup {
        if self.words().is_some() { Backup::Missing } else { Backup::Unsaid }
    }

    /// SHA-256 of the words, of a wallet that signs here.
    fn words(&self) -> Option<[u8; 32]> {
        let is_wallet = matches!(provider_of(self), Ok(Provider::Network(_)));
        is_wallet.then(|| self.opened.lend_credential(|json| Credential::lend_words(json, sha256)))?
    }
}
