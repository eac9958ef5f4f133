//! The client's half: a request that can be wrong in every part, sealing it, and opening what comes back.

use super::machine::{Answer, Machine, NOW};
use super::owner::Key;
use super::passkey;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::fill;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use minicbor::bytes::ByteSlice;
use verify::bhttp::{Request, Response};
use verify::hpke::PublicKey;
use verify::ohttp::{ReplyOpener, Sealer};
use wire::cose::{self, Protected, Sign1};
use wire::identity::HpkeKey;
use wire::operation::Op;
use wire::receipt::Receipt;
use wire::reply::Reply;
use wire::request::{Authorised, SignedRequest};
use wire::transcript::domain;
use wire::{Canonical, Refusal, UnixMillis};
use zeroize::Zeroizing;

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap()
}

/// A request before it is signed and sealed. Every part can be made wrong.
#[derive(Clone)]
pub struct Draft {
    pub version: u8,
    pub op: Op,
    pub args: Vec<u8>,
    pub envelope: Option<Vec<u8>>,
    pub share: Option<Vec<u8>>,
    pub nonce: [u8; 16],
    pub issued: UnixMillis,
    pub expires: UnixMillis,
    pub last: (u64, Option<[u8; 32]>),
    /// Its holder asks, and not the owner.
    pub grant: Option<Vec<u8>>,
    /// What the signed request says it was sealed to, where that is not the truth.
    pub identity: [u8; 32],
    pub key: Option<u8>,
    pub encapsulated: Option<[u8; 32]>,
    /// What it is sealed to.
    pub recipient: HpkeKey,
    pub path: &'static str,
}

/// A sealed request, and what only its sender can do with the answer.
pub struct Sealed {
    pub bytes: Vec<u8>,
    /// The signed request's bytes.
    pub signed: Vec<u8>,
    pub request: [u8; 32],
    opener: ReplyOpener,
}

/// What the enclave said, after every check that a client makes.
#[derive(Debug)]
pub struct Outcome {
    pub reply: Reply,
    pub result: Result<Vec<u8>, Refusal>,
    pub receipt: Receipt,
    pub padded_bytes: usize,
}

impl Draft {
    /// The same request, issued now, where time has passed since the enclave's start.
    pub fn now(mut self, machine: &Machine) -> Draft {
        self.issued = NOW.plus(machine.monotonic);
        self.expires = self.issued.plus(60_000);
        self
    }

    pub fn new(machine: &Machine, op: Op, args: Vec<u8>) -> Draft {
        let (bytes, identity) = machine.identity();
        let mut nonce = [0; 16];
        fill(&mut nonce).unwrap();
        Draft {
            version: 1,
            op,
            args,
            envelope: None,
            share: None,
            nonce,
            issued: NOW,
            expires: NOW.plus(60_000),
            last: (0, None),
            grant: None,
            identity: sha256(&bytes),
            key: None,
            encapsulated: None,
            recipient: identity.hpke_keys[0].clone(),
            path: "/v1/operation",
        }
    }

    /// Signs by the keys and seals.
    pub fn seal(&self, by: &[&Key]) -> Sealed {
        self.seal_signing(|request| by.iter().map(|key| sign(key, request)).collect())
    }

    /// Seals with whatever signatures `signing` makes of the request's bytes.
    pub fn seal_signing(&self, signing: impl FnOnce(&[u8]) -> Vec<Vec<u8>>) -> Sealed {
        let public = PublicKey::parse(self.recipient.suite, &self.recipient.public).unwrap();
        let sealer = Sealer::dangerous_unverified(self.recipient.id, &public).unwrap();
        let request = self.signed_request(sealer.encapsulated_key_hash());
        let signatures = signing(&request);
        Draft::seal_by(sealer, self.path, &request, &signatures)
    }

    /// Seals bytes that someone else signed.
    pub fn seal_message(&self, request: &[u8], signatures: Vec<Vec<u8>>) -> Sealed {
        let public = PublicKey::parse(self.recipient.suite, &self.recipient.public).unwrap();
        let sealer = Sealer::dangerous_unverified(self.recipient.id, &public).unwrap();
        Draft::seal_by(sealer, self.path, request, &signatures)
    }

    fn seal_by(sealer: Sealer, path: &str, request: &[u8], signatures: &[Vec<u8>]) -> Sealed {
        let signatures: Vec<&ByteSlice> = signatures.iter().map(|s| s.as_slice().into()).collect();
        let message = Authorised { request: request.into(), signatures }.to_bytes();
        let message = Request::post(path, Zeroizing::new(message)).to_padded_bytes().unwrap();
        let (bytes, opener) = sealer.seal(&message).unwrap();
        Sealed { bytes, signed: request.to_vec(), request: sha256(request), opener }
    }

    fn signed_request(&self, encapsulated: [u8; 32]) -> Vec<u8> {
        let bytes = |bytes: &'_ Option<Vec<u8>>| bytes.clone().unwrap_or_default();
        let (envelope, share) = (bytes(&self.envelope), bytes(&self.share));
        SignedRequest {
            version: self.version,
            op: self.op,
            args: self.args.as_slice().into(),
            envelope: self.envelope.is_some().then(|| envelope.as_slice().into()),
            share: self.share.is_some().then(|| share.as_slice().into()),
            nonce: self.nonce,
            issued: self.issued,
            expires: self.expires,
            identity: self.identity,
            key: self.key.unwrap_or(self.recipient.id),
            encapsulated: self.encapsulated.unwrap_or(encapsulated),
            last_counter: self.last.0,
            last_receipt: self.last.1,
            grant: self.grant.as_deref().map(Into::into),
        }
        .to_bytes()
    }
}

/// The word of an owner's key for a request: a COSE_Sign1, or of a passkey an assertion.
pub fn sign(key: &Key, request: &[u8]) -> Vec<u8> {
    if key.public.passkey.is_some() { passkey::assertion(key, request) } else { key.sign1(request) }
}

impl Key {
    /// A COSE_Sign1 over a request.
    pub fn sign1(&self, request: &[u8]) -> Vec<u8> {
        self.sign1_under(domain::OWNER_REQUEST, request)
    }

    /// The same for another purpose.
    pub fn sign1_under(&self, domain: &str, request: &[u8]) -> Vec<u8> {
        let protected = Protected { algorithm: self.algorithm(), key: self.id() }.to_bytes();
        let signature = self.sign(&cose::to_be_signed(&protected, domain, request));
        Sign1 { protected: &protected, payload: None, signature: &signature }.to_bytes()
    }
}

impl Sealed {
    /// Opens a sealed reply and checks its receipt against the enclave's published key.
    pub fn open(&self, answer: Answer, machine: &Machine) -> Outcome {
        let Answer::Reply(body) = answer else { panic!("no sealed reply: {answer:?}") };
        let plaintext = self.opener.open(&body).expect("only the sender opens the reply");
        let response = Response::from_bytes(&plaintext).unwrap();
        assert_eq!(response.status, 200, "refusals look like results");
        let reply = Reply::from_bytes(&response.content).unwrap();
        let receipt = check_receipt(&reply.receipt, &machine.identity().1.receipt_key);
        assert_eq!(receipt.request, self.request, "the receipt is for this request");
        assert_eq!(receipt.refusal, reply.refusal);
        assert_eq!(receipt.result, reply.result.as_ref().map(|result| sha256(result)));
        let result = match (reply.result.clone(), reply.refusal) {
            (Some(result), None) => Ok(result),
            (None, Some(refusal)) => Err(refusal),
            both => panic!("neither result nor refusal, or both: {both:?}"),
        };
        Outcome { reply, result, receipt, padded_bytes: plaintext.len() }
    }

    pub fn opens(&self, body: &[u8]) -> bool {
        self.opener.open(body).is_ok()
    }
}

fn check_receipt(bytes: &[u8], key: &[u8; 32]) -> Receipt {
    let sign1 = Sign1::from_bytes(bytes).unwrap();
    let protected = sign1.protected().unwrap();
    assert_eq!(protected, Protected { algorithm: cose::EDDSA, key: sha256(key) });
    let payload = sign1.payload.unwrap();
    let signed = cose::to_be_signed(sign1.protected, domain::RECEIPT, payload);
    UnparsedPublicKey::new(&ED25519, key).verify(&signed, sign1.signature).unwrap();
    Receipt::from_bytes(payload).unwrap()
}
