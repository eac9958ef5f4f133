//! Sends a transaction, once: it spends the quote's coins, so that a repeat is the same transaction.

use super::super::plan::Plan;
use super::super::report::{Progress, Report};
use super::super::{Answered, Task, Wallet, Want, done};
use super::find::{Found, Placed};
use crate::connector::{Fault, FaultCode, FaultKind};
use crate::network::ask::{Answers, Ask, malformed};
use crate::network::reading::{Reading, Turn};
use crate::wallet::bitcoin::{Account, Draft, Kind, Transaction, parse_txid, txid_text};
use crate::wallet::hex;
use crate::wallet::summary::Summary;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wire::Refusal;

pub(super) struct Send {
    task: Arc<Task>,
    place: Placed,
    stage: Stage,
}

enum Stage {
    Looking,
    /// The transactions whose outputs are spent, by these names.
    Proving(Vec<[u8; 32]>),
    Sending,
    Checking,
}

impl Send {
    pub(super) fn of(task: Arc<Task>) -> Result<Send, Refusal> {
        let Want::Send { plan: Plan::Bitcoin(draft), .. } = &task.want else {
            return Err(Refusal::Malformed);
        };
        let place = Placed::of(draft).ok_or(Refusal::Malformed)?;
        Ok(Send { place, task, stage: Stage::Looking })
    }

    fn parts(&self) -> Result<(&Draft, &Account, &Summary, &[u8; 32]), Fault> {
        match (&self.task.want, &self.task.wallet) {
            (Want::Send { plan: Plan::Bitcoin(draft), shown, aux }, Wallet::Bitcoin(account)) => {
                Ok((draft, account, shown, aux))
            }
            _ => Err(FaultCode::Internal.into()),
        }
    }

    fn looked(&mut self, answers: &Answers) -> Result<Turn, Fault> {
        if let Found::Certain(report) = self.place.read(answers, &self.task)? {
            return self.task.told(report);
        }
        let (draft, account, ..) = self.parts()?;
        // A signature of Taproot holds all amounts; one of P2WPKH does not, so they are proven.
        let names: BTreeSet<[u8; 32]> = match account.kind() {
            Kind::Taproot => BTreeSet::new(),
            Kind::Segwit => draft.coins.iter().map(|coin| coin.outpoint.txid).collect(),
        };
        if names.is_empty() {
            return self.sign(&BTreeMap::new());
        }
        let names: Vec<[u8; 32]> = names.into_iter().collect();
        let asks = names.iter().map(|txid| Ask::get(format!("/tx/{}/hex", txid_text(txid)))).collect();
        self.stage = Stage::Proving(names);
        Ok(Turn::Ask(asks))
    }

    fn proven(&mut self, names: &[[u8; 32]], answers: &Answers) -> Result<Turn, Fault> {
        let read = |(at, txid): (usize, &[u8; 32])| {
            let transaction = answers.text(at, |text| Transaction::decode(&hex::decode(text)?).ok())?;
            if transaction.txid() == *txid { Ok((*txid, transaction)) } else { Err(malformed()) }
        };
        let previous = names.iter().enumerate().map(read).collect::<Result<BTreeMap<_, _>, Fault>>()?;
        self.sign(&previous)
    }

    fn sign(&mut self, previous: &BTreeMap<[u8; 32], Transaction>) -> Result<Turn, Fault> {
        let (draft, account, shown, aux) = self.parts()?;
        let psbt = draft.psbt(account, previous).map_err(|_| FaultCode::Internal)?;
        // Amounts that were claimed in the preview are not those of the chain.
        let Ok(signed) = psbt.sign(account, shown, aux) else {
            return Ok(done(Answered::Refused(Refusal::Malformed)));
        };
        let text = hex::encode(&signed.encode());
        self.stage = Stage::Sending;
        self.task.mark_sent(txid_text(&signed.txid()));
        Ok(Turn::Ask(vec![Ask::Post { path: "/tx".to_owned(), text }]))
    }

    fn sent(&mut self, answers: &Answers) -> Result<Turn, Fault> {
        if answers.text(0, parse_txid).is_ok() {
            return self.task.told(self.place.report(Progress::Waiting));
        }
        self.stage = Stage::Checking;
        Ok(Turn::Ask(self.place.asks()))
    }

    fn checked(&self, answers: &Answers) -> Result<Report, Fault> {
        Ok(match self.place.read(answers, &self.task)? {
            Found::Certain(report) => report,
            Found::Open { is_known: true } => self.place.report(Progress::Waiting),
            Found::Open { is_known: false } => {
                let fault = Some(FaultCode::Provider(FaultKind::Unknown));
                Report { fault, ..self.place.report(Progress::Unknown) }
            }
        })
    }
}

impl Reading for Send {
    fn turn(&mut self, answers: &Answers, _: u64) -> Result<Turn, Fault> {
        match std::mem::replace(&mut self.stage, Stage::Looking) {
            Stage::Looking if answers.is_empty() => Ok(Turn::Ask(self.place.asks())),
            Stage::Looking => self.looked(answers),
            Stage::Proving(names) => self.proven(&names, answers),
            Stage::Sending => self.sent(answers),
            Stage::Checking => self.task.told(self.checked(answers)?),
        }
    }
}
