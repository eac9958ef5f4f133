//! What becomes of organisations' policies.

use super::databases::Opened;
use super::*;
use crate::identity::Refusal;

over_each_database!(
    policies_replace_those_that_were_seen_and_no_others,
    one_of_many_who_replace_one_version_at_once_does,
    an_organisations_policies_are_its_own,
    who_lacks_the_scope_or_was_revoked_replaces_none,
    the_last_hundred_versions_are_kept,
    policies_are_there_after_opening_again,
);

fn replace(asker: &Key, replaces: i64, text: &str) -> ReplacePolicies {
    let by = by(Actor::Key(asker.id), NOW);
    ReplacePolicies { asker: asker.id, text: text.to_owned(), replaces, by }
}

async fn policies_replace_those_that_were_seen_and_no_others(Opened { store, .. }: Opened) {
    let first = first_key(&store).await;
    let organisation = first.organisation;
    assert_eq!(store.policies(organisation).await.unwrap(), None);
    assert_eq!(store.policies_version(organisation).await.unwrap(), 0);
    for unseen in [1, -1, i64::MAX] {
        refused(store.change(&replace(&first, unseen, "a")).await, Refusal::PoliciesReplaced);
    }
    let written = store.change(&replace(&first, 0, "é\n")).await.unwrap();
    let expected =
        Written { version: 1, text: "é\n".to_owned(), changed: NOW, changed_by: Actor::Key(first.id) };
    assert_eq!(written, expected);
    assert_eq!(store.policies(organisation).await.unwrap(), Some(expected));
    refused(store.change(&replace(&first, 0, "b")).await, Refusal::PoliciesReplaced);
    assert_eq!(store.change(&replace(&first, 1, "")).await.unwrap().version, 2);
    assert_eq!(store.policies_version(organisation).await.unwrap(), 2);
    let actions = actions(&store, organisation).await;
    assert_eq!(actions.iter().filter(|action| *action == "policies_replaced").count(), 2);
}

async fn one_of_many_who_replace_one_version_at_once_does(Opened { store, .. }: Opened) {
    let first = first_key(&store).await;
    let mut all = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (store, change) = (store.clone(), replace(&first, 0, &number.to_string()));
        all.spawn(async move { store.change(&change).await });
    }
    let outcomes = all.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for outcome in outcomes.into_iter().filter(Result::is_err) {
        refused(outcome, Refusal::PoliciesReplaced);
    }
}

async fn an_organisations_policies_are_its_own(Opened { store, .. }: Opened) {
    let (mine, theirs) = (first_key(&store).await, first_key(&store).await);
    store.change(&replace(&mine, 0, "mine")).await.unwrap();
    assert_eq!(store.policies(theirs.organisation).await.unwrap(), None);
    store.change(&replace(&theirs, 0, "theirs")).await.unwrap();
    assert_eq!(store.policies(mine.organisation).await.unwrap().unwrap().text, "mine");
}

async fn who_lacks_the_scope_or_was_revoked_replaces_none(Opened { store, .. }: Opened) {
    let first = first_key(&store).await;
    for scope in Scope::ALL.into_iter().filter(|scope| *scope != Scope::PoliciesWrite) {
        let other = add(&store, first.id, only(scope)).await.unwrap();
        refused(store.change(&replace(&other, 0, "a")).await, Refusal::ScopeMissing);
    }
    let writer = add(&store, first.id, only(Scope::PoliciesWrite)).await.unwrap();
    revoke(&store, first.id, writer.id).await.unwrap();
    refused(store.change(&replace(&writer, 0, "a")).await, Refusal::KeyRevoked);
    assert_eq!(store.policies_version(first.organisation).await.unwrap(), 0);
}

async fn the_last_hundred_versions_are_kept(Opened { store, .. }: Opened) {
    let first = first_key(&store).await;
    for version in 0..103 {
        store.change(&replace(&first, version, "a")).await.unwrap();
    }
    let kept: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM policies WHERE organisation = $1 ORDER BY version")
            .bind(first.organisation.to_string())
            .fetch_all(&store.pool)
            .await
            .unwrap();
    assert_eq!(kept, (4..=103).collect::<Vec<i64>>());
}

async fn policies_are_there_after_opening_again(opened: Opened) {
    let first = first_key(&opened.store).await;
    let written = opened.store.change(&replace(&first, 0, "a")).await.unwrap();
    opened.store.close().await;
    let again = opened.database.open().await.unwrap();
    assert_eq!(again.policies(first.organisation).await.unwrap(), Some(written));
}
