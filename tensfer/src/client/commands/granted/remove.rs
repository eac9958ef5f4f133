//! `granted remove`: nothing is kept of a grant any more.

use super::{print, print_json};
use crate::client::failure::{Failure, Result};
use crate::client::home::realm::Realm;
use crate::client::options::Options;
use serde::Serialize;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer granted remove ada")]
pub struct Args {
    /// The grant's id or name.
    id: String,

    /// Print JSON: grant, removed.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shape {
    grant: String,
    removed: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let home = options.home()?;
    let found = Realm::ALL.map(|realm| (realm, home.find_taken_grant(realm, &args.id)));
    let is_unknown = |failure: &Failure| failure.code == "unknown_grant";
    let (mut taken, mut unknown) = (Vec::new(), None);
    for (realm, found) in found {
        match found {
            Ok(found) => taken.push((realm, found)),
            Err(failure) if is_unknown(&failure) => unknown = Some(failure),
            Err(failure) => return Err(failure),
        }
    }
    match (taken.as_slice(), unknown) {
        ([(realm, taken)], _) => {
            let id = taken.read()?.body.id;
            let removed = home.remove_taken_grant(*realm, id)?;
            let grant = id.to_string();
            match args.json {
                true => print_json(&Shape { grant, removed }),
                false => print(&format!("{grant} is removed from this machine\n")),
            }
        }
        ([], Some(unknown)) => Err(unknown),
        _ => Err(Failure::usage("you have several grants of that name").hint("give the id instead")),
    }
}
