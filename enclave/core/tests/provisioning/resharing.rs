//! New holders for roots that exist: who decides it, what comes of it, and what the old shares are worth then.

use super::support::{DAY_MS, Machine, NONCE, Operators, made, made_with_classes, seal};
use verify::manifest::with_made;
use verify::setup::{About, report_data};
use wire::Canonical;
use wire::ceremony::{Answer, Ceremony, CeremonyFault, Genesis, Phase, Share, Shares};
use wire::identity::Identity;
use wire::manifest::{Holders, Manifest};

/// Four newcomers, of whom it takes three.
fn newcomers() -> (Operators, Holders) {
    let newcomers = Operators::new(0, 4);
    let holders = Holders { threshold: 3, ..newcomers.manifest().holders };
    (newcomers, holders)
}

/// Asks the holders of what a genesis made to have it split to others.
fn asking(operators: &Operators, genesis: &Genesis, to: &Holders) -> Manifest {
    Manifest { nonce: 3, reshare: Some(to.clone()), ..operators.next(genesis) }
}

/// A start to which two of the present holders gave everything.
fn reshared(operators: &Operators, genesis: &Genesis, asking: &Manifest) -> Machine {
    let mut machine = Machine::start();
    let document = machine.setup(operators.propose(asking));
    machine.release(operators.release(genesis, 1, &document));
    let status = machine.release(operators.release(genesis, 3, &document));
    assert_eq!((status.phase, status.manifest.is_some()), (Phase::Reshared, true));
    assert!(machine.enclave().is_none(), "it never runs");
    machine
}

fn told(machine: &mut Machine, operators: &Operators, asking: &Manifest) -> Genesis {
    let Answer::Genesis(attested) = machine.step(&Ceremony::Begin(operators.propose(asking))) else {
        panic!("nothing told")
    };
    assert_eq!(attested.evidence, report_data(About::Genesis, &NONCE, &attested.document));
    Genesis::from_bytes(&attested.document).unwrap()
}

fn commitment(machine: &Machine) -> [u8; 32] {
    let identity = Identity::from_bytes(machine.enclave().unwrap().identity()).unwrap();
    identity.epochs.commitments[0].commitment
}

#[test]
fn holders_have_their_roots_split_to_others_and_their_own_shares_are_worth_nothing_then() {
    let (operators, genesis) = made();
    let (newcomers, holders) = newcomers();
    let asking = asking(&operators, &genesis, &holders);
    let mut machine = reshared(&operators, &genesis, &asking);
    let made = told(&mut machine, &operators, &asking);
    assert_eq!(told(&mut machine, &operators, &asking), made, "a lost answer is given again");
    assert_eq!((made.roots.len(), made.sealed.len(), made.recovered), (1, 4, 4));
    assert!(made.roots[0].is_same(&genesis.roots[0]));
    let next = Manifest { nonce: 4, ..with_made(&asking, &made.roots) };
    assert_eq!(next.holders, holders);

    // Any three of the newcomers bring the same root back; what the old ones have does not count among them.
    let mut booted = Machine::start();
    let document = booted.setup(operators.propose(&next));
    for number in [4, 1] {
        booted.release(newcomers.release(&made, number, &document));
    }
    let old = operators.held(&genesis, 2);
    let old = Ceremony::Release(seal(&document, 2, &Shares::from_bytes(&old).unwrap()));
    assert_eq!(booted.refused(&old), (CeremonyFault::ShareWrong, Some(2)));
    assert!(booted.enclave().is_none(), "two of four are too few");
    booted.release(newcomers.release(&made, 2, &document));
    assert_eq!(commitment(&booted), genesis.roots[0].commitment.0);
}

#[test]
fn no_approver_gives_roots_to_new_holders_without_the_old_ones() {
    let (operators, genesis) = made();
    let (_, holders) = newcomers();
    let asking = asking(&operators, &genesis, &holders);
    let mut running = Machine::start();
    let document = running.setup(operators.propose(&operators.next(&genesis)));
    running.release(operators.release(&genesis, 1, &document));
    running.release(operators.release(&genesis, 2, &document));
    let mut waiting = Machine::start();
    assert_eq!(
        waiting.refused(&Ceremony::Begin(operators.propose(&asking))).0,
        CeremonyFault::NotProvisioned,
        "nobody has released anything"
    );
    // An enclave that runs neither splits its roots, nor goes over to a manifest with other holders.
    let begin = Ceremony::Begin(operators.propose(&asking));
    assert_eq!(running.refused(&begin).0, CeremonyFault::NothingToMake);
    let mut taken = with_made(&asking, &genesis.roots);
    taken.nonce = 4;
    taken.holders.members.truncate(3);
    for manifest in [asking, taken] {
        for step in [Ceremony::Adopt, Ceremony::Announce] {
            let refused = running.refused(&step(operators.propose(&manifest)));
            assert_eq!(refused.0, CeremonyFault::NotASuccessor);
        }
    }
}

#[test]
fn a_class_that_a_holder_leaves_out_stays_with_the_old_holders_and_so_does_everything_else() {
    let (operators, genesis) = made_with_classes(48);
    let (_, holders) = newcomers();
    let asking = asking(&operators, &genesis, &holders);
    let mut machine = Machine::start();
    let document = machine.setup(operators.propose(&asking));
    machine.release(operators.release(&genesis, 1, &document));
    let held = operators.held(&genesis, 2);
    let given = Shares::from_bytes(&held).unwrap().shares.into_iter();
    let shares: Vec<Share<'_>> = given.filter(|share| share.class != "owner").collect();
    let release = Ceremony::Release(seal(&document, 2, &Shares { shares }));
    assert_eq!(machine.refused(&release), (CeremonyFault::RootsMissing, None));
    let begin = Ceremony::Begin(operators.propose(&asking));
    assert_eq!(machine.refused(&begin).0, CeremonyFault::NotProvisioned);
    // With all of it, each root has new shares.
    let made = told(&mut reshared(&operators, &genesis, &asking), &operators, &asking);
    assert_eq!(made.roots.len(), 3);
    assert!(
        made.roots.iter().zip(&genesis.roots).all(|(new, old)| new.is_same(old) && new.shares != old.shares)
    );
}

#[test]
fn what_was_shared_anew_is_told_for_the_manifest_that_asked_for_it_alone() {
    let (operators, genesis) = made();
    let (_, holders) = newcomers();
    let asking = asking(&operators, &genesis, &holders);
    let mut machine = reshared(&operators, &genesis, &asking);
    let other = Manifest { until: asking.until.plus(DAY_MS), ..asking.clone() };
    for (proposal, fault) in [
        (operators.propose(&other), CeremonyFault::NotProvisioned),
        (operators.propose_by(&asking, &[2]), CeremonyFault::ApprovalsMissing),
    ] {
        assert_eq!(machine.refused(&Ceremony::Begin(proposal)).0, fault);
    }
    // It may still be started for real.
    let document = machine.setup(operators.propose(&operators.next(&genesis)));
    machine.release(operators.release(&genesis, 2, &document));
    machine.release(operators.release(&genesis, 3, &document));
    assert_eq!(commitment(&machine), genesis.roots[0].commitment.0);
}
