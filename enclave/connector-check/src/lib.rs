//! Runs recorded exchange vectors against the connector engine: what an independent client sent, and what exchanges
//! answered. The format and the rules of comparison are in `vectors/exchanges/README.md`.

pub mod broker;
pub mod catalogue;
pub mod claims;
pub mod compare;
pub mod credentials;
pub mod currencies;
pub mod dictionary;
pub mod files;
pub mod input;
pub mod network;
pub mod operations;
pub mod report;
mod resign;
pub mod response;
pub mod scaffold;
pub mod signing;
pub mod url;
pub mod vectors;

use std::path::Path;

use files::Files;
use report::Exchange;

/// Checks the exchanges of a folder of vectors that have a connector: all of them, or the one of that id.
pub fn check(folder: &Path, only: Option<&str>, files: &Files) -> Result<Vec<Exchange>, String> {
    let mut reports = Vec::new();
    for id in vectors::exchanges(folder)? {
        if only.is_some_and(|only| only != id) {
            continue;
        }
        let Some((connector, claims)) = files.open(&id)? else {
            continue;
        };
        let vectors = vectors::Vectors::open(folder, &id)?;
        let mut report = Exchange::new(&id);
        signing::check(connector, &claims, &vectors, &mut report)?;
        operations::check_methods(connector, &claims, &vectors, &mut report)?;
        operations::check_requests(connector, &claims, &vectors, &mut report)?;
        response::check(connector, &claims, &vectors, &mut report)?;
        reports.push(report);
    }
    Ok(reports)
}
