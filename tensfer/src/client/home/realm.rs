//! Simulated and real deployments share no owner secret, key or envelope: each has a realm of its own.

use crate::client::failure::Failure;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of evidence an owner's keys and envelopes belong to. Decided by the verified evidence alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Realm {
    Hardware,
    /// Evidence under a simulation root that the caller named.
    Simulated,
}

impl Realm {
    pub const ALL: [Realm; 2] = [Realm::Hardware, Realm::Simulated];

    /// Also the name of the realm's folder.
    pub const fn name(self) -> &'static str {
        match self {
            Realm::Hardware => "hardware",
            Realm::Simulated => "simulated",
        }
    }

    /// The refusal to use something of one realm in another.
    pub fn mixed(found: Realm, wanted: Realm) -> Failure {
        Failure::refused(
            "realms_mixed",
            format!("you would use {found} keys or envelopes in a {wanted} deployment"),
        )
        .hint("simulated and real deployments share nothing; link the account anew")
    }
}

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
