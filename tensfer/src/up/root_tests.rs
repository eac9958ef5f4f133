use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};

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
        HEADER.to_owned(),
        good.replace("v1", "v2"),
        good[..good.len() - 1].to_owned(),
        format!("{good}\n"),
        format!("{good}3 00\n"),
        format!("{good}{line}\n"),
        good.replace("\n2 ", "\n3 "),
        good.replace("\n1 ", "\n01 "),
        good.replace('\n', "\r\n"),
        good.replacen(&line[2..], &line[2..].to_uppercase().replace(|c: char| c.is_ascii_digit(), "A"), 1),
        "\0".repeat(MOST_BYTES + 10),
    ] {
        std::fs::write(&path, &bad).unwrap();
        assert!(matches!(file.load_or_make(), Err(RootError::Damaged(_))), "{bad:?}");
        assert!(matches!(file.add_epoch(), Err(RootError::Damaged(_))), "{bad:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), bad);
    }
    std::fs::write(&path, &good).unwrap();
    assert_eq!(file.load().unwrap().0.len(), 2);
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
    assert!(after.starts_with(&before));
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
    let roots = Roots(vec![make_root().unwrap(), make_root().unwrap()]);
    let bytes = roots.provision(b"a certificate");
    assert_eq!(bytes.capacity(), 64 + 13 + 2 * 48, "the buffer has grown");
    let provision = <Provision as wire::Canonical>::from_bytes(&bytes).unwrap();
    let epochs: Vec<(u32, &[u8])> =
        provision.epochs.iter().map(|epoch| (epoch.epoch, &epoch.root[..])).collect();
    assert_eq!(epochs, [(1, &roots.0[0][..]), (2, &roots.0[1][..])]);
    assert_eq!(provision.sandbox.map(|root| root.to_vec()), Some(b"a certificate".to_vec()));
}

#[test]
fn debug_prints_no_root() {
    let roots = Roots(vec![Box::new(Zeroizing::new([0xab; ROOT]))]);
    assert_eq!(format!("{roots:?}"), "Roots(1 epochs)");
}
