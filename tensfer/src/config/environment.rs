//! Settings in the environment: `TENSFER_` with the command and the option, in capitals.

use super::setting::{Setting, Source, Value};
use super::{COMMANDS, Wrong, option_of};
use clap::ArgAction;
use std::ffi::OsString;

/// Every setting among these variables. Several values are separated by commas.
pub fn read(command: &clap::Command, variables: &[(String, OsString)]) -> Result<Vec<Setting>, Wrong> {
    let mut settings = Vec::new();
    for (variable, text) in variables {
        let Some((name, written)) = split(variable) else { continue };
        let server = command.find_subcommand(name);
        let Some(server) = server else { continue };
        let wrong = |why: String| Wrong(format!("{variable}: {why}"));
        let (argument, option) = option_of(server, &written).map_err(wrong)?;
        let value = value(argument.get_action(), text).map_err(wrong)?;
        let (command, option) = (name.to_owned(), option.to_owned());
        settings.push(Setting { command, option, value, source: Source::Environment(variable.clone()) });
    }
    Ok(settings)
}

/// The command and the key that a variable names, if it names any.
fn split(variable: &str) -> Option<(&'static str, String)> {
    let rest = variable.strip_prefix("TENSFER_")?.to_ascii_lowercase();
    COMMANDS.into_iter().find_map(|name| Some((name, rest.strip_prefix(name)?.strip_prefix('_')?.to_owned())))
}

fn value(action: &ArgAction, text: &OsString) -> Result<Value, String> {
    match action {
        ArgAction::SetTrue => match text.to_str() {
            Some("true") => Ok(Value::Switch(true)),
            Some("false") => Ok(Value::Switch(false)),
            _ => Err("either `true` or `false`".to_owned()),
        },
        ArgAction::Append => {
            let text = text.to_str().ok_or("not a text")?;
            Ok(Value::Several(text.split(',').map(OsString::from).collect()))
        }
        _ => Ok(Value::One(text.clone())),
    }
}
