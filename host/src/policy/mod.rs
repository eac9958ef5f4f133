//! Who may do what: one engine (Cedar), asked at the gateway and again in each service.
//!
//! The base policies are part of the program: default deny, checked against the schema. An organisation adds policies of
//! its own, which can only restrict ([`Policies::restricted`]). A [`Decision`] names the policies that made it (docs/spec/policy.md).

mod base;
mod bounds;
mod decision;
mod name;
mod policies;
mod question;
#[cfg(test)]
mod tests;

pub use base::{Base, Failed, PolicyText};
pub use decision::{Cause, Decision, Origin};
pub use name::PolicyName;
pub use policies::{LONGEST, MOST, Policies, Unfit};
pub use question::{Action, Principal, Question, Resource};
