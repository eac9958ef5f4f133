//! What an account was linked over: the real exchanges or made-up ones. Its envelope goes to no other.

use crate::client::failure::Failure;
use serde::{Deserialize, Serialize};
use std::fmt;
use verify::Reaches;
use wire::identity;

/// Which exchanges an enclave reaches. Decided by the verified identity alone. Sandboxes are one: each start of one has
/// another hash, and no account in them is anybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// The real exchanges.
    Live,
    /// Made-up exchanges and money.
    Sandbox,
}

impl Environment {
    pub const fn of(identity: &identity::Identity) -> Environment {
        match identity.environment {
            identity::Environment::Live => Environment::Live,
            identity::Environment::Sandbox(_) => Environment::Sandbox,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Environment::Live => "live",
            Environment::Sandbox => "sandbox",
        }
    }

    /// What a verifier demands of an enclave of this environment.
    pub const fn demand(self) -> Reaches {
        match self {
            Environment::Live => Reaches::Live,
            Environment::Sandbox => Reaches::AnySandbox,
        }
    }

    /// The refusal to send what was linked in one to an enclave of another.
    pub fn mixed(linked: Environment, found: Environment, name: &str) -> Failure {
        Failure::refused(
            "environments_mixed",
            format!(
                "you linked `{name}` over {linked} exchanges, and this server's enclave reaches {found} ones"
            ),
        )
        .hint("name the server that it was linked at with `--server URL`, or link the account anew here")
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
