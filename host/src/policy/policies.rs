//! Policies that apply to an organisation, and the one place where a question is decided.

use super::base::{Base, Failed, ORGANISATION, PolicyText, check, named, texts};
use super::bounds;
use super::decision::{Cause, Decision, Origin};
use super::question::Question;
use cedar_policy::{Authorizer, Effect, PolicyId, PolicySet, Response};
use core::fmt::{self, Display, Formatter};

/// Bytes of an organisation's policies.
pub const LONGEST: usize = 32 << 10;
/// Policies of an organisation.
pub const MOST: usize = 64;

/// The program's policies, and those that an organisation added, each of which forbids something.
#[derive(Clone, Debug)]
pub struct Policies {
    base: &'static Base,
    own: PolicySet,
    all: PolicySet,
}

/// Why a text is no policies of an organisation: for whoever wrote it.
#[derive(Debug)]
pub enum Unfit {
    TooLong,
    TooMany,
    /// Not Cedar's language, without an id, or a template.
    Unreadable(String),
    /// A policy that permits: an organisation cannot give what the program does not.
    Permits(String),
    /// It does not fit the schema: a name that does not exist, or values that are never equal.
    Invalid(String),
}

impl Policies {
    /// Those of the program alone.
    pub fn base(base: &'static Base) -> Policies {
        Policies { base, own: PolicySet::new(), all: base.policies.clone() }
    }

    /// With those of an organisation, whose text this is.
    ///
    /// # Errors
    /// Anything that could do other than restrict.
    pub fn restricted(base: &'static Base, text: &str) -> Result<Policies, Unfit> {
        if text.len() > LONGEST {
            return Err(Unfit::TooLong);
        }
        if text.chars().any(|letter| letter.is_control() && !"\n\r\t".contains(letter)) {
            return Err(Unfit::Unreadable("a control character is no part of any policy".to_owned()));
        }
        bounds::check(text).map_err(|excess| Unfit::Unreadable(excess.to_string()))?;
        let unreadable = |failed: Failed| Unfit::Unreadable(failed.to_string());
        let own = named(text, Origin::Organisation).map_err(unreadable)?;
        if own.num_of_policies() > MOST {
            return Err(Unfit::TooMany);
        }
        if let Some(permit) = own.policies().find(|policy| policy.effect() == Effect::Permit) {
            return Err(Unfit::Permits(permit.annotation("id").unwrap_or_default().to_owned()));
        }
        check(&own, &base.schema).map_err(|failed| Unfit::Invalid(failed.to_string()))?;
        let mut all = base.policies.clone();
        all.merge(&own, false).map_err(|error| Unfit::Unreadable(error.to_string()))?;
        Ok(Policies { base, own, all })
    }

    /// Those of the organisation, by their ids.
    pub fn own(&self) -> Vec<PolicyText> {
        texts(&self.own, Origin::Organisation)
    }

    pub fn decide(&self, question: &Question<'_>) -> Decision {
        let policies = if question.action.is_the_programs() { &self.base.policies } else { &self.all };
        match question.put(&self.base.schema) {
            Ok((request, entities)) => {
                decision(&Authorizer::new().is_authorized(&request, policies, &entities), policies)
            }
            Err(failed) => Decision::Failed(failed.to_string()),
        }
    }
}

fn decision(response: &Response, policies: &PolicySet) -> Decision {
    let failed: Vec<String> = response.diagnostics().errors().map(ToString::to_string).collect();
    if !failed.is_empty() {
        return Decision::Failed(failed.join("; "));
    }
    let mut causes: Vec<Cause> =
        response.diagnostics().reason().map(|id| cause(id, policies.annotation(id, "code"))).collect();
    causes.sort();
    match response.decision() {
        cedar_policy::Decision::Allow => Decision::Allowed(causes),
        cedar_policy::Decision::Deny => Decision::Denied(causes),
    }
}

fn cause(id: &PolicyId, code: Option<&str>) -> Cause {
    let id = id.to_string();
    match id.strip_prefix(ORGANISATION) {
        Some(own) => {
            let code = Some("organisation_forbids".to_owned());
            Cause { origin: Origin::Organisation, policy: own.to_owned(), code }
        }
        None => Cause { origin: Origin::Base, policy: id, code: code.map(str::to_owned) },
    }
}

impl Display for Unfit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::TooLong => write!(f, "the policies are longer than {LONGEST} bytes"),
            Unfit::TooMany => write!(f, "there are more than {MOST} policies"),
            Unfit::Unreadable(why) | Unfit::Invalid(why) => f.write_str(why),
            Unfit::Permits(id) => write!(f, "{id} permits: an organisation's policies can only forbid"),
        }
    }
}

impl core::error::Error for Unfit {}
