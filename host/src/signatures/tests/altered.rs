//! What we sign verifies, whatever it is; and nothing of it can be changed.

use super::*;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair, UnparsedPublicKey,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
const NONCE: &str = "wmzZ8rC7Sj2vN0bTqLxkYg";

/// A request that owns its parts, so that they can be changed.
#[derive(Clone, Debug)]
struct Parts {
    scheme: Scheme,
    method: String,
    authority: String,
    target: String,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Parts {
    fn request(&self) -> Result<Request<'_>, Refused> {
        let fields = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        Request::new(self.scheme, &self.method, &self.authority, &self.target, fields)
    }

    fn sign(&mut self, key: &SigningKey, keyid: &str) {
        let stamp = Stamp { created: NOW, lifetime: 60, nonce: NONCE };
        let also: Vec<&str> = self.has("x-a").then_some("x-a").into_iter().collect();
        let signer = Signer { key, keyid };
        let made = sign(&self.request().unwrap(), &self.body, &also, signer, stamp).unwrap();
        self.fields.extend(made.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())));
    }

    fn verify(&self, key: &PublicKey) -> Result<(), Refused> {
        let mut nonces = Nonces::starting(UnixMillis(0), ROOM);
        let request = self.request()?;
        let verified = verify(&request, &self.body, Some(key), &mut nonces, NOW)?;
        assert_eq!(verified.body(), self.body);
        assert_eq!(verified.method(), self.method);
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field.eq_ignore_ascii_case(name))
    }
}

fn make(algorithm: Algorithm) -> SigningKey {
    let rng = SystemRandom::new();
    let pkcs8 = match algorithm {
        Algorithm::Ed25519 => Ed25519KeyPair::generate_pkcs8(&rng),
        Algorithm::EcdsaP256Sha256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng),
    };
    SigningKey::from_pkcs8(algorithm, pkcs8.unwrap().as_ref()).unwrap()
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::new(key.algorithm(), &key.public()).unwrap()
}

fn parts() -> impl Strategy<Value = Parts> {
    let path = "(/[A-Za-z0-9_~!$&'()*+,;=:@-]{1,9}|/%2F|/%20|/%C3%A9){1,5}/?";
    let query = "(\\?([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2}){1,40})?";
    let host = "([a-z0-9][a-z0-9-]{0,9}\\.){1,3}[a-z]{2,5}(:[1-9][0-9]{0,3})?|\\[::[1-9a-f]\\]";
    let field = ("[Xx]-A", "[ -~]{0,40}");
    (
        select(vec![Scheme::Http, Scheme::Https]),
        "[A-Z]{1,9}",
        host,
        path,
        query,
        prop::option::of(field),
        prop::collection::vec(any::<u8>(), 0..80),
    )
        .prop_map(|(scheme, method, authority, path, query, field, body)| {
            let typed = ("Content-Type".to_owned(), b"application/json".to_vec());
            let unsigned = ("X-Unsigned".to_owned(), b"a".to_vec());
            let field = field.map(|(name, value)| (name, value.into_bytes()));
            let fields = [typed, unsigned].into_iter().chain(field).collect();
            Parts { scheme, method, authority, target: format!("{path}{query}"), fields, body }
        })
}

/// One change of one part. `None`: there is nothing of that part to change.
fn altered(mut parts: Parts, part: u8, at: Index, to: u8) -> Option<Parts> {
    let text = |text: &mut String| -> Option<()> {
        let mut bytes = text.clone().into_bytes();
        *bytes.get_mut(at.index(text.len()))? = to & 0x7f;
        *text = String::from_utf8(bytes).ok()?;
        Some(())
    };
    match part % 8 {
        0 => text(&mut parts.method)?,
        1 => text(&mut parts.authority)?,
        2 => text(&mut parts.target)?,
        3 => parts.target.push(char::from(to & 0x7f)),
        4 => drop(parts.target.pop()),
        5 => parts.body.push(to),
        6 if !parts.body.is_empty() => *at.get_mut(&mut parts.body) = to,
        7 => {
            let signed = parts.fields.iter_mut().filter(|(name, _)| name != "X-Unsigned");
            let mut values: Vec<&mut Vec<u8>> = signed.map(|(_, value)| value).collect();
            let value = at.get_mut(&mut values);
            let value: &mut Vec<u8> = value;
            let byte = usize::from(to) % value.len().max(1);
            *value.get_mut(byte)? ^= 1 << (to % 7);
        }
        _ => return None,
    }
    Some(parts)
}

/// The same to whoever reads it: the host in other letters, white space around a value.
fn says_the_same(one: &Parts, other: &Parts) -> bool {
    let value = |value: &[u8]| value.trim_ascii().to_vec();
    let said = |parts: &Parts| -> Option<_> {
        let request = parts.request().ok()?;
        let fields: Vec<_> = parts.fields.iter().map(|(name, bytes)| (name.clone(), value(bytes))).collect();
        let authority = request.authority().as_str().to_owned();
        Some((parts.method.clone(), authority, parts.target.clone(), fields, parts.body.clone()))
    };
    said(one) == said(other)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_signed_verifies_and_by_no_other_key(mut parts in parts(), at in any::<bool>()) {
        let algorithm = Algorithm::ALL[usize::from(at)];
        let key = make(algorithm);
        parts.sign(&key, "key-1");
        prop_assert_eq!(parts.verify(&public(&key)), Ok(()));
        for other in Algorithm::ALL.map(make) {
            prop_assert_eq!(parts.verify(&public(&other)), Err(Refused::NotSigned));
        }
    }

    #[test]
    fn whatever_is_altered_in_a_signed_request_is_refused(
        mut parts in parts(),
        part in any::<u8>(),
        at in any::<Index>(),
        to in any::<u8>(),
    ) {
        let key = make(Algorithm::Ed25519);
        parts.sign(&key, "key-1");
        if let Some(other) = altered(parts.clone(), part, at, to)
            && !says_the_same(&parts, &other)
        {
            prop_assert!(other.verify(&public(&key)).is_err(), "{:?}", other);
        }
    }
}

fn signed() -> (Parts, SigningKey) {
    let key = make(Algorithm::Ed25519);
    let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let mut parts = Parts {
        scheme: Scheme::Https,
        method: "POST".to_owned(),
        authority: "api.example.com".to_owned(),
        target: "/v1/keys?dry=1".to_owned(),
        fields: vec![field("Content-Type", "application/json"), field("X-A", "a"), field("X-B", "b")],
        body: b"{}".to_vec(),
    };
    parts.sign(&key, "key-1");
    (parts, key)
}

#[test]
fn every_bit_of_a_signed_request_counts() {
    let (parts, key) = signed();
    assert_eq!(parts.verify(&public(&key)), Ok(()));
    for place in 0..parts.fields.len() {
        let (name, value) = &parts.fields[place];
        for bit in 0..8 * value.len() {
            let mut other = parts.clone();
            other.fields[place].1[bit / 8] ^= 1 << (bit % 8);
            let verdict = other.verify(&public(&key));
            assert_eq!(verdict.is_ok(), name == "X-B", "bit {bit} of {name}");
        }
    }
}

#[test]
fn a_signed_request_counts_once_and_in_its_time_alone() {
    let (parts, key) = signed();
    let (request, key) = (parts.request().unwrap(), public(&key));
    let mut nonces = Nonces::starting(UnixMillis(0), ROOM);
    let mut at = |now| verify(&request, &parts.body, Some(&key), &mut nonces, now).err();
    assert_eq!(at(NOW.minus(LEEWAY_MS + 1)), Some(Refused::NotYet));
    assert_eq!(at(NOW.plus(60_000)), Some(Refused::Expired));
    assert_eq!(at(NOW), None);
    assert_eq!(at(NOW), Some(Refused::Replayed));
    assert_eq!(at(NOW.plus(59_999)), Some(Refused::Replayed));
}

#[test]
fn a_nonce_is_used_up_before_the_body_is_seen_and_by_nobody_who_did_not_sign() {
    let (parts, key) = signed();
    let (request, key) = (parts.request().unwrap(), public(&key));
    let mut nonces = Nonces::starting(UnixMillis(0), ROOM);
    let stranger = public(&make(Algorithm::Ed25519));
    for key in [Some(&stranger), None] {
        assert_eq!(verify(&request, b"{}", key, &mut nonces, NOW).err(), Some(Refused::NotSigned));
    }
    assert!(nonces.is_empty());
    assert_eq!(verify(&request, b"[]", Some(&key), &mut nonces, NOW).err(), Some(Refused::OtherBody));
    assert_eq!(verify(&request, b"{}", Some(&key), &mut nonces, NOW).err(), Some(Refused::Replayed));
}

#[test]
fn who_waits_too_long_for_a_key_is_refused() {
    let (parts, key) = signed();
    let (request, key) = (parts.request().unwrap(), public(&key));
    let here = [request.authority().clone()];
    let presented = Presented::read(&request, &here).unwrap();
    let mut nonces = Nonces::starting(UnixMillis(0), ROOM);
    let signed = presented.signed_by(Some(&key), NOW).unwrap();
    assert_eq!(signed.once(&mut nonces, NOW.plus(60_000)).err(), Some(Refused::Expired));
}

#[test]
fn what_was_not_signed_is_not_in_a_verified_request() {
    let (parts, key) = signed();
    let (request, key) = (parts.request().unwrap(), public(&key));
    let mut nonces = Nonces::starting(UnixMillis(0), ROOM);
    let verified = verify(&request, &parts.body, Some(&key), &mut nonces, NOW).unwrap();
    assert_eq!(verified.keyid(), "key-1");
    assert_eq!(verified.algorithm(), Algorithm::Ed25519);
    assert_eq!(verified.created(), NOW);
    assert_eq!((verified.path(), verified.query()), ("/v1/keys", Some("dry=1")));
    assert_eq!(verified.authority().as_str(), "api.example.com");
    assert_eq!(verified.field("x-a"), Some("a"));
    assert_eq!(verified.field("x-b"), None, "it is there, and not signed");
}

#[test]
fn nothing_is_signed_that_would_be_refused() {
    let key = make(Algorithm::Ed25519);
    let request = |fields: Vec<Field<'static>>| {
        Request::new(Scheme::Https, "POST", "api.example.com", "/", fields).unwrap()
    };
    let typed = ("content-type", b"a/b".as_slice());
    let good = Stamp { created: NOW, lifetime: 60, nonce: NONCE };
    let signer = Signer { key: &key, keyid: "key-1" };
    let refused = |made: Result<Vec<_>, Unsigned>, refused| {
        assert_eq!(made.err(), Some(Unsigned::Refused(refused)));
    };
    refused(sign(&request(vec![]), b"a", &[], signer, good), Refused::BodyUntyped);
    refused(sign(&request(vec![typed, typed]), b"a", &[], signer, good), Refused::FieldRepeated);
    refused(
        sign(&request(vec![("content-digest", b"")]), b"", &["content-digest"], signer, good),
        Refused::ComponentRepeated,
    );
    refused(sign(&request(vec![("signature", b"a=:AAAA:")]), b"", &[], signer, good), Refused::FieldRepeated);
    refused(sign(&request(vec![]), b"", &["x-a"], signer, good), Refused::ComponentAbsent);
    refused(sign(&request(vec![]), b"", &["@status"], signer, good), Refused::ComponentUnknown);
    refused(
        sign(&request(vec![]), b"", &[], Signer { keyid: "a b", ..signer }, good),
        Refused::ParameterMalformed,
    );
    refused(
        sign(&request(vec![]), b"", &[], signer, Stamp { nonce: "short", ..good }),
        Refused::ParameterMalformed,
    );
    refused(
        sign(&request(vec![]), b"", &[], signer, Stamp { lifetime: 0, ..good }),
        Refused::ParameterMalformed,
    );
    refused(
        sign(&request(vec![]), b"", &[], signer, Stamp { lifetime: 121, ..good }),
        Refused::LifetimeTooLong,
    );
}

#[test]
fn a_key_is_a_point_that_somebody_must_have_the_secret_of() {
    let (one, other) = (make(Algorithm::Ed25519).public(), make(Algorithm::EcdsaP256Sha256).public());
    for (algorithm, good) in [(Algorithm::Ed25519, &one), (Algorithm::EcdsaP256Sha256, &other)] {
        assert!(PublicKey::new(algorithm, good).is_ok());
        let longer = [good.as_slice(), &[0]].concat();
        for bad in [&[][..], &good[1..], &longer, &vec![0; good.len()], &vec![0xff; good.len()]] {
            assert_eq!(PublicKey::new(algorithm, bad).err(), Some(InvalidKey), "{bad:x?}");
        }
    }
    let compressed = [&[2 + (other[64] & 1)], &other[1..33]].concat();
    assert_eq!(PublicKey::new(Algorithm::EcdsaP256Sha256, &compressed).err(), Some(InvalidKey));
}

/// Under a key of small order S = 0 and R a point of small order are a signature of one message in eight, made by nobody.
#[test]
fn a_key_under_which_anybody_signs_is_no_key() {
    const POINTS: [&str; 7] = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for point in POINTS.map(bytes) {
        for sign in [0, 0x80] {
            let mut point = point.clone();
            point[31] |= sign;
            assert_eq!(PublicKey::new(Algorithm::Ed25519, &point).err(), Some(InvalidKey), "{point:x?}");
        }
    }
    // That they are such keys, the library shows.
    let forged: Vec<Vec<u8>> = POINTS[..5].iter().map(|r| [bytes(r), vec![0; 32]].concat()).collect();
    for point in POINTS[..5].iter().map(|point| bytes(point)) {
        let key = UnparsedPublicKey::new(&ED25519, point);
        let signed =
            (0..64_u8).any(|message| forged.iter().any(|forged| key.verify(&[message], forged).is_ok()));
        assert!(signed);
    }
}

#[test]
fn m04_a_request_with_a_signature_in_der_is_refused() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let key = PublicKey::new(Algorithm::EcdsaP256Sha256, pair.public_key().as_ref()).unwrap();
    let der = pair.sign(&SystemRandom::new(), b"base").unwrap();
    assert!(
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, pair.public_key())
            .verify(b"base", der.as_ref())
            .is_ok()
    );
    assert!(!key.verifies(b"base", der.as_ref()));
}

#[test]
fn no_debug_output_has_a_key_a_field_or_a_body() {
    let (parts, key) = signed();
    let (request, public_key) = (parts.request().unwrap(), public(&key));
    let mut nonces = Nonces::starting(UnixMillis(0), ROOM);
    let verified = verify(&request, &parts.body, Some(&public_key), &mut nonces, NOW).unwrap();
    assert_eq!(format!("{verified:?}"), "Verified(\"key-1\", POST /v1/keys)");
    assert_eq!(format!("{key:?}"), "SigningKey");
    assert_eq!(format!("{:?}", public(&key)), "PublicKey(ed25519)");
}
