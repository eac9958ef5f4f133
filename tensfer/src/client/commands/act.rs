//! `transfer`, `withdraw`, `convert`, `order`: what moves money. Preview, confirmation, one request.
//!
//! What is signed is what was shown. It is written down before it leaves, and leaves once: without an answer under the
//! enclave's seal nobody here says what happened, and the same command asks before it orders again (m38).

mod args;
mod ordering;
mod shape;
mod show;
#[cfg(test)]
mod tests;

pub use args::{Common, Convert, Order, Transfer, Withdraw, amount, amount_or_zero, checked, code};
pub use ordering::{Ordering, bounded, inquire, told};
pub use shape::{Ordered, Previewed, ShownOutcome};
pub use show::{instruction as show_instruction, outcome as show_outcome};

use super::{print, print_json};
use crate::client::failure::{Failure, Fault, Result};
use crate::client::home::journal::State;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::Session;
use crate::client::terminal::{ask_line, can_ask, printable, say};
use std::process::ExitCode;
use wire::action::{Instruction, Outcome, Reference, Status, Terms};

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
    Command { ordering: Ordering { linked: &linked, record }, replaces, common }.run(instruction)
}

/// A command line that moves money.
struct Command<'o> {
    ordering: Ordering<'o>,
    /// The payment from a wallet whose place this one takes.
    replaces: Option<Reference>,
    common: &'o Common,
}

impl Command<'_> {
    fn run(&mut self, mut instruction: Instruction) -> Result<ExitCode> {
        if let Some(earlier) = self.replaces {
            instruction.quote = Some(self.quote_of(earlier)?);
        }
        if let Some(ending) = self.settle_earlier(&instruction)? {
            return Ok(ending);
        }
        let second = match self.common.preview {
            true => None,
            false => self.ordering.second_factor(&instruction)?,
        };
        let terms = self.ordering.preview(&instruction)?;
        let instruction = bounded(instruction, &terms);
        if self.common.preview || !self.common.json {
            self.show(&instruction, &terms)?;
        }
        if self.common.preview {
            return Ok(ExitCode::SUCCESS);
        }
        self.confirm(&instruction)?;
        let outcome = self.ordering.act(&instruction, second.as_ref())?;
        self.tell(&instruction, Some(&terms), &outcome)
    }

    /// The same was ordered before, and its owner was not told what became of that: finds out first.
    fn settle_earlier(&mut self, instruction: &Instruction) -> Result<Option<ExitCode>> {
        let (home, realm) = (self.ordering.linked.home, self.ordering.linked.enclave.realm());
        for mut entry in home.action_entries(realm)? {
            if entry.state() == State::Told || !entry.is_like(self.ordering.record.id, instruction)? {
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
                None => inquire(self.ordering.linked, &mut self.ordering.record, &mut entry)?,
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
        let entry = self.ordering.linked.home.action(self.ordering.linked.enclave.realm(), earlier)?;
        let quote =
            entry.instruction()?.quote.filter(|_| entry.connection() == self.ordering.record.id.to_string());
        quote.ok_or_else(|| Failure::usage("that was no payment from this wallet, and has no place to take"))
    }

    fn show(&self, instruction: &Instruction, terms: &Terms) -> Result<()> {
        if self.common.json {
            return print_json(&Previewed::of(instruction, terms));
        }
        let exchange = &self.ordering.record.exchange;
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
        self.ordering.linked.enclave.refresh()
    }

    fn tell(&self, instruction: &Instruction, terms: Option<&Terms>, outcome: &Outcome) -> Result<ExitCode> {
        match self.common.json {
            true => print_json(&Ordered::of(instruction, terms, outcome))?,
            false => print(&show::outcome(outcome))?,
        }
        told(self.ordering.linked, outcome)?;
        Ok(ending(outcome))
    }
}

/// What is not known, or came to nothing, is no success.
pub fn ending(outcome: &Outcome) -> ExitCode {
    match outcome.status {
        Status::Done | Status::Pending => ExitCode::SUCCESS,
        Status::Failed | Status::Unknown | Status::Absent => Fault::Provider.into(),
    }
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
