//! What runs on a server is configured by one file, the environment and the command line, the later before the earlier
//! (docs/configuration.md). A setting is an option of a command by its name, so there is one list of them: the command line's.
//!
//! Settings become words of the command line before that is read. So they are checked as options are, and together with those.

mod environment;
mod file;
mod print;
mod setting;
#[cfg(test)]
mod tests;

pub use print::{Args, run};

use clap::Arg;
use setting::Setting;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Commands that are configured: a table of the file each.
pub const COMMANDS: [&str; 6] = ["egress", "gateway", "identity", "relay", "up", "witness"];
/// The option that names the file, and what names it in the environment.
const CONFIG: &str = "config";
const FILE: &str = "TENSFER_CONFIG";

/// Why nothing is run: a sentence for who wrote the settings, with its place. It quotes no value.
#[derive(Debug)]
pub struct Wrong(String);

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// What a process was given beside its command line.
#[derive(Debug, Default)]
pub struct Surroundings {
    variables: Vec<(String, OsString)>,
}

impl Surroundings {
    /// Of this process.
    pub fn here() -> Surroundings {
        let named = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
        Surroundings { variables: std::env::vars_os().filter_map(named).collect() }
    }

    fn variable(&self, name: &str) -> Option<&OsString> {
        self.variables.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// The file that is read if none is named: `tensfer/tensfer.toml` among the user's settings.
    fn usual_file(&self) -> Option<PathBuf> {
        let folder =
            |name| self.variable(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
        let settings = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
        Some(settings.join("tensfer/tensfer.toml"))
    }

    /// Every setting of every command, from the file and the environment. `named` is what `--config` says.
    fn settings(&self, command: &clap::Command, named: Option<&Path>) -> Result<Vec<Setting>, Wrong> {
        let named = named.map(Path::to_path_buf).or_else(|| self.variable(FILE).map(PathBuf::from));
        let usual = self.usual_file().filter(|path| named.is_none() && path.exists());
        let mut settings = match named.or(usual) {
            Some(path) => file::read(command, &path)?,
            None => Vec::new(),
        };
        for set in environment::read(command, &self.variables)? {
            settings.retain(|setting| !setting.is_of(&set.command, &set.option));
            settings.push(set);
        }
        Ok(settings)
    }
}

/// Gives every configured command its option `--config`.
pub fn with_option(command: clap::Command) -> clap::Command {
    let option = || {
        Arg::new(CONFIG).long(CONFIG).value_name("FILE").value_parser(clap::value_parser!(PathBuf)).help(
            "File of settings (docs/configuration.md); what stands on the command line goes before it \
             [default: tensfer/tensfer.toml in the folder of the user's settings, if there is one]",
        )
    };
    COMMANDS
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, |server| server.arg(option())))
}

/// The words of a command line, with what is set elsewhere put behind the command that it is for.
pub fn arguments(
    command: &clap::Command,
    mut words: Vec<OsString>,
    around: &Surroundings,
) -> Result<Vec<OsString>, Wrong> {
    let Some((at, server)) = asked(command, &words) else { return Ok(words) };
    let given = Given::among(server, words.get(at + 1..).unwrap_or_default());
    if given.is_no_run {
        return Ok(words);
    }
    let settings = around.settings(command, given.config.as_deref())?;
    let own = settings.iter().filter(|setting| setting.command == server.get_name());
    let set: Vec<OsString> =
        own.filter(|setting| !given.outweighs(server, setting)).flat_map(Setting::words).collect();
    words.splice(at + 1..at + 1, set);
    Ok(words)
}

/// The command among the words, if it is one that is configured, and its place.
fn asked<'c>(command: &'c clap::Command, words: &[OsString]) -> Option<(usize, &'c clap::Command)> {
    let mut at = 1;
    loop {
        let word = words.get(at)?.to_str()?;
        let Some(option) = word.strip_prefix("--") else {
            let is_configured = COMMANDS.contains(&word);
            return is_configured.then(|| command.find_subcommand(word)).flatten().map(|found| (at, found));
        };
        // A client's option may stand before any command, with its value in the next word.
        let has_own_word = command
            .get_arguments()
            .any(|argument| argument.get_long() == Some(option) && argument.get_action().takes_values());
        at += if has_own_word { 2 } else { 1 };
    }
}

/// What stands on the command line itself.
struct Given {
    options: Vec<String>,
    config: Option<PathBuf>,
    /// Help is asked for, or a command below this one, which has no settings.
    is_no_run: bool,
}

impl Given {
    fn among(server: &clap::Command, words: &[OsString]) -> Given {
        let mut given = Given { options: Vec::new(), config: None, is_no_run: false };
        let mut words = words.iter().take_while(|word| *word != "--");
        while let Some(word) = words.next() {
            let Some(word) = word.to_str() else { continue };
            given.is_no_run |= ["-h", "--help", "-V", "--version"].contains(&word);
            given.is_no_run |= server.find_subcommand(word).is_some();
            let Some(option) = word.strip_prefix("--") else { continue };
            let (name, value) =
                option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value.into())));
            if name == CONFIG {
                given.config = value.or_else(|| words.next().map(PathBuf::from));
            } else {
                given.options.push(name.to_owned());
                let takes = |argument: &&Arg| {
                    argument.get_long() == Some(name) && argument.get_action().takes_values()
                };
                if value.is_none() && server.get_arguments().any(|argument| takes(&argument)) {
                    words.next();
                }
            }
        }
        given
    }

    /// Whether the command line says otherwise: by the same option, or by one that excludes it.
    fn outweighs(&self, server: &clap::Command, setting: &Setting) -> bool {
        let option = |name: &str| server.get_arguments().find(|argument| argument.get_long() == Some(name));
        let excludes = |given: &Arg, other: &Arg| {
            server.get_arg_conflicts_with(given).iter().any(|excluded| excluded.get_id() == other.get_id())
        };
        let Some(set) = option(&setting.option) else { return false };
        self.options
            .iter()
            .filter_map(|given| option(given))
            .any(|given| given.get_id() == set.get_id() || excludes(given, set) || excludes(set, given))
    }
}

/// The options of a command that can be set: all that are its own.
fn options(server: &clap::Command) -> impl Iterator<Item = (&Arg, &str)> {
    let named = server.get_arguments().filter_map(|argument| Some((argument, argument.get_long()?)));
    named.filter(|(argument, name)| {
        !argument.is_global_set() && !argument.is_hide_set() && !["help", "version", CONFIG].contains(name)
    })
}

/// How an option is written in the file.
fn key(option: &str) -> String {
    option.replace('-', "_")
}

/// The option that a key names, or a sentence with the one that is nearest.
fn option_of<'c>(server: &'c clap::Command, written: &str) -> Result<(&'c Arg, &'c str), String> {
    let found = options(server).find(|(_, option)| key(option) == written);
    found.ok_or_else(|| {
        let known: Vec<String> = options(server).map(|(_, option)| key(option)).collect();
        unknown(written, &known)
    })
}

fn unknown(written: &str, known: &[String]) -> String {
    let nearest = known.iter().min_by_key(|known| distance(written, known));
    let nearest =
        nearest.map_or(String::new(), |nearest| format!("; the nearest that there is: `{nearest}`"));
    format!("nothing is called `{}`{nearest}", written.escape_debug())
}

/// How many letters have to be put in, taken out, changed, or exchanged with the next (optimal string alignment).
fn distance(one: &str, other: &str) -> usize {
    let [one, other] = [one, other].map(|text| text.chars().collect::<Vec<_>>());
    let mut rows = vec![(0..=other.len()).collect::<Vec<_>>()];
    for (i, letter) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, wanted) in other.iter().enumerate() {
            let mut least =
                (rows[i][j] + usize::from(letter != wanted)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter == other[j - 1] && one[i - 1] == *wanted {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}
