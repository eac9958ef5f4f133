//! An image's program for the test of measured boot: whoever connects sends 64 bytes, and gets the TEE's document over them behind
//! its length (32 bits, big-endian). It is in no released image.
#![no_main]

use hardware::faults::say;
use hardware::tee::Tee;
use hardware::{machine, vsock};
use std::ffi::c_int;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use wire::UnixMillis;

#[expect(unsafe_code, reason = "the name that the C runtime calls")]
#[unsafe(no_mangle)]
pub extern "C" fn main() -> c_int {
    if let Err(what) = run() {
        say(what);
    }
    machine::end()
}

fn run() -> Result<(), &'static str> {
    machine::prepare().map_err(|_| "no devices")?;
    let mut tee = Tee::find().map_err(|_| "no TEE")?;
    let listener = vsock::listener(vsock::PORT).map_err(|_| "no vsock")?;
    say("ready");
    loop {
        let host = vsock::accept(&listener).map_err(|_| "no connection")?;
        if answer(host, &mut tee).is_err() {
            say("the host went away");
        }
    }
}

fn answer(host: OwnedFd, tee: &mut Tee) -> std::io::Result<()> {
    rustix::io::ioctl_fionbio(&host, false)?;
    let mut host = File::from(host);
    let mut report_data = [0; 64];
    loop {
        host.read_exact(&mut report_data)?;
        let attested = tee.attester.attest(&report_data, UnixMillis(0));
        let document = attested.map(|attested| attested.document).unwrap_or_default();
        let length = u32::try_from(document.len()).unwrap_or_default();
        host.write_all(&length.to_be_bytes())?;
        host.write_all(&document)?;
    }
}
