//! A database of a test's own: a file, or one in a PostgreSQL that all tests of this process share.

use super::super::{Database, Store};
use crate::testing::Folder;
use sqlx::{AnyConnection, Connection, Executor};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use zeroize::Zeroizing;

pub struct Opened {
    pub store: Store,
    pub database: Database,
    _folder: Folder,
}

impl Opened {
    pub async fn sqlite() -> Opened {
        let folder = Folder::new();
        let database = Database::Sqlite(folder.path().join("a file's name? 100 %.db"));
        Opened { store: database.open().await.unwrap(), database, _folder: folder }
    }

    pub async fn postgres() -> Opened {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        sqlx::any::install_default_drivers();
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut connection = AnyConnection::connect(&url("postgres")).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        connection.execute(create).await.unwrap();
        connection.close().await.unwrap();
        let database = Database::Postgres(Zeroizing::new(url(&name)));
        Opened { store: database.open().await.unwrap(), database, _folder: Folder::new() }
    }
}

fn url(name: &str) -> String {
    let socket = server().display().to_string().replace('/', "%2F");
    format!("postgres://tensfer@{socket}/{name}")
}

/// Where its socket is. It ends with this process: its input is a pipe that we hold.
fn server() -> &'static PathBuf {
    static SERVER: OnceLock<(PathBuf, Child)> = OnceLock::new();
    let (folder, _) = SERVER.get_or_init(|| {
        let serve = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/postgres/serve");
        let mut child =
            Command::new(serve).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let folder = line.trim_end().strip_prefix("ready ");
        let folder = folder.expect("PostgreSQL starts; `scripts/deps database` installs it");
        (PathBuf::from(folder), child)
    });
    folder
}
