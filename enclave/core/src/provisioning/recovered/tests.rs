#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::*;
use serde_json::Value;
use wire::Canonical;
use wire::evidence::Hash;

const MINE: Hash = Hash([0xaa; 32]);
const OTHER: Hash = Hash([0xbb; 32]);

fn root(class: Class, epoch: u32, fill: u8, program: Option<Hash>) -> RootCommitment {
    let commitment = ClassRoots::commit(class, epoch, &Secret::copied(&[fill; 32])).unwrap();
    RootCommitment {
        class: class.name().into(),
        epoch,
        commitment: Hash(commitment),
        shares: vec![Hash([0; 32]); 3],
        program,
    }
}

/// The script's manifest, with two epochs of each class, and of class `owner` two of each of two programs.
fn manifest() -> Manifest {
    let file: Value = serde_json::from_str(include_str!("../../../../../vectors/provisioning.json")).unwrap();
    let text = file["manifests"][1]["encoded"].as_str().unwrap();
    let bytes: Vec<u8> =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
    let mut manifest = Manifest::from_bytes(&bytes).unwrap();
    manifest.classes = Class::ALL.map(|class| class.name().to_owned()).to_vec();
    manifest.delay = Some(48);
    manifest.roots = vec![
        root(Class::Any, 1, 1, None),
        root(Class::Any, 2, 2, None),
        root(Class::Delayed, 1, 3, None),
        root(Class::Delayed, 2, 4, None),
        root(Class::Owner, 1, 5, Some(MINE)),
        root(Class::Owner, 2, 6, Some(MINE)),
        root(Class::Owner, 3, 7, Some(OTHER)),
        root(Class::Owner, 4, 8, Some(OTHER)),
    ];
    manifest.check_form().unwrap();
    manifest
}

/// At each root's place, its secret or nothing; 0 is nothing.
fn secrets(fills: [u8; 8]) -> Vec<Option<Secret<32>>> {
    fills.iter().map(|fill| (*fill > 0).then(|| Secret::copied(&[*fill; 32]))).collect()
}

fn classes(fills: [u8; 8]) -> Result<Vec<(Class, u32)>, CeremonyFault> {
    let found = Recovered::check(&manifest(), secrets(fills))?;
    Ok(found.roots.all().map(|roots| (roots.class(), roots.current())).collect())
}

#[test]
fn roots_are_what_the_manifest_commits_to_or_none() {
    assert_eq!(classes([1, 2, 0, 0, 0, 0, 0, 0]), Ok(vec![(Class::Any, 2)]));
    assert_eq!(classes([1, 9, 0, 0, 0, 0, 0, 0]), Err(CeremonyFault::RootWrong));
    assert_eq!(
        classes([0, 0, 3, 4, 5, 6, 0, 0]),
        Err(CeremonyFault::RootsMissing),
        "class any is always there"
    );
    assert_eq!(classes([1, 0, 3, 4, 5, 6, 0, 0]), Err(CeremonyFault::RootWrong));
}

#[test]
fn a_class_is_there_as_a_whole_or_not_at_all_and_of_class_owner_one_programs() {
    let all = vec![(Class::Any, 2), (Class::Delayed, 2), (Class::Owner, 2)];
    assert_eq!(classes([1, 2, 3, 4, 5, 6, 0, 0]), Ok(all));
    let all = vec![(Class::Any, 2), (Class::Delayed, 2), (Class::Owner, 4)];
    assert_eq!(classes([1, 2, 3, 4, 0, 0, 7, 8]), Ok(all));
    assert_eq!(classes([1, 2, 0, 0, 5, 6, 0, 0]), Ok(vec![(Class::Any, 2), (Class::Owner, 2)]));
    for torn in [
        [1, 2, 3, 0, 0, 0, 0, 0],
        [1, 2, 0, 4, 0, 0, 0, 0],
        [1, 2, 0, 0, 5, 0, 0, 0],
        [1, 2, 0, 0, 5, 6, 7, 8],
        [1, 2, 0, 0, 5, 0, 0, 8],
        [1, 2, 0, 0, 7, 8, 0, 0],
        [1, 2, 1, 2, 0, 0, 0, 0],
    ] {
        assert_eq!(classes(torn), Err(CeremonyFault::RootWrong), "{torn:?}");
    }
}

fn candidate(programs: &[Hash], is_public: bool) -> Candidate {
    Candidate { programs: programs.to_vec(), is_public }
}

/// The fills of what would be handed to such a successor.
fn handed(kept: &Kept, next: &Manifest, candidate: &Candidate) -> Option<Vec<u8>> {
    let own = manifest();
    let shares = kept.shares(&own, next, candidate)?;
    Some(shares.shares.iter().map(|share| share.share[0]).collect())
}

#[test]
fn a_successor_gets_the_classes_that_it_qualifies_for_and_no_other() {
    let found = Recovered::check(&manifest(), secrets([1, 2, 3, 4, 5, 6, 0, 0]));
    let Ok(Recovered { kept, .. }) = found else { panic!("right roots") };
    let handed = |programs: &[Hash], public| handed(&kept, &manifest(), &candidate(programs, public));
    assert_eq!(handed(&[], false), Some(vec![1, 2]));
    assert_eq!(handed(&[], true), Some(vec![1, 2, 3, 4]));
    assert_eq!(handed(&[MINE], false), Some(vec![1, 2, 5, 6]));
    assert_eq!(handed(&[MINE], true), Some(vec![1, 2, 3, 4, 5, 6]));
    assert_eq!(
        handed(&[OTHER], true),
        Some(vec![1, 2, 3, 4]),
        "another program's root is not here to be given"
    );
}

#[test]
fn what_was_handed_over_is_read_back_and_nothing_more_may_be_in_it() {
    let manifest = manifest();
    let read = |fills: &[(&'static str, u32, u8)]| {
        let bytes: Vec<[u8; 32]> = fills.iter().map(|(_, _, fill)| [*fill; 32]).collect();
        let share = |((class, epoch, _), bytes): (&(&'static str, u32, u8), &'_ [u8; 32])| Share {
            class,
            epoch: *epoch,
            share: Box::leak(Box::new(*bytes)).as_slice().into(),
        };
        let shares = Shares { shares: fills.iter().zip(&bytes).map(share).collect() };
        let found = Recovered::inherit(&manifest, &shares)?;
        Ok::<_, CeremonyFault>(found.roots.all().map(ClassRoots::class).collect::<Vec<_>>())
    };
    let any = [("any", 1, 1), ("any", 2, 2)];
    let with = |more: &[(&'static str, u32, u8)]| read(&[&any, more].concat());
    assert_eq!(with(&[]), Ok(vec![Class::Any]));
    assert_eq!(with(&[("owner", 3, 7), ("owner", 4, 8)]), Ok(vec![Class::Any, Class::Owner]));
    assert_eq!(with(&[("owner", 1, 5), ("owner", 2, 6)]), Ok(vec![Class::Any, Class::Owner]));
    assert_eq!(with(&[("owner", 1, 7), ("owner", 2, 8)]), Err(CeremonyFault::RootWrong), "another program's");
    assert_eq!(with(&[("owner", 5, 9)]), Err(CeremonyFault::HandoverWrong), "no program's");
    assert_eq!(with(&[("later", 1, 9)]), Err(CeremonyFault::HandoverWrong));
    assert_eq!(with(&[("delayed", 1, 3)]), Err(CeremonyFault::RootWrong), "half a class");
    assert_eq!(
        with(&[("delayed", 1, 1), ("delayed", 2, 2)]),
        Err(CeremonyFault::RootWrong),
        "another class's roots"
    );
    assert_eq!(read(&[("any", 2, 2), ("any", 1, 1)]), Err(CeremonyFault::HandoverWrong), "out of order");
    assert_eq!(read(&[]), Err(CeremonyFault::RootsMissing));
}

#[test]
fn the_root_of_a_destroyed_epoch_is_there_for_no_successor() {
    let all = candidate(&[MINE], true);
    let found = Recovered::check(&manifest(), secrets([1, 2, 3, 4, 5, 6, 0, 0]));
    let Ok(Recovered { mut kept, .. }) = found else { panic!("right roots") };
    kept.forget(&manifest(), Class::Any, 1);
    assert_eq!(handed(&kept, &manifest(), &all), None);
    let mut later = manifest();
    later.roots.remove(0);
    assert_eq!(handed(&kept, &later, &all), Some(vec![2, 3, 4, 5, 6]), "of its own class alone");
}
