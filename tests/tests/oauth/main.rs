//! Authorising by OAuth against the npm package oidc-provider, which stands in the place of a real exchange's
//! authorisation server: through the client, host and enclave as they run.
#![expect(clippy::unwrap_used, reason = "tests")]

mod browser;
mod link;
mod merchant;
mod paypal;
mod person;
mod provider;
mod refresh;
mod stripe;
