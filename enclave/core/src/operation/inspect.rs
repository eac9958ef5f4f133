//! `inspect`: what is in an envelope, without the secret.

use super::Admitted;
use crate::connections::Standing;
use crate::connector::Document;
use wire::Canonical;
use wire::operation::Inspected;

pub(super) fn inspect(admitted: &Admitted) -> Vec<u8> {
    let (header, contents) = (admitted.opened.header(), admitted.opened.contents());
    let inspected = Inspected {
        exchange: contents.exchange.clone(),
        connection: header.connection,
        organisation: header.organisation,
        generation: header.generation,
        epoch: admitted.opened.epoch(),
        created: contents.created,
        owners: contents.owners.clone(),
        finding: contents.finding.clone(),
        fields: admitted.opened.lend_credential(fields),
        current: admitted.standing == Standing::Current,
        class: header.class,
    };
    inspected.to_bytes()
}

/// The names of a credential's fields: those that its provider declares, because `link` refuses any other.
fn fields(credential: &[u8]) -> Vec<String> {
    let Ok(document) = Document::parse(credential) else { return Vec::new() };
    let mut names: Vec<String> =
        document.root().members().map(|(name, _)| name.text().into_owned()).collect();
    names.sort_unstable();
    names
}
