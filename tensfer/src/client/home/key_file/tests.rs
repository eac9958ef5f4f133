use super::*;
use serde_json::Value;

/// The cheapest argon2id: the format is under test, not the cost.
const CHEAP: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };
const OWNER: (Purpose, Realm) = (Purpose::Owner, Realm::Simulated);
const SECRET: &[u8] = b"the owner secret, marked: CANARY";

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.as_bytes()).unwrap().unwrap()
}

/// The secret, and whether it was locked.
fn open_with(kind: (Purpose, Realm), bytes: &[u8], text: &str) -> Result<(Secret, bool)> {
    match read(kind, bytes)? {
        Content::Open(secret) => Ok((secret, false)),
        Content::Locked(locked) => Ok((locked.unlock(&passphrase(text))?, true)),
        Content::OnToken(_) => unreachable!("none of these is under a token"),
    }
}

#[test]
fn a_locked_file_opens_with_its_passphrase_alone() {
    let bytes = seal(OWNER, SECRET, Some(&passphrase("right")), CHEAP).unwrap();
    let opened = open_with(OWNER, &bytes, "right").unwrap();
    assert_eq!((opened.0.as_slice(), opened.1), (SECRET, true));
    assert_eq!(open_with(OWNER, &bytes, "wrong").err().unwrap().code, "wrong_passphrase");
}

#[test]
fn m18_a_locked_file_shows_nothing_of_the_secret() {
    let bytes = seal(OWNER, SECRET, Some(&passphrase("right")), CHEAP).unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    for form in ["CANARY".to_owned(), base64(SECRET), crate::client::encode::hex(SECRET)] {
        assert!(!text.contains(&form), "{form}");
    }
    let clear = seal(OWNER, SECRET, None, CHEAP).unwrap();
    assert!(String::from_utf8(clear.to_vec()).unwrap().contains(&base64(SECRET)));
}

#[test]
fn two_files_of_one_secret_and_passphrase_have_nothing_in_common() {
    let [one, two] = [0, 1].map(|_| seal(OWNER, SECRET, Some(&passphrase("right")), CHEAP).unwrap());
    let [one, two]: [Value; 2] = [one, two].map(|bytes| serde_json::from_slice(&bytes).unwrap());
    assert_ne!(one["protection"]["salt"], two["protection"]["salt"]);
    assert_ne!(one["secret"], two["secret"]);
}

#[test]
fn every_altered_field_of_a_locked_file_is_refused() {
    let bytes = seal(OWNER, SECRET, Some(&passphrase("right")), CHEAP).unwrap();
    let file: Value = serde_json::from_slice(&bytes).unwrap();
    let altered: [(&str, Value); 10] = [
        ("/format", "another".into()),
        ("/version", 2.into()),
        ("/purpose", "second_factor".into()),
        ("/realm", "hardware".into()),
        ("/protection/kind", "none".into()),
        ("/protection/cost/memory_kib", 16.into()),
        ("/protection/cost/passes", 2.into()),
        ("/protection/cost/memory_kib", u32::MAX.into()),
        ("/protection/salt", base64(&[0; SALT_BYTES]).into()),
        ("/secret", base64(&[0; 60]).into()),
    ];
    for (pointer, value) in altered {
        let mut file = file.clone();
        *file.pointer_mut(pointer).unwrap() = value;
        assert!(open_with(OWNER, file.to_string().as_bytes(), "right").is_err(), "{pointer}");
    }
}

#[test]
fn every_flipped_bit_of_the_ciphertext_is_refused() {
    let bytes = seal(OWNER, SECRET, Some(&passphrase("right")), CHEAP).unwrap();
    let file: Value = serde_json::from_slice(&bytes).unwrap();
    let sealed = from_base64(file["secret"].as_str().unwrap()).unwrap();
    for position in 0..sealed.len() {
        let mut sealed = sealed.clone();
        sealed[position] ^= 1;
        let mut file = file.clone();
        file["secret"] = base64(&sealed).into();
        assert!(open_with(OWNER, file.to_string().as_bytes(), "right").is_err(), "byte {position}");
    }
}

#[test]
fn a_file_of_another_purpose_or_realm_is_refused_even_unlocked() {
    let clear = seal(OWNER, SECRET, None, CHEAP).unwrap();
    assert!(read(OWNER, &clear).is_ok());
    assert_eq!(read((Purpose::Owner, Realm::Hardware), &clear).err().unwrap().code, "realms_mixed");
    assert!(read((Purpose::SecondFactor, Realm::Simulated), &clear).is_err());
}

#[test]
fn a_damaged_file_is_refused_without_a_panic() {
    let bytes = seal(OWNER, SECRET, Some(&passphrase("right")), CHEAP).unwrap();
    for length in 0..bytes.len() - 2 {
        assert!(open_with(OWNER, &bytes[..length], "right").is_err(), "{length}");
    }
}
