//! Settings in a file: TOML, a table for each command.

use super::setting::{Setting, Source, Value};
use super::{COMMANDS, Wrong, option_of, unknown};
use clap::ArgAction;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// A page of settings is a hundredth of this.
const MOST: u64 = 1 << 20;

/// Every setting of a file. All of it is read, whichever command is asked for: a wrong key is wrong now.
pub fn read(command: &clap::Command, path: &Path) -> Result<Vec<Setting>, Wrong> {
    let failed = |error: std::io::Error| Wrong(format!("the settings in `{}`: {error}", path.display()));
    let found = std::fs::metadata(path).map_err(failed)?;
    if found.mode() & 0o022 != 0 {
        return Err(Wrong(format!(
            "others may write to the settings in `{0}`: `chmod go-w {0}`",
            path.display()
        )));
    }
    if found.len() > MOST {
        return Err(failed(std::io::ErrorKind::FileTooLarge.into()));
    }
    settings(command, path, &std::fs::read_to_string(path).map_err(failed)?)
}

pub fn settings(command: &clap::Command, path: &Path, text: &str) -> Result<Vec<Setting>, Wrong> {
    let line = |at: usize| 1 + text.get(..at).unwrap_or(text).matches('\n').count();
    let wrong = |at: usize, why: String| Wrong(format!("{}:{}: {why}", path.display(), line(at)));
    let tables = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        wrong(at, error.message().to_owned())
    })?;
    let mut settings = Vec::new();
    for (name, table) in tables.get_ref() {
        let at = name.span().start;
        let known = || COMMANDS.map(str::to_owned);
        let server = COMMANDS
            .contains(&&**name.get_ref())
            .then(|| command.find_subcommand(&**name.get_ref()))
            .flatten();
        let server = server.ok_or_else(|| wrong(at, unknown(name.get_ref(), &known())))?;
        let DeValue::Table(table) = table.get_ref() else {
            return Err(wrong(at, format!("`{}` is a table: `[{0}]`", server.get_name())));
        };
        for (key, found) in table {
            let at = key.span().start;
            let (argument, option) = option_of(server, key.get_ref()).map_err(|why| wrong(at, why))?;
            let value =
                value(argument.get_action(), found.get_ref()).map_err(|why| wrong(at, why.to_owned()))?;
            let (command, option) = (server.get_name().to_owned(), option.to_owned());
            settings.push(Setting {
                command,
                option,
                value,
                source: Source::File(path.to_path_buf(), line(at)),
            });
        }
    }
    Ok(settings)
}

fn value(action: &ArgAction, found: &DeValue<'_>) -> Result<Value, &'static str> {
    match (action, found) {
        (ArgAction::SetTrue, DeValue::Boolean(is)) => Ok(Value::Switch(*is)),
        (ArgAction::SetTrue, _) => Err("either `true` or `false`"),
        (ArgAction::Append, DeValue::Array(values)) => {
            let words = values.iter().map(|value| word(value.get_ref()));
            words.collect::<Option<_>>().map(Value::Several).ok_or("a list of texts: `[\"…\", \"…\"]`")
        }
        (ArgAction::Append, _) => Err("a list of texts: `[\"…\", \"…\"]`"),
        (_, value) => word(value).map(Value::One).ok_or("a text in quotation marks, or a whole number"),
    }
}

fn word(value: &DeValue<'_>) -> Option<OsString> {
    match value {
        DeValue::String(text) => Some(text.as_ref().into()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().into()),
        _ => None,
    }
}
