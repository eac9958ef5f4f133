//! What can go wrong between the engine and a provider.

use std::fmt;

use wire::Refusal;

pub use super::model::FaultKind;

/// Why a run, or one source of it, has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub code: FaultCode,
    /// The exchange's own code, at most 64 printable characters.
    pub provider_code: Option<String>,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The provider's id of what an earlier request with the same reference made, where its refusal names one.
    pub original: Option<String>,
}

/// Closed set; the first axis is whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultCode {
    /// The caller's: a credential field is missing, unknown or malformed, or an argument is.
    Caller(CallerFault),
    /// The provider's or the owner's, as the provider said.
    Provider(FaultKind),
    /// The provider's answer was not what the connector describes.
    Malformed,
    /// The way to the provider.
    Transport(TransportFault),
    /// The run's bound on calls or pages was reached.
    TooMany,
    /// Ours: the random source failed.
    Internal,
    /// The instruction does not fit what was stated, or itself: nothing was sent that moves anything.
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallerFault {
    /// The connector does not serve the operation.
    Unsupported,
    /// The operation needs a credential.
    NoCredential,
    /// An argument cannot be sent.
    Argument,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TransportFault {
    Timeout,
    Closed,
    Refused,
    Tls,
    /// The answer was no acceptable HTTP, or too large.
    Malformed,
}

impl FaultCode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Caller(CallerFault::Unsupported) => "unsupported",
            Self::Caller(CallerFault::NoCredential) => "no_credential",
            Self::Caller(CallerFault::Argument) => "argument",
            Self::Provider(kind) => kind.name(),
            Self::Malformed => "malformed",
            Self::Transport(TransportFault::Timeout) => "timeout",
            Self::Transport(TransportFault::Closed) => "closed",
            Self::Transport(TransportFault::Refused) => "refused",
            Self::Transport(TransportFault::Tls) => "tls",
            Self::Transport(TransportFault::Malformed) => "malformed",
            Self::TooMany => "too_many",
            Self::Internal => "internal",
            Self::Refused(refusal) => refusal.code(),
        }
    }

    /// Whether the provider refused the credential itself, for whatever reason.
    pub fn is_of_credential(self) -> bool {
        matches!(self, Self::Provider(FaultKind::Credential | FaultKind::Gone))
    }

    /// Whether the same call may succeed a little later.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Provider(FaultKind::RateLimit | FaultKind::Maintenance) => true,
            Self::Transport(fault) => fault != TransportFault::Tls,
            _ => false,
        }
    }
}

impl From<FaultCode> for Fault {
    fn from(code: FaultCode) -> Self {
        Self { code, provider_code: None, status: None, original: None }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        FaultCode::Refused(refusal).into()
    }
}

impl From<CallerFault> for Fault {
    fn from(fault: CallerFault) -> Self {
        FaultCode::Caller(fault).into()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code.name())
    }
}

impl std::error::Error for Fault {}
