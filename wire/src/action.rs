//! Money that moves: what an owner orders, on what terms, and what became of it.
//!
//! One form for exchanges, wallets and payment providers. The owner signs the whole [`Instruction`]; nothing that matters
//! to where how much goes is chosen behind it. A refusal of `act` says that nothing was moved; where that is not certain
//! there is an [`Outcome`], and its status is unknown.

use crate::cbor::canonical;
use crate::record::Field;
use crate::{Decimal, UnixMillis};
use minicbor::{Decode, Encode};

mod form;

pub use form::{MAX_NAME, MAX_QUOTE, MAX_TEXT};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Between the owner's own accounts at the provider.
    #[n(1)]
    Transfer,
    /// To an address, or to a destination that the owner has saved at the provider (a payout to a bank too).
    #[n(2)]
    Withdraw,
    /// One asset for another, at the provider's own price.
    #[n(3)]
    Convert,
    /// A market order.
    #[n(4)]
    Order,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Transfer, Kind::Withdraw, Kind::Convert, Kind::Order];

    pub const fn name(self) -> &'static str {
        match self {
            Kind::Transfer => "transfer",
            Kind::Withdraw => "withdraw",
            Kind::Convert => "convert",
            Kind::Order => "order",
        }
    }

    /// Whether value may leave the owner's hands, or change into something else: it takes both factors.
    pub const fn is_dangerous(self) -> bool {
        match self {
            Kind::Transfer => false,
            Kind::Withdraw | Kind::Convert | Kind::Order => true,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Side {
    /// `asset` is bought with `to_asset`.
    #[n(1)]
    Buy,
    /// `asset` is sold for `to_asset`.
    #[n(2)]
    Sell,
}

/// Names one instruction of an owner for good: 16 random bytes that the client makes, keeps before it sends anything, and
/// never uses for another instruction. Where a provider takes an id from its caller, this is it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Reference(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// What an owner orders: the arguments of `preview` and `act`.
///
/// Amounts are decimals in canonical form, above zero. Assets are the codes people know (`USDT`) or CAIP-19 ids.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Instruction {
    #[n(0)]
    pub kind: Kind,
    #[n(1)]
    pub reference: Reference,
    /// What moves. Of an order: the market's base asset.
    #[n(2)]
    pub asset: String,
    #[n(3)]
    pub amount: String,
    /// The account type it comes from: `spot`, `funding`, …; absent: the provider's usual one.
    #[n(4)]
    pub from: Option<String>,
    /// The account type it goes to; of a transfer alone.
    #[n(5)]
    pub to: Option<String>,
    /// The chain that a withdrawal takes, by its CAIP-2 id.
    #[n(6)]
    pub chain: Option<String>,
    #[n(7)]
    pub address: Option<String>,
    /// Memo, destination tag, payment id: whatever the chain has beside an address.
    #[n(8)]
    pub tag: Option<String>,
    /// The provider's name of a destination that the owner has saved there: an entry of its address book, a bank account.
    #[n(9)]
    pub saved: Option<String>,
    /// What an amount is converted to. Of an order: the market's quote asset.
    #[n(10)]
    pub to_asset: Option<String>,
    #[n(11)]
    pub side: Option<Side>,
    /// Of an order: the amount counts `to_asset` (spend 100 EUR), not `asset` (buy 0.002 BTC).
    #[n(12)]
    pub counts_quote: bool,
    /// Of a withdrawal: the fee is taken out of the amount, which is what leaves the account in all. Otherwise the amount is
    /// what arrives, and the fee comes on top.
    #[n(13)]
    pub fee_included: bool,
    /// Nothing moves for a higher fee, in the asset that it is charged in: `max_fee_asset`, else `asset`.
    #[n(14)]
    pub max_fee: Option<String>,
    #[n(15)]
    pub max_fee_asset: Option<String>,
    /// Nothing moves if less would arrive: of `asset` in a withdrawal, of what is received in a conversion or order.
    #[n(16)]
    pub min_received: Option<String>,
    /// A quote that a preview gave, and that `act` takes: opaque.
    #[n(17)]
    pub quote: Option<String>,
    #[n(18)]
    pub travel: Option<Travel>,
    /// Of a withdrawal: the amount is what the provider is told, wherever it takes the fee from. Where it does not say which,
    /// nothing is sent without: what leaves is at most the amount and the fee, what arrives at least the amount less the fee.
    #[n(19)]
    pub fee_either: bool,
}

/// What the law of some places wants to be told with a withdrawal ("travel rule").
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Travel {
    /// Who keeps the address.
    #[n(0)]
    pub destination: Destination,
    /// Name of the exchange or custodian, where one keeps it.
    #[n(1)]
    pub institution: Option<String>,
    /// Who receives it: the name as on papers.
    #[n(2)]
    pub beneficiary: Option<String>,
    /// The receiver is a company; otherwise a person.
    #[n(3)]
    pub company: bool,
    /// ISO 3166-1 alpha-2.
    #[n(4)]
    pub country: Option<String>,
    #[n(5)]
    pub purpose: Option<String>,
    /// Whatever else the provider asks, by its own names.
    #[n(6)]
    pub answers: Vec<Field>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Destination {
    /// The owner's own wallet.
    #[n(1)]
    Own,
    /// A wallet of somebody else.
    #[n(2)]
    Other,
    /// An account at an exchange or custodian.
    #[n(3)]
    Hosted,
}

impl Destination {
    pub const fn name(self) -> &'static str {
        match self {
            Destination::Own => "own",
            Destination::Other => "other",
            Destination::Hosted => "hosted",
        }
    }
}

/// On what terms a provider would carry an instruction out: the result of `preview`. What it does not state is absent, which
/// is not zero.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Terms {
    #[n(0)]
    pub as_of: UnixMillis,
    #[n(1)]
    pub fee: Option<String>,
    #[n(2)]
    pub fee_asset: Option<String>,
    /// Of the amount as the provider counts it.
    #[n(3)]
    pub minimum: Option<String>,
    #[n(4)]
    pub maximum: Option<String>,
    /// Amounts are multiples of this.
    #[n(5)]
    pub step: Option<String>,
    /// What leaves the account, fee included.
    #[n(6)]
    pub debited: Option<String>,
    #[n(7)]
    pub received: Option<String>,
    #[n(8)]
    pub received_asset: Option<String>,
    /// Of one unit of `asset`, in the other asset.
    #[n(9)]
    pub price: Option<String>,
    /// To be set in the instruction that takes these terms.
    #[n(10)]
    pub quote: Option<String>,
    #[n(11)]
    pub expires: Option<UnixMillis>,
    /// The provider's own name of the chain.
    #[n(12)]
    pub network: Option<String>,
    /// The provider's own name of the market.
    #[n(13)]
    pub market: Option<String>,
    /// The provider refuses a second instruction with the same reference.
    #[n(14)]
    pub repeat_refused: bool,
    /// What this call could not find out, by the names of the members above.
    #[n(15)]
    pub unstated: Vec<String>,
}

/// Arguments of `status`: what became of an instruction that may have been carried out.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Inquiry {
    /// As it was signed: without an id, the provider's records are searched for it.
    #[n(0)]
    pub instruction: Instruction,
    /// The provider's id of it, where an outcome told it.
    #[n(1)]
    pub id: Option<String>,
    /// When it was first sent.
    #[n(2)]
    pub sent: UnixMillis,
}

/// What became of an instruction: the result of `act` and `status`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Outcome {
    #[n(0)]
    pub as_of: UnixMillis,
    #[n(1)]
    pub reference: Reference,
    #[n(2)]
    pub status: Status,
    #[n(3)]
    pub id: Option<String>,
    /// On the chain.
    #[n(4)]
    pub txid: Option<String>,
    /// As the provider counts it.
    #[n(5)]
    pub amount: Option<String>,
    #[n(6)]
    pub fee: Option<String>,
    #[n(7)]
    pub fee_asset: Option<String>,
    #[n(8)]
    pub received: Option<String>,
    #[n(9)]
    pub received_asset: Option<String>,
    /// The provider's own word for the status.
    #[n(10)]
    pub said: Option<String>,
    /// Why it is not known, or failed: a code of the connector's taxonomy.
    #[n(11)]
    pub fault: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Status {
    /// The provider has it, and is at it.
    #[n(1)]
    Pending,
    #[n(2)]
    Done,
    /// The provider had it, and it came to nothing.
    #[n(3)]
    Failed,
    /// It may have been carried out or not: ask again, never send again.
    #[n(4)]
    Unknown,
    /// The provider's records do not have it, and it would be in them: an id that it keeps was looked up.
    #[n(5)]
    Absent,
}

impl Status {
    pub const ALL: [Status; 5] =
        [Status::Pending, Status::Done, Status::Failed, Status::Unknown, Status::Absent];

    pub const fn name(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Done => "done",
            Status::Failed => "failed",
            Status::Unknown => "unknown",
            Status::Absent => "absent",
        }
    }

    /// Whether nothing changes any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Status::Done | Status::Failed | Status::Absent)
    }
}

impl Outcome {
    /// An outcome of which nothing but the status is known.
    pub fn bare(reference: Reference, status: Status, as_of: UnixMillis) -> Outcome {
        Outcome {
            as_of,
            reference,
            status,
            id: None,
            txid: None,
            amount: None,
            fee: None,
            fee_asset: None,
            received: None,
            received_asset: None,
            said: None,
            fault: None,
        }
    }
}

impl Instruction {
    /// Only what every instruction has; the rest absent.
    pub fn new(kind: Kind, reference: Reference, asset: impl Into<String>, amount: Decimal) -> Instruction {
        Instruction {
            kind,
            reference,
            asset: asset.into(),
            amount: amount.to_string(),
            from: None,
            to: None,
            chain: None,
            address: None,
            tag: None,
            saved: None,
            to_asset: None,
            side: None,
            counts_quote: false,
            fee_included: false,
            max_fee: None,
            max_fee_asset: None,
            min_received: None,
            quote: None,
            travel: None,
            fee_either: false,
        }
    }
}

impl Reference {
    /// 32 hexadecimal digits in lower case.
    pub fn hex(self) -> String {
        use core::fmt::Write;
        self.0.iter().fold(String::with_capacity(32), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Reads [`Reference::hex`], and nothing else.
    pub fn parse(text: &str) -> Option<Reference> {
        crate::id::parse_hex(text).map(Reference)
    }
}

impl core::fmt::Debug for Reference {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.hex())
    }
}

canonical!(Instruction, Travel, Terms, Inquiry, Outcome);
