//! The sandbox provider: exchanges' REST dialects over TLS on loopback, with seeded accounts and made-up money.
//!
//! It is a second opinion on the connectors: six dialects are written by hand, the others follow from the connector
//! files (`described`), and the connector engine has no part in either. `docs/spec/sandbox.md` says what is served and
//! how faults are set.

mod amount;
mod authority;
mod binance;
mod body;
mod bybit;
mod call;
mod clock;
mod coinbase;
mod connect;
mod control;
mod described;
mod dialect;
mod faults;
mod history;
mod kraken;
mod kucoin;
mod listed;
mod mac;
mod market;
mod moves;
mod okx;
mod reading;
mod refusal;
mod reply;
mod seed;
mod server;
mod state;
mod upstream;

/// Whether the sandbox speaks this exchange.
pub fn speaks(id: &str) -> bool {
    dialect::Exchange::all().any(|exchange| exchange.id() == id)
}

#[cfg(test)]
mod vectors;
mod world;

use anyhow::Context;
use authority::Authority;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use upstream::Upstream;
use world::World;

/// Exit code: not used as it can be.
const USAGE: u8 = 2;
/// Connections that wait to be accepted. The usual 128 are fewer than a portfolio opens at once, and TCP tries what found
/// no room only after a second.
const BACKLOG: u32 = 4_096;

/// Options of `tensfer sandbox`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Serve the control API on this loopback port too; 0 takes a free one.
    #[arg(long, value_name = "PORT")]
    control: Option<u16>,
    /// Write the root certificate here: PEM when the name ends in `.pem`, else DER.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Wait this long before every answer: half on the way there, half on the way back.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    delay: u64,
    /// Add this many generated kraken accounts, `load-0000` and up.
    #[arg(long, value_name = "N", default_value_t = 0)]
    load_accounts: u32,
    /// Lift the rate limits.
    #[arg(long)]
    unlimited: bool,
    /// Serve this provider host from a server on loopback: `api.stripe.com=127.0.0.1:8420`. May be repeated.
    #[arg(long, value_name = "HOST=ADDRESS")]
    upstream: Vec<Upstream>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the seeded accounts. They are constants: the same on every run.
    Accounts {
        /// For programs.
        #[arg(long)]
        json: bool,
        /// List those at this exchange only.
        #[arg(long, value_name = "ID")]
        exchange: Option<String>,
        /// List this many generated kraken accounts too.
        #[arg(long, value_name = "N", default_value_t = 0)]
        load_accounts: u32,
    },
    /// Print the key of one seeded account as JSON, ready for `tensfer link EXCHANGE --credentials -`.
    Credentials {
        /// Such as `kraken`.
        exchange: String,
        /// Such as `reader`; `tensfer sandbox accounts` lists them.
        name: String,
    },
}

/// Serves until a signal ends it, or lists the seeded accounts.
///
/// # Errors
/// When a listener cannot be opened or the root certificate cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Some(Command::Accounts { json, exchange, load_accounts }) => {
            list(json, exchange.as_deref(), load_accounts)?;
        }
        Some(Command::Credentials { exchange, name }) => return show_credentials(&exchange, &name),
        None => tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(args))?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(args: Args) -> anyhow::Result<()> {
    let authority = Authority::make(&args.upstream)?;
    if let Some(file) = &args.ca {
        write_root(file, &authority.root).with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    let accounts = seed::Accounts::of(seed::accounts(args.load_accounts)?);
    let delay = Duration::from_millis(args.delay);
    let world = Arc::new(World::new(accounts, market::Market::new()?, delay, args.unlimited));
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    if let Some(port) = args.control {
        let listener = listen(port)?;
        let at = listener.local_addr()?;
        tokio::spawn(control::serve(listener, at, Arc::clone(&world)));
        announce(&format!("control http://{at}"))?;
    }
    let listener = listen(args.port)?;
    announce(&format!("ready https://{}", listener.local_addr()?))?;
    tokio::select! {
        () = server::serve(listener, authority.tls, world, args.upstream.into()) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let bound = || {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
        socket.listen(BACKLOG)
    };
    bound().with_context(|| format!("cannot listen on port {port}; is another sandbox running?"))
}

fn announce(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn write_root(file: &Path, root: &[u8]) -> std::io::Result<()> {
    if file.extension().is_some_and(|extension| extension == "pem") {
        let text = STANDARD.encode(root);
        let lines: String =
            text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n").collect();
        return std::fs::write(
            file,
            format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n"),
        );
    }
    std::fs::write(file, root)
}

fn list(json: bool, exchange: Option<&str>, load: u32) -> anyhow::Result<()> {
    let accounts = listed::all(exchange, load)?;
    if json {
        return announce(&serde_json::to_string_pretty(&accounts)?);
    }
    announce(&format!("{:<21} {:<11} {:<22} {:<30} {}", "EXCHANGE", "ACCOUNT", "MAY", "WALLETS", "KEY"))?;
    accounts.iter().try_for_each(|account| announce(&account.row()))
}

fn show_credentials(exchange: &str, name: &str) -> anyhow::Result<ExitCode> {
    let Some(credentials) = listed::credentials(exchange, name)? else {
        eprintln!(
            "error: the sandbox has no account `{name}` at `{exchange}`\nhint: `tensfer sandbox accounts` lists them"
        );
        return Ok(ExitCode::from(USAGE));
    };
    announce(&serde_json::to_string(&credentials)?)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    #[tokio::test]
    async fn a_portfolio_finds_room_for_all_its_connections_at_once() {
        let listener = listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut connected = Vec::new();
        for _ in 0..400 {
            // Nobody accepts: without room this one would never be.
            let connection = timeout(Duration::from_secs(10), TcpStream::connect(address)).await;
            connected.push(connection.expect("room").unwrap());
        }
    }
}
