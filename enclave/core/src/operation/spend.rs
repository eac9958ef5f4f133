//! `preview`, `act` and `status` of a wallet whose key is kept here.

use super::{Admitted, Enclave, Next, Work};
use crate::calls::{Call, refusal_of};
use crate::connector::{Answer, Outcome as Came};
use crate::credentials::CredentialName;
use crate::hash::sha256;
use crate::network::spend::{Answered, Order, Progress, Report, Task, Wallet};
use crate::network::{self, Network};
use crate::provider::Run;
use crate::references::Taken;
use std::sync::Arc;
use wire::action::{Instruction, Reference};
use wire::operation::Op;
use wire::{Canonical, ConnectionId, Refusal};

/// What is done with the answer.
pub(crate) struct Spending {
    task: Arc<Task>,
    connection: ConnectionId,
    reference: Reference,
    name: CredentialName,
    /// Whether something is to be sent; what came again may have been sent before.
    sends: Option<Taken>,
}

impl Enclave {
    /// Asks the nodes of a network what an instruction takes, to carry it out, or what became of it.
    pub(super) fn spend(
        &mut self,
        admitted: &Admitted,
        network: &'static Network,
        op: Op,
        instruction: &Instruction,
    ) -> Result<Next, Refusal> {
        let connection = admitted.opened.header().connection;
        self.calls.check_room(connection)?;
        let order = Order::read(network, instruction)?;
        let wallet = admitted.opened.lend_credential(|json| Wallet::open(network, json))?;
        let task = Arc::new(match op {
            Op::Preview => Task::preview(network, order, wallet)?,
            Op::Act => {
                let aux = self.surroundings.entropy.make_bytes().map_err(|_| Refusal::Internal)?;
                Task::send(network, order, wallet, aux)?
            }
            _ => Task::find(network, order, wallet)?,
        });
        let run = network::Run::spend(Arc::clone(&task)).map_err(|fault| refusal_of(&fault))?;
        let (name, reference) = (admitted.name, instruction.reference);
        let sends = match op {
            Op::Act => {
                let now = self.surroundings.clock.now();
                let hash = sha256(&instruction.to_bytes());
                Some(self.references.take_for(connection, reference, hash, now)?)
            }
            _ => None,
        };
        self.credentials.take(name);
        let work = Work::Spend(Spending { task, connection, reference, name, sends });
        let run = Run::Network(Box::new(run));
        Ok(Next::Ask(Box::new(Call {
            work,
            connection,
            name,
            run,
            tls12: false,
            prices: None,
            must_end: false,
        })))
    }

    /// Nothing is refused once a signed transaction has left, now or for an earlier request: what is not certain then is
    /// unknown.
    pub(super) fn spent(
        &mut self,
        spending: &Spending,
        came: Result<Came, Refusal>,
    ) -> Result<Vec<u8>, Refusal> {
        self.credentials.release(spending.name, None);
        let Spending { task, connection, reference, sends, .. } = spending;
        let as_of = self.surroundings.clock.now();
        let refusal = match came {
            Ok(Came { answer: Answer::Spending(answered), .. }) => match *answered {
                Answered::Quote(quote) => {
                    return Ok(quote.terms(task.network(), task.order(), as_of).to_bytes());
                }
                Answered::Report(report) => {
                    return Ok(report.outcome(task.network(), *reference, as_of).to_bytes());
                }
                Answered::Refused(refusal) => refusal,
            },
            Ok(came) => came.fault().map_or(Refusal::ProviderFailed, refusal_of),
            Err(refusal) => refusal,
        };
        let txid = task.sent().map(str::to_owned);
        match (&txid, sends) {
            (Some(_), _) | (None, Some(Taken::Again)) => {}
            (None, Some(Taken::First)) => {
                self.references.release_for(*connection, *reference);
                return Err(refusal);
            }
            (None, None) => return Err(refusal),
        }
        let outcome = Report::new(txid, Progress::Unknown).outcome(task.network(), *reference, as_of);
        Ok(wire::action::Outcome { fault: Some(refusal.code().to_owned()), ..outcome }.to_bytes())
    }
}
