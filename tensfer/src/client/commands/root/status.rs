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
use wire::ceremony::{Answer, Ceremony, LineState, Phase, Standing, Status};
use wire::manifest::Manifest;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer root status --manifest example-2.toml")]
pub struct Args {
    /// The manifest, to show holders by their names.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    #[command(flatten)]
    at: At,

    /// Print JSON: phase, manifest, released, threshold, line.
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
    /// Of an enclave that has its roots, and witnesses.
    line: Option<Line>,
}

/// How it stands with its witnesses.
#[derive(Serialize)]
struct Line {
    state: &'static str,
    heard: u8,
    needed: u8,
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
            line: status.line.map(Line::of),
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
        if let Some(line) = &self.line {
            let _ = writeln!(text, "line      {}", line.sentence());
        }
        text
    }
}

impl Line {
    fn of(Standing { state, heard, needed }: Standing) -> Line {
        let state = match state {
            LineState::Held => "held",
            LineState::Asking => "asking",
            LineState::AskingFormer => "asking_former",
            LineState::Closing => "closing",
            LineState::Refused => "refused",
            LineState::Lost => "lost",
        };
        Line { state, heard, needed }
    }

    /// What it waits for, and who can help.
    fn sentence(&self) -> String {
        let Line { state, heard, needed } = self;
        match *state {
            "held" => format!("held; {needed} witnesses sign each result"),
            "asking" => format!("asks its witnesses: {heard} have answered, {needed} are needed"),
            "asking_former" => format!(
                "its witnesses are new: it asks those whose place they take, {heard} have answered, {needed} are needed; start \
                 them, and name them to `tensfer up`"
            ),
            "closing" => format!(
                "its witnesses are new: {heard} of those whose place they take have signed that they are closed, {needed} have to"
            ),
            "refused" => {
                "refused: what the host kept is not what the witnesses signed last, or a manifest was skipped (the relay's log \
                 says more)"
                    .to_owned()
            }
            _ => "lost: another start has it, or newer witnesses; start it anew, with the newest manifest".to_owned(),
        }
    }
}
