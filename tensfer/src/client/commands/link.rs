//! `link`: verify, then seal the credential to the enclave, then keep the envelope.

mod oauth;
pub(super) mod unlinked;

use super::{print, print_json};
use crate::client::clock::now;
use crate::client::credential::{self, Credential};
use crate::client::encode::canonical_secret;
use crate::client::explain::explain;
use crate::client::failure::{Failure, Result};
use crate::client::finding::{self, Shown};
use crate::client::home::Home;
use crate::client::home::environment::Environment;
use crate::client::home::key_file::random;
use crate::client::home::record::{NewConnection, Record};
use crate::client::home::rings::Ring;
use crate::client::linked::{Attempts, Linked, round_trip, take_receipt};
use crate::client::names;
use crate::client::options::Options;
use crate::client::session::{By, Call, Enclave, Session};
use crate::client::table::{Align, Table};
use crate::client::terminal::{Progress, printable, say};
use crate::client::watched::Watched;
use crate::sandbox;
use host::catalogue::{self, Exchange};
use serde::Serialize;
use std::path::PathBuf;
use utoipa::ToSchema;
use wire::capability::Finding;
use wire::consent::Class;
use wire::operation::{self, Op};
use wire::{Canonical, ConnectionId, Refusal};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer link kraken\n  \
    tensfer link kraken --name savings --credentials - < credential.json\n  \
    tensfer link coinbase --oauth --open\n  \
    tensfer link binance --new-key --redirect-port 8420\n  \
    tensfer link ethereum --address 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n\n\
    The credential is asked for without echo, or read as JSON such as {\"apiKey\": \"…\", \"secret\": \"…\"}. A wallet is \
    watched by what is public of it; its keys stay where they are.")]
pub struct Args {
    /// The exchange, such as `kraken`, or the network that a wallet is on, such as `ethereum`.
    exchange: String,

    #[command(flatten)]
    watched: Watched,

    /// The credential fields as JSON: a file, `/dev/fd/N`, or `-` for standard input.
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,

    /// What to call the connection; default: the exchange.
    #[arg(long)]
    name: Option<String>,

    /// Sign in at the provider instead of copying a key: by OAuth, with a client of your own.
    #[arg(long)]
    oauth: bool,

    /// Have the exchange make a key instead of copying one: sign in there and allow it, with a client of your own. The
    /// key goes from the exchange into the enclave, and can only read.
    #[arg(long, conflicts_with = "oauth")]
    new_key: bool,

    /// Which later programs may open it: `any` that the operators sign for, such a program once it was public for some days
    /// (`delayed`), or none without your word (`owner`).
    #[arg(long, value_name = "CLASS", default_value = "any", value_parser = class)]
    consent: Class,

    /// Signing in: the port of 127.0.0.1 that the provider sends your browser back to; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    redirect_port: u16,

    /// Signing in: start a browser with the address, which is printed all the same.
    #[arg(long)]
    open: bool,

    /// Signing in: how long to wait for you.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,

    /// Print JSON: id, name, exchange, capabilities.
    #[arg(long)]
    json: bool,
}

/// A new connection, as programs read it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NewConnection)]
pub struct Shape {
    id: String,
    name: String,
    exchange: String,
    capabilities: Vec<Shown>,
}

/// A consent class, as it is written on a command line.
pub fn class(text: &str) -> std::result::Result<Class, String> {
    Class::parse(text).ok_or_else(|| "a class is any, delayed or owner".to_owned())
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let exchange = exchange(&args.exchange, args.oauth)?;
    if args.new_key {
        return oauth::run(options, args, &making_keys(exchange)?);
    }
    if exchange.oauth {
        return oauth::run(options, args, exchange);
    }
    let (record, finding) =
        new_connection(options, exchange, args.name.as_deref(), args.consent, |session| {
            credential(args, exchange, session)
        })?;
    show(args, exchange, &record, &finding)
}

/// What is given on the command line, in a file, or typed.
fn credential(args: &Args, exchange: &Exchange, session: &Session) -> Result<Credential> {
    if let Some(watched) = args.watched.credential(exchange)? {
        return Ok(watched);
    }
    if let Some(path) = &args.credentials {
        return credential::read(path, exchange);
    }
    let credential = credential::ask(exchange)?;
    // A person takes their time; what is sealed next is sealed to an enclave that was verified just now (m20).
    session.refresh()?;
    Ok(credential)
}

/// Verifies, seals a credential to the enclave and keeps the envelope under a name that is free.
pub(super) fn new_connection(
    options: &Options,
    exchange: &Exchange,
    asked: Option<&str>,
    class: Class,
    credential: impl FnOnce(&Session) -> Result<Credential>,
) -> Result<(Record, Finding)> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let name = name(&home, asked, &exchange.id)?;
    // Before the credential is asked for: nobody types it in vain because of a passphrase.
    let owner = home.owner_or_new(session.realm())?;
    let second = home.second_factor_or_new(session.realm())?;
    let credential = credential(&session)?;
    let linked = Linked { home: &home, enclave: &session, owner };
    connect(&linked, &second, session.server(), exchange, name, class, &credential)
}

/// Seals a credential to the enclave that was verified, and keeps the envelope.
pub fn connect(
    linked: &Linked<'_>,
    second: &Ring,
    server: &str,
    exchange: &Exchange,
    name: String,
    class: Class,
    credential: &Credential,
) -> Result<(Record, Finding)> {
    let mut record = Record::new(NewConnection {
        realm: linked.enclave.realm(),
        environment: linked.enclave.environment(),
        id: ConnectionId(random()?),
        organisation: linked.owner.organisation,
        server: server.to_owned(),
        exchange: exchange.id.clone(),
        name,
        linked: now().0,
    });
    let progress = Progress::start(match exchange.chain {
        None => format!("asking {} about the key", exchange.name),
        Some(_) => "sealing it to the enclave".to_owned(),
    });
    let finding = link(linked, second, &mut record, class, credential)?;
    linked.acknowledge(&mut record)?;
    drop(progress);
    Ok((record, finding))
}

/// Sends the credential and stores the envelope. Nothing is stored unless every check passed.
fn link(
    linked: &Linked<'_>,
    second: &Ring,
    record: &mut Record,
    class: Class,
    credential: &Credential,
) -> Result<Finding> {
    let (device, second) = (linked.owner.devices.newest()?, second.newest()?);
    let owners = vec![device.public().clone(), second.public().clone()];
    let args = operation::Link {
        exchange: &record.exchange,
        credential: credential.as_slice().into(),
        owners: owners.clone(),
        organisation: record.organisation,
        connection: record.id,
        class,
    };
    let args = canonical_secret(&args, credential.len() + 1024);
    let share = linked.share(record.id, record.share_version)?;
    // Nothing is on disk yet that a lost reply could confuse.
    let answer = round_trip(
        linked.enclave,
        record,
        |_| Ok(()),
        Attempts::Two,
        |record| {
            linked.enclave.call(&Call {
                op: Op::Link,
                args: &args,
                connection: record.id,
                envelope: None,
                share: &share,
                signers: vec![device, second],
                last: (0, None),
                by: By::Owner,
            })
        },
    )?;
    take_receipt(record, &answer)?;
    let result = answer.outcome.map_err(|refusal| refused(refusal, record))?;
    let result = operation::Linked::from_bytes(&result)
        .map_err(|_| Failure::internal("the enclave answered with something unreadable"))?;
    let finding = finding::check(&result.finding, &answer.identity, record)?;
    record.pending = Some(record.slot(result.envelope, record.share_version, owners, class)?);
    record.finding = result.finding;
    linked.home.save(record)?;
    Ok(finding)
}

fn show(args: &Args, exchange: &Exchange, record: &Record, finding: &Finding) -> Result<()> {
    // A wallet that keeps its key is there to send.
    if let Some(warning) = finding::warning(finding).filter(|_| exchange.chain.is_none()) {
        say(warning);
    }
    let shape = Shape::of(record, finding);
    if args.json {
        return print_json(&shape);
    }
    let mut table = Table::new([("the key may", Align::Left), ("", Align::Left), ("source", Align::Left)]);
    for capability in shape.capabilities {
        table.row([capability.name, capability.state.into(), capability.source.into()]);
    }
    print(&format!("linked {} ({})\n\n{table}", printable(&record.name), record.id))
}

impl Shape {
    pub fn of(record: &Record, finding: &Finding) -> Shape {
        Shape {
            id: record.id.to_string(),
            name: record.name.clone(),
            exchange: record.exchange.clone(),
            capabilities: finding::shown(finding),
        }
    }
}

/// The connector of that id. By OAuth: one that authorises, or else its namesake that does.
fn exchange(id: &str, oauth: bool) -> Result<&'static Exchange> {
    let exchange = known_exchange(id)?;
    if !oauth || exchange.oauth {
        return Ok(exchange);
    }
    let namesake = catalogue::find(&format!("{id}_oauth")).filter(|exchange| exchange.oauth);
    namesake.ok_or_else(|| {
        let name = printable(&exchange.name);
        Failure::usage(format!("the connector of {name} knows no OAuth there")).hint("link a key instead")
    })
}

/// The exchange as an owner sees it who lets it make a key: what is asked for is their client.
fn making_keys(exchange: &Exchange) -> Result<Exchange> {
    let Some(new_key) = exchange.new_key.clone() else {
        let name = printable(&exchange.name);
        return Err(Failure::usage(format!(
            "{name} makes no keys for others, as far as its connector knows"
        ))
        .hint("make a key there and link it"));
    };
    Ok(Exchange { guide: new_key.guide, credential: new_key.client, ..exchange.clone() })
}

pub fn known_exchange(id: &str) -> Result<&'static Exchange> {
    catalogue::find(id).ok_or_else(|| {
        let known: Vec<&str> = catalogue::all().iter().map(|exchange| exchange.id.as_str()).collect();
        Failure::usage(format!("there is no connector for `{}`", printable(id)))
            .hint(format!("there are: {}", known.join(", ")))
    })
}

/// The name asked for, if it is free; else the exchange's, numbered from the second on.
pub fn name(home: &Home, asked: Option<&str>, exchange: &str) -> Result<String> {
    let records = home.connections()?;
    let is_taken =
        |name: &str| records.iter().any(|record| record.name == name || record.id.to_string() == name);
    let is_id = |name: &str| ConnectionId::parse(name).is_some();
    names::choose("connection", asked, exchange, is_taken, is_id)
}
/// In a sandbox, a provider that it does not speak is nobody's attack.
fn refused(refusal: Refusal, record: &Record) -> Failure {
    let failure = explain(refusal, &record.exchange);
    if refusal != Refusal::ProviderUnauthentic
        || record.environment != Environment::Sandbox
        || sandbox::speaks(&record.exchange)
    {
        return failure;
    }
    failure.hint("this server's providers are a sandbox, which does not speak this one; `tensfer sandbox accounts` lists those that it speaks")
}
