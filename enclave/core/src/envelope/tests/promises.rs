//! What opens, and what rotation keeps and changes.

use super::*;
use crate::rewrap::Rewrapper;

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
