//! `status --deployments`: the highest state that was seen of each, from this machine's records alone. Asks nobody, so it
//! says something when no server does.

use super::super::{print, print_json};
use crate::client::failure::Result;
use crate::client::home::Home;
use crate::client::home::marks::Known;
use crate::client::home::realm::Realm;
use crate::client::table::{Align, Table};
use serde::Serialize;

#[derive(Debug, Serialize)]
struct Shown {
    realm: &'static str,
    #[serde(flatten)]
    known: Known,
}

pub fn list(home: &Home, json: bool) -> Result<()> {
    let mut all = Vec::new();
    for realm in Realm::ALL {
        let of_realm = home.marks(realm)?.known();
        all.extend(of_realm.into_iter().map(|known| Shown { realm: realm.name(), known }));
    }
    match json {
        true => print_json(&all),
        false if all.is_empty() => print("no deployment with witnesses was seen yet\n"),
        false => print(&table(&all)),
    }
}

fn table(all: &[Shown]) -> String {
    let mut table = Table::new([
        ("deployment", Align::Left),
        ("line", Align::Right),
        ("term", Align::Right),
        ("counter", Align::Right),
        ("head", Align::Left),
        ("oldest epoch", Align::Right),
        ("connections", Align::Right),
        ("realm", Align::Left),
    ]);
    for Shown { realm, known } in all {
        for line in &known.lines {
            table.row([
                short(&known.deployment),
                line.line.to_string(),
                line.term.to_string(),
                line.counter.to_string(),
                short(&line.head),
                known.oldest_epoch.to_string(),
                known.connections.len().to_string(),
                (*realm).to_owned(),
            ]);
        }
    }
    table.to_string()
}

/// As much of a hash as a person compares.
fn short(hash: &str) -> String {
    hash.chars().take(16).collect()
}
