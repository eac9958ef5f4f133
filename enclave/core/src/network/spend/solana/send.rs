//! Sends a transaction, once: its message names a recent block, and the chain takes it once while that is recent.

use super::super::plan::{Plan, Timed};
use super::super::report::{Progress, Report};
use super::super::{Task, Wallet, Want, wallet::cluster};
use super::find::progress;
use super::{height, height_asks};
use crate::connector::{Fault, FaultCode, FaultKind, Json, to_base64};
use crate::network::ask::{Answers, Ask};
use crate::network::reading::{Reading, Turn};
use crate::wallet::base58;
use std::sync::Arc;
use wire::Refusal;

pub(super) struct Send {
    task: Arc<Task>,
    timed: Timed,
    transaction: Vec<u8>,
    txid: String,
    height: Option<u64>,
    stage: Stage,
}

enum Looked {
    Ask(Vec<Ask>),
    Found(Option<Report>),
}

enum Stage {
    Looking,
    Sending,
    Checking,
}

impl Send {
    /// Signs, if the message does what its owner signed.
    pub(super) fn of(task: Arc<Task>) -> Result<Send, Refusal> {
        let (Want::Send { plan: Plan::Solana(timed), shown, .. }, Wallet::Solana(key)) =
            (&task.want, &task.wallet)
        else {
            return Err(Refusal::Malformed);
        };
        let timed = timed.clone();
        let cluster = cluster(task.network).ok_or(Refusal::Internal)?;
        let transaction = timed.message.sign(cluster, key, shown).map_err(|_| Refusal::Malformed)?;
        // One signature stands behind its count.
        let signature = transaction.get(1..65).ok_or(Refusal::Internal)?;
        let txid = base58::encode(signature);
        Ok(Send { timed, transaction, txid, task, height: None, stage: Stage::Looking })
    }

    /// What the chain says of it, in two turns; nothing where it does not have it, and could still.
    fn look(&mut self, answers: &Answers) -> Result<Looked, Fault> {
        if answers.is_empty() {
            return Ok(Looked::Ask(height_asks()));
        }
        let Some(height) = self.height.take() else {
            self.height = Some(height(answers, &self.task)?);
            let status = format!(r#"[["{}"],{{"searchTransactionHistory":true}}]"#, self.txid);
            return Ok(Looked::Ask(vec![Ask::rpc("getSignatureStatuses", status)]));
        };
        let progress = answers.result(0, |json| {
            let status = json.member("value").ok()??.elements().next()?;
            if status.is_null() { Some(None) } else { progress(status).map(Some) }
        })?;
        let is_over = height > self.timed.last_height;
        let progress = progress.or(is_over.then_some(Progress::Expired));
        Ok(Looked::Found(progress.map(|progress| self.report(progress))))
    }

    fn send(&mut self) -> Turn {
        self.stage = Stage::Sending;
        self.task.mark_sent(self.txid.clone());
        let text = to_base64(&self.transaction);
        let options = r#"{"encoding":"base64","preflightCommitment":"confirmed"}"#;
        Turn::Ask(vec![Ask::attempt("sendTransaction", format!(r#"["{text}",{options}]"#))])
    }

    fn report(&self, progress: Progress) -> Report {
        Report::new(Some(self.txid.clone()), progress)
    }
}

impl Reading for Send {
    fn turn(&mut self, answers: &Answers, _: u64) -> Result<Turn, Fault> {
        if let Stage::Sending = self.stage {
            return match answers.attempted(0, |_: Json<'_>| Some(()))? {
                Ok(()) => self.task.told(self.report(Progress::Waiting)),
                Err(_) => {
                    self.stage = Stage::Checking;
                    Ok(Turn::Ask(height_asks()))
                }
            };
        }
        match (self.look(answers)?, &self.stage) {
            (Looked::Ask(asks), _) => Ok(Turn::Ask(asks)),
            (Looked::Found(Some(report)), _) => self.task.told(report),
            (Looked::Found(None), Stage::Looking) => Ok(self.send()),
            (Looked::Found(None), _) => {
                let fault = Some(FaultCode::Provider(FaultKind::Unknown));
                self.task.told(Report { fault, ..self.report(Progress::Unknown) })
            }
        }
    }
}
