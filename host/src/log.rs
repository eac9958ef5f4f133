//! One line on standard error: who, and what happened. Never a body, a header, an address or a query.

use crate::calls::Role;
use std::fmt::Display;
use std::io::Write;

/// Something that somebody has to look at: the line says so, in a word that nothing else begins with.
pub fn alarm(role: Role, text: impl Display) {
    line(role, format_args!("ALARM: {text}"));
}

/// Writes the line at once; a closed standard error is nobody's reason to stop.
pub fn line(role: Role, text: impl Display) {
    // One call of the kernel: several processes write to the same place, and their lines must not mix.
    let _ = std::io::stderr().write_all(format!("tensfer {}: {text}\n", role.name()).as_bytes());
}
