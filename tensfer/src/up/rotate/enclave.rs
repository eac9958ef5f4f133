//! What an operator's command asks of the enclave that runs, through the relay.

use super::super::certify::as_operator;
use super::super::folder::replace;
use anyhow::{Context, bail};
use host::calls::{Operation, Role};
use host::clock;
use host::transport::{Address, Connection, connect, frame};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::timeout;
use wire::evidence::Hash;
use wire::frame::Kind;
use wire::register::{Conclude, Concluded, Destroy, Destroyed, Published};
use wire::rewrap::Bytes;
use wire::{Canonical, Refusal};

/// The enclave takes 8,192 entries in some milliseconds; a busy one in seconds.
const ANSWER: Duration = Duration::from_secs(60);

pub struct Enclave {
    run: PathBuf,
    relay: Connection,
    stream: u32,
}

/// The enclave said no, with its reason.
#[derive(Debug)]
pub struct Refused(pub Refusal);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the enclave refused it ({})", self.0.code())
    }
}

impl std::error::Error for Refused {}

impl Enclave {
    /// Of the `up` that runs with the folder `run`.
    pub async fn connect(run: &Path) -> anyhow::Result<Enclave> {
        Ok(Enclave { run: run.to_path_buf(), relay: reach(run).await?, stream: 0 })
    }

    pub async fn conclude(&mut self, step: &Conclude) -> anyhow::Result<Concluded> {
        let body = self.ask(Operation::Conclude, &step.to_bytes(), Kind::Concluded).await?;
        Concluded::from_bytes(&body).context("the enclave answered with something unreadable")
    }

    pub async fn destroy(&mut self, destroy: &Destroy) -> anyhow::Result<Destroyed> {
        let body = self.ask(Operation::Destroy, &destroy.to_bytes(), Kind::Destroyed).await?;
        Destroyed::from_bytes(&body).context("the enclave answered with something unreadable")
    }

    /// Writes a signed statement with fresh evidence of the enclave that signed it.
    pub async fn publish(&mut self, statement: Bytes, path: &Path) -> anyhow::Result<()> {
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).map_err(std::io::Error::other)?;
        let evidence = self.ask(Operation::Attest, &nonce, Kind::Evidence).await?;
        let published = Published { version: 1, statement, nonce: Hash(nonce), evidence, time: clock::now() };
        replace(path, &published.to_bytes()).with_context(|| format!("`{}`", path.display()))
    }

    async fn ask(&mut self, operation: Operation, body: &[u8], expected: Kind) -> anyhow::Result<Vec<u8>> {
        if self.relay.fresh.is_over() {
            self.relay = reach(&self.run).await?;
        }
        self.stream += 1;
        self.relay.writer.write_all(&frame(operation as u8, self.stream, body)?).await?;
        let answer =
            timeout(ANSWER, self.relay.answers.next()).await.context("the enclave did not answer")??;
        let answer = answer.context("the relay closed the connection; its log says why")?;
        if answer.number == Kind::Refused as u8 {
            let number = answer.body.as_ref().try_into().map(u16::from_be_bytes).unwrap_or_default();
            bail!(Refused(Refusal::from_number(number).unwrap_or(Refusal::Internal)));
        }
        if answer.number != expected as u8 {
            bail!("the enclave answered with something else");
        }
        Ok(answer.body.to_vec())
    }
}

async fn reach(run: &Path) -> anyhow::Result<Connection> {
    let relay = connect(&Address::from(run), &as_operator(run), Role::Relay).await;
    relay.context("no `tensfer up` runs on this folder: the enclave has to")
}
