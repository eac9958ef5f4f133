//! The gateway's TLS and HTTP/2, by clients that share no code with it: `openssl`, `curl`, and frames written by hand.
#![expect(clippy::unwrap_used, reason = "tests")]

mod authority;
mod certificates;
mod client;
mod floods;
mod gateway;
mod handshakes;
mod http2;
mod requests;
mod signed;
mod testssl;
