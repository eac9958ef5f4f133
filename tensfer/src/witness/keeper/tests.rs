use super::*;
use bytes::Bytes;
use std::os::unix::fs::PermissionsExt;
use verify::witness::examine;
use wire::BootId;
use wire::manifest::Signer;
use wire::witness::{Promise, Why};

const TAKE: Take =
    Take { deployment: Hash([1; 32]), line: 0, term: 7, boot: BootId([2; 16]), nonce: Hash([3; 32]) };
const ADVANCE: Advance = Advance {
    deployment: TAKE.deployment,
    line: 0,
    term: 7,
    boot: TAKE.boot,
    counter: 4,
    head: Hash([5; 32]),
};

fn take(take: &Take) -> Asked {
    Asked::Take(Bytes::from(take.to_bytes()))
}

fn advance(advance: &Advance) -> Asked {
    Asked::Advance(Bytes::from(advance.to_bytes()))
}

/// What it answers, by its own signature.
fn told(keeper: &mut Keeper, asked: Asked) -> Option<Answer> {
    let member = Signer { alias: "w".into(), key: public(&keeper.pair) };
    let answers = keeper.answer(&[asked]).unwrap();
    let [answer] = &answers[..] else { panic!("one answer for one ask") };
    answer.as_ref().map(|answer| examine(answer, &[member]).unwrap().1)
}

#[test]
fn m14_key_and_memory_are_made_once_and_neither_beside_the_other() {
    for lost in [KEY, MEMORY] {
        let data = tempfile::tempdir().unwrap();
        let key = Keeper::open(data.path()).unwrap().key();
        assert_eq!(Keeper::open(data.path()).unwrap().key(), key);
        assert_eq!(key_at(data.path()).unwrap(), key);
        let path = data.path().join(KEPT).join(lost);
        std::fs::remove_file(&path).unwrap();
        for _ in 0..2 {
            assert!(matches!(Keeper::open(data.path()), Err(Lost::Missing(missing)) if missing == path));
        }
    }
}

#[test]
fn m21_a_first_start_that_died_in_between_left_nothing() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("kept.new")).unwrap();
    std::fs::write(data.path().join("kept.new").join(KEY), b"half a key").unwrap();
    assert!(Keeper::open(data.path()).is_ok());
}

#[test]
fn what_was_answered_is_remembered_by_the_next_start() {
    let data = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::open(data.path()).unwrap();
    let promise = Answer::Promise(Promise { take: TAKE, accepted: None });
    assert_eq!(told(&mut keeper, take(&TAKE)), Some(promise));
    assert_eq!(told(&mut keeper, advance(&ADVANCE)), Some(Answer::Cosignature(ADVANCE)));
    drop(keeper);
    let mut keeper = Keeper::open(data.path()).unwrap();
    let Some(Answer::Refused(refused)) = told(&mut keeper, take(&TAKE)) else { panic!("promised twice") };
    assert_eq!((refused.why, refused.promised), (Why::TermTaken, TAKE.term));
    let next = Take { term: 8, ..TAKE };
    let promise = Answer::Promise(Promise { take: next, accepted: Some(ADVANCE.accepted()) });
    assert_eq!(told(&mut keeper, take(&next)), Some(promise));
}

#[test]
fn nothing_is_said_that_could_not_be_written() {
    let data = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::open(data.path()).unwrap();
    std::fs::remove_dir_all(data.path().join(KEPT)).unwrap();
    assert!(keeper.answer(&[take(&TAKE)]).is_err());
}

#[test]
fn m07_what_is_no_question_gets_no_answer() {
    let data = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::open(data.path()).unwrap();
    let of_another = Asked::Advance(Bytes::from(TAKE.to_bytes()));
    let long = Asked::Take(Bytes::from(vec![0; MAX_ASKED + 1]));
    let mut trailing = TAKE.to_bytes();
    trailing.push(0);
    for asked in [of_another, long, Asked::Take(Bytes::from(trailing)), take(&Take { line: 64, ..TAKE })] {
        assert_eq!(told(&mut keeper, asked), None);
    }
}

#[test]
fn a_memory_of_another_key_damaged_or_open_to_others_starts_no_witness() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop((Keeper::open(one.path()).unwrap(), Keeper::open(other.path()).unwrap()));
    let memory = one.path().join(KEPT).join(MEMORY);
    let good = std::fs::read(&memory).unwrap();
    let damaged = |bytes: &[u8]| {
        std::fs::write(&memory, bytes).unwrap();
        matches!(Keeper::open(one.path()), Err(Lost::Damaged(path)) if path == memory)
    };
    assert!(damaged(&std::fs::read(other.path().join(KEPT).join(MEMORY)).unwrap()));
    assert!(damaged(&good[..good.len() - 1]) && damaged(&[]));
    std::fs::write(&memory, &good).unwrap();
    assert!(Keeper::open(one.path()).is_ok());
    std::fs::set_permissions(&memory, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Keeper::open(one.path()), Err(Lost::Exposed(_))));
}

#[test]
fn m18_debug_shows_no_private_key() {
    let data = tempfile::tempdir().unwrap();
    let keeper = Keeper::open(data.path()).unwrap();
    assert_eq!(format!("{keeper:?}"), format!("Keeper({:?})", keeper.key()));
}
