//! From starting `tensfer up` on an empty folder to the first answered request, and what all its processes hold then.

use crate::client::Enclave;
use serde::Serialize;
use stack::{Folder, Stack, memory_kib};
use std::collections::BTreeMap;
use std::time::Instant;

const ROUNDS: usize = 5;

#[derive(Serialize)]
pub struct Report {
    /// Median over the rounds, milliseconds.
    ready_ms: u128,
    /// Median over the rounds, milliseconds: evidence came, and was verified.
    first_answer_ms: u128,
    rounds_ms: Vec<u128>,
    /// Sum of the proportional set sizes after the first answer, of the largest round.
    pss_kib: u64,
    pss_by_process_kib: BTreeMap<String, u64>,
}

struct Round {
    ready: u128,
    answered: u128,
    memory: BTreeMap<String, u64>,
}

pub fn measure() -> Report {
    let mut rounds: Vec<Round> = (0..ROUNDS).map(|_| round()).collect();
    let total = |round: &Round| round.memory.values().sum::<u64>();
    let largest = rounds.iter().max_by_key(|round| total(round)).expect("there were rounds");
    let (pss_kib, pss_by_process_kib) = (total(largest), largest.memory.clone());
    let rounds_ms = rounds.iter().map(|round| round.answered).collect();
    rounds.sort_by_key(|round| round.ready);
    let ready_ms = rounds[ROUNDS / 2].ready;
    rounds.sort_by_key(|round| round.answered);
    Report { ready_ms, first_answer_ms: rounds[ROUNDS / 2].answered, rounds_ms, pss_kib, pss_by_process_kib }
}

fn round() -> Round {
    let folder = Folder::new();
    let start = Instant::now();
    let stack = Stack::start_in(&folder.join("data"));
    let ready = start.elapsed().as_millis();
    Enclave::verify(&stack);
    let answered = start.elapsed().as_millis();
    let mut memory = BTreeMap::new();
    for process in stack.processes() {
        *memory.entry(process.name().to_owned()).or_default() += memory_kib(process.pid);
    }
    stack.stop();
    Round { ready, answered, memory }
}
