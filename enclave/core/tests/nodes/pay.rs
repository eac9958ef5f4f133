//! Pays from a wallet as an owner does: terms, the same transaction sent, its fate asked for.

use crate::read::{Serve, now_ms};
use enclave::connector::{Answer, Step};
use enclave::network::spend::{Answered, Order, Quote, Report, Task, Wallet};
use enclave::network::{Network, Run};
use serde_json::json;
use std::sync::Arc;
use wire::action::{Instruction, Kind, Reference};
use wire::{Decimal, Refusal};

pub const PHRASE: &str = "test test test test test test test test test test test junk";

/// A wallet on a network, and whom it pays.
pub struct Payer {
    pub network: &'static Network,
    pub phrase: &'static str,
    pub addresses: &'static str,
}

impl Payer {
    pub fn wallet(&self) -> Wallet {
        let credential = json!({ "phrase": self.phrase, "addresses": self.addresses }).to_string();
        Wallet::open(self.network, credential.as_bytes()).unwrap()
    }

    pub fn instruction(&self, asset: &str, amount: &str, to: &str) -> Instruction {
        let amount: Decimal = amount.parse().unwrap();
        let reference = Reference([7; 16]);
        Instruction {
            address: Some(to.to_owned()),
            max_fee: Some("1".to_owned()),
            max_fee_asset: Some(self.network.coin.asset.clone()),
            ..Instruction::new(Kind::Withdraw, reference, asset, amount)
        }
    }

    fn order(&self, instruction: &Instruction) -> Order {
        assert!(instruction.checked().is_some(), "{instruction:?}");
        Order::read(self.network, instruction).unwrap()
    }

    pub fn try_preview(&self, instruction: &Instruction, serve: &mut impl Serve) -> Result<Quote, Refusal> {
        let task = Task::preview(self.network, self.order(instruction), self.wallet())?;
        match run(task, serve) {
            Answered::Quote(quote) => Ok(*quote),
            Answered::Refused(refusal) => Err(refusal),
            other => panic!("{other:?}"),
        }
    }

    /// The terms, and the instruction that takes them.
    pub fn preview(&self, instruction: &Instruction, serve: &mut impl Serve) -> (Quote, Instruction) {
        let quote = self.try_preview(instruction, serve).unwrap();
        let signed = Instruction { quote: Some(quote.plan.write()), ..instruction.clone() };
        (quote, signed)
    }

    pub fn try_send(&self, signed: &Instruction, serve: &mut impl Serve) -> Result<Report, Refusal> {
        let task = Task::send(self.network, self.order(signed), self.wallet(), [7; 32])?;
        match run(task, serve) {
            Answered::Report(report) => Ok(report),
            Answered::Refused(refusal) => Err(refusal),
            other => panic!("{other:?}"),
        }
    }

    pub fn send(&self, signed: &Instruction, serve: &mut impl Serve) -> Report {
        self.try_send(signed, serve).unwrap()
    }

    pub fn find(&self, signed: &Instruction, serve: &mut impl Serve) -> Report {
        let task = Task::find(self.network, self.order(signed), self.wallet()).unwrap();
        match run(task, serve) {
            Answered::Report(report) => report,
            other => panic!("{other:?}"),
        }
    }
}

fn run(task: Task, serve: &mut impl Serve) -> Answered {
    let mut run = Run::spend(Arc::new(task)).unwrap();
    let mut now = now_ms();
    loop {
        match run.next(now) {
            Step::Wait { until_ms } => now = until_ms.unwrap(),
            Step::Send { call, request, .. } => match serve.serve(&request) {
                Ok((status, body)) => run.answer(call, now, status, &[], &body),
                Err(fault) => run.failed(call, now, fault),
            },
            Step::Done(outcome) => match outcome.answer {
                Answer::Spending(answered) => return *answered,
                other => panic!("{other:?}: {:?}", outcome.coverage),
            },
        }
    }
}
