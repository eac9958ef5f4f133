//! Starts the real binaries by path, for the tests of the whole system.
//!
//! Everything is on loopback, on ports that the kernel chose and in folders that disappear. What a test started
//! ends when its handle is dropped, also when the test fails. Build first: `cargo build -p tensfer`, and
//! `cargo build` inside `enclave/`.

pub mod authority;
mod binary;
pub mod caller;
pub mod canary;
mod folder;
pub mod http;
mod proc;
mod process;
mod program;
pub mod trace;
mod up;

pub use binary::{beside, enclave, tensfer};
pub use folder::Folder;
pub use proc::{Running, descendants, is_alive, memory_kib};
pub use process::{Ended, Process, run};
pub use program::{Program, Said};
pub use up::Stack;

/// What a test waits for at most: long enough for a debug build on a busy machine. What is promised in less is measured by
/// the benches.
pub const LONG: std::time::Duration = std::time::Duration::from_secs(60);
