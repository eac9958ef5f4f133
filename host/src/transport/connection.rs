//! Connections between roles.

use super::{Message, Reader};
use crate::calls::{NotAllowed, Operation, Role, admit};
use bytes::Bytes;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

const VERSION: u8 = 1;
const HELLO: Duration = Duration::from_secs(2);

/// Why a call did not arrive.
#[derive(Debug)]
pub enum TransportError {
    Io(io::Error),
    /// The other process runs under another user.
    Stranger,
    /// Not a hello of this version by a role that exists.
    NoHello,
    NotAllowed(NotAllowed),
}

impl core::fmt::Display for TransportError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            TransportError::Io(error) => error.fmt(f),
            TransportError::Stranger => f.write_str("the other process runs under another user"),
            TransportError::NoHello => f.write_str("the other process did not say a role that exists"),
            TransportError::NotAllowed(refused) => refused.fmt(f),
        }
    }
}

impl core::error::Error for TransportError {}

impl From<io::Error> for TransportError {
    fn from(error: io::Error) -> TransportError {
        TransportError::Io(error)
    }
}

/// A caller's connection: answers in, calls out.
#[derive(Debug)]
pub struct Connection {
    pub answers: Reader<OwnedReadHalf>,
    pub writer: OwnedWriteHalf,
}

/// Calls `callee`, whose socket is in the folder `run`, as `me`.
pub async fn connect(run: &Path, me: Role, callee: Role) -> Result<Connection, TransportError> {
    let folder = Folder::open(run)?;
    let stream = UnixStream::connect(folder.socket(callee)).await?;
    check_user(&stream)?;
    let (reader, mut writer) = stream.into_split();
    writer.write_all(&[VERSION, me as u8]).await?;
    Ok(Connection { answers: Reader::new(reader), writer })
}

/// The calls of one caller: each is checked against the table before anyone sees it.
#[derive(Debug)]
pub struct Calls {
    caller: Role,
    callee: Role,
    reader: Reader<OwnedReadHalf>,
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
        let Some(Message { number, stream, body }) = self.reader.next().await? else { return Ok(None) };
        let operation = admit(self.caller, self.callee, number).map_err(TransportError::NotAllowed)?;
        Ok(Some((operation, stream, body)))
    }
}

/// A callee's socket; its file goes with it.
#[derive(Debug)]
pub struct Listener {
    role: Role,
    listener: UnixListener,
    folder: Folder,
}

impl Listener {
    /// Listens in the folder `run`, which must be ours alone. A socket that is there is a dead process's: the lock
    /// of `tensfer up` sees to that.
    pub fn bind(run: &Path, role: Role) -> io::Result<Listener> {
        let folder = Folder::open(run)?;
        folder.check_private()?;
        let path = folder.socket(role);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Listener { role, listener, folder })
    }

    /// The next connection, not yet heard: [`Listener::hear`] it elsewhere, so that a silent one delays nobody.
    pub async fn accept(&self) -> io::Result<Unheard> {
        let (stream, _) = self.listener.accept().await?;
        Ok(Unheard { stream, callee: self.role })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.folder.socket(self.role));
    }
}

/// A connection whose caller has said nothing yet.
#[derive(Debug)]
pub struct Unheard {
    stream: UnixStream,
    callee: Role,
}

impl Unheard {
    /// Checks the caller's user and hears its role.
    pub async fn hear(self) -> Result<(Calls, OwnedWriteHalf), TransportError> {
        check_user(&self.stream)?;
        let (mut reader, writer) = self.stream.into_split();
        let mut hello = [0; 2];
        match timeout(HELLO, reader.read_exact(&mut hello)).await {
            Ok(read) => read?,
            Err(_) => return Err(TransportError::NoHello),
        };
        let [VERSION, number] = hello else { return Err(TransportError::NoHello) };
        let caller = Role::from_number(number).ok_or(TransportError::NoHello)?;
        Ok((Calls { caller, callee: self.callee, reader: Reader::new(reader) }, writer))
    }
}

/// The folder of sockets, held open: an address has room for 107 bytes of path, and a person's folder may have more.
#[derive(Debug)]
struct Folder(File);

impl Folder {
    fn open(run: &Path) -> io::Result<Folder> {
        File::open(run).map(Folder)
    }

    fn check_private(&self) -> io::Result<()> {
        let metadata = self.0.metadata()?;
        let ours = metadata.mode() & 0o077 == 0 && metadata.uid() == rustix::process::geteuid().as_raw();
        if ours {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::PermissionDenied, "the folder is not ours alone"))
        }
    }

    fn socket(&self, role: Role) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{}.sock", self.0.as_raw_fd(), role.name()))
    }
}

fn check_user(stream: &UnixStream) -> Result<(), TransportError> {
    let same = stream.peer_cred()?.uid() == rustix::process::geteuid().as_raw();
    if same { Ok(()) } else { Err(TransportError::Stranger) }
}
