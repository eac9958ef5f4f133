//! The program's own policies, and how policies are read.

use super::decision::Origin;
use super::name::is_id;
use aws_lc_rs::digest::{SHA256, digest};
use cedar_policy::{PolicyId, PolicySet, Schema, ValidationMode, Validator};
use core::fmt::{self, Display, Formatter};
use std::sync::OnceLock;

const SCHEMA: &str = include_str!("base.cedarschema");
const POLICIES: &str = include_str!("base.cedar");

/// Schema and policies of the program, read once.
#[derive(Debug)]
pub struct Base {
    pub(super) schema: Schema,
    pub(super) policies: PolicySet,
    version: String,
}

/// A policy as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyText {
    pub origin: Origin,
    pub id: String,
    pub text: String,
}

/// Why something of a policy or question could not be read or evaluated.
#[derive(Debug)]
pub struct Failed(String);

impl Failed {
    pub(super) fn because(error: impl Display) -> Failed {
        Failed(error.to_string())
    }
}

impl Display for Failed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Failed {}

impl Base {
    /// The one that this program has.
    ///
    /// # Errors
    /// The texts in the program do not fit each other; a test keeps that from being built.
    pub fn get() -> Result<&'static Base, &'static Failed> {
        static BASE: OnceLock<Result<Base, Failed>> = OnceLock::new();
        BASE.get_or_init(Base::read).as_ref()
    }

    fn read() -> Result<Base, Failed> {
        let (schema, warnings) = Schema::from_cedarschema_str(SCHEMA).map_err(Failed::because)?;
        if let Some(warning) = warnings.into_iter().next() {
            return Err(Failed::because(warning));
        }
        let policies = named(POLICIES, Origin::Base)?;
        check(&policies, &schema)?;
        let hash = digest(&SHA256, [SCHEMA, "\0", POLICIES].concat().as_bytes());
        let version = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(Base { schema, policies, version })
    }

    /// The first 8 bytes of the SHA-256 of schema and policies, as hex.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The schema in Cedar's own language.
    pub fn schema_text(&self) -> &'static str {
        SCHEMA
    }

    /// The policies in Cedar's own language.
    pub fn policies_text(&self) -> &'static str {
        POLICIES
    }

    /// Every policy, by its id.
    pub fn policies(&self) -> Vec<PolicyText> {
        texts(&self.policies, Origin::Base)
    }
}

/// Before the id of an organisation's policy, so that none is taken for one of the program's: no id has a slash.
pub(super) const ORGANISATION: &str = "organisation/";

/// Policies by their `@id`: 1 to 64 of `a-z 0-9 -`, each once.
pub(super) fn named(text: &str, origin: Origin) -> Result<PolicySet, Failed> {
    let read: PolicySet = text.parse().map_err(Failed::because)?;
    if read.num_of_templates() > 0 {
        return Err(Failed::because("a template decides nothing: write ids in place of its slots"));
    }
    let mut named = PolicySet::new();
    for policy in read.policies() {
        let id = policy.annotation("id").filter(|id| is_id(id));
        let id = id.ok_or_else(|| {
            Failed::because(format_args!("a policy has no @id of 1 to 64 of a-z 0-9 -:\n{policy}"))
        })?;
        let prefix = if origin == Origin::Organisation { ORGANISATION } else { "" };
        let policy = policy.new_id(PolicyId::new(format!("{prefix}{id}")));
        named.add(policy).map_err(|_| Failed::because(format_args!("the @id {id} is there twice")))?;
    }
    Ok(named)
}

/// Checks policies against the schema: what passes fails only where numbers do not fit, or something is nested too deep.
pub(super) fn check(policies: &PolicySet, schema: &Schema) -> Result<(), Failed> {
    let checked = Validator::new(schema.clone()).validate(policies, ValidationMode::Strict);
    if checked.validation_passed() { Ok(()) } else { Err(Failed::because(checked)) }
}

pub(super) fn texts(policies: &PolicySet, origin: Origin) -> Vec<PolicyText> {
    let text = |policy: &cedar_policy::Policy| PolicyText {
        origin,
        id: policy.annotation("id").unwrap_or_default().to_owned(),
        text: policy.to_string(),
    };
    policies.policies().map(text).collect()
}
