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
mod issued;
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
pub use issued::Issued;
pub use ledger::Ledger;
pub use refuse::{refuse, refuse_with, reply};
pub use route::Match;

use super::call::Call;
use super::dialect::{Exchange, Permission};
use super::refusal::Refusal;
use account::{KINDS, MOVER};
use file::{File, KeyCall, Purpose, is_session, session_token};
use keys::Key;
use signature::{Fault, Keys};
use std::sync::{Arc, OnceLock};

/// Id, hosts and file (JSON) of every connector, in order of id.
static FILES: &[(&str, &[&str], &str)] = include!(concat!(env!("OUT_DIR"), "/connectors.rs"));

/// How far a request's time may be from the exchange's.
const WINDOW_MS: u64 = 30_000;

/// One exchange, read when it is first called.
#[derive(Debug)]
pub struct Described {
    pub file: File,
    accounts: Vec<Arc<Holder>>,
}

/// An account, and what verifies its signatures.
type Holder = (Account, Keys);

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

/// What a call about keys is answered, dressed as the exchange does.
pub fn keys_reply(file: &File, mut root: json::Json) -> super::reply::Reply {
    refuse::succeed(file, &mut root);
    reply(200, &if root == json::Json::Null { json::Json::Map(Vec::new()) } else { root })
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
            Some(Arc::new((account, keys)))
        };
        let kinds = if Exchange::is_written(&file.id) { &[MOVER][..] } else { &KINDS };
        let accounts = kinds.iter().copied().map(account).collect::<Option<_>>()?;
        Some(Self { file, accounts })
    }

    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().map(|holder| &holder.0)
    }

    /// What a call needs to be allowed to.
    pub fn permission(&self, matched: &Match) -> Permission {
        let acts =
            matched.listings.iter().filter_map(|index| match &self.file.listings.get(*index)?.purpose {
                Purpose::Act(act) => Some(act.operation.as_str()),
                // To make keys, or to delete any, takes a key that may do everything.
                Purpose::Keys(KeyCall::Create) => Some("withdraw"),
                Purpose::Keys(KeyCall::Delete) if self.file.lists_keys() => Some("withdraw"),
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
    pub fn claimant(&self, matched: &Match, issued: &Issued) -> Option<&'static str> {
        self.held(matched, issued).map(|holder| holder.0.name)
    }

    fn held(&self, matched: &Match, issued: &Issued) -> Option<Arc<Holder>> {
        let is_named = |holder: &Holder| {
            let (account, keys) = holder;
            let mut shown = matched.received.fields().chain(self.named(matched));
            shown.any(|(name, text)| match name {
                name if is_session(name) => keys.get(name).and_then(Key::bytes) == Some(text),
                name => account.field(name).is_some_and(|known| known.as_bytes() == text),
            })
        };
        let made = issued.made(&self.file.id);
        let found = self.accounts.iter().chain(made).find(|holder| is_named(holder))?;
        (!issued.is_deleted(&self.file, &found.0)).then(|| Arc::clone(found))
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
    pub fn admit(
        &self,
        matched: &Match,
        issued: &Issued,
        now_ms: u64,
    ) -> Result<(Arc<Holder>, Option<u64>), Refusal> {
        let holder = self.held(matched, issued).ok_or(Refusal::UnknownKey)?;
        let keys = &holder.1;
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
            _ => {
                let nonce = received.nonce().filter(|_| self.file.has_nonce);
                Ok((holder, nonce))
            }
        }
    }
}
