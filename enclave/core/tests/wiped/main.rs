//! No memory that is given back holds a secret: an allocator looks into every block before it is freed.
//!
//! One test in a process of its own, because the allocator is the whole process's. What the cryptographic library
//! allocates is its own and not seen here. Blocks are zeroed when they are taken, so that all of each is initialised.
#![expect(unsafe_code, reason = "an allocator is an unsafe trait; it forwards to the system's")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../hostile/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the hostile host uses more of it")]
mod support;

mod authorising;
mod operations;
mod signing;
mod wallets;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Looked for in every form that a secret has: its beginning and its end, because a buffer that grew while it was
/// written leaves a part.
const NEEDLE: usize = 12;

static WATCHING: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);
static NEEDLES: [[std::sync::atomic::AtomicU8; NEEDLE]; MAX_NEEDLES] =
    [const { [const { std::sync::atomic::AtomicU8::new(0) }; NEEDLE] }; MAX_NEEDLES];
static USED: AtomicUsize = AtomicUsize::new(0);
const MAX_NEEDLES: usize = 16;

struct Watching;

// SAFETY: every call is passed on to the system's allocator; a block is read before it is freed, while it is the
// caller's, and every byte of it was initialised when it was taken.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the system allocator's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if WATCHING.load(Relaxed) {
            // SAFETY: the block is the caller's, as long as it says, and initialised.
            look(unsafe { std::slice::from_raw_parts(pointer, layout.size()) });
        }
        // SAFETY: the caller's promise is the system allocator's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// Allocates nothing: it runs inside the allocator.
fn look(block: &[u8]) {
    for needle in NEEDLES.iter().take(USED.load(Relaxed)) {
        let is_there = |window: &[u8]| window.iter().zip(needle).all(|(byte, n)| *byte == n.load(Relaxed));
        if block.windows(NEEDLE).any(is_there) {
            FOUND.fetch_add(1, Relaxed);
        }
    }
}

/// How many freed blocks held a part of a secret while `work` went on, and what it gives.
fn watch<T>(secrets: &[&[u8]], work: impl FnOnce() -> T) -> (usize, T) {
    let ends = secrets.iter().flat_map(|secret| [&secret[..NEEDLE], &secret[secret.len() - NEEDLE..]]);
    let mut used = 0;
    for (needle, end) in NEEDLES.iter().zip(ends) {
        needle.iter().zip(end).for_each(|(to, from)| to.store(*from, Relaxed));
        used += 1;
    }
    assert_eq!(used, 2 * secrets.len(), "room for every needle");
    USED.store(used, Relaxed);
    FOUND.store(0, Relaxed);
    WATCHING.store(true, Relaxed);
    let result = work();
    WATCHING.store(false, Relaxed);
    (FOUND.load(Relaxed), result)
}

#[test]
fn m18_no_memory_that_is_given_back_holds_a_secret() {
    a_planted_leak_is_seen();
    authorising::no_token_and_no_key_is_left_behind_by_authorising();
    signing::no_field_of_a_credential_is_left_behind_by_signing();
    wallets::no_part_of_a_wallets_key_is_left_behind_by_paying();
    operations::no_operation_leaves_a_share_or_credential_behind();
    operations::no_proof_of_an_address_leaves_a_share_behind();
}

/// The search can see: whole, and the part that a growing buffer leaves.
fn a_planted_leak_is_seen() {
    let secret = b"a secret that is planted here";
    let (found, ()) = watch(&[secret], || drop(secret.to_vec()));
    assert_eq!(found, 2);
    let (found, kept) = watch(&[secret], || {
        let mut grown = Vec::with_capacity(NEEDLE);
        secret.iter().for_each(|byte| grown.push(*byte));
        grown
    });
    assert!(found > 0 && kept.len() == secret.len());
    let (found, ()) = watch(&[secret], || drop(zeroize::Zeroizing::new(secret.to_vec())));
    assert_eq!(found, 0);
}
