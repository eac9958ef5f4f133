//! Why `identity` does not do what it was asked: a closed set.

use core::fmt::{self, Display, Formatter};

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $sentence:literal;)+) => {
        /// Told to whoever asked. Those about a key are told only to who holds it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal { $($(#[$doc])* $name,)+ }

        impl Refusal {
            pub const ALL: &'static [Refusal] = &[$(Refusal::$name),+];

            /// Stable (docs/spec/identity.md §6).
            pub const fn code(self) -> &'static str { match self { $(Refusal::$name => $code),+ } }

            /// What happened, and what to do next.
            pub const fn sentence(self) -> &'static str { match self { $(Refusal::$name => $sentence),+ } }

            pub fn from_code(code: &str) -> Option<Refusal> {
                Refusal::ALL.iter().copied().find(|refusal| refusal.code() == code)
            }
        }
    };
}

refusals! {
    KeyRevoked = "key_revoked", "This key was revoked, for good; use another one.";
    KeyExpired = "key_expired", "This key is over; use the one that replaced it, or have another made.";
    KeyReplaced = "key_replaced", "This key was replaced before; replace the one that took its place.";
    KeyNotYetValid = "key_not_yet_valid", "This key is for later: it says from when on.";
    NetworkNotAllowed = "network_not_allowed", "This key is not for requests from this address; its `networks` say from where.";
    WrongEnvironment = "wrong_environment", "This key is for the other environment: sandbox or live.";
    ScopeMissing = "scope_missing", "This key lacks the scope that this path asks for; /openapi.json names it.";
    OrganisationForbids = "organisation_forbids", "A policy of your organisation forbids this; the answer names it.";
    PolicyFailed = "policy_failed", "A policy of your organisation could not be evaluated, so nothing is permitted; replace it.";
    PoliciesOutdated = "policies_outdated", "Your organisation's policies do not fit this version of the server, so nothing is permitted; replace them.";
    PoliciesUnfit = "policies_unfit", "These are no policies that only restrict; `tensfer policy check` says why.";
    PoliciesReplaced = "policies_replaced", "Somebody else replaced the policies before; look at theirs, and decide again.";
    RightsExceeded = "rights_exceeded", "A key makes and replaces keys with its own rights or fewer: scopes, environment and networks.";
    KeyNotFound = "key_not_found", "Your organisation has no such key.";
    OrganisationNotFound = "organisation_not_found", "There is no such organisation here; `tensfer organisations list` lists them.";
    KeyTaken = "key_taken", "This public key was registered before, and no key is registered twice; make another pair.";
    KeyInvalid = "key_invalid", "This is no public key of that algorithm.";
    PossessionUnproven = "possession_unproven", "The new key did not sign that it is to be registered here.";
    TooManyKeys = "too_many_keys", "Your organisation has as many keys as it may have; revoked ones count.";
    InvitationRefused = "invitation_refused", "This invitation is unknown, used or over; ask for another.";
    FieldsMalformed = "fields_malformed", "The body's fields are not what this path takes; /openapi.json says what it takes.";
    IdempotencyKeyMalformed = "idempotency_key_malformed", "An `Idempotency-Key` has 1 to 64 of A-Z a-z 0-9 - _, and is covered by the signature.";
    IdempotencyKeyReused = "idempotency_key_reused", "This `Idempotency-Key` was used for another request; choose a new one.";
    PasskeyRefused = "passkey_refused", "The passkey's answer does not count here; begin again, at this deployment's own page.";
    StepUpNeeded = "step_up_needed", "This takes your passkey's word for this very request.";
    PasskeyNotFound = "passkey_not_found", "You have no such passkey.";
    LastPasskey = "last_passkey", "This is your only passkey; add another one before you remove it.";
    TooManyPasskeys = "too_many_passkeys", "You have as many passkeys as you may have; remove one first.";
    RecoveryRefused = "recovery_refused", "This code is unknown or used, or what was begun with it was stopped or is over.";
    RecoveryNotDue = "recovery_not_due", "A recovery waits three days, so that whoever it is about can stop it; come back with this device then.";
    CeremonyOver = "ceremony_over", "What was begun is over, was used, or was begun for another device or purpose; begin again.";
    SessionOver = "session_over", "This device was signed in too long, or did nothing for too long; sign in again.";
    SessionRevoked = "session_revoked", "This device was signed out; sign in again.";
    SessionNotFound = "session_not_found", "You have no such session.";
    TooManySessions = "too_many_sessions", "You are signed in on as many devices as may be at once; sign out on one of them.";
    PeopleOnly = "people_only", "This is asked by a person who is signed in; an API key cannot.";
    ProgramsOnly = "programs_only", "This is asked with an organisation's API key; a session cannot.";
    TooManyOfNetwork = "too_many_of_network", "Too many sign-ins were tried from this network; wait a moment and try again.";
    TooManyOfKey = "too_many_of_key", "This key asked too much in too short a time; wait a moment and try again.";
    /// A gateway brought something that identity did not say.
    TokenRefused = "token_refused", "The server passed on a request that nobody admitted; its log says more.";
    Failed = "identity_failed", "The server could not look into or change what it keeps; try again.";
}

impl Display for Refusal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl core::error::Error for Refusal {}
