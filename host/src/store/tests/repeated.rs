//! Requests that come twice, and files that are not ours.

use super::databases::Opened;
use super::*;
use crate::identity::Refusal;
use std::os::unix::fs::PermissionsExt;

over_each_database!(
    a_request_with_an_idempotency_key_is_carried_out_once,
    requests_that_come_at_once_with_one_idempotency_key_are_one,
);

fn idempotency(actor: KeyId, key: &str, request_hash: &str, now: UnixMillis) -> Option<Idempotency> {
    let (key, request_hash) = (key.to_owned(), request_hash.to_owned());
    Some(Idempotency { actor: Actor::Key(actor), key, request_hash, now })
}

fn answer(key: &Key) -> Answer {
    Answer { status: 201, body: key.id.to_string() }
}

/// Another key each time, so that nothing but the idempotency key keeps it from being made.
fn adding(maker: KeyId) -> AddKey {
    AddKey { maker, new: new_key(public(), only(Scope::KeysRead)), by: by(Actor::Key(maker), NOW) }
}

async fn a_request_with_an_idempotency_key_is_carried_out_once(Opened { store, .. }: Opened) {
    let first = first_key(&store).await;
    let other = add(&store, first.id, sandbox(Scopes::all())).await.unwrap();
    let ask = async |maker: KeyId, idempotency: Option<Idempotency>| {
        store.change(&Answered { change: &adding(maker), idempotency, answer }).await
    };
    let answered = ask(first.id, idempotency(first.id, "one", "hash", NOW)).await.unwrap();
    assert_eq!(answered.status, 201);
    assert_eq!(ask(first.id, idempotency(first.id, "one", "hash", NOW)).await.unwrap(), answered);
    refused(ask(first.id, idempotency(first.id, "one", "other", NOW)).await, Refusal::IdempotencyKeyReused);
    for (maker, key, hash) in [(first.id, "two", "hash"), (other.id, "one", "hash")] {
        assert_ne!(ask(maker, idempotency(maker, key, hash, NOW)).await.unwrap(), answered);
    }
    let (kept, over) = (NOW.plus(24 * 3_600_000), NOW.plus(24 * 3_600_000 + 1));
    assert_eq!(ask(first.id, idempotency(first.id, "one", "hash", kept)).await.unwrap(), answered);
    assert_ne!(ask(first.id, idempotency(first.id, "one", "hash", over)).await.unwrap(), answered);
    // What was refused is not remembered: it may succeed later.
    let reader = add(&store, first.id, only(Scope::KeysRead)).await.unwrap();
    refused(ask(reader.id, idempotency(reader.id, "x", "hash", NOW)).await, Refusal::ScopeMissing);
    refused(ask(reader.id, idempotency(reader.id, "x", "other", NOW)).await, Refusal::ScopeMissing);
}

async fn requests_that_come_at_once_with_one_idempotency_key_are_one(Opened { store, .. }: Opened) {
    let first = first_key(&store).await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, change) = (store.clone(), adding(first.id));
        let idempotency = idempotency(first.id, "one", "hash", NOW);
        all.spawn(async move { store.change(&Answered { change: &change, idempotency, answer }).await });
    }
    let answers: Vec<String> = all.join_all().await.into_iter().map(|answer| answer.unwrap().body).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(store.keys(first.organisation, None, 100).await.unwrap().keys.len(), 2);
}

#[tokio::test]
async fn the_file_is_ours_alone_and_a_commit_is_on_the_disk() {
    let opened = Opened::sqlite().await;
    let Database::Sqlite(path) = &opened.database else { panic!("a file") };
    first_key(&opened.store).await;
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    for (pragma, value) in [("synchronous", 2), ("foreign_keys", 1)] {
        let query = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
        let set: i64 = sqlx::query_scalar(query).fetch_one(&opened.store.pool).await.unwrap();
        assert_eq!(set, value, "{pragma}");
    }
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&opened.store.pool).await.unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_database_of_a_later_version_is_not_opened() {
    let opened = Opened::sqlite().await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, x'00', 0)",
    )
    .execute(&opened.store.pool)
    .await
    .unwrap();
    opened.store.close().await;
    assert!(matches!(opened.database.open().await, Err(NotOpened::Migration(_))));
}

#[tokio::test]
async fn a_row_that_nobody_here_wrote_is_damaged_and_no_guess_is_made() {
    let opened = Opened::sqlite().await;
    let key = first_key(&opened.store).await;
    for change in [
        "UPDATE keys SET scopes = 'everything'",
        "UPDATE keys SET scopes = '', environment = 'Live'",
        "UPDATE keys SET environment = 'live', networks = '10.0.0.1/8'",
        "UPDATE keys SET networks = '', expires = not_before",
        "UPDATE keys SET expires = not_before + 1, algorithm = 'none'",
        "UPDATE keys SET algorithm = 'ed25519', public_key = '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='",
    ] {
        sqlx::query(change).execute(&opened.store.pool).await.unwrap();
        let read = opened.store.key(key.id).await;
        assert!(matches!(read, Err(Failed::Damaged(_))), "{change}: {read:?}");
    }
}

#[test]
fn an_address_with_a_password_is_printed_nowhere() {
    let database = Database::postgres("postgres://user:hunter2@localhost/x?sslmode=verify-full").unwrap();
    assert_eq!(format!("{database:?}"), "Postgres");
    assert!(Database::postgres("mysql://localhost/x").is_err() && Database::postgres("sqlite://x").is_err());
}
