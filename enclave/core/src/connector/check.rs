//! What must hold across a whole connector, beyond the form of each field.

use super::api_keys;
use super::expression::{Expression, Function};
use super::model::*;
use super::model_action::deed;
use super::new_key;
use super::oauth;
use super::places::listings;
use super::session;
use super::table::LoadError;

/// Identifiers by which libraries earn a commission on their users' requests. A connector that names one is refused.
const BROKER_MARKS: [&str; 9] = [
    "kc-api-partner",
    "kc-broker",
    "referer",
    "referrer",
    "brokerid",
    "broker-id",
    "x-tkt5px2f",
    "x-xckt",
    "x-cvbprnm9",
];

pub fn check(connector: &Connector) -> Result<(), LoadError> {
    check_identity(connector)?;
    check_sections(connector)?;
    check_rules(connector)?;
    session::check(connector)?;
    if let Some(session) = &connector.session {
        check_listing(connector, &session.listing).map_err(|reason| format!("session: {reason}"))?;
    }
    if let Some(oauth) = &connector.oauth {
        oauth::check(oauth, &connector.sections)?;
    }
    if let Some(new_key) = &connector.new_key {
        if connector.oauth.is_some() {
            return Err("new_key: tokens are used here, and no key is made".to_owned());
        }
        new_key::check(new_key, &connector.sections, &connector.credential)?;
    }
    if let Some(keys) = &connector.api_keys {
        api_keys::check(keys, connector)?;
    }
    for (place, listing) in listings(connector) {
        check_listing(connector, listing).map_err(|reason| format!("{place}: {reason}"))?;
        check_page(connector, listing).map_err(|reason| format!("{place}: {reason}"))?;
    }
    for read in &connector.reads {
        check_history(read)?;
    }
    for (network, chain) in &connector.networks {
        if network.is_empty() || !is_caip2(chain) {
            return Err(format!("networks.{network}: `{chain}` is no CAIP-2 id"));
        }
    }
    for (account, reason) in &connector.unsupported {
        if reason.is_empty() {
            return Err(format!("unsupported.{account}: no reason"));
        }
    }
    let acts = |name| connector.actions.iter().any(|action| Some(action.operation) == deed(name));
    let has = |name| acts(name) || connector.reads(name);
    if let Some((name, reason)) = connector.unoffered.iter().find(|(name, _)| has(name)) {
        return Err(format!("unoffered.{name}: there is one, although \"{reason}\""));
    }
    Ok(())
}

/// A page is asked for by parameters that no signing rule writes over.
fn check_page(connector: &Connector, listing: &Listing) -> Result<(), LoadError> {
    let Some(page) = &listing.page else { return Ok(()) };
    let (param, end) = match &page.steps {
        Steps::Cursor { param, .. } | Steps::Last { param, .. } => (Some(param), None),
        Steps::Number { param, end, .. } => (Some(param), end.as_ref()),
        Steps::Window { .. } => (None, None),
    };
    let call = &listing.call;
    let covers = |rule: &&Rule| {
        rule.sections.contains(&call.section)
            && (rule.methods.is_empty() || rule.methods.contains(&call.method))
            && (rule.paths.is_empty() || rule.paths.iter().any(|glob| glob.matches(&call.path)))
    };
    let sets = |rule: &Rule, name: &String| {
        rule.first.iter().chain(&rule.last).chain(&rule.seal).any(|(known, _)| known == name)
    };
    for name in param.into_iter().chain(end).chain(&page.limit) {
        if connector.rules.iter().filter(covers).any(|rule| sets(rule, name)) {
            return Err(format!("page: a signing rule sets `{name}` itself"));
        }
    }
    Ok(())
}

/// A history says how it goes on, or why it does not.
fn check_history(read: &Read) -> Result<(), LoadError> {
    let is_history = HISTORIES.contains(&read.operation.as_str());
    match (is_history, &read.listing.page, read.unpaged) {
        (true, None, None) => Err(format!("reads.{}: neither `page` nor `unpaged`", read.operation)),
        (_, Some(_), Some(_)) => Err(format!("reads.{}: both `page` and `unpaged`", read.operation)),
        (false, _, Some(_)) => Err(format!("reads.{}: `unpaged`, and no history", read.operation)),
        _ => Ok(()),
    }
}

/// `namespace:reference`, as CAIP-2 writes them.
pub fn is_caip2(chain: &str) -> bool {
    let Some((namespace, reference)) = chain.split_once(':') else { return false };
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let any = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (3..=8).contains(&namespace.len())
        && namespace.bytes().all(lower)
        && (1..=32).contains(&reference.len())
        && reference.bytes().all(any)
}

fn check_identity(connector: &Connector) -> Result<(), LoadError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if connector.id.is_empty() || connector.id.len() > 32 || !connector.id.bytes().all(plain) {
        return Err("id: expected a-z, 0-9, _".to_owned());
    }
    if connector.credential.is_empty() || connector.credential.iter().any(|field| field.kinds.is_empty()) {
        return Err("credential: each field needs a kind".to_owned());
    }
    Ok(())
}

fn check_sections(connector: &Connector) -> Result<(), LoadError> {
    for section in &connector.sections {
        if !is_host(&section.host) {
            return Err(format!("sections.{}.host: not a host name", section.name));
        }
        let prefixes = section.elsewhere.iter().map(|(_, _, prefix)| prefix).chain([&section.prefix]);
        for prefix in prefixes {
            if !prefix.starts_with('/') || !prefix.ends_with('/') || !prefix.is_ascii() {
                return Err(format!(
                    "sections.{}: prefix `{prefix}` must begin and end with a slash",
                    section.name
                ));
            }
        }
    }
    Ok(())
}

/// A DNS name of at least two labels in lower case; no port, no address.
pub fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = host.rsplit('.').next().unwrap_or_default();
    host.len() <= 253
        && host.contains('.')
        && host.split('.').all(label)
        && !top.bytes().all(|byte| byte.is_ascii_digit())
}

fn check_rules(connector: &Connector) -> Result<(), LoadError> {
    for (index, rule) in connector.rules.iter().enumerate() {
        for section in &rule.sections {
            if connector.section(section).is_none() {
                return Err(format!("signing[{index}]: unknown section `{section}`"));
            }
        }
        let headers = rule.headers.iter().chain(&rule.body_headers).map(|(name, _)| name);
        let settings = rule.first.iter().chain(&rule.last).chain(&rule.defaults).chain(&rule.seal);
        for name in headers.chain(settings.map(|(name, _)| name)) {
            if is_broker_mark(name) {
                return Err(format!("signing[{index}]: `{name}` is a broker id"));
            }
        }
    }
    Ok(())
}

pub fn is_broker_mark(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    BROKER_MARKS.iter().any(|mark| name.starts_with(mark))
}

fn check_listing(connector: &Connector, listing: &Listing) -> Result<(), LoadError> {
    if listing.each.as_ref().is_some_and(|each| each.page.is_some()) {
        return Err("each: pages are not followed".to_owned());
    }
    let section = &listing.call.section;
    if connector.section(section).is_none() {
        return Err(format!("unknown section `{section}`"));
    }
    if !connector.rules.iter().any(|rule| rule.sections.contains(section)) {
        return Err(format!("no signing rule for section `{section}`"));
    }
    if let Some((name, _)) = listing.params.iter().find(|(name, _)| is_broker_mark(name)) {
        return Err(format!("`{name}` is a broker id"));
    }
    if let Some(Steps::Last { field, .. }) = listing.page.as_ref().map(|paging| &paging.steps)
        && listing.field(field).is_none()
    {
        return Err(format!("page: no field `{field}`"));
    }
    let mut missing = None;
    for (_, expression) in &listing.fields {
        expression.any(&mut |part| {
            if let Expression::Call(Function::Map, arguments) = part
                && let Some(Expression::Text(table)) = arguments.get(1)
                && connector.table(table).is_none()
            {
                missing = Some(table.clone());
            }
            false
        });
    }
    missing.map_or(Ok(()), |table| Err(format!("unknown table `{table}`")))
}
