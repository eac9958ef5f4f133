//! What became of a transaction: by its own name, and by what spent its first coin.

use super::super::plan::Plan;
use super::super::report::{Progress, Report};
use super::super::{Task, Want};
use super::{DEEP, asks, height};
use crate::connector::{Fault, Json};
use crate::network::ask::{Answers, Ask};
use crate::network::reading::{Reading, Turn};
use crate::wallet::bitcoin::{Draft, OutPoint, parse_txid, txid_text};
use crate::wallet::u256::U256;
use std::sync::Arc;
use wire::Refusal;

pub(super) struct Find {
    task: Arc<Task>,
    place: Placed,
}

/// A transaction that may be on the chain.
pub(super) struct Placed {
    txid: [u8; 32],
    first: OutPoint,
    fee: u64,
}

pub(super) enum Found {
    Certain(Report),
    /// No block has it. Whether this node does.
    Open {
        is_known: bool,
    },
}

impl Find {
    pub(super) fn of(task: Arc<Task>) -> Result<Find, Refusal> {
        let Want::Find { plan: Plan::Bitcoin(draft) } = &task.want else { return Err(Refusal::Malformed) };
        let place = Placed::of(draft).ok_or(Refusal::Malformed)?;
        Ok(Find { place, task })
    }
}

impl Reading for Find {
    fn turn(&mut self, answers: &Answers, _: u64) -> Result<Turn, Fault> {
        if answers.is_empty() {
            return Ok(Turn::Ask(self.place.asks()));
        }
        let report = match self.place.read(answers, &self.task)? {
            Found::Certain(report) => report,
            Found::Open { is_known: true } => self.place.report(Progress::Waiting),
            Found::Open { is_known: false } => self.place.report(Progress::Unknown),
        };
        self.task.told(report)
    }
}

impl Placed {
    pub(super) fn of(draft: &Draft) -> Option<Placed> {
        let first = draft.coins.first()?.outpoint;
        let value = |sum: u64, value: u64| sum.checked_add(value);
        let all_in = draft.coins.iter().map(|coin| coin.value).try_fold(0, value)?;
        let all_out = draft.transaction.outputs.iter().map(|output| output.value).try_fold(0, value)?;
        Some(Placed { txid: draft.transaction.txid(), first, fee: all_in.checked_sub(all_out)? })
    }

    pub(super) fn report(&self, progress: Progress) -> Report {
        let fee = matches!(progress, Progress::Included(_) | Progress::Done).then(|| U256::from(self.fee));
        Report { fee, ..Report::new(Some(txid_text(&self.txid)), progress) }
    }

    /// The questions that [`Self::read`] reads the answers of.
    pub(super) fn asks(&self) -> Vec<Ask> {
        let path = format!("/tx/{}/outspend/{}", txid_text(&self.first.txid), self.first.index);
        let ours = Ask::TryGet { path: format!("/tx/{}", txid_text(&self.txid)) };
        asks().into_iter().chain([ours, Ask::TryGet { path }]).collect()
    }

    pub(super) fn read(&self, answers: &Answers, task: &Task) -> Result<Found, Fault> {
        let height = u64::from(height(answers, task)?);
        // Where there is no such transaction, the answer is a text.
        if let Ok(block) = answers.json(2, |root| self.block(root)) {
            return Ok(match block {
                None => Found::Open { is_known: true },
                Some(block) => Found::Certain(self.report(progress(height, block))),
            });
        }
        let spender = answers.json(3, spender).unwrap_or_default();
        let is_other = spender.is_some_and(|(txid, block)| {
            let is_deep = block.is_some_and(|block| progress(height, block) == Progress::Done);
            txid != self.txid && is_deep
        });
        Ok(match is_other {
            true => Found::Certain(self.report(Progress::Superseded)),
            false => Found::Open { is_known: spender.is_some_and(|(txid, _)| txid == self.txid) },
        })
    }

    /// The block that has it, if one does.
    fn block(&self, root: Json<'_>) -> Option<Option<u64>> {
        let is_ours = parse_txid(&root.member("txid").ok()??.string()?)? == self.txid;
        let status = root.member("status").ok()??;
        is_ours.then(|| block_height(status)).flatten()
    }
}

fn progress(height: u64, block: u64) -> Progress {
    match height.checked_sub(block).map_or(1, |above| above.saturating_add(1)) {
        DEEP.. => Progress::Done,
        blocks => Progress::Included(blocks),
    }
}

/// What spent an output, and in which block; nothing if nothing did.
type Spender = Option<([u8; 32], Option<u64>)>;

fn spender(root: Json<'_>) -> Option<Spender> {
    if root.member("spent").ok()??.raw() != "true" {
        return Some(None);
    }
    let txid = parse_txid(&root.member("txid").ok()??.string()?)?;
    Some(Some((txid, block_height(root.member("status").ok()??)?)))
}

fn block_height(status: Json<'_>) -> Option<Option<u64>> {
    match status.member("confirmed").ok()??.raw() {
        "true" => Some(Some(status.member("block_height").ok()??.scalar()?.parse().ok()?)),
        "false" => Some(None),
        _ => None,
    }
}
