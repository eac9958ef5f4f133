//! Marked secrets, and a search for them wherever a leak could lie: files, logs, command lines, memory.
//!
//! [`Marks`] names the secrets, [`Scanner`] looks for them in every [`Encoding`] and reports each [`Leak`] without
//! repeating it. What cannot be searched fails loudly: silence would look like safety.

mod account;
mod encoding;
mod envelope;
mod files;
mod leak;
mod marks;
mod memory;
mod process;
mod scanner;

pub use account::{Account, accounts};
pub use encoding::Encoding;
pub use envelope::{Unwrapped, derive_share, unwrap};
pub use leak::{Leak, Place};
pub use marks::Marks;
pub use memory::{Mapping, Memory};
pub use process::Stopped;
pub use scanner::Scanner;
