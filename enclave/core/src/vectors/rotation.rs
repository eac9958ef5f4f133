//! `vectors/rotation.json`: what the register signs, replayed. How others check it: `verify/tests/vectors/rotation.rs`.

use super::{Seed, bytes};
use crate::receipts::ReceiptKey;
use crate::register::{Place, Register, Signing};
use crate::root::{ClassRoots, Roots};
use crate::secret::Secret;
use serde_json::Value;
use wire::consent::Class;
use wire::evidence::Hash;
use wire::reached::Reached;
use wire::register::{Entry, Kept, PLACED};
use wire::transcript::domain;
use wire::{BootId, Canonical, Identity, Refusal, UnixMillis};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../vectors/rotation.json")).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn entry(value: &Value) -> Entry {
    Entry::from_bytes(&array(value)).unwrap()
}

fn key(vectors: &Value) -> ReceiptKey {
    ReceiptKey::make(&mut Seed(bytes(&vectors["signer"]["seed"]))).unwrap()
}

fn boot(vectors: &Value) -> BootId {
    BootId(array(&vectors["founded"]["boot"]))
}

fn class(value: &Value) -> Class {
    Class::parse(value.as_str().unwrap()).unwrap()
}

/// Of class `any`, and of `owner` with the epoch that the script's identity has no more.
fn roots(vectors: &Value) -> Roots {
    let of = |wanted: Class| {
        let mut found: Option<ClassRoots> = None;
        for given in list(&vectors["signer"]["roots"]).iter().filter(|given| class(&given[0]) == wanted) {
            let epoch = u32::try_from(given[1].as_u64().unwrap()).unwrap();
            let root = Secret::copied(&array(&given[2]));
            match &mut found {
                None => found = Some(ClassRoots::new(wanted, epoch, &root).unwrap()),
                Some(found) => found.add(epoch, &root).unwrap(),
            }
        }
        found.unwrap()
    };
    Roots::collect([of(Class::Any), of(Class::Owner)]).unwrap()
}

#[test]
fn commitments_to_roots_are_the_scripts() {
    let vectors = vectors();
    let identity = Identity::from_bytes(&bytes(&vectors["signer"]["identity"])).unwrap();
    let mut roots = roots(&vectors);
    assert_eq!(roots.epochs(), identity.epochs);
    for given in list(&vectors["signer"]["roots"]) {
        let epoch = u32::try_from(given[1].as_u64().unwrap()).unwrap();
        assert_eq!(roots.commitment(class(&given[0]), epoch), Some(array(&given[3])));
    }
    roots.destroy(Class::Owner, 1).unwrap();
    assert_eq!(roots.other_epochs(), identity.classes);
}

const EMPTY: Place = Place { line: 0, term: 1, map: [0; 32], group: None, closed_for: None };

#[test]
fn a_register_that_is_founded_and_grows_signs_and_seals_the_scripts_heads() {
    let vectors = vectors();
    let (key, roots, mut register) = (key(&vectors), roots(&vectors), Register::new(boot(&vectors)));
    let mut entries = list(&vectors["entries"]).iter().map(|case| entry(&case["encoded"]));
    // The last one is after a statement that this register did not make.
    for case in list(&vectors["heads"]).iter().take(4) {
        let more = case["size"].as_u64().unwrap() - register.size();
        let more: Vec<Entry> = entries.by_ref().take(usize::try_from(more).unwrap()).collect();
        register.append(&more);
        let time = UnixMillis(case["time"].as_u64().unwrap());
        let signing = Signing { key: &key, boot: boot(&vectors), roots: &roots, time };
        let (snapshot, place) = (register.snapshot(), Place { map: array(&case["map"]), ..EMPTY });
        register.reach(&Kept::from_bytes(&bytes(&case["kept"])).unwrap().reached.0).unwrap();
        let signed = register.sign(signing, &snapshot, place).unwrap();
        assert_eq!(signed.kept.to_bytes(), bytes(&case["kept"]));
        assert_eq!(
            (Some(signed.counter), signed.hash),
            (case["counter"].as_u64(), Hash(array(&case["hash"])))
        );
    }
    assert!(entries.next().is_none(), "all of them");
}

#[test]
fn heads_before_witnesses_who_replaced_others_are_the_scripts() {
    let vectors = vectors();
    let (key, roots, mut register) = (key(&vectors), roots(&vectors), Register::new(boot(&vectors)));
    let name = |value: &serde_json::Value| (!value.is_null()).then(|| Hash(array(value)));
    let heads = list(&vectors["heads"]);
    for (before, case) in heads.iter().zip(heads.iter().skip(1)).skip(4) {
        register
            .resume(Register::examine(&Kept::from_bytes(&bytes(&before["kept"])).unwrap(), &roots).unwrap());
        let time = UnixMillis(case["time"].as_u64().unwrap());
        let signing = Signing { key: &key, boot: boot(&vectors), roots: &roots, time };
        let (group, closed_for) = (name(&case["group"]), name(&case["closed_for"]));
        let (term, map) = (case["term"].as_u64().unwrap(), array(&case["map"]));
        let place = Place { line: 0, term, map, group, closed_for };
        let signed = register.sign(signing, &register.snapshot(), place).unwrap();
        assert_eq!(signed.kept.to_bytes(), bytes(&case["kept"]));
    }
}

#[test]
fn the_scripts_kept_heads_are_gone_on_from_and_no_altered_one_is() {
    let vectors = vectors();
    let roots = roots(&vectors);
    for case in list(&vectors["heads"]) {
        let kept = Kept::from_bytes(&bytes(&case["kept"])).unwrap();
        let resumed = Register::examine(&kept, &roots).unwrap();
        assert_eq!(resumed.hash, Hash(array(&case["hash"])));
        let mut other = kept.clone();
        other.seal.0[31] ^= 1;
        assert_eq!(Register::examine(&other, &roots).err(), Some(Refusal::RegisterMismatch), "its seal");
        let mut other = kept.clone();
        let program = Some(Hash([0xff; 32]));
        other.reached.0.push(Reached { class: Class::Owner, oldest: 1, current: 1, program });
        assert_eq!(Register::examine(&other, &roots).err(), Some(Refusal::RegisterMismatch), "its epochs");
        let mut other = kept;
        other.peaks.push(Hash([0; 32]));
        assert_eq!(Register::examine(&other, &roots).err(), Some(Refusal::RegisterMismatch), "its peaks");
    }
}

#[test]
fn concluding_rotations_over_the_scripts_entries_gives_its_statements() {
    let vectors = vectors();
    let (key, roots, mut register) = (key(&vectors), roots(&vectors), Register::new(boot(&vectors)));
    let entries: Vec<Vec<u8>> = list(&vectors["proofs"]).iter().map(|proof| bytes(&proof["entry"])).collect();
    let read: Vec<Entry> = list(&vectors["proofs"]).iter().map(|proof| entry(&proof["entry"])).collect();
    let placed: Vec<[u8; PLACED]> = (0..10_u64)
        .zip(&entries)
        .map(|(place, entry)| [&place.to_be_bytes()[..], entry].concat().try_into().unwrap())
        .collect();
    register.append(&read);
    for case in list(&vectors["statements"]) {
        let time = UnixMillis(case["time"].as_u64().unwrap());
        let signing = Signing { key: &key, boot: boot(&vectors), roots: &roots, time };
        let snapshot = register.snapshot();
        register.sign(signing, &snapshot, EMPTY).unwrap();
        let epoch = u32::try_from(case["epoch"].as_u64().unwrap()).unwrap();
        register.begin(class(&case["class"]), epoch, &[7; 32]);
        let conclusion = register.conclusion().unwrap();
        assert_eq!(conclusion.take_log(&entries.concat()), Ok(10));
        assert_eq!(conclusion.take_sorted(&placed.concat()), Ok(10));
        let (signed, since) = register.finish(signing).unwrap();
        assert_eq!((signed, since), (bytes(&case["signed"]), Vec::new()));
    }
}

#[test]
fn a_wallet_whose_words_nobody_has_shown_is_counted_apart_as_the_script_counts_it() {
    let vectors = vectors();
    let wallets = &vectors["wallets"];
    let (key, roots, mut register) = (key(&vectors), roots(&vectors), Register::new(boot(&vectors)));
    let log: Vec<Vec<u8>> = list(&wallets["log"]).iter().map(|case| bytes(&case["encoded"])).collect();
    let mut placed: Vec<(Vec<u8>, u64)> = log.iter().cloned().zip(0..).collect();
    placed.sort_by_key(|(entry, place)| (entry[..32].to_vec(), *place));
    let placed = placed.into_iter().flat_map(|(entry, place)| [&place.to_be_bytes()[..], &entry].concat());
    let placed: Vec<u8> = placed.collect();
    register.append(&list(&wallets["log"]).iter().map(|case| entry(&case["encoded"])).collect::<Vec<_>>());
    let time = UnixMillis(wallets["statement"]["time"].as_u64().unwrap());
    let signing = Signing { key: &key, boot: boot(&vectors), roots: &roots, time };
    let snapshot = register.snapshot();
    register.sign(signing, &snapshot, EMPTY).unwrap();
    register.begin(Class::Any, 2, &[7; 32]);
    let conclusion = register.conclusion().unwrap();
    assert_eq!(conclusion.take_log(&log.concat()), Ok(11));
    assert_eq!(conclusion.take_sorted(&placed), Ok(11));
    let (signed, _) = register.finish(signing).unwrap();
    assert_eq!(signed, bytes(&wallets["statement"]["signed"]));
}

#[test]
fn a_destruction_is_signed_as_the_script_signs_it() {
    let vectors = vectors();
    for case in list(&vectors["destructions"]) {
        let signed = key(&vectors).sign(domain::DESTRUCTION, &bytes(&case["encoded"]));
        assert_eq!(signed, bytes(&case["signed"]));
    }
}
