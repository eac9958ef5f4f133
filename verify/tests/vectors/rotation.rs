//! `vectors/rotation.json`: the register, its heads and statements, and what is none of them.

use super::{array, both_ways, bytes, file, hash, hashes, list, number, optional, reads, small, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use verify::merkle::{Frontier, audit_path, leaf};
use verify::register::{self, Unproven};
use wire::consent::Class;
use wire::cose::Sign1;
use wire::evidence::Hash;
use wire::reached::{AllReached, Reached};
use wire::register::{
    Backup, Conclude, Concluded, Counts, Destroy, Destroyed, Destruction, ENTRY, Entry, Grounds, Head, Kept,
    Proof, Published, State, Statement,
};
use wire::{BootId, Canonical, ConnectionId, Identity, RegisterId, UnixMillis};

fn vectors() -> Value {
    file("rotation.json")
}

fn identity(vectors: &Value) -> Identity {
    reads(&vectors["signer"]["identity"])
}

fn class(value: &Value) -> Class {
    Class::parse(text(value)).unwrap()
}

fn entry(value: &Value) -> Entry {
    let state = text(&value["state"]);
    let backup = match text(&value["backup"]) {
        "unsaid" => Backup::Unsaid,
        "missing" => Backup::Missing,
        "confirmed" => Backup::Confirmed,
        other => panic!("{other}"),
    };
    Entry {
        name: array(&value["name"]),
        state: State::ALL.into_iter().find(|known| known.name() == state).unwrap(),
        backup,
        class: class(&value["class"]),
        epoch: small(&value["epoch"]),
        generation: number(&value["generation"]),
        payload: array(&value["payload"]),
    }
}

fn reached(value: &Value) -> Reached {
    Reached {
        class: class(&value["class"]),
        oldest: small(&value["oldest"]),
        current: small(&value["current"]),
        program: optional(&value["program"], hash),
    }
}

fn head(value: &Value) -> Head {
    Head {
        version: 1,
        register: RegisterId(array(&value["register"])),
        chapter: small(&value["chapter"]),
        counter: number(&value["counter"]),
        size: number(&value["size"]),
        root: hash(&value["root"]),
        epoch: small(&value["epoch"]),
        boot: BootId(array(&value["boot"])),
        time: UnixMillis(number(&value["time"])),
        previous: optional(&value["previous"], hash),
        statement: optional(&value["statement"], hash),
        line: small(&value["line"]),
        term: number(&value["term"]),
        map: hash(&value["map"]),
        oldest: small(&value["oldest"]),
        reached: optional(&value["commitment"], hash),
        group: optional(&value["group"], hash),
        closed_for: optional(&value["closed_for"], hash),
    }
}

fn statement(value: &Value) -> Statement {
    let [held, rewrapped, revoked, absent] = list(&value["counts"]) else { panic!("four counts") };
    Statement {
        version: 1,
        register: RegisterId(array(&value["register"])),
        chapter: small(&value["chapter"]),
        counter: number(&value["counter"]),
        epoch: small(&value["epoch"]),
        current: small(&value["current"]),
        root: hash(&value["root"]),
        counts: Counts {
            held: number(held),
            rewrapped: number(rewrapped),
            revoked: number(revoked),
            absent: number(absent),
        },
        boot: BootId(array(&value["boot"])),
        time: UnixMillis(number(&value["time"])),
        previous: optional(&value["previous"], hash),
        class: class(&value["class"]),
        others: number(&value["others"]),
        without_backup: number(&value["without_backup"]),
    }
}

fn destruction(value: &Value) -> Destruction {
    let grounds = |value: &Value| Grounds {
        statement: hash(&value["statement"]),
        absent: number(&value["absent"]),
        commitment: hash(&value["commitment"]),
    };
    Destruction {
        version: 1,
        epoch: small(&value["epoch"]),
        oldest: small(&value["oldest"]),
        current: small(&value["current"]),
        boot: BootId(array(&value["boot"])),
        time: UnixMillis(number(&value["time"])),
        destroyed: optional(&value["destroyed"], grounds),
        class: class(&value["class"]),
    }
}

/// What a signature holds.
fn payload(signed: &[u8]) -> Vec<u8> {
    Sign1::from_bytes(signed).unwrap().payload.unwrap().to_vec()
}

#[test]
fn an_entry_has_the_bytes_and_the_name_of_the_specification() {
    for case in list(&vectors()["entries"]) {
        let (expected, encoded) = (entry(case), array(&case["encoded"]));
        assert_eq!((Entry::from_bytes(&encoded), expected.to_bytes()), (Some(expected), encoded));
        assert_eq!(register::name(ConnectionId(array(&case["connection"]))), expected.name);
    }
}

#[test]
fn what_is_not_quite_an_entry_is_refused() {
    for case in list(&vectors()["refused_entries"]) {
        let read = <&[u8; ENTRY]>::try_from(bytes(&case["encoded"]).as_slice()).ok().map(Entry::from_bytes);
        assert_eq!(read.flatten(), None, "{}", case["why"]);
    }
}

#[test]
fn logs_have_the_roots_and_peaks_of_rfc_6962_at_every_size() {
    let vectors = vectors();
    let mut log = Frontier::default();
    let mut entries = list(&vectors["entries"]).iter();
    for case in list(&vectors["logs"]) {
        assert_eq!((log.size(), Hash(log.root())), (number(&case["size"]), hash(&case["root"])));
        assert_eq!(log.peaks(), hashes(&case["peaks"]));
        assert_eq!(Frontier::from_peaks(log.size(), &log.peaks()).map(|kept| kept.root()), Some(log.root()));
        if let Some(entry) = entries.next() {
            log.push(leaf(&bytes(&entry["encoded"])));
        }
    }
    assert!(entries.next().is_none(), "a log of every size");
}

#[test]
fn heads_are_the_scripts_byte_for_byte_and_verify() {
    let vectors = vectors();
    let identity = identity(&vectors);
    for case in list(&vectors["heads"]) {
        let (expected, signed) = (head(case), bytes(&case["signed"]));
        both_ways(&bytes(&case["encoded"]), &expected);
        assert_eq!(payload(&signed), bytes(&case["encoded"]));
        assert_eq!(register::head(&identity, &signed), Ok(expected));
        let kept: Kept = reads(&case["kept"]);
        assert_eq!((kept.head.0, kept.seal), (signed, hash(&case["seal"])));
        assert_eq!(kept.peaks, hashes(&case["peaks"]));
        let beside: Vec<Reached> = list(&case["reached"]).iter().map(reached).collect();
        assert_eq!(kept.reached, AllReached(beside));
        assert!(kept.reached.is_coherent());
    }
}

#[test]
fn what_contradicts_itself_is_no_list_of_epochs_beside_class_any() {
    for case in list(&vectors()["refused_reached"]) {
        let read = AllReached::from_bytes(&bytes(&case["encoded"])).map(|read| read.is_coherent());
        assert_ne!(read, Ok(true), "{}", case["why"]);
    }
}

#[test]
fn statements_are_the_scripts_byte_for_byte_and_each_follows_the_one_before() {
    let vectors = vectors();
    let identity = identity(&vectors);
    let mut before: Option<(Statement, Hash)> = None;
    for case in list(&vectors["statements"]) {
        let expected = statement(case);
        both_ways(&bytes(&case["encoded"]), &expected);
        let completion = register::completion(&identity, &bytes(&case["signed"])).unwrap();
        assert_eq!((&completion.statement, completion.hash), (&expected, hash(&case["hash"])));
        assert_eq!(expected.previous, before.as_ref().map(|(_, hash)| *hash));
        if let Some((earlier, _)) = &before {
            assert_eq!(register::later(earlier, &expected), Ok(()));
            assert_eq!(register::later(&expected, earlier), Err(Unproven::NotLater));
        }
        before = Some((expected, completion.hash));
    }
}

#[test]
fn what_is_known_of_a_wallets_words_outlives_every_other_entry_and_is_counted_of_the_absent() {
    let vectors = vectors();
    let wallets = &vectors["wallets"];
    let mut counted: BTreeMap<[u8; 32], Entry> = BTreeMap::new();
    for case in list(&wallets["log"]) {
        let read = entry(case);
        assert_eq!(read.to_bytes(), array(&case["encoded"]));
        counted.entry(read.name).and_modify(|known| *known = known.newer(read)).or_insert(read);
    }
    let expected: Vec<Entry> = list(&wallets["counted"]).iter().map(entry).collect();
    assert_eq!(counted.into_values().collect::<Vec<_>>(), expected);
    let expected = statement(&wallets["statement"]);
    both_ways(&bytes(&wallets["statement"]["encoded"]), &expected);
    let signed = bytes(&wallets["statement"]["signed"]);
    let completion = register::completion(&identity(&vectors), &signed).unwrap();
    assert_eq!((completion.statement.without_backup, completion.statement), (1, expected));
}

#[test]
fn destructions_are_the_scripts_byte_for_byte_and_name_their_grounds() {
    let vectors = vectors();
    let identity = identity(&vectors);
    let statements = list(&vectors["statements"]).iter();
    let statements: Vec<_> =
        statements.map(|case| register::completion(&identity, &bytes(&case["signed"])).unwrap()).collect();
    for case in list(&vectors["destructions"]) {
        let expected = destruction(case);
        both_ways(&bytes(&case["encoded"]), &expected);
        assert_eq!(register::destruction(&identity, &bytes(&case["signed"])), Ok(expected.clone()));
        for completion in &statements {
            let is_it = expected.destroyed.is_some() && completion.statement.class == expected.class;
            let grounded = if is_it { Ok(()) } else { Err(Unproven::OtherGrounds) };
            assert_eq!(register::destroyed_on(&expected, completion), grounded);
        }
    }
}

#[test]
fn m05_what_is_not_quite_signed_or_contradicts_itself_is_refused_with_its_own_code() {
    let vectors = vectors();
    let identity = identity(&vectors);
    let mut reached = BTreeSet::new();
    for case in list(&vectors["refused"]) {
        let signed = bytes(&case["signed"]);
        let refused = match text(&case["of"]) {
            "head" => register::head(&identity, &signed).err(),
            "statement" => register::completion(&identity, &signed).err(),
            "destruction" => register::destruction(&identity, &signed).err(),
            other => panic!("{other}"),
        };
        let code = refused.map(Unproven::code);
        assert_eq!(code, Some(text(&case["code"])), "{}: {}", case["of"], case["why"]);
        reached.extend(code);
    }
    assert_eq!(reached.len(), 4, "{reached:?}");
}

#[test]
fn no_signed_structure_passes_for_another() {
    let vectors = vectors();
    let identity = identity(&vectors);
    let signed = |of: &str| bytes(&vectors[of][0]["signed"]);
    let (head, statement, destruction) = (signed("heads"), signed("statements"), signed("destructions"));
    for other in [&statement, &destruction] {
        assert_eq!(register::head(&identity, other), Err(Unproven::Signature));
    }
    for other in [&head, &destruction] {
        assert_eq!(register::completion(&identity, other), Err(Unproven::Signature));
    }
    for other in [&head, &statement] {
        assert_eq!(register::destruction(&identity, other), Err(Unproven::Signature));
    }
}

#[test]
fn every_proof_leads_from_its_entry_to_the_statement_and_no_other_does() {
    let vectors = vectors();
    let statement = statement(&vectors["statements"][0]);
    let cases = list(&vectors["proofs"]);
    let leaves: Vec<_> = cases.iter().map(|case| leaf(&bytes(&case["entry"]))).collect();
    for (at, case) in cases.iter().enumerate() {
        let entry = bytes(&case["entry"]);
        let path = audit_path(&leaves, at).unwrap();
        let size = u64::try_from(leaves.len()).unwrap();
        let expected = Proof { version: 1, entry: entry.clone(), index: number(&case["index"]), size, path };
        both_ways(&bytes(&case["encoded"]), &expected);
        let included = register::included(&statement, &expected).unwrap();
        assert_eq!(included.to_bytes().as_slice(), entry);
    }
    for case in list(&vectors["refused_proofs"]) {
        let refused = register::included(&statement, &reads(&case["encoded"])).err();
        assert_eq!(refused.map(Unproven::code), Some(text(&case["code"])), "{}", case["why"]);
    }
}

#[test]
fn the_frames_of_a_rotation_are_the_scripts_byte_for_byte() {
    let vectors = vectors();
    let frames = &vectors["frames"];
    let steps: Vec<Conclude> = list(&frames["conclude"]).iter().map(reads).collect();
    let [
        Conclude::Begin(2, Class::Any),
        Conclude::Begin(1, Class::Owner),
        Conclude::Log(log),
        Conclude::Sorted(sorted),
        Conclude::Finish,
    ] = &steps[..]
    else {
        panic!("{steps:?}")
    };
    assert_eq!(log[ENTRY..], sorted[8..], "the second entry, after its place");
    assert_eq!(sorted[..8], 1_u64.to_be_bytes());
    let concluded: Vec<Concluded> = list(&frames["concluded"]).iter().map(reads).collect();
    assert_eq!((concluded[0].taken, &concluded[0].statement), (2, &None));
    let statement = bytes(&vectors["statements"][0]["signed"]);
    assert_eq!(concluded[1].statement.as_ref().map(|signed| &signed.0), Some(&statement));
    for (place, class) in [Class::Any, Class::Owner].into_iter().enumerate() {
        assert_eq!(reads::<Destroy>(&frames["destroy"][place]), Destroy { epoch: 1, absent: 1, class });
    }
    let destroyed: Destroyed = reads(&frames["destroyed"]);
    assert_eq!(
        (destroyed.already, destroyed.statement.0),
        (true, bytes(&vectors["destructions"][1]["signed"]))
    );
    let published: Published = reads(&frames["published"]);
    assert_eq!((published.statement.0, published.evidence), (statement, b"evidence".to_vec()));
}
