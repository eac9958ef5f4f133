//! What a role gives up once it listens: files that are not its own, addresses that it does not need, other programs and
//! processes, and calls of the kernel that it does not make (docs/spec/processes.md §5). Whoever takes a role over has what
//! the role kept, and no more.
//!
//! The kernel holds it, for good, for the thread that asks and those that it starts: so before any other there is.

mod calls;
mod files;

use crate::calls::Role;
use crate::log;
use rustix::thread::{CapabilitySet, CapabilitySets};
use std::io;
use std::path::{Path, PathBuf};

/// What a role keeps. Paths that are not there are left out.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Files, and folders whose files are read.
    pub read: Vec<PathBuf>,
    /// Folders in which files are made, written and removed.
    pub written: Vec<PathBuf>,
    /// Whether it calls others over Unix sockets.
    pub sockets: bool,
    /// TCP ports that it connects to, at any address.
    pub ports: Vec<u16>,
    /// Whether it has names resolved by the system: in that case it reads the system's settings and loads its libraries.
    pub names: bool,
}

impl Kept {
    /// The folder in which a file is replaced, and the one in which it lies if its name is a link.
    #[must_use]
    pub fn and_replaced(mut self, file: &Path) -> Kept {
        let found = file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
        for file in [file, &found] {
            self.read.extend(file.parent().map(Path::to_path_buf));
        }
        self
    }

    /// A folder that somebody else keeps new, links in it included.
    #[must_use]
    pub fn and_kept_new(mut self, folder: &Path) -> Kept {
        let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for file in inside.filter_map(|entry| entry.path().canonicalize().ok()) {
            self.read.extend(file.parent().map(Path::to_path_buf));
        }
        self.read.push(folder.to_path_buf());
        self
    }
}

/// One way in which the kernel holds a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// No program that it starts gains anything.
    NoNewPrivileges,
    /// No capability, whoever started it.
    NoCapabilities,
    /// No files, TCP ports or signals to others but those that it keeps (landlock).
    OwnFiles,
    /// No system calls but those that it needs (seccomp).
    OwnCalls,
}

impl Layer {
    /// In the order in which they are asked for.
    pub const ALL: [Layer; 4] =
        [Layer::NoNewPrivileges, Layer::NoCapabilities, Layer::OwnFiles, Layer::OwnCalls];

    pub const fn name(self) -> &'static str {
        match self {
            Layer::NoNewPrivileges => "no new privileges",
            Layer::NoCapabilities => "no capabilities",
            Layer::OwnFiles => "no files and ports but its own",
            Layer::OwnCalls => "no system calls but its own",
        }
    }

    fn ask(self, kept: &Kept) -> Held {
        match self {
            Layer::NoNewPrivileges => no_new_privileges(),
            Layer::NoCapabilities => no_capabilities(),
            Layer::OwnFiles => files::forbid(kept),
            Layer::OwnCalls => calls::forbid(kept),
        }
    }
}

/// What came of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Yes,
    /// Less than was asked for, in words for the operator.
    Partly(&'static str),
    No(&'static str),
}

/// What to do where the kernel does not hold all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Go on, and say so.
    Wanted,
    /// Do not start.
    Required,
}

/// What came of each layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confinement([(Layer, Held); Layer::ALL.len()]);

impl Confinement {
    /// Layers that the kernel holds in part, or not at all.
    pub fn missing(&self) -> impl Iterator<Item = (Layer, Held)> {
        self.0.into_iter().filter(|(_, held)| *held != Held::Yes)
    }
}

/// Why a process does not start.
#[derive(Debug)]
pub enum NotConfined {
    /// It has several threads already, and those before this one would keep everything.
    Threads,
    /// Required, and this was not held.
    Layer(Layer, Held),
    Io(io::Error),
}

impl core::fmt::Display for NotConfined {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            NotConfined::Threads => f.write_str("a process is confined before it has a second thread"),
            NotConfined::Layer(layer, held) => write!(f, "{}: {}", layer.name(), held.why()),
            NotConfined::Io(error) => write!(f, "this process cannot look at itself: {error}"),
        }
    }
}

impl core::error::Error for NotConfined {}

impl Held {
    fn why(self) -> &'static str {
        match self {
            Held::Yes => "held",
            Held::Partly(why) | Held::No(why) => why,
        }
    }
}

/// Gives up the rest, for good, and says in the log what the kernel did not take. Call it when everything that needs more is
/// open, and before anything is served.
///
/// # Errors
/// This process has a second thread already; or a layer is not held, and `demand` is that all are.
pub fn confine(role: Role, kept: &Kept, demand: Demand) -> Result<Confinement, NotConfined> {
    if std::fs::read_dir("/proc/self/task").map_err(NotConfined::Io)?.count() != 1 {
        return Err(NotConfined::Threads);
    }
    let confinement = Confinement(Layer::ALL.map(|layer| (layer, layer.ask(kept))));
    for (layer, held) in confinement.missing() {
        if demand == Demand::Required {
            return Err(NotConfined::Layer(layer, held));
        }
        let less = if matches!(held, Held::Partly(_)) { "only partly confined" } else { "not confined" };
        log::line(role, format_args!("{less}: {}: {}", layer.name(), held.why()));
    }
    Ok(confinement)
}

/// The layers below are refused to who could gain privileges by starting a program.
fn no_new_privileges() -> Held {
    match rustix::thread::set_no_new_privs(true) {
        Ok(()) => Held::Yes,
        Err(_) => Held::No("the kernel has no such switch"),
    }
}

/// Of a role that root started. What is root's by its files' modes stays.
fn no_capabilities() -> Held {
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    match rustix::thread::set_capabilities(None, none) {
        Ok(()) => Held::Yes,
        Err(_) => Held::No("the kernel lets none go"),
    }
}
