//! What `up` itself says to the simulated enclave: the time and its roots, before anyone else has the channel.

use super::root::Roots;
use anyhow::{Context, bail};
use host::clock;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;
use wire::frame::{Kind, MAX_FRAME};
use wire::freshness::Witnessed;
use wire::identity::RelyingParty;
use wire::{Canonical, Frame, Identity};
use zeroize::Zeroizing;

/// The enclave locks itself down, makes its keys and signs evidence: milliseconds, on a machine that is not busy.
const READY: Duration = Duration::from_secs(30);
/// Everything before the body: length, kind and stream.
const HEAD: usize = 9;

/// What a simulated enclave is told besides its roots. A later provision repeats it.
#[derive(Debug)]
pub struct Surroundings {
    /// The sandbox's root certificate, DER.
    pub sandbox: Vec<u8>,
    /// Who witnesses its state.
    pub witnessed: Witnessed,
    /// Whose passkeys count.
    pub relying_parties: Vec<RelyingParty>,
}

/// Gives the enclave the time and its roots, and waits until it is ready: its evidence root, DER.
pub async fn provision(
    channel: &mut UnixStream,
    roots: &Roots,
    surroundings: &Surroundings,
) -> anyhow::Result<Vec<u8>> {
    let mut time = Vec::new();
    Frame::write(Kind::Time, 0, &clock::now().0.to_be_bytes(), &mut time)
        .ok()
        .context("a frame holds the time")?;
    channel.write_all(&time).await.context("the enclave closed its channel")?;
    write(channel, roots, surroundings).await?;
    let ready = timeout(READY, read(channel)).await.context("the enclave did not get ready in time")??;
    let ready = Frame::parse(&ready).ok().filter(|frame| frame.kind == Kind::Ready);
    Ok(ready.context("the enclave said something else than that it is ready")?.body.to_vec())
}

/// Writes one `Provision` frame.
pub async fn write(
    channel: &mut UnixStream,
    roots: &Roots,
    surroundings: &Surroundings,
) -> anyhow::Result<()> {
    let body = roots.provision(surroundings);
    // Grown, it would leave copies behind.
    let mut frame = Zeroizing::new(Vec::with_capacity(HEAD + body.len()));
    Frame::write(Kind::Provision, 0, &body, &mut frame).ok().context("too many epochs for one frame")?;
    channel.write_all(&frame).await.context("the enclave closed its channel")
}

/// One frame, without its length, and not a byte more: what follows is for the relay.
async fn read(channel: &mut UnixStream) -> anyhow::Result<Vec<u8>> {
    let length = channel.read_u32().await.context("the enclave ended before it was ready")? as usize;
    if length > MAX_FRAME {
        bail!("the enclave wrote what is no frame");
    }
    let mut frame = vec![0; length];
    channel.read_exact(&mut frame).await.context("the enclave ended before it was ready")?;
    Ok(frame)
}

/// The epochs that an enclave holds: the oldest, the current one, the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub oldest: u32,
    pub current: u32,
    pub newest: u32,
}

/// The epochs that this evidence claims. Nobody here verifies it: clients do.
pub fn claimed_epochs(evidence: &[u8]) -> anyhow::Result<Held> {
    let evidence = wire::evidence::Evidence::from_bytes(evidence)?;
    let epochs = Identity::from_bytes(&evidence.identity)?.epochs;
    Ok(Held { oldest: epochs.oldest, current: epochs.current, newest: epochs.newest() })
}

impl Held {
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let numbers = [self.oldest, self.current, self.newest].map(u32::to_be_bytes);
        bytes.copy_from_slice(numbers.as_flattened());
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Held> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        let [oldest, current, newest] = *numbers else { return None };
        let read = u32::from_be_bytes;
        rest.is_empty().then(|| Held { oldest: read(oldest), current: read(current), newest: read(newest) })
    }
}
