//! The enclave program for hardware: the first process of its machine. It takes no argument and reads no environment.
//!
//! Not started by the standard library, which ends a program that finds no open descriptor and no `/dev/null`: on a machine without
//! a console the kernel opens none, and devices are mounted here.
#![no_main]

use channel::faults::{say, say_nothing_of_panics};
use hardware::{machine, program};
use std::ffi::c_int;

const NOT_OURS: c_int = 2;

#[expect(unsafe_code, reason = "the name that the C runtime calls")]
#[unsafe(no_mangle)]
pub extern "C" fn main() -> c_int {
    say_nothing_of_panics();
    if !machine::is_ours() {
        say("this program is the first process of an enclave's image, and nothing else");
        return NOT_OURS;
    }
    let ended = match machine::prepare() {
        Ok(()) => program::run(),
        Err(_) => "the kernel mounts no devices".to_owned(),
    };
    say(&ended);
    machine::end()
}
