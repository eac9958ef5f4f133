//! Who may ask for what: organisations, the keys of their programs, and what their requests may do (docs/spec/identity.md).

mod admission;
mod api;
mod ask;
pub mod fuzz;
mod key;
mod model;
mod network;
pub(crate) mod passkey;
pub mod people;
mod refusal;
mod restrictions;
mod rights;
mod serve;
mod signer;
#[cfg(test)]
mod tests;
mod token;
mod uses;
pub mod view;

pub use admission::Place;
pub use ask::{
    Admitted, Begin, Denied, Head, HeadField, Introduction, Invite, Invited, Listed, ListedOrganisation,
    NewOrganisation, Reply,
};
pub use key::{Key, LIFETIME, LONGEST_LIFETIME, LONGEST_OVERLAP, NewKey, Public, Use, Validity};
pub use model::{Actor, Code, CodeHash, Event, INVITATION, Invitation, Name, Organisation, RequestName, hex};
pub use network::Network;
pub use people::{
    LONGEST_IDLE, LONGEST_RECOVERY, LONGEST_SESSION, MOST_PASSKEYS, MOST_SESSIONS, Passkey, Person,
    PersonalEvent, RECOVERY_CODES, RECOVERY_WAIT, Recovery, Session, passkey_id,
};
pub use refusal::Refusal;
pub use rights::{Environment, MOST_NETWORKS, Networks, Rights, Scope, Scopes};
pub use serve::Identity;
pub use signer::Signer;
pub use token::{Asker, Issuer, Principal, SignedIn, Transaction, Verifier};
