//! `tensfer-dev-signer` stands between a host and an emulated enclave, and signs what the emulation leaves unsigned. NOT A TEE.

use dev_signer::authority::Authority;
use dev_signer::frames::pass;
use std::error::Error;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};
use std::{env, thread};
use wire::{Frame, UnixMillis};

const USAGE: &str = "\
usage:
  tensfer-dev-signer make --root FILE --key FILE
      Writes a throw-away root: its certificate, DER, which clients name after --dangerous-simulated and an image for a sandbox may be
      given as peers-root.der; and its private key, PKCS#8.
  tensfer-dev-signer --vsock SOCKET --port NUMBER --root FILE --key FILE
      Signs under that root what an emulated machine says. Standard input is the host's end of the channel (a Unix stream socket).
      SOCKET is where vhost-device-vsock takes connections to the machine.";
/// An emulated machine boots in seconds, and in a minute where the host is busy.
const BOOT: Duration = Duration::from_secs(600);
const RETRY: Duration = Duration::from_millis(50);
const READ: usize = 256 << 10;

fn main() -> ExitCode {
    match run(&env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "tensfer-dev-signer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["make", "--root", root, "--key", key] => make(root, key),
        ["--vsock", socket, "--port", port, "--root", root, "--key", key] => {
            sign_for(Path::new(socket), port.parse()?, kept(root, key)?)
        }
        _ => Err(USAGE.into()),
    }
}

fn make(root: &str, key: &str) -> Result<(), Box<dyn Error>> {
    let authority = Authority::make(now()).map_err(|_| "no root can be made")?;
    for (path, bytes) in [(key, authority.key()), (root, authority.root())] {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(|error| format!("`{path}` cannot be written: {error}"))?;
    }
    Ok(())
}

fn kept(root: &str, key: &str) -> Result<Authority, Box<dyn Error>> {
    let read = |path| std::fs::read(path).map_err(|error| format!("`{path}` cannot be read: {error}"));
    let authority = Authority::kept(read(root)?, &read(key)?, now());
    Ok(authority.map_err(|_| format!("`{key}` is no key that `make` wrote"))?)
}

fn sign_for(socket: &Path, port: u32, mut authority: Authority) -> Result<(), Box<dyn Error>> {
    let _ = writeln!(
        io::stderr(),
        "tensfer-dev-signer: DEVELOPMENT, NOT A TEE: an emulated enclave protects nothing"
    );
    let host = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let enclave = connect(socket, port)?;
    let upward = thread::spawn({
        let (host, enclave) = (host.try_clone()?, enclave.try_clone()?);
        move || forward(&host, &enclave)
    });
    let ended = sign_all(&enclave, &host, &mut authority);
    // Whichever side ended, the other one hears of it.
    let _ = host.shutdown(Shutdown::Both);
    let _ = enclave.shutdown(Shutdown::Both);
    let _ = upward.join();
    ended
}

/// The host's frames, as they come.
fn forward(mut host: &UnixStream, mut enclave: &UnixStream) {
    let _ = io::copy(&mut host, &mut enclave);
    let _ = enclave.shutdown(Shutdown::Both);
}

/// The enclave's frames, documents signed.
fn sign_all(
    mut enclave: &UnixStream,
    mut host: &UnixStream,
    authority: &mut Authority,
) -> Result<(), Box<dyn Error>> {
    let (mut input, mut output, mut piece) = (Vec::new(), Vec::new(), vec![0; READ]);
    loop {
        let count = enclave.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        input.extend_from_slice(piece.get(..count).unwrap_or_default());
        let mut handled = 0;
        while let Some(rest) = input.get(handled..) {
            let Some((frame, taken)) = Frame::read(rest).map_err(|_| "the enclave wrote what is no frame")?
            else {
                break;
            };
            pass(frame, authority, now(), &mut output)
                .map_err(|stopped| format!("the enclave's {frame:?} is not passed on: {stopped:?}"))?;
            handled += taken;
        }
        input.drain(..handled);
        host.write_all(&output)?;
        output.clear();
    }
}

/// Connects to a port of the machine, as soon as somebody listens there.
///
/// `vhost-device-vsock` has Firecracker's protocol: `CONNECT port\n`, answered by `OK port\n`, or by nothing.
fn connect(socket: &Path, port: u32) -> Result<UnixStream, Box<dyn Error>> {
    let until = Instant::now() + BOOT;
    loop {
        if let Some(enclave) = try_connect(socket, port) {
            return Ok(enclave);
        }
        if Instant::now() > until {
            return Err("the emulated machine does not listen".into());
        }
        thread::sleep(RETRY);
    }
}

fn try_connect(socket: &Path, port: u32) -> Option<UnixStream> {
    let mut enclave = UnixStream::connect(socket).ok()?;
    // An answer that never comes: the machine was not there yet when the question was.
    enclave.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    enclave.write_all(format!("CONNECT {port}\n").as_bytes()).ok()?;
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        let mut byte = [0];
        if line.len() > 32 || enclave.read(&mut byte).ok()? == 0 {
            return None;
        }
        line.extend(byte);
    }
    enclave.set_read_timeout(None).ok()?;
    line.starts_with(b"OK ").then_some(enclave)
}

fn now() -> UnixMillis {
    UnixMillis::after_1970(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
}
