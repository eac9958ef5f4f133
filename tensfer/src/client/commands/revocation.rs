//! What ends with a connection, and what is left of it at its provider.

use super::wallet::keeps_its_key;
use crate::client::failure::Failure;
use crate::client::home::record::Record;
use crate::client::terminal::printable;
use host::catalogue;

/// Whether it is a wallet, on a chain, and no account that a provider keeps.
pub fn is_wallet(record: &Record) -> bool {
    catalogue::find(&record.exchange).is_some_and(|exchange| exchange.chain.is_some())
}

/// Its key is nowhere else: what it holds dies with the envelope.
pub fn is_lost_with_its_envelope(record: &Record) -> bool {
    is_wallet(record) && keeps_its_key(record) && record.backed_up.is_none()
}

/// What a wallet's end is refused with while nobody has its words; `option` ends it all the same.
pub fn backup_needed(record: &Record, option: &str) -> Failure {
    let name = printable(&record.name);
    let sentence = format!("the words of the wallet `{name}` are backed up nowhere");
    Failure::refused("backup_needed", sentence)
        .hint(format!("`tensfer wallet backup {name}` first; with `{option}` what it holds is lost"))
}

/// Where a key is ended by hand; of a wallet there is none to end.
pub fn by_hand(record: &Record) -> Option<String> {
    let known = catalogue::find(&record.exchange).map(|exchange| exchange.guide.url.clone());
    (!is_wallet(record)).then(|| known.unwrap_or_else(|| printable(&record.exchange)))
}
