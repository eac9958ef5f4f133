//! The built program, driven over its channel by a test that plays the host, and its evidence under the
//! production verifier.
#![expect(clippy::unwrap_used, reason = "tests")]

use aws_lc_rs::digest::{SHA384, digest};
use simulated::evidence::MARK;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use verify::measurement::{Name, Policy, Registers};
use verify::{Expect, Refused, Root, Verdict};
use wire::ceremony::{Answer, Ceremony, Phase, Status};
use wire::frame::Kind;
use wire::{Canonical, Frame, Refusal, UnixMillis};

const ROOT: [u8; 32] = [0x5a; 32];
const NONCE: [u8; 32] = [0xc3; 32];

struct Program {
    child: Child,
    channel: UnixStream,
    input: Vec<u8>,
}

impl Program {
    fn start() -> Program {
        let (channel, theirs) = UnixStream::pair().unwrap();
        let fd = theirs.as_raw_fd();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tensfer-enclave-simulated"));
        command
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        #[expect(unsafe_code, reason = "the child's end of the channel becomes descriptor 3")]
        // SAFETY: dup2 is async-signal-safe.
        unsafe {
            command.pre_exec(move || {
                if fd == 3 {
                    libc::fcntl(3, libc::F_SETFD, 0);
                    Ok(())
                } else if libc::dup2(fd, 3) == 3 {
                    Ok(())
                } else {
                    Err(std::io::Error::last_os_error())
                }
            });
        }
        let child = command.spawn().unwrap();
        channel.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Program { child, channel, input: Vec::new() }
    }

    fn provisioned() -> (Program, Vec<u8>) {
        let mut program = Program::start();
        program.send(Kind::Time, &now().0.to_be_bytes());
        program.send(Kind::Provision, &provision(&[(1, &ROOT)]));
        let root = program.receive(Kind::Ready);
        (program, root)
    }

    fn send(&mut self, kind: Kind, body: &[u8]) {
        let mut frame = Vec::new();
        Frame::write(kind, 1, body, &mut frame).unwrap();
        // A program that has ended takes nothing more: its exit is what the test then looks at.
        let _ = self.channel.write_all(&frame);
    }

    /// The next frame's body, but for an enclave's asking for its line, which is answered to none here.
    fn receive(&mut self, kind: Kind) -> Vec<u8> {
        loop {
            if let Some((frame, taken)) = Frame::read(&self.input).unwrap() {
                let (found, body) = (frame.kind, frame.body.to_vec());
                self.input.drain(..taken);
                if found != Kind::Take {
                    assert_eq!(found, kind);
                    return body;
                }
                continue;
            }
            let mut buffer = [0; 4096];
            let read = self.channel.read(&mut buffer).unwrap();
            assert_ne!(read, 0, "the program ended: {}", self.complaint());
            self.input.extend(buffer.iter().take(read));
        }
    }

    fn complaint(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn exit_code(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        (code, self.complaint())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn provision(epochs: &[(u32, &[u8; 32])]) -> Vec<u8> {
    use wire::provision::{EpochRoot, Provision};
    let epochs = epochs.iter().map(|(epoch, root)| EpochRoot::of_any(*epoch, root.as_slice()));
    Provision {
        epochs: epochs.collect(),
        sandbox: None,
        current: None,
        witnessed: None,
        relying_parties: Vec::new(),
    }
    .to_bytes()
}

fn now() -> UnixMillis {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixMillis(u64::try_from(elapsed.as_millis()).unwrap())
}

/// What every simulation's second register says.
fn marked() -> Policy {
    let mark = digest(&SHA384, MARK.as_bytes()).as_ref().try_into().unwrap();
    Policy::new().or(Registers::new().with(Name::Pcr(1), mark).unwrap())
}

fn evidence() -> (Vec<u8>, Vec<u8>) {
    let (mut program, root) = Program::provisioned();
    program.send(Kind::Attest, &NONCE);
    (program.receive(Kind::Evidence), root)
}

#[test]
fn the_production_verifier_calls_it_simulated_when_its_root_is_named() {
    let (evidence, root) = evidence();
    let mut expect = Expect::new(marked());
    expect.dangerous_simulated = Some(Root::dangerous_from_der(&root).unwrap());
    let outcome = verify::client::check(&evidence, &NONCE, &expect, now());
    assert!(matches!(outcome.verdict, Ok(Verdict::Simulated(_))), "{:?}", outcome.verdict);
}

#[test]
fn simulated_evidence_is_refused_by_default() {
    let (evidence, _) = evidence();
    let outcome = verify::client::check(&evidence, &NONCE, &Expect::new(marked()), now());
    assert_eq!(outcome.verdict.unwrap_err(), Refused::SimulatedNotAllowed);
}

#[test]
fn m17_another_starts_root_does_not_vouch_for_this_one() {
    let ((evidence, _), (_, other)) = (evidence(), evidence());
    let mut expect = Expect::new(marked());
    expect.dangerous_simulated = Some(Root::dangerous_from_der(&other).unwrap());
    assert!(verify::client::check(&evidence, &NONCE, &expect, now()).verdict.is_err());
}

#[test]
fn a_closed_channel_ends_the_program_quietly() {
    let (program, _) = Program::provisioned();
    program.channel.shutdown(std::net::Shutdown::Both).unwrap();
    let (code, said) = program.exit_code();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn what_is_no_frame_ends_the_program() {
    let (mut program, _) = Program::provisioned();
    program.channel.write_all(&[0xff; 64]).unwrap();
    let (code, said) = program.exit_code();
    assert_eq!(code, Some(4));
    assert!(said.contains("Malformed(TooLong)"), "{said}");
}

#[test]
fn nothing_is_served_before_the_roots() {
    for kind in [Kind::Attest, Kind::Request, Kind::Rewrap, Kind::Ready] {
        let mut program = Program::start();
        program.send(kind, &NONCE);
        let (code, said) = program.exit_code();
        assert_eq!(code, Some(4), "{kind:?}");
        assert!(said.contains("OutOfTurn"), "{said}");
    }
}

#[test]
fn without_roots_it_waits_for_a_quorum_and_takes_none_from_the_host() {
    let mut program = Program::start();
    program.send(Kind::Time, &now().0.to_be_bytes());
    program.send(Kind::Provision, &provision(&[]));
    assert!(Root::dangerous_from_der(&program.receive(Kind::Ready)).is_ok());
    program.send(Kind::Attest, &NONCE);
    assert_eq!(program.receive(Kind::Refused), Refusal::NotProvisioned.number().to_be_bytes());
    program.send(Kind::Ceremony, &Ceremony::Status.to_bytes());
    let answer = program.receive(Kind::CeremonyAnswer);
    let waiting =
        Status { phase: Phase::Waiting, manifest: None, released: Vec::new(), threshold: 0, line: None };
    assert_eq!(Answer::from_bytes(&answer), Ok(Answer::Status(waiting)));
    program.send(Kind::Provision, &provision(&[(1, &ROOT)]));
    let (code, said) = program.exit_code();
    assert_eq!(code, Some(4));
    assert!(said.contains("Core(Frame)"), "{said}");
}

#[test]
fn later_roots_add_epochs_and_change_none() {
    let (mut program, _) = Program::provisioned();
    program.send(Kind::Provision, &provision(&[(1, &ROOT), (2, &[7; 32])]));
    program.send(Kind::Attest, &NONCE);
    let evidence = program.receive(Kind::Evidence);
    let evidence = wire::evidence::Evidence::from_bytes(&evidence).unwrap();
    let identity = wire::Identity::from_bytes(&evidence.identity).unwrap();
    assert_eq!((identity.epochs.oldest, identity.epochs.current), (1, 2));

    program.send(Kind::Provision, &provision(&[(1, &[9; 32]), (2, &[7; 32])]));
    let (code, said) = program.exit_code();
    assert_eq!(code, Some(4));
    assert!(said.contains("BadProvision"), "{said}");
}

#[test]
fn m18_the_program_leaves_its_user_and_cannot_be_read_by_it() {
    let (program, _) = Program::provisioned();
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.child.id())).unwrap();
    let field =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(field("Seccomp:"), "2", "filter mode");
    assert_eq!(field("CapEff:").trim_start_matches('0'), "");
    if rustix::process::geteuid().is_root() {
        assert!(field("Uid:").starts_with("65534"), "{status}");
    }
    assert_eq!(
        std::fs::read(format!("/proc/{}/cmdline", program.child.id()))
            .unwrap()
            .iter()
            .filter(|b| **b == 0)
            .count(),
        1
    );
}
