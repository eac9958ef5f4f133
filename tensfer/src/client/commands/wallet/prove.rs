//! `wallet prove`: an address of a wallet that is elsewhere is linked as its owner's, by a text that the wallet signs.
//!
//! The enclave writes the text and checks the signature; what is carried in between is no secret. A person does both
//! steps in one command, a program may in two.

use super::{network, signature};
use crate::client::clock::{now, rfc3339};
use crate::client::commands::link::{self, unlinked};
use crate::client::commands::{print, print_json};
use crate::client::encode::serde_base64;
use crate::client::failure::{Failure, Result};
use crate::client::home::Home;
use crate::client::home::environment::Environment;
use crate::client::home::files;
use crate::client::home::key_file::random;
use crate::client::home::realm::Realm;
use crate::client::home::record::{NewConnection, Record};
use crate::client::home::rings::Ring;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::{Enclave as _, Session};
use crate::client::terminal::{Progress, ask_line, printable, say};
use crate::client::watched;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use wire::consent::Class;
use wire::operation::Op;
use wire::proof::{Challenge, Challenged, Prove};
use wire::{Canonical, ConnectionId, Refusal};

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tensfer wallet prove ethereum --address 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n  \
    tensfer wallet prove bitcoin --address bc1q… --json > asked.json\n  \
    jq --arg s \"$SIGNATURE\" '. + {signature: $s}' asked.json | tensfer wallet prove --finish - --json\n\n\
    Sign the text that is printed, as it is, with the account of the address, and give back the signature within ten \
    minutes. On Ethereum's chains as `personal_sign` does, on Solana as `signMessage`, on Bitcoin by BIP 322 or BIP 137: \
    with the wallet's own program, or one such as `cast wallet sign`. A wallet in a browser warns where a page asks for this \
    signature, and is right: no page should. An account that is a contract cannot be proven so: watch it with `tensfer link`."
)]
pub struct Args {
    /// The network, such as `ethereum`.
    #[arg(required_unless_present = "finish", requires = "address")]
    network: Option<String>,

    /// The address that is yours.
    #[arg(long, value_name = "ADDRESS", requires = "network")]
    address: Option<String>,

    /// What to call the connection; default: the network.
    #[arg(long, requires = "network")]
    name: Option<String>,

    /// The second step of a program: what the first printed, with `signature` added (`-`: standard input).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["network", "address", "name"])]
    finish: Option<PathBuf>,

    /// Print JSON, and ask nobody: `text` and what `--finish` needs; of that, id, name, exchange, address and proven.
    #[arg(long)]
    json: bool,
}

/// What lies between the two steps. None of it is secret: the pending envelope opens in the enclave alone, for its owner.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    format: String,
    version: u8,
    network: String,
    address: String,
    /// What the wallet signs.
    text: String,
    /// RFC 3339.
    expires: String,
    #[serde(with = "serde_base64")]
    pending: Vec<u8>,
    connection: Record,
    /// What the wallet answered, as it shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

#[derive(Serialize)]
struct Proven {
    id: String,
    name: String,
    exchange: String,
    address: String,
    proven: bool,
}

const FORMAT: &str = "tensfer proof";
const VERSION: u8 = 1;

pub fn run(options: &Options, args: &Args) -> Result<()> {
    match (&args.finish, &args.network, &args.address) {
        (Some(path), ..) => finish(options, args, read(path)?),
        (None, Some(network), Some(address)) => begin(options, args, network, address),
        _ => Err(Failure::usage("name a network and `--address`")),
    }
}

fn begin(options: &Options, args: &Args, id: &str, address: &str) -> Result<()> {
    let network = network(id)?;
    let address = watched::public("address", address)?;
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let owner = home.owner_or_new(session.realm())?;
    let second = home.second_factor_or_new(session.realm())?;
    let record = Record::new(NewConnection {
        realm: session.realm(),
        environment: session.environment(),
        id: ConnectionId(random()?),
        organisation: owner.organisation,
        server: session.server().to_owned(),
        exchange: network.id.clone(),
        name: link::name(&home, args.name.as_deref(), &network.id)?,
        linked: now().0,
    });
    let linked = Linked { home: &home, enclave: &session, owner };
    let mut asked = ask(&linked, &second, record, address)?;
    if args.json {
        return print_json(&asked);
    }
    let name = printable(&network.name);
    say(format!("Sign this text, as it is, with your {name} account {}:\n", printable(&asked.address)));
    print(&format!("{}\n", asked.text))?;
    say("");
    asked.signature = Some(ask_line("The signature")?);
    // A person takes their time; the signature goes to an enclave that was verified just now (m20).
    session.refresh()?;
    prove(args, &linked, &second, asked)
}

fn finish(options: &Options, args: &Args, asked: Asked) -> Result<()> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    check(&home, &session, &asked.connection)?;
    let linked = Linked::open(&home, &session)?;
    let second = home.second_factor_or_new(session.realm())?;
    prove(args, &linked, &second, asked)
}

/// The text that is to be signed.
fn ask(linked: &Linked<'_>, second: &Ring, mut record: Record, address: &str) -> Result<Asked> {
    let challenge = Challenge {
        network: &record.exchange.clone(),
        address,
        owners: unlinked::owners(linked, second)?,
        organisation: record.organisation,
        connection: record.id,
        class: Class::Any,
    };
    let (result, _) = unlinked::ask(linked, second, &mut record, Op::Challenge, &challenge.to_bytes(), None)?;
    let Challenged { pending, text, expires } =
        Challenged::from_bytes(&result).map_err(|_| unlinked::unreadable())?;
    let is_plain = text.lines().all(|line| printable(line) == line);
    if !is_plain {
        return Err(unlinked::unreadable());
    }
    Ok(Asked {
        format: FORMAT.to_owned(),
        version: VERSION,
        network: record.exchange.clone(),
        address: address.to_owned(),
        text,
        expires: rfc3339(expires),
        pending,
        connection: record,
        signature: None,
    })
}

fn prove(args: &Args, linked: &Linked<'_>, second: &Ring, asked: Asked) -> Result<()> {
    let Asked { address, pending, signature, connection: mut record, .. } = asked;
    let chain = network(&record.exchange)?.chain.as_deref().unwrap_or_default();
    let signature = signature.ok_or_else(|| Failure::usage("the signature is missing"))?;
    let signature = signature::read(chain, signature.trim())?;
    let proof = Prove { signature: signature.as_slice().into() }.to_bytes();
    let progress = Progress::start("sealing it to the enclave");
    let answer = unlinked::ask(linked, second, &mut record, Op::Prove, &proof, Some(&pending));
    let answer = answer.map_err(|failure| {
        if failure.code != Refusal::Replayed.code() {
            return failure;
        }
        Failure::refused(
            failure.code,
            "the enclave refused your request: this text was used before (replayed)",
        )
        .hint("look at `tensfer connections`; for another proof, ask for another text")
    })?;
    unlinked::keep(linked, second, &mut record, answer, Class::Any)?;
    linked.acknowledge(&mut record)?;
    drop(progress);
    let (id, name, exchange) = (record.id.to_string(), record.name.clone(), record.exchange.clone());
    if args.json {
        return print_json(&Proven { id, name, exchange, address, proven: true });
    }
    print(&format!(
        "linked {} ({id}): {} on {exchange}, proven to be yours\n",
        printable(&name),
        printable(&address)
    ))
}

/// Whether what comes back belongs to this home and this server's enclave.
fn check(home: &Home, session: &Session, record: &Record) -> Result<()> {
    if record.realm != session.realm() {
        return Err(Realm::mixed(record.realm, session.realm()));
    }
    if record.environment != session.environment() {
        let name = printable(&record.name);
        return Err(Environment::mixed(record.environment, session.environment(), &name));
    }
    link::name(home, Some(&record.name), &record.exchange).map(|_| ())
}

fn read(path: &Path) -> Result<Asked> {
    let bytes = files::read_named(path, "file")?;
    let asked: Option<Asked> = serde_json::from_slice(&bytes).ok();
    asked.filter(|asked| asked.format == FORMAT && asked.version == VERSION).ok_or_else(|| {
        Failure::usage("this is not what `tensfer wallet prove … --json` printed")
            .hint("give it back whole, with the member `signature` added")
    })
}
