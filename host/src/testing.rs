//! What the tests of several roles share.

use crate::calls::Role;
use crate::clock::Clock;
use crate::relay::witnesses::RELAYS;
use crate::transport::{Address, Message, Reader};
use crate::workload::{Authority, LIFE, Published, Source, TrustDomain, Workload};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::time::timeout;
use wire::frame::Kind;

/// A private folder for sockets, gone with its handle.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tensfer-host-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn address(&self) -> Address {
        Address::from(self.path())
    }

    /// What a witness whose socket is here keeps for relays.
    pub fn certify_relays(&self) -> Published {
        Published::make(Role::Witness, authority(), self.0.join(RELAYS), Role::Relay).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The authority of all tests that need none of their own.
pub fn authority() -> Arc<Authority> {
    static ONE: OnceLock<Arc<Authority>> = OnceLock::new();
    Arc::clone(ONE.get_or_init(|| {
        let domain = TrustDomain::parse("test.internal").unwrap();
        Arc::new(Authority::make(domain, LIFE, Clock::system()).unwrap())
    }))
}

/// A process in this role, certified by [`authority`].
pub fn workload(role: Role) -> Workload {
    Workload::new(role, Source::Authority(authority()))
}

/// Long enough for a busy machine.
pub const LONG: Duration = Duration::from_secs(60);

/// Waits no longer than that.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(LONG, future).await.expect("it happens")
}

/// The next message that is no claim of the time.
pub async fn next(reader: &mut Reader<impl AsyncRead + Unpin>) -> Option<Message> {
    loop {
        let message = soon(reader.next()).await.expect("frames");
        if message.as_ref().is_none_or(|message| message.number != Kind::Time as u8) {
            return message;
        }
    }
}
