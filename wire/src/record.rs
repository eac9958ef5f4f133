//! What a provider keeps of an owner's account besides balances: one page of rows at a time.

use crate::UnixMillis;
use crate::balance::Source;
use crate::cbor::canonical;
use minicbor::{Decode, Encode};

/// What the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    #[n(1)]
    Deposits,
    #[n(2)]
    Withdrawals,
    /// Every change of a balance, as the provider books it.
    #[n(3)]
    Ledger,
    #[n(4)]
    Trades,
    /// Between the owner's own accounts at the provider.
    #[n(5)]
    Transfers,
    #[n(6)]
    Positions,
    /// Where to send an asset to: address, tag and network.
    #[n(7)]
    Addresses,
    /// The networks that assets move on: fees, limits, and whether they are open.
    #[n(8)]
    Networks,
    /// Where money can be sent by the name that the provider has for it: bank accounts, cards, saved addresses.
    #[n(9)]
    Destinations,
}

impl Kind {
    pub const ALL: [Kind; 9] = [
        Kind::Deposits,
        Kind::Withdrawals,
        Kind::Ledger,
        Kind::Trades,
        Kind::Transfers,
        Kind::Positions,
        Kind::Addresses,
        Kind::Networks,
        Kind::Destinations,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Kind::Deposits => "deposits",
            Kind::Withdrawals => "withdrawals",
            Kind::Ledger => "ledger",
            Kind::Trades => "trades",
            Kind::Transfers => "transfers",
            Kind::Positions => "positions",
            Kind::Addresses => "addresses",
            Kind::Networks => "networks",
            Kind::Destinations => "destinations",
        }
    }
}

/// Arguments of `read`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Query {
    #[n(0)]
    pub kind: Kind,
    /// The code people know an asset by, such as `USDT`.
    #[n(1)]
    pub asset: Option<String>,
    /// A chain, by its CAIP-2 id.
    #[n(2)]
    pub chain: Option<String>,
    /// A market, in the provider's own name.
    #[n(3)]
    pub market: Option<String>,
    #[n(4)]
    pub since: Option<UnixMillis>,
    #[n(5)]
    pub until: Option<UnixMillis>,
    /// Where an earlier page ended: its `next`.
    #[n(6)]
    pub from: Option<String>,
    /// An account type of the provider's that keeps a history of its own, such as `margin`; without one, the main one.
    #[n(7)]
    pub account: Option<String>,
}

/// Texts of a query are at most this long.
pub const MAX_TEXT: usize = 128;
/// Positions are at most this long.
pub const MAX_POSITION: usize = 2100;

/// The result of `read`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Page {
    #[n(0)]
    pub as_of: UnixMillis,
    #[n(1)]
    pub rows: Vec<Row>,
    /// Where the next page begins; absent: this was the last.
    #[n(2)]
    pub next: Option<String>,
    /// What came of it.
    #[n(3)]
    pub source: Source,
    /// Account types that keep histories of their own, of which this one tells nothing.
    #[n(4)]
    pub accounts: Vec<String>,
}

/// One row: its fields by name, those that the provider did not fill left out.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Row {
    #[n(0)]
    pub fields: Vec<Field>,
}

impl Row {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.text.as_str())
    }
}

/// Amounts are decimals, times Unix ms, assets the codes people know (`asset_id`: CAIP-19), `chain` a CAIP-2 id beside
/// the provider's own `network`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Field {
    #[n(0)]
    pub name: String,
    #[n(1)]
    pub text: String,
}

canonical!(Query, Page);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Canonical;

    #[test]
    fn a_query_is_one_text_of_bytes() {
        let query = Query {
            kind: Kind::Addresses,
            asset: Some("USDT".into()),
            chain: Some("eip155:1".into()),
            market: None,
            since: None,
            until: None,
            from: None,
            account: None,
        };
        let bytes = query.to_bytes();
        assert_eq!(Query::from_bytes(&bytes), Ok(query));
        for kind in Kind::ALL {
            assert!(kind.name().bytes().all(|byte| byte.is_ascii_lowercase()));
        }
        // A kind that nobody knows.
        assert!(Query::from_bytes(&[0xA1, 0x00, 0x0A]).is_err());
    }
}
