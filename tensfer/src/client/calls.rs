//! Calls of the server's API that are signed with an API key (docs/spec/http-signatures.md).

use crate::client::clock;
use crate::client::failure::{Failure, Fault, Result};
use crate::client::gateway::Gateway;
use crate::client::gateway::called::Answer;
use crate::client::home::api_keys::ApiKey;
use crate::client::terminal::{printable, say};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use host::gateway::problem::Code;
use host::policy::PolicyName;
use host::signatures::{Request, Scheme, Signer, Stamp, sign};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

const JSON: &str = "application/json";
/// How long a signature holds, in seconds.
const HOLDS: u64 = 60;
/// A server takes no signature from before its start, and asks for another: so often, with a pause before each.
const AGAIN: usize = 12;
const PAUSE: Duration = Duration::from_secs(1);

/// A call, not yet signed.
#[derive(Clone, Debug)]
pub struct Call<'c> {
    pub method: &'c str,
    /// Path and query.
    pub target: &'c str,
    /// Besides those about the body; all are signed.
    pub fields: Vec<(String, String)>,
    /// Of the media type that the fields name, else JSON.
    pub body: &'c [u8],
}

impl Call<'_> {
    pub fn get(target: &str) -> Call<'_> {
        Call { method: "GET", target, fields: Vec::new(), body: &[] }
    }

    /// Signs and sends it, again while the server has only just started.
    pub fn send(&self, gateway: &Gateway, key: &ApiKey) -> Result<Answer> {
        let mut attempts = 0;
        loop {
            let answer = gateway.call(self.method, self.target, &self.signed(gateway, key)?, self.body)?;
            if code_of(&answer) != "signature_starting" || attempts == AGAIN {
                return Ok(answer);
            }
            if attempts == 0 {
                say(
                    "The server has just started, and takes no signature of its first seconds: signing again.",
                );
            }
            attempts += 1;
            std::thread::sleep(PAUSE);
        }
    }

    /// As [`Call::send`]; anything but success is a failure.
    pub fn ask<T: DeserializeOwned>(&self, gateway: &Gateway, key: &ApiKey) -> Result<T> {
        let answer = self.send(gateway, key)?;
        if !(200..300).contains(&answer.status) {
            return Err(failure(&answer));
        }
        serde_json::from_slice(&answer.body).map_err(|_| {
            Failure::host(
                "not_tensfer",
                format!("the server at {} answered with something else", gateway.base()),
            )
        })
    }

    /// All fields to be sent.
    fn signed(&self, gateway: &Gateway, key: &ApiKey) -> Result<Vec<(String, String)>> {
        let mut fields = self.fields.clone();
        let is_typed = fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !self.body.is_empty() && !is_typed {
            fields.push(("content-type".to_owned(), JSON.to_owned()));
        }
        let scheme = if gateway.is_https() { Scheme::Https } else { Scheme::Http };
        let borrowed = fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let request = Request::new(scheme, self.method, gateway.authority(), self.target, borrowed)
            .map_err(|refused| Failure::usage(format!("this request cannot be signed: {refused}")))?;
        let of_body = |name: &str| name == "content-type" || name == "content-digest";
        let names: Vec<String> = fields.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        let also: Vec<&str> = names.iter().map(String::as_str).filter(|name| !of_body(name)).collect();
        let (nonce, keyid) = (nonce()?, key.id());
        let stamp = Stamp { created: clock::now(), lifetime: HOLDS, nonce: &nonce };
        let added = sign(&request, self.body, &also, Signer { key: &key.signing, keyid: &keyid }, stamp)
            .map_err(|unsigned| Failure::usage(unsigned.to_string()))?;
        fields.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Ok(fields)
    }
}

/// 128 random bits, as text.
pub fn nonce() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Failure::internal("this machine has no randomness"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The code of a problem, or nothing.
fn code_of(answer: &Answer) -> String {
    let problem: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let code = problem.as_ref().and_then(|problem| problem.get("code")?.as_str().map(str::to_owned));
    code.filter(|_| answer.status >= 400).unwrap_or_default()
}

/// The policy that a problem names.
fn policy_of(answer: &Answer) -> Option<PolicyName> {
    let problem: Value = serde_json::from_slice(&answer.body).ok()?;
    PolicyName::parse(problem.get("policy")?.as_str()?)
}

/// What a problem says, for a person. It is the server's word.
pub fn failure(answer: &Answer) -> Failure {
    let code = Code::from_text(&code_of(answer));
    let fault = fault_of(answer.status);
    let (text, sentence) = match code {
        Some(code) => (code.text(), code.sentence().to_owned()),
        None => ("server_refused", format!("HTTP {}", answer.status)),
    };
    let id = answer.headers.iter().find(|(name, _)| name == "x-request-id");
    let id = id.map(|(_, id)| format!(", request {}", printable(id))).unwrap_or_default();
    let by = policy_of(answer).map(|policy| format!(" by {policy}")).unwrap_or_default();
    let failure = Failure::new(fault, text, format!("the server refused the request ({text}{by}{id})"));
    failure.hint(sentence).retryable(code.is_some_and(Code::retryable))
}

/// Whose fault an answer is that is no success.
pub fn fault_of(status: u16) -> Fault {
    if status >= 500 { Fault::Host } else { Fault::Refused }
}
