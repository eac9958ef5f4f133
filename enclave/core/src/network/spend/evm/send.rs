//! Sends a transaction, once: it has one account's one count, so that a chain takes it or another like it, never two.

use super::super::plan::Plan;
use super::super::report::{Progress, Report};
use super::super::{Task, Want};
use super::find::{Found, Look, Looked, Placed};
use crate::connector::{Fault, FaultCode, FaultKind};
use crate::network::ask::{Answers, Ask};
use crate::network::model::Evm;
use crate::network::reading::{Reading, Turn};
use crate::network::spend::Wallet;
use crate::wallet::hex;
use std::sync::Arc;
use wire::Refusal;

pub(super) struct Send {
    task: Arc<Task>,
    signed: Vec<u8>,
    look: Look,
    stage: Stage,
}

enum Stage {
    Looking,
    Sending,
    /// A node did not take it; why.
    Checking(FaultCode),
}

impl Send {
    /// Signs, if the transaction does what its owner signed.
    pub(super) fn of(task: Arc<Task>, chain: Evm) -> Result<Send, Refusal> {
        let (Want::Send { plan: Plan::Evm(transaction), shown, .. }, Wallet::Evm(key)) =
            (&task.want, &task.wallet)
        else {
            return Err(Refusal::Malformed);
        };
        let signed = transaction.clone().sign(key.signing_key(), shown).map_err(|_| Refusal::Malformed)?;
        let from = task.wallet.evm_address().ok_or(Refusal::CredentialMalformed)?;
        let place = Placed::new(from, signed.hash(), transaction);
        Ok(Send { signed: signed.encode(), look: Look::new(chain, place), task, stage: Stage::Looking })
    }

    fn looked(&mut self, found: Found) -> Result<Turn, Fault> {
        match found {
            // Sent before, and settled; or another one took its place.
            Found::Certain(report) => self.task.told(report),
            // Something with its count is in a block, this one as likely as another: soon the chain will say.
            Found::Open { is_used: true, .. } => self.task.told(self.look.place.report(Progress::Unknown)),
            Found::Open { .. } => {
                self.stage = Stage::Sending;
                self.task.mark_sent(self.look.place.txid());
                let raw = hex::encode(&self.signed);
                Ok(Turn::Ask(vec![Ask::attempt("eth_sendRawTransaction", format!(r#"["0x{raw}"]"#))]))
            }
        }
    }

    fn sent(&mut self, answers: &Answers) -> Result<Turn, Fault> {
        // What the node calls it is not of interest.
        match answers.attempted(0, |_| Some(()))? {
            Ok(()) => self.task.told(self.look.place.report(Progress::Waiting)),
            Err((_, text)) => {
                let funds = text.contains("insufficient funds");
                let fault = if funds { FaultKind::Funds } else { FaultKind::Unknown };
                self.stage = Stage::Checking(FaultCode::Provider(fault));
                Ok(Turn::Ask(Look::asks()))
            }
        }
    }

    fn checked(&self, found: Found, why: FaultCode) -> Report {
        match found {
            Found::Certain(report) => report,
            Found::Open { is_known: true, .. } => self.look.place.report(Progress::Waiting),
            Found::Open { .. } => Report { fault: Some(why), ..self.look.place.report(Progress::Unknown) },
        }
    }
}

impl Reading for Send {
    fn turn(&mut self, answers: &Answers, now_ms: u64) -> Result<Turn, Fault> {
        if let Stage::Sending = self.stage {
            return self.sent(answers);
        }
        match (self.look.turn(answers, now_ms)?, &self.stage) {
            (Looked::Ask(asks), _) => Ok(Turn::Ask(asks)),
            (Looked::Found(found), Stage::Checking(why)) => self.task.told(self.checked(found, *why)),
            (Looked::Found(found), _) => self.looked(found),
        }
    }
}
