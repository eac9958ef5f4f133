//! The way to an enclave that its operators take: its relay's socket, which only the host's user reaches
//! (docs/spec/provisioning.md §8). From elsewhere, `ssh -L` brings it to a folder here.

use crate::client::failure::{Failure, Result};
use crate::client::options::Options;
use crate::up::Data;
use crate::up::certify::as_operator;
use host::calls::{Operation, Role};
use host::transport::{Address, Message, TransportError, connect, frame};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::timeout;
use wire::Refusal;
use wire::frame::Kind;

/// An enclave answers in milliseconds; an emulated one, on a busy machine, in a minute.
const ANSWER: Duration = Duration::from_secs(120);
/// One question a connection.
const STREAM: u32 = 1;

/// Which enclave.
#[derive(clap::Args, Debug)]
pub struct At {
    #[command(flatten)]
    data: Data,

    /// Folder of the relay's socket, instead of `run` in the server's data: of a relay that was started by itself, or of a
    /// socket that `ssh -L` brings here from another machine.
    #[arg(long, value_name = "DIR", conflicts_with = "data")]
    run: Option<PathBuf>,
}

impl At {
    /// The relay that was named, or else the one of the server that has its data in the usual place.
    pub fn relay(&self, options: &Options) -> Result<Relay> {
        options.refuse_server()?;
        let run = match &self.run {
            Some(run) => run.clone(),
            None => self.data.run().map_err(|error| Failure::usage(format!("{error:#}")))?,
        };
        Ok(Relay { run })
    }
}

/// An enclave's relay.
#[derive(Debug)]
pub struct Relay {
    run: PathBuf,
}

impl Relay {
    /// Whose socket is in this folder.
    pub fn at(run: &Path) -> Relay {
        Relay { run: run.to_path_buf() }
    }

    /// Passes a step of provisioning on and gives its answer, both in canonical CBOR. The answer is the host's word until it
    /// is verified.
    pub fn ceremony(&self, step: &[u8]) -> Result<Vec<u8>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_| Failure::internal("this program could not wait for an answer"))?;
        let answered = runtime.block_on(async { timeout(ANSWER, self.ask(step)).await });
        let silent = || {
            let sentence = format!("the relay in `{}` did not answer in time", self.run.display());
            Failure::host("timeout", sentence).hint("try again in a moment").retryable(true)
        };
        let answer = answered.map_err(|_| silent())?.map_err(|error| self.unreached(&error))?;
        let answer = answer.ok_or_else(|| {
            let sentence = format!("the relay in `{}` closed the connection", self.run.display());
            Failure::host("closed", sentence).hint("its log says why").retryable(true)
        })?;
        answered_by(answer)
    }

    async fn ask(&self, step: &[u8]) -> std::result::Result<Option<Message>, TransportError> {
        let question = frame(Operation::Ceremony as u8, STREAM, step)?;
        let mut relay = connect(&Address::from(&*self.run), &as_operator(&self.run), Role::Relay).await?;
        relay.writer.write_all(&question).await?;
        Ok(relay.answers.next().await?)
    }

    fn unreached(&self, error: &TransportError) -> Failure {
        let run = self.run.display();
        let anothers = || {
            Failure::host("other_user", format!("the relay in `{run}` runs under another user"))
                .hint("run this command as the user that the server runs as")
        };
        match error {
            TransportError::Stranger => anothers(),
            TransportError::Io(error) if error.kind() == ErrorKind::PermissionDenied => anothers(),
            TransportError::Io(error) if error.kind() == ErrorKind::InvalidInput => {
                Failure::usage("the manifest and its approvals are longer than an enclave takes")
            }
            TransportError::Unusable(unusable) => {
                Failure::host("no_certificate", format!("nothing to show to the relay in `{run}`: {unusable}")).hint(
                    "the server keeps an operator's certificate new in `operator` beside its sockets; of another machine, \
                     copy it here when it is used: `scp -pr USER@HOST:/…/run/operator there/`",
                )
            }
            TransportError::Handshake(_)
            | TransportError::Silent
            | TransportError::NotAllowed(_)
            | TransportError::Over => Failure::host(
                "not_known",
                format!("the relay in `{run}` and the certificate beside it do not know each other: {error}"),
            )
            .retryable(true),
            TransportError::Io(_) => {
                Failure::host("unreachable", format!("no relay answers in `{run}`")).retryable(true).hint(
                    "start one with `tensfer up`, name its folder with `--data DIR` or `--run DIR`, or bring the socket of \
                     another machine here: `ssh -N -L $PWD/there/relay.sock:/…/run/relay.sock USER@HOST`, \
                     `scp -pr USER@HOST:/…/run/operator there/`, then `--run there`",
                )
            }
        }
    }
}

fn answered_by(answer: Message) -> Result<Vec<u8>> {
    let is_ours = answer.stream == STREAM;
    match Kind::from_number(answer.number) {
        Some(Kind::CeremonyAnswer) if is_ours => Ok(answer.body.to_vec()),
        Some(Kind::Refused) if is_ours => {
            let number = answer.body[..].try_into().map(u16::from_be_bytes);
            let refusal = number.ok().and_then(Refusal::from_number).unwrap_or(Refusal::Internal);
            let sentence = format!("the enclave, or its relay, refused the step ({})", refusal.code());
            Err(Failure::host(refusal.code(), sentence).hint("try again in a moment").retryable(true))
        }
        _ => Err(super::ceremony::unexpected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: Kind, stream: u32, body: &'static [u8]) -> Message {
        Message { number: kind as u8, stream, body: bytes::Bytes::from_static(body) }
    }

    #[test]
    fn an_answer_is_the_one_to_the_question_or_a_failure_of_the_host() {
        assert_eq!(answered_by(message(Kind::CeremonyAnswer, STREAM, b"answer")), Ok(b"answer".to_vec()));
        for other in [
            message(Kind::CeremonyAnswer, STREAM + 1, b"answer"),
            message(Kind::Evidence, STREAM, b"answer"),
            message(Kind::Refused, STREAM + 1, &[0, 1]),
            Message { number: 0x7e, ..message(Kind::Evidence, STREAM, b"") },
        ] {
            assert_eq!(answered_by(other).unwrap_err().code, "unexpected");
        }
        let overloaded = Refusal::Overloaded.number().to_be_bytes();
        let refused = Message {
            body: bytes::Bytes::copy_from_slice(&overloaded),
            ..message(Kind::Refused, STREAM, b"")
        };
        let failure = answered_by(refused).unwrap_err();
        assert_eq!((failure.code, failure.fault.exit_code()), ("overloaded", 4));
        assert_eq!(answered_by(message(Kind::Refused, STREAM, b"x")).unwrap_err().code, "internal");
    }

    #[test]
    fn where_no_relay_is_the_way_to_one_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let failure = Relay::at(folder.path()).ceremony(b"step").unwrap_err();
        assert_eq!((failure.code, failure.fault.exit_code(), failure.retryable), ("unreachable", 4, true));
        let missing = Relay::at(&folder.path().join("none")).ceremony(b"step").unwrap_err();
        assert_eq!(missing.code, "unreachable");
        assert!(missing.hint.is_some_and(|hint| hint.contains("ssh -N -L")));
    }
}
