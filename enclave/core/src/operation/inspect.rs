//! `inspect`: what is in an envelope, without the secret.

use super::Admitted;
use crate::connections::Standing;
use crate::connector;
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
        fields: fields(&contents.exchange),
        current: admitted.standing == Standing::Current,
    };
    inspected.to_bytes()
}

/// A credential has exactly the fields that its connector declares: `link` refuses any other.
fn fields(exchange: &str) -> Vec<String> {
    let declared = connector::find(exchange).map(|connector| connector.credential.as_slice());
    declared.unwrap_or_default().iter().map(|field| field.name.clone()).collect()
}
