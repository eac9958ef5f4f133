//! `root opened`: a holder shows that their shares open, and what approvers want of that before an epoch becomes current.

use super::super::{print, print_json};
use super::genesis::Record;
use super::held::Held;
use super::holder_key::HolderKey;
use super::{damaged, read_file};
use crate::client::encode::{from_hex, hex};
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::options::Options;
use crate::client::terminal::say;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use verify::holder::{is_receipt, receipt};
use wire::manifest::{Manifest, RootCommitment};

const FORMAT: &str = "tensfer share receipts";

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tensfer root opened --genesis epoch-2.genesis --key dot.key --output epoch-2.dot\n\
    What it writes is public: it could not be made without your share, and says nothing of it. Approvers want it before they \
    make an epoch current.")]
pub struct Args {
    /// What a genesis made, or the beginning of an epoch: your share is in it, sealed to your key.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,

    #[command(flatten)]
    key: HolderKey,

    /// The new file with your receipts.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// Print JSON: holder, receipts.
    #[arg(long)]
    json: bool,
}

/// One holder's receipts, one for each root.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipts {
    format: String,
    version: u8,
    /// From 1.
    holder: u8,
    receipts: Vec<Receipt>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Receipt {
    class: String,
    epoch: u32,
    /// 64 hexadecimal digits.
    receipt: String,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let record = Record::read(&args.genesis)?;
    let genesis = record.verify(options)?;
    let asked = record.proposal()?;
    let asked = (asked.manifest(), asked.manifest().recipients());
    let held = Held::open(options, &args.key, std::slice::from_ref(&record), asked)?;
    let shares = held.shares(&genesis.roots)?;
    let receipts = shares.shares.iter().map(|share| {
        let bytes = share.share[..].try_into().map_err(|_| damaged(&args.genesis, "genesis"))?;
        let made = receipt(share.class, share.epoch, held.number(), bytes);
        Ok(Receipt { class: share.class.to_owned(), epoch: share.epoch, receipt: hex(&made) })
    });
    let receipts: Vec<Receipt> = receipts.collect::<Result<_>>()?;
    let receipts = Receipts { format: FORMAT.to_owned(), version: 1, holder: held.number(), receipts };
    let mut bytes = serde_json::to_vec_pretty(&receipts)
        .map_err(|_| Failure::internal("this program could not write your receipts"))?;
    bytes.push(b'\n');
    files::create(&args.output, &bytes)?;
    if args.json {
        return print_json(&receipts);
    }
    for Receipt { class, epoch, .. } in &receipts.receipts {
        print(&format!(
            "your share of root {epoch} of class {class} opens, and is the one that was committed to\n"
        ))?;
    }
    Ok(())
}

impl Receipts {
    pub fn read(path: &Path) -> Result<Receipts> {
        let bytes = read_file(path, "receipt")?;
        let read: Receipts = serde_json::from_slice(&bytes).map_err(|_| damaged(path, "receipt"))?;
        if read.format == FORMAT && read.version == 1 { Ok(read) } else { Err(damaged(path, "receipt")) }
    }

    /// Whether the holder of this number has shown that they had their share of the root.
    fn shows(&self, number: u8, root: &RootCommitment) -> bool {
        let is_its = |receipt: &Receipt| {
            let bytes = from_hex(&receipt.receipt).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            bytes.is_some_and(|bytes| is_receipt(&bytes, number, root))
        };
        self.holder == number && self.receipts.iter().any(is_its)
    }
}

/// That the root of every epoch that a manifest makes current after another would come back: its enclave alone has it
/// otherwise, and everything that is sealed under it ends with that. What was current in the manifest `after` which it comes,
/// with the same shares, was looked at then.
pub fn check(manifest: &Manifest, after: Option<&Manifest>, given: &[Receipts]) -> Result<()> {
    let is_made_current = |root: &&RootCommitment| {
        let is_newest = manifest.newest(&root.class) == Some(root.epoch);
        let is_current = |of: &Manifest| of.roots.contains(*root) && !of.is_pending(&root.class, root.epoch);
        root.epoch > 1 && is_newest && is_current(manifest) && !after.is_some_and(is_current)
    };
    manifest.roots.iter().filter(is_made_current).try_for_each(|root| check_one(manifest, root, given))
}

/// That every root would come back.
pub fn check_all(manifest: &Manifest, given: &[Receipts]) -> Result<()> {
    manifest.roots.iter().try_for_each(|root| check_one(manifest, root, given))
}

/// That one holder more than it takes has shown that their share of a root opens.
fn check_one(manifest: &Manifest, root: &RootCommitment, given: &[Receipts]) -> Result<()> {
    let holders = &manifest.holders;
    let (have, lack): (Vec<_>, Vec<_>) = (1u8..)
        .zip(&holders.members)
        .partition(|(number, _)| given.iter().any(|receipts| receipts.shows(*number, root)));
    let lacking: Vec<&str> = lack.iter().map(|(_, holder)| holder.alias.as_str()).collect();
    let wanted = holders.members.len().min(usize::from(holders.threshold) + 1);
    if have.len() < wanted {
        return Err(not_opened(root, have.len(), wanted, &lacking));
    }
    if !lack.is_empty() {
        say(format!(
            "warning: of root {} of class {}, nothing shows that the shares of {} open",
            root.epoch,
            root.class,
            lacking.join(", ")
        ));
    }
    Ok(())
}

fn not_opened(root: &RootCommitment, have: usize, wanted: usize, lacking: &[&str]) -> Failure {
    let RootCommitment { epoch, class, .. } = root;
    Failure::refused(
        "not_opened",
        format!(
            "{have} holders have shown that their share of root {epoch} of class {class} opens, and {wanted} have to first \
             (not_opened)"
        ),
    )
    .hint(format!(
        "have {} run `tensfer root opened`, and name each file with `--opened FILE`: what is sealed under a root that does not \
         come back is lost with its enclave; of roots that were current in the manifest before, name that with `--after FILE`",
        lacking.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::example;
    use super::*;
    use verify::holder::commitment;
    use wire::manifest::{Holder, Stage, Step};

    const SHARES: [[u8; 32]; 3] = [[1; 32], [2; 32], [3; 32]];

    /// Two of three holders; epoch 2 of class `any` is current.
    fn manifest() -> Manifest {
        let mut manifest = example();
        let holder = |alias: &&str| Holder {
            alias: (*alias).to_owned(),
            key: alias.as_bytes().repeat(608)[..1216].to_vec(),
        };
        manifest.holders.members = ["dot", "eve", "fay"].iter().map(holder).collect();
        manifest.holders.threshold = 2;
        (manifest.classes, manifest.delay) = (vec!["any".to_owned()], None);
        manifest.roots.truncate(1);
        let first = &mut manifest.roots[0];
        first.shares = vec![first.shares[0]; 3];
        let mut second = first.clone();
        second.epoch = 2;
        second.shares = (1u8..)
            .zip(&SHARES)
            .map(|(n, share)| commitment("any", 2, n, &receipt("any", 2, n, share)))
            .collect();
        manifest.roots.push(second);
        manifest
    }

    fn receipts(number: u8, share: &[u8; 32]) -> Receipts {
        let made =
            Receipt { class: "any".to_owned(), epoch: 2, receipt: hex(&receipt("any", 2, number, share)) };
        Receipts { format: FORMAT.to_owned(), version: 1, holder: number, receipts: vec![made] }
    }

    #[test]
    fn an_epoch_becomes_current_when_more_holders_than_it_takes_have_shown_that_their_shares_open() {
        let (manifest, all) = (manifest(), || (1u8..).zip(&SHARES).map(|(n, share)| receipts(n, share)));
        let check = |manifest: &Manifest, given: &[Receipts]| super::check(manifest, None, given);
        assert!(check(&manifest, &all().collect::<Vec<_>>()).is_ok());
        let two: Vec<Receipts> = all().take(2).collect();
        assert_eq!(check(&manifest, &two).unwrap_err().code, "not_opened");
        for wrong in [receipts(3, &SHARES[0]), receipts(2, &SHARES[1]), receipts(3, &[9; 32])] {
            let given: Vec<Receipts> = all().take(2).chain([wrong]).collect();
            assert!(check(&manifest, &given).is_err(), "a share of another, one twice, one that nobody has");
        }
        let mut another = receipts(1, &SHARES[0]);
        another.holder = 3;
        assert!(check(&manifest, &all().take(2).chain([another]).collect::<Vec<_>>()).is_err());
        // Nothing is sealed under a pending epoch; and of a first one, a boot shows it.
        let step = Step { stage: Stage::Pending, class: "any".to_owned(), epoch: 2 };
        assert!(check(&Manifest { steps: Some(vec![step]), ..manifest.clone() }, &[]).is_ok());
        let mut first = manifest;
        first.roots.truncate(1);
        assert!(check(&first, &[]).is_ok());
    }

    #[test]
    fn a_root_that_was_current_before_is_asked_about_again_only_where_its_shares_are_others() {
        let later = Manifest { nonce: manifest().nonce + 1, ..manifest() };
        assert!(check(&later, Some(&manifest()), &[]).is_ok());
        let step = Step { stage: Stage::Pending, class: "any".to_owned(), epoch: 2 };
        let pending = Manifest { steps: Some(vec![step]), ..manifest() };
        let (mut others, mut without) = (manifest(), manifest());
        others.roots[1].shares.swap(0, 1);
        without.roots.truncate(1);
        for before in [pending, others, without] {
            assert_eq!(check(&later, Some(&before), &[]).unwrap_err().code, "not_opened");
        }
    }
}
