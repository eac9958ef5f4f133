//! What identity does not admit or do, as a problem.

use super::Fault;
use crate::identity::{Denied, Refusal};
use crate::signatures::Refused;
use axum::http::StatusCode;

/// Those of the enclave's refusals that have the same name mean something else.
pub const fn text(denied: Denied) -> &'static str {
    match denied {
        Denied::Unsigned(Refused::Expired) => "signature_expired",
        Denied::Unsigned(Refused::NotYet) => "signature_not_yet",
        Denied::Unsigned(Refused::Replayed) => "signature_replayed",
        Denied::Unsigned(Refused::Starting) => "signature_starting",
        Denied::Unsigned(refused) => refused.code(),
        Denied::Refused(refusal) | Denied::Forbidden(refusal, _) => refusal.code(),
    }
}

pub fn status(denied: Denied) -> StatusCode {
    match denied {
        Denied::Unsigned(refused) => unsigned(refused),
        Denied::Refused(refusal) | Denied::Forbidden(refusal, _) => match refusal {
            Refusal::KeyRevoked
            | Refusal::KeyExpired
            | Refusal::KeyNotYetValid
            | Refusal::SessionOver
            | Refusal::SessionRevoked => StatusCode::UNAUTHORIZED,
            Refusal::NetworkNotAllowed
            | Refusal::WrongEnvironment
            | Refusal::ScopeMissing
            | Refusal::RightsExceeded
            | Refusal::OrganisationForbids
            | Refusal::PolicyFailed
            | Refusal::PoliciesOutdated
            | Refusal::InvitationRefused
            | Refusal::PasskeyRefused
            | Refusal::StepUpNeeded
            | Refusal::RecoveryRefused
            | Refusal::RecoveryNotDue
            | Refusal::CeremonyOver
            | Refusal::PeopleOnly
            | Refusal::ProgramsOnly => StatusCode::FORBIDDEN,
            Refusal::KeyNotFound
            | Refusal::OrganisationNotFound
            | Refusal::SessionNotFound
            | Refusal::PasskeyNotFound => StatusCode::NOT_FOUND,
            Refusal::KeyReplaced
            | Refusal::KeyTaken
            | Refusal::TooManyKeys
            | Refusal::PoliciesReplaced
            | Refusal::TooManySessions
            | Refusal::TooManyPasskeys
            | Refusal::LastPasskey => StatusCode::CONFLICT,
            Refusal::KeyInvalid
            | Refusal::PossessionUnproven
            | Refusal::FieldsMalformed
            | Refusal::PoliciesUnfit
            | Refusal::IdempotencyKeyMalformed => StatusCode::BAD_REQUEST,
            Refusal::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::TooManyOfKey | Refusal::TooManyOfNetwork => StatusCode::TOO_MANY_REQUESTS,
            Refusal::TokenRefused => StatusCode::INTERNAL_SERVER_ERROR,
            Refusal::Failed => StatusCode::SERVICE_UNAVAILABLE,
        },
    }
}

fn unsigned(refused: Refused) -> StatusCode {
    match refused {
        Refused::MethodMalformed
        | Refused::TargetMalformed
        | Refused::AuthorityMalformed
        | Refused::ContentEncoded
        | Refused::BodyUntyped
        | Refused::DigestMissing
        | Refused::DigestMalformed
        | Refused::OtherBody => StatusCode::BAD_REQUEST,
        Refused::OtherAuthority => StatusCode::MISDIRECTED_REQUEST,
        Refused::TooManyNonces => StatusCode::TOO_MANY_REQUESTS,
        Refused::Starting => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNAUTHORIZED,
    }
}

pub const fn fault(denied: Denied) -> Fault {
    match denied {
        Denied::Unsigned(Refused::Starting) | Denied::Refused(Refusal::TokenRefused | Refusal::Failed) => {
            Fault::Host
        }
        _ => Fault::Caller,
    }
}

pub const fn retryable(denied: Denied) -> bool {
    matches!(
        denied,
        Denied::Unsigned(
            Refused::Starting
                | Refused::TooManyNonces
                | Refused::Expired
                | Refused::NotYet
                | Refused::Replayed
        ) | Denied::Refused(Refusal::TooManyOfKey | Refusal::TooManyOfNetwork | Refusal::Failed)
    )
}

/// The policy that forbids it.
pub fn policy(denied: Denied) -> Option<String> {
    match denied {
        Denied::Forbidden(_, policy) => Some(policy.to_string()),
        Denied::Unsigned(_) | Denied::Refused(_) => None,
    }
}

pub const fn sentence(denied: Denied) -> &'static str {
    match denied {
        Denied::Refused(refusal) | Denied::Forbidden(refusal, _) => refusal.sentence(),
        Denied::Unsigned(refused) => match refused {
            Refused::SignatureMissing => {
                "This path takes signed requests alone; `tensfer request` signs any."
            }
            Refused::NotSigned => {
                "No key that is known here signed this request; check the key's id, the key, and what was signed."
            }
            Refused::Expired | Refused::NotYet => {
                "The signature is of another time; check this machine's clock, and sign the request anew."
            }
            Refused::Starting => {
                "The server has just started and takes no signature from before; sign the request anew."
            }
            Refused::Replayed => "This signature was used before; sign the request anew.",
            Refused::TooManyNonces => {
                "This key signed too much in too short a time; wait a moment and try again."
            }
            Refused::OtherAuthority => "The request was signed for another host than this one.",
            Refused::BodyUntyped | Refused::DigestMissing | Refused::DigestMalformed | Refused::OtherBody => {
                "The body is not the one that was signed, or lacks its type or digest; sign it as it is sent."
            }
            _ => {
                "The request or its signature is not of the form that is taken here; docs/spec/http-signatures.md has it."
            }
        },
    }
}
