//! `keys list`

use super::super::{print, print_json};
use super::shown::{Shown, time};
use crate::client::calls::Call;
use crate::client::failure::Result;
use crate::client::options::Options;
use crate::client::table::{Align, Table};
use crate::client::terminal::printable;
use serde::Deserialize;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer keys list --key backend")]
pub struct Args {
    /// The API key that asks, by its name on this machine; not needed if there is only one.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,

    /// Print JSON: keys.
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Page {
    keys: Vec<Shown>,
    next: Option<String>,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let key = options.api_keys()?.chosen(args.key.as_deref())?;
    let gateway = options.gateway(Some(&key.server))?;
    let (mut keys, mut target) = (Vec::new(), "/v1/keys?limit=100".to_owned());
    loop {
        let page: Page = Call::get(&target).ask(&gateway, &key)?;
        keys.extend(page.keys);
        match page.next {
            Some(next) => target = format!("/v1/keys?limit=100&cursor={next}"),
            None => break,
        }
    }
    if args.json {
        return print_json(&serde_json::json!({ "keys": keys }));
    }
    let left = |name| (name, Align::Left);
    let mut table =
        Table::new(["id", "name", "state", "environment", "scopes", "expires", "last used"].map(left));
    for key in keys {
        let used = key.last_used.as_ref().map_or("never".to_owned(), |used| time(used.at));
        let state = key.state().to_owned();
        let row = [key.id, key.name, state, key.environment, key.scopes.join(" "), time(key.expires), used];
        table.row(row.map(|cell| printable(&cell)));
    }
    print(&table.to_string())
}
