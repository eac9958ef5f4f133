//! Making the roots.

use super::support::{Machine, Operators, made};
use wire::Canonical;
use wire::ceremony::{Ceremony, CeremonyFault, Genesis, Phase, Shares};
use wire::freshness::Freshness;
use wire::identity::Identity;
use wire::manifest::{Manifest, Signer, Signers, SigningKey};
use wire::owner::OwnerAlgorithm;

#[test]
fn a_genesis_seals_a_share_to_each_holder_and_proves_that_every_pair_recovers_the_root() {
    let (operators, genesis) = made();
    assert_eq!((genesis.recovered, genesis.sealed.len()), (3, 3), "three pairs of three holders");
    assert_eq!(genesis.roots.len(), 1);
    assert_eq!((genesis.roots[0].class.as_str(), genesis.roots[0].epoch), ("any", 1));
    let mut seen = Vec::new();
    for number in 1..=3 {
        let held = operators.held(&genesis, number);
        let shares = Shares::from_bytes(&held).unwrap();
        assert_eq!(shares.shares.len(), 1);
        let share: [u8; 32] = shares.shares[0].share[..].try_into().unwrap();
        assert!(!seen.contains(&share), "no two holders have the same share");
        seen.push(share);
    }
}

#[test]
fn any_two_of_three_holders_boot_an_enclave_with_the_same_root_and_one_alone_does_not() {
    let (operators, genesis) = made();
    let manifest = operators.next(&genesis);
    let mut commitments = Vec::new();
    for pair in [[1, 2], [3, 1], [2, 3]] {
        let mut machine = Machine::start();
        assert_eq!(machine.status().phase, Phase::Waiting);
        let document = machine.setup(operators.propose(&manifest));
        let status = machine.release(operators.release(&genesis, pair[0], &document));
        assert_eq!((status.phase, status.released, status.threshold), (Phase::Collecting, vec![pair[0]], 2));
        assert!(machine.enclave().is_none(), "no roots before quorum");
        let status = machine.release(operators.release(&genesis, pair[1], &document));
        assert_eq!(status.phase, Phase::Provisioned);
        let identity = Identity::from_bytes(machine.enclave().unwrap().identity()).unwrap();
        assert_eq!(identity.manifest, Some(verify::manifest::hash(&manifest.to_bytes())));
        assert_eq!(identity.epochs.commitments[0].commitment, genesis.roots[0].commitment.0);
        commitments.push(identity.epochs.commitments);
    }
    assert!(commitments.windows(2).all(|pair| pair[0] == pair[1]));
}

/// What an enclave that boots under this manifest says of its witnesses.
fn freshness(operators: &Operators, genesis: &Genesis, manifest: &Manifest) -> Option<Freshness> {
    let mut machine = Machine::start();
    let document = machine.setup(operators.propose(manifest));
    for holder in [1, 2] {
        machine.release(operators.release(genesis, holder, &document));
    }
    Identity::from_bytes(machine.enclave().unwrap().identity()).unwrap().freshness
}

#[test]
fn two_deployments_of_one_name_are_two_to_their_witnesses_and_every_successor_is_the_same_one() {
    let (one, other) = (made(), made());
    let key = SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: vec![7; 32] };
    let witnesses = Signers { threshold: 1, members: vec![Signer { alias: "wit".into(), key }] };
    let [first, second] = [&one, &other].map(|(operators, genesis)| {
        let manifest = Manifest { witnesses: witnesses.clone(), ..operators.next(genesis) };
        let named = freshness(operators, genesis, &manifest).unwrap();
        let later = Manifest { nonce: 9, until: manifest.until.plus(1), ..manifest };
        assert_eq!(freshness(operators, genesis, &later).unwrap().deployment, named.deployment);
        named
    });
    assert_eq!((first.keys, first.threshold, first.witnesses), (second.keys, 1, 1));
    assert_ne!(first.deployment, second.deployment, "both are called `example`, and have these witnesses");
    assert_eq!(freshness(&one.0, &one.1, &one.0.next(&one.1)), None, "without witnesses there is none");
}

#[test]
fn m14_a_genesis_is_refused_once_the_manifest_commits_to_roots() {
    let (operators, genesis) = made();
    let step = Ceremony::Genesis(operators.propose(&operators.next(&genesis)));
    assert_eq!(Machine::start().refused(&step), (CeremonyFault::RootsCommitted, None));
}

#[test]
fn m14_one_start_makes_roots_once() {
    let operators = Operators::new(3, 3);
    let mut machine = Machine::start();
    machine.genesis(operators.propose(&operators.manifest()));
    let again = Ceremony::Genesis(operators.propose(&operators.manifest()));
    assert_eq!(machine.refused(&again), (CeremonyFault::GenesisDone, None));
}

#[test]
fn m14_a_manifest_that_commits_to_no_root_boots_nothing() {
    let operators = Operators::new(3, 3);
    let mut machine = Machine::start();
    let step = Ceremony::Setup(operators.propose(&operators.manifest()));
    assert_eq!(machine.refused(&step), (CeremonyFault::RootsMissing, None));
    assert_eq!(machine.status().phase, Phase::Waiting);
}

#[test]
fn two_geneses_share_nothing() {
    let operators = Operators::new(3, 3);
    let make = || Machine::start().genesis(operators.propose(&operators.manifest()));
    let (one, other) = (make(), make());
    assert_ne!(one.roots[0].commitment, other.roots[0].commitment);
    // Shares of the one are none of the other's: its manifest commits to other ones.
    let mut machine = Machine::start();
    let document = machine.setup(operators.propose(&operators.next(&one)));
    let step = Ceremony::Release(operators.release(&other, 1, &document));
    assert_eq!(machine.refused(&step), (CeremonyFault::ShareWrong, Some(1)));
}

#[test]
fn the_largest_group_recovers_from_a_thousand_sets_of_its_shares() {
    let operators = Operators::new(2, 16);
    let mut manifest = operators.manifest();
    manifest.holders.threshold = 8;
    let genesis = Machine::start().genesis(operators.propose(&manifest));
    assert_eq!((genesis.recovered, genesis.sealed.len()), (1024, 16));
}
