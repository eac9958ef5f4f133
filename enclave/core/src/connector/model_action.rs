//! What a connector's file says of actions: the tables `actions`, `terms` and `status`.

use super::model::Listing;
use wire::action::Kind;

/// One way to carry an instruction out: the first whose conditions hold is taken.
#[derive(Debug)]
pub struct Action {
    pub operation: Deed,
    /// Arguments and their allowed values; `absent` and `present` for any value.
    pub when: Vec<(String, Vec<String>)>,
    /// Our account types and the exchange's codes of them; empty: the exchange has one account.
    pub accounts: Vec<(String, String)>,
    /// Of a withdrawal: what the amount that is sent says.
    pub amount: Counted,
    /// The parameter that carries the reference, where the exchange refuses a second use of it.
    pub once: Option<String>,
    /// For how long it does; nothing: for good.
    pub once_ms: Option<u64>,
    /// Whom it pays beside owners of addresses on chains, and the provider's words for each.
    pub recipients: Vec<(Recipient, String)>,
    /// Error codes by which the exchange says that it knows the reference.
    pub repeated: Vec<String>,
    /// Error codes by which the exchange refuses for good, besides those with a kind of their own.
    pub refused: Vec<String>,
    pub listing: Listing,
}

/// What an action does; a quote moves nothing, and is part of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Do(Kind),
    Quote,
}

impl Deed {
    pub const fn name(self) -> &'static str {
        match self {
            Deed::Do(kind) => kind.name(),
            Deed::Quote => "quote",
        }
    }
}

/// Somebody with an account at the provider, or who will have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    Email,
    /// ITU-T E.164, with the plus.
    Phone,
    /// The provider's id of the account.
    Account,
}

impl Recipient {
    pub const ALL: [Recipient; 3] = [Recipient::Email, Recipient::Phone, Recipient::Account];

    pub const fn name(self) -> &'static str {
        match self {
            Recipient::Email => "email",
            Recipient::Phone => "phone",
            Recipient::Account => "account",
        }
    }
}

/// Whether a reference is taken once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    /// Nobody says so.
    No,
    /// The second one within so many milliseconds is refused.
    For(u64),
    Ever,
}

/// What an amount that is sent counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// What leaves the account: the fee is taken out of it.
    Gross,
    /// What arrives: the fee comes on top.
    Net,
    /// One of the two: the exchange does not document which.
    Either,
}

/// A call that says on what terms an instruction would be carried out. All whose conditions hold are asked, in order; what
/// one says are arguments of the next, and of the action.
#[derive(Debug)]
pub struct TermsCall {
    pub kind: Kind,
    pub when: Vec<(String, Vec<String>)>,
    /// Without its answer the instruction goes on.
    pub optional: bool,
    pub listing: Listing,
}

/// A call that says what became of an instruction.
#[derive(Debug)]
pub struct Lookup {
    pub kind: Kind,
    pub when: Vec<(String, Vec<String>)>,
    pub by: By,
    /// Error codes by which the exchange says that it has none.
    pub absent: Vec<String>,
    pub listing: Listing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The exchange's own id, which is known: what it does not find does not exist.
    Id,
    /// The reference: likewise.
    Reference,
    /// All that there is of that time, each with the reference that its maker gave: what is not in it does not exist.
    List,
    /// Rows among which it may be.
    Rows,
}

/// The name of an operation in a connector file.
pub fn deed(name: &str) -> Option<Deed> {
    if name == "quote" {
        return Some(Deed::Quote);
    }
    kind(name).map(Deed::Do)
}

pub fn kind(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name)
}
/// The fields that rows of terms may have.
pub const TERM_FIELDS: &[&str] = &[
    "asset",
    "network",
    "market",
    "base",
    "quote",
    "account_id",
    "method",
    "saved",
    "address",
    "side",
    "active",
    "withdraw",
    "tag",
    "fee",
    "fee_rate",
    "fee_asset",
    "minimum",
    "maximum",
    "minimum_cost",
    "step",
    "step_cost",
    "precision",
    "unit",
    "price",
    "bid",
    "ask",
    "debited",
    "received",
    "received_asset",
    "quote_id",
    "expires",
    "timestamp",
];

/// The fields that the row of an action or of its status may have.
pub const OUTCOME_FIELDS: &[&str] = &[
    "id",
    "status",
    "txid",
    "amount",
    "cost",
    "fee",
    "fee_asset",
    "received",
    "received_asset",
    "reference",
    "asset",
    "network",
    "address",
    "tag",
    "market",
    "side",
    "timestamp",
    "from_account",
    "to_account",
    "price",
];
