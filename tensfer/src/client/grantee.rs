//! A business before one verified enclave: what owners granted it is asked for by its own keys (docs/spec/grants.md §5).

use crate::client::asks::Asks;
use crate::client::explain::explain;
use crate::client::failure::{Failure, Fault, Result};
use crate::client::home::Home;
use crate::client::home::environment::Environment;
use crate::client::home::grantee::Grantee as Keys;
use crate::client::home::grants::Taken;
use crate::client::session::{Answer, By, Call, Enclave, is_replaced};
use crate::client::terminal::printable;
use wire::Refusal;
use wire::operation::Op;

pub struct Grantee<'a> {
    home: &'a Home,
    enclave: &'a dyn Enclave,
    keys: Keys,
}

/// Reads by one grant. Each question is a use of it.
pub struct ByGrant<'g> {
    grantee: &'g Grantee<'g>,
    pub taken: Taken,
}

impl<'a> Grantee<'a> {
    pub fn open(home: &'a Home, enclave: &'a dyn Enclave) -> Result<Grantee<'a>> {
        Ok(Grantee::with(home, enclave, home.existing_grantee(enclave.realm())?))
    }

    pub fn with(home: &'a Home, enclave: &'a dyn Enclave, keys: Keys) -> Grantee<'a> {
        Grantee { home, enclave, keys }
    }

    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The grant of that id or name, to ask by.
    pub fn by(&self, id_or_name: &str) -> Result<ByGrant<'_>> {
        let taken = self.home.find_taken_grant(self.enclave.realm(), id_or_name)?;
        let (made, here) = (taken.grant.environment, self.enclave.environment());
        match made == here {
            true => Ok(ByGrant { grantee: self, taken }),
            false => Err(Environment::mixed(made, here, &printable(&taken.name))),
        }
    }

    /// One use, noted before its answer is: with another enclave once, where the one that was verified is gone.
    fn ask(&self, taken: &mut Taken, op: Op, args: &[u8]) -> Result<Vec<u8>> {
        let mut answer = self.ask_once(taken, op, args);
        if is_replaced(&answer) {
            self.enclave.refresh()?;
            answer = self.ask_once(taken, op, args);
        }
        let answer = answer?;
        if answer.receipt.grant.is_some() {
            taken.note(answer.receipt.counter, answer.grant.as_deref());
            self.home.save_taken_grant(taken)?;
        }
        answer.outcome.map_err(|refusal| explain_to_grantee(refusal, &printable(&taken.grant.exchange)))
    }

    fn ask_once(&self, taken: &Taken, op: Op, args: &[u8]) -> Result<Answer> {
        let read = taken.read()?;
        let (pair, share) = taken.open(&read, &self.keys)?;
        self.enclave.call(&Call {
            op,
            args,
            connection: read.body.header.connection,
            envelope: Some(&taken.grant.envelope),
            share: &share,
            signers: vec![&pair.signing],
            last: (0, None),
            by: By::Grant { id: read.body.id, grant: &read.bytes, used: taken.used },
        })
    }
}

impl Asks for ByGrant<'_> {
    fn exchange(&self) -> &str {
        &self.taken.grant.exchange
    }

    fn ask(&mut self, op: Op, args: &[u8]) -> Result<Vec<u8>> {
        self.grantee.ask(&mut self.taken, op, args)
    }
}

/// What a business is told: it is not the owner, and what an owner would do is not its to do.
fn explain_to_grantee(refusal: Refusal, exchange: &str) -> Failure {
    let (sentence, hint) = match refusal {
        Refusal::NotAuthorised => (
            "your key is not the one that the grant names",
            "`tensfer granted key` prints yours; its owner makes a new grant for it",
        ),
        Refusal::StaleGeneration => (
            "its owner renewed the account since the grant was made, which ends it",
            "ask its owner for a new grant",
        ),
        Refusal::GenerationPending => (
            "its owner is renewing the account, and has not finished",
            "ask its owner for a new grant when that is done",
        ),
        Refusal::Forgotten => ("its owner gave the account up", "there is nothing left to ask for"),
        Refusal::UnknownEpoch | Refusal::ClassNotHeld => (
            "the grant is of another deployment, or of an epoch that is over",
            "ask the server that it was made at, with `--server URL`, or its owner for a new grant",
        ),
        Refusal::RefreshNeeded => (
            "the account's access has to be renewed by its owner, who alone can keep what comes of it",
            "ask its owner to look at their balances once, and for a new grant then: renewing ends this one",
        ),
        other => return explain(other, exchange),
    };
    let sentence = format!("the enclave refused your request: {sentence} ({})", refusal.code());
    Failure::new(Fault::Refused, refusal.code(), sentence).hint(hint).retryable(refusal.retryable())
}
