//! Every operation through the enclave as its host sees it: seal opened, envelope opened, provider asked, reply sealed.

use crate::support::{Authority, Draft, Exchange, Key, Machine, Owner, sandbox};
use crate::watch;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use enclave::connector::from_base64;
use enclave::wallet::solana;
use wire::Canonical;
use wire::operation::{Export, Linked, Op, Rotate};
use wire::proof::{Challenge, Challenged, Prove};

const SECRET: &str = "dGhlIHNlY3JldCBvZiBhIGtyYWtlbiBrZXksIG1hcmtlZA==";

pub fn no_operation_leaves_a_share_or_credential_behind() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    let mut owner = Owner::eddsa();
    let credential = format!(r#"{{"apiKey":"k","secret":"{SECRET}"}}"#);
    let draft = owner.link_draft(&machine, "kraken", credential.as_bytes());
    let linked = quietly(&mut machine, &mut exchange, &owner, &draft);
    owner.envelope = Linked::from_bytes(&linked).unwrap().envelope;

    let recipient = verify::hpke::RecipientKey::generate().unwrap();
    let mut export = owner.draft(&machine, Op::Export);
    export.args = Export { recipient: recipient.public_key().bytes().to_vec() }.to_bytes();
    let mut rotate = owner.draft(&machine, Op::Rotate);
    let share: Vec<u8> = (10..42).collect();
    rotate.args = Rotate {
        data_key: true,
        epoch: true,
        share: Some(share.as_slice().into()),
        owners: None,
        class: None,
    }
    .to_bytes();
    for draft in [owner.balances_draft(&machine, "EUR"), owner.draft(&machine, Op::Inspect), export, rotate] {
        quietly(&mut machine, &mut exchange, &owner, &draft);
    }
}

/// The way in that has no provider to ask: the share passes through a pending envelope.
pub fn no_proof_of_an_address_leaves_a_share_behind() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    let owner = Owner::eddsa();
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let address = solana::Address(key.public_key().as_ref().try_into().unwrap()).to_string();
    let mut challenge = owner.draft(&machine, Op::Challenge);
    challenge.envelope = None;
    challenge.args = Challenge {
        network: "solana",
        address: &address,
        owners: owner.keys(),
        organisation: owner.organisation,
        connection: owner.connection,
        class: wire::consent::Class::Any,
    }
    .to_bytes();
    let asked = quietly(&mut machine, &mut exchange, &owner, &challenge);
    let asked = Challenged::from_bytes(&asked).unwrap();
    let mut prove = owner.draft(&machine, Op::Prove);
    prove.envelope = Some(asked.pending);
    let signature = key.sign(asked.text.as_bytes());
    prove.args = Prove { signature: signature.as_ref().into() }.to_bytes();
    quietly(&mut machine, &mut exchange, &owner, &prove);
}

/// Serves one request by both factors and looks at what is freed meanwhile.
fn quietly(machine: &mut Machine, exchange: &mut Exchange, owner: &Owner, draft: &Draft) -> Vec<u8> {
    let by: [&Key; 2] = [&owner.device, &owner.second];
    let sealed = draft.seal(&by);
    let decoded = from_base64(SECRET.as_bytes()).unwrap();
    let new_share: Vec<u8> = (10..42).collect();
    let secrets = [SECRET.as_bytes(), &decoded, &owner.share, &new_share];
    let (found, answer) = watch(&secrets, || {
        let stream = machine.begin(&sealed.bytes);
        exchange.run(machine);
        machine.answer(stream)
    });
    assert_eq!(found, 0, "{:?}", draft.op);
    sealed.open(answer, machine).result.unwrap()
}
