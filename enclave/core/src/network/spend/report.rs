//! What a task tells.

use super::order::Order;
use super::plan::Plan;
use crate::connector::FaultCode;
use crate::network::amount::decimal;
use crate::network::model::Network;
use crate::wallet::summary::Summary;
use crate::wallet::u256::U256;
use wire::UnixMillis;
use wire::action::{Outcome, Reference, Status, Terms};

/// On what terms an order can be carried out.
#[derive(Debug)]
pub struct Quote {
    pub plan: Plan,
    /// What the plan's transaction does.
    pub summary: Summary,
    /// The most that can leave the wallet at once, where the amount is in the coin.
    pub most: Option<U256>,
    /// What the chain takes beside the fee, and no transaction bounds.
    pub beside: Option<U256>,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its name on its chain, computed here and never taken from a node.
    pub txid: Option<String>,
    pub progress: Progress,
    /// What the chain took, where it is known.
    pub fee: Option<U256>,
    /// Why it is not known, or came to nothing.
    pub fault: Option<FaultCode>,
}

/// How far a transaction has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nodes have it, and no block does.
    Waiting,
    /// In a block; how many there are with it.
    Included(u64),
    /// In a block so deep that it stays.
    Done,
    /// In a block, and came to nothing: its fee was taken.
    Reverted,
    /// Another transaction took its place: it can never happen.
    Superseded,
    /// It was never included, and its time is over.
    Expired,
    /// Nobody knows it. It may still happen.
    Unknown,
}

impl Quote {
    pub(crate) fn terms(&self, network: &Network, order: &Order, as_of: UnixMillis) -> Terms {
        let coin = |units: U256| decimal(units, network.coin.decimals).map(|amount| amount.to_string());
        let amount = |units: U256| order.decimal(network, units).map(|amount| amount.to_string());
        let Quote { plan, summary, most, beside } = self;
        let fee = beside.unwrap_or(U256::ZERO).checked_add(summary.max_fee);
        let debited = match order.token {
            None => fee.and_then(|fee| summary.amount.checked_add(fee)),
            Some(_) => Some(summary.amount),
        };
        Terms {
            as_of,
            fee: fee.and_then(coin),
            fee_asset: Some(network.coin.asset.clone()),
            minimum: None,
            maximum: most.and_then(amount),
            step: order.decimal(network, U256::from(1_u64)).map(|step| step.to_string()),
            debited: debited.and_then(amount),
            received: amount(summary.amount),
            received_asset: Some(summary.asset.clone()),
            price: None,
            quote: Some(plan.write()),
            // A message of Solana's is void 150 blocks of 0.4 s after the one that it names.
            expires: matches!(plan, Plan::Solana(_)).then(|| as_of.plus(60_000)),
            network: None,
            market: None,
            repeat_refused: true,
            unstated: vec!["minimum".to_owned()],
        }
    }
}

impl Report {
    pub(crate) fn new(txid: Option<String>, progress: Progress) -> Report {
        Report { txid, progress, fee: None, fault: None }
    }

    pub(crate) fn outcome(&self, network: &Network, reference: Reference, as_of: UnixMillis) -> Outcome {
        let Report { txid, progress, fee, fault } = self;
        let fee = fee.and_then(|fee| decimal(fee, network.coin.decimals)).map(|fee| fee.to_string());
        Outcome {
            txid: txid.clone(),
            id: txid.clone(),
            fee_asset: fee.as_ref().map(|_| network.coin.asset.clone()),
            fee,
            said: progress.said(),
            fault: fault.map(|fault| fault.name().to_owned()).or_else(|| progress.fault()),
            ..Outcome::bare(reference, progress.status(), as_of)
        }
    }
}

impl Progress {
    /// Whether nothing has arrived, and nothing ever will.
    pub(super) fn is_nothing(self) -> bool {
        matches!(self, Progress::Reverted | Progress::Superseded | Progress::Expired)
    }

    fn status(self) -> Status {
        match self {
            Progress::Waiting | Progress::Included(_) => Status::Pending,
            Progress::Done => Status::Done,
            Progress::Reverted | Progress::Superseded | Progress::Expired => Status::Failed,
            Progress::Unknown => Status::Unknown,
        }
    }

    fn said(self) -> Option<String> {
        match self {
            Progress::Included(blocks) => Some(format!("in {blocks} blocks")),
            _ => None,
        }
    }

    fn fault(self) -> Option<String> {
        let fault = match self {
            Progress::Reverted => "reverted",
            Progress::Superseded => "superseded",
            Progress::Expired => "expired",
            _ => return None,
        };
        Some(fault.to_owned())
    }
}
