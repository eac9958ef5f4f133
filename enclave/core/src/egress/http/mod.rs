//! HTTP/1.1 responses (RFC 9112), read strictly: one request at a time, one way to say each thing.

mod body;
mod head;
mod line;
mod response;

pub use head::{Header, Headers};
pub(super) use response::ResponseParser;
pub use response::fuzz_http_response;
