//! An authenticator and the browser before it, which say whatever a test has them say.

use super::*;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wire::identity::RelyingParty;
use wire::transcript::{Transcript, domain};

pub const ORIGIN: &str = "http://localhost:8080";
const PRESENT: u8 = 1;
const VERIFIED: u8 = 4;
const ATTESTED: u8 = 0x40;

pub fn parties() -> Vec<RelyingParty> {
    let party = |id: &str, origin: &str| RelyingParty { id: id.to_owned(), origins: vec![origin.to_owned()] };
    vec![party("localhost", ORIGIN), party("vault.example", "https://vault.example")]
}

/// One credential.
pub struct Authenticator {
    pair: EcdsaKeyPair,
    pub credential: Vec<u8>,
}

/// What is said in one ceremony, all of it as it should be until a test changes it.
#[derive(Clone)]
pub struct Said {
    pub client: Value,
    pub party: String,
    pub flags: u8,
    pub counter: u32,
    /// Behind everything else of the authenticator's data.
    pub extensions: Vec<u8>,
}

impl Said {
    pub fn create(challenge: &[u8]) -> Said {
        Said::of("webauthn.create", challenge, PRESENT | VERIFIED | ATTESTED)
    }

    pub fn get(challenge: &[u8]) -> Said {
        Said::of("webauthn.get", challenge, PRESENT | VERIFIED)
    }

    fn of(kind: &str, challenge: &[u8], flags: u8) -> Said {
        let challenge = URL_SAFE_NO_PAD.encode(challenge);
        let client = json!({ "type": kind, "challenge": challenge, "origin": ORIGIN, "crossOrigin": false });
        Said { client, party: "localhost".to_owned(), flags, counter: 0, extensions: Vec::new() }
    }

    /// The same with another member of `clientDataJSON`; `null` takes it out.
    pub fn with(mut self, member: &str, value: Value) -> Said {
        let members = self.client.as_object_mut().unwrap();
        match value {
            Value::Null => members.remove(member),
            value => members.insert(member.to_owned(), value),
        };
        self
    }

    fn fixed(&self) -> Vec<u8> {
        let party = digest(&SHA256, self.party.as_bytes());
        [party.as_ref(), &[self.flags], &self.counter.to_be_bytes()].concat()
    }
}

impl Authenticator {
    pub fn new() -> Authenticator {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Authenticator { pair, credential: u128::from(number()).to_be_bytes().to_vec() }
    }

    pub fn registered(&self, said: &Said) -> Value {
        self.registered_as(said, &self.cose())
    }

    /// With that COSE_Key.
    pub fn registered_as(&self, said: &Said, cose: &[u8]) -> Value {
        let length = u16::try_from(self.credential.len()).unwrap().to_be_bytes();
        let attested = [&[0; 16][..], &length, &self.credential, cose].concat();
        let data = match said.flags & ATTESTED {
            0 => [said.fixed(), said.extensions.clone()].concat(),
            _ => [said.fixed(), attested, said.extensions.clone()].concat(),
        };
        json!({
            "name": "phone",
            "client_data_json": URL_SAFE_NO_PAD.encode(said.client.to_string()),
            "attestation_object": URL_SAFE_NO_PAD.encode(object(&data)),
        })
    }

    pub fn asserted(&self, said: &Said, person: &str) -> Value {
        let data = [said.fixed(), said.extensions.clone()].concat();
        let client = said.client.to_string();
        let signed = [&data, digest(&SHA256, client.as_bytes()).as_ref()].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap();
        let person = wire::PersonId::parse(person).unwrap();
        json!({
            "id": URL_SAFE_NO_PAD.encode(&self.credential),
            "client_data_json": URL_SAFE_NO_PAD.encode(client),
            "authenticator_data": URL_SAFE_NO_PAD.encode(data),
            "signature": URL_SAFE_NO_PAD.encode(signature.as_ref()),
            "user_handle": URL_SAFE_NO_PAD.encode(person.0),
        })
    }

    pub fn cose(&self) -> Vec<u8> {
        let point = self.pair.public_key().as_ref();
        let head = [0xa5, 1, 2, 3, 0x26, 0x20, 1];
        [&head[..], &[0x21, 0x58, 32], &point[1..33], &[0x22, 0x58, 32], &point[33..]].concat()
    }
}

/// `{"fmt": "none", "attStmt": {}, "authData": data}`
pub fn object(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [&b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59"[..], &length, data].concat()
}

/// docs/spec/people.md §3.
pub fn challenge(purpose: &str, token: &str, device: &Public) -> Vec<u8> {
    let token = URL_SAFE_NO_PAD.decode(token).unwrap();
    let of = Transcript::new(domain::CEREMONY_CHALLENGE).field(purpose.as_bytes()).field(&token);
    let of = of.field(device.algorithm().name().as_bytes()).field(device.bytes());
    digest(&SHA256, &of.bytes()).as_ref().to_vec()
}
