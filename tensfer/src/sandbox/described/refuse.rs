//! How a described exchange says no: the codes and words of its file, in the places where its file reads them.

use super::super::refusal::Refusal;
use super::super::reply::Reply;
use super::document::{add, whole};
use super::evaluate::Scope;
use super::file::File;
use super::json::Json;
use super::solve::{Draft, Want, solve};

/// The exchange's answer to a call that it refuses.
pub fn refuse(file: &File, refusal: Refusal) -> Reply {
    let (kind, status) = kind(refusal);
    // What says that the key itself is not there, where the file knows a word for that and nothing else.
    let of_key = matches!(refusal, Refusal::UnknownKey).then(|| body(file, "gone", status)).flatten();
    let body = of_key.or_else(|| body(file, kind, status)).unwrap_or(Json::Map(Vec::new()));
    let reply = reply(status, &body);
    match refusal {
        Refusal::RateLimited { retry_after } => reply.with("retry-after", retry_after),
        _ => reply,
    }
}

/// A refusal by one of the exchange's own codes.
pub fn refuse_with(file: &File, code: &str) -> Reply {
    const STATUS: u16 = 400;
    let said = [&file.errors.code, &file.errors.message].into_iter().flatten();
    let body = said.filter_map(|place| {
        let mut root = Json::Null;
        let goals = [(place, Want::Text(code.to_owned()))];
        let draft = solve(&Draft::default(), &goals, Scope { file, arguments: &[] })?;
        add(&mut root, &[], &draft).map(|()| root)
    });
    reply(STATUS, &body.into_iter().next().unwrap_or(Json::Map(Vec::new())))
}

/// A JSON answer.
pub fn reply(status: u16, body: &Json) -> Reply {
    let headers = vec![("content-type".into(), "application/json".to_owned())];
    Reply { status, headers, body: body.write().into_bytes() }
}

/// The kind of fault (`docs/spec/connector.md`) that a refusal is, and its status.
fn kind(refusal: Refusal) -> (&'static str, u16) {
    match refusal {
        Refusal::Missing(_) | Refusal::UnknownKey | Refusal::BadPassphrase | Refusal::BadSignature => {
            ("credential", 401)
        }
        Refusal::BadTimestamp { .. } | Refusal::BadNonce => ("clock", 400),
        Refusal::NotPermitted => ("permission", 403),
        Refusal::IpNotAllowed => ("ip", 403),
        Refusal::RateLimited { .. } => ("rate_limit", 429),
        Refusal::Maintenance => ("maintenance", 503),
        Refusal::Failing { status } => ("maintenance", status),
        Refusal::UnknownEndpoint => ("unknown", 404),
        Refusal::BadParameter(_) => ("unknown", 400),
        Refusal::InsufficientFunds => ("funds", 400),
    }
}

/// The body by which the file recognises the kind.
fn body(file: &File, kind: &str, status: u16) -> Option<Json> {
    let scope = Scope { file, arguments: &[] };
    let texts = |table: &[(String, Vec<String>)]| {
        let of_kind = table.iter().find(|(known, _)| known == kind);
        of_kind.map(|(_, texts)| texts.clone()).unwrap_or_default()
    };
    let (exact, contains) = (texts(&file.errors.exact), texts(&file.errors.contains));
    let places = [&file.errors.code, &file.errors.message];
    for text in exact.iter().chain(&contains) {
        for place in places.into_iter().flatten() {
            // The exchange's words beside its code, where both have a place.
            let said = format!("sandbox: {kind}");
            let message = file.errors.message.iter().filter(|message| *message != place);
            let mut goals = vec![(place, Want::Text(text.clone()))];
            goals.extend(message.map(|message| (message, Want::Text(said.clone()))));
            for goals in [goals.as_slice(), &goals[..1]] {
                let mut root = Json::Null;
                if let Some(draft) = solve(&Draft::default(), goals, scope)
                    && add(&mut root, &[], &draft).is_some()
                    && understood(file, status, &root) == kind
                {
                    return Some(root);
                }
            }
        }
    }
    // Where the file knows no words for it, the status tells.
    None
}

/// The kind of fault that an answer is read as; `success` where it is none.
pub fn understood(file: &File, status: u16, root: &Json) -> String {
    let scope = Scope { file, arguments: &[] };
    let text = |place: &Option<super::expression::Expression>| {
        place.as_ref().and_then(|expression| whole(root, expression, scope).text())
    };
    let (code, message) = (text(&file.errors.code), text(&file.errors.message));
    let denied = code.as_ref().is_some_and(|code| !file.errors.success.contains(code));
    if (200..300).contains(&status) && !denied {
        return "success".to_owned();
    }
    let said = [&code, &message];
    let is = |known: &String| said.into_iter().flatten().any(|text| text == known);
    let has = |known: &String| said.into_iter().flatten().any(|text| text.contains(known.as_str()));
    let exact = file.errors.exact.iter().find(|(_, texts)| texts.iter().any(is));
    let found = exact.or_else(|| file.errors.contains.iter().find(|(_, texts)| texts.iter().any(has)));
    let of_status = match status {
        401 => "credential",
        403 => "permission",
        418 | 429 => "rate_limit",
        451 => "region",
        408 | 500..=599 => "maintenance",
        _ => "unknown",
    };
    found.map_or(of_status, |(kind, _)| kind).to_owned()
}

/// Adds what says that a call succeeded, where the exchange says so.
pub fn succeed(file: &File, root: &mut Json) {
    let scope = Scope { file, arguments: &[] };
    let (Some(code), Some(success)) = (&file.errors.code, file.errors.success.first()) else { return };
    if matches!(root, Json::Map(_) | Json::Null)
        && whole(root, code, scope).text().is_none()
        && let Some(draft) = solve(&Draft::default(), &[(code, Want::Text(success.clone()))], scope)
    {
        let _ = add(root, &[], &draft);
    }
}
