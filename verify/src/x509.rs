//! X.509 certificates (RFC 5280), as much as evidence chains need: parsed strictly, judged as a path to a pinned root.
//!
//! Own code, because the enclave links it too: three kinds of keys, one signature algorithm for each, five extensions that
//! are understood, no dependency.

mod algorithm;
mod certificate;
pub(crate) mod der;
mod extensions;
mod name;
mod path;
mod revoked;
mod signed;
pub(crate) mod time;

pub(crate) use algorithm::{Algorithm, Key};
pub(crate) use certificate::Certificate;
pub(crate) use der::is_der_sequence;
pub(crate) use path::{LeafUsage, check_algorithms, check_path};
pub(crate) use revoked::RevokedList;
