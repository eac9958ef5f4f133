//! `granted take`: a grant that an owner made, checked against the keys here and kept.

use super::{Entry, entry, print, print_json};
use crate::client::commands::grant::read_file;
use crate::client::failure::Result;
use crate::client::home::Home;
use crate::client::home::grantee::Grantee;
use crate::client::home::grants::{GrantFile, Taken};
use crate::client::names;
use crate::client::options::Options;
use std::path::PathBuf;
use wire::GrantId;

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tensfer granted take kraken.grant --name ada\n  tensfer granted balances ada"
)]
pub struct Args {
    /// The grant, as its owner made it; `-` for standard input.
    file: PathBuf,

    /// What to call it; the exchange's id if you name nothing.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Print JSON: as one of `granted list`.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let file = read_file(&args.file)?;
    let home = options.home()?;
    let entry = take(&home, &home.existing_grantee(file.realm)?, file, args.name.as_deref())?;
    if args.json { print_json(&entry) } else { print(&entry.text()) }
}

/// Keeps a grant that is for the keys of this home. One that was taken in before stays as it is: its uses go on.
pub fn take(home: &Home, keys: &Grantee, file: GrantFile, name: Option<&str>) -> Result<Entry> {
    let realm = file.realm;
    let others = home.taken_grants(realm)?;
    let mut taken = Taken::new(String::new(), file);
    let read = taken.read()?;
    taken.open(&read, keys)?;
    if let Some(before) = home.taken_grant(realm, read.body.id)? {
        return entry(&before);
    }
    let is_taken = |name: &str| others.iter().any(|other| other.name == name);
    let is_id = |name: &str| GrantId::parse(name).is_some();
    taken.name = names::choose("grant", name, &taken.grant.exchange, is_taken, is_id)?;
    home.save_taken_grant(&taken)?;
    entry(&taken)
}
