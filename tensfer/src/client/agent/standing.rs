//! The verified enclave for as long as an agent runs: verified again and again, by the policy as it is then.

use crate::client::clock::{now, rfc3339};
use crate::client::encode::hex;
use crate::client::failure::{Failure, Result};
use crate::client::home::Home;
use crate::client::home::environment::Environment;
use crate::client::home::realm::Realm;
use crate::client::options::Options;
use crate::client::session::{Answer, Call, Enclave, Session};
use crate::client::terminal::{printable, say};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use utoipa::ToSchema;
use wire::consent::Class;

/// No request leaves by a verification that is older.
const GOOD_FOR: Duration = Duration::from_secs(300);

/// An agent's session, whoever's request it is used for.
pub struct Standing<'a> {
    session: Session,
    home: &'a Home,
    options: &'a Options,
    status: Arc<Status>,
    /// Held by the one that verifies; who waits for it may find that it is done.
    renewing: Mutex<()>,
}

/// What came of the last verification.
pub struct Status(Mutex<Last>);

struct Last {
    /// When the last one began that the enclave passed.
    since: Instant,
    shown: Shown,
    /// Why the one after it did not pass.
    failure: Option<Failure>,
}

/// The enclave, as programs read of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Enclave)]
pub struct Shown {
    server: String,
    /// `hardware`, or `simulated`: a development program that protects nothing.
    verdict: &'static str,
    /// `live`, or `sandbox`: made-up exchanges and money.
    environment: &'static str,
    version: String,
    commit: String,
    /// The release that the program was accepted by, if it was by one.
    release: Option<String>,
    /// By register.
    measurements: BTreeMap<String, String>,
    /// SHA-256 over its connectors.
    connectors: String,
    /// This start of it.
    boot: String,
    /// When it was verified last (RFC 3339).
    verified: String,
}

impl<'a> Standing<'a> {
    /// Verifies the server's enclave; nothing is served before.
    pub fn open(home: &'a Home, options: &'a Options) -> Result<Standing<'a>> {
        let since = Instant::now();
        let session = Session::open(home, options.gateway(None)?, options.expect_enclave()?)?;
        let last = Last { since, shown: Shown::of(&session), failure: None };
        let status = Arc::new(Status(Mutex::new(last)));
        Ok(Standing { session, home, options, status, renewing: Mutex::new(()) })
    }

    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.status)
    }

    pub fn server(&self) -> &str {
        self.session.server()
    }

    /// Verifies unless it was done a short while ago, and the enclave passed.
    pub fn ensure(&self) -> Result<()> {
        match self.status.is_good() {
            true => Ok(()),
            false => self.renew(),
        }
    }

    /// Verifies again. Whoever waits for another that began later than they asked is served by that.
    pub fn renew(&self) -> Result<()> {
        let asked = Instant::now();
        let _turn = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.status.passed_since(asked) {
            return Ok(());
        }
        let since = Instant::now();
        let renewed = self.options.expect_enclave().and_then(|expect| self.session.renew(self.home, expect));
        self.status.note(since, renewed.clone().map(|()| Shown::of(&self.session)));
        renewed
    }
}

impl Enclave for Standing<'_> {
    fn realm(&self) -> Realm {
        self.session.realm()
    }

    fn environment(&self) -> Environment {
        self.session.environment()
    }

    fn current_epoch_of(&self, class: Class) -> u32 {
        self.session.current_epoch_of(class)
    }

    fn refresh(&self) -> Result<()> {
        self.renew()
    }

    fn call(&self, call: &Call<'_>) -> Result<Answer> {
        self.session.call(call)
    }
}

impl Status {
    /// The enclave, or why it is not to be used.
    pub fn shown(&self) -> Result<Shown> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &last.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(last.shown.clone()),
        }
    }

    fn is_good(&self) -> bool {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.failure.is_none() && last.since.elapsed() < GOOD_FOR
    }

    fn passed_since(&self, asked: Instant) -> bool {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.failure.is_none() && last.since >= asked
    }

    /// Keeps what came of a verification; says it where it is new.
    fn note(&self, since: Instant, renewed: Result<Shown>) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.failure.as_ref().map(|failure| failure.code);
        match renewed {
            Ok(shown) => {
                if before.is_some() || shown.boot != last.shown.boot {
                    say(format!("tensfer agent: verified the enclave, boot {}", shown.boot));
                }
                *last = Last { since, shown, failure: None };
            }
            Err(failure) => {
                if before != Some(failure.code) {
                    say(format!("tensfer agent: {failure}"));
                }
                last.failure = Some(failure);
            }
        }
    }
}

impl Shown {
    fn of(session: &Session) -> Shown {
        let (identity, registers, release) = session.program();
        Shown {
            server: session.server().to_owned(),
            verdict: match session.realm() {
                Realm::Hardware => "hardware",
                Realm::Simulated => "simulated",
            },
            environment: session.environment().name(),
            version: printable(&identity.build.version),
            commit: printable(&identity.build.commit),
            release,
            measurements: registers.iter().map(|(name, value)| (name.to_string(), hex(value))).collect(),
            connectors: hex(&identity.connectors),
            boot: identity.boot.to_string(),
            verified: rfc3339(now()),
        }
    }
}
