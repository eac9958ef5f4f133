use super::*;
use crate::testing::Folder;
use wire::evidence::Hash;
use wire::reached::AllReached;
use wire::register::ENTRY;

fn commit(chapter: u32, first: u64, entry: u8, head: &[u8]) -> Vec<u8> {
    let leaf = Leaf { name: Hash([entry; 32]), state: Bytes(vec![entry, chapter as u8]) };
    let (entries, kept) = (vec![entry; ENTRY], kept(head));
    Commit { advance: Bytes(Vec::new()), chapter, first, entries, leaves: vec![leaf], kept }.to_bytes()
}

/// What an enclave has its host keep of a head with this payload.
fn kept(head: &[u8]) -> Vec<u8> {
    let signed = Sign1 { protected: &[], payload: Some(head), signature: &[] };
    let head = Bytes(signed.to_bytes());
    Kept { head, seal: Hash([0; 32]), peaks: Vec::new(), reached: AllReached::default() }.to_bytes()
}

fn links(keeper: &Keeper) -> Vec<Vec<u8>> {
    keeper.links().into_iter().map(|Bytes(head)| head).collect()
}

/// The heads with these numbers.
fn heads(numbers: impl Iterator<Item = u32>) -> Vec<Vec<u8>> {
    numbers.map(|number| number.to_be_bytes().to_vec()).collect()
}

/// Keeps the heads with these numbers, one after another.
fn keep_heads(keeper: &mut Keeper, numbers: impl Iterator<Item = u32>) {
    for (number, head) in numbers.map(|number| (number, number.to_be_bytes())) {
        keeper.keep(&commit(1, u64::from(number), b'a', &head)).unwrap();
    }
}

fn open(folder: &Folder) -> Keeper {
    Keeper::open(folder.path().join("register")).unwrap()
}

fn state(keeper: &Keeper, entry: u8) -> Option<Vec<u8>> {
    let found = keeper.find(&Lookup { line: 0, names: vec![Hash([entry; 32])] });
    let leaf = found.proofs.into_iter().next().unwrap().leaf?;
    (leaf.name.0 == [entry; 32]).then_some(leaf.state.0)
}

#[test]
fn entries_lie_at_their_places_and_what_a_crash_cut_off_is_written_over() {
    let folder = Folder::new();
    let mut keeper = open(&folder);
    assert_eq!(keeper.kept(), None);
    keeper.keep(&commit(1, 0, b'a', b"one")).unwrap();
    keeper.keep(&commit(1, 1, b'x', b"two")).unwrap();
    keeper.keep(&commit(1, 1, b'b', b"two again")).unwrap();
    let chapter = std::fs::read(folder.path().join("register/chapter-1")).unwrap();
    assert_eq!(chapter, [[b'a'; ENTRY], [b'b'; ENTRY]].concat());
    assert_eq!(keeper.kept().unwrap(), kept(b"two again"));
}

#[test]
fn a_chapter_begins_with_its_base_and_ends_the_one_before() {
    let folder = Folder::new();
    let mut keeper = open(&folder);
    keeper.keep(&commit(1, 0, b'a', b"one")).unwrap();
    std::fs::write(folder.path().join("register/base-2"), [b'c'; ENTRY]).unwrap();
    keeper.keep(&commit(2, 1, b'd', b"two")).unwrap();
    let chapter = std::fs::read(folder.path().join("register/chapter-2")).unwrap();
    assert_eq!(chapter, [[b'c'; ENTRY], [b'd'; ENTRY]].concat());
    assert!(!folder.path().join("register/chapter-1").exists());
    assert!(!folder.path().join("register/base-2").exists());
}

#[test]
fn m21_whatever_was_kept_is_there_after_the_process_was_killed_even_if_nothing_but_the_journal_lasted() {
    let folder = Folder::new();
    let mut keeper = open(&folder);
    keeper.keep(&commit(1, 0, b'a', b"one")).unwrap();
    keeper.keep(&commit(1, 1, b'b', b"two")).unwrap();
    let root = keeper.map.root();
    drop(keeper);
    for lost in [&["kept"][..], &["chapter-1"], &["kept", "chapter-1"]] {
        lost.iter().for_each(|name| std::fs::remove_file(folder.path().join("register").join(name)).unwrap());
        let keeper = open(&folder);
        assert_eq!((keeper.kept().unwrap(), keeper.map.root()), (&kept(b"two")[..], root));
        let chapter = std::fs::read(folder.path().join("register/chapter-1")).unwrap();
        assert_eq!(chapter, [[b'a'; ENTRY], [b'b'; ENTRY]].concat());
    }
}

/// Folds, and waits until that is done.
fn fold_now(keeper: &mut Keeper) {
    keeper.fold().unwrap();
    keeper.folding.wait().unwrap();
}

#[test]
fn m21_a_crash_at_any_step_of_folding_loses_nothing() {
    let path = |folder: &Folder, name: &str| folder.path().join("register").join(name);
    let folder = Folder::new();
    let mut keeper = open(&folder);
    keeper.keep(&commit(1, 0, b'a', b"one")).unwrap();
    fold_now(&mut keeper);
    keeper.keep(&commit(1, 1, b'b', b"two")).unwrap();
    keeper.keep(&commit(1, 2, b'a', b"three")).unwrap();
    let read = |name| std::fs::read(path(&folder, name)).unwrap();
    let (journal, before) = (read(WRITTEN), ["chapter-1", "checkpoint", "map"].map(read));
    fold_now(&mut keeper);
    let (root, after) = (keeper.map.root(), ["chapter-1", "checkpoint", "map"].map(read));
    drop(keeper);
    // The journal is set aside, the checkpoint replaced, the map replaced, the journal removed.
    for (step, meanwhile) in (0..=4).flat_map(|step| [(step, false), (step, step > 0)]) {
        let folder = Folder::new();
        drop(open(&folder));
        let write = |name: &str, bytes: &[u8]| std::fs::write(path(&folder, name), bytes).unwrap();
        write("chapter-1", &before[0]);
        write("checkpoint", if step > 1 { &after[1] } else { &before[1] });
        write("map", if step > 2 { &after[2] } else { &before[2] });
        if step < 4 {
            write(if step > 0 { FOLDED } else { WRITTEN }, &journal);
        }
        if meanwhile {
            let mut journal = Journal::open(&path(&folder, WRITTEN), |_| Ok(())).unwrap();
            journal.append(&commit(1, 3, b'b', b"four")).unwrap();
        }
        let mut keeper = open(&folder);
        if !meanwhile {
            assert_eq!((keeper.kept().unwrap(), keeper.map.root()), (&kept(b"three")[..], root), "{step}");
            assert_eq!(links(&keeper), [&b"two"[..], b"one"], "{step}");
            keeper.keep(&commit(1, 3, b'b', b"four")).unwrap();
            drop(keeper);
            keeper = open(&folder);
        }
        assert_eq!((keeper.map.len(), keeper.kept().unwrap()), (2, &kept(b"four")[..]), "{step}");
        assert_eq!(links(&keeper), [&b"three"[..], b"two", b"one"], "{step}");
        assert_eq!((state(&keeper, b'a'), state(&keeper, b'c')), (Some(vec![b'a', 1]), None));
        let chapter = std::fs::read(path(&folder, "chapter-1")).unwrap();
        assert_eq!(chapter, [b'a', b'b', b'a', b'b'].map(|entry| [entry; ENTRY]).concat(), "{step}");
    }
}

#[test]
fn commits_and_lookups_go_on_while_a_journal_is_folded() {
    let folder = Folder::new();
    let mut keeper = open(&folder);
    keeper.keep(&commit(1, 0, b'a', b"one")).unwrap();
    // A fold that comes to no end before it is told to.
    let (go_on, waits) = std::sync::mpsc::channel::<()>();
    keeper.journal.set_aside(&keeper.folder.path(WRITTEN), &keeper.folder.path(FOLDED)).unwrap();
    let (at, last) = (keeper.folder.clone(), keeper.last.clone());
    keeper.folding.0 = Some(std::thread::spawn(move || {
        waits.recv().map_err(io::Error::other)?;
        fold(&at, &last)
    }));
    keeper.keep(&commit(1, 1, b'b', b"two")).unwrap();
    assert!(keeper.folding.is_under_way().unwrap());
    assert_eq!((state(&keeper, b'a'), state(&keeper, b'b')), (Some(vec![b'a', 1]), Some(vec![b'b', 1])));
    go_on.send(()).unwrap();
    keeper.folding.wait().unwrap();
    let root = keeper.map.root();
    drop(keeper);
    let keeper = open(&folder);
    assert_eq!((keeper.kept().unwrap(), keeper.map.root()), (&kept(b"two")[..], root));
}

#[test]
fn every_head_leads_to_the_one_before_it_after_folds_and_kills() {
    let folder = Folder::new();
    let mut keeper = open(&folder);
    keep_heads(&mut keeper, 0..100);
    fold_now(&mut keeper);
    keep_heads(&mut keeper, 100..102);
    assert_eq!(links(&keeper), heads((0..101).rev()));
    for _ in 0..2 {
        drop(keeper);
        keeper = open(&folder);
        assert_eq!(links(&keeper), heads((0..101).rev()));
    }
    let all = heads(102..1_200).into_iter().map(Bytes);
    all.for_each(|head| keeper.last.note(head, Vec::new()));
    assert_eq!(links(&keeper), heads((1_199 - MAX_LINKS as u32..1_199).rev()));
}

#[test]
fn a_commit_that_is_asked_for_again_is_kept_once() {
    let folder = Folder::new();
    let mut keeper = open(&folder);
    keep_heads(&mut keeper, 0..3);
    let size = keeper.journal.size();
    keep_heads(&mut keeper, 2..3);
    assert_eq!((keeper.journal.size(), links(&keeper)), (size, heads((0..2).rev())));
}

#[test]
fn a_register_that_is_put_in_anothers_place_is_taken_whole_and_never_by_its_files() {
    let (folder, other) = (Folder::new(), Folder::new());
    let (mut keeper, mut latest) = (open(&folder), open(&other));
    latest.keep(&commit(1, 0, b'a', b"one")).unwrap();
    assert!(!keeper.take_brought().unwrap());
    // Files that are copied into it are half of a register at some moment.
    std::fs::write(folder.path().join("register/kept"), b"one").unwrap();
    assert!(!keeper.take_brought().unwrap());
    assert_eq!(keeper.kept(), None);
    let (register, aside) = (folder.path().join("register"), folder.path().join("register.refused"));
    std::fs::rename(&register, aside).unwrap();
    assert!(!keeper.take_brought().unwrap(), "between two names there is nothing");
    std::fs::rename(other.path().join("register"), &register).unwrap();
    assert!(keeper.take_brought().unwrap());
    assert_eq!((keeper.kept().unwrap(), state(&keeper, b'a')), (&kept(b"one")[..], Some(vec![b'a', 1])));
    assert!(!keeper.take_brought().unwrap());
}

#[test]
fn a_register_that_is_refused_is_put_aside_and_never_written_over() {
    let folder = Folder::new();
    let mut keeper = open(&folder);
    for number in 1..3 {
        keeper.keep(&commit(1, 0, b'a', b"one")).unwrap();
        let aside = keeper.put_aside().unwrap();
        assert!(aside.ends_with(format!("register.refused-{number}")));
        assert_eq!(std::fs::read(aside.join("kept")).unwrap(), kept(b"one"));
        assert_eq!((keeper.kept(), keeper.map.len()), (None, 0));
    }
}
