//! Lending the channel: someone else writes one frame to the enclave, and the relay never sees it.

use bytes::Bytes;
use std::io;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The channel's writing half. The relay writes whole frames under the lock, so that whoever gets it in between
/// starts at the beginning of a frame.
#[derive(Clone, Debug)]
pub struct Writer(Arc<Mutex<OwnedWriteHalf>>);

/// While it lives, the relay writes nothing to the enclave.
pub struct Lent {
    _writer: OwnedMutexGuard<OwnedWriteHalf>,
}

impl Writer {
    pub fn new(half: OwnedWriteHalf) -> Writer {
        Writer(Arc::new(Mutex::new(half)))
    }

    /// Writes all of `frames`.
    pub async fn write(&self, frames: &[Bytes]) -> io::Result<()> {
        let mut writer = self.0.lock().await;
        match frames {
            [frame] => writer.write_all(frame).await,
            frames => writer.write_all(&frames.concat()).await,
        }
    }

    /// Waits for the frames that are being written, then writes no more until the result is dropped.
    pub async fn lend(&self) -> Lent {
        Lent { _writer: Arc::clone(&self.0).lock_owned().await }
    }
}
