//! Which database keeps what must outlive `identity`.

use anyhow::{Context, bail};
use host::store::Database;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Without any: a file in the data folder.
#[derive(Clone, Debug, clap::Args)]
pub struct DatabaseOptions {
    /// A PostgreSQL instead of a file in the data folder: `postgres://USER@HOST/DATABASE?sslmode=verify-full`, without a password,
    /// since every process of this machine can read this line.
    #[arg(long, value_name = "URL", conflicts_with = "database_file")]
    database: Option<String>,
    /// A file that holds such a URL, with a password or without, and that nobody else may read (mode 600).
    #[arg(long, value_name = "FILE")]
    database_file: Option<PathBuf>,
}

impl DatabaseOptions {
    /// What was asked for; else a file in `folder`.
    pub fn choose(&self, folder: &Path) -> anyhow::Result<Database> {
        if let Some(url) = &self.database {
            if has_password(url) {
                bail!(
                    "every process can read a command line: write the database's URL to a file, and name that with `--database-file`"
                );
            }
            return Ok(Database::postgres(url)?);
        }
        match &self.database_file {
            Some(path) => read(path),
            None => Ok(Database::Sqlite(folder.join("identity.db"))),
        }
    }

    /// The same for a process whose place is the root folder.
    pub fn passed_on(&self) -> anyhow::Result<Vec<OsString>> {
        // Now, and not in a process that `up` has started.
        self.choose(Path::new("/"))?;
        Ok(match (&self.database, &self.database_file) {
            (Some(url), _) => vec!["--database".into(), url.into()],
            (None, Some(path)) => vec!["--database-file".into(), std::path::absolute(path)?.into_os_string()],
            (None, None) => Vec::new(),
        })
    }
}

fn read(path: &Path) -> anyhow::Result<Database> {
    use std::os::unix::fs::PermissionsExt;
    let whose = || format!("the database's URL in `{}`", path.display());
    let mode = std::fs::metadata(path).with_context(whose)?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("others may read `{0}`: `chmod 600 {0}`", path.display());
    }
    let url = Zeroizing::new(std::fs::read_to_string(path).with_context(whose)?);
    Database::postgres(&url).with_context(whose)
}

/// Between `//` and `@`, after a colon; or as a parameter.
pub fn has_password(url: &str) -> bool {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, query) = after.split_once('?').unwrap_or((after, ""));
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || query.split('&').any(|pair| pair.starts_with("password="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str) -> DatabaseOptions {
        DatabaseOptions { database: Some(url.to_owned()), database_file: None }
    }

    #[test]
    fn a_password_is_taken_from_no_command_line() {
        let here = Path::new("/tmp");
        for url in ["postgres://me:secret@db/x", "postgres://me:@db/x", "postgres://me@db/x?password=secret"]
        {
            let refused = options(url).choose(here).unwrap_err().to_string();
            assert!(!refused.contains("secret") && refused.contains("--database-file"), "{refused}");
        }
        for url in ["postgres://me@db:5432/x?sslmode=verify-full", "postgresql:///x?host=/run/postgresql"] {
            assert!(matches!(options(url).choose(here), Ok(Database::Postgres(_))), "{url}");
        }
        assert!(options("mysql://db/x").choose(here).is_err());
    }
}
