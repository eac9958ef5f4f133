//! From what went wrong on the way to a provider to the code that the owner sees.

use crate::connector::{CallerFault, Fault, FaultCode, FaultKind, TransportFault};
use crate::egress;
use wire::Refusal;

/// The refusal of an operation that learnt nothing.
pub(crate) fn refusal_of(fault: &Fault) -> Refusal {
    match fault.code {
        FaultCode::Caller(CallerFault::Unsupported | CallerFault::NoCredential | CallerFault::Argument) => {
            Refusal::Internal
        }
        FaultCode::Provider(kind) => provider(kind),
        FaultCode::Malformed | FaultCode::TooMany => Refusal::ProviderFailed,
        FaultCode::Transport(fault) => transport(fault),
        FaultCode::Internal => Refusal::Internal,
        FaultCode::Refused(refusal) => refusal,
    }
}

fn provider(kind: FaultKind) -> Refusal {
    match kind {
        FaultKind::Credential | FaultKind::Gone => Refusal::CredentialRefused,
        FaultKind::Permission => Refusal::PermissionMissing,
        FaultKind::Ip => Refusal::AddressNotAllowed,
        FaultKind::Clock => Refusal::ProviderClock,
        FaultKind::RateLimit => Refusal::RateLimited,
        FaultKind::Region => Refusal::RegionBlocked,
        FaultKind::Maintenance => Refusal::Maintenance,
        FaultKind::Challenge => Refusal::ChallengeNeeded,
        FaultKind::Funds => Refusal::FundsMissing,
        FaultKind::Address => Refusal::DestinationRefused,
        FaultKind::Network => Refusal::NetworkRefused,
        FaultKind::Unknown => Refusal::ProviderFailed,
    }
}

fn transport(fault: TransportFault) -> Refusal {
    match fault {
        TransportFault::Timeout => Refusal::ProviderTimeout,
        TransportFault::Closed | TransportFault::Refused => Refusal::ProviderUnreachable,
        TransportFault::Tls => Refusal::ProviderUnauthentic,
        TransportFault::Malformed => Refusal::ProviderFailed,
    }
}

/// What an egress fault is to a run of the engine.
pub(super) fn of_egress(fault: egress::Fault) -> TransportFault {
    use egress::Fault;
    match fault {
        Fault::Unreachable => TransportFault::Refused,
        Fault::ConnectTimeout | Fault::HandshakeTimeout | Fault::HeaderTimeout | Fault::ResponseTimeout => {
            TransportFault::Timeout
        }
        Fault::NotTls
        | Fault::Corrupted
        | Fault::Certificate(_)
        | Fault::TlsUnsupported
        | Fault::TlsProtocol => TransportFault::Tls,
        Fault::Http(_) | Fault::TooLarge => TransportFault::Malformed,
        Fault::BadHost
        | Fault::BadRequest(_)
        | Fault::QueueFull
        | Fault::NotOpen
        | Fault::ClosedByUs
        | Fault::Internal
        | Fault::ClosedByHost
        | Fault::Truncated
        | Fault::ClosedByProvider => TransportFault::Closed,
    }
}
