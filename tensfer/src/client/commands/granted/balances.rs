//! `granted balances`: what an account holds whose owner is away.

use super::{print, print_json};
use crate::client::clock::now;
use crate::client::commands::balances::{currency, holdings};
use crate::client::failure::Result;
use crate::client::grantee::{ByGrant, Grantee};
use crate::client::options::Options;
use crate::client::portfolio::{self, Answer, Portfolio};
use crate::client::session::Session;
use crate::client::terminal::say;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer granted balances ada --in EUR --json")]
pub struct Args {
    /// The grant's id or name.
    id: String,

    /// Print JSON, with every digit.
    #[arg(long)]
    json: bool,

    /// The currency to value in.
    #[arg(long = "in", value_name = "CURRENCY", default_value = "EUR", value_parser = currency)]
    currency: String,
}

pub fn run(options: &Options, args: &Args) -> Result<ExitCode> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let grantee = Grantee::open(&home, &session)?;
    let answer = holds(&mut grantee.by(&args.id)?, &args.currency)?;
    let failures = portfolio::failures(&answer);
    let portfolio = Portfolio::new(&args.currency, now(), vec![answer]);
    match args.json {
        true => print_json(&portfolio)?,
        false => print(&portfolio.to_string())?,
    }
    failures.iter().for_each(|failure| say(failure.to_string()));
    Ok(failures.first().map_or(ExitCode::SUCCESS, |failure| failure.fault.into()))
}

/// One use. A refusal is no portfolio: there is one account.
pub fn holds(by: &mut ByGrant<'_>, currency: &str) -> Result<Answer> {
    let outcome = Ok(holdings(by, currency)?);
    let id = by.taken.read()?.body.header.connection.to_string();
    Ok(Answer { id, exchange: by.taken.grant.exchange.clone(), name: by.taken.name.clone(), outcome })
}
