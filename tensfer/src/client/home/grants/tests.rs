use super::*;
use crate::client::encode::{base64, from_hex};
use crate::client::home::key_file::Cost;
use crate::client::home::passphrase::Passphrases;
use serde_json::Value;

/// What the independent script made of each case: grant with its sealed share, and envelope.
fn cases() -> Vec<(Made, Vec<u8>)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/grants.json");
    let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let bytes = |case: &Value, name: &str| from_hex(case[name].as_str().unwrap()).unwrap();
    let cases = vectors["cases"].as_array().unwrap().iter();
    cases.map(|case| (Made::from_bytes(&bytes(case, "made")).unwrap(), bytes(case, "envelope"))).collect()
}

fn file((made, envelope): &(Made, Vec<u8>)) -> GrantFile {
    let kind = (Realm::Simulated, Environment::Sandbox);
    GrantFile::new(kind, ("http://localhost:8080", "kraken"), made, envelope)
}

fn home(directory: &Path) -> Home {
    let cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };
    Home::open_at_cost(directory.join("home"), Passphrases::new(None), None, cost).unwrap()
}

#[test]
fn a_grants_file_is_read_with_its_own_envelope_and_with_nothing_altered() {
    let cases = cases();
    for (place, case) in cases.iter().enumerate() {
        let file = file(case);
        let bytes = file.to_bytes().unwrap();
        assert_eq!(GrantFile::parse(&bytes).unwrap(), file);
        assert_eq!(file.read().unwrap().bytes, case.0.grant);
        let other = &cases[(place + 1) % cases.len()];
        let mixed = GrantFile { envelope: other.1.clone(), ..file.clone() };
        assert!(mixed.read().is_none() && GrantFile::parse(&mixed.to_bytes().unwrap()).is_none());
        for at in [0, file.envelope.len() / 3, file.envelope.len() / 2] {
            let mut altered = file.clone();
            altered.envelope[at] ^= 1;
            assert!(altered.read().is_none(), "byte {at}");
        }
        for length in 0..bytes.len() - 2 {
            assert!(GrantFile::parse(&bytes[..length]).is_none());
        }
        for exchange in ["", "a b", "../kraken", "\u{1b}[2J"] {
            let named = GrantFile { exchange: exchange.to_owned(), ..file.clone() };
            assert!(GrantFile::parse(&named.to_bytes().unwrap()).is_none(), "{exchange:?}");
        }
    }
}

#[test]
fn a_grant_that_comes_back_in_another_epoch_is_kept_and_another_grant_in_its_place_is_damage() {
    let cases = cases();
    let mut taken = Taken::new("ada".to_owned(), file(&cases[0]));
    taken.note(3, None);
    taken.note(2, Some(&cases[0].0.grant));
    assert_eq!((taken.used, taken.renewed.clone()), (3, Some(base64(&cases[0].0.grant))));
    assert!(taken.read().is_ok());
    taken.note(4, Some(&cases[1].0.grant));
    assert_eq!(taken.read().unwrap_err().code, "grant_damaged");
}

#[test]
fn what_was_taken_or_given_is_found_again_in_its_realm_alone_and_damage_is_told_apart_from_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let home = home(directory.path());
    let (first, second) = (file(&cases()[0]), file(&cases()[1]));
    let body = first.read().unwrap().body;
    let (id, connection, generation) = (body.id, body.header.connection, body.header.generation);
    home.save_taken_grant(&Taken::new("ada".to_owned(), first.clone())).unwrap();
    home.save_taken_grant(&Taken::new("bob".to_owned(), second)).unwrap();
    let names: Vec<String> =
        home.taken_grants(Realm::Simulated).unwrap().into_iter().map(|taken| taken.name).collect();
    assert_eq!(names, ["ada", "bob"]);
    assert_eq!(home.find_taken_grant(Realm::Simulated, &id.to_string()).unwrap().name, "ada");
    assert_eq!(home.find_taken_grant(Realm::Simulated, "bob").unwrap().name, "bob");
    for (realm, name) in [(Realm::Hardware, "ada"), (Realm::Simulated, "eve")] {
        assert_eq!(home.find_taken_grant(realm, name).unwrap_err().code, "unknown_grant");
    }
    // Without its keys nothing opens, and none are made in their place (m14).
    assert_eq!(home.existing_grantee(Realm::Simulated).unwrap_err().code, "key_file_missing");
    assert_eq!(home.grantee_or_new(Realm::Simulated, false).unwrap_err().code, "key_file_missing");

    home.save_given_grant(&Given::new("Payroll".to_owned(), first)).unwrap();
    assert_eq!(home.given_grant(Realm::Simulated, id).unwrap().unwrap().to, "Payroll");
    let end = |of, current| home.end_given_grants(Realm::Simulated, of, current).unwrap();
    assert_eq!((end(ConnectionId([9; 16]), u64::MAX), end(connection, generation)), (0, 0));
    assert!(home.given_grant(Realm::Simulated, id).unwrap().is_some());
    assert_eq!(end(connection, generation + 1), 1);
    assert!(home.given_grant(Realm::Simulated, id).unwrap().is_none());

    let path = home.grant_path(Realm::Simulated, "taken", id);
    let text = std::fs::read_to_string(&path).unwrap();
    let to = home.grants(Realm::Hardware, "taken");
    std::fs::create_dir_all(&to).unwrap();
    std::fs::write(to.join(format!("{id}.json")), &text).unwrap();
    assert_eq!(home.taken_grants(Realm::Hardware).unwrap_err().code, "grant_damaged", "of another realm");
    for damaged in ["", "{}", &text[..text.len() / 2]] {
        std::fs::write(&path, damaged).unwrap();
        assert_eq!(home.taken_grant(Realm::Simulated, id).unwrap_err().code, "grant_damaged");
    }
}
