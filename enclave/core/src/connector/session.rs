//! What a login yields: a token that signs in the place of the credential for a while, and that the same login yields again.

use super::model::{Connector, Listing, Rule, Work};
use super::table::LoadError;
use super::template::{Template, Token};

/// The table `session` of a connector.
#[derive(Debug)]
pub struct Session {
    /// The login; its fields are `token`, and `expires_in` (seconds) or `expires` (Unix ms) where the answer says so.
    pub listing: Listing,
    /// How long a token is used at most.
    pub lifetime_ms: u64,
}

/// The fields that a login's answer may have.
pub const SESSION_FIELDS: [&str; 3] = ["token", "expires_in", "expires"];

impl Rule {
    /// Whether requests by this rule carry the session's token.
    pub fn uses_session(&self) -> bool {
        let in_step = |work: &Work| match work {
            Work::Text(message)
            | Work::Hash { message, .. }
            | Work::Hmac { message, .. }
            | Work::Sign { message, .. }
            | Work::Personal { message, .. } => uses_session(message),
            Work::Json { .. } | Work::Params { .. } | Work::Typed { .. } | Work::Jwt { .. } => false,
        };
        let headers = self.headers.iter().chain(&self.body_headers).map(|(_, template)| template);
        let mut templates = headers.chain([&self.target]).chain(&self.body);
        templates.any(uses_session) || self.steps.iter().any(|step| in_step(&step.work))
    }
}

fn uses_session(template: &Template) -> bool {
    template.tokens().any(|token| *token == Token::Session)
}

/// A token that is used comes from a login, and a login needs none.
pub fn check(connector: &Connector) -> Result<(), LoadError> {
    let mut users = connector.rules.iter().filter(|rule| rule.uses_session());
    let Some(session) = &connector.session else {
        return match users.next() {
            Some(_) => Err("signing: `{session}` without a table `session`".to_owned()),
            None => Ok(()),
        };
    };
    if session.listing.field("token").is_none() || session.listing.page.is_some() {
        return Err("session: expected a field `token`, and no pages".to_owned());
    }
    if session.lifetime_ms == 0 {
        return Err("session.lifetime: expected seconds".to_owned());
    }
    let mut used = false;
    for rule in users {
        used = true;
        if rule.sections.contains(&session.listing.call.section) {
            return Err("session: the login's section has a rule that needs its token".to_owned());
        }
    }
    if used { Ok(()) } else { Err("session: no rule uses its token".to_owned()) }
}
