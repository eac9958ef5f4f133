//! What a running `up` does for an operator: hand a new epoch to the enclave.

use super::certify::as_operator;
use super::provision::{Held, Surroundings, claimed_epochs, write};
use super::root::RootFile;
use anyhow::{Context, bail};
use host::calls::{DONE, FAILED, Operation, Role};
use host::log;
use host::transport::{Address, Connection, Listener, Message, TransportError, Unheard, connect, frame};
use host::workload::Workload;
use std::path::Path;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::time::timeout;
use wire::frame::Kind;

const HANDOVER: Duration = Duration::from_secs(10);

/// The operator's way in. Calls come one after another: two at once would write over each other.
pub struct Control {
    pub listener: Listener,
    pub me: Workload,
    pub root: RootFile,
    /// Where the relay is.
    pub run: Address,
    /// The channel that the relay owns; written to only while the relay lends it.
    pub channel: UnixStream,
    pub surroundings: Surroundings,
}

impl Control {
    /// Serves until its socket is lost.
    pub async fn serve(mut self) -> std::io::Error {
        loop {
            let unheard = match self.listener.accept().await {
                Ok(unheard) => unheard,
                Err(error) => return error,
            };
            if let Err(error) = self.answer(unheard).await {
                log::line(Role::Up, format_args!("closed a connection: {error:#}"));
            }
        }
    }

    async fn answer(&mut self, unheard: Unheard) -> anyhow::Result<()> {
        let (mut calls, mut answers) = unheard.hear().await?;
        // An operator who says nothing must not keep the next one out.
        while let Some((operation, stream, _)) = timeout(HANDOVER, calls.next()).await?? {
            if operation != Operation::NewEpoch {
                bail!("the table of calls has an operation that nobody serves");
            }
            let answer =
                match timeout(HANDOVER, self.hand_over()).await.context("the enclave did not answer in time")
                {
                    Ok(Ok(held)) => frame(DONE, stream, &held.to_bytes())?,
                    Ok(Err(error)) | Err(error) => {
                        log::line(Role::Up, format_args!("the roots were not handed over: {error:#}"));
                        frame(FAILED, stream, &[])?
                    }
                };
            answers.write_all(&answer).await?;
        }
        Ok(())
    }

    /// Reads the roots again, writes them to the enclave, and returns the epochs that its evidence then claims.
    async fn hand_over(&mut self) -> anyhow::Result<Held> {
        let roots = self.root.load()?;
        let mut relay = connect(&self.run, &self.me, Role::Relay).await?;
        ask(&mut relay, Operation::LendChannel, &[], DONE).await?;
        write(&mut self.channel, &roots, &self.surroundings).await?;
        drop(roots);
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).map_err(std::io::Error::other)?;
        let evidence = ask(&mut relay, Operation::ReturnChannel, &nonce, Kind::Evidence as u8).await?;
        claimed_epochs(&evidence.body)
    }
}

/// Tells the `up` that runs with the folder `run` that the file of roots has changed; the epochs that the enclave holds
/// then. `None`: no `up` runs there.
pub async fn announce_epochs(run: &Path) -> anyhow::Result<Option<Held>> {
    let mut up = match connect(&Address::from(run), &as_operator(run), Role::Up).await {
        Err(TransportError::Io(_)) => return Ok(None),
        connected => connected.context("`tensfer up` cannot be asked")?,
    };
    let answer = timeout(2 * HANDOVER, ask(&mut up, Operation::NewEpoch, &[], DONE)).await??;
    Ok(Some(Held::from_bytes(&answer.body).context("`tensfer up` answered with no epochs")?))
}

async fn ask(
    callee: &mut Connection,
    operation: Operation,
    body: &[u8],
    expected: u8,
) -> anyhow::Result<Message> {
    callee.writer.write_all(&frame(operation as u8, 0, body)?).await?;
    let answer = callee.answers.next().await?.context("the other process closed the connection")?;
    if answer.number != expected {
        bail!("the other process could not do it; its log says why");
    }
    Ok(answer)
}
