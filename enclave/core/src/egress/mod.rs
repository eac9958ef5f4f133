//! The enclave's own client connection to a provider: TLS and HTTP/1.1 as one state machine.
//!
//! Bytes from the host go in, bytes for the host and events come out. There is no socket, no clock, no
//! environment and no shared session here: the host carries bytes and is hostile, the time is the one the
//! core passes in, and each [`Connection`] serves one owner and one provider host.
//!
//! The wire behaviour is written down in `docs/spec/egress.md`.

mod clock;
mod connection;
mod exchanges;
mod fault;
mod http;
mod limits;
mod request;
mod sandbox_root;
#[cfg(test)]
mod tests;
mod tls;
mod trust;

pub use connection::Connection;
pub use exchanges::{Event, ExchangeId};
pub use fault::{Blame, CertificateFault, Fault, HttpFault, RequestFault};
pub use http::{Header, Headers, fuzz_http_response};
pub use limits::Limits;
pub use request::{Method, Request};
pub use trust::{Environment, SANDBOX_DOMAIN, Trust, TrustError};
