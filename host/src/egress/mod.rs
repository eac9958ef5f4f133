//! A dumb TCP forwarder for the enclave: it connects to listed hosts and carries bytes. TLS ends inside the enclave.

mod allow;
mod stream;
#[cfg(test)]
mod tests;

pub use allow::{Allow, Refused};

use crate::calls::{Operation, Role};
use crate::log;
use crate::transport::{
    Address, Drain, Listener, NotTaken, Outbox, Outgoing, TransportError, Unheard, frame,
};
use crate::workload::Workload;
use bytes::Bytes;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use tokio::task::{AbortHandle, JoinSet};
use wire::frame::Kind;

/// Connections to providers at once.
const STREAMS: usize = 8192;
/// Bytes from providers that the relay has not taken: back-pressure reaches the provider beyond it.
const TO_RELAY: usize = 4 << 20;
/// Bytes that one provider has not taken; a stream that wants more is given up.
const TO_PROVIDER: usize = 4 << 20;

/// Egress that listens, and does not serve yet.
#[derive(Debug)]
pub struct Egress {
    listener: Listener,
    allow: Arc<Allow>,
}

impl Egress {
    /// Listens there as `me`.
    pub fn bind(address: &Address, me: Workload, allow: Allow) -> io::Result<Egress> {
        Ok(Egress { listener: Listener::bind(address, me)?, allow: Arc::new(allow) })
    }

    /// Serves until its socket is lost. Dropping it closes every connection.
    pub async fn serve(self) -> io::Error {
        let mut connections = JoinSet::new();
        loop {
            let unheard = match self.listener.accept().await {
                Ok(unheard) => unheard,
                Err(error) => return error,
            };
            let allow = Arc::clone(&self.allow);
            connections.spawn(async move {
                if let Err(error) = serve(unheard, allow).await {
                    log::line(Role::Egress, format_args!("closed a connection: {error}"));
                }
            });
            while connections.try_join_next().is_some() {}
        }
    }
}

/// Serves one relay to its end; its streams end with it.
async fn serve(unheard: Unheard, allow: Arc<Allow>) -> Result<(), TransportError> {
    let (mut calls, writer) = unheard.hear().await?;
    let (answers, drain) = Outbox::new(TO_RELAY);
    let mut streams = Streams { allow, answers, open: HashMap::new(), tasks: JoinSet::new() };
    let written = write(writer, drain);
    tokio::pin!(written);
    loop {
        tokio::select! {
            call = calls.next() => match call? {
                Some((operation, stream, body)) => streams.call(operation, stream, &body),
                None => return Ok(()),
            },
            Some(ended) = streams.tasks.join_next() => streams.ended(ended.ok()),
            written = &mut written => return Ok(written?),
        }
    }
}

async fn write(mut writer: Outgoing, mut drain: Drain) -> io::Result<()> {
    let mut frames = Vec::new();
    while drain.batch(&mut frames).await {
        writer.write_batch(&frames).await?;
    }
    Ok(())
}

/// One relay's connections to providers.
struct Streams {
    allow: Arc<Allow>,
    answers: Outbox,
    open: HashMap<u32, Open>,
    tasks: JoinSet<u32>,
}

struct Open {
    to_provider: Outbox,
    task: AbortHandle,
}

impl Streams {
    fn call(&mut self, operation: Operation, stream: u32, body: &Bytes) {
        match operation {
            Operation::EgressOpen => self.open(stream, body),
            Operation::EgressSend => self.send(stream, body),
            Operation::EgressClose => self.close(stream),
            // The table lets nobody ask these of egress.
            Operation::Attest
            | Operation::Request
            | Operation::Rewrap
            | Operation::Cancel
            | Operation::Ceremony
            | Operation::LendChannel
            | Operation::ReturnChannel
            | Operation::NewEpoch
            | Operation::Conclude
            | Operation::TakeLine
            | Operation::Admit
            | Operation::Introduce
            | Operation::AskIdentity
            | Operation::CreateOrganisation
            | Operation::ListOrganisations
            | Operation::Invite
            | Operation::BeginCeremony
            | Operation::AdvanceLine
            | Operation::Destroy => {}
        }
    }

    fn open(&mut self, stream: u32, target: &[u8]) {
        let full = self.open.len() >= STREAMS || self.open.contains_key(&stream);
        let allowed = if full { Err(Refused::TooMany) } else { self.allow.check(target) };
        match allowed {
            Ok(target) => {
                let (to_provider, drain) = Outbox::new(TO_PROVIDER);
                let task = self.tasks.spawn(stream::carry(stream, target, drain, self.answers.clone()));
                self.open.insert(stream, Open { to_provider, task });
            }
            Err(refused) => {
                log::line(Role::Egress, format_args!("refused a stream: {refused}"));
                self.tasks.spawn(stream::gone(stream, self.answers.clone()));
            }
        }
    }

    fn send(&mut self, stream: u32, bytes: &Bytes) {
        let Some(open) = self.open.get(&stream) else { return };
        if open.to_provider.push(bytes.clone()) == Err(NotTaken::Full) {
            self.close(stream);
            self.tasks.spawn(stream::gone(stream, self.answers.clone()));
        }
    }

    fn close(&mut self, stream: u32) {
        if let Some(open) = self.open.remove(&stream) {
            open.task.abort();
        }
    }

    /// Forgets a stream whose task ended by itself. Its number may be another stream's by now.
    fn ended(&mut self, stream: Option<u32>) {
        let Some(stream) = stream else { return };
        if self.open.get(&stream).is_some_and(|open| open.task.is_finished()) {
            self.open.remove(&stream);
        }
    }
}

fn answer(kind: Kind, stream: u32, body: &[u8]) -> Bytes {
    // Bodies here are at most one read long.
    frame(kind as u8, stream, body).unwrap_or_default()
}
