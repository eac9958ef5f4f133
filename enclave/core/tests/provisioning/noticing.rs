//! The end of an epoch with connections still in it: by a notice of the approvers, which the enclave says to everybody and lets
//! run by its own counter.

use super::epochs::{PROGRAM, Scene};
use super::hostile::book::Book;
use super::hostile::{self, Answer as Said, Owner, sha256};
use super::support::{DAY_MS, Machine, NOW};
use verify::register::{completion, destruction};
use wire::ceremony::{Answer, Ceremony, CeremonyFault, Genesis, HandOver, Phase, Proposal};
use wire::consent::Class;
use wire::evidence::Hash;
use wire::frame::Kind;
use wire::identity::Noticed;
use wire::manifest::{Manifest, Notice};
use wire::operation::{ConfirmBackup, Linked, Op, words_transcript};
use wire::register::{Destroy, Destroyed, Statement};
use wire::rewrap::{Bytes, Rewrap};
use wire::{Canonical, Identity, Refusal};

const HOUR_MS: u64 = 3_600_000;
const WEEK: u16 = 168;
const WORDS: &str = "test test test test test test test test test test test junk";
const WATCHED: &str = r#"{"watch":"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"}"#;

/// An enclave in epoch 2 with owners whose envelopes are in epoch 1, its host and its operators.
struct Stage {
    scene: Scene,
    begun: Genesis,
    machine: hostile::Machine,
    book: Book,
    owners: Vec<Owner>,
}

impl Stage {
    /// One owner for each credential.
    fn new(credentials: &[&str]) -> Stage {
        let scene = Scene::new();
        let machine = scene.run(Machine::of(scene.vendor.enclave(PROGRAM)).with_line());
        let (enclave, monotonic, keeper) = machine.into_running();
        let mut machine = hostile::Machine::around(enclave, monotonic, keeper);
        let owners = credentials.iter().map(|credential| linked(&mut machine, credential)).collect();
        let begun = match step(&mut machine, &Ceremony::Begin(scene.propose(&scene.asking()))) {
            Answer::Genesis(attested) => Genesis::from_bytes(&attested.document).unwrap(),
            other => panic!("not begun: {other:?}"),
        };
        let mut stage = Stage { scene, begun, machine, book: Book::default(), owners };
        stage.adopt(&stage.scene.pending(&stage.begun)).unwrap();
        stage.adopt(&stage.scene.promoted(&stage.begun)).unwrap();
        stage
    }

    fn adopt(&mut self, manifest: &Manifest) -> Result<(), CeremonyFault> {
        match step(&mut self.machine, &Ceremony::Adopt(self.scene.propose(manifest))) {
            Answer::Status(status) => {
                assert_eq!(status.phase, Phase::Provisioned);
                Ok(())
            }
            Answer::Refused(refused) => Err(refused.fault),
            other => panic!("no answer: {other:?}"),
        }
    }

    /// Whoever is still in epoch 1, as the enclave states it.
    fn conclude(&mut self) -> (Statement, Hash) {
        self.book.keep(&mut self.machine);
        let signed = self.book.conclude(&mut self.machine, 1).unwrap();
        let completion = completion(&self.identity(), &signed).unwrap();
        (completion.statement, completion.hash)
    }

    fn identity(&self) -> Identity {
        self.machine.identity().1
    }

    /// Gives notice to those whom the statement counts; runs for two months.
    fn noticed(&self, nonce: u32, absent: u64, statement: Hash) -> Manifest {
        let notice = Notice { class: "any".into(), epoch: 1, statement, absent, hours: WEEK };
        Manifest {
            nonce,
            notices: Some(vec![notice]),
            until: NOW.plus(60 * DAY_MS),
            ..self.scene.promoted(&self.begun)
        }
    }

    /// Epoch 1 is over.
    fn over(&self, nonce: u32) -> Manifest {
        let first = Some(self.scene.genesis.roots[0].commitment);
        let until = NOW.plus(60 * DAY_MS);
        Manifest { nonce, roots: self.begun.roots.clone(), first, until, ..self.scene.promoted(&self.begun) }
    }

    fn held(&self) -> Vec<u32> {
        self.identity().epochs.commitments.iter().map(|epoch| epoch.epoch).collect()
    }

    /// The host brings an owner's envelope into the current epoch.
    fn rewrap(&mut self, owner: usize) {
        let envelopes = vec![Bytes(self.owners[owner].envelope.clone())];
        self.machine.frame(Kind::Rewrap, 7, &Rewrap { envelopes }.to_bytes());
        assert!(matches!(self.machine.answer(7), Said::Reply(_)));
    }

    fn destroy(&mut self) -> Result<Destroyed, Refusal> {
        self.machine.frame(Kind::Destroy, 8, &Destroy { epoch: 1, absent: 0, class: Class::Any }.to_bytes());
        match self.machine.answer(8) {
            Said::Reply(body) => Ok(Destroyed::from_bytes(&body).unwrap()),
            Said::Refused(refusal) => Err(refusal),
            Said::Nothing => panic!("no answer"),
        }
    }
}

fn step(machine: &mut hostile::Machine, step: &Ceremony) -> Answer {
    machine.frame(Kind::Ceremony, 9, &step.to_bytes());
    let (_, body) = machine.take(Kind::CeremonyAnswer).pop().unwrap();
    Answer::from_bytes(&body).unwrap()
}

fn linked(machine: &mut hostile::Machine, credential: &str) -> Owner {
    let mut owner = Owner::eddsa();
    owner.credential = credential.as_bytes().to_vec();
    let draft = owner.link_draft(machine, "ethereum", credential.as_bytes());
    let result = owner.ask_twice_signed(machine, &draft).unwrap();
    owner.envelope = Linked::from_bytes(&result).unwrap().envelope;
    owner
}

#[test]
fn an_epoch_ends_with_who_is_in_it_once_their_notice_has_run_and_who_comes_back_meanwhile_loses_nothing() {
    let mut stage = Stage::new(&[WATCHED; 3]);
    let (statement, hash) = stage.conclude();
    assert_eq!((statement.counts.absent, statement.without_backup), (3, 0));
    assert_eq!(stage.adopt(&stage.over(6)), Err(CeremonyFault::NotConcluded), "nobody was warned");
    let since = stage.machine.monotonic;
    stage.adopt(&stage.noticed(6, 3, hash)).unwrap();
    let noticed = stage.identity().notices;
    let [Noticed { class: Class::Any, epoch: 1, hours: WEEK, .. }] = noticed[..] else {
        panic!("{noticed:?}")
    };
    assert!(stage.identity().notice_of(Class::Any, 1).is_some() && stage.identity().is_coherent());
    // Whoever wants to go on uses it once.
    stage.rewrap(0);
    let (statement, second) = stage.conclude();
    assert_eq!((statement.counts.absent, statement.counts.rewrapped), (2, 1));
    assert_eq!(stage.adopt(&stage.over(7)), Err(CeremonyFault::NoticeRuns));
    // No clock of the host's hastens it.
    stage.machine.claim(NOW.plus(30 * DAY_MS));
    assert_eq!(stage.adopt(&stage.over(7)), Err(CeremonyFault::NoticeRuns));
    let hours = u64::from(WEEK) * HOUR_MS;
    stage.machine.pass(since + hours - 1 - stage.machine.monotonic);
    assert_eq!(stage.adopt(&stage.over(7)), Err(CeremonyFault::NoticeRuns));
    assert_eq!(stage.held(), [1, 2], "refused: everything is as it was");
    stage.machine.pass(1);
    stage.adopt(&stage.over(7)).unwrap();
    assert_eq!((stage.held(), stage.identity().notices), (vec![2], Vec::new()));
    // It signs how many were given up, on which statement.
    let destroyed = destruction(&stage.identity(), &stage.destroy().unwrap().statement.0).unwrap();
    assert_eq!(destroyed.destroyed.unwrap().absent, 2);
    assert_eq!(destroyed.destroyed.unwrap().statement, second);
}

#[test]
fn a_notice_is_of_what_this_start_has_stated_and_of_no_other_number() {
    let mut stage = Stage::new(&[WATCHED; 2]);
    assert_eq!(stage.adopt(&stage.noticed(6, 2, Hash([9; 32]))), Err(CeremonyFault::NotConcluded));
    let (_, hash) = stage.conclude();
    for (absent, statement) in [(1, hash), (3, hash), (2, Hash([9; 32]))] {
        let refused = stage.adopt(&stage.noticed(6, absent, statement));
        assert_eq!(refused, Err(CeremonyFault::NoticeDiffers), "{absent}");
    }
    // One that comes into the epoch, in whatever way, makes it another number.
    let alone = stage.scene.operators.propose_by(&stage.noticed(6, 2, hash), &[1]);
    let answer = step(&mut stage.machine, &Ceremony::Adopt(alone));
    assert!(matches!(answer, Answer::Refused(refused) if refused.fault == CeremonyFault::ApprovalsMissing));
    stage.owners[0].ask(&mut stage.machine, Op::Acknowledge).unwrap();
    assert_eq!(stage.adopt(&stage.noticed(6, 2, hash)), Err(CeremonyFault::NotConcluded), "over since");
    assert!(stage.identity().notices.is_empty());
}

#[test]
fn more_than_the_notice_named_are_never_given_up() {
    let mut stage = Stage::new(&[WATCHED; 2]);
    stage.rewrap(0);
    let (statement, hash) = stage.conclude();
    assert_eq!(statement.counts.absent, 1);
    stage.adopt(&stage.noticed(6, 1, hash)).unwrap();
    // One who had left says that they hold their envelope of before.
    stage.owners[0].ask(&mut stage.machine, Op::Acknowledge).unwrap();
    stage.machine.pass(u64::from(WEEK) * HOUR_MS);
    assert_eq!(stage.adopt(&stage.over(7)), Err(CeremonyFault::NotConcluded), "somebody came since");
    assert_eq!(stage.conclude().0.counts.absent, 2);
    assert_eq!(stage.adopt(&stage.over(7)), Err(CeremonyFault::NoticeDiffers));
    assert_eq!(stage.held(), [1, 2]);
    stage.rewrap(0);
    assert_eq!(stage.conclude().0.counts.absent, 1);
    stage.adopt(&stage.over(7)).unwrap();
    assert_eq!(stage.held(), [2]);
}

#[test]
fn no_notice_and_no_end_takes_a_wallet_along_whose_words_nobody_has() {
    let wallet = format!(r#"{{"phrase":"{WORDS}"}}"#);
    let mut stage = Stage::new(&[WATCHED, r#"{"make":"segwit"}"#, &wallet]);
    let (statement, hash) = stage.conclude();
    assert_eq!((statement.counts.absent, statement.without_backup), (3, 1));
    assert_eq!(stage.adopt(&stage.noticed(6, 3, hash)), Err(CeremonyFault::BackupMissing));
    // Its owner takes it along: the others have notice.
    stage.rewrap(1);
    let (statement, hash) = stage.conclude();
    assert_eq!((statement.counts.absent, statement.without_backup), (2, 0), "who brought words has them");
    stage.adopt(&stage.noticed(6, 2, hash)).unwrap();
    // Words that were shown already are shown again, to the same end.
    let owner = &mut stage.owners[2];
    let shown = sha256(&words_transcript(owner.connection, &sha256(WORDS.as_bytes())));
    let mut draft = owner.draft(&stage.machine, Op::ConfirmBackup);
    draft.args = ConfirmBackup { words: Hash(shown) }.to_bytes();
    owner.ask_draft(&mut stage.machine, &draft).unwrap();
    stage.machine.pass(u64::from(WEEK) * HOUR_MS);
    assert_eq!(stage.conclude().0.counts.absent, 2);
    stage.adopt(&stage.over(7)).unwrap();
    assert_eq!(stage.held(), [2]);
}

#[test]
fn m06_an_older_notice_that_is_repeated_runs_anew_and_one_that_goes_on_does_not() {
    let mut stage = Stage::new(&[WATCHED]);
    let (_, hash) = stage.conclude();
    let hours = u64::from(WEEK) * HOUR_MS;
    let notice = stage.noticed(6, 1, hash);
    stage.adopt(&notice).unwrap();
    stage.machine.pass(hours - 1);
    // Taken back, and given again: from the beginning.
    stage.adopt(&Manifest { nonce: 7, notices: None, ..notice.clone() }).unwrap();
    assert!(stage.identity().notices.is_empty());
    stage.machine.pass(1);
    assert_eq!(stage.adopt(&stage.over(8)), Err(CeremonyFault::NotConcluded), "no notice is there");
    stage.adopt(&Manifest { nonce: 8, ..notice.clone() }).unwrap();
    stage.machine.pass(hours - 1);
    assert_eq!(stage.adopt(&stage.over(9)), Err(CeremonyFault::NoticeRuns));
    // A manifest that repeats it, for another reason, leaves its hours as they are.
    stage.adopt(&Manifest { nonce: 9, minimum_version: "0.0.9".into(), ..notice }).unwrap();
    assert_eq!(stage.adopt(&stage.over(10)), Err(CeremonyFault::NoticeRuns));
    stage.machine.pass(1);
    stage.adopt(&stage.over(10)).unwrap();
    assert_eq!(stage.held(), [2]);
}

/// Hands the roots to a successor of the same program, under the manifest that ends epoch 1.
fn hand_over(stage: &mut Stage, manifest: &Manifest) -> Result<(), CeremonyFault> {
    let Answer::Challenge(challenge) = step(&mut stage.machine, &Ceremony::Challenge) else {
        panic!("no challenge")
    };
    let mut successor = Machine::of(stage.scene.vendor.enclave(PROGRAM));
    let proposal = Proposal { nonce: challenge.nonce, ..stage.scene.propose(manifest) };
    let setup = successor.setup_of(proposal.clone());
    match step(&mut stage.machine, &Ceremony::HandOver(HandOver { proposal, setup })) {
        Answer::HandOver(_) => Ok(()),
        Answer::Refused(refused) => Err(refused.fault),
        other => panic!("no answer: {other:?}"),
    }
}

#[test]
fn an_epoch_that_somebody_came_back_into_stays_and_is_not_lost_by_a_handover_either() {
    let mut stage = Stage::new(&[WATCHED]);
    stage.rewrap(0);
    assert_eq!(stage.conclude().0.counts.absent, 0);
    let over = stage.over(6);
    // Before the head that the end waits for, its owner comes back into the epoch.
    stage.machine.keeper.is_silent = true;
    stage.adopt(&over).unwrap();
    let sealed = stage.owners[0].draft(&stage.machine, Op::Acknowledge).seal(&[&stage.owners[0].device]);
    let stream = stage.machine.begin(&sealed.bytes);
    stage.machine.keeper.is_silent = false;
    for (kind, on, body) in std::mem::take(&mut stage.machine.keeper.unanswered) {
        let answers = stage.machine.keeper.answer(kind, on, &body);
        answers.iter().for_each(|(kind, on, body)| stage.machine.frame(*kind, *on, body));
    }
    assert!(matches!(stage.machine.answer(stream), Said::Reply(_)));
    assert_eq!(stage.held(), [1, 2]);
    assert_eq!(hand_over(&mut stage, &over), Err(CeremonyFault::NotConcluded));
    assert_eq!(stage.destroy().map(|_| ()), Err(Refusal::NotConcluded));
    assert_eq!(stage.conclude().0.counts.absent, 1);
    assert_eq!(stage.destroy().map(|_| ()), Err(Refusal::AbsenteesRemain), "no notice named anybody");
    stage.rewrap(0);
    assert_eq!(stage.conclude().0.counts.absent, 0);
    assert!(!stage.destroy().unwrap().already);
    assert_eq!((stage.held(), hand_over(&mut stage, &over)), (vec![2], Ok(())));
}

#[test]
fn a_start_under_a_notice_says_it_lets_it_run_anew_and_ends_nothing_that_it_has_not_concluded() {
    let mut stage = Stage::new(&[WATCHED]);
    let (_, hash) = stage.conclude();
    let notice = stage.noticed(6, 1, hash);
    stage.adopt(&notice).unwrap();
    let mut replica = stage.scene.booted(&notice, &stage.begun);
    let identity = super::epochs::identity(&replica);
    assert_eq!(identity.notices.len(), 1);
    replica.monotonic += u64::from(WEEK) * HOUR_MS;
    let over = stage.over(7);
    assert_eq!(stage.scene.refused(&mut replica, &over), CeremonyFault::NotConcluded);
    // One that keeps no register takes no notice either: it is started anew under it.
    let mut without = stage.scene.booted(&stage.scene.promoted(&stage.begun), &stage.begun);
    assert_eq!(stage.scene.refused(&mut without, &notice), CeremonyFault::NotConcluded);
}
