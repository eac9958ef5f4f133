//! Every case of our profile gets its verdict (`vectors/http-signatures/profile.json`).

use super::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct File {
    here: Vec<(String, String)>,
    keys: BTreeMap<String, Key>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Key {
    algorithm: String,
    public: String,
    pkcs8: String,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    expect: String,
    now: u64,
    request: Written,
    #[serde(default)]
    again: bool,
    #[serde(default)]
    started: u64,
    sign: Option<Sign>,
}

#[derive(Deserialize)]
struct Sign {
    created: u64,
    lifetime: u64,
    nonce: String,
    key: String,
    also: Vec<String>,
    fields: Vec<(String, String)>,
}

impl File {
    fn verdict(&self, received: &Received, nonces: &mut Nonces, now: UnixMillis) -> String {
        match self.verify(received, nonces, now) {
            Ok(()) => "verified".to_owned(),
            Err(refused) => refused.code().to_owned(),
        }
    }

    fn verify(&self, received: &Received, nonces: &mut Nonces, now: UnixMillis) -> Result<(), Refused> {
        let authority = |(name, text): &(String, String)| Authority::parse(scheme(name), text).unwrap();
        let here: Vec<Authority> = self.here.iter().map(authority).collect();
        let request = received.request()?;
        let presented = Presented::read(&request, &here)?;
        let key = self.keys.get(presented.claimed_keyid());
        let key =
            key.map(|key| PublicKey::new(algorithm(&key.algorithm).unwrap(), &bytes(&key.public)).unwrap());
        presented.signed_by(key.as_ref(), now)?.once(nonces, now)?.with_body(&received.body)?;
        Ok(())
    }
}

#[test]
fn every_case_of_the_profile_gets_its_verdict() {
    let mut file: File = vectors("profile.json");
    let mut seen = BTreeSet::new();
    for case in core::mem::take(&mut file.cases) {
        let received = Received::from(case.request);
        let now = UnixMillis(case.now);
        let mut nonces = Nonces::starting(UnixMillis(case.started), ROOM);
        if case.again {
            assert_eq!(file.verdict(&received, &mut nonces, now), "verified", "{}", case.name);
        }
        assert_eq!(file.verdict(&received, &mut nonces, now), case.expect, "{}", case.name);
        seen.insert(case.expect);
    }
    // A full table is made by many requests: `nonces` has the test.
    let all = Refused::ALL.iter().map(|refused| refused.code().to_owned());
    let expected = all.chain(["verified".to_owned()]).filter(|code| code != "too_many_nonces").collect();
    assert_eq!(seen, expected, "each refusal has a case");
}

#[test]
fn our_signer_signs_as_the_independent_script_does() {
    let file: File = vectors("profile.json");
    let mut signed = 0;
    for case in file.cases {
        let Some(stated) = case.sign else { continue };
        let Key { algorithm: name, pkcs8, public } = &file.keys[&stated.key];
        let algorithm = algorithm(name).unwrap();
        let key = SigningKey::from_pkcs8(algorithm, &bytes(pkcs8)).unwrap();
        assert_eq!(key.public(), bytes(public));
        let expected: BTreeMap<String, String> =
            case.request.fields.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
        let unsigned = Received::from(Written { fields: stated.fields, ..case.request });
        let also: Vec<&str> = stated.also.iter().map(String::as_str).collect();
        let signer = Signer { key: &key, keyid: &stated.key };
        let stamp =
            Stamp { created: UnixMillis(stated.created), lifetime: stated.lifetime, nonce: &stated.nonce };
        for (name, value) in sign(&unsigned.request().unwrap(), &unsigned.body, &also, signer, stamp).unwrap()
        {
            // P-256 signs otherwise each time; the verdict on it is `altered`'s.
            if name != "signature" || algorithm == Algorithm::Ed25519 {
                assert_eq!(expected.get(name), Some(&value), "{}", case.name);
            }
        }
        signed += 1;
    }
    assert_eq!(signed, 7);
}
