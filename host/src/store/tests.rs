//! Every promise of the store, over each database.

mod databases;
mod keys;
mod network;
mod people;
mod policies;
mod repeated;

use super::*;
use crate::identity::{
    Actor, Code, Environment, INVITATION, Invitation, Key, Name, Networks, NewKey, Organisation, Public,
    RequestName, Rights, Scope, Scopes, Validity,
};
use crate::signatures::Algorithm;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::sync::atomic::{AtomicU64, Ordering};
use wire::{EventId, KeyId, OrganisationId, UnixMillis};

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

/// Each of these, as a test over SQLite and as one over PostgreSQL.
macro_rules! over_each_database {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(super::databases::Opened::sqlite().await).await; })+
        }
        mod postgres {
            $(#[tokio::test] async fn $name() { super::$name(super::databases::Opened::postgres().await).await; })+
        }
    };
}
use over_each_database;

fn public() -> Public {
    let pair = Ed25519KeyPair::generate().unwrap();
    Public::new(Algorithm::Ed25519, pair.public_key().as_ref()).unwrap()
}

/// Another one each time.
fn number() -> [u8; 16] {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed)).to_be_bytes()
}

fn name() -> Name {
    Name::parse("backend").unwrap()
}

fn by(actor: Actor, now: UnixMillis) -> Provenance {
    let mut event = [0; 16];
    getrandom::fill(&mut event).unwrap();
    let request = RequestName::parse(&format!("req_{}", "0a".repeat(16))).unwrap();
    Provenance { event: EventId(event), actor, now, request }
}

fn sandbox(scopes: Scopes) -> Rights {
    Rights { scopes, environment: Environment::Sandbox, networks: Networks::default() }
}

fn new_key(public: Public, rights: Rights) -> NewKey {
    NewKey { name: name(), public, rights, validity: Validity::starting(NOW) }
}

/// An organisation with an invitation that nobody has used.
async fn organisation(store: &Store) -> (OrganisationId, Code) {
    let (id, code) = (OrganisationId(number()), Code::from_random(&number()));
    let organisation = Organisation { id, name: Name::parse("Example Ltd.").unwrap(), created: NOW };
    let invitation = Invitation {
        code: code.hash(),
        organisation: id,
        scopes: Scopes::all(),
        environment: Environment::Sandbox,
        created: NOW,
        expires: NOW.plus(INVITATION),
        used_by: None,
    };
    store
        .change(&CreateOrganisation { organisation, invitation, by: by(Actor::Operator, NOW) })
        .await
        .unwrap();
    (id, code)
}

fn acceptance(code: &Code, public: Public, now: UnixMillis) -> AcceptInvitation {
    let actor = Actor::Key(public.id());
    AcceptInvitation { code: code.hash(), name: name(), public, by: by(actor, now) }
}

/// An organisation's first key.
async fn first_key(store: &Store) -> Key {
    let (_, code) = organisation(store).await;
    store.change(&acceptance(&code, public(), NOW)).await.unwrap()
}

async fn add(store: &Store, maker: KeyId, rights: Rights) -> Result<Key, Failed> {
    store.change(&AddKey { maker, new: new_key(public(), rights), by: by(Actor::Key(maker), NOW) }).await
}

async fn revoke(store: &Store, asker: KeyId, id: KeyId) -> Result<Key, Failed> {
    store.change(&RevokeKey { asker, id, by: by(Actor::Key(asker), NOW) }).await
}

async fn actions(store: &Store, organisation: OrganisationId) -> Vec<String> {
    let events = store.events(organisation, 100).await.unwrap();
    let mut actions: Vec<String> = events.into_iter().map(|event| event.action).collect();
    actions.sort();
    actions
}

#[track_caller]
fn refused<T: core::fmt::Debug>(outcome: Result<T, Failed>, with: Refusal) {
    match outcome {
        Err(Failed::Refused(refusal)) => assert_eq!(refusal, with),
        other => panic!("{other:?}, not {with:?}"),
    }
}

fn only(scope: Scope) -> Rights {
    sandbox([scope].into_iter().collect())
}
