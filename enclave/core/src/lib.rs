//! The enclave's core: a state machine without I/O. Frames, claimed time and entropy in; frames out.
//!
//! No async runtime, no logging, no files, sockets, environment or clock. A program around it owns the channel.

pub mod connector;
pub mod egress;
pub mod entropy;
pub mod envelope;
pub mod rewrap;
pub mod root;
pub mod secret;
