//! References of instructions that this start has carried out, or may have: where a provider would not tell a second one
//! from the first, it is refused here (m38). The client's journal does the same across starts.

use crate::connector::Once;
use crate::limits::{MAX_REFERENCES, ONCE_MARGIN_MS, REFERENCE_MS};
use std::collections::BTreeMap;
use wire::action::Reference;
use wire::{ConnectionId, Refusal, UnixMillis};

type Name = (ConnectionId, Reference);

#[derive(Clone, Copy, Debug)]
struct Used {
    at: UnixMillis,
    /// More than one instruction took it: of what became of all, no one of them knows.
    again: bool,
}

/// What took the reference of a payment from a wallet.
#[derive(Clone, Copy, Debug)]
struct Paid {
    used: Used,
    /// SHA-256 of all of the instruction.
    instruction: [u8; 32],
}

/// Whether an instruction is the first with its reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    First,
    /// An earlier one may have been carried out.
    Again,
}

#[derive(Default)]
pub(crate) struct References {
    used: BTreeMap<Name, Used>,
    paid: BTreeMap<Name, Paid>,
}

impl References {
    /// Takes a reference for an instruction that is about to be sent. Only one that the provider takes once comes again,
    /// while the provider certainly still does, and says so: what the provider then refuses may be what it did before.
    pub(crate) fn take(
        &mut self,
        connection: ConnectionId,
        reference: Reference,
        once: Once,
        now: UnixMillis,
    ) -> Result<Taken, Refusal> {
        if let Some(used) = self.used.get_mut(&(connection, reference)) {
            let is_refused = match once {
                Once::No => false,
                Once::For(time) => now < used.at.plus(time.saturating_sub(ONCE_MARGIN_MS)),
                Once::Ever => true,
            };
            used.again |= is_refused;
            return if is_refused { Ok(Taken::Again) } else { Err(Refusal::ReferenceUsed) };
        }
        if self.used.len() >= MAX_REFERENCES {
            self.used.retain(|_, used| used.at.plus(REFERENCE_MS) > now);
        }
        if self.used.len() >= MAX_REFERENCES {
            return Err(Refusal::Overloaded);
        }
        self.used.insert((connection, reference), Used { at: now, again: false });
        Ok(Taken::First)
    }

    /// Takes a reference for an instruction to a wallet. A chain takes that instruction's transaction once, so it comes
    /// again, and says so; another one under its reference does not.
    pub(crate) fn take_for(
        &mut self,
        connection: ConnectionId,
        reference: Reference,
        instruction: [u8; 32],
        now: UnixMillis,
    ) -> Result<Taken, Refusal> {
        let name = (connection, reference);
        if let Some(paid) = self.paid.get_mut(&name) {
            let is_same = paid.instruction == instruction;
            paid.used.again |= is_same;
            return if is_same { Ok(Taken::Again) } else { Err(Refusal::ReferenceUsed) };
        }
        if self.paid.len() >= MAX_REFERENCES {
            self.paid.retain(|_, paid| paid.used.at.plus(REFERENCE_MS) > now);
        }
        if self.paid.len() >= MAX_REFERENCES {
            return Err(Refusal::Overloaded);
        }
        self.paid.insert(name, Paid { used: Used { at: now, again: false }, instruction });
        Ok(Taken::First)
    }

    /// Gives back one with which nothing was moved; whoever took it first alone knows that.
    pub(crate) fn release(&mut self, connection: ConnectionId, reference: Reference) {
        if self.used.get(&(connection, reference)).is_some_and(|used| !used.again) {
            self.used.remove(&(connection, reference));
        }
    }

    /// The same of a payment from a wallet.
    pub(crate) fn release_for(&mut self, connection: ConnectionId, reference: Reference) {
        if self.paid.get(&(connection, reference)).is_some_and(|paid| !paid.used.again) {
            self.paid.remove(&(connection, reference));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: ConnectionId = ConnectionId([1; 16]);
    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn reference(number: u32) -> Reference {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Reference(bytes)
    }

    #[test]
    fn m38_a_reference_is_taken_once_unless_nothing_came_of_it_or_the_provider_refuses_the_second() {
        let mut references = References::default();
        let one = reference(1);
        assert_eq!(references.take(HERE, one, Once::No, NOW), Ok(Taken::First));
        assert_eq!(references.take(HERE, one, Once::No, NOW), Err(Refusal::ReferenceUsed));
        assert_eq!(references.take(HERE, one, Once::Ever, NOW), Ok(Taken::Again));
        // Another owner may have drawn the same.
        assert_eq!(references.take(ConnectionId([2; 16]), one, Once::No, NOW), Ok(Taken::First));
        // Two have taken it: that nothing came of one says nothing of the other.
        references.release(HERE, one);
        assert_eq!(references.take(HERE, one, Once::Ever, NOW), Ok(Taken::Again));
        let two = reference(2);
        assert_eq!(references.take(HERE, two, Once::No, NOW), Ok(Taken::First));
        references.release(HERE, two);
        assert_eq!(references.take(HERE, two, Once::No, NOW), Ok(Taken::First));
    }

    #[test]
    fn m38_a_reference_that_the_provider_forgets_comes_again_only_while_it_is_remembered() {
        const HOUR: u64 = 3_600_000;
        let mut references = References::default();
        let day = Once::For(24 * HOUR);
        assert_eq!(references.take(HERE, reference(1), day, NOW), Ok(Taken::First));
        assert_eq!(references.take(HERE, reference(1), day, NOW.plus(HOUR)), Ok(Taken::Again));
        // Counted from the first time, and with room for clocks that differ.
        assert_eq!(references.take(HERE, reference(1), day, NOW.plus(23 * HOUR - 1)), Ok(Taken::Again));
        let late = references.take(HERE, reference(1), day, NOW.plus(23 * HOUR));
        assert_eq!(late, Err(Refusal::ReferenceUsed));
    }

    #[test]
    fn m38_a_reference_of_a_payment_is_for_that_payment_and_no_other() {
        let mut references = References::default();
        assert_eq!(references.take_for(HERE, reference(1), [1; 32], NOW), Ok(Taken::First));
        assert_eq!(references.take_for(HERE, reference(1), [1; 32], NOW), Ok(Taken::Again));
        assert_eq!(references.take_for(HERE, reference(1), [2; 32], NOW), Err(Refusal::ReferenceUsed));
        assert_eq!(references.take_for(ConnectionId([2; 16]), reference(1), [2; 32], NOW), Ok(Taken::First));
        // Two have taken it: that nothing came of one says nothing of the other.
        references.release_for(HERE, reference(1));
        assert_eq!(references.take_for(HERE, reference(1), [2; 32], NOW), Err(Refusal::ReferenceUsed));
        references.release_for(ConnectionId([2; 16]), reference(1));
        assert_eq!(references.take_for(ConnectionId([2; 16]), reference(1), [1; 32], NOW), Ok(Taken::First));
        for number in 2..u32::try_from(MAX_REFERENCES).unwrap_or(u32::MAX) {
            assert_eq!(references.take_for(HERE, reference(number), [1; 32], NOW), Ok(Taken::First));
        }
        assert_eq!(references.take_for(HERE, reference(0), [1; 32], NOW), Err(Refusal::Overloaded));
        assert_eq!(
            references.take_for(HERE, reference(0), [1; 32], NOW.plus(REFERENCE_MS)),
            Ok(Taken::First)
        );
    }

    #[test]
    fn the_table_is_bounded_and_forgets_what_is_a_day_old() {
        let mut references = References::default();
        let fits = u32::try_from(MAX_REFERENCES).unwrap_or(u32::MAX);
        for number in 0..fits {
            assert_eq!(references.take(HERE, reference(number), Once::No, NOW), Ok(Taken::First));
        }
        assert_eq!(references.take(HERE, reference(fits), Once::No, NOW), Err(Refusal::Overloaded));
        let later = NOW.plus(REFERENCE_MS);
        assert_eq!(references.take(HERE, reference(fits), Once::No, later), Ok(Taken::First));
    }
}
