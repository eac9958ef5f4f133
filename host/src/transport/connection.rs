//! Connections between roles.

use super::address::{Address, Socket, check_user};
use super::stream::{Incoming, Outgoing, Wire, halves};
use super::{Message, Reader};
use crate::calls::{NotAllowed, Operation, Role, admit};
use crate::workload::{MOST, Unusable, Workload};
use bytes::Bytes;
use rustls::pki_types::ServerName;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

/// A handshake takes some milliseconds; whoever takes longer keeps a place from others.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Handshakes under way at one callee.
const UNHEARD: usize = 256;
/// A caller begins nothing new on a connection so long before a certificate that it was made with is over, or in the last
/// quarter of its time: what is on its way arrives in time.
const AHEAD: Duration = Duration::from_secs(30);
/// And a callee takes nothing new so long after.
const LATE: Duration = Duration::from_secs(30);
/// What was begun before may go on for so long after that. Then the connection is over.
pub const GRACE: Duration = Duration::from_secs(15 * 60);

/// Why a call did not arrive.
#[derive(Debug)]
pub enum TransportError {
    Io(io::Error),
    /// The other process runs under another user.
    Stranger,
    /// We have nothing to show of ourselves.
    Unusable(Unusable),
    /// The other process showed no certificate that counts, or said that ours does not, or spoke something else.
    Handshake(io::Error),
    /// It said nothing for too long.
    Silent,
    NotAllowed(NotAllowed),
    /// The certificates that the connection was made with are over.
    Over,
}

impl core::fmt::Display for TransportError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            TransportError::Io(error) => error.fmt(f),
            TransportError::Stranger => f.write_str("the other process runs under another user"),
            TransportError::Unusable(unusable) => write!(f, "this process cannot show who it is: {unusable}"),
            TransportError::Handshake(error) => write!(f, "no certificate that counts: {error}"),
            TransportError::Silent => f.write_str("the other process took too long to show who it is"),
            TransportError::NotAllowed(refused) => refused.fmt(f),
            TransportError::Over => {
                f.write_str("the certificates that the connection was made with are over")
            }
        }
    }
}

impl core::error::Error for TransportError {}

impl From<io::Error> for TransportError {
    fn from(error: io::Error) -> TransportError {
        TransportError::Io(error)
    }
}

impl From<Unusable> for TransportError {
    fn from(unusable: Unusable) -> TransportError {
        TransportError::Unusable(unusable)
    }
}

/// A caller's connection: answers in, calls out.
#[derive(Debug)]
pub struct Connection {
    pub answers: Reader<Incoming>,
    pub writer: Outgoing,
    pub fresh: Fresh,
}

/// Until when something new may be begun on a connection: as long as its certificates are good, and [`MOST`]. It does not heed the clock being set.
#[derive(Clone, Copy, Debug)]
pub struct Fresh(Instant);

impl Fresh {
    fn of(remaining: Duration) -> Fresh {
        let remaining = remaining.min(MOST);
        Fresh(Instant::now() + remaining.saturating_sub(AHEAD.min(remaining / 4)))
    }

    pub fn is_over(self) -> bool {
        Instant::now() >= self.0
    }

    /// Waits until it is over.
    pub async fn over(self) {
        tokio::time::sleep_until(self.0).await;
    }
}

/// Calls `callee` at `address` as `me`. That it took us for who we are shows in its first answer.
pub async fn connect(address: &Address, me: &Workload, callee: Role) -> Result<Connection, TransportError> {
    let wire = address.reach(callee).await?;
    let credential = me.credential().await?;
    let connector = credential.connector(callee).map_err(|error| handshake(io::Error::other(error)))?;
    let shaken = timeout(HANDSHAKE, connector.connect(nobody(), wire)).await;
    let stream = shaken.map_err(|_| TransportError::Silent)?.map_err(handshake)?;
    let (_, remaining) = checked(credential.peer(stream.get_ref().1.peer_certificates()))?;
    let (reader, writer) = halves(stream.into());
    let fresh = Fresh::of(remaining.min(credential.remaining()));
    Ok(Connection { answers: Reader::new(reader), writer, fresh })
}

/// The calls of one caller: each is checked against the table before anyone sees it.
#[derive(Debug)]
pub struct Calls {
    caller: Role,
    callee: Role,
    reader: Reader<Incoming>,
    /// When a certificate that it was made with is over, or its longest time.
    over: Instant,
}

impl Calls {
    pub fn caller(&self) -> Role {
        self.caller
    }

    /// The next call (operation, stream, body), or `None` at a clean end. Cancelling it loses nothing.
    ///
    /// # Errors
    /// After any, the connection is of no use.
    pub async fn next(&mut self) -> Result<Option<(Operation, u32, Bytes)>, TransportError> {
        let next = timeout_at(self.over + GRACE, self.reader.next()).await;
        let Some(message) = next.map_err(|_| TransportError::Over)?? else { return Ok(None) };
        let Message { number, stream, body } = message;
        let operation = admit(self.caller, self.callee, number).map_err(TransportError::NotAllowed)?;
        if !operation.goes_on() && Instant::now() > self.over + LATE {
            return Err(TransportError::Over);
        }
        Ok(Some((operation, stream, body)))
    }
}

/// A callee's socket; its file goes with it.
#[derive(Debug)]
pub struct Listener {
    me: Workload,
    socket: Socket,
    unheard: Arc<Semaphore>,
}

impl Listener {
    /// Listens as `me`; a folder must be ours alone.
    pub fn bind(address: &Address, me: Workload) -> io::Result<Listener> {
        let socket = address.listen(me.role())?;
        Ok(Listener { me, socket, unheard: Arc::new(Semaphore::new(UNHEARD)) })
    }

    pub fn role(&self) -> Role {
        self.me.role()
    }

    /// Where it listens, unless it is in a folder.
    pub fn address(&self) -> io::Result<Option<SocketAddr>> {
        self.socket.address()
    }

    /// The next connection, not yet heard: [`Unheard::hear`] it elsewhere, so that a silent one delays nobody.
    pub async fn accept(&self) -> io::Result<Unheard> {
        let place = Arc::clone(&self.unheard).acquire_owned().await.map_err(io::Error::other)?;
        Ok(Unheard { wire: self.socket.accept().await?, me: self.me.clone(), place })
    }
}

/// A connection whose caller has not shown who it is yet.
#[derive(Debug)]
pub struct Unheard {
    wire: Wire,
    me: Workload,
    place: OwnedSemaphorePermit,
}

impl Unheard {
    /// Shows who we are, and checks who calls.
    pub async fn hear(self) -> Result<(Calls, Outgoing), TransportError> {
        if let Wire::Unix(stream) = &self.wire {
            check_user(stream)?;
        }
        let credential = self.me.credential().await?;
        let shaken = timeout(HANDSHAKE, credential.acceptor().accept(self.wire)).await;
        let stream = shaken.map_err(|_| TransportError::Silent)?.map_err(handshake)?;
        drop(self.place);
        let (caller, remaining) = checked(credential.peer(stream.get_ref().1.peer_certificates()))?;
        let (reader, writer) = halves(stream.into());
        let over = Instant::now() + remaining.min(credential.remaining()).min(MOST);
        Ok((Calls { caller, callee: self.me.role(), reader: Reader::new(reader), over }, writer))
    }
}

/// Never sent, and nothing is compared with it: the certificate names the role.
pub(super) fn nobody() -> ServerName<'static> {
    ServerName::IpAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED).into())
}

fn handshake(error: io::Error) -> TransportError {
    TransportError::Handshake(error)
}

/// The handshake has checked that there is one; if it ever had not, nothing is done.
fn checked(peer: Option<(Role, Duration)>) -> Result<(Role, Duration), TransportError> {
    peer.ok_or_else(|| handshake(io::ErrorKind::InvalidData.into()))
}
