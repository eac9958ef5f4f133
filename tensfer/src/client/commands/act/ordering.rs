//! One instruction on its way to the enclave: previewed, written down, sent once; and what became of it.

use crate::client::clock::now;
use crate::client::failure::{Failure, Result};
use crate::client::home::journal::Entry;
use crate::client::home::record::Record;
use crate::client::home::rings::Ring;
use crate::client::linked::Linked;
use crate::client::terminal::printable;
use wire::action::{Inquiry, Instruction, Kind, Outcome, Status, Terms};
use wire::operation::Op;
use wire::owner::OwnerRole;
use wire::{Canonical, Decimal, Refusal};

/// The connection that instructions are for.
pub struct Ordering<'o> {
    pub linked: &'o Linked<'o>,
    pub record: Record,
}

impl Ordering<'_> {
    /// The keys kept apart, where the instruction takes them.
    pub fn second_factor(&self, instruction: &Instruction) -> Result<Option<Ring>> {
        if !instruction.kind.is_dangerous() {
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

    /// What the provider says to an instruction; nothing is moved.
    pub fn preview(&mut self, instruction: &Instruction) -> Result<Terms> {
        let slot = self.record.current()?.clone();
        let result = self.linked.ask(&mut self.record, &slot, Op::Preview, &instruction.to_bytes(), &[])?;
        Terms::from_bytes(&result).map_err(|_| unreadable())
    }

    /// Written down, then sent, once.
    pub fn act(&mut self, instruction: &Instruction, second: Option<&Ring>) -> Result<Outcome> {
        let slot = self.record.current()?.clone();
        let (home, realm) = (self.linked.home, self.linked.enclave.realm());
        let mut entry = Entry::new(self.record.id, instruction, now());
        home.write_action(realm, &entry)?;
        let key = slot.owner(OwnerRole::Second).and_then(|key| second?.find(key));
        let others: Vec<_> = key.into_iter().collect();
        let answer = self.linked.send(&mut self.record, &slot, Op::Act, &instruction.to_bytes(), &others);
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

/// The bounds that the owner did not name, from the preview: what is signed holds for the terms that were shown.
pub fn bounded(mut instruction: Instruction, terms: &Terms) -> Instruction {
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
pub(super) fn less_slippage(received: Decimal) -> Option<Decimal> {
    received.checked_mul(Decimal::new(995, 3).ok()?).ok()
}

fn in_doubt(failure: Failure, instruction: &Instruction) -> Failure {
    let reference = instruction.reference.hex();
    let sentence = format!("{}; it may have been carried out", failure.sentence);
    Failure { sentence, ..failure }.hint(format!(
        "`tensfer status {reference}` finds out; the same command does too, and orders nothing before"
    ))
}

fn unreadable() -> Failure {
    Failure::internal("the enclave answered with something unreadable")
}
