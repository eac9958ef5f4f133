use super::*;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use wire::BootId;
use wire::evidence::Hash;
use wire::manifest::SigningKey;
use wire::owner::OwnerAlgorithm;
use wire::witness::{MAX_LEAP, MAX_REMEMBERED, Promise, Why};

const TAKE: Take =
    Take { deployment: Hash([1; 32]), line: 0, term: 7, boot: BootId([2; 16]), nonce: Hash([3; 32]) };
const ADVANCE: Advance = Advance {
    deployment: TAKE.deployment,
    line: TAKE.line,
    term: TAKE.term,
    boot: TAKE.boot,
    counter: 4,
    head: Hash([5; 32]),
};

/// A witness's key, of either algorithm.
enum Key {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl Key {
    fn new(number: u8) -> Key {
        match number % 2 {
            0 => Key::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap()),
            _ => Key::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
        }
    }

    fn public(&self) -> SigningKey {
        let (algorithm, public) = match self {
            Key::Ed25519(pair) => (OwnerAlgorithm::EdDsa, pair.public_key().as_ref()),
            Key::P256(pair) => (OwnerAlgorithm::Es256, pair.public_key().as_ref()),
        };
        SigningKey { algorithm, public: public.to_vec() }
    }

    fn sign(&self, answer: &Answer) -> Vec<u8> {
        self.sign_under(domain::WITNESS, &answer.to_bytes())
    }

    fn sign_under(&self, domain: &str, payload: &[u8]) -> Vec<u8> {
        let algorithm = algorithm_of(self.public().algorithm).0;
        let protected = Protected { algorithm, key: key_name(&self.public()) }.to_bytes();
        let signed = cose::to_be_signed(&protected, domain, payload);
        let signature = match self {
            Key::Ed25519(pair) => pair.sign(&signed).as_ref().to_vec(),
            Key::P256(pair) => pair.sign(&SystemRandom::new(), &signed).unwrap().as_ref().to_vec(),
        };
        Sign1 { protected: &protected, payload: Some(payload), signature: &signature }.to_bytes()
    }
}

fn keys(number: u8) -> Vec<Key> {
    (0..number).map(Key::new).collect()
}

fn signers(threshold: u8, keys: &[Key]) -> Signers {
    let member = |(at, key): (usize, &Key)| Signer { alias: format!("w{at}"), key: key.public() };
    Signers { threshold, members: keys.iter().enumerate().map(member).collect() }
}

fn promise(accepted: Option<Accepted>) -> Answer {
    Answer::Promise(Promise { take: TAKE, accepted })
}

fn at(term: u64, counter: u64, head: u8) -> Option<Accepted> {
    Some(Accepted { term, counter, head: Hash([head; 32]) })
}

#[test]
fn a_threshold_of_half_or_more_than_all_or_a_key_twice_is_no_set_of_witnesses() {
    let keys = keys(5);
    for (threshold, number, accepted) in [
        (0, 0, false),
        (1, 1, true),
        (1, 2, false),
        (2, 2, true),
        (2, 4, false),
        (3, 4, true),
        (3, 5, true),
        (6, 5, false),
    ] {
        let witnesses = Witnesses::new(&signers(threshold, &keys[..number]));
        assert_eq!(witnesses.is_some(), accepted, "{threshold} of {number}");
    }
    let mut twice = signers(2, &keys[..3]);
    twice.members[2].key = twice.members[0].key.clone();
    assert_eq!(Witnesses::new(&twice), None);
}

#[test]
fn a_term_needs_the_threshold_of_different_witnesses() {
    let keys = keys(3);
    let witnesses = Witnesses::new(&signers(2, &keys)).unwrap();
    let mut promises = Promises::new(TAKE);
    assert_eq!(promises.add(&witnesses, &keys[0].sign(&promise(None))), Ok(Heard::Counted));
    // Signed anew, so the bytes of an ES256 signature differ: the key counts, not the bytes.
    assert_eq!(promises.add(&witnesses, &keys[0].sign(&promise(None))), Err(Uncounted::Twice));
    assert!(promises.term(&witnesses).is_none());
    assert_eq!(promises.add(&witnesses, &keys[1].sign(&promise(None))), Ok(Heard::Counted));
    assert_eq!(promises.term(&witnesses).unwrap().unwrap().from(), None);
}

#[test]
fn the_head_to_go_on_from_is_the_one_of_the_highest_term_and_in_it_of_the_highest_counter() {
    let keys = keys(3);
    let witnesses = Witnesses::new(&signers(3, &keys)).unwrap();
    let from = |heads: [Option<Accepted>; 3]| {
        let mut promises = Promises::new(TAKE);
        for (key, accepted) in keys.iter().zip(heads) {
            promises.add(&witnesses, &key.sign(&promise(accepted))).unwrap();
        }
        promises.term(&witnesses).unwrap().map(|term| term.from())
    };
    assert_eq!(from([at(1, 9, 1), at(2, 3, 2), at(2, 2, 3)]), Ok(at(2, 3, 2)));
    assert_eq!(from([None, at(1, 1, 1), at(1, 1, 1)]), Ok(at(1, 1, 1)));
    assert_eq!(from([at(2, 2, 2), at(2, 2, 3), at(9, 9, 9)]), Err(Disagree));
}

#[test]
fn a_commit_needs_the_threshold_of_different_witnesses() {
    let keys = keys(3);
    let witnesses = Witnesses::new(&signers(2, &keys)).unwrap();
    let mut cosignatures = Cosignatures::new(ADVANCE);
    let cosigned = Answer::Cosignature(ADVANCE);
    for (key, expected, committed) in [
        (0, Ok(Heard::Counted), false),
        (0, Err(Uncounted::Twice), false),
        (2, Ok(Heard::Counted), true),
        (1, Ok(Heard::Counted), true),
    ] {
        assert_eq!(cosignatures.add(&witnesses, &keys[key].sign(&cosigned)), expected);
        assert_eq!(cosignatures.commit(&witnesses).is_some(), committed);
    }
}

#[test]
fn an_answer_to_any_other_question_does_not_count() {
    let keys = keys(1);
    let witnesses = Witnesses::new(&signers(1, &keys)).unwrap();
    let others = [
        Take { deployment: Hash([9; 32]), ..TAKE },
        Take { line: 1, ..TAKE },
        Take { term: 8, ..TAKE },
        Take { boot: BootId([9; 16]), ..TAKE },
        Take { nonce: Hash([9; 32]), ..TAKE },
    ];
    let mut promises = Promises::new(TAKE);
    for take in others {
        let answer = keys[0].sign(&Answer::Promise(Promise { take, accepted: None }));
        assert_eq!(promises.add(&witnesses, &answer), Err(Uncounted::OtherQuestion), "{take:?}");
    }
    let cosignature = keys[0].sign(&Answer::Cosignature(ADVANCE));
    assert_eq!(promises.add(&witnesses, &cosignature), Err(Uncounted::OtherQuestion));
    assert!(promises.term(&witnesses).is_none());

    let others = [
        Advance { deployment: Hash([9; 32]), ..ADVANCE },
        Advance { line: 1, ..ADVANCE },
        Advance { term: 8, ..ADVANCE },
        Advance { boot: BootId([9; 16]), ..ADVANCE },
        Advance { counter: 5, ..ADVANCE },
        Advance { head: Hash([9; 32]), ..ADVANCE },
    ];
    let mut cosignatures = Cosignatures::new(ADVANCE);
    for advance in others {
        let answer = keys[0].sign(&Answer::Cosignature(advance));
        assert_eq!(cosignatures.add(&witnesses, &answer), Err(Uncounted::OtherQuestion), "{advance:?}");
    }
    assert_eq!(cosignatures.add(&witnesses, &keys[0].sign(&promise(None))), Err(Uncounted::OtherQuestion));
    assert!(cosignatures.commit(&witnesses).is_none());
}

#[test]
fn a_refusal_counts_as_one_only_for_who_asked() {
    let keys = keys(1);
    let witnesses = Witnesses::new(&signers(1, &keys)).unwrap();
    let Take { deployment, line, term, boot, .. } = TAKE;
    let refused = Refused { deployment, line, term, boot, why: Why::TermTaken, promised: 9, accepted: None };
    let answer = keys[0].sign(&Answer::Refused(refused));
    assert_eq!(Promises::new(TAKE).add(&witnesses, &answer), Ok(Heard::Refused(refused)));
    let other = Take { boot: BootId([9; 16]), ..TAKE };
    assert_eq!(Promises::new(other).add(&witnesses, &answer), Err(Uncounted::OtherQuestion));
    let other = Advance { term: 8, ..ADVANCE };
    assert_eq!(Cosignatures::new(other).add(&witnesses, &answer), Err(Uncounted::OtherQuestion));
}

#[test]
fn m05_every_altered_byte_of_an_answer_is_refused() {
    for key in keys(2) {
        let witnesses = Witnesses::new(&signers(1, core::slice::from_ref(&key))).unwrap();
        let answer = key.sign(&promise(at(3, 2, 1)));
        assert!(examine(&answer, witnesses.members()).is_ok());
        for place in 0..answer.len() {
            let mut altered = answer.clone();
            altered[place] ^= 1;
            assert!(examine(&altered, witnesses.members()).is_err(), "byte {place}");
            assert!(examine(&answer[..place], witnesses.members()).is_err(), "cut at {place}");
        }
    }
}

#[test]
fn m04_a_signature_by_a_stranger_under_another_purpose_or_detached_does_not_count() {
    let keys = keys(3);
    let members = signers(1, &keys[..1]).members;
    let answer = promise(None);
    let stranger = examine(&keys[2].sign(&answer), &members);
    assert_eq!(stranger, Err(Uncounted::UnknownKey));
    let purpose = keys[0].sign_under(domain::MANIFEST_APPROVAL, &answer.to_bytes());
    assert_eq!(examine(&purpose, &members), Err(Uncounted::Signature));
    let signed = keys[0].sign(&answer);
    let sign1 = Sign1::from_bytes(&signed).unwrap();
    let detached = Sign1 { payload: None, ..sign1 }.to_bytes();
    assert_eq!(examine(&detached, &members), Err(Uncounted::Malformed));
    let short = Sign1 { signature: &sign1.signature[..63], ..sign1 }.to_bytes();
    assert_eq!(examine(&short, &members), Err(Uncounted::Signature));
    let other = Protected { algorithm: cose::ES256, key: key_name(&keys[0].public()) }.to_bytes();
    let other_algorithm = Sign1 { protected: &other, ..sign1 }.to_bytes();
    assert_eq!(examine(&other_algorithm, &members), Err(Uncounted::UnknownKey));
}

fn refused_for(told: Option<Told>) -> Why {
    match told {
        Some(Told { answer: Answer::Refused(refused), changed: false }) => refused.why,
        other => panic!("not refused: {other:?}"),
    }
}

fn is_accepted(told: Option<Told>, expected: Answer, changed: bool) {
    assert_eq!(told, Some(Told { answer: expected, changed }));
}

#[test]
fn a_term_is_promised_once_and_never_a_lower_one_or_one_far_above() {
    let mut rules = Rules::default();
    is_accepted(rules.take(&TAKE), promise(None), true);
    for term in [1, TAKE.term] {
        assert_eq!(refused_for(rules.take(&Take { term, ..TAKE })), Why::TermTaken);
    }
    let leap = Take { term: TAKE.term + MAX_LEAP, ..TAKE };
    let too_far = Take { term: leap.term + 1, ..TAKE };
    assert_eq!(refused_for(rules.take(&too_far)), Why::TermLeaps);
    is_accepted(rules.take(&leap), Answer::Promise(Promise { take: leap, accepted: None }), true);
}

#[test]
fn a_promise_names_the_head_that_was_accepted_whatever_the_term() {
    let mut rules = Rules::default();
    rules.take(&TAKE).unwrap();
    is_accepted(rules.advance(&ADVANCE), Answer::Cosignature(ADVANCE), true);
    for term in [8, 9] {
        let take = Take { term, ..TAKE };
        let accepted = Some(ADVANCE.accepted());
        is_accepted(rules.take(&take), Answer::Promise(Promise { take, accepted }), true);
    }
}

#[test]
fn nothing_is_accepted_but_from_the_start_and_in_the_term_that_was_promised() {
    let mut rules = Rules::default();
    assert_eq!(refused_for(rules.advance(&ADVANCE)), Why::NotPromised);
    rules.take(&TAKE).unwrap();
    for other in [
        Advance { term: 6, ..ADVANCE },
        Advance { term: 8, ..ADVANCE },
        Advance { boot: BootId([9; 16]), ..ADVANCE },
        Advance { line: 1, ..ADVANCE },
        Advance { deployment: Hash([9; 32]), ..ADVANCE },
    ] {
        assert_eq!(refused_for(rules.advance(&other)), Why::NotPromised, "{other:?}");
    }
    // A head that was accepted once is not accepted again after another term was promised.
    rules.advance(&ADVANCE).unwrap();
    rules.take(&Take { term: 8, boot: BootId([9; 16]), ..TAKE }).unwrap();
    assert_eq!(refused_for(rules.advance(&ADVANCE)), Why::NotPromised);
}

#[test]
fn one_place_of_a_term_has_one_head() {
    let mut rules = Rules::default();
    rules.take(&TAKE).unwrap();
    rules.advance(&ADVANCE).unwrap();
    is_accepted(rules.advance(&ADVANCE), Answer::Cosignature(ADVANCE), false);
    for other in [Advance { head: Hash([6; 32]), ..ADVANCE }, Advance { counter: 3, ..ADVANCE }] {
        assert_eq!(refused_for(rules.advance(&other)), Why::CounterUsed, "{other:?}");
    }
    let next = Advance { counter: 5, head: Hash([6; 32]), ..ADVANCE };
    is_accepted(rules.advance(&next), Answer::Cosignature(next), true);
    assert_eq!(refused_for(rules.advance(&ADVANCE)), Why::CounterUsed);
}

#[test]
fn a_new_term_may_go_on_from_a_lower_counter() {
    let mut rules = Rules::default();
    rules.take(&TAKE).unwrap();
    rules.advance(&ADVANCE).unwrap();
    rules.take(&Take { term: 8, ..TAKE }).unwrap();
    let lower = Advance { term: 8, counter: 2, ..ADVANCE };
    is_accepted(rules.advance(&lower), Answer::Cosignature(lower), true);
}

#[test]
fn lines_know_nothing_of_each_other_and_there_are_only_so_many() {
    let mut rules = Rules::default();
    for number in 0..MAX_REMEMBERED {
        let mut deployment = Hash([0; 32]);
        deployment.0[..8].copy_from_slice(&u64::try_from(number / 64).unwrap().to_be_bytes());
        let take = Take { deployment, line: u8::try_from(number % 64).unwrap(), ..TAKE };
        is_accepted(rules.take(&take), Answer::Promise(Promise { take, accepted: None }), true);
    }
    assert_eq!(refused_for(rules.take(&TAKE)), Why::Full);
    assert_eq!(rules.take(&Take { line: 64, ..TAKE }), None);
}

#[test]
fn a_witness_that_was_started_again_goes_on_from_its_memory() {
    let mut rules = Rules::default();
    rules.take(&TAKE).unwrap();
    rules.advance(&ADVANCE).unwrap();
    rules.take(&Take { line: 1, ..TAKE }).unwrap();
    let memory = rules.memory(Hash([8; 32]));
    assert_eq!(wire::witness::Memory::from_bytes(&memory.to_bytes()).as_ref(), Ok(&memory));
    assert_eq!(Rules::remember(&memory), Some(rules));
}

#[test]
fn a_memory_that_these_rules_cannot_have_written_is_none() {
    let mut rules = Rules::default();
    rules.take(&TAKE).unwrap();
    rules.advance(&ADVANCE).unwrap();
    rules.take(&Take { line: 1, ..TAKE }).unwrap();
    let memory = rules.memory(Hash([8; 32]));
    let altered = |alter: &dyn Fn(&mut wire::witness::Memory)| {
        let mut altered = memory.clone();
        alter(&mut altered);
        Rules::remember(&altered)
    };
    assert!(altered(&|_| ()).is_some());
    assert!(altered(&|memory| memory.version = 2).is_none());
    assert!(altered(&|memory| memory.lines.swap(0, 1)).is_none());
    assert!(altered(&|memory| memory.lines[1].line = 0).is_none());
    assert!(altered(&|memory| memory.lines[1].line = 64).is_none());
    assert!(altered(&|memory| memory.lines[1].term = 0).is_none());
    assert!(altered(&|memory| memory.lines[0].accepted.as_mut().unwrap().term = 8).is_none());
    assert!(altered(&|memory| memory.lines[0].accepted.as_mut().unwrap().counter = 0).is_none());
}
