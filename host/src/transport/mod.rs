//! How roles reach each other (docs/spec/processes.md): mutual TLS 1.3, in which each end shows the certificate of its role,
//! over a Unix-domain socket in a folder of mode 0700 or over TCP. Inside, both directions carry [`Message`]s.

mod address;
mod connection;
mod message;
mod outbox;
mod stream;
#[cfg(test)]
mod tests;

pub use address::Address;
pub use connection::{Calls, Connection, Fresh, GRACE, Listener, TransportError, Unheard, connect};
pub use message::{Message, Reader, frame};
pub use outbox::{Drain, NotTaken, Outbox};
pub use stream::{Incoming, Outgoing};
