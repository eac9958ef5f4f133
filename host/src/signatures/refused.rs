//! Why a request does not count as signed: a closed set.

use core::fmt::{self, Display, Formatter};

macro_rules! refusals {
    ($($name:ident = $code:literal, $sentence:literal;)+) => {
        /// Whoever asked may see it: it says what they did, and nothing about keys.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refused { $($name,)+ }

        impl Refused {
            pub const ALL: &'static [Refused] = &[$(Refused::$name),+];

            /// Stable (docs/spec/http-signatures.md §6).
            pub const fn code(self) -> &'static str { match self { $(Refused::$name => $code),+ } }

            const fn sentence(self) -> &'static str { match self { $(Refused::$name => $sentence),+ } }
        }
    };
}

refusals! {
    MethodMalformed = "method_malformed", "the method is not of capital letters";
    TargetMalformed = "target_malformed", "the target is not a path and query in their one spelling";
    AuthorityMalformed = "authority_malformed", "the host is malformed, or named more than once";
    OtherAuthority = "other_authority", "the request is for another host";
    FieldMalformed = "field_malformed", "a signed field has bytes that are not printable ASCII";
    FieldRepeated = "field_repeated", "a signed field occurs more than once";
    ContentEncoded = "content_encoded", "the content is encoded";
    SignatureMissing = "signature_missing", "there is no signature with our tag";
    SignatureMalformed = "signature_malformed", "the fields of the signature are malformed";
    SignatureRepeated = "signature_repeated", "there are several signatures with our tag";
    ComponentUnknown = "component_unknown", "a component is covered that requests do not have, or that is not known";
    ComponentParameters = "component_parameters", "a covered component has parameters";
    ComponentRepeated = "component_repeated", "a component is covered twice";
    ComponentAbsent = "component_absent", "a component is covered that the request does not have";
    NotCovered = "not_covered", "the signature does not cover all that it must";
    ParameterMissing = "parameter_missing", "the signature lacks a parameter";
    ParameterMalformed = "parameter_malformed", "a parameter of the signature is malformed";
    ParameterUnknown = "parameter_unknown", "the signature has a parameter that is not known";
    OtherAlgorithm = "other_algorithm", "the key is of another algorithm";
    LifetimeTooLong = "lifetime_too_long", "the signature holds for too long";
    NotYet = "not_yet", "the signature was made in the future: one of the clocks is wrong";
    Expired = "expired", "the signature holds no longer";
    Starting = "starting", "the signature may have been used before the start: sign again";
    NotSigned = "not_signed", "no known key signed this request";
    Replayed = "replayed", "the nonce was used before";
    TooManyNonces = "too_many_nonces", "this key has signed too much in too short a time";
    BodyUntyped = "body_untyped", "the body has no content type";
    DigestMissing = "digest_missing", "the body has no digest";
    DigestMalformed = "digest_malformed", "the digest of the body is malformed";
    OtherBody = "other_body", "the digest is another body's";
}

impl Display for Refused {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl core::error::Error for Refused {}
