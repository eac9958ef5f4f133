//! How strictly a process gives up what it does not need.

use anyhow::Context;
use host::calls::Role;
use host::confinement::{Demand, Kept, confine};

#[derive(Clone, Copy, Debug, clap::Args)]
pub struct ConfinedOptions {
    /// Do not start where the kernel cannot hold each process to what it needs (it takes Linux 6.12, with landlock and seccomp).
    /// Without this, the log says what is not held.
    #[arg(long)]
    require_confinement: bool,
}

impl ConfinedOptions {
    /// Gives up, for good, what `role` does not keep.
    pub fn apply(self, role: Role, kept: &Kept) -> anyhow::Result<()> {
        let demand = if self.require_confinement { Demand::Required } else { Demand::Wanted };
        confine(role, kept, demand).context("this process would keep more than it needs")?;
        Ok(())
    }

    /// The same for another process.
    pub fn passed_on(self) -> Option<&'static str> {
        self.require_confinement.then_some("--require-confinement")
    }
}
