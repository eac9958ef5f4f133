//! Emulated machines: QEMU's `nitro-enclave` without hardware support, and the vsock device beside it. No more at a time than a test needs.

use crate::artefacts::tool;
use stack::{Folder, Process, run};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use verify::Root;

/// Emulation on a busy machine takes a minute to boot.
const BOOT: Duration = Duration::from_secs(600);
const MEMORY: &str = "256M";
/// The enclave's port (docs/spec/frames.md §1).
const PORT: &str = "5000";

/// Machines of two tests would take each other's processor time, and boot past the limit.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A test's turn to emulate machines.
pub struct Turn(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

impl Turn {
    pub fn take() -> Turn {
        Turn(ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The development signer's root, in two files: machines that it vouches for are peers where an image names it.
#[derive(Clone)]
pub struct Signer {
    /// DER.
    pub root: PathBuf,
    key: PathBuf,
}

impl Signer {
    pub fn make(folder: &Folder) -> Signer {
        let signer = Signer { root: folder.join("signer.der"), key: folder.join("signer.key") };
        let mut command = Command::new(tool("tensfer-dev-signer"));
        command.arg("make").arg("--root").arg(&signer.root).arg("--key").arg(&signer.key);
        let made = run(&mut command, b"");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        signer
    }

    /// The root that documents are signed under.
    pub fn root(&self) -> Root {
        Root::dangerous_from_der(&std::fs::read(&self.root).unwrap()).unwrap()
    }

    /// Signs what the machine behind this socket says, and carries it to the other end of the host's channel.
    fn stand_before(&self, guest: &Path) -> (UnixStream, Process) {
        let (ours, signers) = UnixStream::pair().unwrap();
        let mut command = Command::new(tool("tensfer-dev-signer"));
        command.arg("--vsock").arg(guest).args(["--port", PORT, "--root"]).arg(&self.root);
        command.arg("--key").arg(&self.key);
        (ours, Process::start_with_input(&mut command, OwnedFd::from(signers)))
    }
}

/// An image that runs, and the host's end of its channel, signed for.
pub struct Machine {
    pub channel: UnixStream,
    signer: Signer,
    /// Where connections to the machine are taken.
    guest: PathBuf,
    /// Dropped in this order: nobody is left behind.
    signing: Option<Process>,
    qemu: Process,
    _vsock: Process,
    _folder: Folder,
}

impl Machine {
    /// Boots the image as an emulated machine whose documents this signer signs.
    pub fn boot(image: &Path, signer: &Signer, _: &Turn) -> Machine {
        let folder = Folder::new();
        let (vhost, guest) = (folder.join("vhost"), folder.join("guest"));
        let vsock = Process::start(Command::new(tool("vhost-device-vsock")).arg("--vm").arg(format!(
            "guest-cid=4,socket={},uds-path={}",
            vhost.display(),
            guest.display()
        )));
        wait_for_listener(&vhost, &vsock);
        let qemu = Process::start(&mut qemu(image, &vhost));
        wait_until_it_listens(&qemu);
        let (channel, signing) = signer.stand_before(&guest);
        let (signer, signing) = (signer.clone(), Some(signing));
        Machine { channel, signer, guest, signing, qemu, _vsock: vsock, _folder: folder }
    }

    /// Another host in the place of the one that had the channel: a new channel to the same start.
    pub fn change_host(&mut self) {
        self.signing = None;
        let (channel, signing) = self.signer.stand_before(&self.guest);
        (self.channel, self.signing) = (channel, Some(signing));
    }

    /// The host's end, for a relay's standard input.
    pub fn host_end(&self) -> OwnedFd {
        OwnedFd::from(self.channel.try_clone().unwrap())
    }

    /// Processor time that the emulator took so far: what booting costs, whatever else the machine does.
    pub fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.qemu.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        // User and system time, the 14th and 15th field of proc_pid_stat(5), in hundredths of a second.
        let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_millis(10 * ticks)
    }
}

/// The name says what it is: the development signer signs for no other.
fn qemu(image: &Path, vhost: &Path) -> Command {
    let mut command = Command::new(tool("qemu-system-x86_64"));
    command.args(["-M", "nitro-enclave,vsock=c,id=dev-simulated-emulated-1", "-accel", "tcg", "-cpu", "max"]);
    command.args(["-smp", "1", "-m", MEMORY, "-display", "none", "-no-reboot", "-monitor", "none"]);
    command.args(["-serial", "file:/dev/stderr", "-nodefaults"]);
    command.args(["-L", "/usr/share/seabios", "-L", "/usr/share/qemu"]);
    command.arg("-kernel").arg(image);
    command.arg("-chardev").arg(format!("socket,id=c,path={}", vhost.display()));
    command
}

/// A socket has its name before anybody listens, and an emulator that is refused ends. Asking for a connection would take the only one there is,
/// so the kernel's list is asked (proc_net(5): the fourth field has the flag `__SO_ACCEPTCON`, the last is the name).
fn wait_for_listener(socket: &Path, process: &Process) {
    let listens = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.last() == socket.to_str().as_ref() && fields[3] == "00010000"
    };
    let until = Instant::now() + BOOT;
    while !std::fs::read_to_string("/proc/net/unix").unwrap().lines().any(listens) {
        assert!(Instant::now() < until, "nobody listens at {}: {}", socket.display(), process.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A connection that comes while the machine is still setting its device up can end the worker of `vhost-device-vsock` 0.3.0 in silence:
/// then nobody ever gets through. So nobody tries before the program says, on the machine's console, that it listens.
fn wait_until_it_listens(qemu: &Process) {
    let until = Instant::now() + BOOT;
    while !qemu.log().contains("enclave: ready") {
        assert!(Instant::now() < until, "the machine does not get ready: {}", qemu.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Drop for Machine {
    /// What the emulator and the signer said, to whoever looks for why a test failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let signing = self.signing.as_ref().map(Process::log).unwrap_or_default();
            eprintln!("the emulator said: {}\nthe signer said: {signing}", self.qemu.log());
        }
    }
}
