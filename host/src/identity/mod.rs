//! Who may ask for what: organisations and the keys of their programs.

mod key;
mod model;
mod network;
mod refusal;
mod rights;

pub use key::{Key, LIFETIME, LONGEST_LIFETIME, LONGEST_OVERLAP, NewKey, Public, Use, Validity};
pub use model::{Actor, Code, CodeHash, Event, INVITATION, Invitation, Name, Organisation, RequestName, hex};
pub use network::Network;
pub use refusal::Refusal;
pub use rights::{Environment, MOST_NETWORKS, Networks, Rights, Scope, Scopes};
