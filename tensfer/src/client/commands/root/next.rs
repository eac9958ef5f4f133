//! `root next`: the manifest after another, with one thing changed. Nobody has signed it.

use super::super::{print, print_json};
use super::draft::{Drafted, Listed, group, holders_of, member};
use super::manifest;
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::terminal::say;
use std::path::PathBuf;
use wire::UnixMillis;
use wire::manifest::{Manifest, Replaced, Signers, Stage, Step};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer root next --after example-2.toml --make any --output example-3.toml\n  \
    tensfer root next --after example-4.toml --current --output example-5.toml\n  \
    tensfer root next --after example-6.toml --shares 2 --holder gus=gus.public --holder hal=hal.public --output example-7.toml\n  \
    tensfer root next --after example-8.toml --measurements newer.json --output example-9.toml\n  \
    tensfer root next --after example-9.toml --witness w1 --witness w2 --witness w4=w4.public --output example-10.toml\n\
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

    /// Who is to remember the newest state from then on, all of them; repeat for each: with the file of their public key, or
    /// by the alias alone who is a witness already. A majority has to agree.
    #[arg(long = "witness", value_name = "ALIAS[=FILE]", value_parser = witness, conflicts_with_all = ["make", "current", "holders"])]
    witnesses: Vec<(String, Option<PathBuf>)>,

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
        if !self.witnesses.is_empty() {
            next = self.replace(next)?;
        }
        for listed in Listed::read(&self.measurements, self.simulated_program.as_deref())? {
            next.programs.push(listed.program()?);
        }
        Ok(next)
    }

    /// Other witnesses take the place of those that there are; the first ones of nobody's.
    fn replace(&self, before: Manifest) -> Result<Manifest> {
        let majority = u8::try_from(self.witnesses.len() / 2 + 1).unwrap_or(u8::MAX);
        let members = self.witnesses.iter().map(|(alias, path)| match path {
            Some(path) => {
                let one = group(majority, &[(alias.clone(), path.clone())])?;
                let read = manifest::signers_of(one).map_err(Failure::usage)?;
                read.members.into_iter().next().ok_or_else(|| no_witness(alias))
            }
            None => {
                let mut there = before.witnesses.members.iter();
                there.find(|member| member.alias == *alias).cloned().ok_or_else(|| no_witness(alias))
            }
        });
        let witnesses = Signers { threshold: majority, members: members.collect::<Result<_>>()? };
        if witnesses == before.witnesses {
            return Err(Failure::usage("those are the manifest's witnesses already"));
        }
        let generation = before.generation().checked_add(1);
        let generation = generation.ok_or_else(|| Failure::usage("the witnesses were replaced too often"))?;
        let former = before.witnesses.clone();
        let replaced = (!former.members.is_empty()).then_some(Replaced { generation, former });
        Ok(Manifest { witnesses, replaced, ..before })
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

/// `ALIAS=FILE`, or `ALIAS`.
fn witness(text: &str) -> std::result::Result<(String, Option<PathBuf>), String> {
    match text.split_once('=') {
        Some(_) => member(text).map(|(alias, path)| (alias, Some(path))),
        None => Ok((text.to_owned(), None)),
    }
}

fn no_witness(alias: &str) -> Failure {
    Failure::usage(format!("`{}` is no witness of that manifest", crate::client::terminal::printable(alias)))
        .hint("name the file of its public key, too: `--witness ALIAS=FILE`; `tensfer witness key` prints it")
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
    fn witnesses_take_the_place_of_all_those_before_and_who_stays_is_named_alone() {
        let folder = tempfile::tempdir().unwrap();
        let key = |name: &str, fill: u8| {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("ed25519:{}\n", crate::client::encode::base64(&[fill; 32])))
                .unwrap();
            Some(path)
        };
        let named = |witnesses: &[(&str, Option<PathBuf>)]| Change {
            witnesses: witnesses.iter().map(|(alias, path)| ((*alias).to_owned(), path.clone())).collect(),
            ..Change::default()
        };
        let before = example();
        let three = [("wit", None), ("new", key("new", 7)), ("other", key("other", 8))];
        let first = named(&three).after(before.clone()).unwrap();
        let former = before.witnesses.clone();
        assert_eq!(first.replaced, Some(Replaced { generation: 1, former }));
        assert_eq!(
            (first.witnesses.threshold, &first.witnesses.members[0]),
            (2, &before.witnesses.members[0])
        );
        assert_eq!(first.witnesses.members[2].key.public, [8; 32]);
        assert_eq!(first.check_form(), Ok(()));
        let second = named(&[("new", None)]).after(first.clone()).unwrap();
        assert_eq!(second.replaced, Some(Replaced { generation: 2, former: first.witnesses.clone() }));
        assert!(
            named(&[("wit", None), ("new", None), ("other", None)]).after(first.clone()).is_err(),
            "the same"
        );
        assert!(named(&[("nobody", None)]).after(first).is_err());
        // Whoever has none yet names the first ones.
        let bare = Manifest { witnesses: Signers { threshold: 0, members: Vec::new() }, ..before };
        assert_eq!(named(&[("new", key("new", 7))]).after(bare).unwrap().replaced, None);
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
