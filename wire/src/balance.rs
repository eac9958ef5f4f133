//! What a person owns at one provider. Amounts are decimal strings: exact, and each beside its asset.

use crate::UnixMillis;
use crate::cbor::canonical;
use minicbor::{Decode, Encode};

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Holdings {
    #[n(0)]
    pub as_of: UnixMillis,
    #[n(1)]
    pub currency: String,
    #[n(2)]
    pub accounts: Vec<Account>,
    /// Every account type that was asked for, and what came of it.
    #[n(3)]
    pub sources: Vec<Source>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Account {
    /// `spot`, `funding`, `margin`, `futures`, `earn`, …
    #[n(0)]
    pub kind: String,
    #[n(1)]
    pub assets: Vec<Asset>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Asset {
    /// CAIP-19 or `iso4217:EUR` where the asset is known, else `unknown:EXCHANGE/CODE`.
    #[n(0)]
    pub asset: String,
    /// The code people know it by, such as `BTC`.
    #[n(1)]
    pub symbol: String,
    /// Absent: the provider does not tell it, which is not zero.
    #[n(2)]
    pub free: Option<String>,
    /// The same.
    #[n(3)]
    pub used: Option<String>,
    /// All that is told; where that is only what is free, that.
    #[n(4)]
    pub total: String,
    #[n(5)]
    pub debt: Option<String>,
    /// Of one unit, in the currency asked for. Absent: unpriced, which is not zero.
    #[n(6)]
    pub price: Option<String>,
    #[n(7)]
    pub value: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Source {
    #[n(0)]
    pub name: String,
    #[n(1)]
    pub status: Status,
    /// Why, where the status is not `Complete`: a code of the connector's error taxonomy.
    #[n(2)]
    pub fault: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Status {
    #[n(0)]
    Complete,
    /// Some of it came: a page or a row is missing.
    #[n(1)]
    Partial,
    #[n(2)]
    Failed,
    /// The key may not read it.
    #[n(3)]
    NotPermitted,
    /// The exchange has it and the connector cannot read it.
    #[n(4)]
    Unsupported,
}

canonical!(Holdings);
