//! `policy check`

use super::super::{print, print_json};
use super::{JSON, base, text_of};
use crate::client::failure::Result;
use crate::client::terminal::printable;
use host::policy::{Policies, Unfit};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tensfer policy check restrictions.cedar\n  tensfer policy check - --json"
)]
pub struct Args {
    /// A file in Cedar's language; `-` is standard input.
    file: PathBuf,

    #[arg(long, help = JSON)]
    json: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let read = Policies::restricted(base()?, &text_of(&args.file)?);
    if args.json {
        print_json(&match &read {
            Ok(policies) => json!({ "fit": true, "policies": ids(policies) }),
            Err(unfit) => json!({ "fit": false, "why": unfit.to_string() }),
        })?;
    } else {
        print(&text(&read))?;
    }
    Ok(ExitCode::from(u8::from(read.is_err())))
}

fn text(read: &core::result::Result<Policies, Unfit>) -> String {
    match read {
        Ok(policies) => {
            let ids: String = ids(policies).iter().map(|id| format!("  {id}\n")).collect();
            format!("Policies that only restrict, and fit the schema:\n{ids}")
        }
        Err(unfit) => format!("They cannot be added: {}\n", printable(&unfit.to_string())),
    }
}

fn ids(policies: &Policies) -> Vec<String> {
    policies.own().into_iter().map(|policy| policy.id).collect()
}
