//! `grant make`: the owner signs what a business may ask for, with both keys.

use super::{Shown, print, print_json, unreadable};
use crate::client::clock::now;
use crate::client::commands::granted::PublicKeys;
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::grants::{Given, GrantFile};
use crate::client::home::realm::Realm;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::{Enclave, Session};
use crate::client::terminal::{ask_line, can_ask, printable, say};
use std::path::PathBuf;
use wire::grant::{Grant, Made, Make, Rate, Terms};
use wire::operation::Op;
use wire::owner::OwnerRole;
use wire::{Canonical, UnixMillis};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// The enclave's clock may be so far behind ours, and the grant is to be of use at once.
const LEEWAY: u64 = 120_000;

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tensfer grant make kraken --to payroll.pub --uses 1000 --days 90 --output kraken.grant\n  \
    tensfer grant make kraken --to tax.pub --operations read --uses 20 --days 7 --per-day 5 --output tax.grant\n\n\
    Limit by `--uses` what has to be limited: days hold as far as the server's clock is right."
)]
pub struct Args {
    /// The connection's id or name.
    id: String,

    /// The business's public keys, as its `tensfer granted key` wrote them.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,

    /// What you call the business, for `tensfer grant list`.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// What it may ask for.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "balances")]
    operations: Vec<Operation>,

    /// How often, in all.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    uses: u32,

    /// For how many days.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=366))]
    days: u64,

    /// How often in a day.
    #[arg(long, value_name = "NUMBER", conflicts_with = "per_hour", value_parser = clap::value_parser!(u32).range(1..))]
    per_day: Option<u32>,

    /// How often in an hour.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    per_hour: Option<u32>,

    /// The new file, for the business.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// Sign without asking.
    #[arg(long)]
    yes: bool,

    /// Print JSON: what `grant show` prints.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
enum Operation {
    /// What the account holds.
    Balances,
    /// Deposits, withdrawals, ledger, trades, addresses and the like.
    Read,
    /// What became of an instruction.
    Status,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    if files::read(&args.output)?.is_some() {
        let shown = args.output.display();
        return Err(Failure::usage(format!("`{shown}` exists already, and is not overwritten"))
            .hint("name a new file"));
    }
    let keys = PublicKeys::read(&args.to)?;
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    if keys.realm != session.realm() {
        return Err(Realm::mixed(keys.realm, session.realm()));
    }
    let linked = Linked::open(&home, &session)?;
    let given = make(&linked, session.server(), args, &keys)?;
    // First where it is found again: it is in force already.
    home.save_given_grant(&given)?;
    files::create(&args.output, &given.grant.to_bytes()?)?;
    say(format!("wrote the grant to `{}`: only the business's own keys can use it", args.output.display()));
    let shown = Shown::of_file(&given.grant)?;
    if args.json { print_json(&shown) } else { print(&shown.text()) }
}

fn make(linked: &Linked<'_>, server: &str, args: &Args, keys: &PublicKeys) -> Result<Given> {
    let mut record = linked.connection(&args.id)?;
    let slot = record.current()?.clone();
    let ring = linked.home.second_factor(linked.enclave.realm())?;
    let second = slot.owner(OwnerRole::Second).and_then(|key| ring.as_ref()?.find(key)).ok_or_else(|| {
        let name = printable(&record.name);
        Failure::refused("second_factor_needed", format!("your second factor of `{name}` is not at hand"))
            .hint("a grant needs both your keys: name the second one's file with `--second-factor FILE`")
    })?;
    confirm(linked, args, keys)?;
    let asked = Make { terms: terms(args, keys, now()), recipient: keys.sealing.clone() };
    let made = linked.ask(&mut record, &slot, Op::Grant, &asked.to_bytes(), &[second])?;
    let made = Made::from_bytes(&made).map_err(|_| unreadable())?;
    // With tokens that were about to run out, they were renewed on the way.
    let slot = record.current()?.clone();
    let (_, body) = Grant::parse(&made.grant).ok_or_else(unreadable)?;
    let generation = slot.generation;
    if (body.header.connection, body.header.generation, &body.terms) != (record.id, generation, &asked.terms)
    {
        return Err(unreadable());
    }
    let kind = (linked.enclave.realm(), linked.enclave.environment());
    let file = GrantFile::new(kind, (server, &record.exchange), &made, &slot.envelope);
    let stem = || args.to.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let grantee = args.name.clone().unwrap_or_else(stem);
    file.read().ok_or_else(unreadable)?;
    Ok(Given::new(printable(&grantee), file))
}

/// A person says yes; a program does by `--yes`.
fn confirm(linked: &Linked<'_>, args: &Args, keys: &PublicKeys) -> Result<()> {
    if args.yes {
        return Ok(());
    }
    if !can_ask() || args.json {
        return Err(Failure::usage("nothing is granted without your word")
            .hint("say `--yes`, or run the command at a terminal"));
    }
    let operations: Vec<&str> = args.operations.iter().map(|operation| op(*operation).name()).collect();
    say(format!(
        "you are about to let the key {}\nask `{}` for {}, {} times in all, for {} days\n\
         compare that key with what the business says that its is",
        keys.name(),
        printable(&args.id),
        operations.join(", "),
        args.uses,
        args.days
    ));
    if ask_line("type `yes` to grant this")?.trim() != "yes" {
        return Err(Failure::refused("not_confirmed", "you did not say yes, and nothing was granted"));
    }
    // They may have taken their time.
    linked.enclave.refresh()
}

fn terms(args: &Args, keys: &PublicKeys, now: UnixMillis) -> Terms {
    let mut ops: Vec<Op> = args.operations.iter().copied().map(op).collect();
    ops.sort_unstable();
    ops.dedup();
    let from = UnixMillis(now.0.saturating_sub(LEEWAY));
    let day = args.per_day.map(|uses| Rate { uses, period: DAY });
    let hour = args.per_hour.map(|uses| Rate { uses, period: HOUR });
    let expires = from.plus(args.days * DAY);
    Terms { key: keys.key(), ops, from, expires, uses: args.uses, rate: day.or(hour) }
}

const fn op(operation: Operation) -> Op {
    match operation {
        Operation::Balances => Op::Balances,
        Operation::Read => Op::Read,
        Operation::Status => Op::Status,
    }
}
