//! The simulated enclave program. It takes no argument, reads no environment, and speaks on file descriptor 3.

use channel::faults::{say, say_nothing_of_panics};
use enclave::secret::keep_secrets_in;
use simulated::channel::{Ended, serve};
use simulated::entropy;
use simulated::lockdown::{self, Held, Layer, NotHeld};
use simulated::secret_memory::KernelSecretMemory;
use std::fmt::Write;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::ExitCode;

const CHANNEL: i32 = 3;

fn main() -> ExitCode {
    say_nothing_of_panics();
    let Some(channel) = take_channel() else {
        say("started without a channel: `tensfer up` starts this program");
        return ExitCode::from(2);
    };
    let Ok(program) = std::fs::read("/proc/self/exe") else {
        say("cannot read its own program to measure it");
        return ExitCode::from(5);
    };
    if entropy::wake_library().is_err() {
        say("has no random source");
        return ExitCode::from(5);
    }
    // Mapped first: the limit of locked memory may be lower afterwards.
    let has_secret_memory = KernelSecretMemory::map().is_some_and(|memory| keep_secrets_in(memory));
    match lockdown::lock_down() {
        Ok(report) => say(&describe(&report, has_secret_memory)),
        Err(NotHeld(layer)) => {
            say(&format!("cannot lock itself down: {}", layer.name()));
            return ExitCode::from(5);
        }
    }
    match serve(&channel, &program) {
        Ended::HostGone => ExitCode::SUCCESS,
        ended => {
            say(&format!("ended: {ended:?}"));
            ExitCode::from(4)
        }
    }
}

/// Takes the channel that the parent left open, and makes it non-blocking.
#[expect(unsafe_code, reason = "a file descriptor that another process opened has no owner here yet")]
fn take_channel() -> Option<OwnedFd> {
    // SAFETY: nothing else in this process refers to the descriptor; it is checked before it is owned.
    let channel = unsafe {
        if libc::fcntl(CHANNEL, libc::F_GETFD) == -1 {
            return None;
        }
        // Nothing that the parent left open by mistake stays.
        libc::syscall(libc::SYS_close_range, CHANNEL + 1, libc::c_uint::MAX, 0);
        OwnedFd::from_raw_fd(CHANNEL)
    };
    rustix::io::ioctl_fionbio(&channel, true).ok()?;
    Some(channel)
}

fn describe(report: &[(Layer, Held)], has_secret_memory: bool) -> String {
    let mut text = String::from("SIMULATED, NOT A TEE; locked down:");
    for (layer, held) in report {
        // Writing to a string cannot fail.
        let _ = match held {
            Held::Yes => write!(text, " {};", layer.name()),
            Held::Partly(why) => write!(text, " {} (partly: {why});", layer.name()),
            Held::No(why) => write!(text, " NOT {} ({why});", layer.name()),
        };
    }
    text.push_str(if has_secret_memory {
        " keys in secret memory"
    } else {
        " NOT keys in secret memory (no memfd_secret)"
    });
    text
}
