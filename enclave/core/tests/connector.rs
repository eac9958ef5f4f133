//! The connector engine from outside: runs against a provider in process, and what bad input gets.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "connector/provider.rs"]
mod provider;

#[path = "connector/actions.rs"]
mod actions;
#[path = "connector/balances.rs"]
mod balances;
#[path = "connector/capabilities.rs"]
mod capabilities;
#[path = "connector/credentials.rs"]
mod credentials;
#[path = "connector/each.rs"]
mod each;
#[path = "connector/expressions.rs"]
mod expressions;
#[path = "connector/files.rs"]
mod files;
#[path = "connector/held_back.rs"]
mod held_back;
#[path = "connector/history.rs"]
mod history;
#[path = "connector/limits.rs"]
mod limits;
#[path = "connector/markets.rs"]
mod markets;
#[path = "connector/orders.rs"]
mod orders;
#[path = "connector/pages.rs"]
mod pages;
#[path = "connector/payouts.rs"]
mod payouts;
#[path = "connector/prices.rs"]
mod prices;
#[path = "connector/primitives.rs"]
mod primitives;
#[path = "connector/requests.rs"]
mod requests;
#[path = "connector/runs.rs"]
mod runs;
#[path = "connector/sessions.rs"]
mod sessions;
#[path = "connector/shapes.rs"]
mod shapes;
#[path = "connector/signing.rs"]
mod signing;
#[path = "connector/travel.rs"]
mod travel;
