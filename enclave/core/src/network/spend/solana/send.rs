//! Sends a transaction, once: its message names a recent block, and the chain takes it once while that is recent.

use super::super::plan::{Plan, Timed};
use super::super::report::{Progress, Report};
use super::super::{Task, Wallet, Want, wallet::cluster};
use super::find::progress;
use super::number;
use crate::connector::{Fault, FaultCode, FaultKind, Json, to_base64};
use crate::network::ask::{Answers, Ask};
use crate::network::reading::{Reading, Turn};
use crate::network::solana::chain;
use crate::wallet::base58;
use std::sync::Arc;
use wire::Refusal;

pub(super) struct Send {
    task: Arc<Task>,
    timed: Timed,
    transaction: Vec<u8>,
    txid: String,
    stage: Stage,
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
        Ok(Send { timed, transaction, txid, task, stage: Stage::Looking })
    }

    fn asks(&self) -> Vec<Ask> {
        let txid = &self.txid;
        vec![
            chain::ask(),
            Ask::rpc("getBlockHeight", r#"[{"commitment":"finalized"}]"#),
            Ask::rpc("getSignatureStatuses", format!(r#"[["{txid}"],{{"searchTransactionHistory":true}}]"#)),
        ]
    }

    /// What the chain says of it; nothing where it does not have it, and could still.
    fn read(&self, answers: &Answers) -> Result<Option<Report>, Fault> {
        chain::check(self.task.network, answers, 0)?;
        let height = answers.result(1, number)?;
        let progress = answers.result(2, |json| {
            let status = json.member("value").ok()??.elements().next()?;
            if status.is_null() { Some(None) } else { progress(status).map(Some) }
        })?;
        let is_over = height > self.timed.last_height;
        let progress = progress.or(is_over.then_some(Progress::Expired));
        Ok(progress.map(|progress| self.report(progress)))
    }

    fn report(&self, progress: Progress) -> Report {
        Report::new(Some(self.txid.clone()), progress)
    }
}

impl Reading for Send {
    fn turn(&mut self, answers: &Answers, _: u64) -> Result<Turn, Fault> {
        match self.stage {
            Stage::Looking if answers.is_empty() => Ok(Turn::Ask(self.asks())),
            Stage::Looking => {
                if let Some(report) = self.read(answers)? {
                    return self.task.told(report);
                }
                self.stage = Stage::Sending;
                self.task.mark_sent(self.txid.clone());
                let text = to_base64(&self.transaction);
                let options = r#"{"encoding":"base64","preflightCommitment":"confirmed"}"#;
                Ok(Turn::Ask(vec![Ask::attempt("sendTransaction", format!(r#"["{text}",{options}]"#))]))
            }
            Stage::Sending => match answers.attempted(0, |_: Json<'_>| Some(()))? {
                Ok(()) => self.task.told(self.report(Progress::Waiting)),
                Err(_) => {
                    self.stage = Stage::Checking;
                    Ok(Turn::Ask(self.asks()))
                }
            },
            Stage::Checking => {
                let fault = Some(FaultCode::Provider(FaultKind::Unknown));
                let unknown = || Report { fault, ..self.report(Progress::Unknown) };
                let report = self.read(answers)?.unwrap_or_else(unknown);
                self.task.told(report)
            }
        }
    }
}
