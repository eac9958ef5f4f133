//! The enclave's image on an emulated Nitro machine: measured boot, and the whole system through it. `make test-enclave` runs this: it builds the
//! image, QEMU and what else it takes. The emulation isolates nothing, and its documents are signed by the development signer.
#![expect(clippy::unwrap_used, reason = "tests")]

mod artefacts;
mod ceremony;
mod commands;
mod files;
mod handover;
mod host;
mod machine;
mod measured;
mod moving;
#[path = "../cli/person.rs"]
#[expect(dead_code, reason = "of another test's person, what is used here")]
mod person;
mod publishers;
mod replacing;
mod whole;
