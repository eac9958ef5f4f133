//! The closed set of codes: the gateway's own, and the enclave's refusals.

use super::{Fault, denied, sentence};
use crate::identity::{Denied, Refusal as NotDone};
use crate::signatures::Refused;
use axum::http::StatusCode;
use wire::Refusal;

macro_rules! codes {
    ($($name:ident, $code:literal, $status:ident, $fault:ident, $retryable:literal, $sentence:literal;)+) => {
        /// Why there is no answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $sentence] $name,)+
            /// The enclave refused, and could not seal its refusal to the sender.
            Refused(Refusal),
            /// Identity did not admit the request, or did not do what it asked.
            Denied(Denied),
        }

        impl Code {
            /// Every code, the gateway's own first.
            pub fn all() -> impl Iterator<Item = Code> {
                let denied = Refused::ALL.iter().copied().map(Denied::Unsigned);
                let denied = denied.chain(NotDone::ALL.iter().copied().map(Denied::Refused)).map(Code::Denied);
                [$(Code::$name),+].into_iter().chain(Refusal::ALL.iter().copied().map(Code::Refused)).chain(denied)
            }

            /// The stable text.
            pub const fn text(self) -> &'static str {
                match self { $(Code::$name => $code,)+ Code::Refused(refusal) => refusal.code(), Code::Denied(it) => denied::text(it) }
            }

            pub fn status(self) -> StatusCode {
                match self { $(Code::$name => StatusCode::$status,)+ Code::Refused(refusal) => refused(refusal), Code::Denied(it) => denied::status(it) }
            }

            pub fn fault(self) -> Fault {
                match self { $(Code::$name => Fault::$fault,)+ Code::Refused(refusal) => refusal.fault().into(), Code::Denied(it) => denied::fault(it) }
            }

            pub const fn retryable(self) -> bool {
                match self { $(Code::$name => $retryable,)+ Code::Refused(refusal) => refusal.retryable(), Code::Denied(it) => denied::retryable(it) }
            }

            /// For the person who asked: what happened, and what to do next.
            pub const fn sentence(self) -> &'static str {
                match self { $(Code::$name => $sentence,)+ Code::Refused(refusal) => sentence(refusal), Code::Denied(it) => denied::sentence(it) }
            }
        }
    };
}

codes! {
    NotFound, "not_found", NOT_FOUND, Caller, false,
        "There is nothing at this path; /openapi.json lists what there is.";
    MethodNotAllowed, "method_not_allowed", METHOD_NOT_ALLOWED, Caller, false,
        "This path exists, and does not take this method; the header Allow lists those it takes.";
    HostNotAllowed, "host_not_allowed", MISDIRECTED_REQUEST, Caller, false,
        "This gateway serves this machine only: use http://localhost and its port.";
    MediaTypeUnsupported, "media_type_unsupported", UNSUPPORTED_MEDIA_TYPE, Caller, false,
        "This path takes another content type; /openapi.json says which.";
    QueryMalformed, "query_malformed", BAD_REQUEST, Caller, false,
        "The query is not what this path takes; /openapi.json says what it takes.";
    BodyMalformed, "body_malformed", BAD_REQUEST, Caller, false,
        "The body is not what this path takes; the specification says what it takes.";
    BodyTooLarge, "body_too_large", PAYLOAD_TOO_LARGE, Caller, false,
        "The body is larger than this path takes.";
    BodyTooSlow, "body_too_slow", REQUEST_TIMEOUT, Caller, true,
        "The body did not arrive in time; try again over a better connection.";
    PrfSecretSent, "prf_secret_sent", BAD_REQUEST, Caller, false,
        "The request carried the result of a passkey's PRF extension, a secret that must never leave the browser; it was refused. The program that sent it has to take clientExtensionResults.prf.results out.";
    TooManyRequests, "too_many_requests", TOO_MANY_REQUESTS, Caller, true,
        "Too many requests came from this address; wait a moment and try again.";
    Busy, "busy", SERVICE_UNAVAILABLE, Host, true,
        "The server is busy with other requests; wait a moment and try again.";
    EnclaveGone, "enclave_gone", SERVICE_UNAVAILABLE, Host, true,
        "The server has lost its enclave; nothing was opened. Try again, and verify the enclave first: it may be a new one.";
    EnclaveSilent, "enclave_silent", GATEWAY_TIMEOUT, Host, true,
        "The enclave did not answer in time; it may still have done what was asked. Check before asking again.";
    IdentityGone, "identity_gone", SERVICE_UNAVAILABLE, Host, true,
        "The server cannot say who asks just now; nothing was done. Wait a moment and try again.";
    IdentitySilent, "identity_silent", GATEWAY_TIMEOUT, Host, true,
        "The server did not say in time who asks; it may still have done what was asked. Check before asking again.";
    NothingStated, "nothing_stated", NOT_FOUND, Caller, true,
        "This server states nothing about that rotation; it may later.";
    NotRecorded, "not_recorded", NOT_FOUND, Caller, false,
        "This connection is not in the statement: it was recorded later, or never.";
    OtherStatement, "other_statement", CONFLICT, Caller, true,
        "Another statement is the last one: fetch it, and ask for the proof in that.";
    GatewayFailed, "gateway_failed", INTERNAL_SERVER_ERROR, Host, false,
        "The server failed in a way that it did not expect; its log says more under this request id.";
}

impl Code {
    /// The code in words.
    pub fn title(self) -> String {
        let words = self.text().replace('_', " ");
        let mut letters = words.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    /// The policy that forbids what was asked.
    pub fn policy(self) -> Option<String> {
        match self {
            Code::Denied(denied) => denied::policy(denied),
            _ => None,
        }
    }

    pub fn from_text(text: &str) -> Option<Code> {
        Code::all().find(|code| code.text() == text)
    }
}

/// The status of a refusal that could not be sealed.
fn refused(refusal: Refusal) -> StatusCode {
    match (refusal, refusal.fault()) {
        // RFC 9458 §5.2 wants a 4xx for a key that is not known, and 400 for what does not open.
        (Refusal::NotAuthorised | Refusal::SecondFactorNeeded, _) => StatusCode::FORBIDDEN,
        (Refusal::Replayed | Refusal::StaleGeneration | Refusal::CounterGap, _) => StatusCode::CONFLICT,
        (_, wire::refusal::Fault::Caller) => StatusCode::BAD_REQUEST,
        (_, wire::refusal::Fault::Provider) => StatusCode::BAD_GATEWAY,
        (_, wire::refusal::Fault::Host) => StatusCode::SERVICE_UNAVAILABLE,
        (_, wire::refusal::Fault::Enclave) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_code_names_one_problem() {
        let texts: Vec<&str> = Code::all().map(Code::text).collect();
        assert_eq!(texts.iter().collect::<HashSet<_>>().len(), texts.len());
        for code in Code::all() {
            assert_eq!(Code::from_text(code.text()), Some(code));
            assert!(code.status().is_client_error() || code.status().is_server_error());
            assert!(code.sentence().ends_with('.'), "{code:?}");
        }
    }
}
