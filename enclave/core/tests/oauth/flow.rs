//! An owner, an enclave and the host between them, as far as an authorisation needs them.

use crate::server::{CLIENT, Like, REDIRECT, SECRET, Server};
use crate::support::{Authority, Draft, Exchange, Machine, NOW, Owner, sandbox};
use enclave::connector::{dangerous_add, load_leaked};
use serde_json::{Value, json};
use std::sync::Once;
use wire::authorisation::{Begin, Begun, Finish, Refreshed};
use wire::balance::Holdings;
use wire::operation::{Linked, Op};
use wire::{Canonical, Refusal};

const HOSTS: [&str; 2] = ["login.provider.example.sandbox.test", "api.provider.example.sandbox.test"];

/// The provider as connectors of these tests describe it: `pushing` pushes its requests, `plain` does not.
fn connector(id: &str, push: Option<&str>) -> Value {
    let mut connector = json!({
        "id": id, "name": "A provider", "guide": {"url": "https://provider.example", "steps": "none"},
        "credential": {
            "clientId": {"label": "id", "kinds": ["text"]},
            "clientSecret": {"label": "secret", "kinds": ["text"], "secret": true}},
        "oauth": {"authorize": "https://login.provider.example/auth", "token": "login token", "revoke": "login revoke",
            "issuer": "https://login.provider.example", "states_issuer": true, "client": "basic",
            "scopes": ["accounts", "offline_access"]},
        "sections": {
            "login": {"host": "login.provider.example", "prefix": "/"},
            "api": {"host": "api.provider.example", "prefix": "/"}},
        "signing": [{"sections": ["api"], "target": "{path}", "headers": {"Authorization": "Bearer {access_token}"}}],
        "balances": [{"source": "spot", "account": "spot", "call": "GET api balances", "rows": ["balances[*]"],
            "fields": {"asset": "asset", "free": "amount", "total": "amount"}}],
        "capabilities": [{"source": "inferred", "call": "GET api balances", "fields": {"read": "'yes'"}}],
    });
    if let Some(push) = push {
        connector["oauth"]["push"] = json!(push);
    }
    connector
}

fn add_connectors() {
    static ADDED: Once = Once::new();
    ADDED.call_once(|| {
        let ours = [("pushing", Some("login par")), ("plain", None)];
        let mut files = ours.map(|(id, push)| connector(id, push)).to_vec();
        let mut staying = connector("staying", None);
        staying["oauth"]["rotates"] = json!(false);
        files.push(staying);
        let load = |file: Value| load_leaked(file.to_string().as_bytes()).unwrap();
        dangerous_add(files.into_iter().map(load).collect());
    });
}

pub struct World {
    pub server: Server,
    pub machine: Machine,
    pub exchange: Exchange,
    pub owner: Owner,
}

impl World {
    pub fn start(like: Like) -> World {
        add_connectors();
        let (server, authority) = (Server::start(like), Authority::sandbox());
        let mut exchange = Exchange::with(&authority.issue(&HOSTS));
        let (authorisation, api) = server.ports();
        exchange.api = Some(Box::new(move |request| {
            let (status, body) = Server::relay(authorisation, api, request);
            let length = body.len();
            Some(format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            ))
        }));
        World { server, machine: sandbox(1, &authority), exchange, owner: Owner::eddsa() }
    }

    pub fn begin(&mut self, exchange: &str, secret: &str) -> Result<Begun, Refusal> {
        let client = json!({"clientId": CLIENT, "clientSecret": secret}).to_string();
        let begin = Begin {
            exchange,
            client: client.as_bytes().into(),
            owners: self.owner.keys(),
            organisation: self.owner.organisation,
            connection: self.owner.connection,
            redirect: REDIRECT,
            class: wire::consent::Class::Any,
        };
        let mut draft = Draft::new(&self.machine, Op::Begin, begin.to_bytes()).now(&self.machine);
        draft.share = Some(self.owner.share.to_vec());
        draft.last = self.owner.last;
        let (machine, exchange) = (&mut self.machine, &mut self.exchange);
        self.owner.ask_over(machine, exchange, &draft).map(|result| Begun::from_bytes(&result).unwrap())
    }

    /// Finishes with an answer: the address that the browser was sent to, or what somebody made of it.
    pub fn finish(&mut self, begun: &Begun, back: &str) -> Result<(), Refusal> {
        let (_, answer) = back.split_once('?').unwrap();
        let mut draft = self.owner.draft(&self.machine, Op::Finish).now(&self.machine);
        (draft.args, draft.envelope) = (Finish { answer }.to_bytes(), Some(begun.pending.clone()));
        let (machine, exchange) = (&mut self.machine, &mut self.exchange);
        let result = self.owner.ask_over(machine, exchange, &draft)?;
        self.owner.envelope = Linked::from_bytes(&result).unwrap().envelope;
        self.acknowledge();
        Ok(())
    }

    /// Begins, signs in and finishes.
    pub fn link(&mut self, exchange: &str) {
        let begun = self.begin(exchange, SECRET).unwrap();
        let back = self.server.sign_in(&begun.url);
        self.finish(&begun, &back).unwrap();
    }

    pub fn refresh(&mut self) -> Result<(), Refusal> {
        let draft = self.owner.draft(&self.machine, Op::Refresh).now(&self.machine);
        let (machine, exchange) = (&mut self.machine, &mut self.exchange);
        let result = self.owner.ask_over(machine, exchange, &draft)?;
        self.owner.envelope = Refreshed::from_bytes(&result).unwrap().envelope;
        self.acknowledge();
        Ok(())
    }

    /// The amounts that are held, by symbol.
    pub fn balances(&mut self) -> Result<Vec<(String, String)>, Refusal> {
        let draft = self.owner.balances_draft(&self.machine, "EUR").now(&self.machine);
        let (machine, exchange) = (&mut self.machine, &mut self.exchange);
        let result = self.owner.ask_over(machine, exchange, &draft)?;
        let holdings = Holdings::from_bytes(&result).unwrap();
        let assets = holdings.accounts.into_iter().flat_map(|account| account.assets);
        Ok(assets.map(|asset| (asset.symbol, asset.total)).collect())
    }

    /// Lets time pass for the enclave.
    pub fn pass(&mut self, ms: u64) {
        self.machine.pass(ms);
        self.machine.claim(NOW.plus(self.machine.monotonic));
    }

    fn acknowledge(&mut self) {
        let draft = self.owner.draft(&self.machine, Op::Acknowledge).now(&self.machine);
        self.owner.ask_draft(&mut self.machine, &draft).unwrap();
    }
}
