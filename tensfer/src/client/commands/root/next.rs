//! `root next`: the manifest after another, with one thing changed. Nobody has signed it.

use super::super::{print, print_json};
use super::draft::{Drafted, Listed, group, holders_of, member};
use super::manifest;
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::terminal::say;
use std::path::PathBuf;
use wire::UnixMillis;
use wire::manifest::{Manifest, Stage, Step};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer root next --after example-2.toml --make any --output example-3.toml\n  \
    tensfer root next --after example-4.toml --current --output example-5.toml\n  \
    tensfer root next --after example-6.toml --shares 2 --holder gus=gus.public --holder hal=hal.public --output example-7.toml\n  \
    tensfer root next --after example-8.toml --measurements newer.json --output example-9.toml\n\
    Nothing is decided by it: approvers read and sign what it writes (`tensfer root approve`).")]
pub struct Args {
    /// The newest manifest (TOML).
    #[arg(long, value_name = "FILE")]
    after: PathBuf,

    #[command(flatten)]
    change: Change,

    /// When it is over, if not when the one before is; at most two years after it began.
    #[arg(long, value_name = "RFC3339", value_parser = manifest::time)]
    until: Option<UnixMillis>,

    /// The new file (TOML).
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// Print JSON: manifest, output.
    #[arg(long)]
    json: bool,
}

/// What is to be another.
#[derive(clap::Args, Debug, Default)]
struct Change {
    /// Ask for the next epoch of a class; repeat for each. `tensfer root begin` makes it.
    #[arg(long, value_name = "CLASS")]
    make: Vec<String>,

    /// Make the epochs current that are pending.
    #[arg(long, conflicts_with = "make")]
    current: bool,

    /// Ask to have the roots split to these instead, from the present holders' hands, and the file of their public key; repeat
    /// for each.
    #[arg(long = "holder", value_name = "ALIAS=FILE", value_parser = member, requires = "shares", conflicts_with_all = ["make", "current"])]
    holders: Vec<(String, PathBuf)>,

    /// How many of their shares it takes to put a root together.
    #[arg(long, value_name = "NUMBER", requires = "holders")]
    shares: Option<u8>,

    /// A further program that may have the roots: what `make image` or `make measure` wrote; repeat for each.
    #[arg(long, value_name = "FILE")]
    measurements: Vec<PathBuf>,

    /// The program of a simulated enclave, likewise.
    #[arg(long, value_name = "FILE", conflicts_with = "measurements")]
    simulated_program: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<()> {
    let mut next = args.change.after(manifest::read(&args.after)?)?;
    next.until = args.until.unwrap_or(next.until);
    let text = manifest::text(&next);
    let next = manifest::parse(&text).map_err(|why| {
        Failure::usage(format!("that makes no manifest: {}", why.trim_end()))
            .hint("docs/spec/provisioning.md, section 2, has the rules")
    })?;
    files::create(&args.output, text.as_bytes())?;
    say(format!("`{}`: read it, and have it approved (`tensfer root approve`)", args.output.display()));
    let drafted = Drafted::of(&next, &args.output);
    if args.json { print_json(&drafted) } else { print(&format!("{}\n", drafted.manifest)) }
}

impl Change {
    /// The same with a higher nonce, and this.
    fn after(&self, manifest: Manifest) -> Result<Manifest> {
        let asks =
            manifest.reshare.is_some() || manifest.steps().iter().any(|step| step.stage == Stage::Make);
        if asks {
            return Err(Failure::usage(
                "that manifest asks for something: the one after it is written when it is there",
            )
            .hint("`tensfer root begin`, or `tensfer root reshare`, with `--next`"));
        }
        let nonce = manifest.nonce.checked_add(1);
        let nonce = nonce.ok_or_else(|| Failure::usage("the manifest's nonce is the highest there is"))?;
        let mut next = Manifest { nonce, ..manifest };
        self.ask(&mut next)?;
        if self.current {
            next.steps.take().ok_or_else(|| Failure::usage("no epoch is pending in that manifest"))?;
        }
        if let Some(shares) = self.shares {
            next.reshare = Some(holders_of(group(shares, &self.holders)?)?);
        }
        for listed in Listed::read(&self.measurements, self.simulated_program.as_deref())? {
            next.programs.push(listed.program()?);
        }
        Ok(next)
    }

    /// Steps stand in the order of the classes.
    fn ask(&self, next: &mut Manifest) -> Result<()> {
        if self.make.is_empty() {
            return Ok(());
        }
        let mut steps = next.steps.take().unwrap_or_default();
        for class in &self.make {
            let newest = next.newest(class).ok_or_else(|| no_such(class))?;
            steps.push(Step { stage: Stage::Make, class: class.clone(), epoch: newest.saturating_add(1) });
        }
        steps.sort_by_key(|step| next.classes.iter().position(|class| *class == step.class));
        next.steps = Some(steps);
        Ok(())
    }
}

fn no_such(class: &str) -> Failure {
    Failure::usage(format!(
        "the manifest has no root of class `{}`",
        crate::client::terminal::printable(class)
    ))
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::example;
    use super::*;

    fn change(make: &[&str], current: bool) -> Change {
        let make = make.iter().map(|word| (*word).to_owned()).collect();
        Change { make, current, ..Change::default() }
    }

    #[test]
    fn the_manifest_after_another_differs_by_its_nonce_and_what_was_asked_for() {
        let before = example();
        let asked = change(&["owner", "any"], false).after(before.clone()).unwrap();
        let steps: Vec<_> =
            asked.steps().iter().map(|step| (step.class.as_str(), step.epoch, step.stage)).collect();
        assert_eq!(steps, [("any", 2, Stage::Make), ("owner", 2, Stage::Make)]);
        assert_eq!(Manifest { steps: None, nonce: before.nonce, ..asked.clone() }, before);
        // What asks for something has no other after it than the one that has that.
        assert!(change(&[], false).after(asked).is_err());
        assert!(change(&["other"], false).after(before.clone()).is_err());
        assert!(change(&[], true).after(before).is_err(), "nothing is pending");
    }

    #[test]
    fn a_pending_epoch_becomes_current() {
        let mut before = example();
        let mut second = before.roots[1].clone();
        second.epoch = 2;
        before.roots.insert(2, second);
        let pending = Step { stage: Stage::Pending, class: "delayed".to_owned(), epoch: 2 };
        let held = Manifest { steps: Some(vec![pending]), ..before.clone() };
        let current = change(&[], true).after(held).unwrap();
        assert_eq!((current.steps, current.nonce), (None, before.nonce + 1));
    }
}
