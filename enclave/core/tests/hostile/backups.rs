//! What the register says of wallets' words: who has them is known to the enclave by their owner's word alone, and is never
//! unsaid.

use crate::support::book::Book;
use crate::support::{Machine, Owner, envelope_at, host, roots, sha256};
use enclave::egress::Trust;
use verify::register::completion;
use wire::evidence::Hash;
use wire::frame::Kind;
use wire::operation::{ConfirmBackup, Linked, Op, words_transcript};
use wire::register::{Backup, Entry};
use wire::rewrap::{Bytes, Rewrap};
use wire::{Canonical, Refusal};

const WORDS: &str = "test test test test test test test test test test test junk";

/// An owner of a wallet with these words, under the first root; nothing was recorded of it.
fn of_wallet() -> Owner {
    let mut owner = Owner::eddsa();
    owner.credential = format!(r#"{{"phrase":"{WORDS}"}}"#).into_bytes();
    owner.envelope = envelope_at("ethereum", &owner, &roots(1));
    owner
}

fn confirm(machine: &mut Machine, owner: &mut Owner, words: &str) -> Result<Vec<u8>, Refusal> {
    let shown = sha256(&words_transcript(owner.connection, &sha256(words.as_bytes())));
    let mut draft = owner.draft(machine, Op::ConfirmBackup);
    draft.args = ConfirmBackup { words: Hash(shown) }.to_bytes();
    owner.ask_draft(machine, &draft)
}

/// Links what its owner gives, and what the register says of its words.
fn linked(machine: &mut Machine, book: &mut Book, credential: &str) -> Backup {
    let mut owner = Owner::eddsa();
    let draft = owner.link_draft(machine, "ethereum", credential.as_bytes());
    let result = owner.ask_twice_signed(machine, &draft).unwrap();
    assert!(Linked::from_bytes(&result).is_ok());
    last(machine, book).backup
}

fn last(machine: &mut Machine, book: &mut Book) -> Entry {
    book.keep(machine);
    Entry::from_bytes(book.entries.last().unwrap()).unwrap()
}

#[test]
fn a_wallet_that_is_made_has_no_backup_until_its_owner_shows_the_words() {
    let (mut machine, mut book) = (host(1), Book::default());
    assert_eq!(linked(&mut machine, &mut book, r#"{"make":"segwit"}"#), Backup::Missing);
    let brought = format!(r#"{{"phrase":"{WORDS}"}}"#);
    assert_eq!(linked(&mut machine, &mut book, &brought), Backup::Confirmed, "who brings words has them");
    let watched = r#"{"watch":"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"}"#;
    assert_eq!(linked(&mut machine, &mut book, watched), Backup::Unsaid);

    let mut owner = of_wallet();
    owner.ask(&mut machine, Op::Acknowledge).unwrap();
    assert_eq!(last(&mut machine, &mut book).backup, Backup::Missing);
    let recorded = book.entries.len();
    for wrong in ["", "test", &WORDS.to_uppercase(), &WORDS.replace("junk", "test")] {
        assert_eq!(confirm(&mut machine, &mut owner, wrong), Err(Refusal::WordsDiffer), "{wrong}");
    }
    // Shown for another connection they say nothing of this one.
    let mut draft = owner.draft(&machine, Op::ConfirmBackup);
    let other = words_transcript(Owner::eddsa().connection, &sha256(WORDS.as_bytes()));
    draft.args = ConfirmBackup { words: Hash(sha256(&other)) }.to_bytes();
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::WordsDiffer));
    book.keep(&mut machine);
    assert_eq!(book.entries.len(), recorded, "what was refused is not recorded");
    for _ in 0..2 {
        confirm(&mut machine, &mut owner, WORDS).unwrap();
        assert_eq!(last(&mut machine, &mut book).backup, Backup::Confirmed);
    }
}

#[test]
fn what_is_no_wallet_has_no_words_to_confirm_and_nobody_else_confirms_an_owners() {
    let mut machine = host(1);
    let mut exchange = Owner::eddsa();
    assert_eq!(confirm(&mut machine, &mut exchange, WORDS), Err(Refusal::NotOffered));
    let mut watched = Owner::eddsa();
    watched.credential = br#"{"watch":"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"}"#.to_vec();
    watched.envelope = envelope_at("ethereum", &watched, &roots(1));
    assert_eq!(confirm(&mut machine, &mut watched, WORDS), Err(Refusal::NotOffered));
    let (mut owner, stranger) = (of_wallet(), Owner::eddsa());
    let shown = sha256(&words_transcript(owner.connection, &sha256(WORDS.as_bytes())));
    let mut draft = owner.draft(&machine, Op::ConfirmBackup);
    draft.args = ConfirmBackup { words: Hash(shown) }.to_bytes();
    let by_another = owner.ask_by(&mut machine, &draft, &[&stranger.device]);
    assert_eq!(by_another, Err(Refusal::NotAuthorised));
}

#[test]
fn no_entry_unsays_a_backup_and_a_statement_counts_the_wallets_without_one_that_are_absent() {
    let mut machine = Machine::start(1, roots(2), Trust::live());
    let mut book = Book::default();
    let (mut backed, mut bare, mut left, mut gone) = (of_wallet(), of_wallet(), of_wallet(), of_wallet());
    let mut account = Owner::eddsa();
    for owner in [&mut backed, &mut bare, &mut left, &mut gone, &mut account] {
        owner.ask(&mut machine, Op::Acknowledge).unwrap();
    }
    confirm(&mut machine, &mut backed, WORDS).unwrap();
    // Acknowledged once more, which says that there is a key and nothing of its words.
    backed.ask(&mut machine, Op::Acknowledge).unwrap();
    gone.ask(&mut machine, Op::Forget).unwrap();
    let envelopes = vec![Bytes(left.envelope.clone())];
    machine.frame(Kind::Rewrap, 7, &Rewrap { envelopes }.to_bytes());
    book.keep(&mut machine);
    let identity = machine.identity().1;
    let signed = book.conclude(&mut machine, 1).unwrap();
    let statement = completion(&identity, &signed).unwrap().statement;
    let counts = statement.counts;
    assert_eq!((counts.absent, counts.revoked, counts.rewrapped), (3, 1, 1));
    assert_eq!(statement.without_backup, 1, "the backed one, and what is no wallet, are not among them");
    // The next chapter begins with what counts of each, and says it still.
    let said = |book: &Book, owner: &Owner| {
        let name = verify::register::name(owner.connection);
        let entry = book.entries.iter().rfind(|entry| entry.starts_with(&name)).unwrap();
        Entry::from_bytes(entry).unwrap().backup
    };
    for (owner, backup) in [
        (&backed, Backup::Confirmed),
        (&bare, Backup::Missing),
        (&left, Backup::Missing),
        (&gone, Backup::Missing),
        (&account, Backup::Unsaid),
    ] {
        assert_eq!(said(&book, owner), backup);
    }
    confirm(&mut machine, &mut bare, WORDS).unwrap();
    book.keep(&mut machine);
    let signed = book.conclude(&mut machine, 1).unwrap();
    assert_eq!(completion(&identity, &signed).unwrap().statement.without_backup, 0);
}
