//! Whatever is lost on the way, and whoever is killed: an owner who goes on has one envelope that opens.

use super::scene::{Scene, credential};
use crate::support::{Draft, Key, Machine, Owner};
use proptest::prelude::*;
use wire::consent::Class;
use wire::envelope::Envelope;
use wire::moving::Capsule;
use wire::operation::{Op, Rotated};
use wire::{Canonical, Refusal};

/// The requests of a move, in their order.
const STEPS: [Op; 3] = [Op::HandOn, Op::TakeIn, Op::Acknowledge];

/// What goes wrong in one attempt.
#[derive(Clone, Copy, Debug)]
struct Fault {
    /// At which request.
    step: Op,
    /// Before it arrives; else its reply does not.
    is_request: bool,
    /// Then these are started anew.
    kills_old: bool,
    kills_new: bool,
}

/// The client's half, with what it keeps on its disk: the envelope in use, and one that was stored and not acknowledged.
struct Client {
    owner: Owner,
    current: Vec<u8>,
    pending: Option<Vec<u8>>,
    scene: Scene,
    old: Machine,
    new: Machine,
}

/// The attempt ended here.
struct Lost;

impl Client {
    fn new() -> Client {
        let scene = Scene::new();
        let (old, new) = scene.two();
        let owner = Owner::of_class(Class::Owner);
        Client { current: owner.envelope.clone(), pending: None, owner, scene, old, new }
    }

    /// One attempt, from what is on the disk.
    fn attempt(&mut self, fault: Option<Fault>) -> Result<(), Lost> {
        if Envelope::from_bytes(&self.current).unwrap().wrap.epoch == 2 {
            return Ok(());
        }
        if self.pending.is_none() {
            self.owner.envelope.clone_from(&self.current);
            let draft = self.scene.hand_on_draft(&self.owner, &self.old, &mut self.new);
            let capsule = self.ask(Op::HandOn, &draft, fault)?;
            let capsule = Capsule::from_bytes(&capsule.unwrap()).unwrap();
            let draft = self.scene.take_in_draft(&self.owner, &self.new, &capsule);
            let taken = self.ask(Op::TakeIn, &draft, fault)?;
            self.pending = Some(Rotated::from_bytes(&taken.unwrap()).unwrap().envelope);
        }
        self.owner.envelope = self.pending.clone().unwrap();
        let draft = self.owner.draft(&self.new, Op::Acknowledge).now(&self.new);
        self.ask(Op::Acknowledge, &draft, fault)?.unwrap();
        self.current = self.pending.take().unwrap();
        Ok(())
    }

    /// One request; what it is answered, or nothing where one of both is lost.
    fn ask(
        &mut self,
        step: Op,
        draft: &Draft,
        fault: Option<Fault>,
    ) -> Result<Result<Vec<u8>, Refusal>, Lost> {
        let fault = fault.filter(|fault| fault.step == step);
        let machine = if step == Op::HandOn { &mut self.old } else { &mut self.new };
        let second = (step == Op::HandOn).then_some(&self.owner.second);
        let by: Vec<&Key> = std::iter::once(&self.owner.device).chain(second).collect();
        let sealed = draft.seal(&by);
        let Some(fault) = fault else {
            let answer = machine.request(&sealed.bytes);
            let outcome = sealed.open(answer, machine);
            self.owner.note(&outcome.receipt);
            return Ok(outcome.result);
        };
        if !fault.is_request {
            machine.request(&sealed.bytes);
        }
        if fault.kills_old {
            // The line is the other program's by now.
            self.old = self.scene.old_aside();
        }
        if fault.kills_new {
            self.new = self.scene.new_on(self.new.keeper.clone());
        }
        Err(Lost)
    }

    /// Whether what is stored and not acknowledged opens where it is to go.
    fn pending_opens(&mut self) -> bool {
        let Some(pending) = &self.pending else { return true };
        self.owner.envelope.clone_from(pending);
        self.owner.ask(&mut self.new, Op::Inspect).is_ok()
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    let parts = (prop::sample::select(STEPS.to_vec()), any::<bool>(), any::<bool>(), any::<bool>());
    parts.prop_map(|(step, is_request, kills_old, kills_new)| Fault {
        step,
        is_request,
        kills_old,
        kills_new,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn m21_whatever_is_lost_or_killed_on_the_way_an_owner_who_goes_on_has_one_envelope_that_opens(
        faults in proptest::collection::vec(fault(), 0..5),
    ) {
        let mut client = Client::new();
        let linked = client.current.clone();
        for fault in faults {
            let _ = client.attempt(Some(fault));
            prop_assert!(client.pending_opens());
        }
        prop_assert!(client.attempt(None).is_ok());
        let Client { mut owner, current, scene, mut old, mut new, .. } = client;
        owner.envelope.clone_from(&current);
        prop_assert_eq!(&credential(&mut owner, &mut new), &owner.credential);
        prop_assert!(Envelope::from_bytes(&current).unwrap().header.generation > 1);
        // And no other one: the envelope from before is of no use in either program.
        owner.envelope = linked;
        let capsule = scene.hand_on(&mut owner, &mut old, &mut new).unwrap();
        prop_assert_eq!(scene.take_in(&mut owner, &mut new, &capsule), Err(Refusal::StaleGeneration));
    }
}
