//! Measured boot: what runs is what was predicted, and nothing else gets a root.

use crate::artefacts::{image, live, program};
use crate::ceremony::{Operators, tell_time};
use crate::machine::{Machine, Signer, Turn};
use aho_corasick::AhoCorasick;
use stack::{Folder, run};
use std::collections::HashSet;
use std::process::Command;
use verify::measurement::{Name, Registers};
use verify::setup::SetupRefused;
use verify::{Refused, Root};
use wire::manifest::Reach;

#[test]
fn the_machine_measures_what_was_predicted_and_only_the_named_root_vouches_for_it() {
    let (live, folder) = (live(), Folder::new());
    let (signer, turn) = (Signer::make(&folder), Turn::take());
    let mut machine = Machine::boot(&live.file, &signer, &turn);
    let root = signer.root();
    tell_time(&mut machine.channel);
    let made = Operators::new(Reach::Live, &[&live.registers]).ask_for_genesis(&mut machine.channel);
    // For `scripts/bench boot`: until the kernel, the program and its first evidence were there.
    println!("boot_cpu_seconds {:.2}", machine.cpu_time().as_secs_f64());
    let genesis = made.check(Some(&root), None).unwrap();
    assert_eq!(genesis.recovered, 3, "every pair of the three shares gave the root back");
    assert_eq!(pcrs(&made.registers(&root)), pcrs(&live.registers));

    let refused = |root: Option<&Root>| made.check(root, None).map(|_| ()).unwrap_err();
    assert_eq!(refused(None), SetupRefused::Evidence(Refused::SimulatedNotAllowed), "under AWS's root");
    let other = Root::aws_nitro_g1();
    assert_eq!(refused(Some(&other)), SetupRefused::Evidence(Refused::SimulatedNotAllowed));
    let debug = (0..3).fold(Registers::new(), |all, at| all.with(Name::Pcr(at), [0; 48]).unwrap());
    let refused = made.check(Some(&root), Some(&debug)).map(|_| ()).unwrap_err();
    assert_eq!(refused, SetupRefused::Evidence(Refused::MeasurementMismatch));
}

#[test]
fn an_image_with_one_byte_changed_is_measured_otherwise_and_refused() {
    let folder = Folder::new();
    let mut bytes = std::fs::read(program()).unwrap();
    let message = b"nobody takes the heartbeat";
    let at = bytes.windows(message.len()).position(|window| window == message).unwrap();
    bytes[at] = b'N';
    let changed = folder.join("changed");
    std::fs::write(&changed, bytes).unwrap();
    let (live, changed) = (live(), image(&folder, "changed.eif", &changed, &[]));
    let (signer, turn) = (Signer::make(&folder), Turn::take());
    let mut machine = Machine::boot(&changed.file, &signer, &turn);
    let root = signer.root();
    tell_time(&mut machine.channel);
    let made = Operators::new(Reach::Live, &[&live.registers]).ask_for_genesis(&mut machine.channel);
    let refused = made.check(Some(&root), None).map(|_| ()).unwrap_err();
    assert_eq!(refused, SetupRefused::Evidence(Refused::MeasurementMismatch));

    let measured = made.registers(&root);
    assert_eq!(pcrs(&measured), pcrs(&changed.registers), "it is the changed one that runs");
    let differs = |name| measured.value(name) != live.registers.value(name);
    assert_eq!([0, 1, 2].map(|at| differs(Name::Pcr(at))), [true, true, false]);
}

/// Names that only the development signer and the simulated program have, and the inputs of a test image: a sandbox's root, and that of whoever
/// vouches for emulated peers. The mark itself is no sign: the verifier, by which an enclave checks its successor, has it to refuse it. The
/// simulated program shows that the names would be found, and an image with both inputs that those would.
#[test]
fn m17_no_release_artefact_has_a_mark_of_development() {
    let names: [&[u8]; 3] =
        [b"Tensfer simulation root", b"Tensfer simulated enclave", b"SIMULATED, NOT A TEE"];
    let inputs: [&[u8]; 2] = [b"measured/sandbox-root.der", b"measured/peers-root.der"];
    let marks = [&names[..], &inputs].concat();
    let search = AhoCorasick::new(&marks).unwrap();
    for artefact in [program(), live().file] {
        let bytes = std::fs::read(&artefact).unwrap();
        let found =
            search.find(&bytes).map(|found| String::from_utf8_lossy(marks[found.pattern()]).into_owned());
        assert_eq!(found, None, "{}", artefact.display());
    }
    let simulated = std::fs::read(stack::enclave()).unwrap();
    assert!(search.find(&simulated).is_some());
    let folder = Folder::new();
    let input = folder.join("input");
    std::fs::write(&input, b"anything").unwrap();
    let given = [("peers-root.der", input.as_path()), ("sandbox-root.der", &input)];
    let sandboxed = std::fs::read(image(&folder, "given.eif", &program(), &given).file).unwrap();
    let found: HashSet<usize> =
        search.find_iter(&sandboxed).map(|found| found.pattern().as_usize()).collect();
    assert_eq!(found, HashSet::from([names.len(), names.len() + 1]));
}

#[test]
fn m17_the_program_for_hardware_refuses_to_be_an_ordinary_process() {
    let output = run(&mut Command::new(program()), b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("first process"));
}

fn pcrs(registers: &Registers) -> [Option<[u8; 48]>; 3] {
    [0, 1, 2].map(|at| registers.value(Name::Pcr(at)).copied())
}
