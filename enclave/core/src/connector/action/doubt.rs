//! Whether a call that failed can have moved something (m38).

use super::super::fault::{Fault, FaultCode, FaultKind};

/// Whether the exchange says that it did not do what it was asked: then asking again cannot pay twice.
///
/// An error of the exchange's own that has a meaning, or a status by which a request is the caller's mistake. What is said
/// by a server that failed, and what has no meaning here, says nothing about what was done before; neither do a request
/// that timed out (408), one in conflict (409), which may be with itself, and one sent too early (425).
pub fn is_refused(fault: &Fault, refused: &[String]) -> bool {
    let answered_by_failing = fault.status.is_some_and(|status| status >= 500);
    let callers_mistake =
        fault.status.is_some_and(|status| (400..500).contains(&status) && ![408, 409, 425].contains(&status));
    match fault.code {
        // Nothing was written, or nothing was to be sent.
        FaultCode::Caller(_) | FaultCode::Internal | FaultCode::Refused(_) => true,
        FaultCode::Provider(FaultKind::Maintenance) => false,
        _ if fault.provider_code.as_ref().is_some_and(|code| refused.contains(code)) => !answered_by_failing,
        FaultCode::Provider(FaultKind::Unknown) => callers_mistake,
        FaultCode::Provider(_) => !answered_by_failing,
        FaultCode::Malformed | FaultCode::Transport(_) | FaultCode::TooMany => false,
    }
}

/// Whether it is an error of the exchange's that nobody here knows the meaning of.
pub fn is_unexplained(fault: &Fault, refused: &[String]) -> bool {
    let listed = fault.provider_code.as_ref().is_some_and(|code| refused.contains(code));
    fault.code == FaultCode::Provider(FaultKind::Unknown) && !listed
}

#[cfg(test)]
mod tests {
    use super::super::super::fault::TransportFault;
    use super::*;

    fn fault(code: FaultCode, status: u16) -> Fault {
        Fault { provider_code: Some("E1".to_owned()), status: Some(status), ..code.into() }
    }

    #[test]
    fn m38_only_what_the_exchange_clearly_refused_is_no_doubt() {
        let refused = |kind, status| is_refused(&fault(FaultCode::Provider(kind), status), &[]);
        assert!(refused(FaultKind::Funds, 200) && refused(FaultKind::Credential, 401));
        assert!(refused(FaultKind::Clock, 200) && refused(FaultKind::RateLimit, 429));
        assert!(refused(FaultKind::Unknown, 400));
        // After the fact, or by somebody on the way.
        for status in [500, 502, 503, 504] {
            assert!(!refused(FaultKind::Funds, status) && !refused(FaultKind::Unknown, status));
        }
        for status in [200, 302, 408, 409, 425] {
            assert!(!refused(FaultKind::Unknown, status), "{status}");
        }
        assert!(!refused(FaultKind::Maintenance, 400) && !refused(FaultKind::Maintenance, 200));
        assert!(!is_refused(&FaultCode::Malformed.into(), &[]));
        assert!(!is_refused(&FaultCode::Transport(TransportFault::Timeout).into(), &[]));
        // The connector says that the code is a refusal.
        let listed = ["E1".to_owned()];
        assert!(is_refused(&fault(FaultCode::Provider(FaultKind::Unknown), 200), &listed));
        assert!(!is_refused(&fault(FaultCode::Provider(FaultKind::Unknown), 500), &listed));
    }
}
