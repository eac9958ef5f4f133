//! Starting a process that ends when we do.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::{Child, Command};

/// The descriptor on which a program finds its connection to us: the enclave its channel, a role who certifies it.
pub const CHANNEL: i32 = 3;

/// A program to start. It gets no environment and the root folder as its place.
#[derive(Debug)]
pub struct Program {
    pub name: &'static str,
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
    /// What it gets as standard input.
    pub input: Option<OwnedFd>,
    /// What it gets as descriptor 3: its connection to us.
    pub channel: Option<OwnedFd>,
}

impl Program {
    /// Another process of this program.
    pub fn own(name: &'static str, this: &Path) -> Program {
        let arguments = vec![name.into()];
        Program { name, path: this.to_path_buf(), arguments, input: None, channel: None }
    }

    #[must_use]
    pub fn with(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Program {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    #[must_use]
    pub fn with_input(self, input: OwnedFd) -> Program {
        Program { input: Some(input), ..self }
    }

    #[must_use]
    pub fn with_channel(self, channel: OwnedFd) -> Program {
        Program { channel: Some(channel), ..self }
    }

    /// Starts it with its standard output piped to us. It gets SIGKILL when the thread that calls this ends: call it
    /// from the one that lives as long as the process.
    pub fn start(self) -> io::Result<Child> {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).env_clear().current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        if let Some(input) = self.input {
            command.stdin(Stdio::from(input));
        }
        tie(&mut command, self.channel.as_ref().map(AsRawFd::as_raw_fd));
        command.spawn()
    }
}

/// Ties the child to our life and puts its channel in place, between fork and exec.
#[expect(unsafe_code, reason = "the only moment at which a child can be changed before its program runs")]
fn tie(command: &mut Command, channel: Option<i32>) {
    let parent = rustix::process::getpid();
    let prepare = move || {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        // We may have died before that call; then nobody would tell the child.
        if rustix::process::getppid() != Some(parent) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        channel.map_or(Ok(()), place)
    };
    // SAFETY: `prepare` makes system calls only; it allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(prepare);
    }
}

/// Makes `fd` descriptor 3 of the program that comes. Ours are close-on-exec, so it gets no other.
#[expect(unsafe_code, reason = "descriptor 3 has no owner in this process")]
fn place(fd: i32) -> io::Result<()> {
    // SAFETY: between fork and exec the child's table of descriptors is its own. Number 3 is not the pipe on which a
    // failed exec is reported: that is opened last, after the pipe of standard output, so lower numbers are taken.
    let (fd, mut target) = unsafe {
        (std::os::fd::BorrowedFd::borrow_raw(fd), <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(CHANNEL))
    };
    let placed = if fd.as_raw_fd() == CHANNEL {
        rustix::io::fcntl_setfd(&target, rustix::io::FdFlags::empty())
    } else {
        rustix::io::dup2(fd, &mut target)
    };
    std::mem::forget(target);
    Ok(placed?)
}
