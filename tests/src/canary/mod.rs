//! Marked secrets, and a search for them wherever a leak could lie: files, logs, command lines, memory.
//!
//! [`Marks`] names the secrets, [`Scanner`] looks for them in every [`Encoding`] and reports each [`Leak`] without
//! repeating it. What cannot be searched fails loudly: silence would look like safety.

mod account;
mod client;
mod encoding;
mod envelope;
mod files;
mod leak;
mod marks;
mod memory;
mod namespace;
mod process;
mod run;
mod scanner;
mod secrets;
mod sweep;

pub use account::{Account, accounts};
pub use client::Client;
pub use encoding::Encoding;
pub use envelope::{Unwrapped, derive_share, unwrap};
pub use leak::{Leak, Place};
pub use marks::Marks;
pub use memory::{Mapping, Memory};
pub use process::Stopped;
pub use run::Run;
pub use scanner::Scanner;
pub use secrets::{DATA_KEY, DEVICE_KEY, OWNER_SECRET, ROOT, SECOND_FACTOR, SHARE, roots};
