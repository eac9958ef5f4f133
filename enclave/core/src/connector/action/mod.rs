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
mod recipient;
mod result;
mod search;
mod terms;

pub use arguments::accounts;
pub use chain::{Chain, LAG_MS};
pub use doubt::is_refused;

use super::model::Connector;
use super::model_action::{Action, Deed, Once};
use super::result::applies;
use super::value::Params;
use wire::action::Kind;

/// The action that carries a kind of instruction out with these arguments.
pub fn action<'c>(connector: &'c Connector, deed: Deed, arguments: &Params) -> Option<&'c Action> {
    connector.actions.iter().find(|action| action.operation == deed && applies(&action.when, arguments))
}

/// Whether whatever carries this kind out refuses a second instruction with the same reference: the shortest promise that
/// any of its actions has.
pub fn taken_once(connector: &Connector, kind: Kind) -> Once {
    let actions = connector.actions.iter().filter(|action| action.operation == Deed::Do(kind));
    let promised = actions.map(|action| match (&action.once, action.once_ms) {
        (None, _) => Once::No,
        (Some(_), Some(time)) => Once::For(time),
        (Some(_), None) => Once::Ever,
    });
    let weaker = |one, other| match (one, other) {
        (Once::No, _) | (_, Once::No) => Once::No,
        (Once::For(one), Once::For(other)) => Once::For(one.min(other)),
        (Once::For(time), Once::Ever) | (Once::Ever, Once::For(time)) => Once::For(time),
        (Once::Ever, Once::Ever) => Once::Ever,
    };
    promised.reduce(weaker).unwrap_or(Once::No)
}
