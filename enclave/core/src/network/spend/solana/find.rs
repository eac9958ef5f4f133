//! What became of a transaction: one of the wallet's whose signature is of its message.

use super::super::plan::{Plan, Timed};
use super::super::report::{Progress, Report};
use super::super::{Task, Want};
use super::{height, height_asks};
use crate::connector::{Fault, Json};
use crate::network::ask::{Answers, Ask};
use crate::network::reading::{Reading, Turn};
use crate::wallet::base58;
use crate::wallet::solana::Address;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use std::sync::Arc;
use wire::Refusal;

/// Transactions of the wallet, the newest first, among which it is looked for.
const NEWEST: usize = 200;

pub(super) struct Find {
    task: Arc<Task>,
    look: Look,
}

/// A look for a message on the chain, in two turns.
pub(super) struct Look {
    timed: Timed,
    wallet: Address,
    height: Option<u64>,
}

pub(super) enum Looked {
    Ask(Vec<Ask>),
    Found(Report),
}

impl Find {
    pub(super) fn of(task: Arc<Task>) -> Result<Find, Refusal> {
        let Want::Find { plan: Plan::Solana(timed) } = &task.want else { return Err(Refusal::Malformed) };
        let wallet = task.wallet.solana_address().ok_or(Refusal::CredentialMalformed)?;
        Ok(Find { look: Look::new(timed.clone(), wallet), task })
    }
}

impl Reading for Find {
    fn turn(&mut self, answers: &Answers, _: u64) -> Result<Turn, Fault> {
        match self.look.turn(answers, &self.task)? {
            Looked::Ask(asks) => Ok(Turn::Ask(asks)),
            Looked::Found(report) => self.task.told(report),
        }
    }
}

impl Look {
    pub(super) fn new(timed: Timed, wallet: Address) -> Look {
        Look { timed, wallet, height: None }
    }

    pub(super) fn turn(&mut self, answers: &Answers, task: &Task) -> Result<Looked, Fault> {
        if answers.is_empty() {
            return Ok(Looked::Ask(height_asks()));
        }
        let Some(height) = self.height.take() else {
            self.height = Some(height(answers, task)?);
            let wallet = self.wallet;
            let newest = format!(r#"["{wallet}",{{"limit":{NEWEST},"commitment":"confirmed"}}]"#);
            return Ok(Looked::Ask(vec![Ask::rpc("getSignaturesForAddress", newest)]));
        };
        self.read(answers, height).map(Looked::Found)
    }

    fn read(&self, answers: &Answers, height: u64) -> Result<Report, Fault> {
        let (found, listed) = answers.result(0, |json| self.find(json))?;
        if let Some(report) = found {
            return Ok(report);
        }
        // Behind as many others, it may be among the older ones.
        let is_gone = height > self.timed.last_height && listed < NEWEST;
        Ok(Report::new(None, if is_gone { Progress::Expired } else { Progress::Unknown }))
    }

    /// The wallet's transaction that is this one, if it is among those that are listed; and how many are.
    fn find(&self, json: Json<'_>) -> Option<(Option<Report>, usize)> {
        let message = self.timed.message.encode();
        let wallet = UnparsedPublicKey::new(&ED25519, self.wallet.0);
        let mut listed = 0;
        for entry in json.elements().take(NEWEST) {
            listed += 1;
            let text = entry.member("signature").ok()??.string()?;
            let signature = base58::decode(&text).ok()?;
            if wallet.verify(&message, &signature).is_ok() {
                return Some((Some(Report::new(Some(text.into_owned()), progress(entry)?)), listed));
            }
        }
        Some((None, listed))
    }
}

/// How far a transaction has come, as an entry of `getSignaturesForAddress` or `getSignatureStatuses` says.
pub(super) fn progress(entry: Json<'_>) -> Option<Progress> {
    let has_failed = !entry.member("err").ok()?.is_none_or(Json::is_null);
    let status = entry.member("confirmationStatus").ok()??.string()?;
    Some(match (status.as_ref(), has_failed) {
        ("finalized", true) => Progress::Reverted,
        ("finalized", false) => Progress::Done,
        _ => Progress::Included(1),
    })
}
