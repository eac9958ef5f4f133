//! Proving that an address is one's own: a text of the enclave's, one signature, one connection.

use crate::support::{Authority, Draft, Exchange, Machine, Owner, host, sandbox};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use enclave::secp256k1::SigningKey;
use enclave::wallet::evm::{Address, personal_hash};
use enclave::wallet::solana;
use wire::capability::State;
use wire::operation::{Export, Inspected, Link, Linked, Nothing, Op};
use wire::proof::{Challenge, Challenged, Prove};
use wire::{Canonical, Refusal};

/// The order of the curve's group.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba,
    0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// A wallet that is elsewhere.
struct Wallet(SigningKey);

impl Wallet {
    fn new(number: u8) -> Wallet {
        Wallet(SigningKey::from_bytes(&[number; 32]).unwrap())
    }

    fn address(&self) -> String {
        Address::of(&self.0.public_key()).to_string()
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        let signature = self.0.sign_recoverable(&personal_hash(text.as_bytes()));
        [signature.compact().as_slice(), &[27 + signature.recovery]].concat()
    }
}

fn challenge(
    machine: &mut Machine,
    owner: &mut Owner,
    network: &str,
    address: &str,
) -> Result<Challenged, Refusal> {
    let challenge = Challenge {
        network,
        address,
        owners: owner.keys(),
        organisation: owner.organisation,
        connection: owner.connection,
        class: wire::consent::Class::Any,
    };
    let mut draft = Draft::new(machine, Op::Challenge, challenge.to_bytes()).now(machine);
    draft.share = Some(owner.share.to_vec());
    draft.last = owner.last;
    let result = owner.ask_twice_signed(machine, &draft)?;
    Ok(Challenged::from_bytes(&result).unwrap())
}

fn prove(
    machine: &mut Machine,
    owner: &mut Owner,
    pending: &[u8],
    signature: &[u8],
) -> Result<Linked, Refusal> {
    let mut draft = owner.draft(machine, Op::Prove).now(machine);
    draft.args = Prove { signature: signature.into() }.to_bytes();
    draft.envelope = Some(pending.to_vec());
    Ok(Linked::from_bytes(&owner.ask_draft(machine, &draft)?).unwrap())
}

/// A text for the address of a wallet, and what it must be signed with.
fn asked(machine: &mut Machine, owner: &mut Owner, wallet: &Wallet) -> Challenged {
    challenge(machine, owner, "ethereum", &wallet.address()).unwrap()
}

#[test]
fn a_signed_text_links_the_address_as_its_owners_and_says_so() {
    let (mut machine, mut owner, wallet) = (host(1), Owner::eddsa(), Wallet::new(7));
    // However it is written, the text has it in the chain's own writing.
    let written = wallet.address().to_ascii_lowercase();
    let asked = challenge(&mut machine, &mut owner, "ethereum", &written).unwrap();
    assert!(asked.text.contains(&format!("account:\n{}\n", wallet.address())), "{}", asked.text);
    assert!(asked.text.contains(&format!("URI: tensfer:{}", owner.connection)), "{}", asked.text);
    let linked = prove(&mut machine, &mut owner, &asked.pending, &wallet.sign(&asked.text)).unwrap();
    owner.envelope = linked.envelope;
    let inspected = Inspected::from_bytes(&owner.ask(&mut machine, Op::Inspect).unwrap()).unwrap();
    assert_eq!((inspected.exchange.as_str(), inspected.generation), ("ethereum", 1));
    assert_eq!(inspected.fields, ["proven", "watch"]);
    let state = |name: &str| {
        let found = inspected.finding.capabilities.iter().find(|found| found.name == name);
        found.map(|found| found.state)
    };
    assert_eq!((state("proven"), state("withdraw")), (Some(State::Yes), Some(State::No)));
    assert_eq!(owner.last.0, 3, "one chain of receipts from the challenge on");
}

#[test]
fn a_solana_account_proves_itself_with_ed25519_over_the_text() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let address = solana::Address(key.public_key().as_ref().try_into().unwrap()).to_string();
    let asked = challenge(&mut machine, &mut owner, "solana", &address).unwrap();
    let signature = key.sign(asked.text.as_bytes());
    prove(&mut machine, &mut owner, &asked.pending, signature.as_ref()).unwrap();
}

#[test]
fn a_signature_by_another_key_or_over_another_text_links_nothing() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let (wallet, other) = (Wallet::new(7), Wallet::new(8));
    let asked = asked(&mut machine, &mut owner, &wallet);
    let altered = |from: &str, to: &str| {
        assert!(asked.text.contains(from), "{from}");
        wallet.sign(&asked.text.replace(from, to))
    };
    let nonce = asked.text.split_once("Nonce: ").unwrap().1.split('\n').next().unwrap();
    let right = wallet.sign(&asked.text);
    for (what, signature) in [
        ("another address", other.sign(&asked.text)),
        ("another domain", altered("tensfer.localhost", "tensfer.example")),
        ("another nonce", altered(nonce, &"ab".repeat(16))),
        ("another statement", altered("moves nothing", "moves everything")),
        ("another connection", altered("tensfer:conn_", "tensfer:conn-")),
        ("another chain", altered("Chain ID: 1", "Chain ID: 137")),
        ("another end", altered("Expiration Time: 2", "Expiration Time: 3")),
        ("a line more", wallet.sign(&format!("{}\n", asked.text))),
        ("nothing", Vec::new()),
        ("a byte less", right[..64].to_vec()),
        ("a byte more", [right.as_slice(), &[0]].concat()),
        // As contracts' accounts have it: several signatures (Safe), or one in a wrapper (ERC-6492).
        ("two signatures", [right.as_slice(), &right].concat()),
        ("a wrapper", [[0; 32].as_slice(), &right, &[0x64, 0x92].repeat(16)].concat()),
        ("zeros", vec![0; 65]),
    ] {
        let refused = prove(&mut machine, &mut owner, &asked.pending, &signature);
        assert_eq!(refused, Err(Refusal::SignatureRefused), "{what}");
    }
    let long = prove(&mut machine, &mut owner, &asked.pending, &[0; 513]);
    assert_eq!(long, Err(Refusal::Malformed));
    prove(&mut machine, &mut owner, &asked.pending, &right).unwrap();
}

#[test]
fn the_other_signature_that_says_the_same_is_refused() {
    let (mut machine, mut owner, wallet) = (host(1), Owner::eddsa(), Wallet::new(7));
    let asked = asked(&mut machine, &mut owner, &wallet);
    let mut high = wallet.sign(&asked.text);
    let mut borrow = 0;
    for (byte, whole) in high[32..64].iter_mut().zip(ORDER).rev() {
        let difference = 0x100 + u16::from(whole) - u16::from(*byte) - borrow;
        *byte = (difference & 0xff) as u8;
        borrow = 1 - (difference >> 8);
    }
    high[64] = 27 + 28 - high[64];
    assert_eq!(prove(&mut machine, &mut owner, &asked.pending, &high), Err(Refusal::SignatureRefused));
}

#[test]
fn a_text_is_used_once() {
    let (mut machine, mut owner, wallet) = (host(1), Owner::eddsa(), Wallet::new(7));
    let asked = asked(&mut machine, &mut owner, &wallet);
    let signature = wallet.sign(&asked.text);
    prove(&mut machine, &mut owner, &asked.pending, &signature).unwrap();
    let again = prove(&mut machine, &mut owner, &asked.pending, &signature);
    assert_eq!(again, Err(Refusal::Replayed));
    let anew = challenge(&mut machine, &mut owner, "ethereum", &wallet.address());
    assert_eq!(anew.err(), Some(Refusal::Replayed), "nor is its connection's id");
}

#[test]
fn a_signature_for_one_text_is_none_for_the_next() {
    let (mut machine, wallet) = (host(1), Wallet::new(7));
    let (mut first, mut second) = (Owner::eddsa(), Owner::eddsa());
    let of_first = asked(&mut machine, &mut first, &wallet);
    let of_second = asked(&mut machine, &mut second, &wallet);
    let signature = wallet.sign(&of_first.text);
    // Who overhears a signature cannot use it for a connection of their own.
    let stolen = prove(&mut machine, &mut second, &of_second.pending, &signature);
    assert_eq!(stolen, Err(Refusal::SignatureRefused));
    let envelope = prove(&mut machine, &mut second, &of_first.pending, &signature);
    assert_eq!(envelope, Err(Refusal::EnvelopeRefused));
    second.share = first.share;
    let envelope = prove(&mut machine, &mut second, &of_first.pending, &signature);
    assert_eq!(envelope, Err(Refusal::NotAuthorised));
    prove(&mut machine, &mut first, &of_first.pending, &signature).unwrap();
}

#[test]
fn a_text_is_over_after_ten_minutes() {
    let wallet = Wallet::new(7);
    for (passed, expected) in [(599_000, None), (600_000, Some(Refusal::ChallengeOver))] {
        let (mut machine, mut owner) = (host(1), Owner::eddsa());
        let asked = asked(&mut machine, &mut owner, &wallet);
        machine.pass(passed);
        let proven = prove(&mut machine, &mut owner, &asked.pending, &wallet.sign(&asked.text));
        assert_eq!(proven.err(), expected, "{passed}");
    }
}

#[test]
fn what_cannot_be_proven_by_one_signature_is_not_asked_to_sign() {
    let mut machine = host(1);
    for (network, address, expected) in [
        ("kraken", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", Refusal::NotOffered),
        ("mtgox", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", Refusal::UnknownExchange),
        ("ethereum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", Refusal::AddressMalformed),
        ("ethereum", "", Refusal::AddressMalformed),
        (
            "bitcoin",
            "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
            Refusal::AddressNotProvable,
        ),
        ("bitcoin", "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ", Refusal::PrivateKey),
    ] {
        let refused = challenge(&mut machine, &mut Owner::eddsa(), network, address);
        assert_eq!(refused.err(), Some(expected), "{network} {address}");
    }
}

#[test]
fn a_pending_envelope_is_good_for_its_proof_alone_and_no_other_for_it() {
    let (mut machine, mut owner, wallet) = (host(1), Owner::eddsa(), Wallet::new(7));
    let stored = owner.envelope.clone();
    let refused = prove(&mut machine, &mut owner, &stored, &[0; 65]);
    assert_eq!(refused, Err(Refusal::EnvelopeRefused), "an exchange's");
    let asked = asked(&mut machine, &mut owner, &wallet);
    let recipient = verify::hpke::RecipientKey::generate().unwrap();
    let export = Export { recipient: recipient.public_key().bytes().to_vec() }.to_bytes();
    for (op, args) in [
        (Op::Inspect, Nothing {}.to_bytes()),
        (Op::Acknowledge, Nothing {}.to_bytes()),
        (Op::Export, export),
        (Op::Finish, wire::authorisation::Finish { answer: "state=a&code=b" }.to_bytes()),
    ] {
        let mut draft = owner.draft(&machine, op);
        draft.args = args;
        draft.envelope = Some(asked.pending.clone());
        let refused = owner.ask_twice_signed(&mut machine, &draft);
        assert_eq!(refused, Err(Refusal::EnvelopeRefused), "{op:?}");
    }
}

#[test]
fn every_owner_key_proves_possession_before_a_text_is_written() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let challenge = Challenge {
        network: "ethereum",
        address: &Wallet::new(7).address(),
        owners: owner.keys(),
        organisation: owner.organisation,
        connection: owner.connection,
        class: wire::consent::Class::Any,
    };
    let mut draft = Draft::new(&machine, Op::Challenge, challenge.to_bytes());
    draft.share = Some(owner.share.to_vec());
    let sealed = draft.seal(&[&owner.device]);
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::PossessionNotProven));
}

#[test]
fn nobody_links_an_address_as_proven_without_a_signature() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    let mut owner = Owner::eddsa();
    let address = Wallet::new(7).address();
    for (credential, expected) in [
        (
            format!(r#"{{"watch":"{address}","proven":"2026-11-23T00:00:00.000Z"}}"#),
            Err(Refusal::CredentialMalformed),
        ),
        (format!(r#"{{"watch":"{address}"}}"#), Ok(())),
    ] {
        let link = Link {
            exchange: "ethereum",
            credential: credential.as_bytes().into(),
            owners: owner.keys(),
            organisation: owner.organisation,
            connection: owner.connection,
            class: wire::consent::Class::Any,
        };
        let mut draft = Draft::new(&machine, Op::Link, link.to_bytes());
        draft.share = Some(owner.share.to_vec());
        draft.last = owner.last;
        let answered = owner.ask_over(&mut machine, &mut exchange, &draft);
        assert_eq!(answered.map(|_| ()), expected, "{credential}");
    }
}
