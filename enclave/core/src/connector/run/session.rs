//! A run's login: one at a time, for all tasks that wait for it.

use super::super::fault::{CallerFault, Fault};
use super::super::outcome::Status;
use super::super::sign;
use super::super::task::{Job, State, Task};
use super::super::value::Params;
use super::Run;

impl Run {
    /// The number of the session that there is, which the credential then is in.
    pub(super) fn enter(&mut self, now_ms: u64) -> Option<u64> {
        let (values, number) = self.nonce.session(now_ms)?;
        self.credential.as_mut()?.enter(values);
        Some(number)
    }

    /// The provider refused a call as one without a session: another one is asked for, unless there is one by now.
    pub(super) fn renew(&mut self, at: usize, now_ms: u64) {
        let number = self.tasks.get(at).and_then(|task| task.session).unwrap_or_default();
        self.nonce.end_session(number);
        if self.nonce.session(now_ms).is_none() {
            self.log_in(at);
        }
    }

    /// Logs in, unless a login is under way, and lets a task wait for it.
    pub(super) fn log_in(&mut self, at: usize) {
        let (Some(session), true) = (&self.connector.session, self.credential.is_some()) else {
            return self.end(at, CallerFault::NoCredential.into());
        };
        if let Some(task) = self.tasks.get_mut(at) {
            task.state = State::AwaitingSession;
        }
        if !self.tasks.iter().any(|task| matches!(task.job, Job::Session(_)) && !task.is_settled()) {
            let login = Task::new(Job::Session(session), &session.listing, Params::new(), Params::new());
            self.tasks.push(login);
        }
    }

    /// A credential fault may be the session's: once, another one is asked for.
    pub(super) fn is_first_session(&mut self, at: usize) -> bool {
        let Some(task) = self.tasks.get_mut(at) else { return false };
        let rule = sign::rule(self.connector, &task.current().call, &task.extra, self.credential.as_ref());
        let is_first = rule.is_some_and(|rule| rule.uses_session()) && !task.session_retried;
        task.session_retried |= is_first;
        is_first
    }

    /// There is a session, or there will be none.
    pub(super) fn logged_in(&mut self, fault: Option<&Fault>) {
        for task in &mut self.tasks {
            if matches!(task.state, State::AwaitingSession) {
                match fault {
                    None => task.state = State::Ready { not_before_ms: 0 },
                    Some(fault) => task.end(fault.clone()),
                }
            }
        }
    }

    pub(super) fn session_given_up(&mut self) {
        let failed = self.tasks.iter_mut().find_map(|task| match (&task.job, &task.state) {
            (
                Job::Session(_),
                State::Done(Status::Failed(fault) | Status::NotPermitted(fault) | Status::Partial(fault)),
            ) => {
                let fault = fault.clone();
                task.state = State::Dropped;
                Some(fault)
            }
            _ => None,
        });
        if let Some(fault) = failed {
            self.logged_in(Some(&fault));
        }
    }
}
