//! What a chain tells of an account's past, as rows.

use super::model::Network;
use super::reading::{Found, Turn, source};
use crate::connector::{Answer, Operation, Params, Position, Record, Status, Value, find_value};
use wire::Decimal;

/// Which rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Deposits,
    Withdrawals,
    /// Both, and what was paid for nothing but the transaction.
    Ledger,
}

/// A question for history: what, when, and from where on.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) kind: Kind,
    asset: Option<String>,
    since_ms: u64,
    until_ms: u64,
    pub(super) from: Position,
}

/// A change of what an account holds of one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Names the change; the same whenever it is read.
    pub(super) id: String,
    pub(super) txid: String,
    /// Absent while it waits for a block.
    pub(super) time_ms: Option<u64>,
    pub(super) symbol: String,
    /// CAIP-19.
    pub(super) asset: String,
    pub(super) is_in: bool,
    /// Without the fee.
    pub(super) amount: Decimal,
    /// Of the whole transaction, where this account paid it.
    pub(super) fee: Option<Decimal>,
    /// Whom it went to or came from, or which of the account's own addresses it came to.
    pub(super) address: Option<String>,
    pub(super) has_failed: bool,
}

impl Query {
    /// Of a read operation that is about history.
    pub(super) fn of(operation: &Operation) -> Option<Query> {
        let Operation::Read { operation, arguments, from, .. } = operation else { return None };
        let kind = match operation.as_str() {
            "deposits" => Kind::Deposits,
            "withdrawals" => Kind::Withdrawals,
            "ledger" => Kind::Ledger,
            _ => return None,
        };
        let asset = find_value(arguments, "asset").map(|asset| asset.text().to_owned());
        let since_ms = time(arguments, "since").unwrap_or(0);
        let until_ms = time(arguments, "until").unwrap_or(u64::MAX);
        Some(Query { kind, asset, since_ms, until_ms, from: from.clone() })
    }

    /// The place that an earlier page named; nothing at the start. What no page names is refused.
    pub(super) fn cursor(&self) -> Option<&str> {
        if let Position::Cursor(cursor) = &self.from { Some(cursor) } else { None }
    }

    /// Whether nothing before this time is wanted.
    pub(super) fn is_before(&self, time_ms: u64) -> bool {
        time_ms < self.since_ms
    }

    pub(super) fn has_since(&self) -> bool {
        self.since_ms > 0
    }

    fn wants(&self, entry: &Entry) -> bool {
        let kind = match self.kind {
            Kind::Deposits => entry.is_in && !entry.has_failed,
            Kind::Withdrawals => !entry.is_in && !entry.has_failed && !entry.amount.is_zero(),
            Kind::Ledger => true,
        };
        let asset = self.asset.as_ref().is_none_or(|asset| asset.eq_ignore_ascii_case(&entry.symbol));
        let time = entry.time_ms.is_none_or(|time| (self.since_ms..=self.until_ms).contains(&time));
        kind && asset && time
    }

    /// One page of rows, and where the next begins.
    pub(super) fn page(
        &self,
        network: &Network,
        entries: &[Entry],
        next: Option<String>,
        status: Status,
    ) -> Turn {
        let wanted = entries.iter().filter(|entry| self.wants(entry));
        let rows = wanted.map(|entry| record(network, entry, self.kind)).collect();
        let coverage = vec![source("history", status)];
        Turn::Done(Found { answer: Answer::Rows(rows), coverage, next: next.map(Position::Cursor) })
    }
}

fn time(arguments: &Params, name: &str) -> Option<u64> {
    find_value(arguments, name).map(Value::text)?.parse().ok()
}

fn record(network: &Network, entry: &Entry, kind: Kind) -> Record {
    let status = match (entry.has_failed, entry.time_ms) {
        (true, _) => "failed",
        (false, Some(_)) => "ok",
        (false, None) => "pending",
    };
    let mut fields = vec![("id", entry.id.clone()), ("txid", entry.txid.clone())];
    fields.extend(entry.time_ms.map(|time| ("timestamp", time.to_string())));
    fields.push(("asset", entry.symbol.clone()));
    fields.push(("asset_id", entry.asset.clone()));
    fields.push(("amount", entry.amount.to_string()));
    if kind == Kind::Ledger {
        fields.push(("direction", if entry.is_in { "in" } else { "out" }.to_owned()));
    }
    fields.extend(entry.fee.map(|fee| ("fee", fee.to_string())));
    fields.extend(entry.fee.map(|_| ("fee_asset", network.coin.symbol.clone())));
    fields.extend(entry.address.clone().map(|address| ("address", address)));
    fields.push(("network", network.id.clone()));
    fields.push(("chain", network.chain.clone()));
    fields.push(("status", status.to_owned()));
    Record(fields)
}
