//! Envelopes of class `owner` on their way to another program: by their owner's word, and everyone who tries without it.

mod crashes;
mod scene;

use crate::support::keeper::Keeper;
use crate::support::{Machine, Owner};
use crate::vendor::Vendor;
use aws_lc_rs::digest::{SHA256, digest};
use scene::{NEW, NONCE, OLD, Scene, another_any, credential, generation, program};
use verify::hpke::{Info, PublicKey};
use wire::consent::Class;
use wire::envelope::{Envelope, body_of};
use wire::evidence::Hash;
use wire::identity::{SUITE, TeeKind};
use wire::manifest::Program;
use wire::moving::{Capsule, info};
use wire::operation::{Inspected, Op, Rotated};
use wire::register::Kept;
use wire::{Canonical, Refusal};

#[test]
fn heads_say_the_epochs_of_both_programs_whichever_has_the_line_and_neither_lowers_the_others() {
    let scene = Scene::new();
    let (mut old, new) = scene.two();
    let name = |measured| Some(verify::consent::program_name(&program(measured)));
    let both = [(name(OLD), 1, 1), (name(NEW), 2, 2)];
    let said = |machine: &Machine| {
        let kept = Kept::from_bytes(machine.keeper.kept.as_ref().unwrap()).unwrap();
        let owners = kept.reached.0.iter().filter(|one| one.class == Class::Owner);
        let mut said: Vec<_> = owners.map(|one| (one.program, one.oldest, one.current)).collect();
        said.sort_by_key(|(_, _, current)| *current);
        said
    };
    assert_eq!((said(&old), said(&new)), (both[..1].to_vec(), both.to_vec()));
    old = scene.old_on(new.keeper.clone());
    assert!(Owner::of_class(Class::Owner).ask(&mut old, Op::Inspect).is_ok(), "an older epoch, of its own");
    assert_eq!(said(&old), both);
    assert_eq!(said(&scene.new_on(old.keeper.clone())), both);
}

#[test]
fn an_envelope_moves_to_a_newer_program_by_its_owners_word_and_the_old_one_is_stale_everywhere() {
    let scene = Scene::new();
    let (mut old, mut new) = scene.two();
    let mut owner = Owner::of_class(Class::Owner);
    let before = owner.envelope.clone();
    assert_eq!(
        owner.ask(&mut new, Op::Inspect),
        Err(Refusal::UnknownEpoch),
        "the new program opens nothing of it"
    );

    let capsule = scene.hand_on(&mut owner, &mut old, &mut new).unwrap();
    let result = scene.take_in(&mut owner, &mut new, &capsule).unwrap();
    let rotated = Rotated::from_bytes(&result).unwrap();
    assert_eq!((rotated.generation, rotated.epoch), (2, 2));
    owner.envelope = rotated.envelope;
    let inspected = Inspected::from_bytes(&owner.ask(&mut new, Op::Inspect).unwrap()).unwrap();
    assert_eq!((inspected.class, inspected.current), (Class::Owner, false), "until it is stored");
    owner.ask(&mut new, Op::Acknowledge).unwrap();
    assert_eq!(credential(&mut owner, &mut new), owner.credential);
    let parsed = [&before, &owner.envelope].map(|envelope| Envelope::from_bytes(envelope).unwrap());
    assert_ne!(
        parsed[0].commitment, parsed[1].commitment,
        "the data key is one that the old program never had"
    );

    // Neither the capsule nor the old envelope is of use again, here or where the old program has the line once more.
    let after = std::mem::replace(&mut owner.envelope, before);
    assert_eq!(scene.take_in(&mut owner, &mut new, &capsule), Err(Refusal::StaleGeneration));
    let again = scene.hand_on(&mut owner, &mut old, &mut new).unwrap();
    assert_eq!(scene.take_in(&mut owner, &mut new, &again), Err(Refusal::StaleGeneration));
    let mut back = scene.old_on(new.keeper.clone());
    assert_eq!(owner.ask(&mut back, Op::Inspect), Err(Refusal::StaleGeneration));
    owner.envelope = after;
    assert_eq!(
        owner.ask(&mut back, Op::Inspect),
        Err(Refusal::UnknownEpoch),
        "and the old program opens no new one"
    );
}

#[test]
fn an_enclave_without_its_line_hands_on_and_does_nothing_else() {
    let scene = Scene::new();
    let (mut old, mut new) = scene.two();
    let mut owner = Owner::of_class(Class::Owner);
    old.pass(20_000);
    let draft = owner.draft(&old, Op::Inspect).now(&old);
    assert_eq!(owner.ask_draft(&mut old, &draft), Err(Refusal::LineLost), "another start has it");
    let last = owner.last;
    new.pass(20_000);
    let capsule = scene.hand_on(&mut owner, &mut old, &mut new).unwrap();
    assert_eq!(owner.last, last, "it moves nobody's chain of receipts");
    assert!(scene.take_in(&mut owner, &mut new, &capsule).is_ok());
    // One that never had a line neither.
    let mut without = scene.old_aside();
    without.pass(20_000);
    let draft = owner.draft(&without, Op::Inspect).now(&without);
    assert_eq!(owner.ask_draft(&mut without, &draft), Err(Refusal::NoQuorum));
    assert!(scene.hand_on(&mut owner, &mut without, &mut new).is_ok());
}

#[test]
fn what_was_superseded_or_given_up_is_handed_on_in_vain() {
    let scene = Scene::new();
    let mut first = scene.old_on(Keeper::new(1, 1));
    let (mut stale, mut gone) = (Owner::of_class(Class::Owner), Owner::of_class(Class::Owner));
    let before = stale.envelope.clone();
    stale.envelope = scene::rotated(&mut stale, &mut first);
    stale.ask(&mut first, Op::Acknowledge).unwrap();
    gone.ask(&mut first, Op::Forget).unwrap();
    let (mut old, mut new) = (scene.old_aside(), scene.new_on(first.keeper.clone()));
    // An old program's enclave without the line knows nothing of it; the one that takes it in does.
    stale.envelope = before;
    for (owner, refusal) in [(&mut stale, Refusal::StaleGeneration), (&mut gone, Refusal::Forgotten)] {
        let capsule = scene.hand_on(owner, &mut old, &mut new).unwrap();
        assert_eq!(scene.take_in(owner, &mut new, &capsule), Err(refusal));
        // With the line it is refused at once.
        assert_eq!(scene.hand_on(owner, &mut first, &mut new), Err(refusal));
    }
}

#[test]
fn handing_on_takes_both_factors_and_witnesses_and_taking_in_the_device_key() {
    let scene = Scene::new();
    let (mut old, mut new) = scene.two();
    let mut owner = Owner::of_class(Class::Owner);
    let draft = scene.hand_on_draft(&owner, &old, &mut new);
    assert_eq!(owner.ask_draft(&mut old, &draft), Err(Refusal::SecondFactorNeeded));
    let draft = scene.hand_on_draft(&owner, &old, &mut new);
    let second = draft.seal(&[&owner.second]);
    let answer = old.request(&second.bytes);
    assert_eq!(second.open(answer, &old).result, Err(Refusal::NotAuthorised));
    let stranger = Owner::eddsa();
    let strange = draft.seal(&[&stranger.device, &stranger.second]);
    let answer = old.request(&strange.bytes);
    assert_eq!(strange.open(answer, &old).result, Err(Refusal::NotAuthorised));
    let capsule = scene.hand_on(&mut owner, &mut old, &mut new).unwrap();
    let draft = scene.take_in_draft(&owner, &new, &capsule);
    let strange = draft.seal(&[&stranger.device]);
    let answer = new.request(&strange.bytes);
    assert_eq!(strange.open(answer, &new).result, Err(Refusal::NotAuthorised));
    assert!(owner.ask_draft(&mut new, &draft).is_ok());

    let mut unwitnessed = scene.old_on(Keeper::new(0, 0));
    assert_eq!(scene.hand_on(&mut owner, &mut unwitnessed, &mut new), Err(Refusal::NoQuorum));
}

#[test]
fn only_class_owner_is_handed_on_and_only_where_operators_approved_a_manifest() {
    let scene = Scene::new();
    let (mut old, mut new) = scene.two();
    for class in [Class::Any, Class::Delayed] {
        let mut owner = Owner::of_class(class);
        assert_eq!(scene.hand_on(&mut owner, &mut old, &mut new), Err(Refusal::NothingToHandOn), "{class}");
        // Nor does the other end take in what is not of that class.
        let mut theirs = Owner::of_class(Class::Owner);
        let capsule = scene.hand_on(&mut theirs, &mut old, &mut new).unwrap();
        assert_eq!(scene.take_in(&mut owner, &mut new, &capsule), Err(Refusal::CapsuleRefused), "{class}");
    }
    let mut owner = Owner::of_class(Class::Owner);
    let mut simulation = scene.of_a_host();
    assert_eq!(scene.hand_on(&mut owner, &mut simulation, &mut new), Err(Refusal::NothingToHandOn));
}

#[test]
fn m06_nothing_is_handed_on_but_to_the_program_that_the_owner_named_proven_freshly() {
    let scene = Scene::new();
    let (mut old, mut new) = scene.two();
    let mut owner = Owner::of_class(Class::Owner);
    let evidence = new.evidence(NONCE).to_bytes();
    let mut refuses = |evidence: &[u8], nonce: [u8; 32], named: Program, why: &str| {
        let draft = scene.draft_of(&owner, &old, evidence.to_vec(), nonce, named);
        assert_eq!(owner.ask_twice_signed(&mut old, &draft), Err(Refusal::ProgramRefused), "{why}");
    };
    refuses(&evidence, [9; 32], program(NEW), "evidence for another nonce");
    refuses(&evidence, NONCE, program(OLD), "another program than it names");
    refuses(&evidence, NONCE, Program { registers: Vec::new(), ..program(NEW) }, "no register named");
    refuses(&evidence, NONCE, program(0), "a register of zeros");
    refuses(&evidence, NONCE, Program { tee: TeeKind::SevSnp, ..program(NEW) }, "another kind of TEE");
    let mut both = program(NEW);
    both.registers.push(both.registers[0].clone());
    refuses(&evidence, NONCE, both, "a register twice");
    let mut more = program(NEW);
    more.registers.push(wire::manifest::Register { name: "PCR1".into(), value: [9; 48] });
    refuses(&evidence, NONCE, more, "one register of two");
    for at in (0..evidence.len()).step_by(97) {
        let mut altered = evidence.clone();
        altered[at] ^= 1;
        refuses(&altered, NONCE, program(NEW), "an altered byte");
    }
    let unlisted = scene.of_program(3).evidence(NONCE).to_bytes();
    refuses(&unlisted, NONCE, program(3), "a program that no manifest lists");
    let strange = Scene::new();
    let unvouched = strange.new_on(Keeper::new(1, 1)).evidence(NONCE).to_bytes();
    refuses(&unvouched, NONCE, program(NEW), "a vendor that nobody believes");
    let other_root = scene.with_roots(NEW, another_any()).evidence(NONCE).to_bytes();
    refuses(&other_root, NONCE, program(NEW), "the program with somebody else's roots");
    old.pass(11 * 60_000);
    old.claim(crate::support::NOW.plus(11 * 60_000));
    let draft = scene.draft_of(&owner, &old, evidence.clone(), NONCE, program(NEW)).now(&old);
    assert_eq!(
        owner.ask_twice_signed(&mut old, &draft),
        Err(Refusal::ProgramRefused),
        "ten minutes are over"
    );
}

#[test]
fn m13_a_capsule_is_for_one_envelope_and_one_enclave_and_nobody_alters_it() {
    let scene = Scene::new();
    let (mut old, mut new) = scene.two();
    let (mut owner, mut other) = (Owner::of_class(Class::Owner), Owner::of_class(Class::Owner));
    let capsule = scene.hand_on(&mut owner, &mut old, &mut new).unwrap();
    let refuses = |owner: &mut Owner, new: &mut Machine, capsule: &Capsule, why: &str| {
        assert_eq!(scene.take_in(owner, new, capsule), Err(Refusal::CapsuleRefused), "{why}");
    };
    for (at, length) in
        [(0, 1), (1, capsule.encapsulated.len()), (2, capsule.ciphertext.len()), (3, 1), (4, 32)]
    {
        for place in [0, length / 2, length - 1] {
            let mut altered = capsule.clone();
            match at {
                0 => altered.key ^= 1,
                1 => altered.encapsulated[place] ^= 1,
                2 => altered.ciphertext[place] ^= 1,
                3 => altered.epoch += 1,
                _ => altered.seal.0[place] ^= 1,
            }
            refuses(&mut owner, &mut new, &altered, &format!("member {at}, byte {place}"));
        }
    }
    refuses(&mut other, &mut new, &capsule, "another owner's envelope");
    let mut replica = scene.new_on(new.keeper.clone());
    refuses(&mut owner, &mut replica, &capsule, "another start of the same program");
    // An earlier generation of the same connection is another envelope.
    let before = std::mem::take(&mut owner.envelope);
    owner.envelope = {
        let mut envelope = Envelope::from_bytes(&before).unwrap();
        envelope.header.generation += 1;
        envelope.to_bytes()
    };
    refuses(&mut owner, &mut new, &capsule, "another generation");
    owner.envelope = before;
    let mut without = scene.with_roots(NEW, crate::support::roots(1));
    let refused = scene.take_in(&mut owner, &mut without, &capsule);
    assert_eq!(refused, Err(Refusal::ClassNotHeld), "a program without a root of the class");
}

#[test]
fn nobody_without_the_root_makes_up_a_capsule() {
    let scene = Scene::new();
    let (_, mut new) = scene.two();
    // An owner who makes an envelope up: share, keys and contents are theirs to choose, the root is not.
    let mut owner = Owner::of_class(Class::Owner);
    let identity = new.identity();
    let payload = Hash(crate::support::sha256(body_of(&owner.envelope).unwrap()));
    let name: [u8; 32] = digest(&SHA256, &identity.0).as_ref().try_into().unwrap();
    let key = &identity.1.hpke_keys[0];
    let public = PublicKey::parse(key.suite, &key.public).unwrap();
    let hpke = Info::new(SUITE, &info(&payload, &name)).unwrap();
    for length in [60, 0] {
        let (encapsulated, mut context) = public.setup_sender(&hpke).unwrap();
        let ciphertext = context.seal(b"", &vec![0; length]).unwrap();
        let made = Capsule { key: key.id, encapsulated, ciphertext, epoch: 1, seal: Hash([0; 32]) };
        assert_eq!(scene.take_in(&mut owner, &mut new, &made), Err(Refusal::CapsuleRefused));
    }
    // Nor does an enclave of the old program that has another root.
    let mut strange = scene.with_roots(OLD, another_any());
    let mut elsewhere = scene.with_roots(NEW, another_any());
    let capsule = scene.hand_on(&mut owner, &mut strange, &mut elsewhere).unwrap();
    assert_eq!(scene.take_in(&mut owner, &mut new, &capsule), Err(Refusal::CapsuleRefused));
}

#[test]
fn m20_a_capsule_opens_as_long_as_the_key_that_it_is_for() {
    let scene = Scene::new();
    let (mut old, mut new) = scene.two();
    let mut owner = Owner::of_class(Class::Owner);
    let capsule = scene.hand_on(&mut owner, &mut old, &mut new).unwrap();
    let minutes = |new: &mut Machine, minutes: u64| {
        new.pass(minutes * 60_000);
        new.claim(crate::support::NOW.plus(new.monotonic));
    };
    minutes(&mut new, 59);
    let draft = scene.take_in_draft(&owner, &new, &capsule).now(&new);
    assert_eq!(generation(&owner.ask_draft(&mut new, &draft).unwrap()), 2);
    minutes(&mut new, 2);
    let draft = scene.take_in_draft(&owner, &new, &capsule).now(&new);
    assert_eq!(owner.ask_draft(&mut new, &draft), Err(Refusal::CapsuleRefused));
}

#[test]
fn in_a_sandbox_an_emulated_machine_is_believed_where_the_image_names_its_signer() {
    let scene = Scene::among_a_sandbox();
    let (mut old, mut new) = scene.two();
    let mut owner = Owner::of_class(Class::Owner);
    let capsule = scene.hand_on(&mut owner, &mut old, &mut new).unwrap();
    assert!(scene.take_in(&mut owner, &mut new, &capsule).is_ok());
    let mut doubting = scene.doubting_old();
    assert_eq!(scene.hand_on(&mut owner, &mut doubting, &mut new), Err(Refusal::ProgramRefused));
    // Another sandbox is another environment, whoever vouches for it.
    let scene = scene.moved_to_a_sandbox();
    let mut elsewhere = scene.new_machine();
    assert_eq!(scene.hand_on(&mut owner, &mut old, &mut elsewhere), Err(Refusal::ProgramRefused));
}

#[test]
fn m17_among_the_real_exchanges_no_emulated_machine_gets_anything() {
    let scene = Scene::of(Vendor::development());
    let (mut old, mut new) = scene.two();
    let mut owner = Owner::of_class(Class::Owner);
    assert_eq!(scene.hand_on(&mut owner, &mut old, &mut new), Err(Refusal::ProgramRefused));
}
