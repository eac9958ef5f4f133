//! What becomes of people, their passkeys and their devices.

use super::databases::Opened;
use super::*;
use crate::identity::passkey::{Asserted, Credential};
use crate::identity::{
    LONGEST_SESSION, MOST_PASSKEYS, MOST_SESSIONS, Passkey, Person, RECOVERY_WAIT, Refusal, Session, Use,
};
use wire::{PersonId, SessionId};

over_each_database!(
    who_signed_up_is_there_with_passkey_and_session,
    a_credential_and_a_devices_key_are_registered_once,
    a_passkey_is_counted_up_and_never_down,
    a_session_is_ended_for_good_by_its_own_person_alone,
    every_other_session_is_ended_and_the_one_that_asks_is_not,
    who_is_signed_in_on_too_many_devices_ends_one_first,
    each_change_of_a_person_leaves_its_event,
    the_last_use_of_a_session_is_kept,
    a_recovery_code_is_used_once_and_what_it_began_ends_everything_else,
    of_many_who_bring_one_recovery_code_at_once_one_waits,
    a_passkey_is_added_named_and_removed_by_its_own_person_alone,
    with_a_passkey_go_the_sessions_that_were_begun_with_it,
    of_many_who_remove_one_passkey_each_at_once_one_is_left_with_the_last,
    people_are_there_after_opening_again,
);

const DAY: u64 = 24 * 3_600_000;

fn device(person: PersonId, passkey: &Passkey, created: UnixMillis) -> Session {
    let public = public();
    Session {
        id: public.session(),
        person,
        name: name(),
        public,
        environment: Environment::Sandbox,
        passkey: passkey.id(),
        created,
        expires: created.plus(LONGEST_SESSION),
        last_used: Use { at: created, from: "192.0.2.1".parse().unwrap() },
        revoked: None,
    }
}

fn newcomer(counter: u32) -> SignUp {
    let person = Person { id: PersonId(number()), name: Name::parse("Ada").unwrap(), created: NOW };
    let credential = Credential {
        relying_party: "vault.example".to_owned(),
        id: number().to_vec(),
        public: public(),
        backup_eligible: true,
        counter,
    };
    let passkey = Passkey { person: person.id, name: name(), credential, created: NOW, last_used: None };
    let session = device(person.id, &passkey, NOW);
    let by = by(Actor::Session(session.id), NOW);
    SignUp { person, passkey, session, by }
}

fn sign_in(passkey: &Passkey, counter: u32, now: UnixMillis) -> SignIn {
    let session = device(passkey.person, passkey, now);
    let by = by(Actor::Session(session.id), now);
    SignIn { asserted: Asserted::dangerous_unchecked(counter), session, by }
}

async fn signed_up(store: &Store) -> SignUp {
    let newcomer = newcomer(0);
    store.change(&newcomer).await.unwrap();
    newcomer
}

fn end(asker: SessionId, id: SessionId, now: UnixMillis) -> EndSession {
    EndSession { asker, id, by: by(Actor::Session(asker), now) }
}

async fn who_signed_up_is_there_with_passkey_and_session(Opened { store, .. }: Opened) {
    let SignUp { person, passkey, session, .. } = signed_up(&store).await;
    assert_eq!(store.person(person.id).await.unwrap().as_ref(), Some(&person));
    assert_eq!(store.passkey(passkey.id()).await.unwrap().as_ref(), Some(&passkey));
    assert_eq!(store.passkeys(person.id).await.unwrap(), [passkey]);
    assert_eq!(store.session(session.id).await.unwrap().as_ref(), Some(&session));
    assert_eq!(store.sessions(person.id, NOW).await.unwrap(), [session]);
    assert_eq!(store.sessions(person.id, NOW.plus(LONGEST_SESSION)).await.unwrap(), []);
    assert_eq!(store.person(PersonId([0; 16])).await.unwrap(), None);
}

async fn a_credential_and_a_devices_key_are_registered_once(Opened { store, .. }: Opened) {
    let first = signed_up(&store).await;
    let mut thief = newcomer(0);
    thief.passkey.credential.id = first.passkey.credential.id.clone();
    thief.session.passkey = thief.passkey.id();
    refused(store.change(&thief).await, Refusal::PasskeyRefused);
    let mut thief = newcomer(0);
    (thief.session.id, thief.session.public) = (first.session.id, first.session.public.clone());
    refused(store.change(&thief).await, Refusal::KeyTaken);
    assert_eq!(store.person(thief.person.id).await.unwrap(), None, "nothing of what was refused is there");
    let mut again = sign_in(&first.passkey, 0, NOW);
    (again.session.id, again.session.public) = (first.session.id, first.session.public);
    refused(store.change(&again).await, Refusal::KeyTaken);
}

async fn a_passkey_is_counted_up_and_never_down(Opened { store, .. }: Opened) {
    let counting = newcomer(7);
    store.change(&counting).await.unwrap();
    for (counter, counts) in [(7, false), (0, false), (8, true), (8, false), (u32::MAX, true), (9, false)] {
        let outcome = store.change(&sign_in(&counting.passkey, counter, NOW)).await;
        assert_eq!(outcome.is_ok(), counts, "{counter}: {outcome:?}");
    }
    let passkey = store.passkey(counting.passkey.id()).await.unwrap().unwrap();
    assert_eq!((passkey.credential.counter, passkey.last_used), (u32::MAX, Some(NOW)));
    let synced = signed_up(&store).await;
    for _ in 0..2 {
        assert!(store.change(&sign_in(&synced.passkey, 0, NOW)).await.is_ok());
    }
    // Of somebody else, or gone.
    let mut other = sign_in(&synced.passkey, 0, NOW);
    other.session.person = counting.person.id;
    refused(store.change(&other).await, Refusal::PasskeyRefused);
}

async fn a_session_is_ended_for_good_by_its_own_person_alone(Opened { store, .. }: Opened) {
    let (ada, eve) = (signed_up(&store).await, signed_up(&store).await);
    refused(store.change(&end(eve.session.id, ada.session.id, NOW)).await, Refusal::SessionNotFound);
    let phone = store.change(&sign_in(&ada.passkey, 0, NOW)).await.unwrap();
    let ended = store.change(&end(ada.session.id, phone.id, NOW.plus(1))).await.unwrap();
    assert_eq!(ended.revoked, Some(NOW.plus(1)));
    let again = store.change(&end(ada.session.id, phone.id, NOW.plus(2))).await.unwrap();
    assert_eq!(again.revoked, Some(NOW.plus(1)));
    assert_eq!(store.session(phone.id).await.unwrap(), Some(again));
    refused(store.change(&end(phone.id, ada.session.id, NOW)).await, Refusal::SessionRevoked);
    let over = NOW.plus(LONGEST_SESSION);
    refused(store.change(&end(ada.session.id, ada.session.id, over)).await, Refusal::SessionOver);
    let unknown = SessionId([0; 16]);
    refused(store.change(&end(unknown, ada.session.id, NOW)).await, Refusal::SessionNotFound);
    let (id, asker) = (ada.session.id, eve.session.id);
    let rename = NameSession { asker, id, name: name(), by: by(Actor::Session(asker), NOW) };
    refused(store.change(&rename).await, Refusal::SessionNotFound);
}

async fn every_other_session_is_ended_and_the_one_that_asks_is_not(Opened { store, .. }: Opened) {
    let (ada, eve) = (signed_up(&store).await, signed_up(&store).await);
    let phone = store.change(&sign_in(&ada.passkey, 0, NOW)).await.unwrap();
    store.change(&sign_in(&ada.passkey, 0, NOW)).await.unwrap();
    let asker = phone.id;
    let others = EndOtherSessions { asker, by: by(Actor::Session(asker), NOW) };
    assert_eq!(store.change(&others).await.unwrap(), 2);
    assert_eq!(store.sessions(ada.person.id, NOW).await.unwrap(), [phone]);
    assert_eq!(store.sessions(eve.person.id, NOW).await.unwrap(), [eve.session]);
    assert_eq!(store.session(ada.session.id).await.unwrap().unwrap().revoked, Some(NOW));
}

async fn who_is_signed_in_on_too_many_devices_ends_one_first(Opened { store, .. }: Opened) {
    let ada = signed_up(&store).await;
    for _ in 1..MOST_SESSIONS {
        store.change(&sign_in(&ada.passkey, 0, NOW)).await.unwrap();
    }
    refused(store.change(&sign_in(&ada.passkey, 0, NOW)).await, Refusal::TooManySessions);
    store.change(&end(ada.session.id, ada.session.id, NOW)).await.unwrap();
    assert!(store.change(&sign_in(&ada.passkey, 0, NOW)).await.is_ok());
    // Those that idle take no room, and what ended long ago is forgotten.
    let later = NOW.plus(2 * 3_600_000);
    assert!(store.change(&sign_in(&ada.passkey, 0, later)).await.is_ok());
    let much_later = NOW.plus(32 * DAY);
    assert!(store.session(ada.session.id).await.unwrap().is_some());
    store.change(&sign_in(&ada.passkey, 0, much_later)).await.unwrap();
    assert_eq!(store.session(ada.session.id).await.unwrap(), None);
    assert_eq!(store.sessions(ada.person.id, much_later).await.unwrap().len(), 1);
}

async fn each_change_of_a_person_leaves_its_event(Opened { store, .. }: Opened) {
    let ada = signed_up(&store).await;
    let phone = store.change(&sign_in(&ada.passkey, 0, NOW.plus(1))).await.unwrap();
    let (asker, id) = (ada.session.id, phone.id);
    let by = |at| by(Actor::Session(asker), NOW.plus(at));
    store.change(&NameSession { asker, id, name: name(), by: by(2) }).await.unwrap();
    store.change(&EndSession { asker, id, by: by(3) }).await.unwrap();
    store.change(&EndSession { asker, id, by: by(4) }).await.unwrap();
    store.change(&EndOtherSessions { asker, by: by(5) }).await.unwrap();
    refused(store.change(&sign_in(&newcomer(0).passkey, 0, NOW)).await, Refusal::PasskeyRefused);
    let events = store.personal_events(ada.person.id, 100).await.unwrap();
    let said: Vec<(&str, Actor, String)> = events
        .iter()
        .rev()
        .map(|event| (event.action.as_str(), event.actor, event.subject.clone()))
        .collect();
    let (own, phone) = (Actor::Session(asker), Actor::Session(id));
    assert_eq!(
        said,
        [
            ("signed_up", own, asker.to_string()),
            ("signed_in", phone, id.to_string()),
            ("session_named", own, id.to_string()),
            ("session_ended", own, id.to_string()),
            ("other_sessions_ended", own, asker.to_string()),
        ]
    );
}

fn another(person: PersonId) -> Passkey {
    Passkey { person, ..newcomer(0).passkey }
}

fn adding(asker: SessionId, passkey: &Passkey) -> AddPasskey {
    AddPasskey { asker, passkey: passkey.clone(), by: by(Actor::Session(asker), NOW) }
}

fn removing(asker: SessionId, passkey: &Passkey) -> RemovePasskey {
    RemovePasskey { asker, id: passkey.id(), by: by(Actor::Session(asker), NOW) }
}

async fn a_passkey_is_added_named_and_removed_by_its_own_person_alone(Opened { store, .. }: Opened) {
    let (ada, eve) = (signed_up(&store).await, signed_up(&store).await);
    let (id, second) = (ada.session.id, another(ada.person.id));
    refused(store.change(&adding(eve.session.id, &second)).await, Refusal::SessionNotFound);
    refused(store.change(&removing(id, &ada.passkey)).await, Refusal::LastPasskey);
    assert_eq!(store.change(&adding(id, &second)).await.unwrap(), second);
    refused(store.change(&adding(id, &second)).await, Refusal::PasskeyRefused);
    refused(store.change(&removing(eve.session.id, &second)).await, Refusal::PasskeyNotFound);
    let name = Name::parse("key ring").unwrap();
    let rename = |asker| NamePasskey {
        asker,
        id: second.id(),
        name: name.clone(),
        by: by(Actor::Session(asker), NOW),
    };
    refused(store.change(&rename(eve.session.id)).await, Refusal::PasskeyNotFound);
    assert_eq!(store.change(&rename(id)).await.unwrap().name, name);
    assert_eq!(store.passkey(second.id()).await.unwrap().unwrap().name, name);
    store.change(&removing(id, &ada.passkey)).await.unwrap();
    refused(store.change(&removing(id, &ada.passkey)).await, Refusal::PasskeyNotFound);
    refused(store.change(&removing(id, &second)).await, Refusal::LastPasskey);
    for _ in 1..MOST_PASSKEYS {
        store.change(&adding(id, &another(ada.person.id))).await.unwrap();
    }
    refused(store.change(&adding(id, &another(ada.person.id))).await, Refusal::TooManyPasskeys);
    let events = store.personal_events(ada.person.id, 100).await.unwrap();
    for action in ["passkey_added", "passkey_named", "passkey_removed"] {
        assert!(events.iter().any(|event| event.action == action), "{action}");
    }
}

async fn with_a_passkey_go_the_sessions_that_were_begun_with_it(Opened { store, .. }: Opened) {
    let ada = signed_up(&store).await;
    let (id, second) = (ada.session.id, another(ada.person.id));
    store.change(&adding(id, &second)).await.unwrap();
    let by_first = store.change(&sign_in(&ada.passkey, 0, NOW)).await.unwrap();
    let by_second = store.change(&sign_in(&second, 0, NOW)).await.unwrap();
    store.change(&removing(id, &ada.passkey)).await.unwrap();
    assert_eq!(store.session(by_first.id).await.unwrap().unwrap().revoked, Some(NOW));
    assert_eq!(store.session(by_second.id).await.unwrap().unwrap().revoked, None);
    assert_eq!(store.session(id).await.unwrap().unwrap().revoked, None, "the one that asked goes on");
    refused(store.change(&sign_in(&ada.passkey, 0, NOW)).await, Refusal::PasskeyRefused);
}

async fn of_many_who_remove_one_passkey_each_at_once_one_is_left_with_the_last(Opened { store, .. }: Opened) {
    let ada = signed_up(&store).await;
    let id = ada.session.id;
    let mut passkeys = vec![ada.passkey];
    for _ in 0..5 {
        passkeys.push(another(ada.person.id));
        store.change(&adding(id, passkeys.last().unwrap())).await.unwrap();
    }
    let mut all = tokio::task::JoinSet::new();
    for passkey in passkeys {
        let (store, change) = (store.clone(), removing(id, &passkey));
        all.spawn(async move { store.change(&change).await });
    }
    let outcomes = all.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 5, "{outcomes:?}");
    assert_eq!(store.passkeys(ada.person.id).await.unwrap().len(), 1);
}

fn beginning(code: &Code, device: SessionId) -> BeginRecovery {
    let (from, by) = ("192.0.2.1".parse().unwrap(), by(Actor::Session(device), NOW));
    BeginRecovery { code: code.hash(), device, name: name(), from, by }
}

async fn with_codes(store: &Store) -> (SignUp, Vec<Code>) {
    let ada = signed_up(store).await;
    let made: Vec<Code> = (0..3).map(|_| Code::of_recovery(&number())).collect();
    let (asker, codes) = (ada.session.id, made.iter().map(Code::hash).collect());
    store.change(&ReplaceRecoveryCodes { asker, codes, by: by(Actor::Session(asker), NOW) }).await.unwrap();
    (ada, made)
}

async fn a_recovery_code_is_used_once_and_what_it_began_ends_everything_else(Opened { store, .. }: Opened) {
    let (ada, codes) = with_codes(&store).await;
    let passkey = another(ada.person.id);
    let due = NOW.plus(RECOVERY_WAIT);
    let session = device(ada.person.id, &passkey, due);
    let begun = store.change(&beginning(&codes[0], session.id)).await.unwrap();
    assert_eq!((begun.person, begun.due), (ada.person.id, due));
    assert_eq!(store.change(&beginning(&codes[0], session.id)).await.unwrap(), begun);
    refused(store.change(&beginning(&codes[0], public().session())).await, Refusal::RecoveryRefused);
    let unknown = Code::of_recovery(&number());
    refused(store.change(&beginning(&unknown, public().session())).await, Refusal::RecoveryRefused);
    let other = store.change(&beginning(&codes[1], public().session())).await.unwrap();
    assert_eq!(store.recoveries(ada.person.id, NOW).await.unwrap().len(), 2);
    assert_eq!(store.recovery_codes(ada.person.id).await.unwrap(), 1);

    let finish = |now| {
        let by = by(Actor::Session(session.id), now);
        FinishRecovery { passkey: passkey.clone(), session: session.clone(), by }
    };
    refused(store.change(&finish(due.minus(1))).await, Refusal::RecoveryNotDue);
    store.change(&finish(due)).await.unwrap();
    refused(store.change(&finish(due)).await, Refusal::RecoveryRefused);
    assert_eq!(store.recovery(other.device).await.unwrap(), None);
    assert_eq!(store.session(ada.session.id).await.unwrap().unwrap().revoked, Some(due));
    assert_eq!(store.session(session.id).await.unwrap(), Some(session));
    assert_eq!(store.passkeys(ada.person.id).await.unwrap().len(), 2);
    let events = store.personal_events(ada.person.id, 100).await.unwrap();
    for action in ["recovery_codes_made", "recovery_begun", "recovered"] {
        assert!(events.iter().any(|event| event.action == action), "{action}");
    }
}

async fn of_many_who_bring_one_recovery_code_at_once_one_waits(Opened { store, .. }: Opened) {
    let (ada, codes) = with_codes(&store).await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, change) = (store.clone(), beginning(&codes[0], public().session()));
        all.spawn(async move { store.change(&change).await });
    }
    let outcomes = all.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(store.recoveries(ada.person.id, NOW).await.unwrap().len(), 1);
}

async fn the_last_use_of_a_session_is_kept(Opened { store, .. }: Opened) {
    let ada = signed_up(&store).await;
    let used = Use { at: NOW.plus(7), from: "2001:db8::7".parse().unwrap() };
    store.change(&RecordUses(vec![(ada.session.id.into(), used)])).await.unwrap();
    assert_eq!(store.session(ada.session.id).await.unwrap().unwrap().last_used, used);
}

async fn people_are_there_after_opening_again(opened: Opened) {
    let SignUp { person, passkey, session, .. } = signed_up(&opened.store).await;
    opened.store.close().await;
    let store = opened.database.open().await.unwrap();
    assert_eq!(store.person(person.id).await.unwrap(), Some(person));
    assert_eq!(store.passkey(passkey.id()).await.unwrap(), Some(passkey));
    assert_eq!(store.session(session.id).await.unwrap(), Some(session));
}

#[tokio::test]
async fn a_row_of_a_person_that_nobody_here_wrote_is_damaged() {
    let opened = Opened::sqlite().await;
    let ada = signed_up(&opened.store).await;
    for change in [
        "UPDATE passkeys SET backup_eligible = 2",
        "UPDATE passkeys SET backup_eligible = 1, counter = -1",
        "UPDATE passkeys SET counter = 4294967296",
        "UPDATE passkeys SET counter = 0, credential = 'AAAA'",
        "UPDATE passkeys SET algorithm = 'none'",
    ] {
        sqlx::query(change).execute(&opened.store.pool).await.unwrap();
        let read = opened.store.passkey(ada.passkey.id()).await;
        assert!(matches!(read, Err(Failed::Damaged(_))), "{change}: {read:?}");
    }
    for change in [
        "UPDATE sessions SET environment = 'Live'",
        "UPDATE sessions SET environment = 'live', last_used_from = 'here'",
        "UPDATE sessions SET last_used_from = '::1', public_key = '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='",
    ] {
        sqlx::query(change).execute(&opened.store.pool).await.unwrap();
        let read = opened.store.session(ada.session.id).await;
        assert!(matches!(read, Err(Failed::Damaged(_))), "{change}: {read:?}");
    }
}
