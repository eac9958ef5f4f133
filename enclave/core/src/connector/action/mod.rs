//! Actions: what moves money at an exchange, described by the connector's tables `actions`, `terms` and `status`.
//!
//! An action is a chain of calls: the terms first, which move nothing; then checks; then one call that moves something, which
//! is sent again only where that cannot pay twice (m38).

mod amounts;
mod arguments;
mod chain;
mod destination;
mod doubt;
mod heed;
mod result;
mod search;
mod terms;

pub use arguments::accounts;
pub use chain::{Chain, LAG_MS};
pub use doubt::is_refused;

use super::model::Connector;
use super::model_action::{Action, Deed};
use super::result::applies;
use super::value::Params;
use wire::action::Kind;

/// The action that carries a kind of instruction out with these arguments.
pub fn action<'c>(connector: &'c Connector, deed: Deed, arguments: &Params) -> Option<&'c Action> {
    connector.actions.iter().find(|action| action.operation == deed && applies(&action.when, arguments))
}

/// Whether whatever carries this kind out refuses a second instruction with the same reference.
pub fn is_taken_once(connector: &Connector, kind: Kind) -> bool {
    let mut actions = connector.actions.iter().filter(|action| action.operation == Deed::Do(kind)).peekable();
    actions.peek().is_some() && actions.all(|action| action.once.is_some())
}
