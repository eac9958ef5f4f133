//! Why evidence, a reply or a receipt was not accepted: a closed set, each with a stable code and whose fault it is.

use core::fmt;

pub use wire::refusal::Fault;

macro_rules! refused {
    ($($(#[$doc:meta])* $name:ident, $code:literal, $fault:ident, $text:literal;)+) => {
        /// The first check that failed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refused {
            $($(#[$doc])* $name,)+
            /// Valid, but only before: the certificate or document ended so many seconds before the caller's time.
            Expired { seconds: u64 },
            /// Valid, but only from so many seconds after the caller's time.
            NotYetValid { seconds: u64 },
            /// The evidence is fresh (it answers the caller's own nonce), so the caller's clock is off by so many
            /// seconds; positive: it is ahead.
            ClockSkew { seconds: i64 },
        }

        impl Refused {
            /// The stable text code.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Refused::$name => $code,)+
                    Refused::Expired { .. } => "expired",
                    Refused::NotYetValid { .. } => "not_yet_valid",
                    Refused::ClockSkew { .. } => "clock_skew",
                }
            }

            /// Whose fault it is: the caller's policy or clock, or whoever delivered the evidence.
            pub const fn fault(self) -> Fault {
                match self {
                    $(Refused::$name => Fault::$fault,)+
                    Refused::Expired { .. } | Refused::NotYetValid { .. } => Fault::Host,
                    Refused::ClockSkew { .. } => Fault::Caller,
                }
            }

            /// Every code, for documentation and for tests that the vectors reach each.
            pub const CODES: &'static [&'static str] = &[$($code,)+ "expired", "not_yet_valid", "clock_skew"];
        }

        impl fmt::Display for Refused {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Refused::$name => f.write_str($text),)+
                    Refused::Expired { seconds } => write!(f, "the evidence expired {seconds} s ago"),
                    Refused::NotYetValid { seconds } => write!(f, "the evidence is valid only in {seconds} s"),
                    Refused::ClockSkew { seconds: seconds @ 0.. } => {
                        write!(f, "your device clock is {seconds} s ahead")
                    }
                    Refused::ClockSkew { seconds } => {
                        write!(f, "your device clock is {} s behind", seconds.unsigned_abs())
                    }
                }
            }
        }
    };
}

refused! {
    /// No measurement to compare with, or a set without one (m01).
    EmptyPolicy, "empty_policy", Caller, "no expected measurement was given";
    KindNotAllowed, "kind_not_allowed", Caller, "this kind of evidence is not allowed";
    DocumentTooLong, "document_too_long", Host, "the document is longer than any real one";
    /// The COSE or CBOR structure is not the specified one.
    Malformed, "malformed", Host, "the document is malformed";
    /// Not ES384 (m04).
    AlgorithmNotAllowed, "algorithm_not_allowed", Host, "the document is not signed with ES384";
    /// Not raw r ‖ s of 96 bytes (m04).
    SignatureFormat, "signature_format", Host, "the signature is not in the fixed-length form";
    /// The chain does not begin with a root that the caller pinned (m03).
    RootNotPinned, "root_not_pinned", Host, "the certificate chain does not begin at a pinned root";
    /// It is marked as simulated, and the caller did not name this very root.
    SimulatedNotAllowed, "simulated_not_allowed", Caller, "the evidence is simulated, and its root was not allowed";
    SimulationUnmarked, "simulation_unmarked", Host, "a simulation is not marked as one throughout";
    SimulationUnderVendorRoot, "simulation_under_vendor_root", Host,
        "a vendor's chain carries the mark of a simulation";
    CertificateMalformed, "certificate_malformed", Host, "a certificate is malformed";
    CertificateAlgorithm, "certificate_algorithm", Host,
        "a certificate does not use P-384 with ECDSA and SHA-384";
    UnknownCriticalExtension, "unknown_critical_extension", Host,
        "a certificate has a critical extension that is not understood";
    CertificateIssuer, "certificate_issuer", Host, "a certificate names another issuer";
    CertificateSignature, "certificate_signature", Host, "a certificate is not signed by its issuer";
    NotAnAuthority, "not_an_authority", Host, "a certificate in the chain is not an authority";
    PathLength, "path_length", Host, "the chain is longer than an authority allows";
    KeyUsage, "key_usage", Host, "a certificate's key is not for this use";
    LeafIsAnAuthority, "leaf_is_an_authority", Host, "the evidence certificate is an authority";
    /// The evidence certificate lives too long (m16).
    CertificateLifetime, "certificate_lifetime", Host, "a certificate is valid for too long";
    /// The document's signature does not verify (m05).
    SignatureInvalid, "signature_invalid", Host, "the document's signature is not valid";
    /// SEV-SNP: no certificate of the signing key, or not that of its authority.
    CertificateMissing, "certificate_missing", Host, "a certificate that the document needs is missing";
    /// SEV-SNP: the certificate is of another chip, or of another kind of key, than signed.
    ChipMismatch, "chip_mismatch", Host, "the certificate is of another chip";
    /// SEV-SNP: the certificate is for other firmware than the report was made under.
    TcbMismatch, "tcb_mismatch", Host, "the certificate is for another version of the platform's firmware";
    TcbTooOld, "tcb_too_old", Host, "the platform's firmware is older than the caller accepts";
    MigrationAllowed, "migration_allowed", Host,
        "the machine may be moved, with its memory, to another that was not verified";
    PrivilegeLevel, "privilege_level", Host, "another program has more rights in the machine than the one that answers";
    CertificateRevoked, "certificate_revoked", Host, "a certificate was revoked by its issuer";
    /// TDX: nothing was said of the platform.
    CollateralMissing, "collateral_missing", Host, "the vendor's word on the platform is missing";
    CollateralMalformed, "collateral_malformed", Host, "the vendor's word on the platform is malformed";
    CollateralSignature, "collateral_signature", Host, "the vendor's word on the platform is not signed by the vendor";
    /// TDX: the collateral is of other processors or another enclave.
    CollateralMismatch, "collateral_mismatch", Host, "the vendor's word is about another platform";
    /// TDX: the quoting enclave is not the vendor's.
    QuotingEnclave, "quoting_enclave", Host, "the quote was not made by the vendor's quoting enclave";
    /// TDX: up to date, but for what the vendor wants done or the caller has to accept.
    TcbStatus, "tcb_status", Host, "the vendor does not call the platform up to date";
    TimestampOutsideCertificate, "timestamp_outside_certificate", Host,
        "the document was signed outside its certificate's validity";
    /// PCR0 to PCR2 are zero or absent (m02).
    Debug, "debug", Host, "the enclave runs in debug mode";
    MeasurementMismatch, "measurement_mismatch", Host, "the program is not one that was expected";
    /// The inclusion proof does not fit, or the document carries another nonce (m06).
    NonceMismatch, "nonce_mismatch", Host, "the evidence does not answer the caller's nonce";
    BindingMismatch, "binding_mismatch", Host, "the evidence is not about this nonce and identity";
    IdentityMalformed, "identity_malformed", Host, "the identity document is malformed";
    /// The identity says another kind of TEE than the evidence proves.
    IdentityKind, "identity_kind", Host, "the identity names another kind of TEE than the evidence";
    EnvironmentMismatch, "environment_mismatch", Host, "the enclave serves another environment";
    ManifestMismatch, "manifest_mismatch", Host, "the root's manifest is not the expected one";
    RootCommitmentMismatch, "root_commitment_mismatch", Host,
        "the commitment to a root key is not the expected one";
    ConnectorsMismatch, "connectors_mismatch", Host, "the connectors are not the expected ones";
    LogKeyMismatch, "log_key_mismatch", Host, "the transparency log's key is not the expected one";
    VersionTooOld, "version_too_old", Host, "the program is older than the caller accepts";
    /// A release lists the program, and begins later than the caller's time.
    ReleaseNotYetValid, "release_not_yet_valid", Caller, "the program's release is not valid yet";
    ReleaseOver, "release_over", Host, "the program's release is over";
    /// The identity names another version, commit or connectors than the release that lists the program.
    ReleaseMismatch, "release_mismatch", Host, "the program's release describes another build than its enclave says";
    IdentityExpired, "identity_expired", Host, "the identity document is not valid at this time";
    ReceiptKey, "receipt_key", Host, "the receipt key is not an Ed25519 key";
    NoSealingKey, "no_sealing_key", Host, "the identity has no key to seal to";
    /// A verification outlived its freshness (m20).
    VerificationExpired, "verification_expired", Caller, "the enclave has to be verified again";
    ReceiptMalformed, "receipt_malformed", Host, "the receipt is malformed";
    ReceiptSignature, "receipt_signature", Host, "the receipt is not signed by the verified enclave";
    ReceiptMismatch, "receipt_mismatch", Host, "the receipt is about another request or reply";
    ReceiptGap, "receipt_gap", Host, "a receipt is missing";
    ReplyMalformed, "reply_malformed", Host, "the reply is malformed";
}

impl core::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_snake_case() {
        for (at, code) in Refused::CODES.iter().enumerate() {
            assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
            assert!(!Refused::CODES[..at].contains(code), "{code} twice");
        }
    }

    #[test]
    fn m19_clock_skew_names_the_clock_and_its_offset() {
        let ahead = Refused::ClockSkew { seconds: 259_200 };
        assert_eq!(ahead.to_string(), "your device clock is 259200 s ahead");
        assert_eq!(Refused::ClockSkew { seconds: -90 }.to_string(), "your device clock is 90 s behind");
        assert_eq!(ahead.fault(), Fault::Caller);
    }
}
