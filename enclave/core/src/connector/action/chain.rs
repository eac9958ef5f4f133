//! The calls of one instruction, one after the other: each is planned when the one before has answered.

use super::super::fault::{CallerFault, Fault, FaultCode};
use super::super::model::{Connector, Listing, Setting};
use super::super::model_action::{Action, By, Counted, Deed, Lookup, TermsCall};
use super::super::outcome::{Answer, Operation, Record, Status as Came};
use super::super::page::Position;
use super::super::result::{applies, route};
use super::super::task::{Job, State, Task};
use super::super::value::{Params, Value, find, set};
use super::arguments::{accounts, arguments};
use super::doubt::{is_refused, is_unexplained};
use super::result::outcome_of;
use super::search::{find_row, is_another, is_named, since, until};
use super::terms::Stated;
use super::{action, destination, heed};
use std::collections::VecDeque;
use wire::action::{Instruction, Kind, Outcome, Status};
use wire::{Refusal, UnixMillis};

/// So long after it was sent, an exchange that looks an id up and has none will not have it later either.
///
/// A host can hold an instruction back, and lie about the time. The clock of this question may be 2 minutes ahead of its
/// owner's. The instruction is signed for 2 minutes, and its clock may lag 2 minutes behind the exchange's
/// ([`LAG_MS`]); a call ends within one. The exchange has the rest to book it.
const SETTLED_MS: u64 = 480_000;
/// The exchange's own clock may be so far ahead of ours when something is to be moved: ours is the host's claim.
pub const LAG_MS: i64 = 120_000;
/// The argument that is the amount in whole units of what the terms call one.
const UNITS: &str = "units";
/// Pages of an exchange's records that are searched for one instruction.
const SEARCHED_PAGES: u32 = 5;

/// A chain of calls in progress.
pub struct Chain {
    connector: &'static Connector,
    instruction: Instruction,
    aim: Aim,
    arguments: Params,
    calls: VecDeque<Stage>,
    current: Option<(usize, Stage)>,
    stated: Stated,
    /// How far the exchange's clock was ahead of ours at most.
    lag_ms: i64,
    answer: Option<Answer>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    Preview,
    Act,
    /// To find out what became of one that was sent then, Unix ms.
    Status {
        sent_ms: u64,
    },
}

#[derive(Clone, Copy)]
enum Stage {
    Terms { listing: &'static Listing, optional: bool },
    Submit(&'static Action),
    Lookup(&'static Lookup),
    Search(&'static Listing),
}

impl Chain {
    /// Plans an operation that is a chain; nothing for another one. What is wrong with the instruction itself is refused here,
    /// before anything is asked.
    pub fn plan(connector: &'static Connector, operation: &Operation) -> Result<Option<Chain>, Fault> {
        let (instruction, aim): (&Instruction, Aim) = match operation {
            Operation::Preview(instruction) => (instruction, Aim::Preview),
            Operation::Act(instruction) => (instruction, Aim::Act),
            Operation::Status(inquiry) => (&inquiry.instruction, Aim::Status { sent_ms: inquiry.sent.0 }),
            _ => return Ok(None),
        };
        let mut arguments = arguments(connector, instruction)?;
        if let Operation::Status(inquiry) = operation {
            inquiry.id.iter().for_each(|id| set(&mut arguments, "id", Value::Text(id.clone())));
        }
        let mut chain = Chain {
            connector,
            instruction: instruction.clone(),
            aim,
            arguments,
            calls: VecDeque::new(),
            current: None,
            stated: Stated::default(),
            lag_ms: 0,
            answer: None,
        };
        match aim {
            Aim::Preview | Aim::Act => chain.plan_act()?,
            Aim::Status { sent_ms } => chain.plan_status(sent_ms)?,
        }
        Ok(Some(chain))
    }

    fn plan_act(&mut self) -> Result<(), Refusal> {
        destination::check(&self.instruction)?;
        let action = self.action()?;
        // What is asked beforehand may choose another action than this one; one of them has to take all that was signed.
        let mut same = self.connector.actions.iter().filter(|other| other.operation == action.operation);
        if !same.any(|other| heed::check(other, &self.instruction).is_ok()) {
            heed::check(action, &self.instruction)?;
        }
        if let Some((kind, word)) = destination::payee(&self.instruction, &action.recipients)? {
            set(&mut self.arguments, "recipient", Value::Text(kind.name().to_owned()));
            set(&mut self.arguments, "recipient_type", Value::Text(word.clone()));
        }
        accounts(&action.accounts, &mut self.arguments)?;
        let kind = self.instruction.kind;
        for terms in self.connector.terms.iter().filter(|terms| terms.kind == kind) {
            let TermsCall { when, listing, optional, .. } = terms;
            if applies(when, &self.arguments) {
                self.calls.push_back(Stage::Terms { listing, optional: *optional });
            }
        }
        if kind == Kind::Withdraw
            && self.calls.is_empty()
            && let Some(read) = route(self.connector, "currencies", &self.arguments)
        {
            self.calls.push_back(Stage::Terms { listing: &read.listing, optional: false });
        }
        let quoted = self.instruction.quote.is_some();
        if let Some(quote) = super::action(self.connector, Deed::Quote, &self.arguments)
            && kind == Kind::Convert
            && !quoted
        {
            self.calls.push_back(Stage::Terms { listing: &quote.listing, optional: false });
        }
        Ok(())
    }

    fn plan_status(&mut self, sent_ms: u64) -> Result<(), Refusal> {
        let kind = self.instruction.kind;
        // Accounts that an action knows no name of have nothing to be found in.
        if let Ok(action) = self.action() {
            accounts(&action.accounts, &mut self.arguments)?;
        }
        let known = find(&self.arguments, "id").is_some();
        let mut lookups = self.connector.lookups.iter().filter(|lookup| {
            lookup.kind == kind && (lookup.by != By::Id || known) && applies(&lookup.when, &self.arguments)
        });
        if let Some(lookup) = lookups.next() {
            self.window(sent_ms);
            self.calls.push_back(Stage::Lookup(lookup));
            return Ok(());
        }
        let records = match kind {
            Kind::Withdraw => "withdrawals",
            Kind::Transfer => "transfers",
            Kind::Convert | Kind::Order => return Err(Refusal::NotOffered),
        };
        self.window(sent_ms);
        let read = route(self.connector, records, &self.arguments).ok_or(Refusal::NotOffered)?;
        self.calls.push_back(Stage::Search(&read.listing));
        Ok(())
    }

    fn window(&mut self, sent_ms: u64) {
        set(&mut self.arguments, "since", Value::Number(since(sent_ms).to_string()));
        set(&mut self.arguments, "until", Value::Number(until(sent_ms).to_string()));
    }

    fn action(&self) -> Result<&'static Action, Refusal> {
        let deed = Deed::Do(self.instruction.kind);
        if !self.connector.actions.iter().any(|action| action.operation == deed) {
            return Err(Refusal::NotOffered);
        }
        // The exchange does this, and not with these arguments.
        let unfit = match self.instruction.kind {
            Kind::Transfer => Refusal::UnknownAccount,
            _ => Refusal::NotOffered,
        };
        action(self.connector, deed, &self.arguments).ok_or(unfit)
    }

    /// The exchange says, on its own connection, what time it is.
    pub fn hear_time(&mut self, provider_ms: u64, now_ms: u64) {
        self.lag_ms = self.lag_ms.max(i64::try_from(provider_ms.saturating_sub(now_ms)).unwrap_or(i64::MAX));
    }

    /// The next call, once the current one has come to its end; nothing when the chain is over. `rows` are what it answered.
    pub fn next(&mut self, tasks: &[Task], rows: &mut Vec<Record>, now_ms: u64) -> Option<Task> {
        if self.answer.is_some() {
            return None;
        }
        if let Some((at, stage)) = self.current.take()
            && let Some(task) = tasks.get(at)
        {
            self.settled(stage, task, std::mem::take(rows), now_ms);
        }
        if self.answer.is_some() {
            return None;
        }
        let stage = match self.calls.pop_front() {
            Some(stage) => stage,
            None => match self.decide(now_ms) {
                Ok(stage) => stage?,
                Err(refusal) => {
                    self.answer = Some(Answer::Refused(refusal.into()));
                    return None;
                }
            },
        };
        self.current = Some((tasks.len(), stage));
        Some(self.task(stage))
    }

    /// Everything that is asked beforehand has answered: checks, and the call that moves something.
    fn decide(&mut self, now_ms: u64) -> Result<Option<Stage>, Refusal> {
        let action = self.action()?;
        heed::check(action, &self.instruction)?;
        accounts(&action.accounts, &mut self.arguments)?;
        if self.instruction.chain.is_some() && !heed::heeds(action, "network") && !self.stated.network_agreed
        {
            return Err(Refusal::UnknownNetwork);
        }
        let counted = if self.instruction.kind == Kind::Withdraw { action.amount } else { Counted::Gross };
        let amounts = self.stated.check(&self.instruction, counted, now_ms)?;
        let units = self.stated.units(amounts.sent)?;
        if units.is_none() && action.listing.params.iter().any(|(_, setting)| counts_units(setting)) {
            return Err(Refusal::TermsUnstated);
        }
        match self.aim {
            // Held back for too long: its owner may have been told by now that it does not exist.
            Aim::Act if self.lag_ms > LAG_MS => Err(Refusal::ProviderClock),
            Aim::Act => {
                set(&mut self.arguments, "amount", Value::Text(amounts.sent.to_string()));
                if let Some(units) = units {
                    set(&mut self.arguments, UNITS, Value::Text(units.to_string()));
                }
                if let Some(fee) = amounts.fee {
                    set(&mut self.arguments, "fee", Value::Text(fee.to_string()));
                }
                Ok(Some(Stage::Submit(action)))
            }
            // A question about the past ends with its answer.
            Aim::Status { .. } => Err(Refusal::Internal),
            Aim::Preview => {
                let once = action.once.is_some();
                let terms = self.stated.shown(&self.instruction, &amounts, &self.arguments, once, now_ms);
                self.answer = Some(Answer::Terms(Box::new(terms)));
                Ok(None)
            }
        }
    }

    fn task(&self, stage: Stage) -> Task {
        let (job, listing) = match stage {
            Stage::Terms { listing, .. } | Stage::Search(listing) => (Job::Rows, listing),
            Stage::Submit(action) => (Job::Submit(action), &action.listing),
            Stage::Lookup(lookup) => (Job::Rows, &lookup.listing),
        };
        let mut task = Task::new(job, listing, self.arguments.clone(), Params::new());
        task.max_pages = task.max_pages.min(SEARCHED_PAGES);
        task
    }

    fn settled(&mut self, stage: Stage, task: &Task, rows: Vec<Record>, now_ms: u64) {
        let State::Done(came) = &task.state else { return };
        match (stage, came) {
            (Stage::Terms { listing, .. }, Came::Ok | Came::Partial(_)) => {
                let asked = listing.arguments();
                if let Err(refusal) = self.stated.take(self.connector, &asked, &rows, &mut self.arguments) {
                    self.answer = Some(Answer::Refused(refusal.into()));
                }
            }
            (Stage::Terms { optional: true, .. }, _) => {}
            (Stage::Terms { .. }, came) => self.answer = Some(Answer::Refused(fault_of(came))),
            (Stage::Submit(action), came) => {
                self.answer = Some(self.submitted(action, task, came, &rows, now_ms))
            }
            (Stage::Lookup(lookup), came) => {
                self.answer = Some(self.looked_up(lookup, task, came, &rows, now_ms));
            }
            (Stage::Search(_), came) => self.answer = Some(self.searched(came, &rows, now_ms)),
        }
    }

    /// The one call that moves something has ended. Where that is no certain no, it is an outcome, never a refusal.
    fn submitted(&self, action: &Action, task: &Task, came: &Came, rows: &[Record], now_ms: u64) -> Answer {
        match (came, rows.first()) {
            (Came::Ok, Some(row)) => {
                Answer::Outcome(Box::new(outcome_of(self.connector, &self.instruction, row, now_ms)))
            }
            (Came::Failed(fault) | Came::NotPermitted(fault), _) => {
                let repeated =
                    fault.provider_code.as_ref().is_some_and(|code| action.repeated.contains(code));
                let certain = task.unsent || is_refused(fault, &action.refused);
                // It may be the exchange's word for a reference that it knows: from before this enclave's start.
                let unexplained = action.once.is_some() && is_unexplained(fault, &action.refused);
                if repeated {
                    self.repeated(fault.original.as_deref(), now_ms)
                } else if certain && !unexplained && !task.doubtful {
                    Answer::Refused(fault.clone())
                } else {
                    self.unknown(fault.code.name(), now_ms)
                }
            }
            _ => self.unknown(FaultCode::Malformed.name(), now_ms),
        }
    }

    /// The provider has the reference already, and nobody else knows it. Where it says what came of it, that is under way.
    fn repeated(&self, original: Option<&str>, now_ms: u64) -> Answer {
        let Some(id) = original else { return self.unknown("repeated", now_ms) };
        let bare = Outcome::bare(self.instruction.reference, Status::Pending, UnixMillis(now_ms));
        Answer::Outcome(Box::new(Outcome { id: Some(id.to_owned()), ..bare }))
    }

    fn looked_up(&self, lookup: &Lookup, task: &Task, came: &Came, rows: &[Record], now_ms: u64) -> Answer {
        match lookup.by {
            By::Rows => return self.searched(came, rows, now_ms),
            By::List => return self.listed(task, came, rows, now_ms),
            By::Id | By::Reference => {}
        }
        let row = rows.iter().find(|row| !is_another(row, lookup.by, &self.arguments));
        // Several that do not say which they are: the exchange did not look anything up.
        let row = row.filter(|row| rows.len() == 1 || is_named(row, &self.arguments));
        match (came, row) {
            (Came::Ok, Some(row)) => {
                Answer::Outcome(Box::new(outcome_of(self.connector, &self.instruction, row, now_ms)))
            }
            // A provider that answers with others does not look ids up.
            (Came::Ok, None) if !rows.is_empty() => self.unknown("not_found", now_ms),
            (Came::Ok, None) => self.absent(now_ms),
            (Came::Failed(fault) | Came::NotPermitted(fault), _)
                if fault.provider_code.as_ref().is_some_and(|code| lookup.absent.contains(code)) =>
            {
                self.absent(now_ms)
            }
            (came, _) => Answer::Refused(fault_of(came)),
        }
    }

    /// A row that names it is it; what is in none of all the rows that there are does not exist.
    fn listed(&self, task: &Task, came: &Came, rows: &[Record], now_ms: u64) -> Answer {
        let row = rows.iter().find(|row| is_named(row, &self.arguments));
        let whole = matches!(came, Came::Ok) && task.position == Position::Start;
        match (row, came) {
            (Some(row), _) => {
                Answer::Outcome(Box::new(outcome_of(self.connector, &self.instruction, row, now_ms)))
            }
            (None, _) if whole => self.absent(now_ms),
            (None, Came::Ok | Came::Partial(_) | Came::Absent) => self.unknown("not_found", now_ms),
            (None, came) => Answer::Refused(fault_of(came)),
        }
    }

    fn searched(&self, came: &Came, rows: &[Record], now_ms: u64) -> Answer {
        let Aim::Status { sent_ms } = self.aim else { return self.unknown("internal", now_ms) };
        let found = find_row(self.connector, rows, &self.instruction, &self.arguments, sent_ms);
        match (found, came) {
            (Some(row), _) => {
                let outcome = outcome_of(self.connector, &self.instruction, row, now_ms);
                if outcome.status == Status::Failed && !is_named(row, &self.arguments) {
                    // An earlier one that was alike may have failed, and this one is not booked yet.
                    return self.unknown("not_found", now_ms);
                }
                Answer::Outcome(Box::new(outcome))
            }
            // Not among them, or several could be it: no proof of anything.
            (None, Came::Ok | Came::Partial(_) | Came::Absent) => self.unknown("not_found", now_ms),
            (None, came) => Answer::Refused(fault_of(came)),
        }
    }

    fn absent(&self, now_ms: u64) -> Answer {
        match self.aim {
            Aim::Status { sent_ms } if now_ms.saturating_sub(sent_ms) >= SETTLED_MS => {
                let outcome = Outcome::bare(self.instruction.reference, Status::Absent, UnixMillis(now_ms));
                Answer::Outcome(Box::new(outcome))
            }
            _ => self.unknown("not_found", now_ms),
        }
    }

    fn unknown(&self, why: &str, now_ms: u64) -> Answer {
        let bare = Outcome::bare(self.instruction.reference, Status::Unknown, UnixMillis(now_ms));
        Answer::Outcome(Box::new(Outcome { fault: Some(why.to_owned()), ..bare }))
    }

    pub fn into_answer(self) -> Answer {
        self.answer.unwrap_or(Answer::Refused(FaultCode::Internal.into()))
    }

    /// Whether the call that moves something may have been sent.
    pub fn has_submitted(&self) -> bool {
        matches!(self.current, Some((_, Stage::Submit(_))))
    }
}

/// Whether a parameter is a number of the provider's smallest units.
fn counts_units(setting: &Setting) -> bool {
    Listing::arguments_of(setting).iter().any(|argument| argument == UNITS)
}

fn fault_of(came: &Came) -> Fault {
    match came {
        Came::Failed(fault) | Came::NotPermitted(fault) | Came::Partial(fault) => fault.clone(),
        Came::Ok | Came::Absent | Came::Unsupported(_) => CallerFault::Unsupported.into(),
    }
}
