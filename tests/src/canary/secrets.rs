//! What is secret in one run of the whole system, as the files of its simulated server and its client have it.

use super::envelope::{derive_share, unwrap};
use super::marks::Marks;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fs;
use std::path::Path;
use wire::ConnectionId;

/// `OBJECT IDENTIFIER 1.3.101.112, OCTET STRING { OCTET STRING (32)`: what stands before the seed (RFC 8410 §7).
const BEFORE_SEED: [u8; 9] = [0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The root of each epoch, from `DIR/simulated-root`: the second word of each line but the first.
///
/// # Panics
/// When the file is not there or reads otherwise.
pub fn roots(file: &Path) -> Vec<[u8; 32]> {
    let text = read(file);
    let roots: Vec<[u8; 32]> =
        text.lines().skip(1).map(|line| hex(line.split(' ').nth(1).expect("a root"))).collect();
    assert!(!roots.is_empty(), "{} holds no root", file.display());
    roots
}

/// Owner secret and keys of a client's realm that is stored without a passphrase, and all that is under them: shares,
/// and, with the roots, data keys and the keys that wrap them. An envelope that does not open fails the test.
///
/// # Panics
/// When a file is not what `docs/spec/client.md` says.
pub fn secrets(realm: &Path, roots: &[[u8; 32]]) -> Marks {
    let owner = key_file(&realm.join("owner.key"));
    // `{0: organisation, 1: owner secret, 2: [device key, …]}`
    assert_eq!(
        (&owner[..3], &owner[19..22]),
        (&[0xa3, 0x00, 0x50][..], &[0x01, 0x58, 0x20][..]),
        "owner.key"
    );
    let owner_secret: [u8; 32] = owner[22..54].try_into().expect("32 bytes");
    let mut marks = Marks::new().with(OWNER_SECRET, &owner_secret);
    marks = seeds(&owner).iter().fold(marks, |marks, seed| marks.with(DEVICE_KEY, seed));
    let second = key_file(&realm.join("second-factor.key"));
    marks = seeds(&second).iter().fold(marks, |marks, seed| marks.with(SECOND_FACTOR, seed));
    marks = roots.iter().fold(marks, |marks, root| marks.with(ROOT, root));
    let records = fs::read_dir(realm.join("connections")).expect("a client with connections");
    records.fold(marks, |marks, record| {
        of_connection(marks, &record.expect("a file").path(), &owner_secret, roots)
    })
}

pub const ROOT: &str = "root";
pub const OWNER_SECRET: &str = "owner secret";
pub const DEVICE_KEY: &str = "device key";
pub const SECOND_FACTOR: &str = "second factor";
pub const SHARE: &str = "share";
pub const DATA_KEY: &str = "data key";

fn of_connection(mut marks: Marks, record: &Path, owner_secret: &[u8; 32], roots: &[[u8; 32]]) -> Marks {
    let record: Value = serde_json::from_str(&read(record)).expect("a connection file is JSON");
    let connection = record["id"].as_str().and_then(ConnectionId::parse).expect("a connection's id");
    for slot in [&record["current"], &record["pending"]].into_iter().filter(|slot| !slot.is_null()) {
        let share =
            derive_share(owner_secret, &connection.0, slot["share_version"].as_u64().expect("a version"));
        let epoch = slot["epoch"].as_u64().and_then(|epoch| usize::try_from(epoch).ok()).expect("an epoch");
        let envelope = STANDARD.decode(slot["envelope"].as_str().expect("base64")).expect("base64");
        let opened =
            unwrap(&envelope, &roots[epoch - 1], &share).expect("the envelope opens with root and share");
        marks = marks
            .with(SHARE, &share)
            .with(DATA_KEY, &opened.data_key)
            .with("key of the root's wrap", &opened.root_wrap_key)
            .with("key of the share's wrap", &opened.share_wrap_key)
            .with("key of the payload", &opened.payload_key);
    }
    marks
}

/// The plaintext of an unlocked key file.
fn key_file(path: &Path) -> Vec<u8> {
    let file: Value = serde_json::from_str(&read(path)).expect("a key file is JSON");
    assert_eq!(file["protection"]["kind"], "none", "{} is under a passphrase", path.display());
    STANDARD.decode(file["secret"].as_str().expect("base64")).expect("base64")
}

/// The seeds of all Ed25519 keys in PKCS#8.
fn seeds(plaintext: &[u8]) -> Vec<&[u8]> {
    let starts = (0..plaintext.len()).filter(|at| plaintext[*at..].starts_with(&BEFORE_SEED));
    let seeds: Vec<&[u8]> =
        starts.filter_map(|at| plaintext.get(at + BEFORE_SEED.len()..at + BEFORE_SEED.len() + 32)).collect();
    assert!(!seeds.is_empty(), "a key file holds a key");
    seeds
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn hex(digits: &str) -> [u8; 32] {
    let digit =
        |at: usize| char::from(digits.as_bytes()[at]).to_digit(16).expect("a hexadecimal digit") as u8;
    std::array::from_fn(|byte| digit(2 * byte) << 4 | digit(2 * byte + 1))
}
