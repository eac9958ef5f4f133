//! The one duplex channel of an enclave program: bytes in and out, one thread, no runtime.

pub mod faults;

use enclave::Fatal;
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::time::Instant;
use wire::Frame;
use wire::frame::{FrameError, Kind};
use zeroize::Zeroize;

/// Read at once; a frame may be larger.
const READ: usize = 256 << 10;
/// Served at once, of what was read: some six requests. What they yield is written before the next, so that providers can
/// answer the first of a hundred while the others are opened.
const SERVED_AT_ONCE: usize = 16 << 10;
/// With more than this waiting to be written, nothing more is read: the host pays for its own slowness.
const MAX_PENDING_OUTPUT: usize = 16 << 20;
/// Buffers that grew are given back below this.
const KEEP: usize = 1 << 20;

/// What answers the frames of a channel.
pub trait Served {
    /// Takes one frame of the host, and appends frames for it; `now` is milliseconds on the program's own counter.
    fn handle(&mut self, frame: Frame<'_>, now: u64, output: &mut Vec<u8>) -> Result<(), Ended>;
    /// Lets time pass, and appends the frames for the host.
    fn tick(&mut self, now: u64, output: &mut Vec<u8>) -> Result<(), Ended>;
    /// When `tick` next has something to do.
    fn next_deadline(&mut self) -> Option<u64>;
}

/// Why a channel ends: for the operator, and nothing in it is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The host closed the channel.
    HostGone,
    /// The host sent what is not a frame.
    Malformed(FrameError),
    /// The host sent a kind that only an enclave sends, or something before its turn.
    OutOfTurn(Kind),
    /// Roots that are not in order, or that contradict the ones in use; of a program that takes roots from its host.
    BadProvision,
    /// The core ended.
    Core(Fatal),
    /// No entropy, no evidence or no trust anchors: nothing can start.
    CannotStart,
    /// The kernel refused to read, write or wait.
    ChannelFailed,
}

/// Serves one connection of the host until it ends. `begun` is when the program's counter was 0.
pub fn serve(channel: &OwnedFd, begun: Instant, served: &mut impl Served) -> Ended {
    let (input, output) = (Vec::new(), Vec::new());
    let mut server = Server { channel, begun, served, input, output, unserved: false };
    loop {
        if let Err(ended) = server.turn() {
            return ended;
        }
    }
}

struct Server<'a, S> {
    channel: &'a OwnedFd,
    begun: Instant,
    served: &'a mut S,
    input: Vec<u8>,
    output: Vec<u8>,
    /// Whether `input` may hold whole frames.
    unserved: bool,
}

impl<S: Served> Server<'_, S> {
    fn turn(&mut self) -> Result<(), Ended> {
        let ready = self.wait()?;
        if !self.unserved && ready.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            self.read()?;
            self.unserved = true;
        }
        if self.unserved && self.has_room() {
            self.handle_frames()?;
        }
        let now = self.now();
        self.served.tick(now, &mut self.output)?;
        self.write()
    }

    /// Whether more may be taken from the host.
    fn has_room(&self) -> bool {
        self.output.len() < MAX_PENDING_OUTPUT
    }

    /// Sleeps until there is something to do: frames to serve, the channel ready, a deadline passed.
    fn wait(&mut self) -> Result<PollFlags, Ended> {
        let mut wanted = PollFlags::empty();
        if self.has_room() && !self.unserved {
            wanted |= PollFlags::IN;
        }
        if !self.output.is_empty() {
            wanted |= PollFlags::OUT;
        }
        let now = self.now();
        let deadline = if self.unserved && self.has_room() { Some(now) } else { self.served.next_deadline() };
        let timeout = deadline.map(|deadline| {
            let millis = deadline.saturating_sub(now);
            Timespec {
                tv_sec: i64::try_from(millis / 1000).unwrap_or(i64::MAX),
                tv_nsec: i64::try_from(millis % 1000 * 1_000_000).unwrap_or(0),
            }
        });
        let mut fds = [PollFd::new(self.channel, wanted)];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(fds.first().map_or(PollFlags::empty(), PollFd::revents)),
            Err(_) => Err(Ended::ChannelFailed),
        }
    }

    fn read(&mut self) -> Result<(), Ended> {
        // Into memory that nobody clears first: most frames are a few hundred bytes.
        self.input.reserve(READ);
        match rustix::io::read(self.channel, spare_capacity(&mut self.input)) {
            Ok(0) => Err(Ended::HostGone),
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(Errno::CONNRESET) => Err(Ended::HostGone),
            Err(_) => Err(Ended::ChannelFailed),
        }
    }

    fn handle_frames(&mut self) -> Result<(), Ended> {
        let now = self.now();
        let mut input = std::mem::take(&mut self.input);
        let mut handled = 0;
        while let Some(rest) = input.get_mut(handled..).filter(|_| handled < SERVED_AT_ONCE) {
            let Some((frame, taken)) = Frame::read(rest).map_err(Ended::Malformed)? else {
                self.unserved = false;
                break;
            };
            if !frame.kind.is_from_host() {
                return Err(Ended::OutOfTurn(frame.kind));
            }
            let holds_roots = frame.kind == Kind::Provision;
            self.served.handle(frame, now, &mut self.output)?;
            if holds_roots {
                rest.get_mut(..taken).unwrap_or_default().zeroize();
            }
            handled += taken;
        }
        input.drain(..handled);
        input.shrink_to(KEEP);
        self.input = input;
        Ok(())
    }

    fn write(&mut self) -> Result<(), Ended> {
        let mut written = 0;
        while let Some(rest) = self.output.get(written..).filter(|rest| !rest.is_empty()) {
            match rustix::io::write(self.channel, rest) {
                Ok(count) => written += count,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(Ended::HostGone),
                Err(_) => return Err(Ended::ChannelFailed),
            }
        }
        self.output.drain(..written);
        self.output.shrink_to(KEEP);
        Ok(())
    }

    fn now(&self) -> u64 {
        counter(self.begun)
    }
}

/// Milliseconds on the program's own counter, which was 0 at `begun`.
pub fn counter(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
