use super::text::{MOST_BYTES, print};
use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use wire::consent::Class;
use wire::evidence::Hash;
use wire::freshness::Witnessed;
use wire::identity::RelyingParty;
use wire::manifest::Signers;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("tensfer-root-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_root_is_made_once_and_then_kept() {
    let folder = Folder::new("kept");
    let file = RootFile::of(&folder.0);
    let made = print(&file.load_or_make().unwrap());
    assert_eq!(print(&file.load_or_make().unwrap()), made);
    assert_eq!(std::fs::read(folder.0.join("simulated-root")).unwrap(), *made);
    let other = Folder::new("other");
    assert_ne!(print(&RootFile::of(&other.0).load_or_make().unwrap()), made);
}

#[test]
fn m14_a_lost_root_is_never_made_anew() {
    let folder = Folder::new("lost");
    let file = RootFile::of(&folder.0);
    file.load_or_make().unwrap();
    std::fs::remove_file(folder.0.join("simulated-root")).unwrap();
    for _ in 0..2 {
        assert!(matches!(file.load_or_make(), Err(RootError::Lost(_))));
        assert!(matches!(file.load(), Err(RootError::Lost(_))));
        assert!(matches!(file.add_epoch(), Err(RootError::Lost(_))));
        assert!(!folder.0.join("simulated-root").exists());
    }
}

#[test]
fn m14_a_damaged_root_is_never_replaced() {
    let folder = Folder::new("damaged");
    let file = RootFile::of(&folder.0);
    file.load_or_make().unwrap();
    file.add_epoch().unwrap();
    let path = folder.0.join("simulated-root");
    let good = std::fs::read_to_string(&path).unwrap();
    let line = good.lines().nth(1).unwrap();
    for bad in [
        String::new(),
        good.lines().next().unwrap().to_owned() + "\n",
        good.replace("v3", "v4"),
        good.replace("v3", "v1"),
        good.replace("v3", "v2"),
        good.replace("current", "retained"),
        good.replace("retained", "current"),
        good.replace("retained", "pending"),
        good.replace("current", "gone"),
        good[..good.len() - 1].to_owned(),
        format!("{good}\n"),
        format!("{good}3 00 pending\n"),
        format!("{good}{line}\n"),
        good.replace("\n2 ", "\n3 "),
        good.replace("\n1 ", "\n01 "),
        good.replace('\n', "\r\n"),
        good.replacen(
            &line[2..66],
            &line[2..66].to_uppercase().replace(|c: char| c.is_ascii_digit(), "A"),
            1,
        ),
        "\0".repeat(MOST_BYTES + 10),
    ] {
        std::fs::write(&path, &bad).unwrap();
        assert!(matches!(file.load_or_make(), Err(RootError::Damaged(_))), "{bad:?}");
        assert!(matches!(file.add_epoch(), Err(RootError::Damaged(_))), "{bad:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), bad);
    }
    std::fs::write(&path, &good).unwrap();
    assert_eq!(file.load().unwrap().secrets.len(), 2);
}

#[test]
fn m14_a_link_to_nowhere_is_not_a_place_for_a_root() {
    let folder = Folder::new("link");
    symlink("nowhere", folder.0.join("simulated-root")).unwrap();
    assert!(RootFile::of(&folder.0).load_or_make().is_err());
    assert!(!folder.0.join("nowhere").exists());
}

#[test]
fn m18_a_root_that_others_may_read_is_refused_and_ours_is_not_one() {
    let folder = Folder::new("exposed");
    let file = RootFile::of(&folder.0);
    file.load_or_make().unwrap();
    file.add_epoch().unwrap();
    let path = folder.0.join("simulated-root");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(file.load_or_make(), Err(RootError::Exposed(_))));
}

#[test]
fn an_epoch_is_added_and_those_before_stay() {
    let folder = Folder::new("epochs");
    let file = RootFile::of(&folder.0);
    assert!(matches!(file.add_epoch(), Err(RootError::NotYet)));
    let before = print(&file.load_or_make().unwrap());
    assert_eq!(file.add_epoch().unwrap(), 2);
    assert_eq!(file.add_epoch().unwrap(), 3);
    let after = print(&file.load().unwrap());
    let secret = |text: &[u8]| String::from_utf8_lossy(text).lines().nth(1).unwrap()[..66].to_owned();
    assert_eq!(secret(&after), secret(&before));
    assert_eq!(after.iter().filter(|byte| **byte == b'\n').count(), 4);
}

#[test]
fn m21_what_a_crash_left_behind_is_not_taken_for_a_root_and_stops_nobody() {
    let folder = Folder::new("crash");
    let file = RootFile::of(&folder.0);
    std::fs::write(folder.0.join("simulated-root.next"), "half a ro").unwrap();
    let made = print(&file.load_or_make().unwrap());
    std::fs::write(folder.0.join("simulated-root.next"), "half a ro").unwrap();
    assert_eq!(print(&file.load_or_make().unwrap()), made);
    assert_eq!(file.add_epoch().unwrap(), 2);
}

#[test]
fn what_the_enclave_is_given_is_canonical_and_complete_and_never_moved() {
    let roots = Roots {
        oldest: 3,
        current: 3,
        secrets: vec![EpochSecrets::make(true).unwrap(), EpochSecrets::make(true).unwrap()],
    };
    let witnesses = Signers { threshold: 0, members: Vec::new() };
    let witnessed = Witnessed { deployment: Hash([7; 32]), witnesses, replaced: None };
    let party =
        RelyingParty { id: "localhost".to_owned(), origins: vec!["http://localhost:8080".to_owned()] };
    let besides = 13 + witnessed.to_bytes().len() + party.to_bytes().len();
    let bytes = roots.provision(&Surroundings {
        sandbox: b"a certificate".to_vec(),
        witnessed: witnessed.clone(),
        relying_parties: vec![party.clone()],
    });
    assert_eq!(bytes.capacity(), 64 + besides + 2 * 120, "the buffer has grown");
    let provision = <Provision as wire::Canonical>::from_bytes(&bytes).unwrap();
    for ((number, secrets), given) in (3u32..).zip(&roots.secrets).zip(&provision.epochs) {
        let [delayed, owner] = secrets.classes.as_ref().unwrap();
        assert_eq!(given.epoch, number);
        for (class, root) in Class::ALL.into_iter().zip([&secrets.any, delayed, owner]) {
            assert_eq!(given.of(class).unwrap()[..], root[..], "{class}");
        }
    }
    assert_eq!(provision.epochs.len(), 2);
    assert_eq!(provision.current, Some(3));
    assert_eq!(provision.sandbox.map(|root| root.to_vec()), Some(b"a certificate".to_vec()));
    assert_eq!(provision.witnessed, Some(witnessed));
    assert_eq!(provision.relying_parties, [party]);
}

#[test]
fn debug_prints_no_root() {
    let roots = Roots {
        oldest: 1,
        current: 1,
        secrets: vec![EpochSecrets { any: Box::new(Zeroizing::new([0xab; ROOT])), classes: None }],
    };
    assert_eq!(format!("{roots:?}"), "Roots(1 to 1, current 1)");
}

/// What each line of the file says of its epoch, without the root.
fn phases(folder: &Folder) -> Vec<String> {
    let text = std::fs::read_to_string(folder.0.join("simulated-root")).unwrap();
    text.lines().skip(1).map(|line| format!("{} {}", &line[..1], line.rsplit(' ').next().unwrap())).collect()
}

#[test]
fn m21_a_step_names_the_state_it_starts_from_and_a_repeated_one_is_no_second() {
    let folder = Folder::new("steps");
    let file = RootFile::of(&folder.0);
    file.load_or_make().unwrap();
    let out_of_turn = |outcome: Result<Step, RootError>| match outcome {
        Err(RootError::OutOfTurn(why)) => why,
        other => panic!("{other:?}"),
    };
    let step = |epoch, already| Step { epoch, already };
    assert_eq!(out_of_turn(file.promote(Some(2))), OutOfTurn::NotPending { asked: 2, current: 1 });
    assert_eq!(file.promote(None).unwrap(), step(1, true));
    assert_eq!(file.begin(Some(1)).unwrap(), step(2, false));
    assert_eq!(file.begin(Some(1)).unwrap(), step(2, true));
    assert_eq!(file.begin(None).unwrap(), step(2, true), "one is pending: no other is begun");
    assert_eq!(out_of_turn(file.begin(Some(5))), OutOfTurn::NotCurrent { asked: 5, current: 1 });
    assert_eq!(phases(&folder), ["1 current", "2 pending"]);
    assert_eq!(file.promote(Some(2)).unwrap(), step(2, false));
    assert_eq!(file.promote(Some(2)).unwrap(), step(2, true));
    assert_eq!(file.begin(Some(1)).unwrap(), step(2, true), "begun from 1 it was, and is current by now");
    assert_eq!(file.add_epoch().unwrap(), 3);
    assert_eq!(phases(&folder), ["1 retained", "2 retained", "3 current"]);
    assert_eq!(out_of_turn(file.destroy(3)), OutOfTurn::InUse { asked: 3, current: 3 });
    assert_eq!(out_of_turn(file.destroy(2)), OutOfTurn::NotOldest { asked: 2, oldest: 1 });
    assert_eq!(file.destroy(1).unwrap(), step(1, false));
    assert_eq!(file.destroy(1).unwrap(), step(1, true));
    assert_eq!(phases(&folder), ["2 retained", "3 current"]);
    assert_eq!(out_of_turn(file.begin(Some(1))), OutOfTurn::NotCurrent { asked: 1, current: 3 });
}

#[test]
fn m14_a_file_from_before_there_were_classes_keeps_its_roots_and_gets_those_of_the_others_once() {
    let folder = Folder::new("version-1");
    let file = RootFile::of(&folder.0);
    file.load_or_make().unwrap();
    let path = folder.0.join("simulated-root");
    let line = std::fs::read_to_string(&path).unwrap().lines().nth(1).unwrap()[..66].to_owned();
    let old = format!("tensfer simulated root v1 - DEVELOPMENT, protects nothing\n{line}\n2{}\n", &line[1..]);
    std::fs::write(&path, &old).unwrap();
    let roots = file.load().unwrap();
    assert_eq!((roots.oldest(), roots.current(), roots.newest()), (1, 2, 2));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), old, "reading changes nothing");
    // A step keeps to what the file has: nothing was sealed under other classes yet.
    file.begin(None).unwrap();
    assert_eq!(phases(&folder), ["1 retained", "2 current", "3 pending"]);
    assert_eq!(file.load().unwrap().classes(), [Class::Any]);
    let made = file.load_or_make().unwrap();
    assert_eq!(made.classes(), Class::ALL);
    assert_eq!(print(&file.load().unwrap()), print(&made), "they are on disk before anyone is given them");
    assert!(std::fs::read_to_string(&path).unwrap().contains(&line), "class any's roots stay");
    assert_eq!(print(&file.load_or_make().unwrap()), print(&made), "and are made once");
    // Of version 3, one that lost a class is damaged.
    let torn = std::fs::read_to_string(&path).unwrap().replacen(&line, "1", 1);
    std::fs::write(&path, torn).unwrap();
    assert!(matches!(file.load_or_make(), Err(RootError::Damaged(_))));
}

#[test]
fn what_a_destroyed_epoch_was_is_overwritten_before_its_name_goes() {
    let folder = Folder::new("wiped");
    let file = RootFile::of(&folder.0);
    file.load_or_make().unwrap();
    let path = folder.0.join("simulated-root");
    // Every file that the root was ever in, by a name of the test's own.
    let hold = |nth: usize| {
        let name = folder.0.join(format!("kept-by-the-test-{nth}"));
        std::fs::hard_link(&path, &name).unwrap();
        name
    };
    let first = hold(1);
    file.begin(None).unwrap();
    let second = hold(2);
    file.promote(None).unwrap();
    let third = hold(3);
    file.destroy(1).unwrap();
    for name in [first, second, third] {
        let left = std::fs::read(&name).unwrap();
        assert!(!left.is_empty() && left.iter().all(|byte| *byte == 0), "the very blocks were overwritten");
    }
    assert_eq!(phases(&folder), ["2 current"]);
}

#[test]
fn m21_wiping_never_touches_the_file_in_use() {
    let folder = Folder::new("wipe-crash");
    let file = RootFile::of(&folder.0);
    file.load_or_make().unwrap();
    file.add_epoch().unwrap();
    let (path, old) = (folder.0.join("simulated-root"), folder.0.join("simulated-root.old"));
    let before = std::fs::read(&path).unwrap();
    // As a crash between the second name and the rename leaves it.
    std::fs::hard_link(&path, &old).unwrap();
    file.load_or_make().unwrap();
    assert!(!old.exists());
    assert_eq!(std::fs::read(&path).unwrap(), before);
    // As a crash between the rename and the wiping leaves it.
    std::fs::write(&old, &before).unwrap();
    file.load_or_make().unwrap();
    assert!(!old.exists());
    assert_eq!(std::fs::read(&path).unwrap(), before);
    // The only copy that is left is not wiped: it is its owner's to bring back.
    std::fs::rename(&path, &old).unwrap();
    assert!(matches!(file.load_or_make(), Err(RootError::Lost(_))));
    assert_eq!(std::fs::read(&old).unwrap(), before);
}
