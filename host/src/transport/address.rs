//! Where a role is reached: on this machine by a socket in a folder of our own, elsewhere over TCP. Who answers is checked
//! the same way on both.

use super::TransportError;
use super::stream::Wire;
use crate::calls::Role;
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// Where roles are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `ROLE.sock` in this folder, which its owner alone may enter.
    Folder(PathBuf),
    /// One role, on this or another machine.
    Tcp(SocketAddr),
}

impl From<PathBuf> for Address {
    fn from(folder: PathBuf) -> Address {
        Address::Folder(folder)
    }
}

impl From<&Path> for Address {
    fn from(folder: &Path) -> Address {
        Address::Folder(folder.to_path_buf())
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address::Tcp(address)
    }
}

impl Address {
    pub(super) async fn reach(&self, callee: Role) -> Result<Wire, TransportError> {
        match self {
            Address::Folder(run) => {
                let folder = Folder::open(run)?;
                let stream = UnixStream::connect(folder.socket(callee)).await?;
                check_user(&stream)?;
                Ok(Wire::Unix(stream))
            }
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(Wire::Tcp(stream))
            }
        }
    }

    pub(super) fn listen(&self, role: Role) -> io::Result<Socket> {
        match self {
            Address::Folder(run) => {
                let folder = Folder::open(run)?;
                let listener = folder.listen(role)?;
                Ok(Socket::Unix { listener, folder, role })
            }
            Address::Tcp(address) => {
                let listener = std::net::TcpListener::bind(address)?;
                listener.set_nonblocking(true)?;
                Ok(Socket::Tcp(TcpListener::from_std(listener)?))
            }
        }
    }
}

/// A socket that listens. Its file, if it has one, goes with it.
#[derive(Debug)]
pub(super) enum Socket {
    Unix { listener: UnixListener, folder: Folder, role: Role },
    Tcp(TcpListener),
}

impl Socket {
    pub async fn accept(&self) -> io::Result<Wire> {
        match self {
            Socket::Unix { listener, .. } => Ok(Wire::Unix(listener.accept().await?.0)),
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Wire::Tcp(stream))
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<Option<SocketAddr>> {
        match self {
            Socket::Unix { .. } => Ok(None),
            Socket::Tcp(listener) => listener.local_addr().map(Some),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Socket::Unix { folder, role, .. } = self {
            let _ = std::fs::remove_file(folder.socket(*role));
        }
    }
}

/// The folder of sockets, held open: an address has room for 107 bytes of path, and a person's folder may have more.
#[derive(Debug)]
pub(super) struct Folder(File);

impl Folder {
    /// Only to go through it: a role that is confined reads nothing here, not even what there is.
    fn open(run: &Path) -> io::Result<Folder> {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(flags.bits().cast_signed()).open(run).map(Folder)
    }

    /// In a folder that must be ours alone. A socket that is there is a dead process's: the lock of `tensfer up` sees to
    /// that.
    fn listen(&self, role: Role) -> io::Result<UnixListener> {
        self.check_private()?;
        let path = self.socket(role);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
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

pub(super) fn check_user(stream: &UnixStream) -> Result<(), TransportError> {
    let same = stream.peer_cred()?.uid() == rustix::process::geteuid().as_raw();
    if same { Ok(()) } else { Err(TransportError::Stranger) }
}
