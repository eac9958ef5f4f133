//! What the browser carries between an owner and a provider: the request that goes out, and the answer that comes back.

use crate::connector::oauth::{ClientKind, OAuth};
use crate::connector::percent;
use crate::hash::sha256;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use wire::Refusal;
use wire::authorisation::MAX_REDIRECT;
use zeroize::Zeroizing;

/// How long an authorisation may take a person.
pub(crate) const PENDING_MS: u64 = 10 * 60_000;

/// The most parameters of an answer: a code, a state and an issuer, and what a provider likes to add.
const MAX_PARAMETERS: usize = 32;

/// What an answer must match.
pub(crate) struct Expected<'e> {
    pub(crate) oauth: &'e OAuth,
    pub(crate) state: &'e str,
}

/// The parameters of an authorisation request (RFC 6749 §4.1.1, RFC 7636 §4.3).
pub(crate) fn parameters(
    oauth: &OAuth,
    client_id: &str,
    redirect: &str,
    state: &str,
    verifier: &[u8],
) -> Vec<(String, String)> {
    let challenge = crate::connector::to_base64url(&sha256(verifier));
    let fixed = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", redirect),
        ("scope", &oauth.scopes.join(&oauth.separator)),
        ("state", state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let mut parameters: Vec<_> =
        fixed.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    parameters.extend(oauth.extra.iter().cloned());
    parameters
}

/// Parameters that go to the push endpoint: the client's id is added there by how it proves itself.
pub(crate) fn pushed(oauth: &OAuth, parameters: Vec<(String, String)>) -> Vec<(String, String)> {
    let is_added = |name: &str| name == "client_id" && oauth.client != ClientKind::Basic;
    parameters.into_iter().filter(|(name, _)| !is_added(name)).collect()
}

/// Where the person goes to.
pub(crate) fn url(oauth: &OAuth, parameters: &[(String, String)]) -> String {
    let mut url = oauth.authorize.clone();
    for (index, (name, value)) in parameters.iter().enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        url.push_str(name);
        url.push('=');
        url.push_str(&percent(value));
    }
    url
}

/// `https`, or `http` on a loopback address with a port (RFC 8252 §7.3): nothing that another machine could listen to
/// in clear. Without a fragment (RFC 6749 §3.1.2).
pub(crate) fn is_redirect(uri: &str) -> bool {
    let loopback = ["http://127.0.0.1:", "http://[::1]:"].iter().find_map(|start| uri.strip_prefix(start));
    let has_port = |rest: &str| {
        let port = rest.split('/').next().unwrap_or_default();
        port.parse::<u16>().is_ok_and(|port| port > 0) && port.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_named = |rest: &str| rest.split('/').next().is_some_and(|host| host.contains('.'));
    let known = loopback.is_some_and(has_port) || uri.strip_prefix("https://").is_some_and(is_named);
    let visible = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'\\' | b'@' | b'?');
    known && uri.len() <= 512 && uri.bytes().all(visible)
}

impl Expected<'_> {
    /// The code in the query of a redirect, if it answers this authorisation and no other.
    ///
    /// In this order: the state, compared in constant time (RFC 6749 §10.12); the issuer, where the answer states one
    /// or always has to (RFC 9207 §2.4); then whether the provider refused.
    pub(crate) fn code(&self, query: &str) -> Result<Zeroizing<String>, Refusal> {
        let mut answer = parse(query)?;
        let mut take = |wanted: &str| {
            let at = answer.iter().position(|(name, _)| name == wanted)?;
            Some(answer.swap_remove(at).1)
        };
        let state = take("state").ok_or(Refusal::AnswerRefused)?;
        verify_slices_are_equal(state.as_bytes(), self.state.as_bytes())
            .map_err(|_| Refusal::AnswerRefused)?;
        self.check_issuer(take("iss").as_deref().map(String::as_str))?;
        match take("error").as_deref().map(String::as_str) {
            Some("access_denied") => Err(Refusal::ConsentDenied),
            Some(_) => Err(Refusal::AuthorisationFailed),
            None => take("code").ok_or(Refusal::AnswerRefused),
        }
    }

    fn check_issuer(&self, stated: Option<&str>) -> Result<(), Refusal> {
        match (stated, self.oauth.issuer.as_deref()) {
            (Some(stated), Some(issuer)) if stated == issuer => Ok(()),
            (None, _) if !self.oauth.states_issuer => Ok(()),
            // Nobody told us which issuer is right: an answer of another cannot be known as such, and state ties it to us.
            (Some(_), None) => Ok(()),
            _ => Err(Refusal::AnswerRefused),
        }
    }
}

/// Names and values of a form-encoded query. Refused: a name that comes twice, a broken escape, more than it may hold.
fn parse(query: &str) -> Result<Vec<(String, Zeroizing<String>)>, Refusal> {
    if query.len() > MAX_REDIRECT {
        return Err(Refusal::Malformed);
    }
    let mut parameters: Vec<(String, Zeroizing<String>)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).ok_or(Refusal::AnswerRefused)?;
        if parameters.len() >= MAX_PARAMETERS || parameters.iter().any(|(known, _)| *known == *name) {
            return Err(Refusal::AnswerRefused);
        }
        parameters.push((name.to_string(), decode(value).ok_or(Refusal::AnswerRefused)?));
    }
    Ok(parameters)
}

/// Percent-decoding, `+` for a space; in one allocation.
fn decode(text: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let (digits, tail) = tail.split_first_chunk::<2>()?;
                rest = tail;
                let digit =
                    |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                digit(digits[0])? << 4 | digit(digits[1])?
            }
            other => other,
        });
    }
    str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests;
