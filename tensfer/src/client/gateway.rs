//! The server's HTTP API, as far as a client needs it. Nothing that it answers is believed before it is verified.

pub mod authority;
pub mod called;
mod resolver;

use crate::client::failure::{Failure, Result};
use crate::client::terminal::printable;
use resolver::Once;
use rustls::crypto::CryptoProvider;
use serde::Deserialize;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::{Response, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body};
use wire::Refusal;

/// No answer is larger: an encapsulated reply and its HTTP framing.
const MAX_ANSWER: u64 = verify::ohttp::MAX_BYTES as u64;
const MAX_PROBLEM: u64 = 16 << 10;
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
        Ok(Gateway { base, agent: agent(roots) })
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// Evidence that contains the nonce, in canonical CBOR.
    pub fn attestation(&self, nonce: &[u8; 32]) -> Result<Vec<u8>> {
        let url = format!("{}/v1/attestation?nonce={}", self.base, crate::client::encode::hex(nonce));
        let response = self.agent.get(&url).header("accept", "application/cbor").call();
        self.read(response, "application/cbor")
    }

    /// Passes an encapsulated request on and gives the encapsulated reply.
    pub fn request(&self, sealed: &[u8]) -> Result<Vec<u8>> {
        let url = format!("{}/v1/requests", self.base);
        let response = self.agent.post(&url).header("content-type", "message/ohttp-req").send(sealed);
        self.read(response, "message/ohttp-res")
    }

    /// Passes a batch of envelopes on and gives what became of them; nobody has to be verified for that: nothing secret is
    /// in it, and what comes back opens with its owner's share or not at all.
    pub fn rewrap(&self, batch: &[u8]) -> Result<Vec<u8>> {
        let url = format!("{}/v1/envelopes/rewrap", self.base);
        let response = self.agent.post(&url).header("content-type", "application/cbor").send(batch);
        self.read(response, "application/cbor")
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
        let url = format!("{}/v1/rotation/{path}", self.base);
        let response = self.agent.get(&url).header("accept", "application/cbor").call();
        let mut said = String::new();
        match self.read_told(response, "application/cbor", &mut said) {
            Ok(bytes) => Ok(Ok(bytes)),
            Err(failure) => match said.as_str() {
                "nothing_stated" => Ok(Err(Unstated::Nothing)),
                "not_recorded" => Ok(Err(Unstated::NotRecorded)),
                "other_statement" => Ok(Err(Unstated::OtherStatement)),
                _ => Err(failure),
            },
        }
    }

    fn read(
        &self,
        response: std::result::Result<Response<Body>, ureq::Error>,
        expected: &str,
    ) -> Result<Vec<u8>> {
        self.read_told(response, expected, &mut String::new())
    }

    /// As [`Gateway::read`], and `code` is what a problem calls itself: the server's word.
    fn read_told(
        &self,
        response: std::result::Result<Response<Body>, ureq::Error>,
        expected: &str,
        code: &mut String,
    ) -> Result<Vec<u8>> {
        let response = response.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let media = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let media = media.and_then(|value| value.split(';').next()).unwrap_or("").trim().to_owned();
        let mut body = response.into_body();
        if !status.is_success() {
            let mut bytes = Vec::new();
            let _ = body.as_reader().take(MAX_PROBLEM).read_to_end(&mut bytes);
            let problem = serde_json::from_slice::<Problem>(&bytes).unwrap_or_default();
            let refused = refusal(status.as_u16(), &problem);
            *code = problem.code;
            return Err(refused);
        }
        if media != expected {
            return Err(Failure::host(
                "not_tensfer",
                format!("the server at {} is not a Tensfer server", self.base),
            )
            .hint("check `--server URL`"));
        }
        let mut bytes = Vec::new();
        let read = body.as_reader().take(MAX_ANSWER + 1).read_to_end(&mut bytes);
        read.map_err(|_| {
            Failure::host("truncated", "the server broke off in the middle of its answer").retryable(true)
        })?;
        if bytes.len() as u64 > MAX_ANSWER {
            return Err(Failure::host("too_long", "the server answered with more than the protocol allows"));
        }
        Ok(bytes)
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
