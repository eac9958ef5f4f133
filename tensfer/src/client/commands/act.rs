//! `transfer`, `withdraw`, `convert`, `order`: what moves money. Preview, confirmation, one request.
//!
//! What is signed is what was shown. It is written down before it leaves, and leaves once: without an answer under the
//! enclave's seal nobody here says what happened, and the same command asks before it orders again (m38).

mod args;
mod show;
#[cfg(test)]
mod tests;

pub use args::{Common, Convert, Order, Transfer, Withdraw};
pub use show::{instruction as show_instruction, outcome as show_outcome, outcome_json};

use super::{print, print_json};
use crate::client::clock::now;
use crate::client::failure::{Failure, Fault, Result};
use crate::client::home::journal::{Entry, State};
use crate::client::home::record::{Record, Slot};
use crate::client::home::rings::Ring;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::Session;
use crate::client::terminal::{ask_line, can_ask, printable, say};
use serde_json::json;
use std::process::ExitCode;
use wire::action::{Inquiry, Instruction, Kind, Outcome, Reference, Status, Terms};
use wire::operation::Op;
use wire::owner::OwnerRole;
use wire::{Canonical, Decimal, Refusal};

pub fn transfer(options: &Options, args: &Transfer) -> Result<ExitCode> {
    run(options, &args.id, args.instruction()?, None, &args.common)
}

pub fn withdraw(options: &Options, args: &Withdraw) -> Result<ExitCode> {
    run(options, &args.id, args.instruction()?, args.replaces, &args.common)
}

pub fn convert(options: &Options, args: &Convert) -> Result<ExitCode> {
    run(options, &args.id, args.instruction()?, None, &args.common)
}

pub fn order(options: &Options, args: &Order) -> Result<ExitCode> {
    run(options, &args.id, args.instruction()?, None, &args.common)
}

fn run(
    options: &Options,
    id: &str,
    instruction: Instruction,
    replaces: Option<Reference>,
    common: &Common,
) -> Result<ExitCode> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let linked = Linked::open(&home, &session)?;
    let record = linked.connection(id)?;
    Ordering { linked: &linked, record, replaces, common }.run(instruction)
}

/// One instruction on its way.
struct Ordering<'o> {
    linked: &'o Linked<'o>,
    record: Record,
    /// The payment from a wallet whose place this one takes.
    replaces: Option<Reference>,
    common: &'o Common,
}

impl Ordering<'_> {
    fn run(&mut self, mut instruction: Instruction) -> Result<ExitCode> {
        if let Some(earlier) = self.replaces {
            instruction.quote = Some(self.quote_of(earlier)?);
        }
        if let Some(ending) = self.settle_earlier(&instruction)? {
            return Ok(ending);
        }
        let slot = self.record.current()?.clone();
        let second = self.second_factor(&instruction)?;
        let terms = self.preview(&slot, &instruction)?;
        let instruction = bounded(instruction, &terms);
        if self.common.preview || !self.common.json {
            self.show(&instruction, &terms)?;
        }
        if self.common.preview {
            return Ok(ExitCode::SUCCESS);
        }
        self.confirm(&instruction)?;
        let outcome = self.act(&slot, &instruction, second.as_ref())?;
        self.tell(&instruction, Some(&terms), &outcome)
    }

    /// The same was ordered before, and its owner was not told what became of that: finds out first.
    fn settle_earlier(&mut self, instruction: &Instruction) -> Result<Option<ExitCode>> {
        let (home, realm) = (self.linked.home, self.linked.enclave.realm());
        for mut entry in home.action_entries(realm)? {
            if entry.state() == State::Told || !entry.is_like(self.record.id, instruction)? {
                continue;
            }
            if self.replaces == Some(entry.instruction()?.reference) {
                continue;
            }
            if let Some(code) = entry.refusal() {
                say(format!(
                    "note: an earlier command was refused ({}), and nothing was moved",
                    printable(code)
                ));
                entry.tell();
                home.write_action(realm, &entry)?;
                continue;
            }
            if self.common.again {
                entry.give_up();
                home.write_action(realm, &entry)?;
                continue;
            }
            say("note: this was ordered before; asking what became of that");
            let outcome = match entry.outcome()?.filter(|_| entry.state() == State::Answered) {
                Some(outcome) => outcome,
                None => inquire(self.linked, &mut self.record, &mut entry)?,
            };
            match outcome.status {
                Status::Absent => {
                    entry.tell();
                    home.write_action(realm, &entry)?;
                    say("note: the exchange has no such instruction: it is ordered now");
                }
                Status::Unknown => return Err(unsettled(&outcome)),
                Status::Pending | Status::Done | Status::Failed => {
                    let earlier = entry.instruction()?;
                    say("note: it was not ordered again; run the command once more to order another");
                    return self.tell(&earlier, None, &outcome).map(Some);
                }
            }
        }
        Ok(None)
    }

    /// The transaction of an earlier payment from this wallet: whatever has its quote never happens beside it.
    fn quote_of(&self, earlier: Reference) -> Result<String> {
        let entry = self.linked.home.action(self.linked.enclave.realm(), earlier)?;
        let quote = entry.instruction()?.quote.filter(|_| entry.connection() == self.record.id.to_string());
        quote.ok_or_else(|| Failure::usage("that was no payment from this wallet, and has no place to take"))
    }

    fn second_factor(&self, instruction: &Instruction) -> Result<Option<Ring>> {
        if !instruction.kind.is_dangerous() || self.common.preview {
            return Ok(None);
        }
        let (home, realm) = (self.linked.home, self.linked.enclave.realm());
        let ring = home.second_factor(realm)?;
        let slot = self.record.current()?;
        let found = slot
            .owner(OwnerRole::Second)
            .is_some_and(|key| ring.as_ref().is_some_and(|ring| ring.find(key).is_some()));
        if found {
            return Ok(ring);
        }
        let path = home.second_factor_path(realm);
        let name = printable(&self.record.name);
        Err(Failure::refused(
            "second_factor_needed",
            format!("your second factor of `{name}` is not in `{}`", path.display()),
        )
        .hint("this needs both your keys: name the second one's file with `--second-factor FILE`"))
    }

    fn preview(&mut self, slot: &Slot, instruction: &Instruction) -> Result<Terms> {
        let result = self.linked.ask(&mut self.record, slot, Op::Preview, &instruction.to_bytes(), &[])?;
        Terms::from_bytes(&result).map_err(|_| unreadable())
    }

    fn show(&self, instruction: &Instruction, terms: &Terms) -> Result<()> {
        if self.common.json {
            let shown = json!({
                "instruction": show::instruction_json(instruction),
                "terms": show::terms_json(terms),
            });
            return print_json(&shown);
        }
        let exchange = &self.record.exchange;
        say(format!(
            "you are about to sign:\n{}the exchange says:\n{}",
            show::instruction(instruction, exchange),
            show::terms(instruction, terms)
        ));
        Ok(())
    }

    /// A person says yes; a program does by `--yes`.
    fn confirm(&self, instruction: &Instruction) -> Result<()> {
        if self.common.yes {
            return Ok(());
        }
        if !can_ask() || self.common.json {
            return Err(Failure::usage("nothing is moved without your word")
                .hint("say `--yes`, or run the command at a terminal; `--preview` only shows the terms"));
        }
        let asked = format!("type `yes` to {} this", instruction.kind.name());
        if ask_line(&asked)?.trim() != "yes" {
            return Err(Failure::refused("not_confirmed", "you did not say yes, and nothing was moved"));
        }
        // They may have taken their time.
        self.linked.enclave.refresh()
    }

    /// Written down, then sent, once.
    fn act(&mut self, slot: &Slot, instruction: &Instruction, second: Option<&Ring>) -> Result<Outcome> {
        let (home, realm) = (self.linked.home, self.linked.enclave.realm());
        let mut entry = Entry::new(self.record.id, instruction, now());
        home.write_action(realm, &entry)?;
        let key = slot.owner(OwnerRole::Second).and_then(|key| second?.find(key));
        let others: Vec<_> = key.into_iter().collect();
        let answer = self.linked.send(&mut self.record, slot, Op::Act, &instruction.to_bytes(), &others);
        let refusal = answer.as_ref().ok().and_then(|answer| answer.outcome.as_ref().err().copied());
        let result = self.linked.finish(&mut self.record, answer);
        match (result, refusal) {
            (Ok((result, _)), _) => {
                let outcome =
                    Outcome::from_bytes(&result).map_err(|_| in_doubt(unreadable(), instruction))?;
                entry.answer(&outcome);
                home.write_action(realm, &entry)?;
                Ok(outcome)
            }
            // The enclave's own word, under its seal and with its receipt. A reference that it has seen is in doubt.
            (Err(failure), Some(refusal))
                if failure.code == refusal.code() && refusal != Refusal::ReferenceUsed =>
            {
                entry.refuse(refusal.code());
                entry.tell();
                home.write_action(realm, &entry)?;
                Err(failure)
            }
            // Whatever the server says: it may have been carried out.
            (Err(failure), _) => Err(in_doubt(failure, instruction)),
        }
    }

    fn tell(&self, instruction: &Instruction, terms: Option<&Terms>, outcome: &Outcome) -> Result<ExitCode> {
        match self.common.json {
            true => print_json(&json!({
                "instruction": show::instruction_json(instruction),
                "terms": terms.map(show::terms_json),
                "outcome": show::outcome_json(outcome),
            }))?,
            false => print(&show::outcome(outcome))?,
        }
        told(self.linked, outcome)?;
        Ok(ending(outcome))
    }
}

/// Asks the enclave what became of an entry, and keeps the answer.
pub fn inquire(linked: &Linked<'_>, record: &mut Record, entry: &mut Entry) -> Result<Outcome> {
    let slot = record.current()?.clone();
    let id = entry.outcome()?.and_then(|outcome| outcome.id);
    let inquiry = Inquiry { instruction: entry.instruction()?, id, sent: entry.sent() };
    let result = linked.ask(record, &slot, Op::Status, &inquiry.to_bytes(), &[])?;
    let outcome = Outcome::from_bytes(&result).map_err(|_| unreadable())?;
    if outcome.status != Status::Unknown {
        entry.answer(&outcome);
        linked.home.write_action(linked.enclave.realm(), entry)?;
    }
    Ok(outcome)
}

/// The owner has seen what became of it.
pub fn told(linked: &Linked<'_>, outcome: &Outcome) -> Result<()> {
    let realm = linked.enclave.realm();
    let mut entry = linked.home.action(realm, outcome.reference)?;
    entry.tell();
    linked.home.write_action(realm, &entry)
}

/// What is not known, or came to nothing, is no success.
pub fn ending(outcome: &Outcome) -> ExitCode {
    match outcome.status {
        Status::Done | Status::Pending => ExitCode::SUCCESS,
        Status::Failed | Status::Unknown | Status::Absent => Fault::Provider.into(),
    }
}

/// The bounds that the owner did not name, from the preview: what is signed holds for the terms that were shown.
fn bounded(mut instruction: Instruction, terms: &Terms) -> Instruction {
    match instruction.kind {
        Kind::Withdraw | Kind::Transfer => {
            if instruction.max_fee.is_none() && instruction.kind == Kind::Withdraw {
                instruction.max_fee.clone_from(&terms.fee);
                let apart = terms.fee_asset.as_ref().filter(|asset| **asset != instruction.asset);
                instruction.max_fee_asset = apart.cloned().filter(|_| terms.fee.is_some());
            }
            // The least that arrives is what was shown, whichever way the fee is taken.
            if instruction.fee_either && instruction.min_received.is_none() {
                instruction.min_received.clone_from(&terms.received);
            }
            // A wallet's quote is the transaction itself.
            instruction.quote.clone_from(&terms.quote);
        }
        Kind::Convert | Kind::Order => {
            let least =
                terms.received.as_deref().and_then(|received| received.parse().ok()).and_then(less_slippage);
            instruction.min_received =
                instruction.min_received.or_else(|| least.map(|least| least.to_string()));
        }
    }
    instruction
}

/// 0.5 % less.
fn less_slippage(received: Decimal) -> Option<Decimal> {
    received.checked_mul(Decimal::new(995, 3).ok()?).ok()
}

fn in_doubt(failure: Failure, instruction: &Instruction) -> Failure {
    let reference = instruction.reference.hex();
    let sentence = format!("{}; it may have been carried out", failure.sentence);
    Failure { sentence, ..failure }.hint(format!(
        "`tensfer status {reference}` finds out; the same command does too, and orders nothing before"
    ))
}

fn unsettled(outcome: &Outcome) -> Failure {
    let reference = outcome.reference.hex();
    Failure::new(
        Fault::Provider,
        "unsettled",
        "the same was ordered before, and it is not known what became of it; nothing was ordered",
    )
    .hint(format!(
        "look at the exchange, or ask again with `tensfer status {reference}`; `--again` orders it whatever became of it"
    ))
}

fn unreadable() -> Failure {
    Failure::internal("the enclave answered with something unreadable")
}
