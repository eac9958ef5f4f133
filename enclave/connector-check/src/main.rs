//! `tensfer-connector-check --vectors DIR [--exchange ID] [--json]`

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: tensfer-connector-check --vectors DIR [--exchange ID] [--json]";

struct Arguments {
    vectors: PathBuf,
    exchange: Option<String>,
    json: bool,
}

fn main() -> ExitCode {
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(reason) => return complain(&format!("{reason}\n{USAGE}"), 2),
    };
    let reports = match connector_check::check(&arguments.vectors, arguments.exchange.as_deref()) {
        Ok(reports) if reports.is_empty() => {
            return complain("no vectors for any connector in that folder", 2);
        }
        Ok(reports) => reports,
        Err(reason) => return complain(&reason, 2),
    };
    let text = if arguments.json {
        connector_check::report::json(&reports)
    } else {
        connector_check::report::table(&reports)
    };
    if std::io::stdout().write_all(text.as_bytes()).is_err() {
        return ExitCode::from(5);
    }
    if reports.iter().any(|report| report.failed() > 0) { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let (mut vectors, mut exchange, mut json) = (None, None, false);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "--vectors" => vectors = Some(PathBuf::from(value()?)),
            "--exchange" => exchange = Some(value()?),
            "--json" => json = true,
            _ => return Err(format!("unknown argument `{word}`")),
        }
    }
    let vectors = vectors.ok_or("`--vectors` is missing")?;
    Ok(Arguments { vectors, exchange, json })
}

fn complain(text: &str, code: u8) -> ExitCode {
    // Nothing is left to do where standard error is gone too.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(code)
}
