//! `vectors/freshness.json`: states, the map, and witnesses; and what shows or counts nothing.

use super::{array, both_ways, bytes, file, hash, hashes, list, number, optional, reads, small, text};
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;
use std::collections::BTreeSet;
use verify::map::{self, EMPTY, Mismatch, Part};
use verify::witness::{Cosignatures, Heard, Promises, Rules, Uncounted, Witnesses, examine};
use wire::evidence::Hash;
use wire::freshness::{
    Commit, Committed, ConnectionState, Found, Freshness, Leaf, Lookup, Mark, Taken, Witnessed,
    deployment_transcript, generation_of, group_transcript, simulation_transcript, term_of,
};
use wire::manifest::Signers;
use wire::rewrap::Bytes;
use wire::witness::{Accepted, Advance, Answer, Memory, Take, Why};
use wire::{BootId, Canonical};

fn vectors() -> Value {
    file("freshness.json")
}

fn signers(vectors: &Value) -> Signers {
    reads::<Witnessed>(&vectors["frames"]["witnessed"]).witnesses
}

fn witnesses(vectors: &Value) -> Witnesses {
    Witnesses::new(&signers(vectors)).unwrap()
}

fn take(value: &Value) -> Take {
    let [deployment, line, term, boot, nonce] = list(value) else { panic!("five values") };
    Take {
        deployment: hash(deployment),
        line: small(line),
        term: number(term),
        boot: BootId(array(boot)),
        nonce: hash(nonce),
    }
}

fn advance(value: &Value) -> Advance {
    let [deployment, line, term, boot, counter, head] = list(value) else { panic!("six values") };
    Advance {
        deployment: hash(deployment),
        line: small(line),
        term: number(term),
        boot: BootId(array(boot)),
        counter: number(counter),
        head: hash(head),
    }
}

/// What the answers in the file are to.
fn asked(vectors: &Value) -> (Take, Advance) {
    (take(&vectors["asked"]["takes"][0]["values"]), advance(&vectors["asked"]["advances"][0]["values"]))
}

fn sha256(bytes: &[u8]) -> Hash {
    Hash(digest(&SHA256, bytes).as_ref().try_into().unwrap())
}

#[test]
fn states_are_the_scripts_byte_for_byte() {
    for case in list(&vectors()["states"]) {
        let expected = ConnectionState {
            current: number(&case["current"]),
            pending: optional(&case["pending"], number),
            counter: number(&case["counter"]),
            last: optional(&case["last"], hash),
            over: case["over"].as_bool().unwrap(),
            grants: Vec::new(),
        };
        both_ways(&bytes(&case["encoded"]), &expected);
        assert!(expected.is_coherent());
    }
}

#[test]
fn m09_states_of_another_form_or_that_contradict_themselves_are_refused() {
    let vectors = vectors();
    for case in list(&vectors["malformed_states"]) {
        assert!(ConnectionState::from_bytes(&bytes(&case["encoded"])).is_err(), "{}", case["why"]);
    }
    for case in list(&vectors["incoherent_states"]) {
        assert!(!reads::<ConnectionState>(&case["encoded"]).is_coherent(), "{}", case["why"]);
    }
}

#[test]
fn maps_have_the_roots_of_the_specification_and_show_who_is_there_and_who_is_not() {
    for case in list(&vectors()["maps"]) {
        let root = array(&case["root"]);
        let mut part = Part::new(root);
        for shown in list(&case["shown"]) {
            let (name, state) = (array(&shown["name"]), optional(&shown["state"], bytes));
            // A proof is a member of a frame, and has its canonical form there.
            let frame = [&[0xa1, 0, 0x81][..], &bytes(&shown["encoded"])].concat();
            let [proof] = &Found::from_bytes(&frame).unwrap().proofs[..] else { panic!("one proof") };
            assert_eq!(map::find(&root, &name, proof), Ok(state.as_deref()));
            assert_eq!(part.show(&name, proof), Ok(state.as_deref()));
        }
        assert_eq!(part.root(), root);
        for change in list(&case["changes"]) {
            assert_eq!(part.set(&array(&change["name"]), &bytes(&change["state"])), Ok(()));
            assert_eq!(part.root(), array(&change["root"]));
        }
    }
}

#[test]
fn a_map_is_the_same_whatever_was_shown_of_it_in_which_order() {
    for case in list(&vectors()["maps"]) {
        let mut part = Part::new(EMPTY);
        for leaf in list(&case["leaves"]).iter().rev() {
            assert_eq!(part.set(&array(&leaf[0]), &bytes(&leaf[1])), Ok(()));
        }
        assert_eq!(part.root(), array(&case["root"]));
    }
}

#[test]
fn what_does_not_show_a_state_is_refused() {
    for case in list(&vectors()["refused_proofs"]) {
        let frame = [&[0xa1, 0, 0x81][..], &bytes(&case["encoded"])].concat();
        let found = Found::from_bytes(&frame).unwrap();
        let (root, name) = (array(&case["root"]), array(&case["name"]));
        assert_eq!(map::find(&root, &name, &found.proofs[0]), Err(Mismatch), "{}", case["why"]);
        assert_eq!(Part::new(root).show(&name, &found.proofs[0]), Err(Mismatch), "{}", case["why"]);
    }
}

#[test]
fn what_witnesses_are_asked_is_the_scripts_byte_for_byte_and_nothing_else_is_asked() {
    let vectors = vectors();
    let asked = &vectors["asked"];
    for case in list(&asked["takes"]) {
        both_ways(&bytes(&case["encoded"]), &take(&case["values"]));
        assert!(take(&case["values"]).has_form());
    }
    for case in list(&asked["advances"]) {
        both_ways(&bytes(&case["encoded"]), &advance(&case["values"]));
        assert!(advance(&case["values"]).has_form());
    }
    let has_form = |case: &Value| match text(&case[0]) {
        "take" => Take::from_bytes(&bytes(&case[1])).map(|take| take.has_form()),
        _ => Advance::from_bytes(&bytes(&case[1])).map(|advance| advance.has_form()),
    };
    for case in list(&asked["of_no_form"]) {
        assert_eq!(has_form(case), Ok(false), "{case}");
    }
    for case in list(&asked["malformed"]) {
        assert!(has_form(case).is_err(), "{case}");
    }
}

#[test]
fn every_answer_is_read_as_it_was_signed_and_counts() {
    let vectors = vectors();
    let (witnesses, (take, advance)) = (witnesses(&vectors), asked(&vectors));
    for case in list(&vectors["answers"]) {
        let (signed, expected) = (bytes(&case["signed"]), reads::<Answer>(&case["payload"]));
        let member = small(&case["member"]);
        assert_eq!(examine(&signed, witnesses.members()), Ok((member, expected)));
        let by_take = Promises::new(take).add(&witnesses, &signed);
        let by_advance = Cosignatures::new(advance).add(&witnesses, &signed);
        let refused = |why| if let Answer::Refused(refused) = why { Some(refused) } else { None };
        let counts = match text(&case["says"]) {
            "promise" => (Ok(Heard::Counted), Err(Uncounted::OtherQuestion)),
            "cosignature" => (Err(Uncounted::OtherQuestion), Ok(Heard::Counted)),
            // Both are of one line, term and start, by which a refusal is told.
            _ => {
                let heard = Ok(Heard::Refused(refused(expected).unwrap()));
                (heard, heard)
            }
        };
        assert_eq!((by_take, by_advance), counts, "{}", case["says"]);
    }
}

#[test]
fn m05_an_answer_by_nobody_known_or_to_another_question_counts_nothing() {
    let vectors = vectors();
    let (witnesses, (take, advance)) = (witnesses(&vectors), asked(&vectors));
    let mut reached = BTreeSet::new();
    for case in list(&vectors["uncounted"]) {
        let signed = bytes(&case["signed"]);
        let expected = match text(&case["uncounted"]) {
            "malformed" => Uncounted::Malformed,
            "unknown_key" => Uncounted::UnknownKey,
            "signature" => Uncounted::Signature,
            "other_question" => Uncounted::OtherQuestion,
            other => panic!("{other}"),
        };
        let (mut promises, mut cosignatures) = (Promises::new(take), Cosignatures::new(advance));
        assert_eq!(promises.add(&witnesses, &signed), Err(expected), "{}", case["why"]);
        assert_eq!(cosignatures.add(&witnesses, &signed), Err(expected), "{}", case["why"]);
        reached.insert(text(&case["uncounted"]));
    }
    assert_eq!(reached.len(), 4, "{reached:?}");
}

#[test]
fn two_of_three_promises_lead_to_the_highest_head_that_they_name() {
    let vectors = vectors();
    let (witnesses, (take, _)) = (witnesses(&vectors), asked(&vectors));
    for case in list(&vectors["quorums"]) {
        let mut promises = Promises::new(take);
        for promise in list(&case["promises"]) {
            assert_eq!(promises.add(&witnesses, &bytes(promise)), Ok(Heard::Counted));
            assert_eq!(promises.add(&witnesses, &bytes(promise)), Err(Uncounted::Twice));
        }
        let expected = match &case["comes_to"] {
            Value::String(word) if word == "waits" => None,
            Value::String(word) if word == "disagree" => Some(Err(())),
            Value::String(_) => Some(Ok(None)),
            head => Some(Ok(Some(Accepted {
                term: number(&head[0]),
                counter: number(&head[1]),
                head: hash(&head[2]),
            }))),
        };
        let term = promises.term(&witnesses);
        assert_eq!(term.map(|term| term.map(|term| term.from()).map_err(|_| ())), expected);
    }
}

#[test]
fn a_witness_answers_and_remembers_as_the_specification_says_from_its_first_day_on() {
    let vectors = vectors();
    let (mut rules, key) = (Rules::default(), hash(&vectors["rules"]["key"]));
    let mut reasons = BTreeSet::new();
    for (at, step) in list(&vectors["rules"]["steps"]).iter().enumerate() {
        let told = match (&step["take"], &step["advance"]) {
            (Value::Null, advance) => rules.advance(&reads(advance)).unwrap(),
            (take, _) => rules.take(&reads(take)).unwrap(),
        };
        assert_eq!(told.answer.to_bytes(), bytes(&step["says"]), "step {at}");
        let memory: Memory = reads(&step["memory"]);
        assert_eq!(rules.memory(key), memory, "step {at}");
        assert_eq!(Rules::remember(&memory).as_ref(), Some(&rules));
        if let Answer::Refused(refused) = told.answer {
            reasons.insert(format!("{:?}", refused.why));
        }
    }
    let all =
        [Why::TermTaken, Why::TermLeaps, Why::NotPromised, Why::CounterUsed].map(|why| format!("{why:?}"));
    assert_eq!(reasons, all.into());
}

#[test]
fn deployments_and_keys_have_the_names_of_the_specification() {
    let vectors = vectors();
    let signers = signers(&vectors);
    assert_eq!(signers.to_bytes(), bytes(&vectors["witnesses"]["signers"]));
    let names = signers.members.iter().map(|member| Hash(verify::manifest::key_name(&member.key)));
    assert_eq!(names.collect::<Vec<_>>(), hashes(&vectors["witnesses"]["names"]));
    for case in list(&vectors["deployments"]) {
        let transcript = match text(&case["of"]) {
            "manifest" => deployment_transcript(text(&case["name"]), &hash(&case["commitment"])),
            _ => simulation_transcript(&bytes(&case["witnesses"])),
        };
        assert_eq!(sha256(&transcript), hash(&case["deployment"]));
    }
}

#[test]
fn witnesses_who_replaced_others_have_a_name_and_terms_of_their_own() {
    let vectors = vectors();
    let (whole, some) = (vectors["frames"]["witnessed"].clone(), &vectors["frames"]["witnessed_later"]);
    for case in list(&vectors["groups"]) {
        let (generation, keys) = (small(&case["generation"]), sha256(&bytes(&case["signers"])));
        let transcript = group_transcript(&hash(&case["deployment"]), generation, &keys);
        assert_eq!(sha256(&transcript), hash(&case["name"]));
    }
    for case in list(&vectors["terms"]) {
        let generation = small(&case["generation"]);
        let term = term_of(generation, number(&case["promised"]));
        assert_eq!(term, optional(&case["term"], number));
        assert!(term.is_none_or(|term| generation_of(term) == u64::from(generation)));
    }
    let (first, later): (Witnessed, Witnessed) = (reads(&whole), reads(some));
    assert_eq!((first.replaced, &first.witnesses), (None, &later.witnesses));
    let replaced = later.replaced.unwrap();
    assert_eq!((replaced.generation, replaced.former.members.len()), (u16::MAX, 1));
}

#[test]
fn the_frames_of_a_line_are_the_scripts_byte_for_byte() {
    let vectors = vectors();
    let (frames, (_, advance)) = (&vectors["frames"], asked(&vectors));
    let (lookup, found): (Lookup, Found) = (reads(&frames["lookup"]), reads(&frames["found"]));
    assert_eq!((lookup.line, lookup.names.len(), found.proofs.len()), (0, 2, 2));
    let leaves: Vec<&Leaf> = found.proofs.iter().filter_map(|proof| proof.leaf.as_ref()).collect();
    assert!(leaves.iter().zip(&lookup.names).all(|(leaf, name)| leaf.name == *name));
    let taken: Taken = reads(&frames["taken"]);
    assert_eq!((taken.line, taken.term, taken.answers.len(), taken.links.len()), (0, 7, 1, 2));
    let kept = taken.kept.unwrap().0;
    let commit: Commit = reads(&frames["commit"]);
    assert_eq!((commit.advance, commit.kept), (Bytes(advance.to_bytes()), kept));
    assert_eq!((commit.chapter, commit.first, commit.entries.len()), (1, 3, 77));
    assert_eq!(commit.leaves.iter().collect::<Vec<_>>(), leaves);
    let committed: Committed = reads(&frames["committed"]);
    assert_eq!((committed.line, committed.term, committed.counter), (0, 7, 4));
    let witnesses = witnesses(&vectors);
    let mut cosignatures = Cosignatures::new(advance);
    for Bytes(answer) in &committed.answers {
        assert!(cosignatures.commit(&witnesses).is_none());
        assert_eq!(cosignatures.add(&witnesses, answer), Ok(Heard::Counted));
    }
    assert_eq!(cosignatures.commit(&witnesses).map(|commit| *commit.advance()), Some(advance));
    let mark = Mark { line: 0, term: 7, counter: 4, head: advance.head };
    both_ways(&bytes(&frames["mark"]), &mark);
    let freshness: Freshness = reads(&frames["freshness"]);
    assert_eq!((freshness.lines, freshness.threshold, freshness.witnesses), (1, 2, 3));
    assert_eq!(freshness.keys, sha256(&signers(&vectors).to_bytes()));
}
