//! `agent`: a local process that verifies the enclave, keeps the keys, and speaks plain JSON to a business's backend.
//!
//! Whom it answers is in `docs/decisions/callers-of-the-agent.md`, what it says in `docs/spec/client.md` §11.

mod account;
mod actions;
mod balances;
mod body;
mod connections;
mod enclave;
mod grants;
mod guard;
mod health;
mod instruction;
mod listen;
mod owner;
mod problem;
mod records;
mod routes;
mod serve;
mod standing;
mod turns;
mod workers;

use crate::client::failure::{Failure, Result};
use crate::client::options::Options;
use crate::client::terminal::say;
use host::process::{Stop, harden};
use listen::{Address, Bound};
use owner::Agent;
use routes::Shared;
use standing::Standing;
use std::io::Write;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How often the enclave is verified while nobody asks for anything.
const RENEWAL: Duration = Duration::from_secs(60);

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer agent --server https://gateway.example\n  \
    tensfer agent --listen 127.0.0.1:8090 --second-factor /run/keys/second-factor.key\n\n\
    It answers processes of its own user alone. It pays only where its second factor is named: that is then your word for \
    every payment.")]
pub struct Args {
    /// Where to listen: `unix:PATH`, or `127.0.0.1:PORT` [default: `agent.sock` in TENSFER_HOME].
    #[arg(long, value_name = "ADDRESS", value_parser = listen::address)]
    listen: Option<Address>,
}

/// Serves until a signal.
pub fn run(options: &Options, args: &Args) -> Result<ExitCode> {
    rustix::process::umask(rustix::fs::Mode::from_bits_retain(0o077));
    harden().map_err(|error| machine(&error))?;
    let home = options.agents_home()?;
    let standing = Standing::open(&home, options)?;
    let agent = Agent::new(&home, &standing, options.names_second_factor());
    agent.unlock()?;
    let address = args.listen.clone().unwrap_or_else(|| Address::Unix(home.path().join("agent.sock")));
    let bound = Bound::open(&address)?;
    serve(&standing, &agent, bound)
}

/// Callers are heard by one runtime; what they ask for is done by threads, which borrow the keys.
fn serve(standing: &Standing<'_>, agent: &Agent<'_>, bound: Bound) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| machine(&error))?;
    let (workers, jobs) = workers::queue();
    std::thread::scope(|scope| {
        for _ in 0..workers::THREADS {
            scope.spawn(|| jobs.work(agent));
        }
        let (ending, ended) = channel::<()>();
        scope.spawn(move || {
            while ended.recv_timeout(RENEWAL) == Err(RecvTimeoutError::Timeout) {
                // What came of it is kept, and said by `GET /v1/health`.
                let _ = standing.renew();
            }
        });
        let shared = Shared { workers, status: standing.status() };
        let outcome = runtime.block_on(listen_and_serve(bound, shared, agent));
        drop(ending);
        // The last of the callers' handles to the workers go with it, by which those end.
        drop(runtime);
        outcome.map(|()| ExitCode::SUCCESS)
    })
}

async fn listen_and_serve(bound: Bound, shared: Shared, agent: &Agent<'_>) -> Result<()> {
    let mut stop = Stop::listen().map_err(|error| machine(&error))?;
    let listener = bound.listen().map_err(|error| machine(&error))?;
    let ready = format!("ready {}", listener.address());
    let written = writeln!(std::io::stdout(), "{ready}").and_then(|()| std::io::stdout().flush());
    written.map_err(|error| machine(&error))?;
    say(format!("tensfer agent: `{}` is this agent's until it ends", agent.home.path().display()));
    let asked = async {
        stop.asked().await;
        agent.stop();
    };
    serve::serve(listener, shared, asked).await;
    Ok(())
}

fn machine(error: &std::io::Error) -> Failure {
    Failure::internal(format!("this machine does not let the agent run: {error}"))
}
