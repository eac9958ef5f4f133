//! `granted list`: what was granted, as far as this machine knows.

use super::{print, print_json};
use crate::client::commands::grant::Shown;
use crate::client::failure::Result;
use crate::client::home::grants::Taken;
use crate::client::home::realm::Realm;
use crate::client::options::Options;
use crate::client::table::{Align, Table};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer granted list --json")]
pub struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A grant that was taken in, as programs read it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Granted)]
pub struct Entry {
    name: String,
    /// Uses that are known here; one whose answer was lost counts with the next.
    used: u64,
    left: u64,
    #[serde(flatten)]
    terms: Shown,
}

impl Entry {
    pub fn text(&self) -> String {
        format!("{}left    {}\nname    {}\n", self.terms.text(), self.left, self.name)
    }
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let home = options.home()?;
    let mut entries = Vec::new();
    for realm in Realm::ALL {
        for taken in home.taken_grants(realm)? {
            entries.push(entry(&taken)?);
        }
    }
    if args.json { print_json(&entries) } else { print(&table(&entries)) }
}

pub fn entry(taken: &Taken) -> Result<Entry> {
    let terms = Shown::of(&taken.grant, &taken.read()?);
    let left = u64::from(terms.uses).saturating_sub(taken.used);
    Ok(Entry { name: taken.name.clone(), used: taken.used, left, terms })
}

fn table(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "nothing was granted to you yet\n".to_owned();
    }
    let mut table = Table::new([
        ("name", Align::Left),
        ("may", Align::Left),
        ("used", Align::Right),
        ("left", Align::Right),
        ("until", Align::Left),
        ("grant", Align::Left),
    ]);
    for Entry { name, used, left, terms } in entries {
        table.row([
            name.clone(),
            terms.allowed(),
            used.to_string(),
            left.to_string(),
            terms.expires.clone(),
            terms.grant.clone(),
        ]);
    }
    table.to_string()
}
