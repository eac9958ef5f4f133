//! Hostile bytes in the place of a step.

use super::support::{Machine, made};
use proptest::prelude::*;
use wire::Canonical;
use wire::ceremony::{Ceremony, Phase};

#[test]
fn m07_altered_steps_are_answered_and_none_gives_an_enclave_its_root() {
    let (operators, genesis) = made();
    let next = operators.next(&genesis);
    let mut machine = Machine::start();
    let document = machine.setup(operators.propose(&next));
    machine.release(operators.release(&genesis, 1, &document));
    let steps: Vec<Vec<u8>> = [
        Ceremony::Status,
        Ceremony::Genesis(operators.propose(&operators.manifest())),
        Ceremony::Setup(operators.propose(&next)),
        // With this holder's share once more, and never with another's: what is right must not come about by itself.
        Ceremony::Release(operators.release(&genesis, 1, &document)),
    ]
    .iter()
    .map(Canonical::to_bytes)
    .collect();
    let machine = std::cell::RefCell::new(machine);
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        (0..steps.len(), prop::collection::vec((any::<u16>(), any::<u8>()), 0..6), any::<u16>()).prop_map(
            move |(step, changes, cut)| {
                let mut bytes = steps[step].clone();
                for (at, to) in changes {
                    let length = bytes.len();
                    bytes[usize::from(at) % length] = to;
                }
                if cut % 4 == 0 {
                    bytes.truncate(usize::from(cut) % (bytes.len() + 1));
                }
                bytes
            }
        ),
    ];
    let cases = if std::env::var_os("TENSFER_SOAK").is_some() { 100_000 } else { 1_000 };
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let outcome = runner.run(&bytes, |bytes| {
        let answer = machine.borrow_mut().frame(wire::frame::Kind::Ceremony, &bytes);
        prop_assert!(answer.is_some(), "every step is answered");
        prop_assert!(machine.borrow().enclave().is_none());
        Ok(())
    });
    outcome.unwrap();
    assert_eq!(machine.into_inner().status().phase, Phase::Collecting);
}
