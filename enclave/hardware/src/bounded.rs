//! Waiting for a device that may never answer, no longer than is said beforehand (m08).

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// No answer in time, or the device is still busy with a question that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer;

/// A device that is asked from a thread of its own.
///
/// Questions are numbered: what comes late answers nobody, and never the next question.
pub struct Bounded<Q, A> {
    questions: SyncSender<(u64, Q)>,
    answers: Receiver<(u64, A)>,
    asked: u64,
    patience: Duration,
}

impl<Q: Send + 'static, A: Send + 'static> Bounded<Q, A> {
    /// Starts the thread that asks the device. It ends with this value, once the device lets it.
    pub fn start(
        patience: Duration,
        mut ask: impl FnMut(Q) -> A + Send + 'static,
    ) -> Result<Bounded<Q, A>, NoAnswer> {
        // One question may wait while the thread still hangs on the one before it; no more pile up.
        let (questions, asked) = sync_channel::<(u64, Q)>(1);
        let (answer, answers) = sync_channel(1);
        let serve = move || {
            for (number, question) in asked {
                if answer.send((number, ask(question))).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().spawn(serve).map_err(|_| NoAnswer)?;
        Ok(Bounded { questions, answers, asked: 0, patience })
    }

    /// The device's answer to this question.
    pub fn ask(&mut self, question: Q) -> Result<A, NoAnswer> {
        let until = Instant::now() + self.patience;
        self.asked = self.asked.wrapping_add(1);
        while self.answers.try_recv().is_ok() {}
        self.questions.try_send((self.asked, question)).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => NoAnswer,
        })?;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(left) {
                Ok((number, answer)) if number == self.asked => return Ok(answer),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Err(NoAnswer),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use std::sync::mpsc::channel;

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn m08_a_device_that_never_answers_is_given_up() {
        let (_held, never) = channel::<()>();
        let mut device = Bounded::start(SHORT, move |()| never.recv().is_ok()).unwrap();
        for _ in 0..4 {
            assert_eq!(device.ask(()), Err(NoAnswer));
        }
    }

    #[test]
    fn m08_what_comes_late_never_answers_the_next_question() {
        let (release, hang) = channel::<()>();
        let serve = move |question: u32| {
            if question == 1 {
                let _ = hang.recv();
            }
            question * 10
        };
        let mut device = Bounded::start(SHORT, serve).unwrap();
        assert_eq!(device.ask(1), Err(NoAnswer));
        release.send(()).unwrap();
        device.patience = LONG;
        assert_eq!(device.ask(2), Ok(20));
        assert_eq!(device.ask(3), Ok(30));
    }
}
