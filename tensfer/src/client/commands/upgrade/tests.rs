use super::*;
use crate::client::home::environment::Environment;
use crate::client::session::{Answer, Call};
use crate::client::testing::{CONNECTION, Loss, Scripted, identity, linked_home_of, use_it};
use std::sync::Mutex;
use verify::measurement::{Name, Registers};
use wire::operation::Nothing;

const REALM: Realm = Realm::Simulated;
const THERE: &str = "http://localhost:8181";

/// One of two enclaves with the line of one: the old program's has epoch 1 of class `owner`, and lost the line; the new one's
/// has epoch 2.
struct Face<'s> {
    scripted: &'s Scripted,
    is_old: bool,
    /// What the new program measures.
    measured: Mutex<u8>,
}

impl<'s> Face<'s> {
    fn both(scripted: &'s Scripted) -> (Face<'s>, Face<'s>) {
        scripted.add_epoch();
        let face = |is_old| Face { scripted, is_old, measured: Mutex::new(2) };
        (face(true), face(false))
    }
}

impl Enclave for Face<'_> {
    fn realm(&self) -> Realm {
        self.scripted.realm()
    }

    fn environment(&self) -> Environment {
        self.scripted.environment()
    }

    fn current_epoch_of(&self, class: Class) -> u32 {
        self.scripted.current_epoch_of(class)
    }

    fn refresh(&self) -> Result<()> {
        Ok(())
    }

    fn call(&self, call: &Call<'_>) -> Result<Answer> {
        let envelope = wire::envelope::Envelope::from_bytes(call.envelope.unwrap()).unwrap();
        match (self.is_old, call.op) {
            (true, Op::HandOn) | (false, Op::TakeIn) => self.scripted.call(call),
            (true, _) => Ok(self.scripted.refuse(call, Refusal::LineLost)),
            (false, _) if envelope.wrap.epoch == 1 => Ok(self.scripted.refuse(call, Refusal::UnknownEpoch)),
            (false, _) => self.scripted.call(call),
        }
    }
}

impl Successor for Face<'_> {
    fn server(&self) -> &str {
        THERE
    }

    fn has_epoch(&self, epoch: u32) -> bool {
        epoch == 2
    }

    fn show(&self) -> Result<Shown> {
        let registers = measured(*self.measured.lock().unwrap());
        Ok(Shown { evidence: vec![1], nonce: [1; 32], registers })
    }
}

fn measured(value: u8) -> Registers {
    Registers::new().with(Name::Pcr(0), [value; 48]).unwrap()
}

fn programs() -> [Program; 2] {
    [1, 2].map(|value| Program::new(THERE, &identity(), &measured(value), None))
}

fn stored(home: &Home) -> Record {
    home.connection(REALM, &CONNECTION.to_string()).unwrap()
}

/// One command, from what lies on disk.
fn run_once(home: &Home, old: &Face<'_>, new: &Face<'_>) -> Result<()> {
    let records = home.connections_in(REALM).unwrap();
    let outcomes = upgrade(home, old, new, (records, &programs()), |_| Ok(()))?;
    outcomes.into_iter().find_map(|outcome| outcome.failure).map_or(Ok(()), Err)
}

/// Whether the account on disk can be used at the new program.
fn works(home: &Home, new: &Face<'_>) {
    let linked = Linked::open(home, new).unwrap();
    let mut record = linked.connection("kraken").unwrap();
    let slot = record.current().unwrap().clone();
    linked.ask(&mut record, &slot, Op::Inspect, &Nothing {}.to_bytes(), &[]).unwrap();
}

#[test]
fn whatever_is_lost_on_the_way_the_same_command_goes_on_and_the_account_is_with_the_new_program() {
    let losses = [Op::HandOn, Op::TakeIn, Op::Acknowledge].map(|op| [Loss::Request(op), Loss::Reply(op)]);
    let losses: Vec<Loss> = losses.into_iter().flatten().collect();
    for first in &losses {
        for second in &losses {
            let directory = tempfile::tempdir().unwrap();
            let home = linked_home_of(directory.path(), Class::Owner);
            let scripted = Scripted::new();
            let (old, new) = Face::both(&scripted);
            for loss in [first, second] {
                scripted.lose(*loss);
            }
            let mut attempts = 0;
            while let Err(failure) = run_once(&home, &old, &new) {
                assert_eq!(failure.code, "unreachable", "{first:?}, {second:?}: {failure}");
                let record = stored(&home);
                assert!(record.current.is_some(), "what opens is never given up before what follows opens");
                assert_eq!(record.moving.is_some(), record.pending.is_some());
                attempts += 1;
                assert!(attempts <= 2);
            }
            let record = stored(&home);
            let slot = record.current.as_ref().unwrap();
            assert_eq!((slot.epoch, slot.class()), (2, Class::Owner));
            assert_eq!((record.pending.is_none(), record.moving.is_none()), (true, true));
            assert_eq!(record.server, THERE);
            assert_eq!(place(&record, &new), Place::New);
            works(&home, &new);
            let asked = scripted.asked();
            run_once(&home, &old, &new).unwrap();
            assert_eq!(scripted.asked(), asked, "what has moved is not moved again");
        }
    }
}

#[test]
fn an_account_on_its_way_is_finished_by_any_command_at_the_new_program_and_by_none_at_another() {
    let directory = tempfile::tempdir().unwrap();
    let home = linked_home_of(directory.path(), Class::Owner);
    let scripted = Scripted::new();
    let (old, new) = Face::both(&scripted);
    scripted.lose(Loss::Request(Op::Acknowledge));
    run_once(&home, &old, &new).unwrap_err();
    let record = stored(&home);
    assert_eq!((record.moving.as_deref(), place(&record, &new)), (Some(THERE), Place::Moving));
    // A program that has not the epoch.
    struct Elsewhere<'s>(&'s Scripted);
    impl Enclave for Elsewhere<'_> {
        fn realm(&self) -> Realm {
            self.0.realm()
        }
        fn environment(&self) -> Environment {
            self.0.environment()
        }
        fn current_epoch_of(&self, class: Class) -> u32 {
            self.0.current_epoch_of(class)
        }
        fn refresh(&self) -> Result<()> {
            Ok(())
        }
        fn call(&self, call: &Call<'_>) -> Result<Answer> {
            Ok(self.0.refuse(call, Refusal::UnknownEpoch))
        }
    }
    let elsewhere = Elsewhere(&scripted);
    let refused = Linked::open(&home, &elsewhere).unwrap().connection("kraken").unwrap_err();
    assert_eq!(refused.code, "moving");
    assert!(refused.hint.unwrap().contains(THERE));
    assert!(stored(&home).pending.is_some());
    works(&home, &new);
    assert_eq!(place(&stored(&home), &new), Place::New);
}

#[test]
fn a_change_that_the_old_program_acknowledged_in_silence_is_what_moves() {
    let directory = tempfile::tempdir().unwrap();
    let home = linked_home_of(directory.path(), Class::Owner);
    let scripted = Scripted::new();
    // A rotation whose acknowledgement arrived, and whose reply did not.
    let linked = Linked::open(&home, &scripted).unwrap();
    let mut record = stored(&home);
    let before = record.current().unwrap().clone();
    let args =
        wire::operation::Rotate { data_key: true, epoch: false, share: None, owners: None, class: None };
    let rotated = linked.ask(&mut record, &before, Op::Rotate, &args.to_bytes(), &[]).unwrap();
    let rotated = Rotated::from_bytes(&rotated).unwrap();
    record.pending = Some(record.slot(rotated.envelope, 1, before.owners.clone(), Class::Owner).unwrap());
    home.save(&record).unwrap();
    scripted.lose(Loss::Reply(Op::Acknowledge));
    linked.acknowledge(&mut record).unwrap_err();
    drop(linked);
    let (old, new) = Face::both(&scripted);
    run_once(&home, &old, &new).unwrap();
    let record = stored(&home);
    assert_eq!(record.current.as_ref().map(|slot| (slot.generation, slot.epoch)), Some((3, 2)));
    works(&home, &new);
}

#[test]
fn nothing_is_handed_on_without_the_owners_word_their_second_factor_or_the_program_that_they_were_shown() {
    let directory = tempfile::tempdir().unwrap();
    let home = linked_home_of(directory.path(), Class::Owner);
    let scripted = Scripted::new();
    let (old, new) = Face::both(&scripted);
    let records = || home.connections_in(REALM).unwrap();
    let no = |_| Err(Failure::refused("not_moved", "no"));
    let refused = upgrade(&home, &old, &new, (records(), &programs()), no).map(|_| ()).unwrap_err();
    assert_eq!((refused.code, scripted.asked()), ("not_moved", 0));

    *new.measured.lock().unwrap() = 3;
    assert_eq!(run_once(&home, &old, &new).unwrap_err().code, "program_changed");
    *new.measured.lock().unwrap() = 2;
    std::fs::remove_file(home.second_factor_path(REALM)).unwrap();
    assert_eq!(run_once(&home, &old, &new).unwrap_err().code, "second_factor_needed");
    assert_eq!(scripted.asked(), 0);
    assert_eq!(place(&stored(&home), &new), Place::Old);
}

#[test]
fn accounts_of_other_classes_are_left_alone_and_one_that_is_named_is_said_to_need_no_word() {
    let directory = tempfile::tempdir().unwrap();
    let home = linked_home_of(directory.path(), Class::Any);
    let scripted = Scripted::new();
    let args = |id: Option<&str>| Args {
        id: id.map(str::to_owned),
        to: THERE.into(),
        status: false,
        yes: true,
        json: false,
    };
    assert!(chosen(&home, &scripted, &args(None)).unwrap().is_empty());
    let refused = chosen(&home, &scripted, &args(Some("kraken"))).map(|_| ()).unwrap_err();
    assert!(refused.sentence.contains("consent class"), "{refused}");
    use_it(&home, &scripted).unwrap();
}

#[test]
fn both_programs_stand_beside_each_other_and_the_owner_names_what_was_shown() {
    let [old, new] = programs();
    let text = program::table(&[old, new.clone()]);
    for shown in
        ["old program", "new program", "version", "commit", "PCR0", &"01".repeat(48), &"02".repeat(48)]
    {
        assert!(text.contains(shown), "{text}");
    }
    assert_eq!(new.named(&measured(2)).unwrap().registers[0].value, [2; 48]);
    assert_eq!(new.named(&measured(3)).unwrap_err().code, "program_changed");
    let nothing = Program::new(THERE, &identity(), &Registers::new(), None);
    assert_eq!(
        nothing.named(&measured(2)).unwrap_err().code,
        "program_changed",
        "m01: nothing names no program"
    );
}
