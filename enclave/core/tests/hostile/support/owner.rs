//! Owner keys, and envelopes made without a provider.

use super::machine::{Answer, Machine, NOW};
use super::{Draft, Exchange, sha256};
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use enclave::envelope::{Contents, Share, Subject, seal};
use enclave::root::Roots;
use wire::capability::Finding;
use wire::consent::Class;
use wire::cose;
use wire::envelope::Purpose;
use wire::operation::{Balances, Link, Nothing, Op};
use wire::owner::{OwnerAlgorithm, OwnerKey, OwnerRole};
use wire::{Canonical, ConnectionId, OrganisationId, Refusal};

/// A credential for one kraken account. Every [`Owner`] has an account of their own.
pub const CREDENTIAL: &[u8] = br#"{"apiKey":"marked-key","secret":"bWFya2VkLXNlY3JldA=="}"#;

/// A key of an owner.
pub struct Key {
    pair: Pair,
    pub public: OwnerKey,
}

enum Pair {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    /// Signs in DER.
    Der(EcdsaKeyPair),
}

impl Key {
    pub fn eddsa(role: OwnerRole) -> Key {
        let pair = Ed25519KeyPair::generate().unwrap();
        let public = pair.public_key().as_ref().to_vec();
        Key { pair: Pair::EdDsa(pair), public: OwnerKey::new(OwnerAlgorithm::EdDsa, public, role) }
    }

    pub fn es256(role: OwnerRole) -> Key {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let public = pair.public_key().as_ref().to_vec();
        Key { pair: Pair::Es256(pair), public: OwnerKey::new(OwnerAlgorithm::Es256, public, role) }
    }

    /// A P-256 key as authenticators have them.
    pub fn der(role: OwnerRole) -> Key {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let public = pair.public_key().as_ref().to_vec();
        Key { pair: Pair::Der(pair), public: OwnerKey::new(OwnerAlgorithm::Es256, public, role) }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Es256(pair) | Pair::Der(pair) => {
                pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
            }
        }
    }

    /// Its COSE number.
    pub fn algorithm(&self) -> i8 {
        match self.pair {
            Pair::EdDsa(_) => cose::EDDSA,
            Pair::Es256(_) | Pair::Der(_) => cose::ES256,
        }
    }

    pub fn id(&self) -> [u8; 32] {
        sha256(&self.public.transcript())
    }
}

/// An owner: a device key, a second key kept apart, and what they hold of one connection.
pub struct Owner {
    pub device: Key,
    pub second: Key,
    pub connection: ConnectionId,
    pub organisation: OrganisationId,
    pub class: Class,
    pub share: [u8; 32],
    pub credential: Vec<u8>,
    pub envelope: Vec<u8>,
    pub last: (u64, Option<[u8; 32]>),
}

impl Owner {
    /// An owner of Ed25519 keys with an envelope of generation 1 under the shared test roots.
    pub fn eddsa() -> Owner {
        Owner::with(Key::eddsa(OwnerRole::Device), Key::eddsa(OwnerRole::Second))
    }

    /// The same with P-256 keys, as browsers have them.
    pub fn es256() -> Owner {
        Owner::with(Key::es256(OwnerRole::Device), Key::es256(OwnerRole::Second))
    }

    /// The same with a passkey as the second factor.
    pub fn with_passkey() -> Owner {
        Owner::with_second(Key::passkey())
    }

    pub fn with_second(second: Key) -> Owner {
        Owner::with(Key::es256(OwnerRole::Device), second)
    }

    fn with(device: Key, second: Key) -> Owner {
        let (mut connection, mut share) = ([0; 16], [0; 32]);
        fill(&mut connection).unwrap();
        fill(&mut share).unwrap();
        let mut owner = Owner {
            device,
            second,
            connection: ConnectionId(connection),
            organisation: OrganisationId([3; 16]),
            class: Class::Any,
            share,
            credential: format!(
                r#"{{"apiKey":"marked-key-{}","secret":"bWFya2VkLXNlY3JldA=="}}"#,
                hex(&connection)
            )
            .into_bytes(),
            envelope: Vec::new(),
            last: (0, None),
        };
        owner.envelope = envelope_of(&owner, &super::roots(1));
        owner
    }

    /// An owner with an envelope of this class, under the first root of it.
    pub fn of_class(class: Class) -> Owner {
        let mut owner = Owner::eddsa();
        owner.class = class;
        owner.envelope = envelope_of(&owner, &super::machine::roots_of_all());
        owner
    }

    pub fn keys(&self) -> Vec<OwnerKey> {
        vec![self.device.public.clone(), self.second.public.clone()]
    }

    /// A request for this enclave on this owner's envelope, as their client makes it.
    pub fn draft(&self, machine: &Machine, op: Op) -> Draft {
        let mut draft = Draft::new(machine, op, Nothing {}.to_bytes());
        draft.envelope = Some(self.envelope.clone());
        draft.share = Some(self.share.to_vec());
        draft.last = self.last;
        draft
    }

    /// Signs by these keys, seals, delivers, opens, and keeps the receipt.
    pub fn ask_by(&mut self, machine: &mut Machine, draft: &Draft, by: &[&Key]) -> Result<Vec<u8>, Refusal> {
        let sealed = draft.seal(by);
        let answer = machine.request(&sealed.bytes);
        let outcome = sealed.open(answer, machine);
        self.note(&outcome.receipt);
        outcome.result
    }

    /// By the device key alone.
    pub fn ask(&mut self, machine: &mut Machine, op: Op) -> Result<Vec<u8>, Refusal> {
        let draft = self.draft(machine, op);
        self.ask_draft(machine, &draft)
    }

    pub fn ask_draft(&mut self, machine: &mut Machine, draft: &Draft) -> Result<Vec<u8>, Refusal> {
        let sealed = draft.seal(&[&self.device]);
        let answer = machine.request(&sealed.bytes);
        let outcome = sealed.open(answer, machine);
        self.note(&outcome.receipt);
        outcome.result
    }

    /// A request to link this owner's credential.
    pub fn link_draft(&self, machine: &Machine, exchange: &str, credential: &[u8]) -> Draft {
        let link = Link {
            exchange,
            credential: credential.into(),
            owners: self.keys(),
            organisation: self.organisation,
            connection: self.connection,
            class: self.class,
        };
        let mut draft = Draft::new(machine, Op::Link, link.to_bytes());
        draft.share = Some(self.share.to_vec());
        draft.last = self.last;
        draft
    }

    /// A request for what this owner has.
    pub fn balances_draft(&self, machine: &Machine, currency: &str) -> Draft {
        let mut draft = self.draft(machine, Op::Balances);
        draft.args = Balances { currency: currency.into() }.to_bytes();
        draft
    }

    /// By as many factors as it takes; its provider answers meanwhile.
    pub fn ask_over(
        &mut self,
        machine: &mut Machine,
        exchange: &mut Exchange,
        draft: &Draft,
    ) -> Result<Vec<u8>, Refusal> {
        let is_both = matches!(draft.op, Op::Link | Op::Act | Op::Begin);
        let by: Vec<&Key> = if is_both { vec![&self.device, &self.second] } else { vec![&self.device] };
        let sealed = draft.seal(&by);
        let stream = machine.begin(&sealed.bytes);
        exchange.run(machine);
        let mut answer = machine.answer(stream);
        if matches!(answer, Answer::Nothing) {
            exchange.run_for(machine, 90_000);
            answer = machine.answer(stream);
        }
        let outcome = sealed.open(answer, machine);
        self.note(&outcome.receipt);
        outcome.result
    }

    /// By both factors.
    pub fn ask_twice_signed(&mut self, machine: &mut Machine, draft: &Draft) -> Result<Vec<u8>, Refusal> {
        let sealed = draft.seal(&[&self.device, &self.second]);
        let answer = machine.request(&sealed.bytes);
        let outcome = sealed.open(answer, machine);
        self.note(&outcome.receipt);
        outcome.result
    }

    /// Keeps the receipt, if it is of a chain.
    pub fn note(&mut self, receipt: &wire::receipt::Receipt) {
        if receipt.connection.is_some() {
            self.last = (receipt.counter, Some(sha256(&receipt.to_bytes())));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An envelope as `link` makes it, for an enclave that holds the same roots.
pub fn envelope_of(owner: &Owner, roots: &Roots) -> Vec<u8> {
    envelope_at("kraken", owner, roots)
}

/// The same, of an account somewhere else.
pub fn envelope_at(provider: &str, owner: &Owner, roots: &Roots) -> Vec<u8> {
    let subject = Subject {
        organisation: owner.organisation,
        connection: owner.connection,
        purpose: Purpose::ExchangeCredential,
        class: owner.class,
    };
    let finding = Finding {
        connection: owner.connection,
        exchange: provider.into(),
        capabilities: Vec::new(),
        found: NOW,
        expires: NOW.plus(1),
    };
    let contents = Contents { exchange: provider.into(), owners: owner.keys(), finding, created: NOW };
    let share = Share::parse(&owner.share).unwrap();
    let mut entropy = super::machine::counting(0xee);
    seal(&subject, &contents, &owner.credential, &share, roots, &mut entropy).unwrap().to_bytes()
}
