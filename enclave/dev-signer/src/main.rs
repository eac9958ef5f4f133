//! `tensfer-dev-signer` stands between a host and an emulated enclave, and signs what the emulation leaves unsigned. NOT A TEE.

use dev_signer::authority::Authority;
use dev_signer::frames::pass;
use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, thread};
use wire::{Frame, UnixMillis};

const USAGE: &str = "\
usage: tensfer-dev-signer --vsock SOCKET --port NUMBER --root FILE
  Standard input is the host's end of the channel (a Unix stream socket). SOCKET is where vhost-device-vsock takes connections to the emulated machine.
  FILE is written: the root, DER, that a client has to name after --dangerous-simulated.";
/// An emulated machine boots in seconds, and in a minute where the host is busy.
const BOOT: Duration = Duration::from_secs(180);
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
    let [vsock, socket, port, number, root, file] = arguments else { return Err(USAGE.into()) };
    if [vsock.as_str(), port, root] != ["--vsock", "--port", "--root"] {
        return Err(USAGE.into());
    }
    let mut authority = Authority::make(now()).map_err(|_| "no root can be made")?;
    File::create_new(file)
        .and_then(|mut file| file.write_all(authority.root()))
        .map_err(|error| format!("the root cannot be written to `{file}`: {error}"))?;
    let _ = writeln!(
        io::stderr(),
        "tensfer-dev-signer: DEVELOPMENT, NOT A TEE: an emulated enclave protects nothing"
    );
    let host = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let enclave = connect(Path::new(socket), number.parse()?)?;
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
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
