//! `link` by signing in at the provider: by OAuth the enclave gets tokens, with `--new-key` a key that is made for them.
//!
//! The verifier of the code is in the pending envelope alone. What the browser brings here, and what goes on to the
//! enclave through the server, is a code that nobody else can use.

use super::unlinked::{ask, owners, unreadable};
use super::{Args, name, show, unlinked};
use crate::client::clock::now;
use crate::client::credential::{self, Credential};
use crate::client::encode::canonical_secret;
use crate::client::failure::Result;
use crate::client::home::key_file::random;
use crate::client::home::record::{NewConnection, Record};
use crate::client::home::rings::Ring;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::redirect::Redirect;
use crate::client::session::{Enclave, Session};
use crate::client::terminal::{Progress, printable, say};
use host::catalogue::Exchange;
use std::process::{Command, Stdio};
use std::time::Duration;
use wire::authorisation::{Begin, Begun, Finish};
use wire::capability::Finding;
use wire::consent::Class;
use wire::operation::Op;
use wire::{Canonical, ConnectionId, Refusal};

/// How often a `finish` whose reply was lost is repeated: the enclave gives the same tokens again.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

pub fn run(options: &Options, args: &Args, exchange: &Exchange) -> Result<()> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let owner = home.owner_or_new(session.realm())?;
    let second = home.second_factor_or_new(session.realm())?;
    let client = match &args.credentials {
        Some(path) => credential::read(path, exchange)?,
        None => credential::ask(exchange)?,
    };
    session.refresh()?;
    let redirect = Redirect::listen(args.redirect_port)?;
    let mut record = Record::new(NewConnection {
        realm: session.realm(),
        environment: session.environment(),
        id: ConnectionId(random()?),
        organisation: owner.organisation,
        server: session.server().to_owned(),
        exchange: exchange.id.clone(),
        name: name(&home, args.name.as_deref(), &exchange.id)?,
        linked: now().0,
    });
    let linked = Linked { home: &home, enclave: &session, owner };
    let begun = begin(&linked, &second, &mut record, (&client, args.consent), &redirect.uri())?;
    let query = consent(args, exchange, &redirect, &begun)?;
    // A person takes their time; the code goes to an enclave that was verified just now (m20).
    session.refresh()?;
    let what = if args.new_key { "a key" } else { "the tokens" };
    let progress = Progress::start(format!("asking {} for {what}", exchange.name));
    let finding = finish(&linked, &second, &mut record, &begun, (&query, args.consent))?;
    linked.acknowledge(&mut record)?;
    drop(progress);
    show(args, exchange, &record, &finding)
}

fn begin(
    linked: &Linked<'_>,
    second: &Ring,
    record: &mut Record,
    (client, class): (&Credential, Class),
    redirect: &str,
) -> Result<Begun> {
    let begin = Begin {
        exchange: &record.exchange,
        client: client.as_slice().into(),
        owners: owners(linked, second)?,
        organisation: record.organisation,
        connection: record.id,
        redirect,
        class,
    };
    let args = canonical_secret(&begin, client.len() + redirect.len() + 1024);
    let (begun, _) = ask(linked, second, record, Op::Begin, &args, None)?;
    Begun::from_bytes(&begun).map_err(|_| unreadable())
}

/// Tells the person where to go, and waits for what the browser brings back.
fn consent(
    args: &Args,
    exchange: &Exchange,
    redirect: &Redirect,
    begun: &Begun,
) -> Result<zeroize::Zeroizing<String>> {
    if !begun.url.starts_with("https://") || begun.url.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err(unreadable());
    }
    say(format!("Sign in at {} and allow the access, in a browser on this machine:\n", exchange.name));
    say(format!("{}\n", begun.url));
    if args.open && !open(&begun.url) {
        say("note: no browser could be started here; open the address yourself");
    }
    let left = Duration::from_millis(begun.expires.0.saturating_sub(now().0));
    let limit = left.min(Duration::from_secs(args.timeout));
    let _progress = Progress::start(format!("waiting for {}", printable(&exchange.name)));
    redirect.wait(&begun.state, limit)
}

/// Hands the address to the desktop; nothing secret is in it.
fn open(url: &str) -> bool {
    let quiet = |program: &str| {
        Command::new(program)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    };
    quiet("xdg-open").or_else(|_| quiet("open")).is_ok()
}

/// Stores the envelope. Where the reply was lost it is asked for again: the code is spent, and the enclave has the tokens.
fn finish(
    linked: &Linked<'_>,
    second: &Ring,
    record: &mut Record,
    begun: &Begun,
    (query, class): (&str, Class),
) -> Result<Finding> {
    let args = canonical_secret(&Finish { answer: query }, query.len() + 64);
    let mut attempt = 1;
    let answer = loop {
        match ask(linked, second, record, Op::Finish, &args, Some(&begun.pending)) {
            Err(failure) if failure.retryable && attempt < ATTEMPTS => {
                attempt += 1;
                if failure.code == Refusal::RefreshUnderWay.code() {
                    // The receipt of the request that the enclave is at work on is still to come.
                    record.receipts.expect_reply();
                }
                std::thread::sleep(PAUSE);
            }
            result => break result?,
        }
    };
    unlinked::keep(linked, second, record, answer, class)
}
