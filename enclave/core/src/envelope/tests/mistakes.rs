//! Bugs that others shipped, each refused here.

use super::*;
use crate::envelope::kdf::Prk;
use crate::envelope::payload::PayloadKey;
use crate::rewrap::Rewrapper;
use std::collections::BTreeSet;
use wire::envelope::Header;

#[test]
fn m10_fields_that_join_to_the_same_bytes_are_different_contexts() {
    let split = |at: usize| {
        let fields = [0x77; 32];
        let (left, right) = fields.split_at(at);
        wire::transcript::Transcript::new("d").field(left).field(right).bytes()
    };
    let all: BTreeSet<Vec<u8>> = (0..=32).map(split).collect();
    assert_eq!(all.len(), 33);
    // A byte that moves from one id to the next gives another key, though the joined bytes are the same.
    let header = sealed(1).header;
    let mut moved = header.clone();
    (moved.organisation.0, moved.connection.0) = (header.connection.0, header.organisation.0);
    assert_ne!(context::root_wrap(&header, 1).bytes(), context::root_wrap(&moved, 1).bytes());
}

#[test]
fn m11_no_two_uses_share_derived_bytes() {
    let secret = Prk::extract(&[0x61; 32]).unwrap();
    let header = sealed(1).header;
    let infos = [
        context::share_wrap(&header),
        context::root_wrap(&header, 1),
        context::payload_key(&header),
        context::key_commitment(),
    ];
    let outputs: BTreeSet<[u8; 32]> = infos.map(|info| *secret.expand(info).unwrap()).into_iter().collect();
    assert_eq!(outputs.len(), 4, "one secret used for everything still gives four unrelated keys");
}

#[test]
fn m11_the_commitment_says_nothing_of_the_payload_key() {
    let header = sealed(1).header;
    let data_key = Secret::copied(&[0x61; 32]);
    let other_generation = Header { generation: 2, ..header.clone() };
    let [a, b] = [&header, &other_generation].map(|header| PayloadKey::derive(&data_key, header).unwrap());
    assert_eq!(a.commitment(), b.commitment(), "commits to the data key, whatever it is used for");
    let prk = Prk::extract(data_key.expose()).unwrap();
    assert_ne!(*prk.expand(context::payload_key(&header)).unwrap(), a.commitment());
}

#[test]
fn m12_two_epochs_later_the_payload_is_the_same_bytes_and_opens() {
    let first = sealed(1);
    let mut bytes = first.to_bytes();
    for epochs in [2, 3] {
        let roots = roots(epochs);
        Rewrapper::new(&roots, &mut Counting(500)).rewrap(&mut bytes).unwrap();
    }
    let last = Envelope::from_bytes(&bytes).unwrap();
    assert_eq!(last.wrap.epoch, 3);
    assert_eq!(
        (&last.header, &last.payload, last.commitment),
        (&first.header, &first.payload, first.commitment)
    );
    assert_eq!(credential(&opened(&last, &share(0x51), &roots(3)).unwrap()), CREDENTIAL);
}

/// Envelopes that differ in one thing each, all made with the same share and root.
fn variants() -> Vec<(&'static str, Envelope)> {
    let make = |subject: Subject, contents: Contents, seed: u64| {
        seal(&subject, &contents, CREDENTIAL, &share(0x51), &roots(1), &mut Counting(seed)).unwrap()
    };
    let other_organisation = Subject { organisation: OrganisationId([0x12; 16]), ..subject() };
    let other_connection = Subject { connection: ConnectionId([0x23; 16]), ..subject() };
    let other_owners = Contents { owners: vec![owner(0x33, OwnerRole::Device)], ..contents() };
    let base = make(subject(), contents(), 0);
    let next = rotate(
        &opened(&base, &share(0x51), &roots(1)).unwrap(),
        &share(0x51),
        &Rotation { data_key: true, ..Rotation::default() },
        &roots(1),
        &mut Counting(90),
    );
    vec![
        ("generation", next.unwrap()),
        ("the same again", make(subject(), contents(), 10)),
        ("organisation", make(other_organisation, contents(), 20)),
        ("connection", make(other_connection, contents(), 30)),
        ("owners", make(subject(), other_owners, 40)),
        ("base", base),
    ]
}

#[test]
fn m13_no_part_of_an_envelope_fits_another() {
    type Swap = fn(&mut Envelope, &Envelope);
    let swaps: [(&str, Swap); 7] = [
        ("wrap", |to, from| to.wrap = from.wrap.clone()),
        ("payload", |to, from| to.payload = from.payload.clone()),
        ("commitment", |to, from| to.commitment = from.commitment),
        ("header", |to, from| to.header = from.header.clone()),
        ("payload and commitment", |to, from| {
            to.payload = from.payload.clone();
            to.commitment = from.commitment;
        }),
        ("wrap and commitment", |to, from| {
            to.wrap = from.wrap.clone();
            to.commitment = from.commitment;
        }),
        ("all but the header", |to, from| *to = Envelope { header: to.header.clone(), ..from.clone() }),
    ];
    let variants = variants();
    let mut tried = 0;
    for (to_name, to) in &variants {
        for (from_name, from) in &variants {
            for (part, swap) in &swaps {
                let mut swapped = to.clone();
                swap(&mut swapped, from);
                // Headers of the same subject, owners and generation are equal: nothing was swapped.
                if &swapped == to || &swapped == from {
                    continue;
                }
                tried += 1;
                let refused = Err(EnvelopeFault::Refused);
                let told = format!("{part} of {from_name} in {to_name}");
                assert_eq!(opened(&swapped, &share(0x51), &roots(1)).map(|_| ()), refused, "{told}");
                let mut bytes = swapped.to_bytes();
                let rewrapped = Rewrapper::new(&roots(2), &mut Counting(0)).rewrap(&mut bytes).map(|_| ());
                assert_eq!(rewrapped, refused, "{told}");
            }
        }
    }
    assert!(tried > 180, "{tried} swaps");
}

#[test]
fn m13_each_bound_field_gives_other_keys_at_both_wraps() {
    let base = sealed(1).header;
    let others = [
        Header { organisation: OrganisationId([0x12; 16]), ..base.clone() },
        Header { connection: ConnectionId([0x23; 16]), ..base.clone() },
        Header { owners: [0x99; 32], ..base.clone() },
    ];
    for other in others {
        assert_ne!(context::share_wrap(&base).bytes(), context::share_wrap(&other).bytes());
        assert_ne!(context::root_wrap(&base, 1).bytes(), context::root_wrap(&other, 1).bytes());
        assert_ne!(context::payload_key(&base).bytes(), context::payload_key(&other).bytes());
        assert_ne!(context::payload_aad(&base), context::payload_aad(&other));
    }
}

#[test]
fn m22_the_epoch_is_in_the_derivation_even_for_the_same_root() {
    let header = sealed(1).header;
    let mut same = Roots::new(1, &root(1)).unwrap();
    same.add(Class::Any, 2, &root(1)).unwrap();
    assert_ne!(*same.wrap_key(1, &header).unwrap(), *same.wrap_key(2, &header).unwrap());
    let [first, second] = same.epochs().commitments.try_into().unwrap();
    assert_ne!(first.commitment, second.commitment);
}

#[test]
fn m23_an_envelope_does_not_grow_over_a_thousand_rotations() {
    let first = sealed(1);
    let (mut envelope, mut held) = (first.clone(), 0x51);
    let mut entropy = Counting(0);
    for round in 0..1000u32 {
        let roots = roots(1 + round % 3);
        let mut bytes = envelope.to_bytes();
        if envelope.wrap.epoch <= roots.any().current() {
            Rewrapper::new(&roots, &mut entropy).rewrap(&mut bytes).unwrap();
        }
        let roots = self::roots(3);
        let opened = open(&bytes, &share(held), &roots).unwrap();
        let next = if held == 0x51 { 0x52 } else { 0x51 };
        let rotation = Rotation {
            data_key: true,
            epoch: true,
            share: Some(share(next)),
            owners: Some(contents().owners),
            ..Rotation::default()
        };
        envelope = rotate(&opened, &share(held), &rotation, &roots, &mut entropy).unwrap();
        held = next;
    }
    assert_eq!(envelope.header.generation, 1001);
    assert_eq!(envelope.payload.ciphertext.len(), first.payload.ciphertext.len());
    // The generation's number takes two bytes more than 1 does.
    assert_eq!(envelope.to_bytes().len(), first.to_bytes().len() + 2);
    assert_eq!(credential(&opened(&envelope, &share(held), &roots(3)).unwrap()), CREDENTIAL);
}
