//! Sending from a wallet whose key is kept here: on what terms, once, and what became of it.
//!
//! A preview builds the whole transaction and gives it to the owner as the quote. The owner signs the instruction with
//! the quote in it; what is signed and sent is that transaction and no other. So a repeat of an instruction is the very
//! same transaction, which a chain takes once (m38, `docs/spec/wallet.md` §5).

mod bitcoin;
mod evm;
mod order;
mod plan;
mod report;
mod solana;
mod wallet;

pub use order::Order;
pub use plan::{Plan, Timed};
pub use report::{Progress, Quote, Report};
pub use wallet::Wallet;

use super::ask::malformed;
use super::model::{Family, Network};
use super::reading::{Reading, Turn};
use crate::connector::{Answer, Fault};
use crate::wallet::payment::Unbuildable;
use crate::wallet::summary::Summary;
use std::sync::{Arc, OnceLock};
use wire::Refusal;

/// What is wanted of a wallet's chain. Shared by every attempt with one node after the other.
pub struct Task {
    pub(super) network: &'static Network,
    pub(super) order: Order,
    pub(super) wallet: Wallet,
    pub(super) want: Want,
    /// The signed transaction that was handed out to be sent: from then on nothing is certain but what the chain says.
    sent: OnceLock<String>,
    /// What the first node said that would end it.
    ended: OnceLock<Progress>,
}

/// What is done with the order.
pub(super) enum Want {
    /// Terms; in the place of an earlier quote's transaction, if there is one.
    Preview { former: Option<Plan> },
    /// The quote's transaction is sent. 32 random bytes for signatures that take them.
    Send { plan: Plan, shown: Box<Summary>, aux: [u8; 32] },
    /// What became of the quote's transaction.
    Find { plan: Plan },
}

/// What came of a task.
#[derive(Debug)]
pub enum Answered {
    Quote(Box<Quote>),
    Report(Report),
    /// Nothing was sent.
    Refused(Refusal),
}

impl Task {
    /// To learn on what terms an order can be carried out.
    pub fn preview(network: &'static Network, order: Order, wallet: Wallet) -> Result<Task, Refusal> {
        let former = order.quote.as_deref().map(|quote| Plan::read(network.family, quote)).transpose()?;
        Ok(Task::new(network, order, wallet, Want::Preview { former }))
    }

    /// To carry out an order with its quote: whose transaction must do exactly what the owner signed.
    pub fn send(
        network: &'static Network,
        order: Order,
        wallet: Wallet,
        aux: [u8; 32],
    ) -> Result<Task, Refusal> {
        let quote = order.quote.as_deref().ok_or(Refusal::QuoteExpired)?;
        let plan = Plan::read(network.family, quote)?;
        let shown = Box::new(order.shown(network, &plan.summary(network, &wallet, &order)?)?);
        Ok(Task::new(network, order, wallet, Want::Send { plan, shown, aux }))
    }

    /// To learn what became of an order with its quote.
    pub fn find(network: &'static Network, order: Order, wallet: Wallet) -> Result<Task, Refusal> {
        let quote = order.quote.as_deref().ok_or(Refusal::QuoteExpired)?;
        let plan = Plan::read(network.family, quote)?;
        Ok(Task::new(network, order, wallet, Want::Find { plan }))
    }

    fn new(network: &'static Network, order: Order, wallet: Wallet, want: Want) -> Task {
        Task { network, order, wallet, want, sent: OnceLock::new(), ended: OnceLock::new() }
    }

    /// The network whose nodes are asked.
    pub fn network(&self) -> &'static Network {
        self.network
    }

    pub fn order(&self) -> &Order {
        &self.order
    }

    /// The name of the transaction that may be on its way, computed here.
    pub fn sent(&self) -> Option<&str> {
        self.sent.get().map(String::as_str)
    }

    /// The end of a task with what became of its transaction.
    ///
    /// Who hears that a payment came to nothing may pay anew. So no single node says that: it takes another operator's that
    /// agrees, wherever there is one. Whatever else the other says is what is told.
    pub(super) fn told(&self, report: Report) -> Result<Turn, Fault> {
        if report.progress.is_nothing() {
            self.agree(report.progress)?;
        }
        Ok(done(Answered::Report(report)))
    }

    /// Fails where another node is to be asked first.
    pub(super) fn agree(&self, progress: Progress) -> Result<(), Fault> {
        if self.network.nodes.len() < 2 {
            return Ok(());
        }
        match self.ended.get() {
            Some(first) if *first == progress => Ok(()),
            Some(_) => Err(malformed()),
            None => {
                self.ended.get_or_init(|| progress);
                Err(malformed())
            }
        }
    }

    /// A signed transaction leaves. Once it has, it is always the same.
    pub(super) fn mark_sent(&self, txid: String) {
        self.sent.get_or_init(|| txid);
    }
}

/// Begins with a node.
pub(super) fn begin(task: &Arc<Task>) -> Result<Box<dyn Reading>, Refusal> {
    match (task.network.family, &task.want, &task.wallet) {
        (Family::Evm(chain), want, Wallet::Evm(_)) => evm::begin(Arc::clone(task), chain, want),
        (Family::Bitcoin, want, Wallet::Bitcoin(_)) => bitcoin::begin(Arc::clone(task), want),
        (Family::Solana, want, Wallet::Solana(_)) => solana::begin(Arc::clone(task), want),
        _ => Err(Refusal::CredentialMalformed),
    }
}

/// The end of a task.
fn done(answered: Answered) -> Turn {
    Turn::done(Answer::Spending(Box::new(answered)), Vec::new())
}

/// Why there is no transaction, as the owner is told.
fn refusal_of(why: Unbuildable) -> Refusal {
    match why {
        Unbuildable::Funds => Refusal::FundsMissing,
        Unbuildable::Dust => Refusal::BelowMinimum,
        Unbuildable::Recipient => Refusal::DestinationRefused,
        Unbuildable::Pieces => Refusal::AboveMaximum,
        Unbuildable::Fee => Refusal::ProviderFailed,
        Unbuildable::FeeApart => Refusal::TermsUnstated,
    }
}

#[cfg(test)]
mod tests;

impl core::fmt::Debug for Task {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Task({})", self.network.id)
    }
}
