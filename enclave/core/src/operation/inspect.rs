//! `inspect`: what is in an envelope, without the secret.

use super::Admitted;
use crate::connections::Standing;
use wire::operation::Inspected;
use wire::{Canonical, Refusal};

pub(super) fn inspect(admitted: &Admitted) -> Result<Vec<u8>, Refusal> {
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
        fields: Vec::new(),
        current: admitted.standing == Standing::Current,
    };
    Ok(inspected.to_bytes())
}
