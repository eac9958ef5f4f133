//! Rows in a file of JSON lines, and beside it where to go on, until everything is there.

use super::show;
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use wire::record::{Page, Query};

/// Rows in a file.
///
/// INVARIANT: rows are on disk before the position behind them; a crash between the two reads a page again, whose rows
/// are then known.
pub struct Saved {
    path: PathBuf,
    file: File,
    state: State,
    begun: bool,
    rows: u64,
    /// What earlier pages wrote.
    known: HashSet<String>,
}

/// What was asked, and where to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    connection: String,
    kind: String,
    asset: Option<String>,
    market: Option<String>,
    #[serde(default)]
    account: Option<String>,
    since: Option<u64>,
    until: Option<u64>,
    next: Option<String>,
}

impl Saved {
    /// A new file, or one that an earlier command for the same question did not finish.
    pub fn open(path: &Path, connection: &str, query: &Query) -> Result<Saved> {
        let asked = State {
            connection: connection.to_owned(),
            kind: query.kind.name().to_owned(),
            asset: query.asset.clone(),
            market: query.market.clone(),
            account: query.account.clone(),
            since: query.since.map(|time| time.0),
            until: query.until.map(|time| time.0),
            next: None,
        };
        let mut options = OpenOptions::new();
        options.read(true).append(true).mode(0o600);
        let Some(state) = files::read(&beside(path))? else {
            let file = options.create_new(true).open(path).map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => Failure::refused(
                    "file_exists",
                    format!("your file `{}` is there already", path.display()),
                )
                .hint("name another; this one is complete, or of something else"),
                _ => cannot("create", path, &error),
            })?;
            let saved = Saved {
                path: path.to_owned(),
                file,
                state: asked,
                begun: false,
                rows: 0,
                known: HashSet::new(),
            };
            saved.note()?;
            return Ok(saved);
        };
        let state: State = serde_json::from_slice(&state).map_err(|_| other(path))?;
        if (State { next: None, ..state.clone() }) != asked {
            return Err(other(path));
        }
        let mut file = options.create(true).open(path).map_err(|error| cannot("open", path, &error))?;
        let known = whole_lines(&mut file).map_err(|error| cannot("read", path, &error))?;
        Ok(Saved { path: path.to_owned(), file, state, begun: true, rows: known.len() as u64, known })
    }

    pub fn begun(&self) -> bool {
        self.begun
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Where the next page begins.
    pub fn next(&self) -> Option<String> {
        self.state.next.clone()
    }

    pub fn append(&mut self, page: &Page) -> Result<()> {
        let lines = page.rows.iter().map(|row| serde_json::Value::from(show::object(row)).to_string());
        let new: Vec<String> = lines.filter(|line| !self.known.contains(line)).collect();
        let text: String = new.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| cannot("write", &self.path, &error))?;
        self.rows += new.len() as u64;
        self.known.extend(new);
        if page.next.is_some() {
            self.state.next.clone_from(&page.next);
        }
        self.note()
    }

    /// Everything is there.
    pub fn finish(&self) -> Result<()> {
        let path = beside(&self.path);
        std::fs::remove_file(&path).map_err(|error| cannot("remove", &path, &error))
    }

    fn note(&self) -> Result<()> {
        let text = serde_json::to_vec_pretty(&self.state)
            .map_err(|_| Failure::internal("this program could not write where it is"))?;
        files::replace(&beside(&self.path), &text)
    }
}

/// The lines of a file. What a crash left of a last line is cut off.
fn whole_lines(file: &mut File) -> std::io::Result<HashSet<String>> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    file.set_len(whole as u64)?;
    Ok(text.get(..whole).unwrap_or_default().lines().map(str::to_owned).collect())
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    PathBuf::from(name)
}

fn other(path: &Path) -> Failure {
    let shown = beside(path);
    Failure::refused("file_exists", format!("`{}` belongs to another question", shown.display()))
        .hint("name another file, or repeat the command that began this one")
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::internal(format!("this machine could not {what} `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::UnixMillis;
    use wire::balance::{Source, Status};
    use wire::record::{Field, Kind, Row};

    fn query() -> Query {
        super::super::everything(Kind::Deposits)
    }

    fn page(ids: &[&str], next: Option<&str>) -> Page {
        let row = |id: &&str| Row { fields: vec![Field { name: "id".into(), text: (*id).into() }] };
        Page {
            as_of: UnixMillis(1),
            rows: ids.iter().map(row).collect(),
            next: next.map(str::to_owned),
            source: Source { name: "deposits".into(), status: Status::Complete, fault: None },
            accounts: Vec::new(),
        }
    }

    #[test]
    fn a_file_that_was_cut_off_goes_on_and_has_each_row_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deposits.jsonl");
        let mut saved = Saved::open(&path, "kraken", &query()).unwrap();
        saved.append(&page(&["a", "b"], Some("time:5"))).unwrap();
        drop(saved);
        // A crash in the middle of a line.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"id\":\"c").unwrap();
        let mut saved = Saved::open(&path, "kraken", &query()).unwrap();
        assert_eq!((saved.begun(), saved.rows(), saved.next().as_deref()), (true, 2, Some("time:5")));
        saved.append(&page(&["b", "c"], None)).unwrap();
        saved.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"c\"}\n");
        let error = Saved::open(&path, "kraken", &query()).err().unwrap();
        assert_eq!(error.code, "file_exists", "what is complete is not written to again");
    }

    #[test]
    fn a_file_of_another_question_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        drop(Saved::open(&path, "kraken", &query()).unwrap());
        let mut other = query();
        other.asset = Some("BTC".into());
        for (connection, query) in [("okx", query()), ("kraken", other)] {
            assert_eq!(Saved::open(&path, connection, &query).err().unwrap().code, "file_exists");
        }
    }
}
