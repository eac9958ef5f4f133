//! Requests about a connection of which there is no envelope yet, and the first one that comes.

use crate::client::explain::explain;
use crate::client::failure::{Failure, Result};
use crate::client::finding;
use crate::client::home::record::Record;
use crate::client::home::rings::Ring;
use crate::client::linked::{Attempts, Linked, round_trip, take_receipt};
use crate::client::session::{Answer, By, Call};
use crate::client::terminal::printable;
use wire::Canonical;
use wire::capability::Finding;
use wire::consent::Class;
use wire::identity::Identity;
use wire::operation::{self, Op};
use wire::owner::OwnerKey;

/// One request, signed by both factors; nothing of it is on disk that a lost reply could confuse.
pub fn ask(
    linked: &Linked<'_>,
    second: &Ring,
    record: &mut Record,
    op: Op,
    args: &[u8],
    envelope: Option<&[u8]>,
) -> Result<(Vec<u8>, Identity)> {
    let signers = [linked.owner.devices.newest()?, second.newest()?];
    let share = linked.share(record.id, record.share_version)?;
    let answer: Answer = round_trip(
        linked.enclave,
        record,
        |_| Ok(()),
        Attempts::Two,
        |record| {
            let last = (record.receipts.counter, record.receipts.last);
            let (connection, share, signers) = (record.id, &share, signers.to_vec());
            linked.enclave.call(&Call { op, args, connection, envelope, share, signers, last, by: By::Owner })
        },
    )?;
    take_receipt(record, &answer)?;
    let result = answer.outcome.map_err(|refusal| explain(refusal, &printable(&record.exchange)))?;
    Ok((result, answer.identity))
}

/// The owner set that a connection begins with.
pub fn owners(linked: &Linked<'_>, second: &Ring) -> Result<Vec<OwnerKey>> {
    Ok(vec![linked.owner.devices.newest()?.public().clone(), second.newest()?.public().clone()])
}

/// Checks the first envelope and the finding that came with it, and stores them. To be acknowledged.
pub fn keep(
    linked: &Linked<'_>,
    second: &Ring,
    record: &mut Record,
    (result, identity): (Vec<u8>, Identity),
    class: Class,
) -> Result<Finding> {
    let result = operation::Linked::from_bytes(&result).map_err(|_| unreadable())?;
    let finding = finding::check(&result.finding, &identity, record)?;
    let slot = record.slot(result.envelope, record.share_version, owners(linked, second)?, class)?;
    record.pending = Some(slot);
    record.finding = result.finding;
    linked.home.save(record)?;
    Ok(finding)
}

pub fn unreadable() -> Failure {
    Failure::internal("the enclave answered with something unreadable")
}
