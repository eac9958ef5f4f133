//! `policy replace`

use super::super::print_json;
use super::{JSON, Shown, base, text_of};
use crate::client::calls::Call;
use crate::client::failure::{Failure, Result};
use crate::client::options::Options;
use crate::client::terminal::{printable, say};
use host::policy::Policies;
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer policy replace restrictions.cedar\n  \
    tensfer policy replace restrictions.cedar --replaces 3 --key backend\n\
    They hold from the next request on. An empty file forbids nothing any more.")]
pub struct Args {
    /// A file in Cedar's language; `-` is standard input.
    file: PathBuf,

    /// The version that they take the place of, as `tensfer policy fetch` shows it; if there is another by now, nothing is done.
    #[arg(long, value_name = "VERSION", default_value_t = 0)]
    replaces: u64,

    /// The API key that asks, by its name on this machine; not needed if there is only one.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,

    #[arg(long, help = JSON)]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let text = text_of(&args.file)?;
    // Here it can be said why; the server looks again.
    Policies::restricted(base()?, &text)
        .map_err(|unfit| Failure::refused("policies_unfit", printable(&unfit.to_string())))?;
    let key = options.api_keys()?.chosen(args.key.as_deref())?;
    let gateway = options.gateway(Some(&key.server))?;
    let body = json!({ "text": text, "replaces": args.replaces }).to_string();
    let call = Call { method: "PUT", target: "/v1/policies", fields: Vec::new(), body: body.as_bytes() };
    let shown: Shown = call.ask(&gateway, &key)?;
    if args.json {
        return print_json(&shown);
    }
    say(shown.about());
    Ok(())
}
