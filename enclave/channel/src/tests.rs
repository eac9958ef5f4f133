#![expect(clippy::unwrap_used, reason = "tests")]
use super::*;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

/// Answers each request with its own body, and is due once.
#[derive(Default)]
struct Echo {
    handled: Vec<Kind>,
    due: Option<u64>,
    ticks: usize,
    /// Frames handled since the last tick, and the most there ever were.
    untold: [usize; 2],
}

impl Served for Echo {
    fn handle(&mut self, frame: Frame<'_>, _: u64, output: &mut Vec<u8>) -> Result<(), Ended> {
        self.handled.push(frame.kind);
        let [now, most] = self.untold;
        self.untold = [now + 1, most.max(now + 1)];
        Frame::write(Kind::Reply, frame.stream, frame.body, output).map_err(|_| Ended::CannotStart)
    }

    fn tick(&mut self, now: u64, _: &mut Vec<u8>) -> Result<(), Ended> {
        self.ticks += 1;
        self.untold = [0, self.untold[1]];
        if self.due.is_some_and(|due| due <= now) { Err(Ended::Core(Fatal::NoKey)) } else { Ok(()) }
    }

    fn next_deadline(&mut self) -> Option<u64> {
        self.due
    }
}

fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap()
}

/// What is served of these bytes of a host that then hangs up, and what it was answered.
fn served(bytes: &[u8]) -> (Ended, Vec<Kind>, Vec<u8>) {
    let (program, host) = pair();
    assert_eq!(rustix::io::write(&host, bytes), Ok(bytes.len()));
    rustix::net::shutdown(&host, rustix::net::Shutdown::Write).unwrap();
    let mut echo = Echo::default();
    let ended = serve(&program, Instant::now(), &mut echo);
    let mut answers = vec![0; 1 << 16];
    let read = rustix::io::read(&host, &mut answers).unwrap_or(0);
    answers.truncate(read);
    (ended, echo.handled, answers)
}

fn frame(kind: Kind, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Frame::write(kind, 7, body, &mut bytes).unwrap();
    bytes
}

#[test]
fn frames_are_served_in_order_until_the_host_is_gone() {
    let bytes = [frame(Kind::Time, b"1"), frame(Kind::Request, b"22")].concat();
    let (ended, handled, answers) = served(&bytes);
    assert_eq!((ended, handled), (Ended::HostGone, vec![Kind::Time, Kind::Request]));
    assert_eq!(answers, [frame(Kind::Reply, b"1"), frame(Kind::Reply, b"22")].concat());
}

#[test]
fn what_is_no_frame_or_not_the_hosts_ends_the_channel_and_what_is_cut_is_not_served() {
    let time = frame(Kind::Time, b"1");
    assert_eq!(served(&[0xff; 4]).0, Ended::Malformed(FrameError::TooLong));
    assert_eq!(served(&frame(Kind::Reply, b"")).0, Ended::OutOfTurn(Kind::Reply));
    let cut = time.split_last().unwrap().1;
    assert_eq!(served(cut), (Ended::HostGone, Vec::new(), Vec::new()));
}

#[test]
fn answers_leave_while_most_of_what_waits_is_still_unread() {
    let (program, host) = pair();
    let request = frame(Kind::Request, &[0; 1 << 10]);
    assert_eq!(rustix::io::write(&host, &request.repeat(64)), Ok(64 * request.len()));
    rustix::net::shutdown(&host, rustix::net::Shutdown::Write).unwrap();
    let mut echo = Echo::default();
    assert_eq!(serve(&program, Instant::now(), &mut echo), Ended::HostGone);
    assert_eq!(echo.handled.len(), 64);
    assert!(echo.untold[1] <= 16, "{:?}", echo.untold);
}

#[test]
fn a_deadline_is_kept_though_the_host_says_nothing() {
    let (program, _host) = pair();
    let mut echo = Echo { due: Some(20), ..Echo::default() };
    assert_eq!(serve(&program, Instant::now(), &mut echo), Ended::Core(Fatal::NoKey));
    assert!(echo.ticks < 100, "it sleeps meanwhile");
}
