//! The client's half without files: a verified enclave, requests of one owner, replies opened and checked.

use crate::authenticator::Authenticator;
use aws_lc_rs::digest::{SHA256, SHA384, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use minicbor::bytes::ByteSlice;
use stack::{Stack, http};
use std::time::{SystemTime, UNIX_EPOCH};
use verify::client::Simulated;
use verify::measurement::{Name, Policy, Registers};
use verify::ohttp::ReplyOpener;
use verify::receipt::{About, Last};
use verify::{Expect, Root, Verdict, Verified, bhttp, receipt};
use wire::cose::{self, Protected, Sign1};
use wire::identity::WIRE_VERSION;
use wire::operation::Op;
use wire::owner::{OwnerAlgorithm, OwnerKey, OwnerRole};
use wire::request::{Authorised, MAX_VALIDITY_MS, SignedRequest};
use wire::transcript::domain;
use wire::{Canonical, ConnectionId, Identity, Refusal, UnixMillis};

/// PCR1 and PCR2 of a simulated enclave are the SHA-384 of this.
const SIMULATION_MARK: &[u8] = b"DEVELOPMENT - NOT A TEE";

/// A device key, a passkey, and one connection.
pub struct Owner {
    pub passkey: Authenticator,
    pub connection: ConnectionId,
    pub envelope: Option<Vec<u8>>,
    share: [u8; 32],
    last: Option<Last>,
    device: Ed25519KeyPair,
}

impl Owner {
    pub fn new(passkey: Authenticator) -> Owner {
        Owner {
            passkey,
            connection: ConnectionId(random()),
            envelope: None,
            share: random(),
            last: None,
            device: Ed25519KeyPair::generate().unwrap(),
        }
    }

    pub fn keys(&self) -> Vec<OwnerKey> {
        vec![self.device(), self.passkey.key.clone()]
    }

    fn device(&self) -> OwnerKey {
        let public = self.device.public_key().as_ref().to_vec();
        OwnerKey::new(OwnerAlgorithm::EdDsa, public, OwnerRole::Device)
    }

    fn sign_by_device(&self, request: &[u8]) -> Vec<u8> {
        let key = sha256(&self.device().transcript());
        let protected = Protected { algorithm: cose::EDDSA, key }.to_bytes();
        let signature = self.device.sign(&cose::to_be_signed(&protected, domain::OWNER_REQUEST, request));
        Sign1 { protected: &protected, payload: None, signature: signature.as_ref() }.to_bytes()
    }
}

/// A request on its way, which can be delivered more than once.
pub struct Sent {
    op: Op,
    request: Vec<u8>,
    pub signatures: Vec<Vec<u8>>,
    bytes: Vec<u8>,
    opener: ReplyOpener,
}

/// An enclave that was verified just now.
pub struct Enclave {
    verified: Verified<Simulated>,
    url: String,
}

impl Enclave {
    /// Asks for evidence over a fresh nonce and verifies it.
    pub fn verify(stack: &Stack) -> Enclave {
        let nonce: [u8; 32] = random();
        let hex: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        let response = http::get(&format!("{}/v1/attestation?nonce={hex}", stack.url()));
        let root = std::fs::read(stack.simulation_root()).unwrap();
        match verify::client::check(&response.body, &nonce, &expect(&root), now()).verdict {
            Ok(Verdict::Simulated(verified)) => Enclave { verified, url: stack.url().to_owned() },
            other => panic!("not a simulated enclave: {other:?}"),
        }
    }

    pub fn identity(&self) -> Identity {
        self.verified.identity().clone()
    }

    /// By the device's key alone.
    pub fn ask(&self, owner: &mut Owner, op: Op, args: &[u8]) -> Result<Vec<u8>, Refusal> {
        let sent = self.seal(owner, op, args, false);
        self.deliver(owner, &sent)
    }

    pub fn ask_by_both(&self, owner: &mut Owner, op: Op, args: &[u8]) -> Result<Vec<u8>, Refusal> {
        let sent = self.seal(owner, op, args, true);
        self.deliver(owner, &sent)
    }

    pub fn seal(&self, owner: &mut Owner, op: Op, args: &[u8], is_by_both: bool) -> Sent {
        let (request, sealer) = self.request(owner, op, args);
        let mut signatures = vec![owner.sign_by_device(&request)];
        signatures.extend(is_by_both.then(|| owner.passkey.sign(&request)));
        sealed(sealer, op, request, signatures)
    }

    /// With whatever signatures `signing` makes of the device's.
    pub fn seal_by(
        &self,
        owner: &Owner,
        op: Op,
        args: &[u8],
        signing: impl FnOnce(Vec<u8>) -> Vec<Vec<u8>>,
    ) -> Sent {
        let (request, sealer) = self.request(owner, op, args);
        let signatures = signing(owner.sign_by_device(&request));
        sealed(sealer, op, request, signatures)
    }

    fn request(&self, owner: &Owner, op: Op, args: &[u8]) -> (Vec<u8>, verify::ohttp::Sealer) {
        let (sealer, issued) = (self.verified.sealer(now()).unwrap(), now());
        let request = SignedRequest {
            version: WIRE_VERSION,
            op,
            args: args.into(),
            envelope: owner.envelope.as_deref().map(Into::into),
            share: Some(owner.share.as_slice().into()),
            nonce: random(),
            issued,
            expires: issued.plus(MAX_VALIDITY_MS),
            identity: self.verified.identity_hash(),
            key: sealer.key_id(),
            encapsulated: sealer.encapsulated_key_hash(),
            last_counter: owner.last.map_or(0, |last| last.counter),
            last_receipt: owner.last.map(|last| last.hash),
            grant: None,
        };
        (request.to_bytes(), sealer)
    }

    /// Sends it, opens the reply and checks its receipt.
    pub fn deliver(&self, owner: &mut Owner, sent: &Sent) -> Result<Vec<u8>, Refusal> {
        let response = http::post(&format!("{}/v1/requests", self.url), "message/ohttp-req", &sent.bytes);
        assert_eq!(response.status, 200, "{}", response.text());
        let reply = verify::client::open_reply(&sent.opener, &response.body).unwrap();
        let about = About {
            op: sent.op,
            connection: Some(owner.connection),
            request: &sent.request,
            reply: &reply,
            grant: None,
            last: owner.last,
        };
        let checked = receipt::check(self.verified.identity(), &about).unwrap();
        owner.last = checked.last;
        reply.result.ok_or_else(|| reply.refusal.unwrap())
    }
}

fn sealed(sealer: verify::ohttp::Sealer, op: Op, request: Vec<u8>, signatures: Vec<Vec<u8>>) -> Sent {
    let borrowed: Vec<&ByteSlice> = signatures.iter().map(|one| one.as_slice().into()).collect();
    let authorised = Authorised { request: request.as_slice().into(), signatures: borrowed }.to_bytes();
    let message = bhttp::Request::post("/v1/operation", authorised.into()).to_padded_bytes().unwrap();
    let (bytes, opener) = sealer.seal(&message).unwrap();
    Sent { op, request, signatures, bytes, opener }
}

fn expect(root: &[u8]) -> Expect {
    let mut mark = [0; 48];
    mark.copy_from_slice(digest(&SHA384, SIMULATION_MARK).as_ref());
    let marked =
        Registers::new().with(Name::Pcr(1), mark).and_then(|registers| registers.with(Name::Pcr(2), mark));
    let mut expect = Expect::new(Policy::new().or(marked.unwrap()));
    expect.dangerous_simulated = Some(Root::dangerous_from_der(root).unwrap());
    expect
}

fn now() -> UnixMillis {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    UnixMillis(u64::try_from(millis).unwrap())
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap()
}
