//! Signed requests between us and two implementations that we did not write, in both directions: npm `http-message-signatures` and
//! its namesake of PyPI, which `make test-interop` fetches. Each answers all its cases in one run of its own.

use host::clock;
use host::signatures::{
    Algorithm, Authority, Nonces, Presented, PublicKey, Refused, Request, Room, Scheme, Signer, SigningKey,
    Stamp, sign,
};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use wire::UnixMillis;

const NONCE: &str = "wmzZ8rC7Sj2vN0bTqLxkYg";
const BODY: &str = r#"{"scope": ["balances"]}"#;

/// A peer's program, run in the folder that it was fetched into.
struct Peer(&'static [&'static str]);

const NPM: Peer = Peer(&["node", "peer.mjs"]);
const PYPI: Peer = Peer(&["python3", "peer.py"]);

impl Peer {
    fn ask(&self, jobs: &[Value]) -> Vec<Value> {
        let folder =
            PathBuf::from(std::env::var_os("TENSFER_SIGNATURES").expect("`make test-interop` names it"));
        let mut child = Command::new(self.0[0])
            .args(&self.0[1..])
            .current_dir(&folder)
            .env("PYTHONPATH", folder.join("python"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&serde_json::to_vec(jobs).unwrap()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answers.len(), jobs.len());
        answers
    }
}

/// Test keys of ours: the vectors'.
struct Key {
    keyid: String,
    signing: SigningKey,
    pkcs8: String,
}

impl Key {
    fn all() -> Vec<Key> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors/http-signatures/profile.json");
        let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let key = |(keyid, key): (&String, &Value)| {
            let named = |algorithm: &Algorithm| algorithm.name() == key["algorithm"];
            let algorithm = Algorithm::ALL.into_iter().find(named).unwrap();
            let pkcs8 = key["pkcs8"].as_str().unwrap().to_owned();
            let signing = SigningKey::from_pkcs8(algorithm, &unhex(&pkcs8)).unwrap();
            Key { keyid: keyid.clone(), signing, pkcs8 }
        };
        file["keys"].as_object().unwrap().iter().map(key).collect()
    }

    fn algorithm(&self) -> Algorithm {
        self.signing.algorithm()
    }

    fn public(&self) -> PublicKey {
        PublicKey::new(self.algorithm(), &self.signing.public()).unwrap()
    }

    /// SubjectPublicKeyInfo (RFC 5480, RFC 8410).
    fn spki(&self) -> String {
        let prefix = match self.algorithm() {
            Algorithm::Ed25519 => "302a300506032b6570032100",
            Algorithm::EcdsaP256Sha256 => "3059301306072a8648ce3d020106082a8648ce3d030107034200",
        };
        format!("{prefix}{}", hex(&self.signing.public()))
    }
}

/// What is asked, without a signature.
#[derive(Clone)]
struct Case {
    scheme: Scheme,
    method: &'static str,
    authority: &'static str,
    target: &'static str,
    fields: Vec<(String, String)>,
    body: &'static str,
    also: &'static [&'static str],
}

impl Case {
    fn all() -> Vec<Case> {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let get = Case {
            scheme: Scheme::Https,
            method: "GET",
            authority: "api.example.com",
            target: "/v1/keys",
            fields: vec![],
            body: "",
            also: &[],
        };
        let typed = vec![field("content-type", "application/json")];
        let key = vec![field("idempotency-key", " 7,  8 ")];
        vec![
            Case { target: "/v1/keys?after=%7Ea%2fb&limit=10&a=(!)*+;:@/?", ..get.clone() },
            Case { target: "/a%20b/%C3%A9/%2F/!$&'()*+,;=:@/", ..get.clone() },
            Case { target: "/", scheme: Scheme::Http, authority: "localhost:8080", ..get.clone() },
            Case { authority: "[::1]:8443", ..get.clone() },
            Case { fields: key, also: &["idempotency-key", "@target-uri"], ..get.clone() },
            Case { method: "POST", fields: typed, body: BODY, ..get.clone() },
            get,
        ]
    }

    fn request(&self) -> Result<Request<'_>, Refused> {
        let fields = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        Request::new(self.scheme, self.method, self.authority, self.target, fields)
    }

    fn signed(mut self, key: &Key, now: UnixMillis) -> Case {
        let signer = Signer { key: &key.signing, keyid: &key.keyid };
        let stamp = Stamp { created: now, lifetime: 120, nonce: NONCE };
        let fields = sign(&self.request().unwrap(), self.body.as_bytes(), self.also, signer, stamp).unwrap();
        self.fields.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
        self
    }

    fn verify(&self, key: &Key, now: UnixMillis) -> Result<(), Refused> {
        let here = [Authority::parse(self.scheme, self.authority)?];
        let mut nonces = Nonces::starting(UnixMillis(0), Room { of_all: 2, of_one: 1 });
        let request = self.request()?;
        let presented = Presented::read(&request, &here)?;
        assert_eq!(presented.claimed_keyid(), key.keyid);
        let signed = presented.signed_by(Some(&key.public()), now)?.once(&mut nonces, now)?;
        signed.with_body(self.body.as_bytes()).map(|_| ())
    }

    fn to_verify(&self, key: &Key) -> Value {
        let mut job = self.job("verify", key);
        job["key"] = json!(key.spki());
        job
    }

    fn to_sign(&self, key: &Key, now: UnixMillis) -> Value {
        let always = ["@method", "@authority", "@path", "@query"];
        let of_body: &[&str] = if self.body.is_empty() { &[] } else { &["content-type", "content-digest"] };
        let covered: Vec<&str> = always.iter().chain(of_body).chain(self.also).copied().collect();
        let created = now.0 / 1000;
        let mut job = self.job("sign", key);
        for (name, value) in [
            ("key", json!(key.pkcs8)),
            ("covered", json!(covered)),
            ("created", json!(created)),
            ("expires", json!(created + 120)),
            ("nonce", json!(NONCE)),
            ("tag", json!("tensfer")),
        ] {
            job[name] = value;
        }
        job
    }

    fn job(&self, what: &str, key: &Key) -> Value {
        let headers: Map<String, Value> =
            self.fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let url = format!("{}://{}{}", self.scheme.as_str(), self.authority, self.target);
        json!({
            "do": what, "algorithm": key.algorithm().name(), "keyid": key.keyid, "method": self.method, "url": url,
            "headers": headers, "body": hex(self.body.as_bytes()),
        })
    }
}

/// Every case, by every key.
fn pairs(keys: &[Key]) -> Vec<(Case, &Key)> {
    Case::all().into_iter().flat_map(|case| keys.iter().map(move |key| (case.clone(), key))).collect()
}

fn verifies_what_we_sign(peer: &Peer) {
    let (keys, now) = (Key::all(), clock::now());
    let good: Vec<Value> =
        pairs(&keys).into_iter().map(|(case, key)| case.signed(key, now).to_verify(key)).collect();
    // That it says no as well: another method.
    let altered = good.iter().cloned().map(|mut job| {
        job["method"] = json!("DELETE");
        job
    });
    let jobs: Vec<Value> = good.iter().cloned().chain(altered).collect();
    for (at, (job, answer)) in jobs.iter().zip(peer.ask(&jobs)).enumerate() {
        assert_eq!(answer["verified"], json!(at < good.len()), "{job:#} {answer:#}");
    }
}

fn signs_what_we_verify(peer: &Peer) {
    let (keys, now) = (Key::all(), clock::now());
    let pairs = pairs(&keys);
    let jobs: Vec<Value> = pairs.iter().map(|(case, key)| case.to_sign(key, now)).collect();
    for ((case, key), answer) in pairs.into_iter().zip(peer.ask(&jobs)) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let headers = answer["headers"].as_object().unwrap();
        let fields = headers.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let signed = Case { fields, ..case };
        assert_eq!(signed.verify(key, now), Ok(()), "{answer:#}");
        let altered = Case { method: "DELETE", ..signed };
        assert_eq!(altered.verify(key, now), Err(Refused::NotSigned));
    }
}

#[test]
fn npm_verifies_what_we_sign() {
    verifies_what_we_sign(&NPM);
}

#[test]
fn npm_signs_what_we_verify() {
    signs_what_we_verify(&NPM);
}

#[test]
fn pypi_verifies_what_we_sign() {
    verifies_what_we_sign(&PYPI);
}

#[test]
fn pypi_signs_what_we_verify() {
    signs_what_we_verify(&PYPI);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
