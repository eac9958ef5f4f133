//! Why a command did not do what it was asked: one sentence that names whose fault it is, and what to do next.

use serde::Serialize;
use std::fmt;
use std::process::ExitCode;
use utoipa::ToSchema;

pub type Result<T> = std::result::Result<T, Failure>;

/// Whose fault it is; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A check said no: evidence, an authorisation, a receipt, an envelope.
    Refused,
    /// The command was not used as it can be.
    Usage,
    /// The exchange.
    Provider,
    /// The server, or the way to it.
    Host,
    /// The enclave, this program or this machine.
    Internal,
}

impl Fault {
    pub const fn exit_code(self) -> u8 {
        match self {
            Fault::Refused => 1,
            Fault::Usage => 2,
            Fault::Provider => 3,
            Fault::Host => 4,
            Fault::Internal => 5,
        }
    }
}

impl From<Fault> for ExitCode {
    fn from(fault: Fault) -> ExitCode {
        ExitCode::from(fault.exit_code())
    }
}

/// An error for a person. Never built from a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub fault: Fault,
    /// A stable word for programs, such as `credential_refused`.
    pub code: &'static str,
    pub sentence: String,
    pub hint: Option<String>,
    /// Whether the same command may succeed later.
    pub retryable: bool,
}

impl Failure {
    pub fn new(fault: Fault, code: &'static str, sentence: impl Into<String>) -> Failure {
        Failure { fault, code, sentence: sentence.into(), hint: None, retryable: false }
    }

    pub fn refused(code: &'static str, sentence: impl Into<String>) -> Failure {
        Failure::new(Fault::Refused, code, sentence)
    }

    pub fn usage(sentence: impl Into<String>) -> Failure {
        Failure::new(Fault::Usage, "usage", sentence)
    }

    pub fn host(code: &'static str, sentence: impl Into<String>) -> Failure {
        Failure::new(Fault::Host, code, sentence)
    }

    pub fn internal(sentence: impl Into<String>) -> Failure {
        Failure::new(Fault::Internal, "internal", sentence)
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Failure {
        self.retryable = retryable;
        self
    }
}

/// A failure as programs read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Failure)]
pub struct Told {
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
    pub retryable: bool,
}

impl From<&Failure> for Told {
    fn from(failure: &Failure) -> Told {
        let Failure { code, sentence, hint, retryable, .. } = failure.clone();
        Told { code, message: sentence, hint, retryable }
    }
}

/// `error: SENTENCE` and, where something can be done, a line `hint: …`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.sentence)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_a_sentence_and_a_hint() {
        let failure = Failure::host("unreachable", "the server does not answer").hint("run `tensfer up`");
        assert_eq!(failure.to_string(), "error: the server does not answer\nhint: run `tensfer up`");
    }

    #[test]
    fn every_fault_has_an_exit_code_of_its_own() {
        let faults = [Fault::Refused, Fault::Usage, Fault::Provider, Fault::Host, Fault::Internal];
        assert_eq!(faults.map(Fault::exit_code), [1, 2, 3, 4, 5]);
    }
}
