//! What was checked, in order: for display, and to find the first check that failed.

use crate::Refused;
use crate::measurement::Registers;

/// One named check and its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
}

/// The checks that were made; the last is the one that failed, if one did.
#[derive(Clone, Debug, Default)]
pub struct Examination {
    pub checks: Vec<Check>,
    /// The document's registers; empty unless its signature was verified.
    pub registers: Registers,
}

impl Examination {
    pub(crate) fn check<T>(
        &mut self,
        name: &'static str,
        check: impl FnOnce() -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let outcome = check();
        self.checks.push(Check { name, ok: outcome.is_ok() });
        outcome
    }
}
