use super::record::NewConnection;
use super::*;
use crate::client::failure::Fault;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const CHEAP: key_file::Cost = key_file::Cost { memory_kib: 8, passes: 1, lanes: 1 };

fn open(directory: &Path, passphrase: Option<&str>) -> Home {
    let file = passphrase.map(|text| {
        let path = directory.join("passphrase");
        fs::write(&path, format!("{text}\n")).unwrap();
        path
    });
    Home::open_at_cost(directory.join("home"), Passphrases::new(file), None, CHEAP).unwrap()
}

fn record(realm: Realm, id: u8, name: &str) -> Record {
    Record::new(NewConnection {
        realm,
        environment: environment::Environment::Sandbox,
        id: ConnectionId([id; 16]),
        organisation: wire::OrganisationId([1; 16]),
        server: "http://localhost:8080".into(),
        exchange: "kraken".into(),
        name: name.into(),
        linked: 1,
    })
}

fn every_file(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path)
        .unwrap()
        .flatten()
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() { every_file(&path).into_iter().chain([path]).collect() } else { vec![path] }
        })
        .collect()
}

#[test]
fn m18_everything_in_the_home_is_its_owners_alone() {
    let directory = tempfile::tempdir().unwrap();
    let home = open(directory.path(), Some("secret"));
    home.owner_or_new(Realm::Simulated).unwrap();
    home.second_factor_or_new(Realm::Simulated).unwrap();
    home.save(&record(Realm::Simulated, 1, "one")).unwrap();
    let files = every_file(&directory.path().join("home"));
    assert_eq!(files.len(), 6, "{files:?}");
    for path in files {
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, expected, "{}", path.display());
    }
}

#[test]
fn keys_are_made_once_and_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let secret = *open(directory.path(), Some("p")).owner_or_new(Realm::Simulated).unwrap().secret;
    assert_eq!(secret, *open(directory.path(), Some("p")).owner_or_new(Realm::Simulated).unwrap().secret);
    let wrong = open(directory.path(), Some("q")).owner(Realm::Simulated).unwrap_err();
    assert_eq!((wrong.code, wrong.fault), ("wrong_passphrase", Fault::Refused));
}

#[test]
fn unlocked_keys_are_locked_as_soon_as_a_passphrase_is_given() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("home/simulated/owner.key");
    open(directory.path(), None).owner_or_new(Realm::Simulated).unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains(r#""kind": "none""#));
    open(directory.path(), Some("p")).owner(Realm::Simulated).unwrap().unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains(r#""kind": "argon2id""#));
    let failure = open(directory.path(), None).owner(Realm::Simulated).unwrap_err();
    assert_eq!(failure.fault, Fault::Usage, "locked, and nobody to ask");
}

#[test]
fn m14_missing_keys_are_never_made_again_in_silence() {
    let directory = tempfile::tempdir().unwrap();
    let home = open(directory.path(), None);
    home.owner_or_new(Realm::Simulated).unwrap();
    home.second_factor_or_new(Realm::Simulated).unwrap();
    home.save(&record(Realm::Simulated, 1, "one")).unwrap();
    fs::remove_file(home.owner_path(Realm::Simulated)).unwrap();
    fs::remove_file(home.second_factor_path(Realm::Simulated)).unwrap();
    assert_eq!(home.owner_or_new(Realm::Simulated).unwrap_err().code, "key_file_missing");
    assert_eq!(home.second_factor_or_new(Realm::Simulated).unwrap_err().code, "key_file_missing");
    assert!(!home.owner_path(Realm::Simulated).exists());
}

#[test]
fn realms_share_nothing_and_are_never_mixed() {
    let directory = tempfile::tempdir().unwrap();
    let home = open(directory.path(), None);
    let simulated = home.owner_or_new(Realm::Simulated).unwrap();
    let hardware = home.owner_or_new(Realm::Hardware).unwrap();
    assert_ne!(*simulated.secret, *hardware.secret);
    assert_ne!(simulated.organisation, hardware.organisation);
    assert_ne!(simulated.devices.newest().unwrap().public(), hardware.devices.newest().unwrap().public());

    let one = record(Realm::Simulated, 1, "one");
    home.save(&one).unwrap();
    assert_eq!(home.connection(Realm::Hardware, "one").unwrap_err().code, "realms_mixed");
    assert_eq!(home.connection(Realm::Simulated, &one.id.to_string()).unwrap(), one);

    let connections = directory.path().join("home/hardware/connections");
    fs::create_dir_all(&connections).unwrap();
    fs::copy(home.connection_path(Realm::Simulated, one.id), connections.join(format!("{}.json", one.id)))
        .unwrap();
    assert_eq!(home.connections_in(Realm::Hardware).unwrap_err().code, "realms_mixed");
    fs::copy(home.owner_path(Realm::Simulated), home.owner_path(Realm::Hardware)).unwrap();
    assert_eq!(home.owner(Realm::Hardware).unwrap_err().code, "realms_mixed");
}

#[test]
fn a_connection_is_found_by_id_or_by_a_name_that_is_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let home = open(directory.path(), None);
    home.save(&record(Realm::Simulated, 1, "one")).unwrap();
    home.save(&record(Realm::Simulated, 2, "same")).unwrap();
    home.save(&record(Realm::Simulated, 3, "same")).unwrap();
    assert_eq!(home.connection(Realm::Simulated, "one").unwrap().id, ConnectionId([1; 16]));
    assert!(home.connection(Realm::Simulated, "same").is_err());
    assert_eq!(home.connection(Realm::Simulated, "none").unwrap_err().fault, Fault::Usage);
    home.remove(&record(Realm::Simulated, 1, "one")).unwrap();
    assert!(home.connection(Realm::Simulated, "one").is_err());
}

#[test]
fn a_damaged_connection_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let home = open(directory.path(), None);
    let one = record(Realm::Simulated, 1, "one");
    home.save(&one).unwrap();
    let path = home.connection_path(Realm::Simulated, one.id);
    let text = fs::read_to_string(&path).unwrap();
    for altered in [
        text[..text.len() / 2].to_owned(),
        text.replace("\"version\": 1", "\"version\": 2"),
        text.replace("conn_", "org_"),
    ] {
        fs::write(&path, altered).unwrap();
        assert_eq!(home.connections().unwrap_err().code, "connection_file_damaged");
    }
}

#[test]
fn the_keys_kept_apart_may_lie_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let elsewhere = directory.path().join("stick/second.key");
    fs::create_dir(directory.path().join("stick")).unwrap();
    let home =
        Home::open(directory.path().join("home"), Passphrases::new(None), Some(elsewhere.clone())).unwrap();
    home.second_factor_or_new(Realm::Simulated).unwrap();
    assert!(elsewhere.exists());
    assert!(!directory.path().join("home/simulated/second-factor.key").exists());
}

#[test]
fn debug_prints_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let passphrase = passphrase::Passphrase::new(b"CANARY").unwrap().unwrap();
    assert_eq!(format!("{passphrase:?}"), "Passphrase(..)");
    assert!(format!("{:?}", open(directory.path(), Some("CANARY"))).starts_with("Home("));
}

#[test]
fn a_missing_key_file_is_told_apart_from_a_realm_that_is_not_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let home = open(directory.path(), Some("p"));
    assert_eq!(home.existing_owner(Realm::Simulated).unwrap_err().fault, Fault::Usage);
    home.save(&record(Realm::Simulated, 1, "one")).unwrap();
    let refused = home.existing_owner(Realm::Simulated).unwrap_err();
    assert_eq!(refused.code, "key_file_missing");
    assert!(refused.sentence.contains("owner.key"), "{refused}");
}

#[test]
fn a_passphrase_given_once_locks_both_key_files() {
    let directory = tempfile::tempdir().unwrap();
    let home = open(directory.path(), None);
    home.owner_or_new(Realm::Simulated).unwrap();
    home.second_factor_or_new(Realm::Simulated).unwrap();
    drop(home);
    open(directory.path(), Some("p")).owner(Realm::Simulated).unwrap();
    for name in ["owner.key", "second-factor.key"] {
        let text = fs::read_to_string(directory.path().join("home/simulated").join(name)).unwrap();
        assert!(text.contains("argon2id"), "{name}: {text}");
    }
}

#[test]
fn a_damaged_connection_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let home = open(directory.path(), Some("p"));
    home.save(&record(Realm::Simulated, 1, "one")).unwrap();
    let path = home.connection_path(Realm::Simulated, ConnectionId([1; 16]));
    fs::write(&path, "{").unwrap();
    let refused = home.connections().unwrap_err();
    assert!(refused.sentence.contains(path.to_str().unwrap()), "{refused}");
}
