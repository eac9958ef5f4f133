//! Exchanges that are spoken as their connector file describes them.
//!
//! A request is read backwards through the file's signing rules (`route`, `received`), judged with the account's secret
//! (`signature`), and answered with a document from which the file's own expressions read what the account holds
//! (`plan`, `rows`, `solve`). Nothing of the enclave's engine is used.

mod account;
mod acting;
mod answer;
mod document;
mod evaluate;
mod expression;
mod file;
mod hash;
mod history;
mod json;
mod keys;
mod ledger;
mod ordered;
mod outer;
mod pattern;
mod plan;
mod received;
mod refuse;
mod route;
mod rows;
mod sent;
mod signature;
mod solve;
mod template;
mod terms;

#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod refuse_tests;
#[cfg(test)]
mod signing_tests;

pub use account::Account;
pub use acting::No;
pub use answer::{Visit, answer, headers};
pub use ledger::Ledger;
pub use refuse::{refuse, refuse_with, reply};
pub use route::Match;

use super::call::Call;
use super::dialect::{Exchange, Permission};
use super::refusal::Refusal;
use account::{KINDS, MOVER};
use file::{File, Purpose, is_session, session_token};
use keys::Key;
use signature::{Fault, Keys};
use std::sync::OnceLock;

/// Id, hosts and file (JSON) of every connector, in order of id.
static FILES: &[(&str, &[&str], &str)] = include!(concat!(env!("OUT_DIR"), "/connectors.rs"));

/// How far a request's time may be from the exchange's.
const WINDOW_MS: u64 = 30_000;

/// One exchange, read when it is first called.
#[derive(Debug)]
pub struct Described {
    pub file: File,
    accounts: Vec<(Account, Keys)>,
}

/// Ids and hosts of all exchanges that have a file.
pub fn all() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    FILES.iter().map(|(id, hosts, _)| (*id, *hosts))
}

/// The exchange of that id.
pub fn find(id: &str) -> Option<&'static Described> {
    static LOADED: [OnceLock<Option<Described>>; 128] = [const { OnceLock::new() }; 128];
    let at = FILES.iter().position(|(known, ..)| *known == id)?;
    LOADED.get(at)?.get_or_init(|| Described::load(FILES.get(at)?.2)).as_ref()
}

impl Described {
    /// INVARIANT: a test loads every file.
    fn load(text: &str) -> Option<Self> {
        let file = File::parse(text).ok()?;
        let account = |(name, permissions)| {
            let account = Account::new(&file, name, permissions);
            let mut keys = signature::keys(&file, |field| account.field(field))?;
            let entered =
                file.session_names().map(|name| (session_token(name), account.session(&file, name)));
            keys.extend(entered.map(|(token, text)| (token, Key::Text(text))));
            Some((account, keys))
        };
        let kinds = if Exchange::is_written(&file.id) { &[MOVER][..] } else { &KINDS };
        let accounts = kinds.iter().copied().map(account).collect::<Option<_>>()?;
        Some(Self { file, accounts })
    }

    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().map(|(account, _)| account)
    }

    /// What a call needs to be allowed to.
    pub fn permission(&self, matched: &Match) -> Permission {
        let acts =
            matched.listings.iter().filter_map(|index| match &self.file.listings.get(*index)?.purpose {
                Purpose::Act(act) => Some(act.operation.as_str()),
                _ => None,
            });
        match acts.max() {
            Some("order" | "convert" | "quote") => Permission::Trade,
            Some(_) => Permission::Withdraw,
            None => Permission::Read,
        }
    }

    /// Every way to understand a call.
    pub fn matches(&self, call: &Call) -> Vec<Match<'_>> {
        route::matches(&self.file, call)
    }

    /// Whether a call needs an account, because it is signed or names one.
    pub fn is_private(&self, matched: &Match) -> bool {
        matched.received.rule.authenticates(&self.file.credential) || self.named(matched).next().is_some()
    }

    /// The account that a call claims to be of; nothing is verified yet.
    pub fn claimant(&self, matched: &Match) -> Option<&Account> {
        self.held(matched).map(|(account, _)| account)
    }

    fn held(&self, matched: &Match) -> Option<&(Account, Keys)> {
        let is_named = |account: &Account, keys: &Keys| {
            let mut shown = matched.received.fields().chain(self.named(matched));
            shown.any(|(name, text)| match name {
                name if is_session(name) => keys.get(name).and_then(Key::bytes) == Some(text),
                name => account.field(name).is_some_and(|known| known.as_bytes() == text),
            })
        };
        self.accounts.iter().find(|(account, keys)| is_named(account, keys))
    }

    /// Credential fields that stand among the arguments: a wallet's address is all that some exchanges ask.
    fn named<'m>(&'m self, matched: &'m Match) -> impl Iterator<Item = (&'m str, &'m [u8])> {
        let is_field = |name: &str| self.file.credential.iter().any(|field| field.name == name);
        let arguments = matched.arguments.iter().filter(move |(name, _)| is_field(name));
        arguments.map(|(name, text)| (name.as_str(), text.as_bytes()))
    }

    /// Checks that the account made this call, now. Returns the number that must grow, where there is one.
    ///
    /// # Errors
    /// An unknown key, a wrong passphrase, a wrong signature, a wrong time: in this order.
    pub fn admit(&self, matched: &Match, now_ms: u64) -> Result<(&Account, Option<u64>), Refusal> {
        let (account, keys) = self.held(matched).ok_or(Refusal::UnknownKey)?;
        let received = &matched.received;
        if !signature::holds_key(&received.rule.keys, &self.file, keys) {
            return Err(Refusal::BadSignature);
        }
        if received.rule.authenticates(&self.file.credential) {
            signature::verify(received, keys).map_err(|fault| match fault {
                Fault::Field => Refusal::BadPassphrase,
                Fault::Signature => Refusal::BadSignature,
            })?;
        }
        match received.clock.millis() {
            Some(sent) if sent.abs_diff(now_ms) > WINDOW_MS => Err(Refusal::BadTimestamp { sent }),
            _ => Ok((account, received.nonce().filter(|_| self.file.has_nonce))),
        }
    }
}
