//! The program from boot to its end.

use crate::channel::{Ended, Served, serve};
use crate::faults::say;
use crate::tee::{NoTee, Tee};
use crate::{inputs, vsock};
use std::path::Path;
use std::time::Instant;
use wire::Frame;

/// Runs until the machine is of no more use, and says why.
pub fn run() -> &'static str {
    let begun = Instant::now();
    let tee = match Tee::nitro() {
        Ok(tee) => tee,
        Err(NoTee::NoDevice) => return "no TEE: there is no device that attests",
        Err(NoTee::NoEntropy) => return "no entropy: a random source is missing or fails its tests",
    };
    let Ok(trust) = inputs::trust(Path::new(inputs::MEASURED)) else {
        return "an input of the image is not what its name says";
    };
    let Ok(listener) = vsock::listener(vsock::PORT) else { return "no vsock" };
    if vsock::say_it_runs().is_err() {
        say("nobody takes the heartbeat");
    }
    "not yet"
}
