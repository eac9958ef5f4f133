//! What a login yields: a token that signs in the place of the credential for a while, and that the same login yields again.

use super::model::{Connector, Listing, Rule, Work};
use super::table::LoadError;
use super::template::{Template, Token};

/// The table `session` of a connector.
#[derive(Debug)]
pub struct Session {
    /// The login; its fields are values that it yields, and `expires_in` (seconds) or `expires` (Unix ms) where the answer
    /// says so.
    pub listing: Listing,
    /// Values that the answer tells in a header, with its name.
    pub headers: Vec<(String, String)>,
    /// Values that the answer sets as a cookie (RFC 6265 §4.1), with its name.
    pub cookies: Vec<(String, String)>,
    /// How long its values are used at most.
    pub lifetime_ms: u64,
}

/// The fields of a login that say when it ends, and are no values.
pub const ENDS: [&str; 2] = ["expires_in", "expires"];

impl Session {
    /// Names of what a login yields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let elsewhere = self.headers.iter().chain(&self.cookies).map(|(name, _)| name.as_str());
        let fields = self.listing.fields.iter().map(|(name, _)| name.as_str());
        fields.filter(|name| !ENDS.contains(name)).chain(elsewhere)
    }
}

impl Rule {
    /// Whether requests by this rule carry something of a session.
    pub fn uses_session(&self) -> bool {
        !self.of_session().is_empty()
    }

    /// Names of what requests by this rule carry of a session.
    fn of_session(&self) -> Vec<&str> {
        let headers = self.headers.iter().chain(&self.body_headers).map(|(_, template)| template);
        let templates = headers.chain([&self.target]).chain(&self.body);
        let steps = self.steps.iter().filter_map(|step| message(&step.work));
        templates.chain(steps).flat_map(of_session).collect()
    }
}

/// What a step signs or writes.
fn message(work: &Work) -> Option<&Template> {
    match work {
        Work::Text(message)
        | Work::Hash { message, .. }
        | Work::Hmac { message, .. }
        | Work::Sign { message, .. }
        | Work::Personal { message, .. } => Some(message),
        Work::Json { .. } | Work::Params { .. } | Work::Typed { .. } | Work::Jwt { .. } => None,
    }
}

fn of_session(template: &Template) -> impl Iterator<Item = &str> {
    template.tokens().filter_map(|token| match token {
        Token::Session(name) => Some(name.as_str()),
        _ => None,
    })
}

/// What is used of a session comes from a login, and a login needs none.
pub fn check(connector: &Connector) -> Result<(), LoadError> {
    let mut users = connector.rules.iter().filter(|rule| rule.uses_session());
    let Some(session) = &connector.session else {
        return match users.next() {
            Some(_) => Err("signing: `{session}` without a table `session`".to_owned()),
            None => Ok(()),
        };
    };
    if session.listing.page.is_some() || session.lifetime_ms == 0 {
        return Err("session: expected a lifetime in seconds, and no pages".to_owned());
    }
    check_names(session)?;
    let mut used = false;
    for rule in users {
        used = true;
        if rule.sections.contains(&session.listing.call.section) {
            return Err("session: the login's section has a rule that needs what it yields".to_owned());
        }
        if let Some(name) =
            rule.of_session().into_iter().find(|name| !session.names().any(|known| known == *name))
        {
            return Err(format!("session: the login yields no `{name}`"));
        }
    }
    if used { Ok(()) } else { Err("session: no rule uses what it yields".to_owned()) }
}

fn check_names(session: &Session) -> Result<(), LoadError> {
    let mut known: Vec<&str> = Vec::new();
    for name in session.names() {
        let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !is_plain || known.contains(&name) {
            return Err(format!("session: `{name}` is no name, or comes twice"));
        }
        known.push(name);
    }
    Ok(())
}
