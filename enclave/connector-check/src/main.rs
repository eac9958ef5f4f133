//! `tensfer-connector-check --vectors DIR [--exchange ID] [--connectors DIR] [--json]`

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use connector_check::files::Files;

const USAGE: &str =
    "usage: tensfer connectors check --vectors DIR [--exchange ID] [--connectors DIR] [--json]";
const HELP: &str = "\n
Runs a folder of recorded exchange vectors (signing, methods, request, response) against the connectors, and prints for
each exchange how many cases are claimed, passed, failed and skipped, with the reasons.

  --vectors DIR     the folder, in the format of vectors/exchanges/README.md
  --exchange ID     this exchange alone
  --connectors DIR  the connector files of this folder as they are now, not those that are built in
  --json            for programs

Exit code: 0 all claimed cases pass, 1 some fail, 2 nothing to check or wrong usage, 5 this machine failed
";

struct Arguments {
    vectors: PathBuf,
    exchange: Option<String>,
    connectors: Files,
    json: bool,
}

fn main() -> ExitCode {
    if std::env::args().skip(1).any(|word| word == "--help" || word == "-h") {
        return show(&format!("{USAGE}{HELP}"), ExitCode::SUCCESS);
    }
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(reason) => return complain(&format!("error: {reason}\n{USAGE}"), 2),
    };
    let reports = match connector_check::check(
        &arguments.vectors,
        arguments.exchange.as_deref(),
        &arguments.connectors,
    ) {
        Ok(reports) if reports.is_empty() => {
            let which =
                arguments.exchange.map_or("any connector".to_owned(), |id| format!("a connector `{id}`"));
            return complain(&format!("error: there are no vectors for {which} in that folder"), 2);
        }
        Ok(reports) => reports,
        Err(reason) => return complain(&format!("error: {reason}"), 2),
    };
    let text = if arguments.json {
        connector_check::report::json(&reports)
    } else {
        connector_check::report::table(&reports)
    };
    let failed = reports.iter().any(|report| report.failed() > 0);
    show(&text, ExitCode::from(u8::from(failed)))
}

fn show(text: &str, code: ExitCode) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => code,
        Err(_) => ExitCode::from(5),
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let (mut vectors, mut exchange, mut json) = (None, None, false);
    let mut connectors = Files::BuiltIn;
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "--vectors" => vectors = Some(PathBuf::from(value()?)),
            "--exchange" => exchange = Some(value()?),
            "--connectors" => connectors = Files::Folder(PathBuf::from(value()?)),
            "--json" => json = true,
            _ => return Err(format!("unknown argument `{word}`")),
        }
    }
    let vectors = vectors.ok_or("`--vectors` is missing")?;
    Ok(Arguments { vectors, exchange, connectors, json })
}

fn complain(text: &str, code: u8) -> ExitCode {
    // Nothing is left to do where standard error is gone too.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(code)
}
