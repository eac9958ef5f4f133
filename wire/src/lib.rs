//! What crosses a boundary: ids, amounts, requests, replies, refusals, and their canonical bytes.
//!
//! No I/O, no keys, no cryptography. Every structure here is written in CDDL in `docs/spec/`; bytes that are
//! signed or hashed are length-delimited and domain-separated ([`transcript`]).

pub mod action;
pub mod authorisation;
pub mod balance;
pub mod capability;
pub mod cbor;
pub mod ceremony;
pub mod consent;
pub mod cose;
pub mod decimal;
pub mod envelope;
pub mod evidence;
pub mod frame;
pub mod freshness;
pub mod grant;
pub mod id;
pub mod identity;
pub mod manifest;
pub mod moving;
pub mod operation;
pub mod owner;
pub mod passkey;
pub mod proof;
pub mod provider_key;
pub mod provision;
pub mod reached;
pub mod receipt;
pub mod record;
pub mod refusal;
pub mod register;
pub mod release;
pub mod reply;
pub mod request;
pub mod rewrap;
pub mod time;
pub mod transcript;
pub mod witness;

pub use cbor::{Canonical, Malformed};
pub use decimal::Decimal;
pub use frame::{Frame, FrameError};
pub use id::{
    BootId, ConnectionId, EventId, GrantId, KeyId, OrganisationId, PasskeyId, PersonId, RegisterId, SessionId,
};
pub use identity::Identity;
pub use refusal::Refusal;
pub use time::UnixMillis;
