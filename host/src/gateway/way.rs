//! The gateway's way to another role: calls over one connection, made again when it was lost.

use super::problem::{Code, Problem};
use crate::calls::{DONE, FAILED, Operation, Role};
use crate::identity::Denied;
use crate::log;
use crate::transport::{
    Address, Connection, Drain, Fresh, Incoming, Message, NotTaken, Outbox, Outgoing, Reader, TransportError,
    connect, frame,
};
use crate::workload::Workload;
use bytes::Bytes;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, Notify, oneshot};
use tokio::time::timeout;
use wire::Refusal;
use wire::frame::Kind;

/// Calls that the other has not taken yet.
const UNTAKEN: usize = 16 << 20;

/// The relay, and with it the enclave, or identity, as far as the gateway can tell.
#[derive(Debug)]
pub struct Way {
    me: Workload,
    place: Address,
    callee: Role,
    link: AsyncMutex<Option<Arc<Link>>>,
}

/// One connection.
#[derive(Debug)]
struct Link {
    calls: Outbox,
    waiting: Mutex<Waiting>,
    fresh: Fresh,
    /// Told when nobody waits for an answer any more.
    idle: Notify,
}

#[derive(Debug)]
struct Waiting {
    /// `None` once the connection is lost, and then for good.
    answers: Option<HashMap<u32, oneshot::Sender<Message>>>,
    next: u32,
}

impl Way {
    /// Asks `callee` at `place` as `me`; it need not be there yet.
    pub fn new(me: Workload, place: Address, callee: Role) -> Way {
        Way { me, place, callee, link: AsyncMutex::new(None) }
    }

    /// Asks the enclave and waits for an answer of the kind `expected`. Dropping it cancels the request inside.
    pub async fn ask(
        &self,
        operation: Operation,
        body: &[u8],
        expected: Kind,
        limit: Duration,
    ) -> Result<Bytes, Problem> {
        let Message { number, body, .. } = self.call(operation, body, limit).await?;
        match Kind::from_number(number) {
            Some(kind) if kind == expected => Ok(body),
            Some(Kind::Refused) => Err(Problem(refused(&body))),
            _ => Err(Problem(Code::GatewayFailed)),
        }
    }

    /// Asks identity, which does it or says why not.
    pub async fn ask_identity(
        &self,
        operation: Operation,
        body: &[u8],
        limit: Duration,
    ) -> Result<Bytes, Problem> {
        let Message { number, body, .. } = self.call(operation, body, limit).await?;
        match number {
            DONE => Ok(body),
            FAILED => {
                let denied = core::str::from_utf8(&body).ok().and_then(Denied::from_text);
                Err(Problem(denied.map_or(Code::GatewayFailed, Code::Denied)))
            }
            _ => Err(Problem(Code::GatewayFailed)),
        }
    }

    async fn call(&self, operation: Operation, body: &[u8], limit: Duration) -> Result<Message, Problem> {
        let (gone, silent) = self.problems();
        let link = self.link().await.ok_or(gone)?;
        let answered = timeout(limit, Call::start(&link, operation, body, gone)?.answer()).await;
        answered.map_err(|_| silent)?.ok_or(gone)
    }

    /// What it is when the other is not there, and when it does not answer.
    fn problems(&self) -> (Problem, Problem) {
        match self.callee {
            Role::Identity => (Problem(Code::IdentityGone), Problem(Code::IdentitySilent)),
            _ => (Problem(Code::EnclaveGone), Problem(Code::EnclaveSilent)),
        }
    }

    /// Whether the other is there.
    pub async fn is_there(&self) -> bool {
        self.link().await.is_some()
    }

    async fn link(&self) -> Option<Arc<Link>> {
        let mut kept = self.link.lock().await;
        if let Some(link) = kept.as_ref().filter(|link| link.is_live() && !link.fresh.is_over()) {
            return Some(Arc::clone(link));
        }
        let connection = match connect(&self.place, &self.me, self.callee).await {
            Ok(connection) => connection,
            // Nobody is there, and whoever asks is told.
            Err(TransportError::Io(_)) => return None,
            Err(error) => {
                let callee = self.callee.name();
                log::line(Role::Gateway, format_args!("cannot reach {callee}: {error}"));
                return None;
            }
        };
        let link = Link::start(connection, self.callee);
        *kept = Some(Arc::clone(&link));
        Some(link)
    }
}

/// The code of a `Refused` frame; a number that nobody knows is the enclave's failure.
fn refused(body: &[u8]) -> Code {
    let number = body.try_into().map(u16::from_be_bytes).ok();
    Code::Refused(number.and_then(Refusal::from_number).unwrap_or(Refusal::Internal))
}

impl Link {
    fn start(connection: Connection, callee: Role) -> Arc<Link> {
        let (calls, drain) = Outbox::new(UNTAKEN);
        let waiting = Waiting { answers: Some(HashMap::new()), next: 0 };
        let (fresh, idle) = (connection.fresh, Notify::new());
        let link = Arc::new(Link { calls, waiting: Mutex::new(waiting), fresh, idle });
        tokio::spawn(live(Arc::clone(&link), connection, drain, callee));
        link
    }

    fn is_live(&self) -> bool {
        self.waiting().answers.is_some()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A free stream, and where its answer will come.
    fn wait(&self) -> Option<(u32, oneshot::Receiver<Message>)> {
        let (sender, receiver) = oneshot::channel();
        let mut guard = self.waiting();
        let Waiting { answers, next } = &mut *guard;
        let answers = answers.as_mut()?;
        while answers.contains_key(next) {
            *next = next.wrapping_add(1);
        }
        let stream = *next;
        *next = next.wrapping_add(1);
        answers.insert(stream, sender);
        Some((stream, receiver))
    }

    fn stop_waiting(&self, stream: u32) -> Option<oneshot::Sender<Message>> {
        let mut waiting = self.waiting();
        let answers = waiting.answers.as_mut()?;
        let stopped = answers.remove(&stream);
        if answers.is_empty() {
            self.idle.notify_one();
        }
        stopped
    }

    /// Waits until nothing new is asked over it and nobody waits for an answer. Nobody can wait for one afterwards.
    async fn is_done(&self) {
        self.fresh.over().await;
        loop {
            {
                let mut waiting = self.waiting();
                if waiting.answers.as_ref().is_none_or(HashMap::is_empty) {
                    waiting.answers = None;
                    return;
                }
            }
            self.idle.notified().await;
        }
    }
}

/// Carries both directions until either ends; whoever waits then learns it.
async fn live(link: Arc<Link>, connection: Connection, drain: Drain, callee: Role) {
    let Connection { answers, writer, .. } = connection;
    let ended = tokio::select! {
        ended = write(writer, drain) => ended,
        ended = read(&link, answers) => ended,
        () = link.is_done() => Ok(()),
    };
    if let Err(error) = ended {
        log::line(Role::Gateway, format_args!("lost {}: {error}", callee.name()));
    }
    link.waiting().answers = None;
}

async fn write(mut writer: Outgoing, mut drain: Drain) -> io::Result<()> {
    let mut frames = Vec::new();
    while drain.batch(&mut frames).await {
        writer.write_batch(&frames).await?;
    }
    Ok(())
}

async fn read(link: &Link, mut answers: Reader<Incoming>) -> io::Result<()> {
    while let Some(message) = answers.next().await? {
        if let Some(waiting) = link.stop_waiting(message.stream) {
            // It may have stopped waiting this instant.
            let _ = waiting.send(message);
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// One call in flight.
struct Call<'l> {
    link: &'l Link,
    stream: u32,
    answer: Option<oneshot::Receiver<Message>>,
}

impl<'l> Call<'l> {
    fn start(link: &'l Link, operation: Operation, body: &[u8], gone: Problem) -> Result<Call<'l>, Problem> {
        let (stream, answer) = link.wait().ok_or(gone)?;
        let call = Call { link, stream, answer: Some(answer) };
        let bytes = frame(operation as u8, stream, body).map_err(|_| Problem(Code::BodyTooLarge))?;
        match link.calls.push(bytes) {
            Ok(()) => Ok(call),
            Err(NotTaken::Full) => Err(Problem(Code::Busy)),
            Err(NotTaken::Closed) => Err(gone),
        }
    }

    /// `None`: the connection was lost.
    async fn answer(mut self) -> Option<Message> {
        let message = self.answer.as_mut()?.await.ok()?;
        self.answer = None;
        Some(message)
    }
}

impl Drop for Call<'_> {
    /// Nobody waits any more: the enclave need not go on.
    fn drop(&mut self) {
        if self.answer.is_some() && self.link.stop_waiting(self.stream).is_some() {
            let _ =
                frame(Operation::Cancel as u8, self.stream, &[]).map(|cancel| self.link.calls.push(cancel));
        }
    }
}
