//! What the enclave asks of its host for the line that it writes: the states of connections, a place that lasts, and the
//! witnesses' word (docs/spec/freshness.md). Nothing here judges an answer: the enclave does.

use super::register::Keeper;
use super::witnesses::{Answered, Witnesses};
use super::{Ended, Shared};
use crate::calls::{Operation, Role};
use crate::log;
use crate::transport::frame;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::UnboundedReceiver;
use wire::frame::Kind;
use wire::freshness::{Commit, Committed, Lookup, Taken};
use wire::rewrap::Bytes;
use wire::witness::{Advance, Take};
use wire::{Canonical, Refusal};

/// Shared by who reads the enclave and who hears the witnesses.
#[derive(Clone, Debug)]
pub struct Line {
    shared: Arc<Shared>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    keeper: Keeper,
    witnesses: Witnesses,
    /// What they were asked last, and under which number.
    asked: Option<(u32, Question)>,
    /// Why the enclave does not go on from what is kept. Nothing is committed meanwhile.
    refused: Option<Refusal>,
}

#[derive(Clone, Copy, Debug)]
enum Question {
    Take(Take),
    Advance(Advance),
}

impl Line {
    pub fn new(shared: Arc<Shared>, keeper: Keeper, witnesses: Witnesses) -> Line {
        Line { shared, state: Arc::new(Mutex::new(State { keeper, witnesses, asked: None, refused: None })) }
    }

    /// The enclave wants to hold its line.
    pub fn take(&self, body: &[u8]) -> Result<(), Ended> {
        let take = Take::from_bytes(body).map_err(|_| Ended::EnclaveGarbage)?;
        let mut state = self.state();
        if state.refused.is_some() && state.keeper.take_brought().map_err(Ended::NotKept)? {
            state.refused = None;
            log::line(Role::Relay, format_args!("another register was brought: the enclave is asked again"));
        }
        // A second one comes when the first was in vain: whoever waited for it is told so by the enclave.
        self.shared.is_open.send_replace(take.term > 1 && state.asked.is_some());
        if state.witnesses.number() == 0 {
            return self.tell_taken(&state, &take, Vec::new());
        }
        let number = state.witnesses.ask(Operation::TakeLine, bytes::Bytes::copy_from_slice(body));
        state.asked = Some((number, Question::Take(take)));
        Ok(())
    }

    /// The enclave wants to know what is kept under some names.
    pub fn find(&self, stream: u32, body: &[u8]) -> Result<(), Ended> {
        let lookup = Lookup::from_bytes(body).map_err(|_| Ended::EnclaveGarbage)?;
        let found = self.state().keeper.find(&lookup);
        self.tell(Kind::Found, stream, &found.to_bytes())
    }

    /// The enclave has made a head: it is kept first, then witnessed.
    pub fn commit(&self, body: &[u8]) -> Result<(), Ended> {
        let commit = Commit::from_bytes(body).map_err(|_| Ended::EnclaveGarbage)?;
        let advance = Advance::from_bytes(&commit.advance.0).map_err(|_| Ended::EnclaveGarbage)?;
        let mut state = self.state();
        state.refused = None;
        state.keeper.keep(body).map_err(Ended::NotKept)?;
        self.shared.is_open.send_replace(true);
        if state.witnesses.number() == 0 {
            return self.tell_committed(&advance, Vec::new());
        }
        let number = state.witnesses.ask(Operation::AdvanceLine, commit.advance.0.into());
        state.asked = Some((number, Question::Advance(advance)));
        Ok(())
    }

    /// The enclave does not go on from what is kept. Without witnesses another line is founded, as long as nobody can know
    /// better; with them, an operator has to bring the right state.
    pub fn refused(&self, body: &[u8]) -> Result<(), Ended> {
        self.shared.is_open.send_replace(true);
        let refusal =
            body.try_into().ok().and_then(|number| Refusal::from_number(u16::from_be_bytes(number)));
        let why = refusal.map_or("unknown", Refusal::code);
        let mut state = self.state();
        // It is asked every second.
        let is_known = state.refused.replace(refusal.unwrap_or(Refusal::Internal)) == refusal;
        if refusal == Some(Refusal::LineLost) {
            log::line(
                Role::Relay,
                format_args!(
                    "the line goes on before other witnesses than this enclave's, which changes nothing any more: start it anew \
                     with the newest manifest (line_lost)"
                ),
            );
        } else if state.witnesses.number() == 0 {
            let aside = state.keeper.put_aside().map_err(Ended::NotKept)?;
            let aside = aside.display();
            log::line(
                Role::Relay,
                format_args!(
                    "the enclave refused the register ({why}): it lies in {aside}, another is begun"
                ),
            );
        } else if !is_known {
            let place = state.keeper.path();
            let place = place.display();
            log::line(
                Role::Relay,
                format_args!(
                    "the enclave refused the register ({why}): it changes nothing until {place} is the folder that was kept \
                     last, by whichever host; put that in its place, whole (docs/spec/host.md, section 6)"
                ),
            );
        }
        Ok(())
    }

    /// Hands on what witnesses answer, for as long as the relay serves.
    pub async fn hear(self, mut answers: UnboundedReceiver<Answered>) -> Ended {
        while let Some(Answered { question, answer }) = answers.recv().await {
            let state = self.state();
            let answers = vec![Bytes(answer.to_vec())];
            let told = match &state.asked {
                Some((number, Question::Take(take))) if *number == question => {
                    self.tell_taken(&state, take, answers)
                }
                Some((number, Question::Advance(advance))) if *number == question => {
                    self.tell_committed(advance, answers)
                }
                // Nobody waits for it any more.
                _ => Ok(()),
            };
            if let Err(ended) = told {
                return ended;
            }
        }
        // Without witnesses nothing ever comes, and nothing is wrong.
        std::future::pending().await
    }

    fn tell_taken(&self, state: &State, take: &Take, answers: Vec<Bytes>) -> Result<(), Ended> {
        let kept = state.keeper.kept().map(|kept| Bytes(kept.to_vec()));
        let taken = Taken { line: take.line, term: take.term, answers, kept, links: state.keeper.links() };
        self.tell(Kind::Taken, 0, &taken.to_bytes())
    }

    fn tell_committed(&self, advance: &Advance, answers: Vec<Bytes>) -> Result<(), Ended> {
        let Advance { line, term, counter, .. } = *advance;
        self.tell(Kind::Committed, 0, &Committed { line, term, counter, answers }.to_bytes())
    }

    fn tell(&self, kind: Kind, stream: u32, body: &[u8]) -> Result<(), Ended> {
        let frame = frame(kind as u8, stream, body).map_err(io::Error::other)?;
        self.shared.urgent.push(frame).map_err(|_| Ended::EnclaveGone)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
