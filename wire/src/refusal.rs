//! Why the enclave did not do what it was asked: a closed set of codes, no free text (an attacker reads them).

use minicbor::{Decode, Encode};

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $code:literal, $fault:ident;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(index_only)]
        pub enum Refusal { $($(#[$doc])* #[n($number)] $name,)+ }

        impl Refusal {
            pub const ALL: &'static [Refusal] = &[$(Refusal::$name),+];

            /// The number on the wire; append-only.
            pub const fn number(self) -> u16 { match self { $(Refusal::$name => $number),+ } }

            /// The stable text code.
            pub const fn code(self) -> &'static str { match self { $(Refusal::$name => $code),+ } }

            /// Whose fault it is.
            pub const fn fault(self) -> Fault { match self { $(Refusal::$name => Fault::$fault),+ } }
        }
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Caller,
    Provider,
    Host,
    Enclave,
}

refusals! {
    Malformed = 1, "malformed", Caller;
    UnknownKey = 2, "unknown_key", Caller;
    /// The seal did not open.
    Unsealable = 3, "unsealable", Caller;
    WrongIdentity = 4, "wrong_identity", Caller;
    Expired = 5, "expired", Caller;
    /// The claimed time and the request's are more than two minutes apart, or the host's clock ran back.
    ClockDisagrees = 6, "clock_disagrees", Host;
    Replayed = 7, "replayed", Caller;
    /// No valid signature by a key of the owner set.
    NotAuthorised = 8, "not_authorised", Caller;
    SecondFactorNeeded = 9, "second_factor_needed", Caller;
    /// A key of the new owner set did not sign.
    PossessionNotProven = 10, "possession_not_proven", Caller;
    /// The envelope does not open with this share, epoch and connection.
    EnvelopeRefused = 11, "envelope_refused", Caller;
    UnknownEpoch = 12, "unknown_epoch", Caller;
    StaleGeneration = 13, "stale_generation", Caller;
    GenerationPending = 14, "generation_pending", Caller;
    Forgotten = 15, "forgotten", Caller;
    UnknownExchange = 16, "unknown_exchange", Caller;
    CredentialMalformed = 17, "credential_malformed", Caller;
    UnknownCurrency = 18, "unknown_currency", Caller;
    NothingToRotate = 19, "nothing_to_rotate", Caller;
    CounterGap = 20, "counter_gap", Caller;
    /// The table of nonces, connections or calls is full.
    Overloaded = 21, "overloaded", Host;
    /// More connections of one exchange key than an enclave start keeps.
    TooManyLinks = 22, "too_many_links", Caller;
    /// More requests for one connection within a few minutes than are remembered of one.
    QuotaReached = 23, "quota_reached", Caller;
    /// The exchange does not offer it, or its connector does not describe it.
    NotOffered = 24, "not_offered", Caller;
    /// The exchange has no name for this chain.
    UnknownNetwork = 25, "unknown_network", Caller;
    /// The exchange has no account of this type, or nothing moves between these two.
    UnknownAccount = 26, "unknown_account", Caller;
    /// No address of that chain: its form or checksum is wrong.
    AddressMalformed = 27, "address_malformed", Caller;
    /// The exchange wants a tag (memo) with addresses of this chain.
    TagNeeded = 28, "tag_needed", Caller;
    /// The chain has no tags.
    TagNotTaken = 29, "tag_not_taken", Caller;
    CredentialRefused = 30, "credential_refused", Provider;
    PermissionMissing = 31, "permission_missing", Provider;
    AddressNotAllowed = 32, "address_not_allowed", Provider;
    ProviderClock = 33, "provider_clock", Provider;
    RateLimited = 34, "rate_limited", Provider;
    RegionBlocked = 35, "region_blocked", Provider;
    Maintenance = 36, "maintenance", Provider;
    ChallengeNeeded = 37, "challenge_needed", Provider;
    ProviderFailed = 38, "provider_failed", Provider;
    /// The provider's certificate was not the provider's: someone answered in its place.
    ProviderUnauthentic = 39, "provider_unauthentic", Host;
    ProviderUnreachable = 40, "provider_unreachable", Host;
    ProviderTimeout = 41, "provider_timeout", Host;
    BelowMinimum = 42, "below_minimum", Caller;
    AboveMaximum = 43, "above_maximum", Caller;
    /// The amount has more digits than the exchange takes. Nothing is rounded silently.
    NotAMultiple = 44, "not_a_multiple", Caller;
    FeeAboveMaximum = 45, "fee_above_maximum", Caller;
    TooLittleReceived = 46, "too_little_received", Caller;
    /// The exchange has closed this network for now.
    NetworkClosed = 47, "network_closed", Provider;
    FundsMissing = 48, "funds_missing", Provider;
    /// The exchange does not send there: unknown to its address book, or refused by it.
    DestinationRefused = 49, "destination_refused", Provider;
    /// The access token is over, or nearly: the owner refreshes first.
    RefreshNeeded = 70, "refresh_needed", Caller;
    /// The provider is being asked for these tokens already.
    RefreshUnderWay = 71, "refresh_under_way", Caller;
    /// What came back on the redirect is no answer to this authorisation: another state or issuer, twice, or too late.
    AnswerRefused = 72, "answer_refused", Caller;
    /// The person at the provider said no.
    ConsentDenied = 73, "consent_denied", Caller;
    /// The provider refused the authorisation that was asked for.
    AuthorisationFailed = 74, "authorisation_failed", Provider;
    /// A new key would have more rights than the one in use, or has: it was not made, or is deleted again.
    RightsWidened = 75, "rights_widened", Provider;
    Internal = 50, "internal", Enclave;
    QuoteExpired = 51, "quote_expired", Caller;
    /// This reference was used before, and the exchange would not tell the two apart.
    ReferenceUsed = 52, "reference_used", Caller;
    /// The instruction sets a bound that the exchange states nothing about.
    TermsUnstated = 53, "terms_unstated", Provider;
    UnknownMarket = 54, "unknown_market", Caller;
    UnknownAsset = 55, "unknown_asset", Caller;
    /// The exchange refused the network for this asset.
    NetworkRefused = 56, "network_refused", Provider;
    /// The exchange keeps these rows by asset or by market, and the query names none.
    QueryIncomplete = 57, "query_incomplete", Caller;
    /// The exchange has no use for what was told of the receiver, or not for one of the answers.
    TravelNotTaken = 58, "travel_not_taken", Caller;
    /// A private key was given where only what is public belongs.
    PrivateKey = 60, "private_key", Caller;
    /// The signature is not by the address's key over the text that was to be signed.
    SignatureRefused = 80, "signature_refused", Caller;
    /// The text that was to be signed is too old.
    ChallengeOver = 81, "challenge_over", Caller;
    /// Whose this address is cannot be shown by one signature: it is of a script, a program or a contract.
    AddressNotProvable = 82, "address_not_provable", Caller;
    /// They are not the words of the wallet.
    WordsDiffer = 83, "words_differ", Caller;
    /// The enclave has no root yet: operators have to provision it.
    NotProvisioned = 90, "not_provisioned", Host;
    /// The register is another than the one that this start of the enclave goes on from, or not all of it.
    RegisterMismatch = 91, "register_mismatch", Host;
    /// No statement of completion holds for this epoch; or connections were recorded in it since.
    NotConcluded = 92, "not_concluded", Host;
    /// Connections are still in the epoch, and not exactly so many were given up.
    AbsenteesRemain = 93, "absentees_remain", Host;
    /// The epoch is current or pending, or an older one goes first.
    EpochInUse = 94, "epoch_in_use", Host;
    /// Not enough witnesses signed what this would change, or none are named and it is dangerous. Nothing was released.
    NoQuorum = 95, "no_quorum", Host;
    /// The host brought an older state than witnesses have signed.
    RolledBack = 96, "rolled_back", Host;
    /// Another start of the enclave has taken over: this one changes nothing any more.
    LineLost = 97, "line_lost", Host;
    /// The envelope is of a consent class that this enclave has no root of: its owner did not let this program open it.
    ClassNotHeld = 100, "class_not_held", Caller;
    /// Only envelopes of class `owner` are handed on, and only by an enclave whose operators approved a manifest.
    NothingToHandOn = 101, "nothing_to_hand_on", Caller;
    /// The other enclave is not of the program that the owner named, or not one that this enclave's operators approved, or
    /// has other roots.
    ProgramRefused = 102, "program_refused", Caller;
    /// What was handed on is not for this enclave, not of this envelope, or not by an enclave with the same roots.
    CapsuleRefused = 103, "capsule_refused", Caller;
    /// The enclave accepts no passkey of this relying party, or not at these origins.
    PasskeyNotServed = 110, "passkey_not_served", Caller;
    /// The grant does not open with this share, is not of this envelope, or a byte of it was altered.
    GrantRefused = 120, "grant_refused", Caller;
    /// The grant was ended, or its time is over; or the connection has gone on to another generation.
    GrantOver = 121, "grant_over", Caller;
    /// The grant was used as often as its owner allowed, in all or for now.
    GrantUsedUp = 122, "grant_used_up", Caller;
    /// The owner did not grant this, or not yet.
    NotGranted = 123, "not_granted", Caller;
    /// As many grants as there may be are in force: one has to be ended first.
    TooManyGrants = 124, "too_many_grants", Caller;
}

impl Refusal {
    pub fn from_number(number: u16) -> Option<Refusal> {
        Refusal::ALL.iter().copied().find(|refusal| refusal.number() == number)
    }

    /// Whether the same request, sealed anew, may succeed later.
    pub const fn retryable(self) -> bool {
        matches!(
            self,
            Refusal::UnknownKey
                | Refusal::WrongIdentity
                | Refusal::Expired
                | Refusal::ClockDisagrees
                | Refusal::Overloaded
                | Refusal::NotProvisioned
                | Refusal::NoQuorum
                | Refusal::LineLost
                | Refusal::QuotaReached
                | Refusal::RefreshUnderWay
                | Refusal::RateLimited
                | Refusal::Maintenance
                | Refusal::ProviderClock
                | Refusal::ProviderFailed
                | Refusal::ProviderUnreachable
                | Refusal::ProviderTimeout
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_codes_name_one_refusal_each() {
        for (i, a) in Refusal::ALL.iter().enumerate() {
            assert_eq!(Refusal::from_number(a.number()), Some(*a));
            for b in &Refusal::ALL[i + 1..] {
                assert_ne!(a.number(), b.number());
                assert_ne!(a.code(), b.code());
            }
        }
    }
}
