//! The relay's connections to witnesses (docs/spec/witnesses.md): a question goes to all of them side by side, until each
//! has answered it or the next question takes its place. What they answer is the enclave's to judge.

mod patience;
#[cfg(test)]
mod tests;

use crate::calls::{DONE, Operation, Role};
use crate::log;
use crate::transport::{Address, Connection, Message, TransportError, connect, frame};
use crate::workload::{Source, Workload};
use bytes::Bytes;
use patience::Patience;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// What connecting and sending may take.
const AT_MOST: Duration = Duration::from_secs(5);
/// Between two attempts to reach one: at first, and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

/// The folder, beside a witness's socket, of the certificate and key that it keeps new for relays.
pub const RELAYS: &str = "relay";

/// What all witnesses are asked. One at a time: the enclave has one question until it has enough answers, or gives it up.
#[derive(Clone, Debug)]
struct Question {
    number: u32,
    operation: Operation,
    body: Bytes,
}

impl Question {
    /// Whether an answer to the one is an answer to the other.
    fn is_same(&self, other: &Question) -> bool {
        self.operation == other.operation && self.body == other.body
    }
}

/// What one of them answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The question's, as [`Witnesses::ask`] gave it.
    pub question: u32,
    /// As it was signed.
    pub answer: Bytes,
}

/// All witnesses of the enclave. Dropping it ends the connections.
#[derive(Debug)]
pub struct Witnesses {
    questions: watch::Sender<Option<Question>>,
    attending: JoinSet<()>,
}

impl Witnesses {
    /// `runs`: the folder of each one's socket. Answers come out in the order in which they arrive.
    pub fn start(runs: Vec<PathBuf>, answers: &mpsc::UnboundedSender<Answered>) -> Witnesses {
        let questions = watch::Sender::new(None);
        let mut attending = JoinSet::new();
        for (number, run) in (1..).zip(runs) {
            let (answers, patience) = (answers.clone(), Patience::default());
            let me = Workload::new(Role::Relay, Source::Folder(run.join(RELAYS)));
            let address = Address::from(run);
            let witness = Witness { number, me, address, answers, answered: None, is_lost: false, patience };
            attending.spawn(witness.attend(questions.subscribe()));
        }
        Witnesses { questions, attending }
    }

    /// How many there are.
    pub fn number(&self) -> usize {
        self.attending.len()
    }

    /// Asks all of them, for as long as it takes; the question before is not asked any more. Returns its number.
    pub fn ask(&self, operation: Operation, body: Bytes) -> u32 {
        let mut asked = 0;
        self.questions.send_modify(|question| {
            asked = question.as_ref().map_or(0, |before| before.number).wrapping_add(1);
            *question = Some(Question { number: asked, operation, body });
        });
        asked
    }
}

type Questions = watch::Receiver<Option<Question>>;

/// One of them, as seen from here.
struct Witness {
    number: usize,
    /// As whom it knows us: each certifies those who may ask it.
    me: Workload,
    address: Address,
    answers: mpsc::UnboundedSender<Answered>,
    /// The question that it answered last.
    answered: Option<u32>,
    /// It was said in the log that it does not answer.
    is_lost: bool,
    /// A witness that has not answered by then is asked again over another connection.
    patience: Patience,
}

impl Witness {
    /// Until nobody asks any more.
    async fn attend(mut self, mut questions: Questions) {
        let [mut pause, most] = PAUSES;
        while self.is_asked(&mut questions).await {
            let before = self.answered;
            if let Err(error) = self.talk(&mut questions).await {
                self.note(&error);
            }
            pause = if self.answered == before { (pause * 2).min(most) } else { PAUSES[0] };
            sleep(pause).await;
        }
    }

    /// Waits for a question that it has not answered; false when none will come.
    async fn is_asked(&self, questions: &mut Questions) -> bool {
        let answered = self.answered;
        let is_open = |question: &Option<Question>| {
            question.as_ref().is_some_and(|question| Some(question.number) != answered)
        };
        questions.wait_for(is_open).await.is_ok()
    }

    /// One connection: asks each question as it comes, until the connection or the asking ends.
    async fn talk(&mut self, questions: &mut Questions) -> Result<(), TransportError> {
        let mut connection = within(connect(&self.address, &self.me, Role::Witness)).await??;
        while self.is_asked(questions).await {
            if connection.fresh.is_over() {
                return Ok(());
            }
            let Some(question) = questions.borrow_and_update().clone() else { continue };
            let asked = frame(question.operation as u8, question.number, &question.body)?;
            within(connection.writer.write_all(&asked)).await??;
            self.wait_for_answer(&mut connection, question, questions).await?;
        }
        Ok(())
    }

    /// Until it has answered, or is asked something else: over the same connection then, and an answer to this one is passed over.
    /// A question that comes again is not asked again of a witness that is at it.
    async fn wait_for_answer(
        &mut self,
        connection: &mut Connection,
        asked: Question,
        questions: &mut Questions,
    ) -> Result<(), TransportError> {
        let (began, mut latest) = (Instant::now(), asked.number);
        let until = began + self.patience.now();
        loop {
            tokio::select! {
                answered = timeout_at(until, answer(connection, asked.number)) => {
                    let Ok(answered) = answered else {
                        self.patience.was_not_enough();
                        return Err(io::Error::from(io::ErrorKind::TimedOut).into());
                    };
                    let answered = answered?;
                    self.patience.was_enough(began.elapsed());
                    self.take(latest, answered);
                    return Ok(());
                }
                changed = questions.changed() => {
                    let now = questions.borrow().clone().filter(|now| changed.is_ok() && now.is_same(&asked));
                    match now {
                        Some(now) => latest = now.number,
                        None => return Ok(()),
                    }
                }
            }
        }
    }

    fn take(&mut self, question: u32, answer: Option<Bytes>) {
        self.answered = Some(question);
        if std::mem::take(&mut self.is_lost) {
            log::line(Role::Relay, format_args!("witness {} answers again", self.number));
        }
        match answer {
            // Nobody waits for it when the relay ends.
            Some(answer) => drop(self.answers.send(Answered { question, answer })),
            None => log::line(Role::Relay, format_args!("witness {} read no question", self.number)),
        }
    }

    /// Once for each time that it is lost.
    fn note(&mut self, error: &TransportError) {
        if !std::mem::replace(&mut self.is_lost, true) {
            let most = self.patience.now().as_secs();
            log::line(
                Role::Relay,
                format_args!(
                    "witness {} does not answer: {error}; it is asked on, and waited for {most} s at a time, then longer",
                    self.number
                ),
            );
        }
    }
}

/// The answer to this question; `None`: the witness says that it is none.
async fn answer(connection: &mut Connection, question: u32) -> Result<Option<Bytes>, TransportError> {
    loop {
        let message = connection.answers.next().await?;
        let Message { number, stream, body } =
            message.ok_or(io::ErrorKind::UnexpectedEof).map_err(io::Error::from)?;
        if stream == question {
            return Ok((number == DONE).then_some(body));
        }
    }
}

async fn within<T>(future: impl Future<Output = T>) -> io::Result<T> {
    timeout(AT_MOST, future).await.map_err(|_| io::ErrorKind::TimedOut.into())
}
