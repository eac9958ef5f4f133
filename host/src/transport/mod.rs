//! How roles reach each other: the one place that changes when mutual TLS takes over.
//!
//! Now: one Unix-domain socket a callee in a folder of mode 0700; both sides check with `SO_PEERCRED` that the
//! other runs under the same user. Within that user a role is claimed, not proven. After the caller's hello
//! (version, role) both directions carry [`Message`]s.

mod connection;
mod message;
mod outbox;

pub use connection::{Calls, Connection, Listener, TransportError, Unheard, connect};
pub use message::{Message, Reader, frame};
pub use outbox::{Drain, NotTaken, Outbox};
