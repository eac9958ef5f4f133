//! `balances`: what a person owns, over all connections at once.

use super::{print, print_json, print_json_line};
use crate::client::asks::{Asks, ByOwner};
use crate::client::clock::now;
use crate::client::failure::{Failure, Result};
use crate::client::home::record::Record;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::portfolio::{self, Answer, Arrival, Portfolio, Summary};
use crate::client::session::{Enclave, Session};
use crate::client::terminal::{Progress, counted, say};
use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use wire::Canonical;
use wire::balance::Holdings;
use wire::operation::{self, Op};

/// Connections asked at a time: one that waits for its exchange costs a thread and a connection to the server.
const AT_ONCE: usize = 128;

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tensfer balances --in EUR\n  tensfer balances --json\n  tensfer balances --json-lines"
)]
pub struct Args {
    /// Print JSON, with every digit.
    #[arg(long)]
    json: bool,

    /// Print a line of JSON for each account as it answers, and one for the whole at the end.
    #[arg(long, conflicts_with = "json")]
    json_lines: bool,

    /// The currency to value in.
    #[arg(long = "in", value_name = "CURRENCY", default_value = "EUR", value_parser = currency)]
    currency: String,
}

/// What came of one connection; the portfolio is shown whatever came of the others.
pub fn run(options: &Options, args: &Args) -> Result<ExitCode> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let records = home.connections_in(session.realm())?;
    if records.is_empty() {
        say("hint: link an account first: `tensfer link EXCHANGE`");
    }
    let mut written = Ok(());
    let answers = match records.is_empty() {
        true => Vec::new(),
        false => {
            let linked = Linked::open(&home, &session)?;
            let ask = |mut record: Record| {
                let outcome = ask_one(&linked, &mut record, &args.currency);
                answer(&record, outcome)
            };
            ask_all(records, &args.currency, ask, |answer| {
                if args.json_lines && written.is_ok() {
                    written = print_json_line(&Arrival::of(answer));
                }
            })
        }
    };
    written?;
    let failures: Vec<Failure> = answers.iter().flat_map(portfolio::failures).collect();
    let portfolio = Portfolio::new(&args.currency, now(), answers);
    match (args.json, args.json_lines) {
        (true, _) => print_json(&portfolio)?,
        (_, true) => print_json_line(&Summary::of(&portfolio))?,
        _ => print(&portfolio.to_string())?,
    }
    failures.iter().for_each(|failure| say(failure.to_string()));
    Ok(failures.first().map_or(ExitCode::SUCCESS, |failure| failure.fault.into()))
}

/// Asks all connections, as many at a time as it may, and tells each answer when it arrives. The answers are in the order
/// of the records.
pub fn ask_all(
    records: Vec<Record>,
    currency: &str,
    ask: impl Fn(Record) -> Answer + Sync,
    mut arrived: impl FnMut(&Answer),
) -> Vec<Answer> {
    let total = records.len();
    let accounts = counted(total as u64, "account", "accounts");
    let progress = Progress::start(format!("asking {accounts}"));
    let mut answers: Vec<Option<Answer>> = records.iter().map(|_| None).collect();
    let questions = Mutex::new(records.into_iter().enumerate().collect::<VecDeque<_>>());
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        for _ in 0..total.min(AT_ONCE) {
            let (sender, questions, ask) = (sender.clone(), &questions, &ask);
            scope.spawn(move || work(questions, ask, &sender));
        }
        drop(sender);
        for (done, (place, answer)) in (1..).zip(receiver) {
            progress.arrived(portfolio::line(&answer, currency));
            progress.update(format!("asking {accounts}, {done} answered"));
            arrived(&answer);
            answers[place] = Some(answer);
        }
    });
    answers.into_iter().flatten().collect()
}

/// Asks one connection after the other, until none is left.
fn work(
    questions: &Mutex<VecDeque<(usize, Record)>>,
    ask: &impl Fn(Record) -> Answer,
    answers: &Sender<(usize, Answer)>,
) {
    let next = || questions.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    while let Some((place, record)) = next() {
        if answers.send((place, ask(record))).is_err() {
            return;
        }
    }
}

/// What one connection holds. What is pending of it is finished first.
pub fn ask_one(linked: &Linked<'_>, record: &mut Record, currency: &str) -> Result<Holdings> {
    linked.resume(record)?;
    holdings(&mut ByOwner::new(linked, record)?, currency)
}

/// What one account holds, whoever asks.
pub fn holdings(asks: &mut dyn Asks, currency: &str) -> Result<Holdings> {
    let result = asks.ask(Op::Balances, &operation::Balances { currency: currency.to_owned() }.to_bytes())?;
    let holdings = Holdings::from_bytes(&result).ok().filter(|holdings| holdings.currency == currency);
    holdings.ok_or_else(|| Failure::internal("the enclave answered with something unreadable"))
}

pub fn answer(record: &Record, outcome: Result<Holdings>) -> Answer {
    Answer {
        id: record.id.to_string(),
        exchange: record.exchange.clone(),
        name: record.name.clone(),
        outcome,
    }
}

pub fn currency(text: &str) -> std::result::Result<String, String> {
    let plausible = (2..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plausible { Ok(text.to_ascii_uppercase()) } else { Err("a currency is a code such as EUR".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::home::environment::Environment;
    use crate::client::home::realm::Realm;
    use crate::client::testing::{Scripted, linked_home};

    #[test]
    fn balances_of_another_environment_are_refused_and_said_to_be_missing() {
        let directory = tempfile::tempdir().unwrap();
        let (home, enclave) = (linked_home(directory.path()), Scripted::new());
        enclave.move_to(Environment::Live);
        let linked = Linked::open(&home, &enclave).unwrap();
        let mut arrived = 0;
        let records = home.connections_in(Realm::Simulated).unwrap();
        let ask = |mut record: Record| {
            let outcome = ask_one(&linked, &mut record, "EUR");
            answer(&record, outcome)
        };
        let answers = ask_all(records, "EUR", ask, |_| arrived += 1);
        assert_eq!(arrived, answers.len());
        let codes: Vec<_> =
            answers.iter().flat_map(portfolio::failures).map(|failure| failure.code).collect();
        assert_eq!((codes, enclave.asked()), (vec!["environments_mixed"], 0));
        assert!(!Portfolio::new("EUR", now(), answers).coverage.complete);
    }
}
