//! `wallet`: wallets whose key is made, or brought, into an envelope and signs in the enclave.
//!
//! Nobody but their owner can bring such a key back, so the product insists on a backup: until its owner has shown that
//! they have the words, no address is given out to be paid to.

mod backup;
mod prove;
mod signature;

use super::{link, print, print_json};
use crate::client::clock::now;
use crate::client::credential::{self, Credential};
use crate::client::failure::{Failure, Result};
use crate::client::finding;
use crate::client::home::record::Record;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::{Enclave as _, Session};
use crate::client::terminal::{printable, say};
use host::catalogue::Exchange;
use serde::Serialize;
use std::path::PathBuf;
use wire::Canonical;
use wire::capability::{Finding, State};
use wire::consent::Class;
use wire::operation::Op;
use wire::record::{Kind, Page, Query};
use zeroize::Zeroizing;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Make a new wallet: its key is born in the enclave.
    Create(Create),
    /// Bring a wallet: its words are sealed to the enclave.
    Import(Import),
    /// Show the words of a wallet, to write them down. Needs your second factor.
    Backup(backup::Args),
    /// Show where others pay to.
    Address(Address),
    /// Link an address of a wallet that is elsewhere as yours, by a text that it signs.
    Prove(prove::Args),
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer wallet create ethereum --name pocket")]
pub struct Create {
    /// The network, such as `ethereum`.
    network: String,

    /// What to call it; default: the network.
    #[arg(long)]
    name: Option<String>,

    /// Which addresses it has on Bitcoin.
    #[arg(long, value_enum, default_value_t = Addresses::Segwit)]
    addresses: Addresses,

    /// Print JSON: id, name, exchange.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer wallet import bitcoin --phrase - < words")]
pub struct Import {
    /// The network, such as `bitcoin`.
    network: String,

    /// The words (BIP 39), parted by single spaces: a file, `/dev/fd/N`, or `-` for standard input. They are asked for
    /// without echo otherwise.
    #[arg(long, value_name = "FILE")]
    phrase: Option<PathBuf>,

    /// What to call it; default: the network.
    #[arg(long)]
    name: Option<String>,

    /// Which of the phrase's accounts, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    account: u32,

    /// Which addresses it has on Bitcoin.
    #[arg(long, value_enum, default_value_t = Addresses::Segwit)]
    addresses: Addresses,

    /// Print JSON: id, name, exchange.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer wallet address pocket")]
pub struct Address {
    /// The wallet's id or name.
    id: String,

    /// Even of a wallet whose words nobody has written down: what is paid to it is lost with its envelope.
    #[arg(long)]
    dangerous_without_backup: bool,

    /// Print JSON: asset, chain, address.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Addresses {
    /// P2WPKH (BIP 84).
    Segwit,
    /// P2TR (BIP 86).
    Taproot,
}

impl Addresses {
    fn name(self) -> &'static str {
        match self {
            Addresses::Segwit => "segwit",
            Addresses::Taproot => "taproot",
        }
    }
}

#[derive(Serialize)]
struct Made {
    id: String,
    name: String,
    exchange: String,
}

pub fn run(options: &Options, command: &Command) -> Result<()> {
    match command {
        Command::Create(args) => create(options, args),
        Command::Import(args) => import(options, args),
        Command::Backup(args) => backup::run(options, args),
        Command::Address(args) => address(options, args),
        Command::Prove(args) => prove::run(options, args),
    }
}

fn create(options: &Options, args: &Create) -> Result<()> {
    let network = network(&args.network)?;
    let asked = format!(r#"{{"make":"{}"}}"#, args.addresses.name());
    let given = |_: &Session| Ok(Zeroizing::new(asked.into_bytes()));
    let (record, _) = link::new_connection(options, network, args.name.as_deref(), Class::Any, given)?;
    let name = printable(&record.name);
    say(format!(
        "hint: nobody but you can bring its key back: run `tensfer wallet backup {name}` before it is paid to"
    ));
    show(&record, args.json)
}

fn import(options: &Options, args: &Import) -> Result<()> {
    let network = network(&args.network)?;
    let given = |session: &Session| {
        let phrase = match &args.phrase {
            Some(path) => backup::read_words(path)?,
            None => credential::ask_secret("The words (not shown)")?,
        };
        session.refresh()?;
        kept(&phrase, args)
    };
    let (mut record, _) = link::new_connection(options, network, args.name.as_deref(), Class::Any, given)?;
    // Who brought the words has them.
    record.backed_up = Some(now().0);
    options.home()?.save(&record)?;
    show(&record, args.json)
}

/// The credential of a wallet that is brought.
fn kept(phrase: &str, args: &Import) -> Result<Credential> {
    let words = backup::normalised(phrase);
    if !words.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' ') {
        return Err(Failure::usage("the words are not English words in lower case"));
    }
    let (account, addresses) = (args.account, args.addresses.name());
    let head = r#"{"phrase":""#;
    let tail = format!(r#"","account":"{account}","addresses":"{addresses}"}}"#);
    // One allocation of the right size: growing would leave copies behind.
    let mut json = Zeroizing::new(Vec::with_capacity(head.len() + words.len() + tail.len()));
    json.extend_from_slice(head.as_bytes());
    json.extend_from_slice(words.as_bytes());
    json.extend_from_slice(tail.as_bytes());
    Ok(json)
}

fn show(record: &Record, json: bool) -> Result<()> {
    let (id, name, exchange) = (record.id.to_string(), record.name.clone(), record.exchange.clone());
    if json {
        return print_json(&Made { id, name, exchange });
    }
    print(&format!("wallet {} on {exchange} ({id})\n", printable(&name)))
}

/// The first address that nobody has paid to, or the only one there is.
fn address(options: &Options, args: &Address) -> Result<()> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let linked = Linked::open(&home, &session)?;
    let mut record = linked.connection(&args.id)?;
    network(&record.exchange)?;
    if keeps_its_key(&record) && record.backed_up.is_none() && !args.dangerous_without_backup {
        let name = printable(&record.name);
        return Err(Failure::refused(
            "backup_needed",
            format!(
                "the words of `{name}` are written down nowhere: what is paid to it can be lost for good"
            ),
        )
        .hint(format!("run `tensfer wallet backup {name}` first")));
    }
    let slot = record.current()?.clone();
    let query = Query {
        kind: Kind::Addresses,
        asset: None,
        chain: None,
        market: None,
        since: None,
        until: None,
        from: None,
        account: None,
    };
    let result = linked.ask(&mut record, &slot, Op::Read, &query.to_bytes(), &[])?;
    let page = Page::from_bytes(&result).ok();
    let row = page.as_ref().and_then(|page| page.rows.first());
    let field = |name: &str| row.and_then(|row| row.field(name)).map(printable);
    let (Some(address), Some(asset), Some(chain)) = (field("address"), field("asset"), field("chain")) else {
        return Err(Failure::internal("the enclave answered with something unreadable"));
    };
    if args.json {
        return print_json(&serde_json::json!({ "asset": asset, "chain": chain, "address": address }));
    }
    print(&format!("{address}\n"))
}

fn network(id: &str) -> Result<&'static Exchange> {
    let found = link::known_exchange(id)?;
    match found.chain {
        Some(_) => Ok(found),
        None => Err(Failure::usage(format!("{} is an exchange, and keeps no wallet of yours", found.name))
            .hint("name a network, such as `ethereum`, `bitcoin` or `solana`")),
    }
}

/// Whether the wallet's key is in its envelope, as the enclave found when it was linked.
pub(super) fn keeps_its_key(record: &Record) -> bool {
    let can_move = |finding: &Finding| finding::withdraw(finding) != State::No;
    finding::stored(record).is_none_or(|finding| can_move(&finding))
}
