//! What the simulated program gives up before it reads its first frame.
//!
//! Holds against other users, against processes of the same user that are not root, and against bugs that would
//! read or write where they should not. Nothing here holds against root on the host: that is what hardware is for.

mod files;
mod memory;
mod network;
mod privileges;
mod syscalls;

/// The layers, in the order in which they are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// No core file, and no memory or debugger access for processes of the same user.
    NotDumpable,
    /// Memory that is never written to swap.
    LockedMemory,
    /// A network namespace of its own, with nothing in it.
    NoNetwork,
    /// Another user, and no capability (when started as root).
    NoPrivileges,
    /// No program it could start gains anything.
    NoNewPrivileges,
    /// No file system (landlock).
    NoFiles,
    /// No system call that it does not need (seccomp); no memory that is both written and run.
    FewSyscalls,
}

impl Layer {
    pub const ALL: [Layer; 7] = [
        Layer::NotDumpable,
        Layer::LockedMemory,
        Layer::NoNetwork,
        Layer::NoPrivileges,
        Layer::NoNewPrivileges,
        Layer::NoFiles,
        Layer::FewSyscalls,
    ];

    /// Whether the program refuses to start without it. The others depend on the kernel or on who starts it.
    pub const fn is_required(self) -> bool {
        matches!(self, Layer::NotDumpable | Layer::NoNewPrivileges | Layer::FewSyscalls)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Layer::NotDumpable => "not dumpable",
            Layer::LockedMemory => "locked memory",
            Layer::NoNetwork => "no network",
            Layer::NoPrivileges => "no privileges",
            Layer::NoNewPrivileges => "no new privileges",
            Layer::NoFiles => "no file system",
            Layer::FewSyscalls => "few system calls",
        }
    }
}

/// What came of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Yes,
    /// Less than asked for, in words for the operator.
    Partly(&'static str),
    No(&'static str),
}

/// Applies one layer to this process, for good.
pub fn apply(layer: Layer) -> Held {
    match layer {
        Layer::NotDumpable => privileges::forbid_dumps(),
        Layer::LockedMemory => memory::lock(),
        Layer::NoNetwork => network::leave(),
        Layer::NoPrivileges => privileges::drop_all(),
        Layer::NoNewPrivileges => privileges::forbid_new(),
        Layer::NoFiles => files::forbid(),
        Layer::FewSyscalls => syscalls::forbid(),
    }
}

/// A layer that is required and did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotHeld(pub Layer);

/// Applies every layer. The report goes to the operator.
pub fn lock_down() -> Result<Vec<(Layer, Held)>, NotHeld> {
    let mut report = Vec::new();
    for layer in Layer::ALL {
        let held = apply(layer);
        if layer.is_required() && held != Held::Yes {
            return Err(NotHeld(layer));
        }
        report.push((layer, held));
    }
    Ok(report)
}
