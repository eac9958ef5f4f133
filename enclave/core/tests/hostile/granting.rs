//! Grants under a hostile host and a hostile holder: what is done is what the owner signed, as often as they signed it, for the
//! key that they named, and never once it is over (docs/spec/grants.md).

mod counting;
mod scene;

use crate::support::{Key, NOW, Owner, sign};
use enclave::root::ClassRoots;
use scene::{DAY, Holder, Scene, body, key, seal, terms};
use verify::hpke::RecipientKey;
use wire::balance::Holdings;
use wire::frame::Kind;
use wire::grant::{GRANTABLE, Grant, MAX_GRANTS, Rate, Terms};
use wire::operation::{Op, Rotate, Rotated};
use wire::owner::{OwnerKey, OwnerRole};
use wire::transcript::domain;
use wire::{Canonical, Refusal};

#[test]
fn the_holder_of_a_grant_reads_balances_while_the_owner_is_away_and_the_receipt_says_by_whose_leave() {
    let mut scene = Scene::new();
    let holder = scene.holder(2);
    let before = scene.owner.last;
    for number in 1..=2 {
        let draft = scene.draft(&holder, Op::Balances);
        let came = scene.ask_draft(&holder, &draft);
        assert!(!Holdings::from_bytes(&came.result.unwrap()).unwrap().accounts.is_empty());
        let id = body(&holder.grant).id;
        assert_eq!((came.receipt.grant, came.receipt.counter), (Some(id), number));
        assert_eq!((came.receipt.connection, came.receipt.previous), (Some(scene.owner.connection), None));
        assert_eq!(came.reply.grant, None, "it is of the current epoch");
    }
    assert_eq!(scene.ask(&holder, Op::Balances), Err(Refusal::GrantUsedUp));
    let [state] = scene.listed().try_into().unwrap();
    assert_eq!((state.used, state.last.is_some()), (2, true));
    assert_eq!(state.key, holder.key.id()[..16]);
    assert_eq!(
        scene.owner.last.0,
        before.0 + 1,
        "the owner's chain of receipts has only what the owner asked"
    );
}

#[test]
fn what_was_not_granted_is_refused_whatever_it_is() {
    let mut scene = Scene::new();
    let holder = scene.holder(9);
    assert_eq!(scene.ask(&holder, Op::Balances).map(drop), Ok(()));
    for op in Op::ALL.into_iter().filter(|op| !GRANTABLE.contains(op)) {
        assert_eq!(scene.ask(&holder, op), Err(Refusal::NotGranted), "{op:?}");
    }
    let other = key();
    let histories = Terms { ops: vec![Op::Read], ..terms(&other, 9) };
    let narrow = scene.grant(other, histories).unwrap();
    for op in [Op::Balances, Op::Status] {
        let refused = scene.ask(&narrow, op).unwrap_err();
        assert!([Refusal::NotGranted, Refusal::Malformed].contains(&refused), "{op:?}: {refused:?}");
    }
    assert!(scene.machine.take(Kind::EgressOpen).is_empty());
    scene.machine.begin(&seal(&narrow, &scene.draft(&narrow, Op::Read)).bytes);
    let begun = scene.machine.take(Kind::EgressOpen).len() + scene.machine.take(Kind::EgressSend).len();
    assert!(begun > 0, "its provider is asked");
    assert_eq!(scene.listed().iter().map(|state| state.used).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn a_grant_takes_both_factors_and_names_a_key_that_is_not_the_owners() {
    let mut scene = Scene::new();
    let recipient = RecipientKey::generate().unwrap();
    let (mine, theirs) = (&scene.owner.second, key());
    let with = |terms: Terms| scene.make_draft(terms, &recipient);
    let alone = with(terms(&theirs, 1));
    let bad = [
        Terms { key: mine.public.clone(), ..terms(&theirs, 1) },
        Terms { key: Key::eddsa(OwnerRole::Second).public, ..terms(&theirs, 1) },
        Terms { key: Key::passkey().public, ..terms(&theirs, 1) },
        Terms { key: OwnerKey { role: OwnerRole::Device, ..Key::passkey().public }, ..terms(&theirs, 1) },
        Terms { key: scene.owner.device.public.clone(), ..terms(&theirs, 1) },
        Terms { ops: vec![], ..terms(&theirs, 1) },
        Terms { ops: vec![Op::Read, Op::Balances], ..terms(&theirs, 1) },
        Terms { ops: vec![Op::Balances, Op::Balances], ..terms(&theirs, 1) },
        Terms { ops: vec![Op::Export], ..terms(&theirs, 1) },
        Terms { ops: vec![Op::Act], ..terms(&theirs, 1) },
        Terms { ops: vec![Op::Grant], ..terms(&theirs, 1) },
        Terms { expires: NOW, ..terms(&theirs, 1) },
        Terms { from: NOW.plus(DAY), ..terms(&theirs, 1) },
        Terms { from: wire::UnixMillis(1), expires: wire::UnixMillis(2), ..terms(&theirs, 1) },
        Terms { expires: NOW.plus(367 * DAY), ..terms(&theirs, 1) },
        Terms { rate: Some(Rate { uses: 0, period: DAY }), ..terms(&theirs, 1) },
        Terms { rate: Some(Rate { uses: 1, period: 59_999 }), ..terms(&theirs, 1) },
        terms(&theirs, 0),
    ];
    let mut short = terms(&theirs, 1);
    short.key.public.pop();
    let drafts: Vec<_> = bad.into_iter().chain([short]).map(with).collect();
    let refused = scene.owner.ask_draft(&mut scene.machine, &alone);
    assert_eq!(refused, Err(Refusal::SecondFactorNeeded));
    for (at, draft) in drafts.into_iter().enumerate() {
        let refused = scene.owner.ask_twice_signed(&mut scene.machine, &draft);
        assert_eq!(refused, Err(Refusal::Malformed), "{at}");
    }
    assert!(scene.listed().is_empty());
}

#[test]
fn a_passkey_is_the_second_factor_of_a_grant() {
    let mut scene = Scene::new();
    scene.owner = Owner::with_passkey();
    let holder = scene.holder(1);
    assert_eq!(scene.ask(&holder, Op::Balances).map(drop), Ok(()));
}

#[test]
fn without_witnesses_nobody_is_granted_anything() {
    let mut scene = Scene::new();
    let keeper = crate::support::keeper::Keeper::default();
    let trust = enclave::egress::Trust::sandbox(scene.authority.der()).unwrap();
    scene.machine = crate::support::Machine::start_with(2, crate::support::roots(1), trust, keeper);
    let other = key();
    let terms = terms(&other, 1);
    assert_eq!(scene.grant(other, terms).err(), Some(Refusal::NoQuorum));
}

#[test]
fn a_grant_that_was_stolen_is_of_no_use_without_the_key_that_it_names() {
    let mut scene = Scene::new();
    let holder = scene.holder(9);
    let draft = scene.draft(&holder, Op::Balances);
    let (thief, owner) = (key(), Key::eddsa(OwnerRole::Device));
    let granted = domain::GRANTED_REQUEST;
    let by = |scene: &mut Scene, draft: &crate::support::Draft, signing: &dyn Fn(&[u8]) -> Vec<Vec<u8>>| {
        scene.ask_sealed(&draft.seal_signing(signing)).result
    };
    for (why, signing) in [
        ("another key", &(|r: &[u8]| vec![thief.sign1_under(granted, r)]) as &dyn Fn(&[u8]) -> Vec<Vec<u8>>),
        ("the key beside another", &|r| {
            vec![holder.key.sign1_under(granted, r), owner.sign1_under(granted, r)]
        }),
        ("the key twice", &|r| vec![holder.key.sign1_under(granted, r), holder.key.sign1_under(granted, r)]),
        ("as an owner signs", &|r| vec![sign(&holder.key, r)]),
        ("nobody", &|_| vec![]),
    ] {
        assert_eq!(by(&mut scene, &draft, signing), Err(Refusal::NotAuthorised), "{why}");
    }
    let owners = draft.seal(&[&scene.owner.device, &scene.owner.second]);
    assert_eq!(scene.ask_sealed(&owners).result, Err(Refusal::NotAuthorised), "not even its owner");
    // In an owner's request neither the key nor the share is worth anything.
    let mut as_owner = scene.draft(&holder, Op::Balances);
    as_owner.grant = None;
    assert_eq!(scene.ask_sealed(&as_owner.seal(&[&holder.key])).result, Err(Refusal::EnvelopeRefused));
    as_owner.share = Some(scene.owner.share.to_vec());
    assert_eq!(scene.ask_sealed(&as_owner.seal(&[&holder.key])).result, Err(Refusal::NotAuthorised));
    assert_eq!(scene.listed()[0].used, 0);
    assert_eq!(scene.ask(&holder, Op::Balances).map(drop), Ok(()));
}

#[test]
fn a_grant_opens_with_its_own_share_and_for_its_own_envelope() {
    let mut scene = Scene::new();
    let holder = scene.holder(9);
    let mine = std::mem::replace(&mut scene.owner, Owner::eddsa());
    let others = scene.holder(9);
    let theirs = std::mem::replace(&mut scene.owner, mine);
    let draft = scene.draft(&holder, Op::Balances);
    type Wrong = (&'static str, fn(&mut crate::support::Draft, &Holder, &Owner), Refusal);
    let wrong: [Wrong; 9] = [
        ("no share", |draft, _, _| draft.share = None, Refusal::Malformed),
        ("no envelope", |draft, _, _| draft.envelope = None, Refusal::Malformed),
        ("a short share", |draft, _, _| draft.share = Some(vec![1; 31]), Refusal::Malformed),
        ("a receipt of its owner's", |draft, _, _| draft.last = (1, Some([1; 32])), Refusal::Malformed),
        (
            "another grant's share",
            |draft, other, _| draft.share = Some(other.share.clone()),
            Refusal::GrantRefused,
        ),
        ("another grant", |draft, other, _| draft.grant = Some(other.grant.clone()), Refusal::GrantRefused),
        (
            "another envelope",
            |draft, other, _| draft.envelope = Some(other.envelope.clone()),
            Refusal::GrantRefused,
        ),
        (
            "its owner's share",
            |draft, _, owner| draft.share = Some(owner.share.to_vec()),
            Refusal::GrantRefused,
        ),
        (
            "another's envelope and share",
            |draft, other, _| {
                draft.envelope = Some(other.envelope.clone());
                draft.share = Some(other.share.clone());
            },
            Refusal::GrantRefused,
        ),
    ];
    for (why, make_wrong, refusal) in wrong {
        let mut draft = draft.clone();
        make_wrong(&mut draft, &others, &scene.owner);
        assert_eq!(scene.ask_draft(&holder, &draft).result, Err(refusal), "{why}");
    }
    // With everything of another connection but the key.
    let stolen = Holder { key: holder.key, ..others };
    assert_eq!(scene.ask(&stolen, Op::Balances), Err(Refusal::NotAuthorised));
    assert_eq!(theirs.organisation, scene.owner.organisation);
}

#[test]
fn a_grant_with_any_byte_altered_gives_nothing() {
    let mut scene = Scene::new();
    let mut holder = scene.holder(9);
    let good = holder.grant.clone();
    for at in 0..good.len() {
        holder.grant = good.clone();
        holder.grant[at] ^= 1;
        let refused = scene.ask(&holder, Op::Balances).unwrap_err();
        let wanted = [Refusal::Malformed, Refusal::GrantRefused, Refusal::UnknownEpoch];
        assert!(wanted.contains(&refused), "byte {at}: {refused:?}");
    }
    let mut longer = good.clone();
    longer.push(0);
    for other in [Vec::new(), good[..good.len() - 1].to_vec(), longer, vec![0; 3_000]] {
        holder.grant = other;
        assert_eq!(scene.ask(&holder, Op::Balances), Err(Refusal::Malformed));
    }
    assert_eq!((scene.listed()[0].used, scene.asked()), (0, 0));
}

#[test]
fn wider_terms_under_the_wraps_of_a_grant_open_nothing() {
    let mut scene = Scene::new();
    let mut holder = scene.holder(1);
    let (grant, made) = Grant::parse(&holder.grant).unwrap();
    let thief = key();
    let terms = made.terms.clone();
    for wider in [
        Terms { uses: 2, ..terms.clone() },
        Terms { expires: terms.expires.plus(1), ..terms.clone() },
        Terms { ops: GRANTABLE.to_vec(), ..terms.clone() },
        Terms { key: thief.public.clone(), ..terms },
    ] {
        let altered = wire::grant::Body { terms: wider, ..made.clone() };
        holder.grant = Grant { body: altered.to_bytes(), ..grant.clone() }.to_bytes();
        assert_eq!(scene.ask(&holder, Op::Balances), Err(Refusal::GrantRefused));
    }
}

#[test]
fn a_grant_is_good_from_its_first_moment_until_before_its_last() {
    let mut scene = Scene::new();
    let (later, soon) = (key(), key());
    let not_yet = Terms { from: NOW.plus(DAY), expires: NOW.plus(2 * DAY), ..terms(&later, 9) };
    let ending = Terms { expires: NOW.plus(100_000), ..terms(&soon, 9) };
    let (later, soon) = (scene.grant(later, not_yet).unwrap(), scene.grant(soon, ending).unwrap());
    assert_eq!(scene.ask(&later, Op::Balances), Err(Refusal::NotGranted));
    scene.machine.pass(99_999 - scene.machine.monotonic);
    assert_eq!(scene.ask(&soon, Op::Balances).map(drop), Ok(()));
    // The start counts from a second on.
    scene.machine.pass(1_001);
    assert_eq!(scene.ask(&soon, Op::Balances), Err(Refusal::GrantOver));
}

#[test]
fn there_are_so_many_grants_and_those_whose_time_is_over_make_room() {
    let mut scene = Scene::new();
    let short = key();
    let ending = Terms { expires: NOW.plus(60_000), ..terms(&short, 1) };
    scene.grant(short, ending).unwrap();
    let holders: Vec<Holder> = (1..MAX_GRANTS).map(|_| scene.holder(1)).collect();
    let one_more = |scene: &mut Scene| {
        let key = key();
        let terms = terms(&key, 1);
        scene.grant(key, terms)
    };
    assert_eq!(one_more(&mut scene).err(), Some(Refusal::TooManyGrants));
    scene.machine.pass(61_000);
    let last = one_more(&mut scene).unwrap();
    assert_eq!(one_more(&mut scene).err(), Some(Refusal::TooManyGrants));
    for holder in holders.iter().chain([&last]) {
        assert_eq!(scene.ask(holder, Op::Balances).map(drop), Ok(()));
    }
}

fn rotate(scene: &mut Scene) -> Vec<u8> {
    let mut draft = scene.owner.draft(&scene.machine, Op::Rotate).now(&scene.machine);
    draft.args = Rotate { data_key: true, epoch: false, share: None, owners: None, class: None }.to_bytes();
    Rotated::from_bytes(&scene.owner.ask_draft(&mut scene.machine, &draft).unwrap()).unwrap().envelope
}

#[test]
fn another_generation_ends_what_was_granted_of_the_one_before_and_an_epoch_does_not() {
    let mut scene = Scene::new();
    let mut holder = scene.holder(9);
    let next = rotate(&mut scene);
    assert_eq!(scene.ask(&holder, Op::Balances).map(drop), Ok(()), "its owner has not stored it yet");
    holder.envelope = std::mem::replace(&mut scene.owner.envelope, next);
    scene.owner.ask(&mut scene.machine, Op::Acknowledge).unwrap();
    assert!(scene.listed().is_empty());
    assert_eq!(scene.ask(&holder, Op::Balances), Err(Refusal::GrantOver));
    let old = std::mem::replace(&mut holder.envelope, scene.owner.envelope.clone());
    assert_eq!(scene.ask(&holder, Op::Balances), Err(Refusal::GrantRefused), "with the new envelope");
    holder.envelope = old;
    scene.restart(2);
    assert_eq!(scene.ask(&holder, Op::Balances), Err(Refusal::GrantOver));
}

#[test]
fn a_connection_that_its_owner_gave_up_has_no_grants() {
    for op in [Op::Forget, Op::Panic] {
        let mut scene = Scene::new();
        let holder = scene.holder(9);
        let draft = scene.owner.draft(&scene.machine, op);
        scene.owner.ask_over(&mut scene.machine, &mut scene.exchange, &draft).unwrap();
        assert_eq!(scene.ask(&holder, Op::Balances), Err(Refusal::Forgotten), "{op:?}");
        scene.restart(2);
        assert_eq!(scene.ask(&holder, Op::Balances), Err(Refusal::Forgotten), "{op:?}, after a restart");
    }
}

#[test]
fn a_grant_of_an_older_epoch_comes_back_in_the_current_one_and_outlives_it() {
    let mut scene = Scene::new();
    let mut holder = scene.holder(9);
    let start = |scene: &mut Scene, seed: u8, roots: enclave::root::Roots| {
        let trust = enclave::egress::Trust::sandbox(scene.authority.der()).unwrap();
        let keeper = scene.machine.keeper.clone();
        scene.machine = crate::support::Machine::start_with(seed, roots, trust, keeper);
    };
    start(&mut scene, 2, crate::support::roots(2));
    let draft = scene.draft(&holder, Op::Balances);
    let renewed = scene.ask_draft(&holder, &draft).reply.grant.unwrap();
    assert_eq!(scene.listed()[0].epoch, 1, "as it came");
    assert_eq!(body(&renewed), body(&holder.grant));
    let second = enclave::secret::Secret::copied(&[2; 32]);
    let only = || {
        enclave::root::Roots::collect([ClassRoots::new(wire::consent::Class::Any, 2, &second).unwrap()])
            .unwrap()
    };
    start(&mut scene, 3, only());
    assert_eq!(scene.ask(&holder, Op::Balances), Err(Refusal::UnknownEpoch), "what nobody brought is lost");
    holder.grant = renewed;
    let draft = scene.draft(&holder, Op::Balances);
    let came = scene.ask_draft(&holder, &draft);
    assert_eq!((came.result.is_ok(), came.reply.grant, came.receipt.counter), (true, None, 2));
}

#[test]
fn nobody_but_the_recipient_of_a_grant_has_its_share() {
    let mut scene = Scene::new();
    let (first, second) = (scene.holder(1), scene.holder(1));
    assert_ne!(first.share, second.share);
    assert_ne!(first.share, scene.owner.share);
    assert_eq!(first.share.len(), 32);
}

#[test]
fn a_request_of_a_holders_comes_once() {
    let mut scene = Scene::new();
    let holder = scene.holder(9);
    let sealed = seal(&holder, &scene.draft(&holder, Op::Balances));
    scene.ask_sealed(&sealed).result.unwrap();
    assert_eq!(scene.ask_sealed(&sealed).result, Err(Refusal::Replayed));
    assert_eq!(scene.listed()[0].used, 1);
}
