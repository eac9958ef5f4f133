//! X.509 certificates (RFC 5280), as much as evidence chains need: parsed strictly, judged as a path to a pinned root.
//!
//! Own code, because the enclave links it too: one key type, one signature algorithm, five extensions, no dependency.

mod certificate;
mod der;
mod extensions;
mod name;
mod path;
mod time;

pub(crate) use certificate::Certificate;
pub(crate) use der::is_der_sequence;
pub(crate) use path::check_path;
