//! Which database, and opening it.

use super::Store;
use crate::confinement::Kept;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Any, ConnectOptions, Executor, Pool, SqlSafeStr};
use std::fmt::Write;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Numbered, and only ever added to.
const MIGRATIONS: [(i64, &str, &str); 4] = [
    (1, "programs", include_str!("migrations/0001_programs.sql")),
    (2, "policies", include_str!("migrations/0002_policies.sql")),
    (3, "people", include_str!("migrations/0003_people.sql")),
    (4, "recovery", include_str!("migrations/0004_recovery.sql")),
];
const CONNECTIONS: u32 = 4;
/// For a connection; longer, and whoever waits is better told.
const ACQUIRE: Duration = Duration::from_secs(10);

/// Where it is.
pub enum Database {
    /// A file of ours; made if it is not there.
    Sqlite(PathBuf),
    /// `postgres://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full`.
    Postgres(Zeroizing<String>),
}

/// Why it is not open. No text of it holds the address of a database, which may have a password in it.
#[derive(Debug)]
pub enum NotOpened {
    /// Not `postgres://…`.
    Address,
    /// Over a network without TLS, or without looking at whose certificate it is.
    Unproven,
    File(io::Error),
    /// The database is another version's, or a migration failed.
    Migration(sqlx::migrate::MigrateError),
    Database(sqlx::Error),
}

impl Database {
    /// What a person wrote. Over a network, loopback too, the server has to prove its name (`sslmode=verify-full`): whoever
    /// answers in its place would learn a password, and say who may do what. On a Unix socket the kernel vouches for it.
    pub fn postgres(url: &str) -> Result<Database, NotOpened> {
        let url = url.trim();
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        // The same reading as when it connects, with what the environment (`PGHOST`, `PGSSLMODE`) adds.
        let read = url.parse().ok().filter(|_| is_postgres);
        let options: PgConnectOptions = read.ok_or(NotOpened::Address)?;
        let is_proven = matches!(options.get_ssl_mode(), PgSslMode::VerifyFull);
        if options.get_socket().is_none() && !is_proven {
            return Err(NotOpened::Unproven);
        }
        Ok(Database::Postgres(Zeroizing::new(url.to_owned())))
    }

    /// What whoever opens it needs of the system.
    pub fn kept(&self) -> Result<Kept, NotOpened> {
        match self {
            Database::Sqlite(path) => {
                let folder = path.parent().map(Path::to_path_buf);
                Ok(Kept { written: folder.into_iter().collect(), ..Kept::default() })
            }
            Database::Postgres(url) => kept_for_postgres(url),
        }
    }

    /// Opens it and brings its tables up to date.
    pub async fn open(&self) -> Result<Store, NotOpened> {
        install_default_drivers();
        let (pool, begin) = match self {
            Database::Sqlite(path) => (sqlite(path).await?, "BEGIN IMMEDIATE"),
            Database::Postgres(url) => (postgres(url).await?, "BEGIN ISOLATION LEVEL SERIALIZABLE"),
        };
        migrator().run(&pool).await.map_err(NotOpened::Migration)?;
        Ok(Store { pool, begin, memory: Arc::default() })
    }
}

async fn sqlite(path: &Path) -> Result<Pool<Any>, NotOpened> {
    // Made by us, so that nobody else reads it; the files beside it get its mode.
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    file.map_err(NotOpened::File)?;
    let options = AnyPoolOptions::new().after_connect(|connection, _| {
        Box::pin(async move {
            // A commit is on the disk before it is acknowledged.
            connection.execute("PRAGMA synchronous = FULL").await?;
            connection.execute("PRAGMA journal_mode = WAL").await?;
            connection.execute("PRAGMA foreign_keys = ON").await?;
            // This process has no folder for files that nobody keeps.
            connection.execute("PRAGMA temp_store = MEMORY").await?;
            connection.execute("PRAGMA busy_timeout = 10000").await.map(|_| ())
        })
    });
    pool(options, &sqlite_url(path)).await
}

async fn postgres(url: &str) -> Result<Pool<Any>, NotOpened> {
    // Whatever the server's default is.
    let options = AnyPoolOptions::new().after_connect(|connection, _| {
        Box::pin(async move { connection.execute("SET synchronous_commit = on").await.map(|_| ()) })
    });
    pool(options, url).await
}

/// Its port or socket, and the files that its address names. The library asks for our user's name whatever the address says.
fn kept_for_postgres(url: &str) -> Result<Kept, NotOpened> {
    let options: PgConnectOptions = url.parse().map_err(|_| NotOpened::Address)?;
    let on_socket = options.get_socket().is_some() || options.get_host().starts_with('/');
    let ports = if on_socket { Vec::new() } else { vec![options.get_port(), 53] };
    let mut kept = Kept { ports, sockets: on_socket, names: true, ..Kept::default() };
    for (name, value) in options.to_url_lossy().query_pairs() {
        if matches!(&*name, "sslrootcert" | "sslcert" | "sslkey") {
            kept = kept.and_replaced(Path::new(&*value));
        }
    }
    Ok(kept)
}

async fn pool(options: AnyPoolOptions, url: &str) -> Result<Pool<Any>, NotOpened> {
    let connect: AnyConnectOptions = url.parse().map_err(|_| NotOpened::Address)?;
    // Statements and their values are nobody's to log.
    let options = options.max_connections(CONNECTIONS).acquire_timeout(ACQUIRE);
    options.connect_with(connect.disable_statement_logging()).await.map_err(NotOpened::Database)
}

/// Every byte of the path that a URL would read otherwise is encoded.
fn sqlite_url(path: &Path) -> String {
    let mut url = "sqlite://".to_owned();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) {
            url.push(char::from(*byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

fn migrator() -> Migrator {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, (*sql).into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
}

impl core::fmt::Debug for Database {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Database::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Database::Postgres(_) => f.write_str("Postgres"),
        }
    }
}

impl core::fmt::Display for NotOpened {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            NotOpened::Address => f.write_str(
                "the address of a database is `postgres://USER@HOST/DATABASE?sslmode=verify-full`, or `postgres:///DATABASE?host=/FOLDER` for a Unix socket",
            ),
            NotOpened::Unproven => f.write_str(
                "a database over the network has to prove who it is: add `sslmode=verify-full` to its address, and `sslrootcert=FILE` if its certificate is of an authority of your own",
            ),
            NotOpened::File(error) => write!(f, "the database's file: {error}"),
            NotOpened::Migration(error) => write!(f, "the database's tables: {error}"),
            NotOpened::Database(error) => write!(f, "the database: {error}"),
        }
    }
}

impl core::error::Error for NotOpened {}
