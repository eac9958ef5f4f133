//! The one way in and out: vsock. The program listens; the host connects.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::addr::{SocketAddrArg, SocketAddrLen, SocketAddrOpaque};
use rustix::net::{AddressFamily, SocketFlags, SocketType, accept_with, bind, connect, listen, socket_with};
use std::os::fd::OwnedFd;

/// Where the host finds the enclave (docs/spec/frames.md §1).
pub const PORT: u32 = 5000;
/// AWS: the machine that starts an enclave is CID 3 …
const PARENT: u32 = 3;
/// … and waits on this port until the enclave says that it runs.
const HEARTBEAT_PORT: u32 = 9000;
/// What it says, and hears again.
const HEARTBEAT: u8 = 0xB7;
const HEARTBEAT_PATIENCE: Timespec = Timespec { tv_sec: 3, tv_nsec: 0 };

#[derive(Clone, Copy)]
struct Address {
    cid: u32,
    port: u32,
}

/// Listens for the host; whoever connects is the host, and hostile.
pub fn listener(port: u32) -> Result<OwnedFd, Errno> {
    let listener = socket()?;
    bind(&listener, &Address { cid: libc::VMADDR_CID_ANY, port })?;
    // One host at a time.
    listen(&listener, 1)?;
    rustix::io::ioctl_fionbio(&listener, false)?;
    Ok(listener)
}

/// Waits for the next connection, which does not block.
pub fn accept(listener: &OwnedFd) -> Result<OwnedFd, Errno> {
    loop {
        match accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            Err(Errno::INTR | Errno::CONNABORTED) => {}
            other => return other,
        }
    }
}

/// Tells the machine that started the enclave that it runs. A parent that does not listen is no fault of the enclave's: AWS's command waits for
/// it, others don't.
pub fn say_it_runs() -> Result<(), Errno> {
    let parent = socket()?;
    match connect(&parent, &Address { cid: PARENT, port: HEARTBEAT_PORT }) {
        Ok(()) => {}
        Err(Errno::INPROGRESS) => {
            ready(&parent, PollFlags::OUT)?;
            rustix::net::sockopt::socket_error(&parent)??;
        }
        Err(errno) => return Err(errno),
    }
    beat(&parent)
}

/// Writes the byte, and reads the same one back.
fn beat(parent: &OwnedFd) -> Result<(), Errno> {
    rustix::io::write(parent, &[HEARTBEAT])?;
    ready(parent, PollFlags::IN)?;
    let mut echo = [0];
    match rustix::io::read(parent, &mut echo)? {
        1 if echo == [HEARTBEAT] => Ok(()),
        _ => Err(Errno::PROTO),
    }
}

/// Waits for no longer than the heartbeat may take (m08).
fn ready(parent: &OwnedFd, wanted: PollFlags) -> Result<(), Errno> {
    match poll(&mut [PollFd::new(parent, wanted)], Some(&HEARTBEAT_PATIENCE))? {
        0 => Err(Errno::TIMEDOUT),
        _ => Ok(()),
    }
}

fn socket() -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::VSOCK, SocketType::STREAM, flags, None)
}

#[expect(unsafe_code, reason = "an address family that no library knows")]
// SAFETY: the pointer is to a whole `sockaddr_vm`, which lives during the call, and the length is its own.
unsafe impl SocketAddrArg for Address {
    unsafe fn with_sockaddr<R>(&self, call: impl FnOnce(*const SocketAddrOpaque, SocketAddrLen) -> R) -> R {
        let address = libc::sockaddr_vm {
            svm_family: AddressFamily::VSOCK.as_raw(),
            svm_reserved1: 0,
            svm_port: self.port,
            svm_cid: self.cid,
            svm_zero: [0; 4],
        };
        let length = size_of::<libc::sockaddr_vm>() as SocketAddrLen;
        call((&raw const address).cast(), length)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use rustix::net::socketpair;

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap()
    }

    #[test]
    fn a_parent_that_echoes_the_heartbeat_is_told_that_the_enclave_runs() {
        let (enclave, parent) = pair();
        rustix::io::write(&parent, &[HEARTBEAT]).unwrap();
        assert_eq!(beat(&enclave), Ok(()));
        let mut heard = [0; 2];
        assert_eq!((rustix::io::read(&parent, &mut heard), heard[0]), (Ok(1), 0xB7));
    }

    #[test]
    fn m08_a_parent_that_answers_otherwise_or_not_at_all_is_not_waited_for() {
        let (enclave, parent) = pair();
        rustix::io::write(&parent, &[0]).unwrap();
        assert_eq!(beat(&enclave), Err(Errno::PROTO));
        let (enclave, parent) = pair();
        drop(parent);
        assert_eq!(beat(&enclave), Err(Errno::PIPE));
        let (enclave, _parent) = pair();
        assert_eq!(beat(&enclave), Err(Errno::TIMEDOUT));
    }
}
