//! The server's HTTP API, as far as a client needs it. Nothing that it answers is believed before it is verified.

pub mod authority;
pub mod called;
pub mod kept;
mod resolver;

use crate::client::calls::{Call, failure};
use crate::client::failure::{Failure, Result};
use crate::client::terminal::printable;
use called::Answer;
use kept::Kept;
use resolver::Once;
use rustls::crypto::CryptoProvider;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;
use wire::Refusal;

/// No answer is larger: an encapsulated reply and its HTTP framing.
const MAX_ANSWER: u64 = verify::ohttp::MAX_BYTES as u64;
const MAX_PROBLEM: usize = 16 << 10;
const CBOR: &str = "application/cbor";
/// Of each connection and direction: most requests and answers fit.
const BUFFER: usize = 16 << 10;
const CONNECT: Duration = Duration::from_secs(10);
/// Longer than the enclave gives a provider, so that its own refusal arrives first.
const ANSWER: Duration = Duration::from_secs(90);

#[derive(Clone, Debug)]
pub struct Gateway {
    /// Without a slash at its end.
    base: String,
    agent: Agent,
    /// Signs what leaves, if one was named.
    key: Option<Arc<Kept>>,
}

/// What is published about rotations.
#[derive(Clone, Copy, Debug)]
pub enum Stated {
    Completion,
    Destruction(u32),
    /// Of the connection with this blinded name, in the statement of this register and chapter.
    Proof {
        name: [u8; 32],
        register: [u8; 16],
        chapter: u32,
    },
}

/// Why a server published nothing, by its own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unstated {
    Nothing,
    NotRecorded,
    /// Another statement took its place meanwhile.
    OtherStatement,
}

/// RFC 9457 problem details, as far as they are used.
#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    retryable: bool,
    #[serde(default)]
    request_id: String,
}

impl Gateway {
    /// `https`, or plain `http` to this machine alone: names and sizes of requests are nobody else's business.
    pub fn new(url: &str, dangerous_plain_http: bool) -> Result<Gateway> {
        Gateway::under(RootCerts::WebPki, url, dangerous_plain_http)
    }

    /// As [`Gateway::new`], with these authorities instead of the public ones.
    pub fn under(roots: RootCerts, url: &str, dangerous_plain_http: bool) -> Result<Gateway> {
        let wrong = || {
            Failure::usage(format!("`{}` is not the address of a server", printable(url)))
                .hint("write it as `https://HOST` or `http://localhost:8080`")
        };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        if uri.path() != "/" || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(wrong());
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback(authority.host()) || dangerous_plain_http => {}
            Some("http") => {
                return Err(Failure::usage("you would use plain HTTP to another machine")
                    .hint("use `https://`, or say `--dangerous-plain-http` where only a test is at stake"));
            }
            _ => return Err(wrong()),
        }
        let base = format!("{}://{authority}", uri.scheme_str().unwrap_or("https"));
        Ok(Gateway { base, agent: agent(roots), key: None })
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// Signs every request with this key, which is registered at this server.
    pub fn signed_by(mut self, key: Kept) -> Gateway {
        self.key = Some(Arc::new(key));
        self
    }

    /// Evidence that contains the nonce, in canonical CBOR.
    pub fn attestation(&self, nonce: &[u8; 32]) -> Result<Vec<u8>> {
        let target = format!("/v1/attestation?nonce={}", crate::client::encode::hex(nonce));
        self.read(self.fetch(&target, CBOR)?, CBOR)
    }

    /// Passes an encapsulated request on and gives the encapsulated reply.
    pub fn request(&self, sealed: &[u8]) -> Result<Vec<u8>> {
        let answer = self.pass("/v1/requests", "message/ohttp-req", sealed)?;
        self.read(answer, "message/ohttp-res")
    }

    /// Passes a batch of envelopes on and gives what became of them; nobody has to be verified for that: nothing secret is
    /// in it, and what comes back opens with its owner's share or not at all.
    pub fn rewrap(&self, batch: &[u8]) -> Result<Vec<u8>> {
        let answer = self.pass("/v1/envelopes/rewrap", CBOR, batch)?;
        self.read(answer, CBOR)
    }

    /// The last statement of completion, or of an epoch's destruction: bytes that anybody may have put there.
    pub fn stated(&self, what: Stated) -> Result<std::result::Result<Vec<u8>, Unstated>> {
        let path = match what {
            Stated::Completion => "completion".to_owned(),
            Stated::Destruction(epoch) => format!("destructions/{epoch}"),
            Stated::Proof { name, register, chapter } => format!(
                "proofs/{}?register={}&chapter={chapter}",
                crate::client::encode::hex(&name),
                crate::client::encode::hex(&register)
            ),
        };
        let answer = self.fetch(&format!("/v1/rotation/{path}"), CBOR)?;
        let mut said = String::new();
        match self.read_told(answer, CBOR, &mut said) {
            Ok(bytes) => Ok(Ok(bytes)),
            Err(failure) => match said.as_str() {
                "nothing_stated" => Ok(Err(Unstated::Nothing)),
                "not_recorded" => Ok(Err(Unstated::NotRecorded)),
                "other_statement" => Ok(Err(Unstated::OtherStatement)),
                _ => Err(failure),
            },
        }
    }

    fn fetch(&self, target: &str, media: &str) -> Result<Answer> {
        self.send(&Call { method: "GET", target, fields: field("accept", media), body: &[] })
    }

    fn pass(&self, target: &str, media: &str, body: &[u8]) -> Result<Answer> {
        self.send(&Call { method: "POST", target, fields: field("content-type", media), body })
    }

    fn send(&self, call: &Call<'_>) -> Result<Answer> {
        match &self.key {
            // What is sent again, where the server has only just started, is the same sealed bytes: the enclave takes them once.
            Some(kept) => call.send(self, kept.key()?.as_ref()),
            None => self.call(call.method, call.target, &call.fields, call.body),
        }
    }

    fn read(&self, answer: Answer, expected: &str) -> Result<Vec<u8>> {
        self.read_told(answer, expected, &mut String::new())
    }

    /// As [`Gateway::read`], and `code` is what a problem calls itself: the server's word.
    fn read_told(&self, answer: Answer, expected: &str, code: &mut String) -> Result<Vec<u8>> {
        if !(200..300).contains(&answer.status) {
            // What its key may not, or is not any more: the server's words are about that.
            if self.key.is_some() && matches!(answer.status, 401 | 403) {
                return Err(failure(&answer));
            }
            let problem = answer.body.get(..MAX_PROBLEM.min(answer.body.len())).unwrap_or_default();
            let problem = serde_json::from_slice::<Problem>(problem).unwrap_or_default();
            let refused = refusal(answer.status, &problem);
            *code = problem.code;
            return Err(refused);
        }
        let media = answer.headers.iter().find(|(name, _)| name == "content-type");
        let media = media.and_then(|(_, value)| value.split(';').next()).unwrap_or("").trim();
        if media != expected {
            return Err(Failure::host(
                "not_tensfer",
                format!("the server at {} is not a Tensfer server", self.base),
            )
            .hint("check `--server URL`"));
        }
        Ok(answer.body)
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let (code, what) = match error {
            ureq::Error::Timeout(_) => ("timeout", "did not answer in time"),
            ureq::Error::HostNotFound => ("unreachable", "was not found by that name"),
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) => ("tls", "did not prove who it is"),
            ureq::Error::Io(error) if is_tls(error) => ("tls", "did not prove who it is"),
            _ => ("unreachable", "does not answer"),
        };
        let hint = if code != "tls"
            && is_loopback(self.base.trim_start_matches("http://").split(':').next().unwrap_or(""))
        {
            "start one with `tensfer up`, or name another with `--server URL`"
        } else if code == "tls" {
            "check the address; where its authority is none of the public ones, name that with `--server-ca FILE`"
        } else {
            "check the address and your network, then try again"
        };
        Failure::host(code, format!("the server at {} {what}", self.base)).hint(hint).retryable(true)
    }
}

fn field(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), value.to_owned())]
}

/// A refusal outside the seal: the server's own, or one of the enclave's that the server could as well have made up.
fn refusal(status: u16, problem: &Problem) -> Failure {
    let id = match problem.request_id.as_str() {
        "" => String::new(),
        id => format!(", request {}", printable(id)),
    };
    let known = Refusal::ALL.iter().find(|refusal| refusal.code() == problem.code);
    let code = known.map_or("server_refused", |refusal| refusal.code());
    let shown = if problem.code.is_empty() { "no code".to_owned() } else { printable(&problem.code) };
    let failure = Failure::host(code, format!("the server refused the request ({shown}, HTTP {status}{id})"))
        .retryable(problem.retryable || status == 503);
    match (status, failure.retryable) {
        _ if known == Some(&Refusal::NotProvisioned) => failure
            .hint("its enclave has no root until its operators release their shares (`tensfer root status`)"),
        (429, _) => failure.hint("wait a minute, then try again"),
        (_, true) => failure.hint("try again in a moment"),
        _ => failure.hint("ask whoever runs the server, and name the request"),
    }
}

/// The TLS library's errors come within those of the socket.
fn is_tls(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// TLS 1.3 only, with the post-quantum hybrid first; no redirects, no proxy, no status as an error.
fn agent(roots: RootCerts) -> Agent {
    let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(Arc::new(tls13()));
    let tls = tls.root_certs(roots).build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .proxy(None)
        .user_agent("")
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(ANSWER))
        .input_buffer_size(BUFFER)
        .output_buffer_size(BUFFER)
        .build();
    Agent::with_parts(config, DefaultConnector::new(), Once::<DefaultResolver>::default())
}

/// Without a cipher suite of TLS 1.2 that version cannot be negotiated.
fn tls13() -> CryptoProvider {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| suite.version().version == rustls::ProtocolVersion::TLSv1_3);
    provider
}

#[cfg(test)]
mod tests;
