//! `policy`: what the server's policies are, what an organisation forbids itself beside them, and how both decide
//! (docs/spec/policy.md).

mod check;
mod explain;
mod fetch;
mod replace;

use super::{print, print_json};
use crate::client::failure::{Failure, Result};
use crate::client::options::Options;
use clap::Subcommand;
use host::policy::{Base, PolicyText};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the policies that are part of this program, and the schema that all policies are checked against.
    #[command(after_help = "Examples:\n  tensfer policy show\n  tensfer policy show --json")]
    Show {
        #[arg(long, help = JSON)]
        json: bool,
    },
    /// Check policies that an organisation wants to add: each has an id, fits the schema, and forbids something.
    Check(check::Args),
    /// Decide a question as a server would, and name the policies that decide it.
    Explain(explain::Args),
    /// Print what your organisation forbids itself, as the server keeps it.
    Fetch(fetch::Args),
    /// Replace what your organisation forbids itself, from the next request on.
    Replace(replace::Args),
}

const JSON: &str = "Print JSON";

/// What an organisation forbids itself: the server's word.
#[derive(Debug, Deserialize, Serialize)]
struct Shown {
    version: u64,
    text: String,
    changed: Option<u64>,
    changed_by: Option<String>,
    /// The version of the server's own policies.
    server: String,
}

/// Exit code 1: it is refused, or does not fit.
pub fn run(options: &Options, command: &Command) -> Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Show { json } => show(base()?, *json).map(done),
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Fetch(args) => fetch::run(options, args).map(done),
        Command::Replace(args) => replace::run(options, args).map(done),
    }
}

fn base() -> Result<&'static Base> {
    Base::get().map_err(|failed| Failure::internal(format!("the policies in this program: {failed}")))
}

fn show(base: &Base, as_json: bool) -> Result<()> {
    if as_json {
        let told = |policy: &PolicyText| json!({ "id": policy.id, "text": policy.text });
        let policies: Vec<Value> = base.policies().iter().map(told).collect();
        return print_json(
            &json!({ "version": base.version(), "schema": base.schema_text(), "policies": policies }),
        );
    }
    print(&format!("// Version {}\n\n{}\n{}", base.version(), base.schema_text(), base.policies_text()))
}

/// What is in a file; no more of it than policies may be long, and a byte.
fn text_of(file: &Path) -> Result<String> {
    let most = host::policy::LONGEST as u64 + 1;
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(most).read_to_string(&mut text))
    };
    read.map_err(|error| Failure::usage(format!("`{}` could not be read: {error}", file.display())))?;
    Ok(text)
}
