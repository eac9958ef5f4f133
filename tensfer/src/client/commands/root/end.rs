//! `root end`: the manifest that commits to the oldest epochs of a class no more, to be approved next.

use super::super::{link, print, print_json};
use super::manifest;
use crate::client::encode::hex;
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::terminal::say;
use serde::Serialize;
use std::path::{Path, PathBuf};
use wire::Canonical;
use wire::consent::Class;
use wire::manifest::{Manifest, RootCommitment};

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tensfer root end --manifest example-5.toml --epoch 1 --next example-6.toml\n\
    No enclave is asked, and nothing ends by it: approve the manifest that it writes, then `tensfer root adopt` it. The enclave \
    goes over to it once it has stated that nobody is left (`tensfer root rotate conclude`).")]
pub struct Args {
    /// The manifest that the enclave runs under (TOML).
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,

    /// The epoch that is to end, with those before it.
    #[arg(long)]
    epoch: u32,

    /// Of this consent class.
    #[arg(long, default_value = "any", value_parser = link::class)]
    class: Class,

    /// The new file of the manifest that has to be approved next (TOML).
    #[arg(long, value_name = "FILE")]
    next: PathBuf,

    /// Print JSON: manifest.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let own = manifest::read(&args.manifest)?;
    let next = ended(&own, args.class, args.epoch)?;
    write_next(&args.next, &next, args.json)
}

/// The manifest after `own` that ends an epoch of a class, and those before it.
fn ended(own: &Manifest, class: Class, epoch: u32) -> Result<Manifest> {
    let is_over = |root: &RootCommitment| root.class() == Some(class) && root.epoch <= epoch;
    let (over, roots): (Vec<RootCommitment>, _) = own.roots.iter().cloned().partition(is_over);
    if over.is_empty() {
        let sentence = format!("the manifest commits to no epoch of class {class} up to {epoch}");
        return Err(Failure::usage(sentence).hint("name one of its `[[roots]]`"));
    }
    let mut next = Manifest { nonce: next_nonce(own)?, roots, first: None, ..own.clone() };
    // What was noticed comes about.
    let mut notices = next.notices.take().unwrap_or_default();
    notices.retain(|notice| notice.class != class.name() || notice.epoch > epoch);
    next.notices = (!notices.is_empty()).then_some(notices);
    // The deployment keeps its name, whatever becomes of its first root.
    next.first = if next.first_root().is_some() { None } else { own.first_root().copied() };
    match next.check_form() {
        Ok(()) => Ok(next),
        Err(fault) => Err(Failure::usage(format!("the manifest that would follow is none: {fault}"))
            .hint("what is sealed under, what is on its way, and what comes after them stays")),
    }
}

pub fn next_nonce(own: &Manifest) -> Result<u32> {
    let nonce = own.nonce.checked_add(1);
    nonce.ok_or_else(|| Failure::usage("the manifest's nonce is the highest there is"))
}

/// Writes a manifest that is to be approved, and says its hash.
pub fn write_next(path: &Path, next: &Manifest, json: bool) -> Result<()> {
    files::create(path, manifest::text(next).as_bytes())?;
    let name = hex(&verify::manifest::hash(&next.to_bytes()));
    say(format!("hint: approve `{}` next, then `tensfer root adopt` it", path.display()));
    match json {
        true => print_json(&Written { manifest: name }),
        false => print(&format!("{name}\n")),
    }
}

#[derive(Serialize)]
struct Written {
    manifest: String,
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::example;
    use super::*;

    #[test]
    fn what_ends_is_the_oldest_and_the_deployment_keeps_its_name() {
        let mut own = example();
        let second =
            RootCommitment { epoch: 2, commitment: wire::evidence::Hash([2; 32]), ..own.roots[0].clone() };
        own.roots.insert(1, second);
        own.check_form().unwrap();
        let next = ended(&own, Class::Any, 1).unwrap();
        assert_eq!((next.nonce, next.roots.len(), next.first), (3, 3, Some(own.roots[0].commitment)));
        assert_eq!(next.first_root(), own.first_root());
        for (class, epoch) in [(Class::Any, 2), (Class::Any, 0), (Class::Delayed, 1)] {
            assert!(ended(&own, class, epoch).is_err(), "epoch {epoch} of class {class}");
        }
    }
}
