//! `panic`: the connection is refused from now on, and its credential is ended at its provider where that is offered.
//!
//! What is done here comes first and needs nobody; what the provider says is told, and may be asked for again. A start that
//! does not hold its line ends what it can at the provider and records nothing: then it refuses, and is asked again.

use super::keys::{own_key, superseded, told};
use super::{Admitted, Enclave, Exchanging, Next, ask_server};
use crate::calls::refusal_of;
use crate::connector::{self, Connector, FaultCode, FaultKind, Grant, Granted, KeyQuestion, KeyRow, Outcome};
use crate::secret::SecretBytes;
use wire::provider_key::{AtProvider, Panicked};
use wire::{Canonical, Refusal};

/// What is kept while the provider is asked.
pub(crate) struct Ending {
    connector: &'static Connector,
    admitted: Admitted,
    stage: Stage,
    /// The first thing that failed.
    failed: Option<Refusal>,
    /// Why nothing of it was recorded here.
    unrecorded: Option<Refusal>,
}

enum Stage {
    /// The authorisation is being revoked (RFC 7009).
    Authorisation,
    Listing,
    /// The first of these ids is being deleted; the last is that of the key in use.
    Deleting(Vec<String>),
    /// The key in use, which the provider knows by its signature.
    Own,
}

impl Enclave {
    pub(super) fn panic(&mut self, admitted: Admitted) -> Result<Next, Refusal> {
        let unrecorded = self.line.check_held().err();
        match unrecorded {
            None => drop(self.forget(&admitted)?),
            Some(_) => self.calls.forget(admitted.opened.header().connection, &mut self.surroundings),
        }
        let next = self.end_at_provider(admitted, unrecorded)?;
        recorded(next, unrecorded)
    }

    fn end_at_provider(&mut self, admitted: Admitted, unrecorded: Option<Refusal>) -> Result<Next, Refusal> {
        let Some(connector) = connector::find(&admitted.opened.contents().exchange) else {
            return Ok(self.ended(&admitted, AtProvider::NotOffered, None));
        };
        let connection = admitted.opened.header().connection;
        self.calls.check_room(connection)?;
        let ending = Ending { connector, admitted, stage: Stage::Authorisation, failed: None, unrecorded };
        if connector.oauth.as_ref().is_some_and(|oauth| oauth.revoke.is_some()) {
            let grant = ending.admitted.opened.lend_credential(|json| Grant::revoke(connector, json));
            let holder = (connection, ending.admitted.name);
            return match grant {
                Ok(grant) => {
                    Ok(ask_server(Exchanging::Panic(Box::new(ending)), holder, connector, grant, true))
                }
                Err(fault) => Ok(self.ended(&ending.admitted, AtProvider::Failed, Some(refusal_of(&fault)))),
            };
        }
        match &connector.api_keys {
            None => Ok(self.ended(&ending.admitted, AtProvider::NotOffered, None)),
            Some(keys) if keys.list.is_some() => Ok(self.end_by(ending, Stage::Listing)),
            Some(_) => Ok(self.end_by(ending, Stage::Own)),
        }
    }

    /// The provider has answered, or never will.
    pub(super) fn ending(
        &mut self,
        mut ending: Ending,
        outcome: Result<Outcome, Refusal>,
    ) -> Result<Next, Refusal> {
        let (stage, unrecorded) = (core::mem::replace(&mut ending.stage, Stage::Own), ending.unrecorded);
        let is_gone = is_gone(&outcome);
        let next = match (stage, told(outcome)) {
            (Stage::Authorisation, Ok(Granted::Revoked)) | (Stage::Own, Ok(Granted::Deleted)) => {
                self.ended(&ending.admitted, AtProvider::Ended, None)
            }
            (Stage::Listing, Ok(Granted::Keys(rows))) => self.end_keys(ending, &rows),
            (Stage::Deleting(ids), answered) => self.end_next(ending, ids, answered, is_gone),
            // Asked by it, the provider does not know it: nothing of it is left to end.
            (_, Err(_)) if is_gone => self.ended(&ending.admitted, AtProvider::Unknown, None),
            (_, Err(refusal)) => self.ended(&ending.admitted, AtProvider::Failed, Some(refusal)),
            (_, Ok(_)) => self.ended(&ending.admitted, AtProvider::Failed, Some(Refusal::ProviderFailed)),
        };
        recorded(next, unrecorded)
    }

    /// Keys that were left behind first, the one that signs last.
    fn end_keys(&mut self, ending: Ending, rows: &[KeyRow]) -> Next {
        let connection = ending.admitted.opened.header().connection;
        let ids = ending.admitted.opened.lend_credential(|json| {
            let own = own_key(ending.connector, json, rows)?;
            let before = superseded(connection, json, own, rows);
            Some(before.into_iter().chain([own.id.clone()]).collect::<Vec<_>>())
        });
        match ids {
            Some(ids) => self.end_by(ending, Stage::Deleting(ids)),
            None => self.ended(&ending.admitted, AtProvider::Failed, Some(Refusal::ProviderFailed)),
        }
    }

    /// Goes on whatever came of the one before: each that can be ended is.
    fn end_next(
        &mut self,
        mut ending: Ending,
        ids: Vec<String>,
        answered: Result<Granted, Refusal>,
        is_gone: bool,
    ) -> Next {
        let is_own = ids.len() == 1;
        match answered {
            Ok(Granted::Deleted) => {}
            // The provider deleted it, and the answer to an earlier request was lost.
            Err(_) if is_own && is_gone => {}
            Ok(_) => ending.failed = ending.failed.or(Some(Refusal::ProviderFailed)),
            Err(refusal) => ending.failed = ending.failed.or(Some(refusal)),
        }
        if !is_own {
            return self.end_by(ending, Stage::Deleting(ids.into_iter().skip(1).collect()));
        }
        match ending.failed {
            Some(refusal) => self.ended(&ending.admitted, AtProvider::Failed, Some(refusal)),
            None => self.ended(&ending.admitted, AtProvider::Ended, None),
        }
    }

    fn end_by(&mut self, mut ending: Ending, stage: Stage) -> Next {
        let id = match &stage {
            Stage::Deleting(ids) => ids.first().cloned(),
            _ => None,
        };
        let question = match &stage {
            Stage::Listing => KeyQuestion::List,
            _ => KeyQuestion::Delete { id: id.as_deref() },
        };
        ending.stage = stage;
        let (connector, name) = (ending.connector, ending.admitted.name);
        let holder = (ending.admitted.opened.header().connection, name);
        let credential = ending.admitted.opened.lend_credential(SecretBytes::copied);
        let exchanging = Exchanging::Panic(Box::new(ending));
        self.ask_about_keys(holder, connector, credential.expose(), &question, exchanging)
            .unwrap_or_else(|refusal| told_as(AtProvider::Failed, Some(refusal)))
    }

    /// Nothing is held of what came to its end. What may still be good stays, for the next attempt.
    fn ended(&mut self, admitted: &Admitted, at_provider: AtProvider, refusal: Option<Refusal>) -> Next {
        if at_provider != AtProvider::Failed {
            self.held.revoked(admitted.stored, admitted.name);
        }
        told_as(at_provider, refusal)
    }
}

/// Whether the provider said that it does not know the key, or that it is over. A key that is refused for anything else (its
/// signature, a clock, a second factor, the program's own secret) may be as good as before.
fn is_gone(outcome: &Result<Outcome, Refusal>) -> bool {
    let fault = outcome.as_ref().ok().and_then(Outcome::fault);
    fault.is_some_and(|fault| fault.code == FaultCode::Provider(FaultKind::Gone))
}

/// What came of it is told when it is recorded, and else asked for again.
fn recorded(next: Next, unrecorded: Option<Refusal>) -> Result<Next, Refusal> {
    match (next, unrecorded) {
        (Next::Done(_), Some(refusal)) => Err(refusal),
        (next, _) => Ok(next),
    }
}

fn told_as(at_provider: AtProvider, refusal: Option<Refusal>) -> Next {
    Next::Done(Panicked { at_provider, refusal }.to_bytes())
}
