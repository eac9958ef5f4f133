//! The relay's connections to egress: one is made when the enclave first wants a provider, and the next when that was lost
//! or the certificates that it was made with end. Streams stay on theirs.

use super::{Ended, Shared};
use crate::calls::Role;
use crate::log;
use crate::transport::{
    Connection, Drain, Fresh, Incoming, Message, NotTaken, Outbox, Outgoing, Reader, connect, frame,
};
use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use wire::frame::Kind;

/// What egress has not taken yet. It always reads, so this fills only when egress is stuck.
const TO_EGRESS: usize = 64 << 20;

/// The enclave's streams, over whichever connections to egress live.
pub struct Egress {
    shared: Arc<Shared>,
    /// The newest last: the one for new streams.
    links: Vec<Link>,
}

/// One connection to egress.
struct Link {
    calls: Outbox,
    open: Arc<Open>,
    task: JoinHandle<()>,
}

/// What lives on a connection.
#[derive(Default)]
struct Open {
    /// `None` once it is lost, and then for good.
    streams: Mutex<Option<HashSet<u32>>>,
    /// Told when the last of them ends.
    idle: Notify,
    /// Unknown until the connection is made.
    fresh: OnceLock<Fresh>,
}

impl Egress {
    pub fn new(shared: Arc<Shared>) -> Egress {
        Egress { shared, links: Vec::new() }
    }

    /// Hands one frame of the enclave to egress. One of a stream that is gone goes nowhere: the enclave has heard
    /// that it is gone, or will.
    ///
    /// # Errors
    /// [`Ended::EgressStuck`]: egress takes nothing any more.
    pub fn call(&mut self, number: u8, stream: u32, body: &[u8]) -> Result<(), Ended> {
        let link = match Kind::from_number(number) {
            Some(Kind::EgressOpen) => self.open(stream),
            Some(Kind::EgressClose) => self.links.iter().find(|link| link.open.remove(stream)),
            _ => self.links.iter().find(|link| link.open.has(stream)),
        };
        let Some(link) = link else { return Ok(()) };
        match link.calls.push(frame(number, stream, body)?) {
            Err(NotTaken::Full) => Err(Ended::EgressStuck),
            Ok(()) | Err(NotTaken::Closed) => Ok(()),
        }
    }

    /// The connection on which a new stream is from now on.
    fn open(&mut self, stream: u32) -> Option<&Link> {
        self.links.retain(|link| link.open.lives());
        if !self.links.last().is_some_and(|link| link.open.insert(stream)) {
            self.links.push(Link::start(Arc::clone(&self.shared), stream));
        }
        self.links.last()
    }
}

impl Drop for Egress {
    fn drop(&mut self) {
        self.links.iter().for_each(|link| link.task.abort());
    }
}

impl Link {
    fn start(shared: Arc<Shared>, first: u32) -> Link {
        let (calls, drain) = Outbox::new(TO_EGRESS);
        let open = Arc::new(Open::default());
        *open.streams() = Some(HashSet::from([first]));
        let task = tokio::spawn(live(shared, drain, Arc::clone(&open)));
        Link { calls, open, task }
    }
}

/// Carries both directions until either ends, then tells the enclave of every stream that went with it.
async fn live(shared: Arc<Shared>, mut drain: Drain, open: Arc<Open>) {
    let ended = match connect(&shared.egress, &shared.me, Role::Egress).await {
        Ok(Connection { answers, writer, fresh }) => tokio::select! {
            ended = write(writer, &mut drain) => ended,
            ended = read(&shared, answers, &open) => ended,
            () = open.is_done(fresh) => Ok(()),
        },
        Err(error) => Err(io::Error::other(error)),
    };
    if let Err(error) = ended {
        log::line(Role::Relay, format_args!("lost egress: {error}"));
    }
    let streams = open.streams().take();
    for stream in streams.into_iter().flatten() {
        if let Ok(gone) = frame(Kind::EgressGone as u8, stream, &[]) {
            let _ = shared.enclave.send(gone).await;
        }
    }
}

async fn write(mut writer: Outgoing, drain: &mut Drain) -> io::Result<()> {
    let mut frames = Vec::new();
    while drain.batch(&mut frames).await {
        writer.write_batch(&frames).await?;
    }
    Ok(())
}

/// Hands on what egress says of streams that are open; anything else ends the connection.
async fn read(shared: &Shared, mut answers: Reader<Incoming>, open: &Open) -> io::Result<()> {
    while let Some(Message { number, stream, body }) = answers.next().await? {
        let known = match Kind::from_number(number) {
            Some(Kind::EgressConnected | Kind::EgressReceived) => open.has(stream),
            Some(Kind::EgressGone) => open.remove(stream),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        if known {
            let sent = shared.enclave.send(frame(number, stream, &body)?).await;
            sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

impl Open {
    fn streams(&self) -> MutexGuard<'_, Option<HashSet<u32>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lives(&self) -> bool {
        self.streams().is_some()
    }

    fn has(&self, stream: u32) -> bool {
        self.streams().as_ref().is_some_and(|streams| streams.contains(&stream))
    }

    /// Whether a new stream is on this connection now: not when it is lost, or begins nothing new.
    fn insert(&self, stream: u32) -> bool {
        let is_over = self.fresh.get().is_some_and(|fresh| fresh.is_over());
        let mut streams = self.streams();
        let streams = streams.as_mut().filter(|_| !is_over);
        streams.map(|streams| streams.insert(stream)).is_some()
    }

    fn remove(&self, stream: u32) -> bool {
        let mut streams = self.streams();
        let Some(streams) = streams.as_mut() else { return false };
        let removed = streams.remove(&stream);
        if streams.is_empty() {
            self.idle.notify_one();
        }
        removed
    }

    /// Waits until no new stream begins on it and none is left. None can begin afterwards.
    async fn is_done(&self, fresh: Fresh) {
        let fresh = *self.fresh.get_or_init(|| fresh);
        fresh.over().await;
        loop {
            {
                let mut streams = self.streams();
                if streams.as_ref().is_none_or(HashSet::is_empty) {
                    *streams = None;
                    return;
                }
            }
            self.idle.notified().await;
        }
    }
}
