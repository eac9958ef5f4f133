//! Runs recorded exchange vectors against the connector engine: what an independent client sent, and what exchanges
//! answered. The format and the rules of comparison are in `vectors/exchanges/README.md`.

pub mod actions;
mod broker;
pub mod catalogue;
pub mod claims;
pub mod compare;
pub mod coverage;
pub mod credentials;
pub mod currencies;
pub mod dictionary;
pub mod documented;
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

use claims::Claims;
use coverage::{Coverage, Exercised};
use enclave::connector::Connector;
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

/// Tells what the vectors of two folders, recorded and documented ones, do not exercise: of all connectors, or of one.
pub fn cover(
    recorded: &Path,
    documented: &Path,
    only: Option<&str>,
    files: &Files,
) -> Result<Vec<Coverage>, String> {
    let mut coverages = Vec::new();
    for id in files.ids()? {
        if only.is_some_and(|only| only != id) {
            continue;
        }
        let Some((connector, claims)) = files.open(&id)? else {
            continue;
        };
        let (mut exercised, failures) = exercised(recorded, documented, connector, &claims)?;
        if let Some((base, claims)) =
            claims.extends.as_deref().map(|base| files.open(base)).transpose()?.flatten()
        {
            let (of_base, _) = self::exercised(recorded, documented, base, &claims)?;
            exercised.inherit(connector, base, &of_base);
        }
        coverages.push(Coverage::new(connector, &exercised, failures));
    }
    Ok(coverages)
}

/// What the vectors of one connector exercise, and what is wrong with its documented ones.
fn exercised(
    recorded: &Path,
    documented: &Path,
    connector: &'static Connector,
    claims: &Claims,
) -> Result<(Exercised, Vec<(String, String)>), String> {
    let mut report = Exchange::new(&connector.id);
    response::check(connector, claims, &vectors::Vectors::open(recorded, &connector.id)?, &mut report)?;
    let mut exercised = report.exercised;
    let failures = documented::check(documented, connector, &mut exercised)?;
    exercised.share(connector);
    Ok((exercised, failures))
}
