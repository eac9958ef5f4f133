//! What becomes of keys.

use super::databases::Opened;
use super::*;
use crate::identity::{Refusal, Use};

over_each_database!(
    an_invitation_registers_one_key_and_no_other,
    one_of_many_who_bring_a_code_at_once_gets_the_key,
    an_organisation_that_lost_its_keys_is_invited_again,
    a_key_makes_keys_with_its_own_rights_or_fewer,
    a_public_key_is_registered_once_for_all_organisations,
    a_replaced_key_goes_on_for_its_overlap_and_is_replaced_once,
    nobody_replaces_a_key_with_more_rights_than_theirs,
    a_key_is_revoked_for_good_by_itself_or_by_who_may,
    another_organisations_key_is_none,
    every_change_leaves_its_event_and_a_refused_one_none,
    pages_follow_one_another_without_a_gap,
    the_last_use_is_kept,
    what_was_acknowledged_is_there_after_opening_again,
);

async fn an_invitation_registers_one_key_and_no_other(Opened { store, .. }: Opened) {
    let (id, code) = organisation(&store).await;
    let (mine, others) = (public(), public());
    let unknown = Code::from_random(&[0; 16]);
    refused(store.change(&acceptance(&unknown, mine.clone(), NOW)).await, Refusal::InvitationRefused);
    let late = NOW.plus(INVITATION);
    refused(store.change(&acceptance(&code, mine.clone(), late)).await, Refusal::InvitationRefused);
    let key = store.change(&acceptance(&code, mine.clone(), late.minus(1))).await.unwrap();
    assert_eq!((key.id, key.organisation, &key.rights), (mine.id(), id, &sandbox(Scopes::all())));
    // Its answer may have been lost on the way.
    assert_eq!(store.change(&acceptance(&code, mine, late)).await.unwrap(), key);
    refused(store.change(&acceptance(&code, others, NOW)).await, Refusal::InvitationRefused);
}

async fn an_organisation_that_lost_its_keys_is_invited_again(Opened { store, .. }: Opened) {
    let first = first_key(&store).await;
    revoke(&store, first.id, first.id).await.unwrap();
    let code = Code::from_random(&[9; 16]);
    let invite = |organisation| {
        let (scopes, environment, expires) = (Scopes::all(), Environment::Sandbox, NOW.plus(INVITATION));
        let (created, code) = (NOW, code.hash());
        let invitation =
            Invitation { code, organisation, scopes, environment, created, expires, used_by: None };
        CreateInvitation { invitation, by: by(Actor::Operator, NOW) }
    };
    refused(store.change(&invite(OrganisationId([0; 16]))).await, Refusal::OrganisationNotFound);
    store.change(&invite(first.organisation)).await.unwrap();
    let again = store.change(&acceptance(&code, public(), NOW)).await.unwrap();
    assert_eq!((again.organisation, again.rights), (first.organisation, first.rights));
    assert!(actions(&store, first.organisation).await.contains(&"invitation_created".to_owned()));
}

async fn one_of_many_who_bring_a_code_at_once_gets_the_key(Opened { store, .. }: Opened) {
    let (id, code) = organisation(&store).await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, acceptance) = (store.clone(), acceptance(&code, public(), NOW));
        all.spawn(async move { store.change(&acceptance).await });
    }
    let outcomes = all.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    for outcome in outcomes.into_iter().filter(Result::is_err) {
        refused(outcome, Refusal::InvitationRefused);
    }
    assert_eq!(store.keys(id, None, 100).await.unwrap().keys.len(), 1);
}

async fn a_key_makes_keys_with_its_own_rights_or_fewer(Opened { store, .. }: Opened) {
    let first = first_key(&store).await;
    let writer = add(&store, first.id, only(Scope::KeysWrite)).await.unwrap();
    assert_eq!(writer.created_by, Actor::Key(first.id));
    let reader = add(&store, first.id, only(Scope::KeysRead)).await.unwrap();
    refused(add(&store, writer.id, only(Scope::KeysRead)).await, Refusal::RightsExceeded);
    refused(add(&store, reader.id, only(Scope::KeysRead)).await, Refusal::ScopeMissing);
    let live = Rights { environment: Environment::Live, ..only(Scope::KeysWrite) };
    refused(add(&store, first.id, live).await, Refusal::RightsExceeded);
    let near = Rights { networks: Networks::parse("10.0.0.0/8").unwrap(), ..only(Scope::KeysWrite) };
    let near = add(&store, writer.id, near).await.unwrap();
    refused(add(&store, near.id, only(Scope::KeysWrite)).await, Refusal::RightsExceeded);
    revoke(&store, first.id, writer.id).await.unwrap();
    refused(add(&store, writer.id, only(Scope::KeysWrite)).await, Refusal::KeyRevoked);
    refused(add(&store, public().id(), only(Scope::KeysWrite)).await, Refusal::KeyNotFound);
}

async fn a_public_key_is_registered_once_for_all_organisations(Opened { store, .. }: Opened) {
    let (first, second) = (first_key(&store).await, first_key(&store).await);
    for (maker, taken) in [(&first, &first), (&second, &first)] {
        let new = new_key(taken.public.clone(), only(Scope::KeysRead));
        let by = by(Actor::Key(maker.id), NOW);
        refused(store.change(&AddKey { maker: maker.id, new, by }).await, Refusal::KeyTaken);
    }
    let (_, code) = organisation(&store).await;
    refused(store.change(&acceptance(&code, first.public.clone(), NOW)).await, Refusal::KeyTaken);
    revoke(&store, first.id, first.id).await.unwrap();
    refused(store.change(&acceptance(&code, first.public, NOW)).await, Refusal::KeyTaken);
}

fn replacement(asker: KeyId, id: KeyId, overlap: u64, now: UnixMillis) -> ReplaceKey {
    ReplaceKey { asker, id, public: public(), overlap, by: by(Actor::Key(asker), now) }
}

async fn a_replaced_key_goes_on_for_its_overlap_and_is_replaced_once(Opened { store, .. }: Opened) {
    let first = first_key(&store).await;
    let later = NOW.plus(1000);
    let second = store.change(&replacement(first.id, first.id, 500, later)).await.unwrap();
    assert_eq!((&second.name, &second.rights), (&first.name, &first.rights));
    assert_eq!(second.validity.expires, later.plus(first.validity.expires.distance(NOW)));
    let old = store.key(first.id).await.unwrap().unwrap();
    assert_eq!(old.replaced_by, Some(second.id));
    assert_eq!(old.check_live(later.plus(499)), Ok(()));
    assert_eq!(old.check_live(later.plus(500)), Err(Refusal::KeyExpired));
    let again = replacement(first.id, first.id, 500, later);
    refused(store.change(&again).await, Refusal::KeyReplaced);

    let third = store.change(&replacement(second.id, second.id, 0, later)).await.unwrap();
    let old = store.key(second.id).await.unwrap().unwrap();
    assert_eq!(old.check_live(later), Err(Refusal::KeyRevoked));
    refused(store.change(&replacement(second.id, third.id, 0, later)).await, Refusal::KeyRevoked);
}

async fn nobody_replaces_a_key_with_more_rights_than_theirs(Opened { store, .. }: Opened) {
    let first = first_key(&store).await;
    let writer = add(&store, first.id, only(Scope::KeysWrite)).await.unwrap();
    let reader = add(&store, first.id, only(Scope::KeysRead)).await.unwrap();
    let replace = async |asker, id| store.change(&replacement(asker, id, 0, NOW)).await;
    refused(replace(writer.id, first.id).await, Refusal::RightsExceeded);
    refused(replace(reader.id, writer.id).await, Refusal::ScopeMissing);
    let renewed = replace(reader.id, reader.id).await.unwrap();
    assert!(replace(first.id, renewed.id).await.is_ok());
}

async fn a_key_is_revoked_for_good_by_itself_or_by_who_may(Opened { store, .. }: Opened) {
    let first = first_key(&store).await;
    let reader = add(&store, first.id, only(Scope::KeysRead)).await.unwrap();
    let other = add(&store, first.id, only(Scope::KeysRead)).await.unwrap();
    refused(revoke(&store, reader.id, other.id).await, Refusal::ScopeMissing);
    assert_eq!(revoke(&store, reader.id, reader.id).await.unwrap().revoked, Some(NOW));
    refused(revoke(&store, reader.id, reader.id).await, Refusal::KeyRevoked);
    let late = by(Actor::Key(first.id), NOW.plus(5));
    let again = store.change(&RevokeKey { asker: first.id, id: reader.id, by: late }).await.unwrap();
    assert_eq!(again.revoked, Some(NOW));
    assert_eq!(store.key(reader.id).await.unwrap(), Some(again));
}

async fn another_organisations_key_is_none(Opened { store, .. }: Opened) {
    let (mine, others) = (first_key(&store).await, first_key(&store).await);
    refused(revoke(&store, mine.id, others.id).await, Refusal::KeyNotFound);
    refused(store.change(&replacement(mine.id, others.id, 0, NOW)).await, Refusal::KeyNotFound);
    let page = store.keys(mine.organisation, None, 100).await.unwrap();
    assert_eq!(page.keys.iter().map(|key| key.id).collect::<Vec<_>>(), [mine.id]);
}

async fn every_change_leaves_its_event_and_a_refused_one_none(Opened { store, .. }: Opened) {
    let first = first_key(&store).await;
    let reader = add(&store, first.id, only(Scope::KeysRead)).await.unwrap();
    refused(add(&store, reader.id, only(Scope::KeysRead)).await, Refusal::ScopeMissing);
    store.change(&replacement(first.id, reader.id, 1, NOW)).await.unwrap();
    revoke(&store, first.id, reader.id).await.unwrap();
    revoke(&store, first.id, reader.id).await.unwrap();
    let expected =
        ["invitation_accepted", "key_created", "key_replaced", "key_revoked", "organisation_created"];
    assert_eq!(actions(&store, first.organisation).await, expected);
    let events = store.events(first.organisation, 100).await.unwrap();
    let revoked = events.iter().find(|event| event.action == "key_revoked").unwrap();
    assert_eq!((revoked.actor, &revoked.subject), (Actor::Key(first.id), &reader.id.to_string()));
    assert_eq!(
        (revoked.happened, revoked.request.as_str()),
        (NOW, format!("req_{}", "0a".repeat(16)).as_str())
    );
}

async fn pages_follow_one_another_without_a_gap(Opened { store, .. }: Opened) {
    let first = first_key(&store).await;
    let mut made = vec![first.id];
    for _ in 0..6 {
        made.push(add(&store, first.id, only(Scope::KeysRead)).await.unwrap().id);
    }
    first_key(&store).await;
    for most in 1..=8 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.keys(first.organisation, after, most).await.unwrap();
            assert!(page.keys.len() <= 8 && !page.keys.is_empty());
            seen.extend(page.keys.iter().map(|key| key.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut expected = made.clone();
        expected.sort();
        seen.sort();
        assert_eq!(seen, expected, "by {most}");
    }
}

async fn the_last_use_is_kept(Opened { store, .. }: Opened) {
    let key = first_key(&store).await;
    assert_eq!(key.last_used, None);
    let used = Use { at: NOW.plus(7), from: "2001:db8::7".parse().unwrap() };
    store.change(&RecordUses(vec![(key.id.into(), used)])).await.unwrap();
    assert_eq!(store.key(key.id).await.unwrap().unwrap().last_used, Some(used));
}

async fn what_was_acknowledged_is_there_after_opening_again(opened: Opened) {
    let key = first_key(&opened.store).await;
    opened.store.close().await;
    let store = opened.database.open().await.unwrap();
    assert_eq!(store.key(key.id).await.unwrap(), Some(key.clone()));
    let organisation = store.organisation(key.organisation).await.unwrap().unwrap();
    assert_eq!(store.organisations().await.unwrap(), [organisation]);
}
