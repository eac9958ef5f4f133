//! `preview`, `act` and `status`: what moves money, on what terms, and what became of it.
//!
//! A refusal says that nothing was moved. Where that is not certain there is an outcome, and it is unknown.

use super::{Admitted, Enclave, Next, Work};
use crate::calls::refusal_of;
use crate::connector::{Answer, Connector, Operation, Outcome, taken_once};
use crate::credentials::CredentialName;
use crate::references::Taken;
use wire::action::{self, Inquiry, Instruction, Reference, Status};
use wire::{Canonical, ConnectionId, Refusal};

/// What is done with the answer.
pub(crate) struct Acting {
    name: CredentialName,
    connection: ConnectionId,
    reference: Reference,
    /// Whether the provider is to move something; with a reference that was used before, it may have done so.
    moves: Option<Taken>,
}

impl Enclave {
    pub(super) fn preview(&mut self, admitted: &Admitted, instruction: Instruction) -> Result<Next, Refusal> {
        let work = acting(admitted, &instruction, None);
        self.ask(admitted, false, |_| Ok((Operation::Preview(Box::new(instruction)), work)))
    }

    pub(super) fn act(
        &mut self,
        admitted: &Admitted,
        connector: &Connector,
        instruction: Instruction,
    ) -> Result<Next, Refusal> {
        let (connection, reference) = (admitted.opened.header().connection, instruction.reference);
        let once = taken_once(connector, instruction.kind);
        let now = self.surroundings.clock.now();
        let taken = self.references.take(connection, reference, once, now)?;
        let work = acting(admitted, &instruction, Some(taken));
        let next = self.ask(admitted, false, |_| Ok((Operation::Act(Box::new(instruction)), work)));
        match (&next, taken) {
            (Err(_), Taken::First) => self.references.release(connection, reference),
            // Of the earlier one it says nothing.
            (Err(_), Taken::Again) => return Err(Refusal::ReferenceUsed),
            (Ok(_), _) => {}
        }
        next
    }

    pub(super) fn status(&mut self, admitted: &Admitted, inquiry: Inquiry) -> Result<Next, Refusal> {
        let work = acting(admitted, &inquiry.instruction, None);
        self.ask(admitted, false, |_| Ok((Operation::Status(Box::new(inquiry)), work)))
    }

    /// `doubtful`: the run ended before its provider answered, and may have moved something.
    pub(super) fn acted(
        &mut self,
        acting: &Acting,
        outcome: Result<Outcome, Refusal>,
        doubtful: bool,
    ) -> Result<Vec<u8>, Refusal> {
        let skew_ms = outcome.as_ref().ok().and_then(|outcome| outcome.skew_ms);
        self.credentials.release(acting.name, skew_ms);
        let refusal = match outcome.map(|outcome| outcome.answer) {
            Ok(Answer::Terms(terms)) => return Ok(terms.to_bytes()),
            Ok(Answer::Outcome(outcome)) => return Ok(outcome.to_bytes()),
            Ok(Answer::Refused(fault)) => refusal_of(&fault),
            Err(refusal) if acting.moves.is_some() && doubtful => return Ok(self.unknown(acting, refusal)),
            Err(refusal) => refusal,
            Ok(_) => Refusal::Internal,
        };
        match acting.moves {
            Some(Taken::Again) => return Ok(self.unknown(acting, refusal)),
            Some(Taken::First) => self.references.release(acting.connection, acting.reference),
            None => {}
        }
        Err(refusal)
    }

    fn unknown(&self, acting: &Acting, why: Refusal) -> Vec<u8> {
        let as_of = self.surroundings.clock.now();
        let bare = action::Outcome::bare(acting.reference, Status::Unknown, as_of);
        action::Outcome { fault: Some(why.code().to_owned()), ..bare }.to_bytes()
    }
}

fn acting(admitted: &Admitted, instruction: &Instruction, moves: Option<Taken>) -> Work {
    let connection = admitted.opened.header().connection;
    Work::Act(Acting { name: admitted.name, connection, reference: instruction.reference, moves })
}
