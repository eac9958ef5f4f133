//! What came of a question, and by which policies.

use super::PolicyName;

/// A decision. It is `Allowed` only if a policy of the program permits it, none forbids it, and each could be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// By these, which permit it.
    Allowed(Vec<Cause>),
    /// By these, which forbid it; by none where nothing permits it.
    Denied(Vec<Cause>),
    /// A policy could not be evaluated, or the question does not fit the schema. Nothing may be done then: Cedar leaves a
    /// policy that fails out, and it may be the one that forbids.
    Failed(String),
}

/// A policy that decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    pub origin: Origin,
    /// As its `@id` says.
    pub policy: String,
    /// As its `@code` says; of an organisation's policy, `organisation_forbids`.
    pub code: Option<String>,
}

/// Whose policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Part of the program.
    Base,
    /// The organisation's own.
    Organisation,
}

impl Decision {
    pub fn is_allowed(&self) -> bool {
        matches!(self, Decision::Allowed(_))
    }

    /// The name of the first policy that forbids it, which the code is of.
    pub fn forbidden_by(&self) -> Option<PolicyName> {
        match self {
            Decision::Denied(causes) => {
                causes.first().and_then(|cause| PolicyName::new(cause.origin, &cause.policy))
            }
            Decision::Allowed(_) | Decision::Failed(_) => None,
        }
    }

    /// The code of the answer to who is denied: that of the first policy that forbids it.
    pub fn code(&self) -> Option<&str> {
        match self {
            Decision::Allowed(_) => None,
            Decision::Denied(causes) => {
                Some(causes.first().and_then(|cause| cause.code.as_deref()).unwrap_or("nothing_permits"))
            }
            Decision::Failed(_) => Some("policy_failed"),
        }
    }
}

impl Origin {
    pub const fn name(self) -> &'static str {
        match self {
            Origin::Base => "base",
            Origin::Organisation => "organisation",
        }
    }
}
