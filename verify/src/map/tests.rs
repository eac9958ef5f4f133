//! Against a map that is computed from all its leaves, by the definition.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use wire::evidence::Hash;
use wire::freshness::Leaf;
use wire::rewrap::Bytes;

type Leaves = BTreeMap<Digest, Vec<u8>>;

/// By the definition: a subtree is the leaves whose names begin with a path.
fn root_of(leaves: &[(&Digest, &Vec<u8>)], depth: usize) -> Digest {
    match leaves {
        [] => EMPTY,
        [(name, state)] => leaf(name, state),
        leaves => {
            let halves = halves(leaves, depth);
            node(&root_of(&halves.0, depth + 1), &root_of(&halves.1, depth + 1))
        }
    }
}

type Some2<'l> = Vec<(&'l Digest, &'l Vec<u8>)>;

fn halves<'l>(leaves: &[(&'l Digest, &'l Vec<u8>)], depth: usize) -> (Some2<'l>, Some2<'l>) {
    leaves.iter().copied().partition(|(name, _)| !goes_right(name, depth))
}

fn all(leaves: &Leaves) -> Some2<'_> {
    leaves.iter().collect()
}

fn proof_of(leaves: &Leaves, name: &Digest) -> StateProof {
    let (mut below, mut depth, mut siblings) = (all(leaves), 0, Vec::new());
    while below.len() > 1 {
        let (left, right) = halves(&below, depth);
        let (here, beside) = if goes_right(name, depth) { (right, left) } else { (left, right) };
        siblings.push(Hash(root_of(&beside, depth + 1)));
        (below, depth) = (here, depth + 1);
    }
    let leaf = below.first().map(|(name, state)| Leaf { name: Hash(**name), state: Bytes((*state).clone()) });
    StateProof { siblings, leaf }
}

/// Names that share long beginnings as often as not.
fn names() -> impl Strategy<Value = Digest> {
    (0..4_u8, 0..4_u8, 0..4_u8).prop_map(|(first, tenth, last)| {
        let mut name = [0xa5; 32];
        (name[0], name[9], name[31]) = (first << 6, tenth, last);
        name
    })
}

fn maps() -> impl Strategy<Value = Leaves> {
    proptest::collection::btree_map(names(), proptest::collection::vec(any::<u8>(), 0..5), 0..24)
}

proptest! {
    #[test]
    fn every_name_is_found_as_it_is_and_every_other_is_absent(leaves in maps(), name in names()) {
        let root = root_of(&all(&leaves), 0);
        let proof = proof_of(&leaves, &name);
        prop_assert_eq!(find(&root, &name, &proof), Ok(leaves.get(&name).map(Vec::as_slice)));
    }

    #[test]
    fn changed_leaves_lead_to_the_root_that_the_definition_gives(
        leaves in maps(),
        changes in proptest::collection::vec((names(), proptest::collection::vec(any::<u8>(), 0..5)), 1..12),
    ) {
        let mut part = Part::new(root_of(&all(&leaves), 0));
        for (name, _) in &changes {
            let shown = part.show(name, &proof_of(&leaves, name)).map(|state| state.map(<[u8]>::to_vec));
            prop_assert_eq!(shown, Ok(leaves.get(name).cloned()));
        }
        prop_assert_eq!(part.root(), root_of(&all(&leaves), 0));
        let mut changed = leaves;
        for (name, state) in changes {
            prop_assert_eq!(part.set(&name, &state), Ok(()));
            changed.insert(name, state);
        }
        prop_assert_eq!(part.root(), root_of(&all(&changed), 0));
    }

    #[test]
    fn a_path_of_another_map_another_name_or_with_anything_changed_shows_nothing(
        leaves in maps(),
        other in maps(),
        name in names(),
        stranger in names(),
        at in any::<proptest::sample::Index>(),
    ) {
        let root = root_of(&all(&leaves), 0);
        let good = proof_of(&leaves, &name);
        let truth = leaves.get(&name).map(Vec::as_slice);
        let is_true = |proof: &StateProof| match find(&root, &name, proof) {
            Ok(found) => found == truth,
            Err(Mismatch) => true,
        };
        prop_assert!(is_true(&proof_of(&other, &name)));
        prop_assert!(is_true(&proof_of(&leaves, &stranger)));
        let mut cut = good.clone();
        cut.siblings.pop();
        prop_assert!(is_true(&cut));
        let mut without = good.clone();
        without.leaf = None;
        prop_assert!(is_true(&without));
        if !good.siblings.is_empty() {
            let mut altered = good.clone();
            let at = at.index(altered.siblings.len());
            altered.siblings[at].0[0] ^= 1;
            prop_assert_eq!(find(&root, &name, &altered), Err(Mismatch));
        }
        if let Some(leaf) = &good.leaf {
            let mut altered = good.clone();
            altered.leaf = Some(Leaf { state: Bytes([&leaf.state.0[..], b"x"].concat()), ..leaf.clone() });
            prop_assert_eq!(find(&root, &name, &altered), Err(Mismatch));
        }
    }
}

#[test]
fn what_was_not_shown_is_not_changed() {
    let leaves: Leaves = [([0; 32], vec![1]), ([0xff; 32], vec![2])].into();
    let root = root_of(&all(&leaves), 0);
    let mut part = Part::new(root);
    assert_eq!(part.set(&[0; 32], b"new"), Err(Mismatch));
    part.show(&[0; 32], &proof_of(&leaves, &[0; 32])).unwrap();
    assert_eq!(part.set(&[0xff; 32], b"new"), Err(Mismatch), "the other half is a hash still");
    assert_eq!(part.root(), root);
}

#[test]
fn a_path_that_is_too_long_or_ends_early_is_refused() {
    let leaves: Leaves = [([0; 32], vec![1]), ([1; 32], vec![2])].into();
    let root = root_of(&all(&leaves), 0);
    let mut long = proof_of(&leaves, &[0; 32]);
    long.siblings.resize(257, Hash(EMPTY));
    assert_eq!(find(&root, &[0; 32], &long), Err(Mismatch));
    let mut part = Part::new(root);
    part.show(&[0; 32], &proof_of(&leaves, &[0; 32])).unwrap();
    let short = StateProof { siblings: Vec::new(), leaf: None };
    assert_eq!(part.show(&[0; 32], &short), Err(Mismatch));
    assert_eq!(Part::new(EMPTY).show(&[0; 32], &short), Ok(None));
}
