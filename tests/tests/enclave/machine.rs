//! One emulated machine at a time: QEMU's `nitro-enclave` without hardware support, and the vsock device beside it.

use crate::artefacts::tool;
use stack::{Folder, Process};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use verify::Root;

/// Emulation on a busy machine takes a minute to boot.
const BOOT: Duration = Duration::from_secs(180);
const MEMORY: &str = "256M";
/// The enclave's port (docs/spec/frames.md §1).
const PORT: &str = "5000";

/// Two machines would take each other's processor time, and boot past the limit.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// An image that runs, and the host's end of its channel, signed for.
pub struct Machine {
    pub channel: UnixStream,
    /// DER of the development signer's root.
    pub root: PathBuf,
    /// Dropped in this order: nobody is left behind.
    _signer: Process,
    _qemu: Process,
    _vsock: Process,
    _folder: Folder,
    _turn: MutexGuard<'static, ()>,
}

impl Machine {
    /// Boots the image as an emulated machine of this name.
    pub fn boot(image: &Path) -> Machine {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Folder::new();
        let (vhost, guest, root) = (folder.join("vhost"), folder.join("guest"), folder.join("root.der"));
        let vsock = Process::start(Command::new(tool("vhost-device-vsock")).arg("--vm").arg(format!(
            "guest-cid=4,socket={},uds-path={}",
            vhost.display(),
            guest.display()
        )));
        wait_for(&vhost, &vsock);
        let qemu = Process::start(&mut qemu(image, &vhost));
        let (ours, signers) = UnixStream::pair().unwrap();
        let mut signer = Command::new(tool("tensfer-dev-signer"));
        signer.arg("--vsock").arg(&guest).args(["--port", PORT, "--root"]).arg(&root);
        let signer = Process::start_with_input(&mut signer, OwnedFd::from(signers));
        wait_for(&root, &signer);
        Machine {
            channel: ours,
            root,
            _signer: signer,
            _qemu: qemu,
            _vsock: vsock,
            _folder: folder,
            _turn: turn,
        }
    }

    /// The root that its documents are signed under.
    pub fn root(&self) -> Root {
        Root::dangerous_from_der(&std::fs::read(&self.root).unwrap()).unwrap()
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

fn wait_for(file: &Path, process: &Process) {
    let until = Instant::now() + BOOT;
    while !file.exists() {
        assert!(Instant::now() < until, "no {}: {}", file.display(), process.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}
