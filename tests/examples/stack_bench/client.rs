//! The client's half, without files: a verified enclave, requests sealed to it, replies opened and checked.

use crate::owner::Owner;
use aws_lc_rs::digest::{SHA256, SHA384, digest};
use aws_lc_rs::rand;
use minicbor::bytes::ByteSlice;
use stack::Stack;
use std::time::{SystemTime, UNIX_EPOCH};
use verify::measurement::{Name, Policy, Registers};
use verify::ohttp::ReplyOpener;
use verify::receipt::About;
use verify::{Expect, Root, Verdict, Verified, bhttp, receipt};
use wire::identity::WIRE_VERSION;
use wire::operation::Op;
use wire::request::{Authorised, MAX_VALIDITY_MS, SignedRequest};
use wire::{Canonical, Refusal, UnixMillis};

const MEDIA: &str = "message/ohttp-req";
/// PCR1 and PCR2 of a simulated enclave are the SHA-384 of this.
const SIMULATION_MARK: &[u8] = b"DEVELOPMENT - NOT A TEE";

/// An enclave that was verified just now.
pub struct Enclave {
    verified: Verified<verify::client::Simulated>,
    /// The gateway's `localhost:PORT`.
    host: String,
}

/// A request on its way.
pub struct Sent {
    op: Op,
    /// The signed request's bytes.
    request: Vec<u8>,
    /// The whole HTTP request.
    pub bytes: Vec<u8>,
    opener: ReplyOpener,
}

impl Enclave {
    /// Asks for evidence over a fresh nonce and verifies it.
    pub fn verify(stack: &Stack) -> Enclave {
        let nonce: [u8; 32] = random();
        let hex: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        let response = stack::http::get(&format!("{}/v1/attestation?nonce={hex}", stack.url()));
        assert_eq!(response.status, 200, "{}", response.text());
        let root = std::fs::read(stack.simulation_root()).expect("`up` wrote its simulation root");
        let outcome = verify::client::check(&response.body, &nonce, &expect(&root), now());
        match outcome.verdict {
            Ok(Verdict::Simulated(verified)) => {
                Enclave { verified, host: format!("localhost:{}", stack.port()) }
            }
            other => panic!("not a simulated enclave: {other:?}"),
        }
    }

    /// Signs `op` with the owner's keys (the second one only where it is linked) and seals it.
    pub fn seal(&self, owner: &Owner, op: Op, args: &[u8]) -> Sent {
        let sealer = self.verified.sealer(now()).expect("the verification is fresh");
        let issued = now();
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
        }
        .to_bytes();
        let signatures = owner.sign(op, &request);
        let signatures: Vec<&ByteSlice> = signatures.iter().map(|one| one.as_slice().into()).collect();
        let authorised = Authorised { request: request.as_slice().into(), signatures }.to_bytes();
        let message = bhttp::Request::post("/v1/operation", authorised.into());
        let message = message.to_padded_bytes().expect("a small message");
        let (sealed, opener) = sealer.seal(&message).expect("a small message");
        let bytes =
            crate::http::request("POST", "/v1/requests", &self.host, &[("content-type", MEDIA)], &sealed);
        Sent { op, request, bytes, opener }
    }

    /// Opens the reply and checks its receipt; the result's bytes.
    pub fn open(&self, owner: &mut Owner, sent: &Sent, response: &crate::http::Response) -> Vec<u8> {
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
        let reply =
            verify::client::open_reply(&sent.opener, &response.body).expect("a reply to this request");
        let about = About {
            op: sent.op,
            connection: Some(owner.connection),
            request: &sent.request,
            reply: &reply,
            grant: None,
            last: owner.last,
        };
        let checked = receipt::check(self.verified.identity(), &about).expect("a receipt of this enclave");
        owner.last = checked.last;
        reply.result.unwrap_or_else(|| panic!("{} was refused: {:?}", sent.op.name(), reply.refusal))
    }

    /// Opens a reply that should be a refusal.
    pub fn refusal(&self, sent: &Sent, response: &crate::http::Response) -> Option<Refusal> {
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
        verify::client::open_reply(&sent.opener, &response.body).expect("a reply to this request").refusal
    }
}

fn expect(root: &[u8]) -> Expect {
    let mut mark = [0; 48];
    mark.copy_from_slice(digest(&SHA384, SIMULATION_MARK).as_ref());
    let marked =
        Registers::new().with(Name::Pcr(1), mark).and_then(|registers| registers.with(Name::Pcr(2), mark));
    let mut expect = Expect::new(Policy::new().or(marked.expect("two registers")));
    expect.dangerous_simulated = Some(Root::dangerous_from_der(root).expect("a certificate"));
    expect
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the kernel has entropy");
    bytes
}

pub fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    UnixMillis(u64::try_from(since.as_millis()).expect("a clock before the year 500,000,000"))
}
