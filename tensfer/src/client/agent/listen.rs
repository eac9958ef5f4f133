//! Where an agent listens, and whom it hears: processes of its own user, by the kernel's word.

mod user;

use crate::client::failure::{Failure, Fault, Result};
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use tokio::io::{AsyncRead, AsyncWrite};

/// Where to listen. A port on 127.0.0.1 and no other address is loopback for every client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Unix(PathBuf),
    Port(u16),
}

/// How a request came.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    Unix,
    Port(u16),
}

/// A socket that nobody is heard on yet.
pub enum Bound {
    Unix(UnixListener, PathBuf),
    Port(std::net::TcpListener),
}

/// A socket; the file of a Unix one goes with it.
pub enum Listener {
    Unix(tokio::net::UnixListener, PathBuf),
    Port(tokio::net::TcpListener, u16),
}

/// A caller of the same user.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// `unix:PATH`, or `127.0.0.1:PORT`.
pub fn address(text: &str) -> std::result::Result<Address, String> {
    if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
        return Ok(Address::Unix(path.into()));
    }
    let port = text.parse::<SocketAddrV4>().ok().filter(|address| *address.ip() == Ipv4Addr::LOCALHOST);
    port.map(|address| Address::Port(address.port())).ok_or_else(|| {
        "the agent listens at unix:PATH or 127.0.0.1:PORT, and never where another machine reaches it"
            .to_owned()
    })
}

impl Bound {
    pub fn open(address: &Address) -> Result<Bound> {
        match address {
            Address::Unix(path) => unix(path).map(|listener| Bound::Unix(listener, path.clone())),
            Address::Port(port) => {
                let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, *port));
                listener.map(Bound::Port).map_err(|error| not_bound(&format!("127.0.0.1:{port}"), &error))
            }
        }
    }

    /// # Errors
    /// The kernel refused.
    pub fn listen(self) -> io::Result<Listener> {
        match self {
            Bound::Unix(listener, path) => {
                listener.set_nonblocking(true)?;
                Ok(Listener::Unix(tokio::net::UnixListener::from_std(listener)?, path))
            }
            Bound::Port(listener) => {
                listener.set_nonblocking(true)?;
                let port = listener.local_addr()?.port();
                Ok(Listener::Port(tokio::net::TcpListener::from_std(listener)?, port))
            }
        }
    }
}

impl Listener {
    /// As a caller would write it.
    pub fn address(&self) -> String {
        match self {
            Listener::Unix(_, path) => format!("unix:{}", path.display()),
            Listener::Port(_, port) => format!("http://127.0.0.1:{port}"),
        }
    }

    pub fn way(&self) -> Way {
        match self {
            Listener::Unix(..) => Way::Unix,
            Listener::Port(_, port) => Way::Port(*port),
        }
    }

    /// The next caller; `None`: of another user, and not heard.
    ///
    /// # Errors
    /// The kernel gave none, or does not say whose it is.
    pub async fn accept(&self) -> io::Result<Option<Box<dyn Stream>>> {
        let (stream, user): (Box<dyn Stream>, _) = match self {
            Listener::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let user = stream.peer_cred()?.uid();
                (Box::new(stream), Some(user))
            }
            Listener::Port(listener, _) => {
                let (stream, peer) = listener.accept().await?;
                let user = match (peer, stream.local_addr()?) {
                    (SocketAddr::V4(peer), SocketAddr::V4(here)) => user::of(peer, here)?,
                    _ => None,
                };
                (Box::new(stream), user)
            }
        };
        let is_ours = user == Some(rustix::process::geteuid().as_raw());
        Ok(is_ours.then_some(stream))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Listener::Unix(_, path) = self {
            let _ = fs::remove_file(path);
        }
    }
}

/// A socket in a folder that nobody else writes to. One that nobody listens at was left by a process that was killed.
fn unix(path: &Path) -> Result<UnixListener> {
    let shown = format!("unix:{}", path.display());
    let failed = |error: io::Error| not_bound(&shown, &error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let metadata = fs::metadata(folder).map_err(failed)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
        return Err(Failure::refused(
            "socket_exposed",
            format!("others may write to the folder of `{shown}` (socket_exposed)"),
        )
        .hint("name a socket in a folder that is yours alone (mode 0700)"));
    }
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
        Ok(found) if found.file_type().is_socket() && UnixStream::connect(path).is_err() => {
            fs::remove_file(path).map_err(failed)?;
        }
        Ok(_) => return Err(failed(ErrorKind::AddrInUse.into())),
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

fn not_bound(address: &str, error: &io::Error) -> Failure {
    Failure::new(Fault::Usage, "not_bound", format!("the agent cannot listen at `{address}`: {error}"))
        .hint("name another address with `--listen`; a socket's path has at most 107 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_listens_on_loopback_or_a_socket_and_nowhere_else() {
        assert_eq!(address("unix:/run/a.sock"), Ok(Address::Unix("/run/a.sock".into())));
        assert_eq!(address("127.0.0.1:8090"), Ok(Address::Port(8090)));
        for elsewhere in
            ["0.0.0.0:8090", "192.168.1.2:80", "127.0.0.2:1", "[::1]:1", "[::]:1", "localhost:1", "unix:", ""]
        {
            assert!(address(elsewhere).is_err(), "{elsewhere}");
        }
    }

    #[test]
    fn a_socket_is_its_users_alone_and_takes_the_place_of_a_dead_ones_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/agent.sock");
        let listening = unix(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(unix(&path).unwrap_err().code, "not_bound", "somebody listens there");
        drop(listening);
        drop(unix(&path).unwrap());
        fs::remove_file(&path).unwrap();
        fs::write(&path, "a file").unwrap();
        assert_eq!(unix(&path).unwrap_err().code, "not_bound");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o770)).unwrap();
        assert_eq!(unix(&folder.path().join("agent.sock")).unwrap_err().code, "socket_exposed");
    }
}
