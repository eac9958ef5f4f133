//! What is stated about rotations, over HTTP.

use super::{Rig, Seen, get, send};
use crate::gateway::Limits;
use crate::proofs::{FILE, Hashes, Of, write};
use wire::consent::Class;
use wire::register::{Backup, ENTRY, Entry, Proof, State};
use wire::{Canonical, RegisterId};

const OF: Of = Of { register: RegisterId([7; 16]), chapter: 3 };
/// Which hashes they are is the writer's business.
const HASHES: Hashes = Hashes { leaf: |entry| [entry[31]; 32], node: |left, right| [left[0] ^ right[0]; 32] };

fn entry(number: u8) -> [u8; ENTRY] {
    let (state, epoch) = (State::Held, 2);
    let (backup, class) = (Backup::Unsaid, Class::Any);
    Entry { name: [number; 32], state, backup, class, epoch, generation: 1, payload: [9; 32] }.to_bytes()
}

fn rig(numbers: &[u8]) -> Rig {
    let rig = Rig::start(Limits::default());
    let entries: Vec<_> = numbers.iter().copied().map(entry).collect();
    write(&rig.published(), OF, entries.into_iter(), HASHES).unwrap();
    rig
}

async fn proof(rig: &Rig, name: &str, query: &str) -> Seen {
    send(&rig.router, get(&format!("/v1/rotation/proofs/{name}?{query}"))).await
}

fn query(register: u8, chapter: u32) -> String {
    format!("register={}&chapter={chapter}", format!("{register:02x}").repeat(16))
}

#[tokio::test]
async fn a_connections_proof_is_for_who_knows_its_name_and_tells_of_no_other_entry() {
    let rig = rig(&[1, 3, 5]);
    let seen = proof(&rig, &"03".repeat(32), &query(7, 3)).await;
    assert_eq!((seen.status.as_u16(), seen.header("content-type")), (200, "application/cbor"));
    let found = Proof::from_bytes(&seen.body).unwrap();
    assert_eq!((found.index, found.size, found.entry.as_slice()), (1, 3, &entry(3)[..]));
    assert_eq!(found.path.len(), 2, "hashes alone stand beside it");
    for name in ["02", "04", "00", "ff"] {
        let absent = proof(&rig, &name.repeat(32), &query(7, 3)).await;
        assert_eq!(absent.problem(), (404, "not_recorded".to_owned()), "{name}");
    }
}

#[tokio::test]
async fn a_proof_is_of_the_statement_that_was_asked_about_or_of_none() {
    let rig = rig(&[1]);
    for of in [query(7, 2), query(7, 4), query(8, 3)] {
        let other = proof(&rig, &"01".repeat(32), &of).await;
        assert_eq!(other.problem(), (409, "other_statement".to_owned()), "{of}");
    }
    let empty = Rig::start(Limits::default());
    let nothing = proof(&empty, &"01".repeat(32), &query(7, 3)).await;
    assert_eq!(nothing.problem(), (404, "nothing_stated".to_owned()));
}

#[tokio::test]
async fn names_and_questions_have_one_spelling_and_lead_to_no_other_file() {
    let rig = rig(&[1]);
    for name in ["01", &"0G".repeat(32), &"AB".repeat(32), "..%2Fproofs", &"01".repeat(33)] {
        let seen = proof(&rig, name, &query(7, 3)).await;
        assert_eq!(seen.problem(), (404, "not_found".to_owned()), "{name}");
    }
    let long = format!("{}&more=1", query(7, 3));
    for bad in ["", "register=07&chapter=3", "chapter=3", &query(7, 3).replace('=', "==3&x="), &long] {
        let seen = proof(&rig, &"01".repeat(32), bad).await;
        assert_eq!(seen.problem(), (400, "query_malformed".to_owned()), "{bad}");
    }
    for epoch in ["..", "1.cbor", "-1", "4294967296", "%2e%2e%2fproofs"] {
        let seen = send(&rig.router, get(&format!("/v1/rotation/destructions/{epoch}"))).await;
        assert_eq!(seen.problem().0, 404, "{epoch}");
    }
}

#[tokio::test]
async fn statements_are_served_as_they_were_published() {
    let rig = rig(&[1]);
    let uri = "/v1/rotation/completion";
    assert_eq!(send(&rig.router, get(uri)).await.problem(), (404, "nothing_stated".to_owned()));
    std::fs::write(rig.published().join("completion.cbor"), b"a statement").unwrap();
    std::fs::write(rig.published().join("destruction-4.cbor"), b"a destruction").unwrap();
    assert_eq!(send(&rig.router, get(uri)).await.body, b"a statement");
    assert_eq!(send(&rig.router, get("/v1/rotation/destructions/4")).await.body, b"a destruction");
    let absent = send(&rig.router, get("/v1/rotation/destructions/5")).await;
    assert_eq!(absent.problem(), (404, "nothing_stated".to_owned()));
}

#[tokio::test]
async fn a_damaged_file_of_proofs_is_the_servers_fault_and_no_more_are_read_than_the_bound() {
    let broken = rig(&[1, 2]);
    std::fs::write(broken.published().join(FILE), b"cut off").unwrap();
    let seen = proof(&broken, &"01".repeat(32), &query(7, 3)).await;
    assert_eq!(seen.problem(), (500, "gateway_failed".to_owned()));
    let none = Rig::start(Limits { reading: 0, ..Limits::default() });
    assert_eq!(send(&none.router, get("/v1/rotation/completion")).await.problem().1, "busy");
}
