//! The witness's socket: asks of all connections come together, so that one write serves those that wait.

use super::keeper::{Asked, Keeper};
use host::calls::{DONE, FAILED, Operation, Role};
use host::clock::Clock;
use host::log;
use host::relay::witnesses::RELAYS;
use host::transport::{Address, Listener, TransportError, Unheard, frame};
use host::workload::{Authority, LIFE, Published, Source, TrustDomain, Workload};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// Asks that one write serves, and that wait for it.
const TOGETHER: usize = 64;
/// Connections at a time: relays, one for each host that is served.
const CONNECTIONS: usize = 256;

/// One ask, and where its answer goes.
struct Waiting {
    asked: Asked,
    answer: oneshot::Sender<Option<Vec<u8>>>,
}

/// A witness that listens.
pub struct Witness {
    listener: Listener,
    relays: Published,
    keeper: Keeper,
}

/// A witness is another party: it certifies itself, and those who may ask it.
const DOMAIN: &str = "witness.tensfer.internal";

impl Witness {
    pub fn bind(run: &Path, keeper: Keeper) -> io::Result<Witness> {
        let domain = TrustDomain::parse(DOMAIN).ok_or(io::ErrorKind::InvalidInput)?;
        let authority = Authority::make(domain, LIFE, Clock::system()).map_err(io::Error::other)?;
        let authority = Arc::new(authority);
        let me = Workload::new(Role::Witness, Source::Authority(Arc::clone(&authority)));
        let relays = Published::make(Role::Witness, authority, run.join(RELAYS), Role::Relay)?;
        Ok(Witness { listener: Listener::bind(&Address::from(run), me)?, relays, keeper })
    }

    /// Serves until its socket is lost or its memory cannot be written.
    pub async fn serve(self) -> io::Error {
        let (asks, waiting) = mpsc::channel(TOGETHER);
        tokio::select! {
            error = accept(&self.listener, asks) => error,
            error = answer(self.keeper, waiting) => error,
            never = self.relays.keep() => match never {},
        }
    }
}

async fn accept(listener: &Listener, asks: mpsc::Sender<Waiting>) -> io::Error {
    let mut connections = JoinSet::new();
    loop {
        let unheard = match listener.accept().await {
            Ok(unheard) => unheard,
            Err(error) => return error,
        };
        while connections.try_join_next().is_some() {}
        if connections.len() >= CONNECTIONS {
            continue;
        }
        let asks = asks.clone();
        connections.spawn(async move {
            if let Err(error) = hear(unheard, asks).await {
                log::line(Role::Witness, format_args!("closed a connection: {error}"));
            }
        });
    }
}

/// One connection, one ask after another.
async fn hear(unheard: Unheard, asks: mpsc::Sender<Waiting>) -> Result<(), TransportError> {
    let (mut calls, mut writer) = unheard.hear().await?;
    while let Some((operation, stream, body)) = calls.next().await? {
        let asked = match operation {
            Operation::TakeLine => Asked::Take(body),
            Operation::AdvanceLine => Asked::Advance(body),
            // The table lets nobody ask anything else of a witness.
            _ => return Err(io::Error::from(io::ErrorKind::Unsupported).into()),
        };
        let (answer, told) = oneshot::channel();
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        asks.send(Waiting { asked, answer }).await.map_err(|_| gone(()))?;
        let told = told.await.map_err(|_| gone(()))?;
        let number = if told.is_some() { DONE } else { FAILED };
        writer.write_all(&frame(number, stream, told.as_deref().unwrap_or_default())?).await?;
    }
    Ok(())
}

/// Answers those that wait, all after one write.
async fn answer(mut keeper: Keeper, mut waiting: mpsc::Receiver<Waiting>) -> io::Error {
    let mut together = Vec::with_capacity(TOGETHER);
    while waiting.recv_many(&mut together, TOGETHER).await > 0 {
        let (asked, answers): (Vec<_>, Vec<_>) =
            together.drain(..).map(|Waiting { asked, answer }| (asked, answer)).unzip();
        let told = match keeper.answer(&asked) {
            Ok(told) => told,
            Err(error) => return error,
        };
        for (answer, told) in answers.into_iter().zip(told) {
            // Whoever asked may be gone.
            let _ = answer.send(told);
        }
    }
    io::ErrorKind::BrokenPipe.into()
}
