//! `tensfer config`: what every command would go by, and where that comes from.

use super::setting::{Setting, Source, Value};
use super::{COMMANDS, Surroundings, key, options};
use crate::up;
use anyhow::Context;
use clap::{Arg, ArgAction};
use serde_json::{Map, json};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    tensfer config\n  \
    tensfer config --config /etc/tensfer.toml --json\n\
    What stands on a command's own line goes before all of it. Nothing that is printed is a secret: those lie in files of their own, \
    which settings name.")]
pub struct Args {
    /// File of settings [default: as the commands have it].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON: for each command, each key's value and source.
    #[arg(long)]
    json: bool,
}

/// Prints them all.
pub fn run(command: &clap::Command, args: &Args) -> anyhow::Result<ExitCode> {
    let settings = match Surroundings::here().settings(command, args.config.as_deref()) {
        Ok(settings) => settings,
        Err(wrong) => {
            eprintln!("error: {wrong}");
            return Ok(ExitCode::from(2));
        }
    };
    let text = match args.json {
        true => format!("{:#}\n", for_programs(command, &settings)),
        false => for_people(command, &settings).context("a text")?,
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// As the file has it: what is set nowhere is a comment.
pub fn for_people(command: &clap::Command, settings: &[Setting]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for name in COMMANDS {
        writeln!(text, "[{name}]")?;
        for (key, value, source) in effective(command, name, settings) {
            match value {
                Some(value) => writeln!(text, "{key} = {value}  # {source}")?,
                None => writeln!(text, "# {key}: not set")?,
            }
        }
        writeln!(text)?;
    }
    Ok(text)
}

pub fn for_programs(command: &clap::Command, settings: &[Setting]) -> serde_json::Value {
    let of = |name| {
        let shown = |(key, value, source): (String, Option<serde_json::Value>, Source)| {
            (key, json!({ "value": value, "source": source.to_string() }))
        };
        effective(command, name, settings).into_iter().map(shown).collect::<Map<_, _>>()
    };
    COMMANDS.map(|name| (name.to_owned(), of(name).into())).into_iter().collect::<Map<_, _>>().into()
}

/// Each key of a command, its value, and where that comes from. JSON's texts and lists are TOML's, too.
fn effective(
    command: &clap::Command,
    name: &str,
    settings: &[Setting],
) -> Vec<(String, Option<serde_json::Value>, Source)> {
    let server = command.find_subcommand(name);
    let of = |(argument, option): (&Arg, &str)| {
        let set = settings.iter().find(|setting| setting.is_of(name, option));
        let value = match set {
            Some(setting) => Some(shown(&setting.value)),
            None => default(argument),
        };
        (key(option), value, set.map_or(Source::Default, |setting| setting.source.clone()))
    };
    server.into_iter().flat_map(options).map(of).collect()
}

fn default(argument: &Arg) -> Option<serde_json::Value> {
    match argument.get_action() {
        ArgAction::SetTrue => Some(json!(false)),
        _ => argument.get_default_values().first().map(|value| one(value)),
    }
}

fn shown(value: &Value) -> serde_json::Value {
    match value {
        Value::Switch(is) => json!(is),
        Value::One(value) => one(value),
        Value::Several(values) => values.iter().map(|value| json!(without_password(value))).collect(),
    }
}

/// A number as a number.
fn one(value: &OsStr) -> serde_json::Value {
    let number =
        value.to_str().and_then(|text| text.parse::<u64>().ok().filter(|number| number.to_string() == text));
    number.map_or_else(|| json!(without_password(value)), |number| json!(number))
}

/// A database's address with a password in it is taken by no command; it is not shown either.
fn without_password(value: &OsStr) -> String {
    let value = value.to_string_lossy().into_owned();
    if value.contains("://") && up::database::has_password(&value) {
        "(a password is in it)".to_owned()
    } else {
        value
    }
}
