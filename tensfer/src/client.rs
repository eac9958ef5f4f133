//! The command-line client: verifies before it seals, keeps keys and envelopes on this machine, says whose fault it is.
//!
//! What is stored is in `docs/spec/client.md`. Data goes to standard output, everything else to standard error.

mod clock;
mod encode;
mod explain;
mod failure;
mod gateway;
mod home;
mod portfolio;
mod table;
mod terminal;
