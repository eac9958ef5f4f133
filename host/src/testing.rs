//! What the tests of several roles share.

use crate::transport::{Message, Reader};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
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
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
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
