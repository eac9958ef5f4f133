//! What a run is asked for, and what it answers.

use std::rc::Rc;

use wire::Decimal;
use wire::action::{self, Inquiry, Instruction};

use super::fault::Fault;
use super::grant::Granted;
use super::page::Position;
use super::price::PriceTable;
use super::value::Params;

/// What a run does at the provider. None but [`Operation::Act`] moves anything there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Checks that the credential is accepted, and asks what it may do.
    Capabilities,
    /// Every account type of the exchange, or the named sources only.
    Balances { sources: Option<Vec<String>> },
    /// The exchange's public prices; needs no credential, the same for every owner.
    Prices,
    /// The provider's clock; needs no credential.
    Time,
    /// On what terms an instruction would be carried out; moves nothing.
    Preview(Box<Instruction>),
    /// Carries an instruction out: at most once.
    Act(Box<Instruction>),
    /// What became of an instruction.
    Status(Box<Inquiry>),
    /// A read operation of the connector, with its arguments by name, and parameters that are sent as they are.
    /// It starts where an earlier one ended, if it is told where, and reads that many pages at most.
    Read { operation: String, arguments: Params, extra: Params, from: Position, pages: Option<u32> },
}

/// What came of a run: as much as there was, and a report on everything that was asked.
#[derive(Debug)]
pub struct Outcome {
    pub answer: Answer,
    /// One entry for each source that was asked, and each that the exchange has and the connector cannot read.
    pub coverage: Vec<Coverage>,
    /// The provider's clock minus ours in ms, where the run measured it.
    pub skew_ms: Option<i64>,
    /// How many requests were sent, retries included.
    pub calls: u32,
    /// Where a read operation goes on, if it did not come to its end.
    pub next: Option<Position>,
    /// Why a history that came to its end may not be all of it.
    pub short: Option<&'static str>,
}

#[derive(Debug)]
pub enum Answer {
    Capabilities(Vec<Finding>),
    Balances(Vec<Balance>),
    Prices(PriceTable),
    /// Unix time in ms.
    Time(u64),
    Rows(Vec<Record>),
    /// What came of a payment from a wallet.
    Spending(Box<crate::network::spend::Answered>),
    Terms(Box<action::Terms>),
    Outcome(Box<action::Outcome>),
    /// An instruction that moved nothing, or an inquiry that learnt nothing.
    Refused(Fault),
    /// Of a call to the authorisation server.
    Granted(Granted),
    /// Nothing was learnt; the coverage says why.
    Nothing,
}

impl Outcome {
    /// Whether everything that the exchange has was read.
    pub fn is_complete(&self) -> bool {
        self.coverage.iter().all(|source| source.status == Status::Ok)
    }

    /// The first fault, where nothing at all was learnt.
    pub fn fault(&self) -> Option<&Fault> {
        self.coverage.iter().find_map(|source| match &source.status {
            Status::Failed(fault) | Status::NotPermitted(fault) | Status::Partial(fault) => Some(fault),
            Status::Ok | Status::Absent | Status::Unsupported(_) => None,
        })
    }
}

/// What came of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The source's name in the connector, such as `margin`.
    pub source: String,
    pub status: Status,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    /// Some of it came: a page or a row is missing.
    Partial(Fault),
    Failed(Fault),
    /// The key may not read it.
    NotPermitted(Fault),
    /// The exchange says that the owner has no account of this type.
    Absent,
    /// The exchange has it and this connector cannot read it; the reason.
    Unsupported(String),
}

impl Status {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial(_) => "partial",
            Self::Failed(_) => "failed",
            Self::NotPermitted(_) => "not_permitted",
            Self::Absent => "absent",
            Self::Unsupported(_) => "unsupported",
        }
    }
}

/// One asset in one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    pub source: &'static str,
    /// `spot`, `funding`, `margin`, `isolated_margin`, `futures`, `options`, `earn`, `unified`, …
    pub account: Rc<str>,
    /// The isolated margin pair that the asset belongs to, in the exchange's own name.
    pub pair: Option<String>,
    /// The unified code; the exchange's own where no rule changes it.
    pub asset: Rc<str>,
    /// The exchange's own code, mostly the same text.
    pub symbol: Rc<str>,
    pub free: Option<Decimal>,
    pub used: Option<Decimal>,
    pub total: Option<Decimal>,
    pub debt: Option<Decimal>,
}

/// What the provider lets a key do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `read`, `trade`, `futures`, `margin`, `withdraw`, `transfer`, `ip_restricted`, `expires`.
    pub capability: &'static str,
    pub state: State,
    pub source: Source,
    /// Method and path, such as `GET /sapi/v1/account/apiRestrictions`; empty where nothing was asked.
    pub endpoint: String,
    /// SHA-256 of the answer's body.
    pub response: Option<[u8; 32]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Yes,
    No,
    /// Not stated anywhere: to be treated as able.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The provider's answer says so.
    Stated,
    /// The provider's documentation says so.
    Documented,
    /// Follows from what was accepted or refused.
    Inferred,
}

/// One row of a read operation: fields by name, absent ones left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record(pub Vec<(&'static str, String)>);

impl Record {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_str())
    }
}
