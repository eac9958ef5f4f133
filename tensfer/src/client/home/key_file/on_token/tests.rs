use super::super::{Content, read, seal_to_token};
use super::*;
use crate::client::encode::{base64, from_hex};
use aws_lc_rs::agreement::{PrivateKey, agree};
use serde_json::Value;

const KIND: (Purpose, Realm) = (Purpose::Holder, Realm::Simulated);
const SECRET: &[u8] = b"a holder's key, marked: CANARY";

/// A token that is none: its key is in this process.
struct Made(PrivateKey);

impl Made {
    fn new() -> Made {
        Made(PrivateKey::generate(&ECDH_P256).unwrap())
    }

    fn public(&self) -> Point {
        self.0.compute_public_key().unwrap().as_ref().try_into().unwrap()
    }

    fn agree(&self, peer: &Point) -> Result<Zeroizing<[u8; SHARED_BYTES]>> {
        let peer = UnparsedPublicKey::new(&ECDH_P256, peer);
        agree(&self.0, peer, Failure::usage("not a point"), |shared| {
            Ok(Zeroizing::new(shared.try_into().unwrap()))
        })
    }
}

fn opened(bytes: &[u8], token: &Made) -> Result<Secret> {
    match read(KIND, bytes)? {
        Content::OnToken(file) => file.unlock(|peer| token.agree(peer)),
        Content::Open(_) | Content::Locked(_) => unreachable!("it is under a token"),
    }
}

#[test]
fn a_file_under_a_tokens_key_opens_with_that_key_alone_and_shows_nothing() {
    let (token, other) = (Made::new(), Made::new());
    let bytes = seal_to_token(KIND, SECRET, &token.public()).unwrap();
    assert_eq!(opened(&bytes, &token).unwrap().as_slice(), SECRET);
    assert_eq!(opened(&bytes, &other).unwrap_err().code, "key_file_damaged");
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    for form in ["CANARY".to_owned(), base64(SECRET)] {
        assert!(!text.contains(&form));
    }
    assert!(read((Purpose::Approver, Realm::Simulated), &bytes).is_err());
    let others = seal_to_token((Purpose::Owner, Realm::Simulated), SECRET, &token.public()).unwrap();
    assert!(read((Purpose::Owner, Realm::Simulated), &others).is_err(), "an owner's keys are under no token");
    assert_eq!(read((Purpose::Holder, Realm::Hardware), &bytes).err().unwrap().code, "realms_mixed");
}

#[test]
fn files_that_an_independent_script_locked_open() {
    let text = include_str!("../../../../../../vectors/key-file.json");
    let cases: Value = serde_json::from_str(text).unwrap();
    let cases = cases["on_token"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let hex = |name: &str| from_hex(case[name].as_str().unwrap()).unwrap();
        let token = Made(PrivateKey::from_private_key(&ECDH_P256, &hex("token")).unwrap());
        let realm = if case["realm"] == "simulated" { Realm::Simulated } else { Realm::Hardware };
        let bytes = case["file"].to_string();
        let Content::OnToken(file) = read((Purpose::Holder, realm), bytes.as_bytes()).unwrap() else {
            unreachable!("it is under a token")
        };
        assert_eq!(*file.token(), token.public());
        assert_eq!(*file.unlock(|peer| token.agree(peer)).unwrap(), hex("secret"));
    }
}

#[test]
fn two_files_under_one_key_have_nothing_in_common() {
    let token = Made::new();
    let [one, two]: [Value; 2] = [0, 1]
        .map(|_| serde_json::from_slice(&seal_to_token(KIND, SECRET, &token.public()).unwrap()).unwrap());
    assert_ne!(one["protection"]["ephemeral"], two["protection"]["ephemeral"]);
    assert_ne!(one["secret"], two["secret"]);
}

#[test]
fn every_altered_field_of_a_file_under_a_token_is_refused() {
    let (token, other) = (Made::new(), Made::new());
    let bytes = seal_to_token(KIND, SECRET, &token.public()).unwrap();
    let file: Value = serde_json::from_slice(&bytes).unwrap();
    let altered: [(&str, Value); 11] = [
        ("/format", "another".into()),
        ("/version", 2.into()),
        ("/purpose", "approver".into()),
        ("/realm", "hardware".into()),
        ("/protection/kind", "none".into()),
        ("/protection/key", base64(&other.public()).into()),
        ("/protection/key", base64(&other.public()[..64]).into()),
        ("/protection/ephemeral", base64(&other.public()).into()),
        ("/protection/ephemeral", base64(&[4; 65]).into()),
        ("/protection/ephemeral", base64(&[4; 66]).into()),
        ("/secret", base64(&[0; 60]).into()),
    ];
    for (pointer, value) in altered {
        let mut file = file.clone();
        *file.pointer_mut(pointer).unwrap() = value;
        let read = read(KIND, file.to_string().as_bytes()).is_ok_and(|content| match content {
            Content::OnToken(file) => file.unlock(|peer| token.agree(peer)).is_ok(),
            Content::Open(_) | Content::Locked(_) => false,
        });
        assert!(!read, "{pointer}");
    }
}
