//! Exchanges that are spoken as their connector file describes them.

mod account;
mod document;
mod evaluate;
mod expression;
mod file;
mod hash;
mod json;
mod keys;
mod outer;
mod pattern;
mod plan;
mod received;
mod route;
mod rows;
mod sent;
mod signature;
mod solve;
mod template;

#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod signing_tests;

/// Id, hosts and file (JSON) of every connector, in order of id.
static FILES: &[(&str, &[&str], &str)] = include!(concat!(env!("OUT_DIR"), "/connectors.rs"));
