//! `wallet backup`: the words to their owner, and the proof that they were written down.

use super::keeps_its_key;
use crate::client::clock::{now, rfc3339};
use crate::client::commands::export::credential_of;
use crate::client::commands::print_json;
use crate::client::credential::ask_secret;
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::key_file::random;
use crate::client::home::keys::sha256;
use crate::client::home::record::Record;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::Session;
use crate::client::terminal::{can_ask, printable, say};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use wire::Canonical;
use wire::evidence::Hash;
use wire::operation::{ConfirmBackup, Op, words_transcript};
use zeroize::Zeroizing;

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tensfer wallet backup pocket\n  tensfer wallet backup pocket --check words.txt\n\n\
    The words are shown on a terminal only, one time, and three of them are asked for. `--check` compares words that you \
    have with the wallet's instead. With `--json` they are shown there just the same, and never in the JSON; a program \
    that is to have them asks for `tensfer export --print`."
)]
pub struct Args {
    /// The wallet's id or name.
    id: String,

    /// Show nothing: compare the words in this file (`-`: standard input) with the wallet's.
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,

    /// Show the words again, though it is known that you have them.
    #[arg(long)]
    again: bool,

    /// Print JSON: id, name, exchange, backed_up. The words are not in it.
    #[arg(long)]
    json: bool,
}

/// What is known of the wallet now.
#[derive(Debug, Serialize)]
struct Shape<'r> {
    id: String,
    name: &'r str,
    exchange: &'r str,
    backed_up: String,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let linked = Linked::open(&home, &session)?;
    let mut record = linked.connection(&args.id)?;
    let name = printable(&record.name);
    if !keeps_its_key(&record) {
        return Err(Failure::usage(format!("`{name}` is only watched: its key is elsewhere"))
            .hint("back it up where its key is"));
    }
    if record.backed_up.is_some() && !args.again && args.check.is_none() {
        return Err(Failure::usage(format!("you have the words of `{name}` already"))
            .hint("`--again` shows them once more, `--check FILE` compares those that you have"));
    }
    if args.check.is_none() && !can_ask() {
        return Err(Failure::usage("the words are shown on a terminal only")
            .hint("run it at a terminal, or compare words that you have: `--check FILE`"));
    }
    let credential = credential_of(&linked, &mut record)?;
    let words = phrase(&credential)?;
    let is_known = match &args.check {
        Some(path) => *normalised(&read_words(path)?) == *words,
        None => {
            show(&words)?;
            asked_three(&words)?
        }
    };
    if !is_known {
        return Err(Failure::refused("backup_differs", format!("these are not the words of `{name}`"))
            .hint("nothing was changed; run it again and write down every word"));
    }
    confirm(&linked, &mut record, &words)?;
    let backed_up = now();
    record.backed_up = Some(backed_up.0);
    home.save(&record)?;
    say(format!("noted: you have the words of `{name}`"));
    if !args.json {
        return Ok(());
    }
    let (id, name, exchange) = (record.id.to_string(), record.name.as_str(), record.exchange.as_str());
    print_json(&Shape { id, name, exchange, backed_up: rfc3339(backed_up) })
}

/// Tells the enclave, so that the register of connections says it: an epoch that ends takes no wallet along whose words nobody
/// has.
fn confirm(linked: &Linked<'_>, record: &mut Record, words: &str) -> Result<()> {
    let shown = sha256(&words_transcript(record.id, &sha256(words.as_bytes())));
    let slot = record.current()?.clone();
    let args = ConfirmBackup { words: Hash(shown) }.to_bytes();
    linked.ask(record, &slot, Op::ConfirmBackup, &args, &[]).map(|_| ())
}

/// The words in a wallet's credential, which is a flat object of texts without escapes.
fn phrase(credential: &[u8]) -> Result<Zeroizing<String>> {
    let unreadable = || Failure::internal("the wallet's credential is not readable");
    let text = std::str::from_utf8(credential).map_err(|_| unreadable())?;
    let (_, rest) = text.split_once(r#""phrase":""#).ok_or_else(unreadable)?;
    let (words, _) = rest.split_once('"').ok_or_else(unreadable)?;
    Ok(Zeroizing::new(words.to_owned()))
}

/// To standard error, numbered, in rows of four: data on standard output may end in a file.
fn show(words: &str) -> Result<()> {
    let mut out = Zeroizing::new(String::with_capacity(64 * 32));
    for (at, word) in words.split(' ').enumerate() {
        out.push_str(&format!("{:>2} {word:<10}", at + 1));
        out.push_str(if at % 4 == 3 { "\n" } else { "  " });
    }
    let shown = writeln!(
        std::io::stderr(),
        "Write these words down, in order. Whoever has them can spend.\n\n{}",
        *out
    );
    shown.map_err(|_| Failure::internal("this terminal cannot be written to"))
}

/// Three words by their numbers.
fn asked_three(words: &str) -> Result<bool> {
    let words: Vec<&str> = words.split(' ').collect();
    let draws: [u8; 3] = random()?;
    // One of each third, so that no two are the same.
    let third = words.len() / 3;
    for (part, draw) in draws.into_iter().enumerate() {
        let at = part * third + usize::from(draw) % third.max(1);
        let typed = ask_secret(&format!("Word {}", at + 1))?;
        if words.get(at) != Some(&typed.trim()) {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) fn read_words(path: &Path) -> Result<Zeroizing<String>> {
    let bytes = files::read_secret(path, "file")?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::usage("the words are not plain text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Words parted by single spaces, whatever they were parted by.
pub(super) fn normalised(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    for word in text.split_ascii_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_found_in_the_credential_and_compared_however_they_are_parted() {
        let credential =
            br#"{"phrase":"abandon ability able","passphrase":"","account":"0","addresses":"segwit"}"#;
        let words = phrase(credential).unwrap();
        assert_eq!(*words, "abandon ability able");
        assert_eq!(*normalised(" abandon\n ability\table \n"), *words);
        assert!(phrase(br#"{"watch":"0xabc"}"#).is_err());
    }
}
