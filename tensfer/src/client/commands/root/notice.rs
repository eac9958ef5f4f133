//! `root notice`: the manifest that gives notice to who is still in an epoch, to be approved next.

use super::super::link;
use super::super::rotation::verify::checked;
use super::end::{next_nonce, write_next};
use super::manifest;
use crate::client::failure::{Failure, Result};
use crate::client::options::Options;
use std::path::PathBuf;
use wire::consent::Class;
use wire::evidence::Hash;
use wire::manifest::{Manifest, Notice};
use wire::register::Statement;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tensfer root notice --manifest example-5.toml --completion rotation/completion-1.cbor --hours 336 --next example-6.toml\n\
    No enclave is asked. The statement is checked as `tensfer rotation verify` does. Approve what is written, and `tensfer root \
    adopt` it in the enclave that made the statement: from then on it says to every client when the epoch ends. After the hours \
    conclude again, then `tensfer root end`.")]
pub struct Args {
    /// The manifest that the enclave runs under (TOML).
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,

    /// The statement of completion: `tensfer root rotate conclude` names its file. Whoever it counts as absent gets notice.
    #[arg(long, value_name = "FILE")]
    completion: PathBuf,

    /// How long the notice runs, by the enclave's own counter: 168 (a week) to 2160.
    #[arg(long)]
    hours: u16,

    /// The consent class that the statement has to be of.
    #[arg(long, default_value = "any", value_parser = link::class)]
    class: Class,

    /// The new file of the manifest that has to be approved next (TOML).
    #[arg(long, value_name = "FILE")]
    next: PathBuf,

    /// Print JSON: manifest.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let own = manifest::read(&args.manifest)?;
    let completion = checked(options, &args.completion)?;
    if completion.statement.class != args.class {
        let sentence = format!("the statement is of class {}", completion.statement.class);
        return Err(Failure::usage(sentence).hint("name its class: `--class`"));
    }
    write_next(&args.next, &noticed(&own, &completion.statement, completion.hash, args.hours)?, args.json)
}

/// The manifest after `own` that gives notice to whom a statement counts as absent.
fn noticed(own: &Manifest, statement: &Statement, hash: Hash, hours: u16) -> Result<Manifest> {
    if statement.counts.absent == 0 {
        return Err(Failure::usage("nobody is left in the epoch").hint("it can end now: `tensfer root end`"));
    }
    if statement.without_backup > 0 {
        let sentence = format!(
            "{} wallets are still in the epoch whose owners have not confirmed their words: they would be lost for good \
             (backup_missing)",
            statement.without_backup
        );
        return Err(Failure::refused("backup_missing", sentence)
            .hint("their owners run `tensfer wallet backup`, or `tensfer rotate --all --epoch`; then conclude again"));
    }
    let class = statement.class.name().to_owned();
    let mut notices: Vec<Notice> =
        own.notices().iter().filter(|notice| notice.class != class).cloned().collect();
    notices.push(Notice {
        class,
        epoch: statement.epoch,
        statement: hash,
        absent: statement.counts.absent,
        hours,
    });
    notices.sort_by_key(|notice| own.classes.iter().position(|class| *class == notice.class));
    let next = Manifest { nonce: next_nonce(own)?, notices: Some(notices), ..own.clone() };
    match next.check_form() {
        Ok(()) => Ok(next),
        Err(fault) => Err(Failure::usage(format!("the manifest that would follow is none: {fault}")).hint(
            "a notice is of an epoch that the manifest commits to, and after which another one is current",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::example;
    use super::*;
    use wire::manifest::RootCommitment;
    use wire::register::Counts;
    use wire::{BootId, RegisterId, UnixMillis};

    const HASH: Hash = Hash([7; 32]);

    fn stated(absent: u64, without_backup: u64) -> Statement {
        Statement {
            version: 1,
            register: RegisterId([1; 16]),
            chapter: 1,
            counter: 1,
            epoch: 1,
            current: 2,
            root: Hash([2; 32]),
            counts: Counts { absent, ..Counts::default() },
            boot: BootId([3; 16]),
            time: UnixMillis(9),
            previous: None,
            class: Class::Any,
            others: 0,
            without_backup,
        }
    }

    #[test]
    fn notice_is_given_to_exactly_those_whom_the_statement_counts_and_to_no_wallet_without_a_backup() {
        let mut own = example();
        let second = RootCommitment { epoch: 2, commitment: Hash([2; 32]), ..own.roots[0].clone() };
        own.roots.insert(1, second);
        let next = noticed(&own, &stated(3, 0), HASH, 168).unwrap();
        let notice =
            Notice { class: "any".to_owned(), epoch: 1, statement: Hash([7; 32]), absent: 3, hours: 168 };
        assert_eq!((next.nonce, next.notices()), (3, &[notice][..]));
        // Given anew, it takes the place of the one before.
        assert_eq!(noticed(&next, &stated(2, 0), HASH, 200).unwrap().notices().len(), 1);
        assert_eq!(noticed(&own, &stated(3, 1), HASH, 168).unwrap_err().code, "backup_missing");
        assert!(noticed(&own, &stated(0, 0), HASH, 168).is_err());
        assert!(noticed(&own, &stated(3, 0), HASH, 167).is_err(), "a week at least");
        assert!(noticed(&example(), &stated(3, 0), HASH, 168).is_err(), "epoch 1 is sealed under");
    }
}
