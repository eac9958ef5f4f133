//! `release show`: what a release says, in its one form, and the names of the keys under it.

use super::super::{print, print_json};
use crate::client::clock::rfc3339;
use crate::client::commands::root::manifest::tee_name;
use crate::client::encode::hex;
use crate::client::failure::Result;
use crate::client::release::{File, text};
use serde_json::{Value, json};
use std::path::PathBuf;
use verify::release::environment_name;
use wire::cose::Sign1;
use wire::{Canonical, release};

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer release show releases/0.2.0.toml\n\
    It says who claims to have signed; `tensfer release check` verifies that.")]
pub struct Args {
    /// The release (TOML).
    release: PathBuf,

    /// Print JSON: release, name, build, commit, connectors, from, until, programs, signed_by.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let file = File::read(&args.release)?;
    let signed_by: Vec<String> = file.signatures.iter().map(|signature| claimed_key(signature)).collect();
    if args.json {
        return print_json(&shown(&file, &signed_by));
    }
    let names: String = signed_by.iter().map(|name| format!("# claims to be signed by {name}\n")).collect();
    print(&format!("{}{names}", text(&file)))
}

/// The name of the key that a signature claims, unverified.
fn claimed_key(signature: &[u8]) -> String {
    let protected = Sign1::from_bytes(signature).and_then(|signed| signed.protected());
    protected.map_or_else(|_| "nobody: it is no signature".to_owned(), |protected| hex(&protected.key))
}

fn shown(file: &File, signed_by: &[String]) -> Value {
    let release::Release { name, build, connectors, from, until, programs, .. } = &file.release;
    let programs = programs.iter().map(|one| {
        let registers = one.program.registers.iter();
        let registers: serde_json::Map<String, Value> =
            registers.map(|register| (register.name.clone(), hex(&register.value).into())).collect();
        json!({
            "tee": tee_name(one.program.tee),
            "environment": environment_name(one.environment),
            "registers": registers,
        })
    });
    json!({
        "release": hex(&file.hash()),
        "name": name,
        "build": build.version,
        "commit": build.commit,
        "connectors": hex(&connectors.0),
        "from": rfc3339(*from),
        "until": rfc3339(*until),
        "programs": programs.collect::<Vec<_>>(),
        "signed_by": signed_by,
    })
}
