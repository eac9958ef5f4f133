//! The one binary: every role, the command-line client and the sandbox provider is a subcommand with a module of its own.
//!
//! Exit codes: 0 done, 1 refused, 2 usage, 3 provider, 4 host, 5 internal. A subcommand returns the code it
//! decided on; an error that nobody decided about is internal.

mod client;
mod config;
mod sandbox;
mod up;
mod witness;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// Connect exchange accounts without handing anyone the keys.
#[derive(Debug, Parser)]
#[command(name = "tensfer", version, propagate_version = true)]
struct Tensfer {
    #[command(flatten)]
    client: client::Options,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Client(client::Command),

    /// Serve every exchange on loopback, with seeded accounts and made-up money.
    Sandbox(sandbox::Args),

    #[command(flatten)]
    Host(up::Command),

    /// Remember the last state of each deployment's lines, so that none is started from an older one.
    Witness(witness::Args),

    /// Print what the commands of a server are set to, and where each setting comes from.
    Config(config::Args),

    /// The root: what its operators do, and the epochs of a simulated one.
    #[command(subcommand)]
    Root(Root),
}

#[derive(Debug, Subcommand)]
enum Root {
    #[command(flatten)]
    Operator(client::Operator),

    /// Rotate the simulated root: begin an epoch, promote it, conclude, destroy the oldest.
    #[command(subcommand)]
    Rotate(up::rotate::Command),

    /// Epochs of the simulated root.
    #[command(subcommand)]
    Epoch(up::Epoch),
}

fn main() -> ExitCode {
    let (words, around) = (std::env::args_os().collect(), config::Surroundings::here());
    let words = match config::arguments(&command(), words, &around) {
        Ok(words) => words,
        Err(wrong) => {
            eprintln!("error: {wrong}");
            return ExitCode::from(2);
        }
    };
    let matches = command().get_matches_from(words);
    let Tensfer { client: options, command } =
        Tensfer::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut self::command()).exit());
    let outcome = match command {
        Command::Client(command) => Ok(client::run(&options, command)),
        Command::Sandbox(args) => sandbox::run(args),
        Command::Host(command) => Ok(up::run(command)),
        Command::Witness(args) => Ok(witness::run(args)),
        Command::Config(args) => config::run(&self::command(), &args),
        Command::Root(Root::Operator(command)) => Ok(client::operate(&options, command)),
        Command::Root(Root::Epoch(command)) => Ok(up::run_epoch(command)),
        Command::Root(Root::Rotate(command)) => Ok(up::run_rotate(command)),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(5)
    })
}

/// The command line. What only a client heeds stays out of the help of what runs on a server.
fn command() -> clap::Command {
    let mut command = config::with_option(Tensfer::command());
    let options: Vec<clap::Id> = command
        .get_arguments()
        .filter(|option| option.is_global_set())
        .map(|option| option.get_id().clone())
        .collect();
    // Builds the subcommands, which get the client's options by that.
    command.build();
    let command = SERVER
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, |server| without(server, &options)));
    // Decided here, without a server.
    let command = command.mut_subcommand("policy", |policy| {
        ["show", "check", "explain"]
            .into_iter()
            .fold(policy, |policy, name| policy.mut_subcommand(name, |inner| without(inner, &options)))
    });
    // Operators' steps go to a relay's socket.
    let to_a_server: Vec<clap::Id> =
        ["server", "server_ca", "dangerous_plain_http"].map(clap::Id::from).to_vec();
    command.mut_subcommand("root", |root| {
        without(root, &to_a_server).mut_subcommand("epoch", |epoch| without(epoch, &options))
    })
}

/// Subcommands that ask no server for anything.
const SERVER: [&str; 9] =
    ["config", "connectors", "sandbox", "up", "gateway", "identity", "relay", "egress", "witness"];

fn without(command: clap::Command, options: &[clap::Id]) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
    let command = command.mut_args(|option| {
        let is_clients = options.contains(option.get_id());
        option.hide(is_clients)
    });
    names
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, |inner| without(inner, options)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(words: &[&str]) -> String {
        let asked = command().try_get_matches_from([&["tensfer"], words, &["--help"]].concat());
        asked.unwrap_err().to_string()
    }

    #[test]
    fn the_clients_options_are_in_the_help_of_its_commands_and_of_no_other() {
        for client in [&[][..], &["link"], &["balances"], &["verify"]] {
            assert!(help(client).contains("--server <URL>"), "{client:?}");
        }
        for operator in ["genesis", "release", "handover", "status"] {
            let help = help(&["root", operator]);
            assert!(help.contains("--dangerous-simulated <FILE>") && help.contains("--run <DIR>"), "{help}");
            assert!(!help.contains("--server") && !help.contains("--dangerous-plain-http"), "{help}");
        }
        for server in [
            &["up"][..],
            &["sandbox"],
            &["sandbox", "accounts"],
            &["gateway"],
            &["identity"],
            &["relay"],
            &["egress"],
            &["witness"],
            &["witness", "key"],
            &["root", "epoch", "new"],
        ] {
            let help = help(server);
            for option in ["--server", "--measurement", "--dangerous", "--policy", "Client options"] {
                assert!(!help.contains(option), "{server:?}: {help}");
            }
        }
        assert!(help(&["up"]).contains("--port") && help(&["sandbox", "accounts"]).contains("--json"));
    }

    /// Commands without `--json`, and why.
    const WITHOUT_JSON: [(&str, &str); 12] = [
        ("agent", "serves"),
        ("connectors catalogue", "its arguments are another program's"),
        ("connectors check", "its arguments are another program's, `--json` among them"),
        ("connectors digest", "prints one value"),
        ("connectors list", "its arguments are another program's, `--json` among them"),
        ("connectors new", "writes a file"),
        ("egress", "serves"),
        ("gateway", "serves"),
        ("identity", "serves"),
        ("relay", "serves"),
        ("sandbox credentials", "prints JSON as it is"),
        ("up", "serves"),
    ];

    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<(String, bool)>) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let path = format!("{path} {}", inner.get_name()).trim().to_owned();
            if inner.has_subcommands() {
                leaves(inner, &path, found);
            } else {
                found.push((path, inner.get_arguments().any(|option| option.get_long() == Some("json"))));
            }
        }
    }

    #[test]
    fn every_command_that_prints_results_prints_them_for_programs_too() {
        let mut found = Vec::new();
        leaves(&command(), "", &mut found);
        assert!(found.len() > 40, "{} commands", found.len());
        let mut without: Vec<String> =
            found.into_iter().filter(|(_, has)| !has).map(|(path, _)| path).collect();
        without.sort();
        assert_eq!(without, WITHOUT_JSON.map(|(path, _)| path));
    }

    #[test]
    fn the_clients_options_may_stand_before_any_command() {
        for words in [
            &["--server", "http://localhost:1", "sandbox", "accounts"][..],
            &["verify", "--server", "http://localhost:1"],
        ] {
            let matches = command().try_get_matches_from([&["tensfer"], words].concat()).unwrap();
            assert!(Tensfer::from_arg_matches(&matches).is_ok());
        }
        Tensfer::command().debug_assert();
    }

    /// A command's own option of the same name would be read as the global one, and end the program.
    #[test]
    fn no_command_has_an_option_of_a_global_ones_name() {
        fn walk(command: &clap::Command, globals: &[String]) {
            let own = command.get_arguments().map(|argument| argument.get_id().to_string());
            let clash: Vec<String> = own.filter(|id| globals.contains(id)).collect();
            assert!(clash.is_empty(), "{}: {clash:?}", command.get_name());
            let here = command.get_arguments().filter(|argument| argument.is_global_set());
            let globals: Vec<String> =
                globals.iter().cloned().chain(here.map(|argument| argument.get_id().to_string())).collect();
            command.get_subcommands().for_each(|command| walk(command, &globals));
        }
        walk(&Tensfer::command(), &[]);
    }

    /// The lines of a text that begin with `tensfer`, as a shell would give them to the program; of those that are whole.
    fn examples(text: &str) -> Vec<Vec<String>> {
        let joined = text
            .replace("\\\n", " ")
            .replace("$(tensfer connectors digest)", &"0".repeat(64))
            .replace("=HEX", &format!("={}", "0".repeat(96)));
        let lines =
            joined.lines().map(str::trim).filter(|line| line.starts_with("tensfer ") && !line.contains('…'));
        let words = |line: &str| {
            let line = line.split([';', '|', '<', '>', '#']).next().unwrap_or_default();
            line.split_whitespace().map(|word| word.replace(['"', '\''], "")).collect()
        };
        lines.map(words).collect()
    }

    #[test]
    fn every_example_is_a_command_line_that_is_taken() {
        fn walk(command: &clap::Command, found: &mut Vec<Vec<String>>) {
            let help = command.get_after_long_help().or(command.get_after_help());
            found.extend(help.map(|help| examples(&help.to_string())).unwrap_or_default());
            command.get_subcommands().for_each(|command| walk(command, found));
        }
        let mut found = Vec::new();
        walk(&command(), &mut found);
        for document in
            ["README.md", "CONTRIBUTING.md", "docs/agent.md", "docs/ceremony.md", "releases/README.md"]
        {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(document);
            found.extend(examples(&std::fs::read_to_string(path).unwrap()));
        }
        assert!(found.len() > 80, "{} examples", found.len());
        for line in found {
            let matches = command().try_get_matches_from(&line);
            let matches = matches.unwrap_or_else(|error| panic!("{}: {error}", line.join(" ")));
            assert!(Tensfer::from_arg_matches(&matches).is_ok(), "{}", line.join(" "));
        }
    }
}
