//! Lets a run of the enclave's read a node: what it wants sent is sent over HTTP to a port of this machine.

use enclave::connector::{
    Answer, Balance, Operation, Outcome, Params, Position, Record, Request, Step, TransportFault,
};
use enclave::network::{self, Account, Network, Run};
use std::time::{SystemTime, UNIX_EPOCH};

/// What stands where the network's nodes are: for each request a status and a body, or nobody.
pub trait Serve {
    fn serve(&mut self, request: &Request) -> Result<(u16, Vec<u8>), TransportFault>;
}

impl<F: FnMut(&Request) -> Result<(u16, Vec<u8>), TransportFault>> Serve for F {
    fn serve(&mut self, request: &Request) -> Result<(u16, Vec<u8>), TransportFault> {
        self(request)
    }
}

pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

pub fn network(id: &str) -> &'static Network {
    network::find(id).unwrap()
}

pub fn account(network: &Network, json: serde_json::Value) -> Account {
    Account::from_json(network, json.to_string().as_bytes()).unwrap()
}

/// Runs an operation to its end. Pauses pass at once.
pub fn read(
    network: &'static Network,
    account: &Account,
    operation: Operation,
    serve: &mut impl Serve,
) -> Outcome {
    let mut run = Run::start(network, operation, account.clone()).unwrap();
    let mut now = now_ms();
    loop {
        match run.next(now) {
            Step::Done(outcome) => return outcome,
            Step::Wait { until_ms } => now = until_ms.unwrap(),
            Step::Send { call, request, authenticated } => {
                assert!(!authenticated, "nobody is told a secret");
                match serve.serve(&request) {
                    Ok((status, body)) => run.answer(call, now, status, &[], &body),
                    Err(fault) => run.failed(call, now, fault),
                }
            }
        }
    }
}

pub fn balances(
    network: &'static Network,
    account: &Account,
    serve: &mut impl Serve,
) -> (Vec<Balance>, Outcome) {
    let mut outcome = read(network, account, Operation::Balances { sources: None }, serve);
    match std::mem::replace(&mut outcome.answer, Answer::Nothing) {
        Answer::Balances(balances) => (balances, outcome),
        other => panic!("{other:?}: {:?}", outcome.coverage),
    }
}

/// The rows of what is read.
pub fn rows(
    network: &'static Network,
    account: &Account,
    operation: Operation,
    serve: &mut impl Serve,
) -> (Vec<Record>, Outcome) {
    let mut outcome = read(network, account, operation, serve);
    match std::mem::replace(&mut outcome.answer, Answer::Nothing) {
        Answer::Rows(rows) => (rows, outcome),
        other => panic!("{other:?}: {:?}", outcome.coverage),
    }
}

/// One page of what a chain keeps of an account.
pub fn page(operation: &str, from: Position) -> Operation {
    Operation::Read {
        operation: operation.to_owned(),
        arguments: Params::new(),
        extra: Params::new(),
        from,
        pages: Some(5),
    }
}

/// Every row, page by page, and what came of the last one.
pub fn whole(
    network: &'static Network,
    account: &Account,
    operation: &str,
    serve: &mut impl Serve,
) -> (Vec<Record>, Outcome, usize) {
    let (mut all, mut from) = (Vec::new(), Position::Start);
    for pages in 1.. {
        let (found, outcome) = rows(network, account, page(operation, from), serve);
        all.extend(found);
        match &outcome.next {
            // What is kept between sessions is text.
            Some(next) => from = Position::parse(&next.text().unwrap()).unwrap(),
            None => return (all, outcome, pages),
        }
    }
    panic!("the pages do not end")
}

/// The total of an asset by its symbol.
pub fn total(balances: &[Balance], symbol: &str) -> Option<String> {
    let held = balances.iter().find(|balance| *balance.asset == *symbol)?;
    Some(held.total.unwrap().to_string())
}

/// What came of each source.
pub fn statuses(outcome: &Outcome) -> Vec<(&str, &str)> {
    outcome.coverage.iter().map(|coverage| (coverage.source.as_str(), coverage.status.name())).collect()
}
