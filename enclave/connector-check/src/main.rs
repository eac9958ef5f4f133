//! `tensfer-connector-check check|list|new|digest|catalogue …`: what `tensfer connectors` runs.

mod words;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use connector_check::catalogue::{self, Entry};
use connector_check::files::Files;
use connector_check::{check, cover, coverage, report, scaffold};
use words::Words;

const USAGE: &str =
    "usage: tensfer connectors check|list|new|digest|catalogue …; `--help` behind one of them says more";

const CHECK: &str = "usage: tensfer connectors check --vectors DIR [--exchange ID] [--connectors DIR] [--json] [--coverage]

Runs a folder of recorded exchange vectors (signing, methods, request, response) against the connectors, and prints for
each exchange how many cases are claimed, passed, failed and skipped, with the reasons.

  --vectors DIR     the folder, in the format of vectors/exchanges/README.md
  --exchange ID     this exchange alone
  --connectors DIR  the connector files of this folder as they are now, not those that are built in
  --json            for programs
  --coverage        instead: the mapped fields that no answer has exercised, recorded or documented, and the documented
                    cases (vectors/documented/README.md) that are read otherwise than they say
  --documented DIR  their folder, if it is not `documented` beside the other

Exit code: 0 all claimed cases pass (with --coverage: every field is exercised too), 1 otherwise, 2 nothing to check or wrong usage, 5 this machine failed
";

const LIST: &str = "usage: tensfer connectors list [--json]

Prints the exchanges that are built in: operations, account types, networks, and how many recorded cases each passes.
";

const NEW: &str = "usage: tensfer connectors new ID --name NAME --host HOST [--connectors DIR]

Writes the first draft of a connector file, DIR/ID.toml (default: connectors/ID.toml), which loads as it is and says what
is to be filled in. A file that is there is left alone.
";

const DIGEST: &str = "usage: tensfer connectors digest

Prints the SHA-256 over the connectors that are built in, as an enclave of the same source attests it.
";

const CATALOGUE: &str =
    "usage: tensfer connectors catalogue --vectors DIR --date YYYY-MM-DD --json FILE --markdown FILE

Writes the catalogue anew; lines that did not change keep their date.
";

/// The catalogue of this build.
const BUILT_IN: &[u8] = include_bytes!("../../../connectors/catalogue.json");

type Action = fn(Words) -> Result<ExitCode, String>;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let words: Vec<String> = arguments.collect();
    let (help, run): (&str, Action) = match command.as_str() {
        "check" => (CHECK, run_check),
        "list" => (LIST, run_list),
        "new" => (NEW, run_new),
        "digest" => (DIGEST, run_digest),
        "catalogue" => (CATALOGUE, run_catalogue),
        "--help" | "-h" => return show(&format!("{USAGE}\n"), ExitCode::SUCCESS),
        _ => return complain(USAGE),
    };
    if words.iter().any(|word| word == "--help" || word == "-h") {
        return show(help, ExitCode::SUCCESS);
    }
    let usage = help.lines().next().unwrap_or_default();
    run(Words::new(words)).unwrap_or_else(|reason| complain(&format!("error: {reason}\n{usage}")))
}

fn run_check(mut words: Words) -> Result<ExitCode, String> {
    let vectors = PathBuf::from(words.needed("--vectors")?);
    let exchange = words.value("--exchange")?;
    let files = words.value("--connectors")?.map_or(Files::BuiltIn, |folder| Files::Folder(folder.into()));
    let json = words.flag("--json");
    if words.flag("--coverage") {
        return run_coverage(words, &vectors, exchange.as_deref(), &files, json);
    }
    words.end()?;
    let reports = check(&vectors, exchange.as_deref(), &files)?;
    if reports.is_empty() {
        let which = exchange.map_or("any connector".to_owned(), |id| format!("a connector `{id}`"));
        return Err(format!("there are no vectors for {which} in that folder"));
    }
    let text = if json { report::json(&reports) } else { report::table(&reports) };
    let failed = reports.iter().any(|report| report.failed() > 0);
    Ok(show(&text, ExitCode::from(u8::from(failed))))
}

fn run_digest(words: Words) -> Result<ExitCode, String> {
    words.end()?;
    let digits: String = enclave::connector::digest().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(show(&format!("{digits}\n"), ExitCode::SUCCESS))
}

fn run_coverage(
    mut words: Words,
    recorded: &Path,
    exchange: Option<&str>,
    files: &Files,
    json: bool,
) -> Result<ExitCode, String> {
    let beside = || recorded.parent().unwrap_or(recorded).join("documented");
    let documented = words.value("--documented")?.map_or_else(beside, PathBuf::from);
    words.end()?;
    let coverages = cover(recorded, &documented, exchange, files)?;
    if coverages.is_empty() {
        return Err("there is no such connector".to_owned());
    }
    let text = if json { coverage::json(&coverages) } else { coverage::table(&coverages) };
    let failed =
        coverages.iter().any(|coverage| !coverage.failures.is_empty() || !coverage.missing.is_empty());
    Ok(show(&text, ExitCode::from(u8::from(failed))))
}

fn run_list(mut words: Words) -> Result<ExitCode, String> {
    let json = words.flag("--json");
    words.end()?;
    let entries = catalogue::read(BUILT_IN);
    let text = if json { catalogue::json(&entries) } else { catalogue::table(&entries) };
    Ok(show(&text, ExitCode::SUCCESS))
}

fn run_new(mut words: Words) -> Result<ExitCode, String> {
    let (name, host) = (words.needed("--name")?, words.needed("--host")?);
    let folder = words.value("--connectors")?.unwrap_or_else(|| "connectors".to_owned());
    let id = words.next().ok_or("the exchange's id is missing")?;
    words.end()?;
    let text = scaffold::file(&id, &name, &host);
    let path = Path::new(&folder).join(format!("{id}.toml"));
    let refused = |reason: String| format!("`{id}`, `{name}` and `{host}` do not make a connector: {reason}");
    Files::load_text(&text).map_err(refused)?;
    let file = fs::File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    file.map_err(|error| format!("{}: {error}", path.display()))?;
    let next = format!(
        "{}\nnext: fill it in, then `tensfer connectors check --vectors DIR --connectors {folder} --exchange {id}`\n",
        path.display()
    );
    Ok(show(&next, ExitCode::SUCCESS))
}

fn run_catalogue(mut words: Words) -> Result<ExitCode, String> {
    let vectors = PathBuf::from(words.needed("--vectors")?);
    let (date, json, markdown) =
        (words.needed("--date")?, words.needed("--json")?, words.needed("--markdown")?);
    words.end()?;
    let reports = check(&vectors, None, &Files::BuiltIn)?;
    let before = fs::read(&json).map(|bytes| catalogue::read(&bytes)).unwrap_or_default();
    let entries: Vec<Entry> = enclave::connector::all()
        .iter()
        .map(|connector| {
            let report = reports.iter().find(|report| report.id == connector.id);
            Entry::new(connector, report, &date).dated_like(&before)
        })
        .collect();
    for (path, text) in [(json, catalogue::json(&entries)), (markdown, catalogue::markdown(&entries))] {
        fs::write(&path, text).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(show(&format!("{} exchanges\n", entries.len()), ExitCode::SUCCESS))
}

fn show(text: &str, code: ExitCode) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => code,
        Err(_) => ExitCode::from(5),
    }
}

fn complain(text: &str) -> ExitCode {
    // Nothing is left to do where standard error is gone too.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(2)
}
