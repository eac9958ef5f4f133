//! What opens, and what rotation keeps and changes.

use super::*;
use crate::rewrap::Rewrapper;
use crate::root::ClassRoots;

#[test]
fn an_envelope_opens_to_what_was_sealed() {
    let envelope = sealed(1);
    let opened = opened(&envelope, &share(0x51), &roots(1)).unwrap();
    assert_eq!(credential(&opened), CREDENTIAL);
    assert_eq!(opened.contents(), &contents());
    assert_eq!(opened.header(), &envelope.header);
    assert_eq!((opened.epoch(), opened.header().generation), (1, 1));
}

#[test]
fn neither_root_nor_share_alone_opens() {
    let envelope = sealed(1);
    assert_eq!(opened(&envelope, &share(0x52), &roots(1)).unwrap_err(), EnvelopeFault::Refused);
    let other_root = Roots::new(1, &root(9)).unwrap();
    assert_eq!(opened(&envelope, &share(0x51), &other_root).unwrap_err(), EnvelopeFault::Refused);
}

#[test]
fn an_unknown_epoch_is_refused_by_name() {
    let later = sealed(2);
    assert_eq!(opened(&later, &share(0x51), &roots(1)).unwrap_err(), EnvelopeFault::UnknownEpoch);
    let newer = Roots::new(3, &root(3)).unwrap();
    assert_eq!(opened(&later, &share(0x51), &newer).unwrap_err(), EnvelopeFault::UnknownEpoch);
    let mut entropy = Counting(0);
    let rewrapped = Rewrapper::new(&newer, &mut entropy).rewrap(&mut later.to_bytes());
    assert_eq!(rewrapped, Err(EnvelopeFault::UnknownEpoch));
}

#[test]
fn a_rewrapped_envelope_opens_at_the_new_epoch_and_differs_in_its_wrap_only() {
    let old = sealed(1);
    let roots = roots(3);
    let mut entropy = Counting(1000);
    let mut bytes = old.to_bytes();
    let header = Rewrapper::new(&roots, &mut entropy).rewrap(&mut bytes).unwrap();
    let new = Envelope::from_bytes(&bytes).unwrap();
    assert_eq!(header, old.header);
    assert_eq!(Envelope { wrap: old.wrap.clone(), ..new.clone() }, old);
    assert_eq!(new.wrap.epoch, 3);
    assert_eq!(credential(&opened(&new, &share(0x51), &roots).unwrap()), CREDENTIAL);
}

#[test]
fn each_part_rotates_alone_and_all_together() {
    let (old, new) = (0x51, 0x52);
    let new_owners = vec![owner(0x33, OwnerRole::Device), owner(0x34, OwnerRole::Second)];
    for choice in 1..32u8 {
        let [data_key, epoch, share_too, owners_too, class_too] =
            [1, 2, 4, 8, 16].map(|bit| choice & bit != 0);
        let mut roots = roots(2);
        roots.add_class(ClassRoots::new(Class::Owner, 1, &root(0x0e)).unwrap()).unwrap();
        let before = opened(&sealed(1), &share(old), &roots).unwrap();
        let rotation = Rotation {
            data_key,
            epoch,
            share: share_too.then(|| share(new)),
            owners: owners_too.then(|| new_owners.clone()),
            class: class_too.then_some(Class::Owner),
            generation: None,
        };
        let made = rotate(&before, &share(old), &rotation, &roots, &mut Counting(700)).unwrap();

        let held = if share_too { new } else { old };
        let after = opened(&made, &share(held), &roots).unwrap();
        assert_eq!(credential(&after), CREDENTIAL, "{choice:04b}");
        assert_eq!(after.header().class, if class_too { Class::Owner } else { Class::Any });
        assert_eq!(
            after.epoch(),
            if class_too { 1 } else { 2 },
            "the class's current one, whatever was asked for"
        );
        assert_eq!(after.contents().owners, if owners_too { new_owners.clone() } else { contents().owners });
        assert_eq!(after.header().connection, before.header().connection);
        let changed = data_key || share_too || owners_too || class_too;
        assert_eq!(after.header().generation, if changed { 2 } else { 1 });
        assert_eq!(
            made.payload == before.envelope.payload,
            !changed,
            "only an epoch leaves the payload alone"
        );
        assert_eq!(made.commitment != before.envelope.commitment, data_key);
        let other = if share_too { old } else { new };
        assert_eq!(opened(&made, &share(other), &roots).unwrap_err(), EnvelopeFault::Refused);
    }
}

#[test]
fn a_rotation_of_nothing_is_refused() {
    let before = opened(&sealed(1), &share(0x51), &roots(2)).unwrap();
    let made = rotate(&before, &share(0x51), &Rotation::default(), &roots(2), &mut Counting(0));
    assert_eq!(made, Err(EnvelopeFault::NothingToRotate));
}

#[test]
fn generations_may_be_left_out_but_never_go_back_or_stay() {
    let before = opened(&sealed(1), &share(0x51), &roots(1)).unwrap();
    let numbered = |generation| {
        let rotation = Rotation { data_key: true, generation: Some(generation), ..Rotation::default() };
        let made = rotate(&before, &share(0x51), &rotation, &roots(1), &mut Counting(0))?;
        opened(&made, &share(0x51), &roots(1)).map(|after| after.header().generation)
    };
    assert_eq!((numbered(2), numbered(7), numbered(u64::MAX)), (Ok(2), Ok(7), Ok(u64::MAX)));
    assert_eq!((numbered(0), numbered(1)), (Err(EnvelopeFault::Internal), Err(EnvelopeFault::Internal)));
}

#[test]
fn the_last_generation_does_not_wrap_around() {
    let mut before = opened(&sealed(1), &share(0x51), &roots(1)).unwrap();
    before.envelope.header.generation = u64::MAX;
    let rotation = Rotation { data_key: true, ..Rotation::default() };
    let made = rotate(&before, &share(0x51), &rotation, &roots(1), &mut Counting(0));
    assert_eq!(made, Err(EnvelopeFault::Internal));
}

#[test]
fn an_owner_set_is_one_to_eight_different_keys() {
    let key = |byte| owner(byte, OwnerRole::Device);
    let seal_with = |owners: Vec<OwnerKey>| {
        let contents = Contents { owners, ..contents() };
        seal(&subject(), &contents, CREDENTIAL, &share(1), &roots(1), &mut Counting(0)).map(|_| ())
    };
    assert_eq!(seal_with((0..8).map(key).collect()), Ok(()));
    assert_eq!(seal_with((0..9).map(key).collect()), Err(EnvelopeFault::Malformed));
    assert_eq!(seal_with(Vec::new()), Err(EnvelopeFault::Malformed));
    assert_eq!(seal_with(vec![key(1), key(2), key(1)]), Err(EnvelopeFault::Malformed));
}

#[test]
fn a_share_is_32_bytes() {
    for length in [0, 16, 31, 33, 64] {
        assert_eq!(Share::parse(&vec![1; length]).unwrap_err(), EnvelopeFault::Malformed);
    }
}

#[test]
fn without_entropy_nothing_is_sealed_rotated_or_rewrapped() {
    /// Gives a number of times, then fails.
    struct Drying(u8);
    impl Entropy for Drying {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
            self.0 = self.0.checked_sub(1).ok_or(NoEntropy)?;
            Counting(u64::from(self.0)).fill(out)
        }
    }
    for draws in 0..4 {
        let made = seal(&subject(), &contents(), CREDENTIAL, &share(1), &roots(1), &mut Drying(draws));
        assert_eq!(made, Err(EnvelopeFault::Entropy), "{draws} draws");
    }
    let envelope = sealed(1);
    let before = opened(&envelope, &share(0x51), &roots(1)).unwrap();
    let rotation = Rotation { data_key: true, ..Rotation::default() };
    let made = rotate(&before, &share(0x51), &rotation, &roots(1), &mut Drying(1));
    assert_eq!(made, Err(EnvelopeFault::Entropy));
    let mut bytes = envelope.to_bytes();
    let moved = Rewrapper::new(&roots(1), &mut Drying(0)).rewrap(&mut bytes);
    assert_eq!(moved, Err(EnvelopeFault::Entropy));
    assert_eq!(bytes, envelope.to_bytes());
}

#[test]
fn rewrapping_many_never_repeats_a_nonce() {
    let roots = roots(2);
    let mut entropy = Counting(0);
    let mut rewrapper = Rewrapper::new(&roots, &mut entropy);
    let nonces: std::collections::BTreeSet<[u8; 12]> = (0..500)
        .map(|_| {
            let mut bytes = sealed(1).to_bytes();
            rewrapper.rewrap(&mut bytes).unwrap();
            Envelope::from_bytes(&bytes).unwrap().wrap.nonce
        })
        .collect();
    assert_eq!(nonces.len(), 500);
}

#[test]
fn debug_of_what_holds_secrets_prints_nothing_of_them() {
    let opened = opened(&sealed(1), &share(0x51), &roots(2)).unwrap();
    let rotation = Rotation { share: Some(share(0x51)), ..Rotation::default() };
    assert_eq!(format!("{opened:?}"), "Opened");
    assert_eq!(format!("{:?}", share(0x51)), "Share");
    assert_eq!(format!("{:?}", roots(2)), "[any 1 to 2, current 2]");
    let expected = "Rotation { data_key: false, epoch: false, share: Some(Share), owners: None, class: None, generation: None }";
    assert_eq!(format!("{rotation:?}"), expected);
}
