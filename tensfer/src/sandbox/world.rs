//! One sandbox: its accounts, prices, faults and memory, and the way from a call to an answer.

use super::body::Reel;
use super::call::Call;
use super::connect::{self, Connect};
use super::described::{self, Issued, Ledger};
use super::dialect::{Answer, Dialect, Endpoint, Exchange, Limit, Query, Visit};
use super::faults::{Effect, Faults, Target};
use super::market::Market;
use super::moves::Moves;
use super::reading::Reading;
use super::refusal::Refusal;
use super::reply::Reply;
use super::seed::{Account, Accounts, Holding};
use super::state::{Entry, State};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where an unknown asset turns up: the wallet that trades.
const TRADING: [&str; 2] = ["spot", "unified"];

/// Everything that a sandbox serves from.
#[derive(Debug)]
pub struct World {
    accounts: Accounts,
    market: Market,
    /// Before every answer.
    delay: Duration,
    /// Rate limits are off.
    unlimited: bool,
    faults: Mutex<Faults>,
    state: Mutex<State>,
    moves: Mutex<Moves>,
    connect: Mutex<Connect>,
    ledger: Mutex<Ledger>,
    issued: Mutex<Issued>,
}

/// What goes back on the wire, and when.
#[derive(Debug)]
pub struct Outcome {
    pub after: Duration,
    /// `None`: nothing is ever sent.
    pub reply: Option<(Reply, Reel)>,
}

impl World {
    pub fn new(accounts: Accounts, market: Market, delay: Duration, unlimited: bool) -> Self {
        let (faults, state, moves) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (connect, ledger, issued) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { accounts, market, delay, unlimited, faults, state, moves, connect, ledger, issued }
    }

    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn connect(&self) -> MutexGuard<'_, Connect> {
        self.connect.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a person's browser is sent back to who is signed in to an account and allows an address, or not.
    ///
    /// # Errors
    /// A sentence.
    pub fn authorise(
        &self,
        exchange: Exchange,
        account: &str,
        url: &str,
        allows: bool,
    ) -> Result<String, String> {
        let account = self.accounts.named(exchange, account).ok_or("no such account")?;
        self.connect().authorise(url, &account, allows)
    }

    /// Whose key it is: a seeded one, or one that was made here.
    fn holder(&self, exchange: Exchange, key: &str) -> Option<Arc<Account>> {
        self.accounts.holder(exchange, key).or_else(|| self.connect().holder(exchange, key))
    }

    /// What was moved at described exchanges.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keys that were made and deleted at described exchanges.
    pub fn issued(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long after its request every answer comes, at the earliest.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// Answers a call. `call.now` is true time; clock skew is applied here.
    ///
    /// Returns `None` when the host is no exchange's.
    pub fn answer(&self, call: &Call) -> Option<Outcome> {
        if let Some(part) = connect::part(call) {
            return Some(self.answer_connect(call, part));
        }
        let knows = |endpoint: &Endpoint| endpoint.matches(call.method, call.path);
        let written = site(call.host).map(|(_, _, endpoints)| endpoints.iter().any(knows));
        let issued = self.issued().clone();
        if let Some(reading) = Reading::of(call, written, &issued) {
            return Some(self.answer_described(call, &reading));
        }
        let (exchange, dialect, endpoints) = site(call.host)?;
        let claimed = dialect.claimed_key(call).ok();
        let holder = claimed.and_then(|key| self.holder(exchange, &key));
        let account = holder.as_deref().map(|account| account.name.as_str());
        let effects = self.faults().strike(Target { exchange, account, path: call.path });
        let call = &Call { now: skewed(call.now, &effects), ..*call };
        let spoken = Spoken { exchange, dialect, endpoints };
        let decided = self.decide(spoken, call, holder.as_ref(), &effects);
        let refusal = decided.as_ref().err().copied();
        let reply = decided.unwrap_or_else(|refusal| dialect.refuse(call, refusal));
        self.note(exchange, account, call, &reply, refusal);
        Some(staged(reply, self.delay, &effects))
    }

    /// Answers a call to an exchange that is spoken as its file describes it.
    fn answer_described(&self, call: &Call, reading: &Reading) -> Outcome {
        let exchange = Exchange::of(reading.id);
        let account = reading.claimant();
        let effects = self.faults().strike(Target { exchange, account, path: call.path });
        let call = &Call { now: skewed(call.now, &effects), ..*call };
        let failing = effects.iter().find_map(failure);
        let decided = failing.map_or_else(|| reading.decide(self, call, &effects), Err);
        let refusal = decided.as_ref().err().copied();
        let reply = decided.unwrap_or_else(|refusal| described::refuse(&reading.exchange.file, refusal));
        self.note(exchange, account, call, &reply, refusal);
        staged(reply, self.delay, &effects)
    }

    /// Answers a call of a client that a person authorises.
    fn answer_connect(&self, call: &Call, part: connect::Part) -> Outcome {
        let exchange = part.provider.exchange;
        let effects = self.faults().strike(Target { exchange, account: None, path: call.path });
        let reply = self.connect().answer(part, call, effects.contains(&Effect::ForeignKey));
        self.note(exchange, None, call, &reply, None);
        staged(reply, self.delay, &effects)
    }

    fn note(
        &self,
        exchange: Exchange,
        account: Option<&str>,
        call: &Call,
        reply: &Reply,
        refusal: Option<Refusal>,
    ) {
        self.state().note(Entry {
            at: call.now,
            exchange,
            account: account.map(str::to_owned),
            method: call.method.to_owned(),
            path: call.path.to_owned(),
            headers: header_names(call),
            status: reply.status,
            refusal: refusal.map(|refusal| format!("{refusal:?}")),
        });
    }

    fn decide(
        &self,
        Spoken { exchange, dialect, endpoints }: Spoken,
        call: &Call,
        holder: Option<&Arc<Account>>,
        effects: &[Effect],
    ) -> Result<Reply, Refusal> {
        if let Some(refusal) = effects.iter().find_map(failure) {
            return Err(refusal);
        }
        let known = endpoints.iter().find(|endpoint| endpoint.matches(call.method, call.path));
        let endpoint = known.ok_or(Refusal::UnknownEndpoint)?;
        let result = match endpoint.answer {
            Answer::Public(answer) => {
                self.spend(exchange, dialect.limit(false), endpoint, call.peer.to_string(), call.now)?;
                answer(&Query { call, market: &self.market })?
            }
            Answer::Signed(permission, answer) => {
                let account = self.admit(exchange, dialect, call, holder, effects)?;
                let key = account.credentials.key.clone();
                self.spend(exchange, dialect.limit(true), endpoint, key, call.now)?;
                if !account.may(permission) {
                    return Err(Refusal::NotPermitted);
                }
                let account = self.moves.lock().unwrap_or_else(PoisonError::into_inner).applied(&account);
                let account = &with_unknown_assets(&account, effects)?;
                answer(&Visit { call, market: &self.market, account, moves: &self.moves })?
            }
        };
        Ok(dialect.succeed(call, result))
    }

    /// Key, signature, nonce and address, in this order.
    fn admit(
        &self,
        exchange: Exchange,
        dialect: &dyn Dialect,
        call: &Call,
        holder: Option<&Arc<Account>>,
        effects: &[Effect],
    ) -> Result<Arc<Account>, Refusal> {
        let key = dialect.claimed_key(call)?;
        let account = holder.filter(|_| !effects.contains(&Effect::Revoked)).ok_or(Refusal::UnknownKey)?;
        let nonce = dialect.verify(call, account)?;
        if let Some(nonce) = nonce {
            self.state().advance(exchange, &key, nonce)?;
        }
        if account.admits(call.peer) { Ok(Arc::clone(account)) } else { Err(Refusal::IpNotAllowed) }
    }

    fn spend(
        &self,
        exchange: Exchange,
        limit: Limit,
        endpoint: &Endpoint,
        subject: String,
        now: u64,
    ) -> Result<(), Refusal> {
        let cost = if limit.weighted { endpoint.weight } else { 1 };
        let subject = if limit.each_endpoint { format!("{subject} {}", endpoint.path) } else { subject };
        self.pour(exchange, subject, limit, cost, now)
    }

    /// Counts a call against a rate limit, unless they are off.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub fn pour(
        &self,
        exchange: Exchange,
        subject: String,
        limit: Limit,
        cost: u32,
        now: u64,
    ) -> Result<(), Refusal> {
        if self.unlimited { Ok(()) } else { self.state().pour(exchange, subject, limit, cost, now) }
    }

    pub fn market(&self) -> &Market {
        &self.market
    }
}

/// An exchange whose dialect was written by hand, and its endpoints behind the host that is called.
#[derive(Clone, Copy)]
struct Spoken {
    exchange: Exchange,
    dialect: &'static dyn Dialect,
    endpoints: &'static [Endpoint],
}

fn site(host: &str) -> Option<(Exchange, &'static dyn Dialect, &'static [Endpoint])> {
    Exchange::WRITTEN.into_iter().find_map(|exchange| {
        let dialect = exchange.dialect()?;
        let site = dialect.sites().iter().find(|site| site.hosts.contains(&host))?;
        Some((exchange, dialect, site.endpoints))
    })
}

fn failure(effect: &Effect) -> Option<Refusal> {
    match effect {
        Effect::RateLimited { retry_after } => Some(Refusal::RateLimited { retry_after: *retry_after }),
        Effect::ServerError { status } => Some(Refusal::Failing { status: *status }),
        Effect::Maintenance => Some(Refusal::Maintenance),
        _ => None,
    }
}

fn skewed(now: u64, effects: &[Effect]) -> u64 {
    effects.iter().fold(now, |now, effect| match effect {
        Effect::ClockSkew { ms } => now.saturating_add_signed(*ms),
        _ => now,
    })
}

fn with_unknown_assets<'a>(account: &'a Account, effects: &[Effect]) -> Result<Cow<'a, Account>, Refusal> {
    let mut account = Cow::Borrowed(account);
    for effect in effects {
        if let Effect::UnknownAsset { symbol, amount } = effect {
            let holding = Holding::free(amount).map_err(|_| Refusal::Failing { status: 500 })?;
            let trading =
                account.to_mut().balances.iter_mut().find(|(name, _)| TRADING.contains(&name.as_str()));
            if let Some((_, wallet)) = trading {
                wallet.insert(symbol.clone(), holding);
            }
        }
    }
    Ok(account)
}

/// Applies the faults that strike the bytes and the clock on the wall.
fn staged(reply: Reply, delay: Duration, effects: &[Effect]) -> Outcome {
    let mut after = delay;
    let mut status = reply.status;
    let mut body = None;
    for effect in effects {
        match effect {
            Effect::Silence => return Outcome { after, reply: None },
            Effect::Delay { ms } => after += Duration::from_millis(*ms),
            Effect::Truncated { bytes } => body = Some(Reel::cut(&reply.body, *bytes)),
            Effect::Fails { status: with } => {
                (status, body) = (*with, Some(Reel::whole(b"<html>Bad Gateway</html>".to_vec())));
            }
            Effect::WrongJson => {
                (status, body) = (200, Some(Reel::whole(b"{\"result\": [1, 2,, <html>".to_vec())))
            }
            Effect::Huge { bytes } => (status, body) = (200, Some(Reel::huge(*bytes))),
            _ => {}
        }
    }
    let body = body.unwrap_or_else(|| Reel::whole(reply.body.clone()));
    Outcome { after, reply: Some((Reply { status, body: Vec::new(), ..reply }, body)) }
}

fn header_names(call: &Call) -> Vec<String> {
    let mut names: Vec<String> = call.headers.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::faults::Fault;
    use crate::sandbox::{clock, seed};
    use aws_lc_rs::hmac;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use hyper::HeaderMap;
    use hyper::header::{HeaderName, HeaderValue};
    use serde_json::Value;

    const NOW: u64 = 1_767_225_600_000;
    const FUNDING: &str = "/api/v5/asset/balances";

    fn world(unlimited: bool) -> World {
        let accounts = Accounts::of(seed::accounts(0).unwrap());
        World::new(accounts, Market::new().unwrap(), Duration::ZERO, unlimited)
    }

    fn account(name: &str) -> Account {
        let mut accounts = seed::accounts(0).unwrap().into_iter();
        accounts.find(|account| account.exchange == Exchange::Okx && account.name == name).unwrap()
    }

    fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, String)| {
            (HeaderName::from_static(name), HeaderValue::try_from(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn okx(name: &str, method: &str, path: &str) -> HeaderMap {
        let Account { credentials, .. } = account(name);
        let timestamp = clock::iso(NOW);
        let key = hmac::Key::new(hmac::HMAC_SHA256, credentials.secret.as_bytes());
        let tag = hmac::sign(&key, format!("{timestamp}{method}{path}").as_bytes());
        headers(&[
            ("ok-access-key", credentials.key),
            ("ok-access-passphrase", credentials.passphrase.unwrap()),
            ("ok-access-timestamp", timestamp),
            ("ok-access-sign", STANDARD.encode(tag)),
        ])
    }

    fn ask(world: &World, method: &str, path: &str, headers: &HeaderMap) -> (u16, Value) {
        let (host, peer) = ("www.okx.com", std::net::Ipv4Addr::LOCALHOST.into());
        let call = Call { method, host, path, query: "", headers, body: b"", peer, now: NOW };
        let (reply, body) = world.answer(&call).unwrap().reply.unwrap();
        let Reel::Whole(Some(bytes)) = body else { panic!("{body:?}") };
        (reply.status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    fn funding(world: &World, name: &str) -> (u16, Value) {
        let (status, body) = ask(world, "GET", FUNDING, &okx(name, "GET", FUNDING));
        (status, body["code"].clone())
    }

    fn set(world: &World, fault: &str) {
        world.faults().add(serde_json::from_str::<Fault>(fault).unwrap());
    }

    #[test]
    fn a_key_is_refused_from_other_addresses_than_it_is_bound_to() {
        assert_eq!(funding(&world(false), "reader"), (200, "0".into()));
        assert_eq!(funding(&world(false), "locked"), (401, "50110".into()));
    }

    #[test]
    fn a_key_that_may_only_read_cannot_withdraw() {
        let path = "/api/v5/asset/withdrawal";
        let code = |name| ask(&world(false), "POST", path, &okx(name, "POST", path)).1["code"].clone();
        assert_eq!(code("reader"), "50120");
        assert_eq!(code("everything"), "58350");
    }

    #[test]
    fn a_revoked_key_is_an_unknown_key_and_others_stay() {
        let world = world(false);
        set(&world, r#"{"exchange": "okx", "account": "reader", "effect": {"kind": "revoked"}}"#);
        assert_eq!(funding(&world, "reader"), (401, "50111".into()));
        assert_eq!(funding(&world, "everything"), (200, "0".into()));
    }

    #[test]
    fn a_skewed_clock_refuses_what_was_signed_by_a_right_one() {
        let world = world(false);
        set(&world, r#"{"effect": {"kind": "clock_skew", "ms": -30001}}"#);
        assert_eq!(funding(&world, "reader"), (401, "50102".into()));
        let (_, time) = ask(&world, "GET", "/api/v5/public/time", &HeaderMap::new());
        assert_eq!(time["data"][0]["ts"], (NOW - 30_001).to_string());
    }

    #[test]
    fn m35_an_unknown_asset_appears_beside_the_others() {
        let world = world(false);
        set(&world, r#"{"effect": {"kind": "unknown_asset", "symbol": "WHO", "amount": "1.5"}}"#);
        let path = "/api/v5/account/balance";
        let (_, body) = ask(&world, "GET", path, &okx("reader", "GET", path));
        let details = body["data"][0]["details"].as_array().unwrap();
        let held = |asset: &str| details.iter().find(|row| row["ccy"] == asset).map(|row| row["eq"].clone());
        assert_eq!(held("WHO"), Some("1.5".into()));
        assert_eq!(held("BTC"), Some("0.4".into()));
    }

    #[test]
    fn the_rate_limit_holds_unless_it_is_lifted() {
        let (limited, unlimited) = (world(false), world(true));
        let over = |world: &World| {
            (0..21).map(|_| funding(world, "reader").0).filter(|status| *status == 429).count()
        };
        assert_eq!(over(&limited), 1);
        assert_eq!(over(&unlimited), 0);
    }

    #[test]
    fn faults_that_strike_the_wire_are_staged() {
        let world = world(false);
        let staged = |fault: &str| {
            world.faults().clear();
            set(&world, fault);
            let headers = HeaderMap::new();
            let peer = std::net::Ipv4Addr::LOCALHOST.into();
            let (host, path) = ("api.kraken.com", "/0/public/Time");
            world.answer(&Call {
                method: "GET",
                host,
                path,
                query: "",
                headers: &headers,
                body: b"",
                peer,
                now: NOW,
            })
        };
        let silent = staged(r#"{"effect": {"kind": "silence"}}"#).unwrap();
        assert!(silent.reply.is_none());
        let late = staged(r#"{"effect": {"kind": "delay", "ms": 200}}"#).unwrap();
        assert_eq!(late.after, Duration::from_millis(200));
        let cut = staged(r#"{"effect": {"kind": "truncated", "bytes": 5}}"#).unwrap();
        assert!(matches!(cut.reply, Some((_, Reel::Cut { .. }))));
        let huge = staged(r#"{"effect": {"kind": "huge", "bytes": 1000}}"#).unwrap();
        assert!(matches!(huge.reply, Some((_, Reel::Huge { .. }))));
        let (wrong, body) = staged(r#"{"effect": {"kind": "wrong_json"}}"#).unwrap().reply.unwrap();
        let Reel::Whole(Some(bytes)) = body else { panic!("not whole") };
        assert_eq!(wrong.status, 200);
        assert!(serde_json::from_slice::<Value>(&bytes).is_err());
        let (failing, _) =
            staged(r#"{"effect": {"kind": "server_error", "status": 502}}"#).unwrap().reply.unwrap();
        assert_eq!(failing.status, 502);
    }

    #[test]
    fn every_refusal_has_an_error_status_or_an_error_body_in_every_dialect() {
        let headers = HeaderMap::new();
        let peer = std::net::Ipv4Addr::LOCALHOST.into();
        let call = Call {
            method: "GET",
            host: "",
            path: "/",
            query: "",
            headers: &headers,
            body: b"",
            peer,
            now: NOW,
        };
        let refusals = [
            Refusal::Missing("x"),
            Refusal::UnknownKey,
            Refusal::BadPassphrase,
            Refusal::BadSignature,
            Refusal::BadTimestamp { sent: 0 },
            Refusal::BadNonce,
            Refusal::NotPermitted,
            Refusal::IpNotAllowed,
            Refusal::RateLimited { retry_after: 3 },
            Refusal::Maintenance,
            Refusal::Failing { status: 500 },
            Refusal::UnknownEndpoint,
            Refusal::BadParameter("x"),
            Refusal::InsufficientFunds,
        ];
        for (exchange, refusal) in
            Exchange::WRITTEN.iter().flat_map(|exchange| refusals.map(|refusal| (exchange, refusal)))
        {
            let reply = exchange.dialect().unwrap().refuse(&call, refusal);
            let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            let spelt = body["error"][0].is_string()
                || body["retCode"].as_u64() > Some(0)
                || body["code"].is_string();
            assert!(reply.status >= 400 || spelt, "{exchange} {refusal:?} {reply:?}");
            if refusal == (Refusal::RateLimited { retry_after: 3 }) {
                assert!(reply.headers.contains(&("retry-after".into(), "3".to_owned())), "{exchange}");
                assert_eq!(reply.status == 429, *exchange != Exchange::Bybit, "{exchange}");
            }
        }
    }
}
