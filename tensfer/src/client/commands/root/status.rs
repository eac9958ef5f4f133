//! `root status`: how far an enclave is, by its host's word.

use super::super::{print, print_json};
use super::relay::At;
use super::{ceremony, manifest};
use crate::client::encode::hex;
use crate::client::failure::Result;
use crate::client::options::Options;
use crate::client::terminal::say;
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;
use wire::ceremony::{Answer, Ceremony, Phase, Status};
use wire::manifest::Manifest;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer root status --manifest example-2.toml")]
pub struct Args {
    /// The manifest, to show holders by their names.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    #[command(flatten)]
    at: At,

    /// Print JSON: phase, manifest, released, threshold.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
pub struct Shown {
    phase: &'static str,
    manifest: Option<String>,
    /// By alias where the manifest was given, else by number.
    released: Vec<String>,
    threshold: u8,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let manifest = args.manifest.as_deref().map(manifest::read).transpose()?;
    let answer = ceremony::ask(&args.at.relay(options)?, &Ceremony::Status, None)?;
    let Answer::Status(status) = answer else { return Err(ceremony::unexpected()) };
    let shown = Shown::of(&status, manifest.as_ref());
    if args.json {
        return print_json(&shown);
    }
    print(&shown.text())?;
    say("This is the host's word; `tensfer verify` and `tensfer root release` check.");
    Ok(())
}

impl Shown {
    pub fn of(status: &Status, manifest: Option<&Manifest>) -> Shown {
        let alias = |number: &u8| {
            let place = usize::from(*number).checked_sub(1);
            let holder =
                manifest.zip(place).and_then(|(manifest, place)| manifest.holders.members.get(place));
            holder.map_or_else(|| number.to_string(), |holder| holder.alias.clone())
        };
        Shown {
            phase: match status.phase {
                Phase::Waiting => "waiting",
                Phase::Collecting => "collecting",
                Phase::Provisioned => "provisioned",
                Phase::Reshared => "reshared",
            },
            manifest: status.manifest.map(|hash| hex(&hash.0)),
            released: status.released.iter().map(alias).collect(),
            threshold: status.threshold,
        }
    }

    pub fn text(&self) -> String {
        let mut text = format!("phase     {}\n", self.phase);
        if let Some(manifest) = &self.manifest {
            let _ = writeln!(text, "manifest  {manifest}");
        }
        if self.threshold > 0 {
            let released =
                if self.released.is_empty() { "nobody".to_owned() } else { self.released.join(", ") };
            let _ = writeln!(text, "released  {released} ({} needed)", self.threshold);
        }
        text
    }
}
