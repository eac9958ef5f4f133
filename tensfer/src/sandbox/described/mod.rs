//! Exchanges that are spoken as their connector file describes them.

mod expression;
mod file;
mod hash;
mod json;
mod keys;
mod pattern;
mod received;
mod sent;
mod signature;
mod template;

#[cfg(test)]
mod signing_tests;

/// Id, hosts and file (JSON) of every connector, in order of id.
static FILES: &[(&str, &[&str], &str)] = include!(concat!(env!("OUT_DIR"), "/connectors.rs"));
