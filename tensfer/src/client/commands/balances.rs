//! `balances`: what a person owns, over all connections at once.

use super::{print, print_json};
use crate::client::clock::now;
use crate::client::failure::{Failure, Result};
use crate::client::home::record::{Record, Slot};
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::portfolio::{self, Answer, Portfolio};
use crate::client::session::{self, Enclave, Session};
use crate::client::terminal::{Progress, counted, say};
use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use wire::balance::Holdings;
use wire::operation::{self, Op};
use wire::{Canonical, Refusal};

/// Connections asked at a time.
const AT_ONCE: usize = 16;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  tensfer balances --in EUR\n  tensfer balances --json")]
pub struct Args {
    /// Print JSON, with every digit.
    #[arg(long)]
    json: bool,

    /// The currency to value in.
    #[arg(long = "in", value_name = "CURRENCY", default_value = "EUR", value_parser = currency)]
    currency: String,
}

/// A connection that can be asked.
struct Question {
    place: usize,
    record: Record,
    slot: Slot,
}

/// What came of one connection; the portfolio is shown whatever came of the others.
pub fn run(options: &Options, args: &Args) -> Result<ExitCode> {
    let home = options.home()?;
    let session = Session::open(options.gateway(None)?, options.expect_enclave()?)?;
    let records = home.connections_in(session.realm())?;
    if records.is_empty() {
        say("hint: link an account first: `tensfer link EXCHANGE`");
    }
    let answers = match records.is_empty() {
        true => Vec::new(),
        false => ask_all(&Linked::open(&home, &session)?, records, &args.currency)?,
    };
    let failures: Vec<Failure> = answers.iter().flat_map(portfolio::failures).collect();
    let portfolio = Portfolio::new(&args.currency, now(), answers);
    match args.json {
        true => print_json(&portfolio)?,
        false => print(&portfolio.to_string())?,
    }
    failures.iter().for_each(|failure| say(failure.to_string()));
    Ok(failures.first().map_or(ExitCode::SUCCESS, |failure| failure.fault.into()))
}

fn ask_all(linked: &Linked<'_>, records: Vec<Record>, currency: &str) -> Result<Vec<Answer>> {
    let total = records.len();
    let accounts = counted(total as u64, "account", "accounts");
    let progress = Progress::start(format!("asking {accounts}"));
    let mut answers: Vec<Option<Answer>> = records.iter().map(|_| None).collect();
    let mut questions = VecDeque::new();
    for (place, mut record) in records.into_iter().enumerate() {
        match prepare(linked, &mut record) {
            Ok(slot) => questions.push_back(Question { place, record, slot }),
            Err(failure) => answers[place] = Some(answer(&record, Err(failure))),
        }
    }
    let args = operation::Balances { currency: currency.to_owned() }.to_bytes();
    let questions = Mutex::new(questions);
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        for _ in 0..total.min(AT_ONCE) {
            let (sender, questions, args) = (sender.clone(), &questions, &args);
            scope.spawn(move || work(linked, questions, args, &sender));
        }
        drop(sender);
        for (question, replied) in receiver {
            let Question { place, mut record, .. } = question;
            let result = match linked.finish(&mut record, replied) {
                Err(failure) if failure.code == Refusal::RefreshNeeded.code() => {
                    linked.refresh(&mut record).and_then(|()| {
                        let slot = record.current()?.clone();
                        linked.ask(&mut record, &slot, Op::Balances, &args, &[])
                    })
                }
                finished => finished.map(|(result, _)| result),
            };
            answers[place] = Some(answer(&record, result.and_then(|result| holdings(&result, currency))));
            let done = answers.iter().flatten().count();
            progress.update(format!("asking {accounts}, {done} answered"));
        }
    });
    Ok(answers.into_iter().flatten().collect())
}

/// Finishes what is pending.
fn prepare(linked: &Linked<'_>, record: &mut Record) -> Result<Slot> {
    linked.resume(record)?;
    record.current().cloned()
}

fn work(
    linked: &Linked<'_>,
    questions: &Mutex<VecDeque<Question>>,
    args: &[u8],
    answers: &Sender<(Question, Result<session::Answer>)>,
) {
    let next = || questions.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    while let Some(mut question) = next() {
        let answer = linked.send(&mut question.record, &question.slot, Op::Balances, args, &[]);
        if answers.send((question, answer)).is_err() {
            return;
        }
    }
}

fn holdings(result: &[u8], currency: &str) -> Result<Holdings> {
    let holdings = Holdings::from_bytes(result).ok().filter(|holdings| holdings.currency == currency);
    holdings.ok_or_else(|| Failure::internal("the enclave answered with something unreadable"))
}

fn answer(record: &Record, outcome: Result<Holdings>) -> Answer {
    Answer {
        id: record.id.to_string(),
        exchange: record.exchange.clone(),
        name: record.name.clone(),
        outcome,
    }
}

fn currency(text: &str) -> std::result::Result<String, String> {
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
        let answers = ask_all(&linked, home.connections_in(Realm::Simulated).unwrap(), "EUR").unwrap();
        let codes: Vec<_> =
            answers.iter().flat_map(portfolio::failures).map(|failure| failure.code).collect();
        assert_eq!((codes, enclave.asked()), (vec!["environments_mixed"], 0));
        assert!(!Portfolio::new("EUR", now(), answers).coverage.complete);
    }
}
