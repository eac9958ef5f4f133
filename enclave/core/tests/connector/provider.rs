//! A provider in process: answers a run's requests, on a clock of its own.

use enclave::connector::*;
use enclave::entropy::{Entropy, NoEntropy};

pub struct Counting(pub u8);

impl Entropy for Counting {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        for byte in out {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

/// An answer: status, headers, body.
pub struct Respond {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

pub fn ok(body: impl Into<String>) -> Respond {
    Respond { status: 200, headers: Vec::new(), body: body.into() }
}

pub fn status(status: u16, body: &str) -> Respond {
    Respond { status, headers: Vec::new(), body: body.to_owned() }
}

pub const NOW_MS: u64 = 1_760_000_000_000;

pub fn credential(id: &str) -> Credential {
    let connector = find(id).unwrap();
    let text = |field: &CredentialField| match field.kinds.as_slice() {
        [KeyKind::Base64] => "a3Jha2VuLXNlY3JldA==",
        [KeyKind::Secp256k1] => "0x0707070707070707070707070707070707070707070707070707070707070707",
        [KeyKind::Ed25519] => "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        [KeyKind::Ed25519Base58] => "US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx",
        _ if field.secret => "S3CRET-S3CRET",
        _ => "K1",
    };
    let fields = connector.credential.iter().map(|field| (field.name.clone(), Value::from(text(field))));
    let json = Value::Map(fields.collect()).to_json();
    Credential::from_json(connector, json.as_bytes()).unwrap()
}

pub fn start(id: &str, operation: Operation) -> Run {
    Run::start(find(id).unwrap(), operation, Some(credential(id)), 0, NonceState::new()).unwrap()
}

/// Runs to the end; each answer takes 10 ms. Gives the outcome and how long it took.
pub fn finish(run: &mut Run, mut provider: impl FnMut(&Request, u64) -> Respond) -> (Outcome, u64) {
    let mut now_ms = NOW_MS;
    for _ in 0..1000 {
        match run.next(now_ms, &mut Counting(0)) {
            Step::Send { call, request, .. } => {
                let reply = provider(&request, now_ms);
                now_ms += 10;
                run.answer(call, now_ms, reply.status, &reply.headers, reply.body.as_bytes());
            }
            Step::Wait { until_ms } => now_ms = until_ms.expect("nothing is in flight").max(now_ms + 1),
            Step::Done(outcome) => return (outcome, now_ms - NOW_MS),
        }
    }
    panic!("the run does not end");
}

pub fn balances(outcome: Outcome) -> Vec<Balance> {
    match outcome.answer {
        Answer::Balances(balances) => balances,
        other => panic!("{other:?}"),
    }
}

pub fn source<'o>(outcome: &'o Outcome, name: &str) -> &'o Status {
    &outcome
        .coverage
        .iter()
        .find(|source| source.source == name)
        .unwrap_or_else(|| panic!("no source {name}"))
        .status
}

/// The empty answer of each exchange, which every endpoint understands as "nothing here".
pub fn nothing(id: &str) -> &'static str {
    match id {
        "kraken" => r#"{"error":[],"result":{}}"#,
        "okx" => r#"{"code":"0","data":[]}"#,
        "bybit" => r#"{"retCode":0,"result":{}}"#,
        "kucoin" => r#"{"code":"200000","data":{}}"#,
        "coinbase" => "{}",
        _ => "[]",
    }
}
