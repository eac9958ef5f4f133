//! The processes that `up` started, until the first of them ends.

use super::spawn::Program;
use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::process::ExitStatus;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::{sleep, timeout};

const READY: Duration = Duration::from_secs(30);
/// A gateway with answers on their way takes five seconds of its own.
const STOP: Duration = Duration::from_secs(7);
/// A death has this long to show its cause: the enclave's end is the relay's too.
const CAUSE: Duration = Duration::from_millis(150);

/// Every process that runs, in the order in which they were started. Dropping it kills them.
#[derive(Debug, Default)]
pub struct Children(Vec<(&'static str, Child)>);

/// A started process's standard output.
pub struct Output {
    name: &'static str,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Children {
    /// Starts a program.
    pub fn start(&mut self, program: Program) -> anyhow::Result<Output> {
        let (name, path) = (program.name, program.path.clone());
        let mut child = program.start().with_context(|| cannot_start(name, &path))?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        self.0.push((name, child));
        Ok(Output { name, lines: BufReader::new(stdout).lines() })
    }

    /// Waits until one ends, and names it, or the enclave if that ended too.
    pub async fn first_end(&mut self) -> (&'static str, ExitStatus) {
        let first = self.any_end().await;
        sleep(CAUSE).await;
        let enclave = self.0.iter_mut().find(|(name, _)| *name == "enclave");
        match enclave.and_then(|(name, child)| Some((*name, child.try_wait().ok()??))) {
            Some(cause) => cause,
            None => first,
        }
    }

    async fn any_end(&mut self) -> (&'static str, ExitStatus) {
        poll_fn(|context| {
            for (name, child) in &mut self.0 {
                if let Poll::Ready(Ok(status)) = pin!(child.wait()).poll(context) {
                    return Poll::Ready((*name, status));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Ends all: the gateway first, so that answers on their way still find their enclave.
    pub async fn stop(mut self) {
        self.terminate(|name| name == "gateway").await;
        self.terminate(|_| true).await;
        for (_, child) in &mut self.0 {
            // SIGKILL to one that did not listen; then wait, so that no zombie is left.
            let _ = child.kill().await;
        }
    }

    async fn terminate(&mut self, whom: impl Fn(&str) -> bool) {
        let chosen = || self.0.iter().filter(|(name, _)| whom(name));
        for (_, child) in chosen() {
            // `None`: it has ended, and its number may be another's.
            if let Some(pid) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
                let _ = kill_process(pid, Signal::TERM);
            }
        }
        let _ = timeout(STOP, async {
            for (_, child) in self.0.iter_mut().filter(|(name, _)| whom(name)) {
                let _ = child.wait().await;
            }
        })
        .await;
    }
}

impl Output {
    /// The rest of the line `ready …`. Lines before it go to the log, and those after it nowhere.
    pub async fn ready(mut self) -> anyhow::Result<String> {
        let ready = timeout(READY, self.wait()).await;
        let ready = ready.with_context(|| format!("{} did not get ready in time", self.name))??;
        // Nobody reads on, but a pipe that is closed or full would disturb its writer.
        tokio::spawn(async move { while let Ok(Some(_)) = self.lines.next_line().await {} });
        Ok(ready)
    }

    async fn wait(&mut self) -> anyhow::Result<String> {
        while let Some(line) = self.lines.next_line().await? {
            if let Some(ready) = line.strip_prefix("ready ") {
                return Ok(ready.to_owned());
            }
            host::log::line(host::calls::Role::Up, format_args!("{}: {line}", self.name));
        }
        bail!("{} ended before it was ready", self.name)
    }
}

fn cannot_start(name: &str, path: &Path) -> String {
    match name {
        "enclave" => {
            format!("cannot start the enclave program `{}` (`make build` puts it there)", path.display())
        }
        name => format!("cannot start {name}"),
    }
}
