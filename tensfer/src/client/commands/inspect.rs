//! `inspect`: what is in an envelope, as the enclave reads it, without the secret.

use super::{print, print_json};
use crate::client::clock::rfc3339;
use crate::client::encode::hex;
use crate::client::failure::{Failure, Result};
use crate::client::finding::{self, Shown};
use crate::client::home::record::Record;
use crate::client::linked::{Linked, receipt_line};
use crate::client::options::Options;
use crate::client::session::Session;
use crate::client::table::{Align, Table};
use crate::client::terminal::printable;
use serde::Serialize;
use utoipa::ToSchema;
use wire::Canonical;
use wire::operation::{Inspected, Nothing, Op};
use wire::owner::{OwnerAlgorithm, OwnerRole};
use wire::passkey::Passkey;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer inspect kraken")]
pub struct Args {
    /// The connection's id or name.
    id: String,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What is in an envelope, as programs read it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Inspected)]
pub struct Shape {
    id: String,
    organisation: String,
    exchange: String,
    generation: u64,
    epoch: u32,
    /// Whether this generation is the one in use.
    current: bool,
    created: String,
    /// Names of the credential's fields, never their values.
    fields: Vec<String>,
    owners: Vec<Owner>,
    capabilities: Vec<Shown>,
    found: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct Owner {
    role: &'static str,
    algorithm: &'static str,
    public: String,
    /// Of a passkey: for which site, and at which pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    passkey: Option<Site>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Site {
    relying_party: String,
    origins: Vec<String>,
    /// Pages of others that may embed those.
    embedders: Vec<String>,
    backup_eligible: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let linked = Linked::open(&home, &session)?;
    let mut record = linked.connection(&args.id)?;
    let shape = ask(&linked, &mut record)?;
    if args.json {
        return print_json(&shape);
    }
    print(&format!("{}last receipt    {}\n", text(&shape), receipt_line(&record)))
}

/// Asks the enclave what it reads in the envelope of a connection.
pub fn ask(linked: &Linked<'_>, record: &mut Record) -> Result<Shape> {
    let slot = record.current()?.clone();
    let result = linked.ask(record, &slot, Op::Inspect, &Nothing {}.to_bytes(), &[])?;
    let inspected = Inspected::from_bytes(&result)
        .map_err(|_| Failure::internal("the enclave answered with something unreadable"))?;
    Ok(shape(&inspected))
}

fn shape(inspected: &Inspected) -> Shape {
    let owner = |key: &wire::owner::OwnerKey| Owner {
        role: match key.role {
            OwnerRole::Device => "device",
            OwnerRole::Second => "second factor",
        },
        algorithm: match key.algorithm {
            OwnerAlgorithm::EdDsa => "EdDSA",
            OwnerAlgorithm::Es256 => "ES256",
        },
        public: hex(&key.public),
        passkey: key.passkey.as_ref().map(site),
    };
    Shape {
        id: inspected.connection.to_string(),
        organisation: inspected.organisation.to_string(),
        exchange: printable(&inspected.exchange),
        generation: inspected.generation,
        epoch: inspected.epoch,
        current: inspected.current,
        created: rfc3339(inspected.created),
        fields: inspected.fields.iter().map(|field| printable(field)).collect(),
        owners: inspected.owners.iter().map(owner).collect(),
        capabilities: finding::shown(&inspected.finding),
        found: rfc3339(inspected.finding.found),
    }
}

fn site(passkey: &Passkey) -> Site {
    let printed = |texts: &[String]| texts.iter().map(|text| printable(text)).collect();
    Site {
        relying_party: printable(&passkey.relying_party),
        origins: printed(&passkey.origins),
        embedders: printed(&passkey.embedders),
        backup_eligible: passkey.backup_eligible,
    }
}

fn text(shape: &Shape) -> String {
    let mut owners =
        Table::new([("\nowner key", Align::Left), ("algorithm", Align::Left), ("public", Align::Left)]);
    for owner in &shape.owners {
        let role = match &owner.passkey {
            Some(site) => format!("{}, passkey for {}", owner.role, site.relying_party),
            None => owner.role.into(),
        };
        owners.row([role, owner.algorithm.into(), owner.public.clone()]);
    }
    let mut capabilities =
        Table::new([("\nthe key may", Align::Left), ("", Align::Left), ("source", Align::Left)]);
    for capability in &shape.capabilities {
        capabilities.row([capability.name.clone(), capability.state.into(), capability.source.into()]);
    }
    let in_use = if shape.current { "in use" } else { "waiting to be acknowledged" };
    format!(
        "connection      {}\norganisation    {}\nexchange        {}\ngeneration      {} ({in_use})\nepoch           {}\ncreated         {}\nfields          {}\n{owners}{capabilities}\nfound           {}\n",
        shape.id,
        shape.organisation,
        shape.exchange,
        shape.generation,
        shape.epoch,
        shape.created,
        shape.fields.join(", "),
        shape.found,
    )
}
