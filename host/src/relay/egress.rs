//! The relay's connection to egress, made when the enclave first wants a provider, and made again when it was lost.

use super::{Ended, Shared};
use crate::calls::Role;
use crate::log;
use crate::transport::{Connection, Drain, Message, NotTaken, Outbox, Reader, connect, frame};
use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinHandle;
use wire::frame::Kind;

/// What egress has not taken yet. It always reads, so this fills only when egress is stuck.
const TO_EGRESS: usize = 64 << 20;

/// The enclave's streams, over whichever connection to egress lives.
pub struct Egress {
    shared: Arc<Shared>,
    link: Option<Link>,
}

/// One connection to egress.
struct Link {
    calls: Outbox,
    open: Open,
    task: JoinHandle<()>,
}

/// The streams that live on a connection; `None` once it is lost, and then for good.
type Open = Arc<Mutex<Option<HashSet<u32>>>>;

impl Egress {
    pub fn new(shared: Arc<Shared>) -> Egress {
        Egress { shared, link: None }
    }

    /// Hands one frame of the enclave to egress. One of a stream that is gone goes nowhere: the enclave has heard
    /// that it is gone, or will.
    ///
    /// # Errors
    /// [`Ended::EgressStuck`]: egress takes nothing any more.
    pub fn call(&mut self, number: u8, stream: u32, body: &[u8]) -> Result<(), Ended> {
        let known = match Kind::from_number(number) {
            Some(Kind::EgressOpen) => {
                self.open(stream);
                true
            }
            Some(Kind::EgressClose) => self.streams(|open| open.remove(&stream)),
            _ => self.streams(|open| open.contains(&stream)),
        };
        let Some(link) = self.link.as_ref().filter(|_| known) else { return Ok(()) };
        match link.calls.push(frame(number, stream, body)?) {
            Err(NotTaken::Full) => Err(Ended::EgressStuck),
            Ok(()) | Err(NotTaken::Closed) => Ok(()),
        }
    }

    fn open(&mut self, stream: u32) {
        let lives = self.streams(|open| {
            open.insert(stream);
            true
        });
        if !lives {
            self.link = Some(Link::start(Arc::clone(&self.shared), stream));
        }
    }

    /// Asks the streams of the connection that lives; false when none does.
    fn streams(&self, ask: impl FnOnce(&mut HashSet<u32>) -> bool) -> bool {
        self.link.as_ref().is_some_and(|link| is_open(&link.open, ask))
    }
}

impl Drop for Egress {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            link.task.abort();
        }
    }
}

impl Link {
    fn start(shared: Arc<Shared>, first: u32) -> Link {
        let (calls, drain) = Outbox::new(TO_EGRESS);
        let open = Arc::new(Mutex::new(Some(HashSet::from([first]))));
        let task = tokio::spawn(live(shared, drain, Arc::clone(&open)));
        Link { calls, open, task }
    }
}

/// Carries both directions until either ends, then tells the enclave of every stream that went with it.
async fn live(shared: Arc<Shared>, mut drain: Drain, open: Open) {
    let ended = match connect(&shared.run, Role::Relay, Role::Egress).await {
        Ok(Connection { answers, writer }) => tokio::select! {
            ended = write(writer, &mut drain) => ended,
            ended = read(&shared, answers, &open) => ended,
        },
        Err(error) => Err(io::Error::other(error)),
    };
    if let Err(error) = ended {
        log::line(Role::Relay, format_args!("lost egress: {error}"));
    }
    let streams = lock(&open).take();
    for stream in streams.into_iter().flatten() {
        if let Ok(gone) = frame(Kind::EgressGone as u8, stream, &[]) {
            let _ = shared.enclave.send(gone).await;
        }
    }
}

async fn write(mut writer: OwnedWriteHalf, drain: &mut Drain) -> io::Result<()> {
    let mut frames = Vec::new();
    while drain.batch(&mut frames).await {
        for frame in &frames {
            writer.write_all(frame).await?;
        }
    }
    Ok(())
}

/// Hands on what egress says of streams that are open; anything else ends the connection.
async fn read(shared: &Shared, mut answers: Reader<OwnedReadHalf>, open: &Open) -> io::Result<()> {
    while let Some(Message { number, stream, body }) = answers.next().await? {
        let known = match Kind::from_number(number) {
            Some(Kind::EgressConnected | Kind::EgressReceived) => {
                is_open(open, |open| open.contains(&stream))
            }
            Some(Kind::EgressGone) => is_open(open, |open| open.remove(&stream)),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        if known {
            let sent = shared.enclave.send(frame(number, stream, &body)?).await;
            sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

fn is_open(open: &Open, ask: impl FnOnce(&mut HashSet<u32>) -> bool) -> bool {
    lock(open).as_mut().is_some_and(ask)
}

fn lock(open: &Open) -> MutexGuard<'_, Option<HashSet<u32>>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}
