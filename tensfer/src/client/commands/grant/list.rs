//! `grant list`: what is in force, as the enclave counts it, beside what was allowed, as this machine kept it.

use super::{Shown, print, print_json, unreadable};
use crate::client::clock::rfc3339;
use crate::client::encode::hex;
use crate::client::failure::Result;
use crate::client::home::grants::Given;
use crate::client::home::record::Record;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::{Enclave, Session};
use crate::client::table::{Align, Table};
use crate::client::terminal::printable;
use serde::Serialize;
use wire::Canonical;
use wire::grant::{GrantState, Listed};
use wire::operation::{Nothing, Op};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  tensfer grant list\n  tensfer grant list kraken --json")]
pub struct Args {
    /// The connection's id or name; all of them, if you name none.
    id: Option<String>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Shape {
    grant: String,
    connection: String,
    /// What its owner calls the business; `null`, with `left` and `terms`: it was made on another machine.
    to: Option<String>,
    /// The beginning of the name of the key that may use it.
    key: String,
    used: u32,
    left: Option<u32>,
    /// Of the last use.
    last: Option<String>,
    expires: String,
    /// The epoch that it came in last.
    epoch: u32,
    terms: Option<Shown>,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let records = match &args.id {
        Some(id) => vec![home.connection(session.realm(), id)?],
        None => home.connections_in(session.realm())?,
    };
    let mut shapes = Vec::new();
    if !records.is_empty() {
        let linked = Linked::open(&home, &session)?;
        for record in records {
            shapes.extend(of_connection(&linked, record)?);
        }
    }
    if args.json { print_json(&shapes) } else { print(&table(&shapes)) }
}

fn of_connection(linked: &Linked<'_>, mut record: Record) -> Result<Vec<Shape>> {
    linked.resume(&mut record)?;
    let slot = record.current()?.clone();
    let listed = linked.ask(&mut record, &slot, Op::Grants, &Nothing {}.to_bytes(), &[])?;
    let listed = Listed::from_bytes(&listed).map_err(|_| unreadable())?;
    let given = |state: &GrantState| linked.home.given_grant(linked.enclave.realm(), state.id);
    listed.grants.iter().map(|state| shape(&record.name, state, given(state)?.as_ref())).collect()
}

fn shape(connection: &str, state: &GrantState, given: Option<&Given>) -> Result<Shape> {
    let terms = given.map(|given| Shown::of_file(&given.grant)).transpose()?;
    Ok(Shape {
        grant: state.id.to_string(),
        connection: connection.to_owned(),
        to: given.map(|given| given.to.clone()),
        key: hex(&state.key),
        used: state.used,
        left: terms.as_ref().map(|terms| terms.uses.saturating_sub(state.used)),
        last: state.last.map(rfc3339),
        expires: rfc3339(state.expires),
        epoch: state.epoch,
        terms,
    })
}

fn table(shapes: &[Shape]) -> String {
    if shapes.is_empty() {
        return "no grant is in force\n".to_owned();
    }
    let mut table = Table::new([
        ("account", Align::Left),
        ("to", Align::Left),
        ("key", Align::Left),
        ("may", Align::Left),
        ("used", Align::Right),
        ("left", Align::Right),
        ("last", Align::Left),
        ("until", Align::Left),
        ("grant", Align::Left),
    ]);
    for shape in shapes {
        let unknown = || "?".to_owned();
        table.row([
            printable(&shape.connection),
            shape.to.as_deref().map_or_else(unknown, printable),
            format!("{}…", &shape.key[..16]),
            shape.terms.as_ref().map_or_else(unknown, Shown::allowed),
            shape.used.to_string(),
            shape.left.map_or_else(unknown, |left| left.to_string()),
            shape.last.clone().unwrap_or_else(|| "never".to_owned()),
            shape.expires.clone(),
            shape.grant.clone(),
        ]);
    }
    table.to_string()
}
