//! Questions to a node, and its answers: JSON-RPC 2.0 over HTTP, or plain HTTP.
//!
//! What a node says is hostile bytes: bounded by the transport, read strictly, and never believed further than the
//! place where it is used checks it.

use super::model::Node;
use crate::connector::{Document, Fault, FaultCode, FaultKind, Json, Kind, Method, Request};

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// A method, and its parameters as a JSON list.
    Rpc { method: &'static str, params: String },
    /// The same, where an error is an answer too.
    Try { method: &'static str, params: String },
    /// A path below the node's own.
    Get { path: String },
    /// The same, where it is an answer that there is no such thing.
    TryGet { path: String },
    /// Text for a path below the node's own; why it is not taken is an answer.
    Post { path: String, text: String },
}

/// Answers to the questions of one turn, in their order.
#[derive(Default)]
pub(super) struct Answers(Vec<Result<Vec<u8>, Fault>>);

impl Ask {
    pub(super) fn rpc(method: &'static str, params: impl Into<String>) -> Ask {
        Ask::Rpc { method, params: params.into() }
    }

    /// A call whose error is an answer.
    pub(super) fn attempt(method: &'static str, params: impl Into<String>) -> Ask {
        Ask::Try { method, params: params.into() }
    }

    pub(super) fn get(path: impl Into<String>) -> Ask {
        Ask::Get { path: path.into() }
    }

    /// The request that asks a node. `number` comes back with the answer of a JSON-RPC call.
    pub(super) fn request(&self, node: &Node, number: u32) -> Request {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let below = |path: &str| format!("{}{path}", node.path.trim_end_matches('/'));
        let json = "application/json";
        let (method, target, headers, body) = match self {
            Ask::Rpc { method, params } | Ask::Try { method, params } => {
                let body =
                    format!(r#"{{"jsonrpc":"2.0","id":{number},"method":"{method}","params":{params}}}"#);
                let headers = vec![header("content-type", json), header("accept", json)];
                (Method::Post, node.path.clone(), headers, body)
            }
            Ask::Get { path } | Ask::TryGet { path } => {
                let headers = vec![header("accept", "application/json, text/plain")];
                (Method::Get, below(path), headers, String::new())
            }
            Ask::Post { path, text } => {
                let headers = vec![header("content-type", "text/plain"), header("accept", "text/plain")];
                (Method::Post, below(path), headers, text.clone())
            }
        };
        Request { host: node.host.clone(), method, target, headers, body: body.into_bytes(), cost: 1 }
    }

    /// Whether bytes answer this very question, and do not say that it failed.
    pub(super) fn check(&self, number: u32, status: u16, body: &[u8]) -> Result<(), Fault> {
        match self {
            Ask::Rpc { .. } => check_rpc(number, status, body, false),
            Ask::Try { .. } => check_rpc(number, status, body, true),
            Ask::TryGet { .. } | Ask::Post { .. } if matches!(status, 400 | 404) => Ok(()),
            Ask::Get { .. } | Ask::TryGet { .. } | Ask::Post { .. } => check_status(status),
        }
    }
}

/// Whether an answer is one to this call. An error is one where `takes_errors`, unless the node only asks for time.
fn check_rpc(number: u32, status: u16, body: &[u8], takes_errors: bool) -> Result<(), Fault> {
    let document = Document::parse(body);
    let mut is_answered = false;
    if let Ok(document) = &document
        && let Ok(Some(error)) = document.root().member("error")
        && error.kind() == Kind::Object
    {
        let fault = Fault { status: Some(status), ..rpc_fault(error) };
        is_answered = takes_errors && fault.code == FaultCode::Provider(FaultKind::Unknown);
        if !is_answered {
            return Err(fault);
        }
    }
    if !is_answered {
        check_status(status)?;
    }
    let document = document.map_err(|_| malformed())?;
    let echoed = document.root().member("id").ok().flatten().filter(|id| id.kind() == Kind::Number);
    let is_ours = echoed.is_some_and(|id| id.raw() == number.to_string());
    let has_result = is_answered || document.root().member("result").ok().flatten().is_some();
    if is_ours && has_result { Ok(()) } else { Err(malformed()) }
}

fn check_status(status: u16) -> Result<(), Fault> {
    if (200..300).contains(&status) {
        return Ok(());
    }
    Err(Fault { status: Some(status), ..FaultCode::Provider(http_fault(status)).into() })
}

impl Answers {
    pub(super) fn new(bodies: Vec<Result<Vec<u8>, Fault>>) -> Answers {
        Answers(bodies)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The result of a JSON-RPC call. What `read` does not understand is malformed.
    pub(super) fn result<T>(&self, at: usize, read: impl FnOnce(Json<'_>) -> Option<T>) -> Result<T, Fault> {
        self.json(at, |root| read(root.member("result").ok()??))
    }

    /// What a call that may fail came to: its result as `read` understands it, or its error's code and text.
    pub(super) fn attempted<T>(
        &self,
        at: usize,
        read: impl FnOnce(Json<'_>) -> Option<T>,
    ) -> Result<Result<T, (String, String)>, Fault> {
        self.json(at, |root| match root.member("error").ok()? {
            Some(error) if error.kind() == Kind::Object => {
                let text = |name: &str| error.member(name).ok().flatten().and_then(Json::scalar);
                let code = text("code").unwrap_or_default().into_owned();
                Some(Err((code, text("message").unwrap_or_default().to_ascii_lowercase())))
            }
            _ => read(root.member("result").ok()??).map(Ok),
        })
    }

    /// An answer that is JSON.
    pub(super) fn json<T>(&self, at: usize, read: impl FnOnce(Json<'_>) -> Option<T>) -> Result<T, Fault> {
        let document = Document::parse(self.body(at)?).map_err(|_| malformed())?;
        read(document.root()).ok_or_else(malformed)
    }

    /// An answer that is plain text.
    pub(super) fn text<T>(&self, at: usize, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Fault> {
        std::str::from_utf8(self.body(at)?).ok().and_then(|text| read(text.trim_end())).ok_or_else(malformed)
    }

    fn body(&self, at: usize) -> Result<&[u8], Fault> {
        match self.0.get(at) {
            Some(Ok(body)) => Ok(body),
            Some(Err(fault)) => Err(fault.clone()),
            None => Err(malformed()),
        }
    }
}

pub(super) fn malformed() -> Fault {
    FaultCode::Malformed.into()
}

/// The node is of another chain.
pub(super) fn other_chain() -> Fault {
    FaultCode::Provider(FaultKind::Network).into()
}

/// The node is there, and does not have what the chain has by now.
pub(super) fn behind() -> Fault {
    FaultCode::Provider(FaultKind::Maintenance).into()
}

fn http_fault(status: u16) -> FaultKind {
    match status {
        401 => FaultKind::Credential,
        403 => FaultKind::Permission,
        418 | 429 => FaultKind::RateLimit,
        451 => FaultKind::Region,
        408 | 500.. => FaultKind::Maintenance,
        _ => FaultKind::Unknown,
    }
}

/// By the codes of EIP-1474; a text that speaks of a rate says more than a code that every operator uses otherwise.
fn rpc_fault(error: Json<'_>) -> Fault {
    let text = |name: &str| error.member(name).ok().flatten().and_then(Json::scalar).unwrap_or_default();
    let (code, message) = (text("code").into_owned(), text("message").to_ascii_lowercase());
    let limited = ["rate limit", "too many requests", "exceeded the quota", "request limit"];
    let kind = match code.as_str() {
        "-32005" | "429" => FaultKind::RateLimit,
        _ if limited.iter().any(|words| message.contains(words)) => FaultKind::RateLimit,
        _ => FaultKind::Unknown,
    };
    let plain = code.len() <= 16 && code.bytes().all(|byte| byte.is_ascii_graphic());
    Fault { provider_code: Some(code).filter(|_| plain), ..FaultCode::Provider(kind).into() }
}
