//! An exchange in memory behind the host's pipe: TLS, HTTP and a few of kraken's answers.

use super::Machine;
use super::tls::{Authority, Identity, Provider};
use rustls::ServerConfig;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::frame::Kind;

/// Where the connector of kraken is dialled in a sandbox.
pub const HOST: &str = "api.kraken.com.sandbox.test";

/// What the host, or the exchange behind it, does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Honest,
    /// Never says that it is connected.
    Silent,
    /// Connects, and never says a byte.
    Mute,
    /// Says at once that nobody is there.
    Unreachable,
    /// Cuts every answer in the middle and closes.
    Truncates,
    /// Flips a bit of every answer.
    Corrupts,
    /// Answers each request by 503.
    Maintenance,
    /// Answers each request by text that is no JSON.
    Nonsense,
    /// Has no prices: its public part is down.
    NoPrices,
    /// Has prices, and does not say of which markets.
    NoMarkets,
}

/// The far end of every egress stream.
pub struct Exchange {
    config: Arc<ServerConfig>,
    pub behaviour: Behaviour,
    /// The host swaps the streams of each pair: what is for one goes to the other.
    pub crossed: bool,
    /// The host flips a bit of this byte of every answer.
    pub flips: Option<usize>,
    streams: BTreeMap<u32, Pipe>,
    /// Every stream that was opened: its number and the host it asked for.
    pub opened: Vec<(u32, String)>,
    /// Every request that arrived: its stream and its first line.
    pub requests: Vec<(u32, String)>,
    /// The nonces of signed requests, in the order of arrival.
    pub nonces: Vec<u64>,
    /// What each API key is answered, where it is not the default.
    pub balances: BTreeMap<String, String>,
    /// Answers the body of each request in the exchange's place: a node of a chain. Nothing: the connection is cut.
    pub node: Option<Node>,
    /// Answers each whole request in the exchange's place, whole. Nothing: the connection is cut.
    pub api: Option<Node>,
}

pub type Node = Box<dyn FnMut(&str) -> Option<String>>;

struct Pipe {
    tls: Provider,
    received: String,
}

impl Exchange {
    /// With the certificate that its sandbox root vouches for.
    pub fn honest(authority: &Authority) -> Exchange {
        Exchange::with(&authority.issue(&[HOST]))
    }

    /// With whatever certificate the host made for itself.
    pub fn with(identity: &Identity) -> Exchange {
        Exchange {
            config: Provider::config(identity, &[&rustls::version::TLS13]),
            behaviour: Behaviour::Honest,
            crossed: false,
            flips: None,
            streams: BTreeMap::new(),
            opened: Vec::new(),
            requests: Vec::new(),
            nonces: Vec::new(),
            balances: BTreeMap::new(),
            node: None,
            api: None,
        }
    }

    /// Carries frames between the enclave and the exchange until neither has anything to say.
    pub fn run(&mut self, machine: &mut Machine) {
        loop {
            let opened = machine.take(Kind::EgressOpen);
            let sent = machine.take(Kind::EgressSend);
            let closed = machine.take(Kind::EgressClose);
            if opened.is_empty() && sent.is_empty() && closed.is_empty() {
                return;
            }
            opened.into_iter().for_each(|(stream, body)| self.open(machine, stream, &body));
            sent.into_iter().for_each(|(stream, bytes)| self.carry(machine, stream, &bytes));
            closed.into_iter().for_each(|(stream, _)| drop(self.streams.remove(&stream)));
        }
    }

    /// Lets time pass in steps, until `done` or `limit` milliseconds are over.
    pub fn run_for(&mut self, machine: &mut Machine, limit: u64) {
        let end = machine.monotonic + limit;
        self.run(machine);
        while machine.monotonic < end {
            let next = machine.enclave.next_deadline().unwrap_or(end).clamp(machine.monotonic + 1, end);
            machine.pass(next - machine.monotonic);
            self.run(machine);
        }
    }

    fn open(&mut self, machine: &mut Machine, stream: u32, body: &[u8]) {
        let (port, host) = body.split_first_chunk::<2>().unwrap();
        assert_eq!(u16::from_be_bytes(*port), 443);
        self.opened.push((stream, String::from_utf8(host.to_vec()).unwrap()));
        self.streams.insert(
            stream,
            Pipe { tls: Provider::accept(Arc::clone(&self.config)), received: String::new() },
        );
        match self.behaviour {
            Behaviour::Silent => {}
            Behaviour::Unreachable => machine.frame(Kind::EgressGone, stream, &[]),
            _ => machine.frame(Kind::EgressConnected, stream, &[]),
        }
    }

    fn carry(&mut self, machine: &mut Machine, stream: u32, bytes: &[u8]) {
        let Some(pipe) = self.streams.get_mut(&stream) else { return };
        if matches!(self.behaviour, Behaviour::Silent | Behaviour::Mute) {
            return;
        }
        pipe.tls.receive(bytes);
        pipe.received.push_str(&pipe.tls.request());
        let mut answered = false;
        while let Some((request, rest)) = split_request(&pipe.received) {
            answered = true;
            pipe.received = rest;
            self.requests.push((stream, request.lines().next().unwrap().to_owned()));
            self.nonces.extend(nonce_of(&request));
            let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            let answer = match (&mut self.api, &mut self.node) {
                (Some(api), _) => api(&request),
                (None, Some(node)) => node(body).map(|content| written("200 OK", &content)),
                (None, None) => Some(answer(&request, self.behaviour, &self.balances)),
            };
            let Some(answer) = answer else { return machine.frame(Kind::EgressGone, stream, &[]) };
            pipe.tls.respond(answer.as_bytes());
        }
        let mut output = pipe.tls.output();
        match self.behaviour {
            Behaviour::Corrupts if answered => *output.last_mut().unwrap() ^= 1,
            Behaviour::Truncates if answered => output.truncate(output.len() / 2),
            _ => {}
        }
        if let Some(at) = self.flips
            && answered
        {
            let length = output.len();
            output[at % length] ^= 1;
        }
        if !output.is_empty() {
            let to = if self.crossed { ((stream - 1) ^ 1) + 1 } else { stream };
            machine.frame(Kind::EgressReceived, to, &output);
        }
        if self.behaviour == Behaviour::Truncates && answered {
            machine.frame(Kind::EgressGone, stream, &[]);
        }
    }
}

/// The first whole request, and what follows it.
fn split_request(received: &str) -> Option<(String, String)> {
    let head = received.find("\r\n\r\n")? + 4;
    let length = received[..head]
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned))
        .map_or(0, |length| length.parse::<usize>().unwrap());
    let end = head + length;
    (received.len() >= end).then(|| (received[..end].to_owned(), received[end..].to_owned()))
}

fn nonce_of(request: &str) -> Option<u64> {
    let (_, after) = request.split_once("nonce=")?;
    after.split('&').next()?.parse().ok()
}

fn answer(request: &str, behaviour: Behaviour, balances: &BTreeMap<String, String>) -> String {
    let (status, body) = match behaviour {
        Behaviour::Maintenance => ("503 Service Unavailable", String::new()),
        Behaviour::NoPrices if request.contains("/0/public/") => ("500 Internal Server Error", String::new()),
        Behaviour::NoMarkets if request.contains("/0/public/AssetPairs") => {
            ("500 Internal Server Error", String::new())
        }
        Behaviour::Nonsense => ("200 OK", "<html>".to_owned()),
        _ => ("200 OK", content(request, balances)),
    };
    written(status, &body)
}

fn written(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn content(request: &str, balances: &BTreeMap<String, String>) -> String {
    let path = request.split(' ').nth(1).unwrap().split('?').next().unwrap();
    let key = request
        .lines()
        .find_map(|line| line.to_ascii_lowercase().starts_with("api-key: ").then(|| &line[9..]));
    match (path, key) {
        (_, Some("revoked")) => r#"{"error":["EAPI:Invalid key"]}"#.into(),
        ("/0/private/GetApiKeyInfo", _) => r#"{"error":[],"result":{"permissions":["query-funds","query-ledger"]}}"#.into(),
        ("/0/private/BalanceEx", Some(key)) => balances.get(key).cloned().unwrap_or_else(|| {
            r#"{"error":[],"result":{"XXBT":{"balance":"1.5","hold_trade":"0.5"},"NEW1":{"balance":"7","hold_trade":"0"}}}"#.into()
        }),
        ("/0/public/AssetPairs", _) => {
            r#"{"error":[],"result":{"XXBTZEUR":{"base":"XXBT","quote":"ZEUR"}}}"#.into()
        }
        ("/0/public/Ticker", _) => {
            r#"{"error":[],"result":{"XXBTZEUR":{"a":["50001"],"b":["49999"],"c":["50000.0","1"]}}}"#.into()
        }
        ("/0/public/Time", _) => r#"{"error":[],"result":{"unixtime":1795305600}}"#.into(),
        other => panic!("the exchange has no {other:?}"),
    }
}
