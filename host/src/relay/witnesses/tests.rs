//! The relay's side of scripted witnesses.

use super::*;
use crate::testing::{Folder, soon, workload};
use crate::transport::{Calls, Listener, Outgoing};
use crate::workload::Published;

type Answers = mpsc::UnboundedReceiver<Answered>;

fn start(folders: &[&Folder]) -> (Witnesses, Answers) {
    let (answers, arriving) = mpsc::unbounded_channel();
    let runs = folders.iter().map(|folder| folder.path().to_path_buf()).collect();
    (Witnesses::start(runs, &answers), arriving)
}

/// A witness's socket, and what it keeps for relays.
fn listen(folder: &Folder) -> (Listener, Published) {
    (Listener::bind(&folder.address(), workload(Role::Witness)).unwrap(), folder.certify_relays())
}

async fn heard(listener: &Listener) -> (Calls, Outgoing) {
    soon(listener.accept()).await.unwrap().hear().await.unwrap()
}

/// The next question: its number and bytes.
async fn question(calls: &mut Calls) -> (Operation, u32, Bytes) {
    soon(calls.next()).await.unwrap().expect("a question")
}

async fn say(writer: &mut Outgoing, question: u32, answer: &[u8]) {
    writer.write_all(&frame(DONE, question, answer).unwrap()).await.unwrap();
}

fn answered(question: u32, answer: &'static [u8]) -> Option<Answered> {
    Some(Answered { question, answer: Bytes::from_static(answer) })
}

#[tokio::test]
async fn all_are_asked_at_once_and_each_answer_comes_as_it_arrives() {
    let folders = [Folder::new(), Folder::new(), Folder::new()];
    let listeners = folders.each_ref().map(listen);
    let (witnesses, mut answers) = start(&folders.each_ref());
    assert_eq!(witnesses.number(), 3);
    let asked = witnesses.ask(Operation::AdvanceLine, Bytes::from_static(b"advance"));
    let mut open = Vec::new();
    for (listener, _) in &listeners {
        let (mut calls, writer) = heard(listener).await;
        let (operation, number, body) = question(&mut calls).await;
        assert_eq!((operation, number, &body[..]), (Operation::AdvanceLine, asked, &b"advance"[..]));
        open.push((calls, writer));
    }
    say(&mut open[2].1, asked, b"third").await;
    assert_eq!(soon(answers.recv()).await, answered(asked, b"third"));
    say(&mut open[0].1, asked, b"first").await;
    assert_eq!(soon(answers.recv()).await, answered(asked, b"first"));
    assert!(answers.try_recv().is_err());
}

#[tokio::test]
async fn a_witness_that_comes_late_or_back_is_asked_what_is_still_open() {
    let folder = Folder::new();
    let (witnesses, mut answers) = start(&[&folder]);
    let asked = witnesses.ask(Operation::TakeLine, Bytes::from_static(b"take"));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (listener, _relays) = listen(&folder);
    let (mut calls, writer) = heard(&listener).await;
    assert_eq!(question(&mut calls).await.1, asked);
    drop((calls, writer));
    let (mut calls, mut writer) = heard(&listener).await;
    assert_eq!(question(&mut calls).await.1, asked);
    say(&mut writer, asked, b"promise").await;
    assert_eq!(soon(answers.recv()).await, answered(asked, b"promise"));
    // What is answered is not asked again, over whatever connection: what comes next is the next question.
    drop((calls, writer));
    let next = witnesses.ask(Operation::TakeLine, Bytes::from_static(b"another"));
    let (mut calls, _writer) = heard(&listener).await;
    assert_eq!(question(&mut calls).await.1, next);
}

#[tokio::test]
async fn a_new_question_takes_the_place_of_one_that_is_open() {
    let folder = Folder::new();
    let (listener, _relays) = listen(&folder);
    let (witnesses, mut answers) = start(&[&folder]);
    let first = witnesses.ask(Operation::AdvanceLine, Bytes::from_static(b"one"));
    let (mut calls, mut writer) = heard(&listener).await;
    assert_eq!(question(&mut calls).await.1, first);
    let second = witnesses.ask(Operation::TakeLine, Bytes::from_static(b"two"));
    assert_eq!(question(&mut calls).await.1, second);
    say(&mut writer, first, b"late").await;
    say(&mut writer, second, b"promise").await;
    assert_eq!(soon(answers.recv()).await, answered(second, b"promise"));
    assert!(answers.try_recv().is_err());
}

#[tokio::test]
async fn the_same_question_given_again_is_not_asked_again_of_a_witness_that_is_at_it_and_its_answer_counts() {
    let folder = Folder::new();
    let (listener, _relays) = listen(&folder);
    let (witnesses, mut answers) = start(&[&folder]);
    let first = witnesses.ask(Operation::AdvanceLine, Bytes::from_static(b"one"));
    let (mut calls, mut writer) = heard(&listener).await;
    assert_eq!(question(&mut calls).await.1, first);
    let again = witnesses.ask(Operation::AdvanceLine, Bytes::from_static(b"one"));
    assert_ne!(again, first);
    say(&mut writer, first, b"late").await;
    let told = soon(answers.recv()).await.unwrap();
    // Whether it was heard of the second one before the answer, or after: it is an answer to both, and asked once at most again.
    if told.question == first {
        assert_eq!(question(&mut calls).await.1, again);
        say(&mut writer, again, b"late").await;
        assert_eq!(soon(answers.recv()).await, answered(again, b"late"));
    } else {
        assert_eq!(Some(told), answered(again, b"late"));
    }
    // Nothing is left of it: what comes next is the next question.
    let next = witnesses.ask(Operation::AdvanceLine, Bytes::from_static(b"two"));
    assert_eq!(question(&mut calls).await.1, next);
}

#[tokio::test]
async fn a_question_that_a_witness_does_not_read_is_not_asked_again_and_keeps_no_other_from_it() {
    let folder = Folder::new();
    let (listener, _relays) = listen(&folder);
    let (witnesses, mut answers) = start(&[&folder]);
    witnesses.ask(Operation::TakeLine, Bytes::from_static(b"garbage"));
    let (mut calls, mut writer) = heard(&listener).await;
    let (_, garbage, _) = question(&mut calls).await;
    writer.write_all(&frame(crate::calls::FAILED, garbage, &[]).unwrap()).await.unwrap();
    assert!(timeout(Duration::from_millis(100), calls.next()).await.is_err());
    let asked = witnesses.ask(Operation::TakeLine, Bytes::from_static(b"take"));
    assert_eq!(question(&mut calls).await.1, asked);
    say(&mut writer, asked, b"promise").await;
    assert_eq!(soon(answers.recv()).await, answered(asked, b"promise"));
}
