//! Owners with one linked account each, and what they ask at once.

use crate::account::Account;
use crate::client::{Enclave, random, sha256};
use crate::http::{Http, Response, connect};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use verify::receipt::Last;
use wire::balance::{Holdings, Status};
use wire::cose::{self, Protected, Sign1};
use wire::operation::{Balances, Link, Linked, Nothing, Op};
use wire::owner::{OwnerAlgorithm, OwnerKey, OwnerRole};
use wire::transcript::domain;
use wire::{Canonical, ConnectionId, OrganisationId};

/// A person with a device key, a second key and one account.
pub struct Owner {
    pub account: Account,
    pub connection: ConnectionId,
    pub share: [u8; 32],
    pub envelope: Option<Vec<u8>>,
    pub last: Option<Last>,
    keys: [Key; 2],
}

struct Key {
    pair: Ed25519KeyPair,
    public: OwnerKey,
}

impl Owner {
    pub fn new(account: Account) -> Owner {
        Owner {
            account,
            connection: ConnectionId(random()),
            share: random(),
            envelope: None,
            last: None,
            keys: [Key::make(OwnerRole::Device), Key::make(OwnerRole::Second)],
        }
    }

    /// In `link` each key proves possession; everything else here is the device's alone.
    pub fn sign(&self, op: Op, request: &[u8]) -> Vec<Vec<u8>> {
        let signers = if op == Op::Link { &self.keys[..] } else { &self.keys[..1] };
        signers.iter().map(|key| key.sign(request)).collect()
    }

    fn link(&self) -> Vec<u8> {
        Link {
            exchange: "kraken",
            credential: self.account.credential.as_bytes().into(),
            owners: self.keys.iter().map(|key| key.public.clone()).collect(),
            organisation: OrganisationId([1; 16]),
            connection: self.connection,
            class: wire::consent::Class::Any,
        }
        .to_bytes()
    }
}

impl Key {
    fn make(role: OwnerRole) -> Key {
        let pair = Ed25519KeyPair::generate().expect("the kernel has entropy");
        let public = pair.public_key().as_ref().to_vec();
        Key { pair, public: OwnerKey::new(OwnerAlgorithm::EdDsa, public, role) }
    }

    fn sign(&self, request: &[u8]) -> Vec<u8> {
        let key = sha256(&self.public.transcript());
        let protected = Protected { algorithm: cose::EDDSA, key }.to_bytes();
        let signature = self.pair.sign(&cose::to_be_signed(&protected, domain::OWNER_REQUEST, request));
        Sign1 { protected: &protected, payload: None, signature: signature.as_ref() }.to_bytes()
    }
}

/// Every owner links its account and stores the envelope, all at once.
pub fn link_all(enclave: &Enclave, port: u16, owners: &mut [Owner]) {
    let mut lines = lines(port, owners.len());
    let (_, linked) = ask_all(enclave, &mut lines, owners, Op::Link, Owner::link);
    for (owner, result) in owners.iter_mut().zip(linked) {
        owner.envelope = Some(Linked::from_bytes(&result).expect("an envelope").envelope);
    }
    ask_all(enclave, &mut lines, owners, Op::Acknowledge, |_| Nothing {}.to_bytes());
}

/// Every owner asks for its balances at once. Returns the time from the first byte sent to the last one received.
pub fn balances_of_all(enclave: &Enclave, lines: &mut [Http<TcpStream>], owners: &mut [Owner]) -> Duration {
    let (took, results) = ask_all(enclave, lines, owners, Op::Balances, |_| balances());
    for (owner, result) in owners.iter().zip(&results) {
        check_holdings(owner, result);
    }
    took
}

/// Arguments of `balances`.
pub fn balances() -> Vec<u8> {
    Balances { currency: "EUR".to_owned() }.to_bytes()
}

/// A connection to the gateway for each of so many owners.
pub fn lines(port: u16, count: usize) -> Vec<Http<TcpStream>> {
    (0..count).map(|_| Http::new(connect(port))).collect()
}

/// Answers are read in order, which costs no time: the kernel keeps those that come early.
fn ask_all(
    enclave: &Enclave,
    lines: &mut [Http<TcpStream>],
    owners: &mut [Owner],
    op: Op,
    args: impl Fn(&Owner) -> Vec<u8>,
) -> (Duration, Vec<Vec<u8>>) {
    let sent: Vec<_> = owners.iter().map(|owner| enclave.seal(owner, op, &args(owner))).collect();
    let start = Instant::now();
    lines.iter_mut().zip(&sent).for_each(|(line, sent)| line.send(&sent.bytes));
    let responses: Vec<Response> = lines.iter_mut().map(Http::receive).collect();
    let took = start.elapsed();
    let opened = owners.iter_mut().zip(&sent).zip(&responses);
    (took, opened.map(|((owner, sent), response)| enclave.open(owner, sent, response)).collect())
}

/// Everything came, and it is this owner's own.
pub fn check_holdings(owner: &Owner, result: &[u8]) {
    let holdings = Holdings::from_bytes(result).expect("holdings");
    let complete = holdings.sources.iter().filter(|source| source.status != Status::Unsupported);
    assert!(complete.clone().count() > 0, "{holdings:?}");
    assert!(complete.clone().all(|source| source.status == Status::Complete), "{:?}", holdings.sources);
    let assets = || holdings.accounts.iter().flat_map(|account| &account.assets);
    for (asset, total) in &owner.account.totals {
        let found = assets().find(|held| held.symbol == *asset).map(|held| held.total.as_str());
        assert_eq!(found, Some(total.as_str()), "{asset}");
    }
}
