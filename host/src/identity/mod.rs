//! Who may ask for what: organisations, the keys of their programs, and what their requests may do (docs/spec/identity.md).

mod admission;
mod api;
mod ask;
pub mod fuzz;
mod key;
mod model;
mod network;
mod refusal;
mod restrictions;
mod rights;
mod serve;
#[cfg(test)]
mod tests;
mod token;
mod uses;
pub mod view;

pub use admission::Place;
pub use ask::{
    Admitted, Denied, Head, HeadField, Introduction, Invite, Invited, Listed, ListedOrganisation,
    NewOrganisation, Reply,
};
pub use key::{Key, LIFETIME, LONGEST_LIFETIME, LONGEST_OVERLAP, NewKey, Public, Use, Validity};
pub use model::{Actor, Code, CodeHash, Event, INVITATION, Invitation, Name, Organisation, RequestName, hex};
pub use network::Network;
pub use refusal::Refusal;
pub use rights::{Environment, MOST_NETWORKS, Networks, Rights, Scope, Scopes};
pub use serve::Identity;
pub use token::{Issuer, Principal, Transaction, Verifier};
