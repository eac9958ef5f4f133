//! What `make test-enclave` built, by path.

use serde_json::{Value, json};
use stack::{Folder, beside, run};
use std::path::{Path, PathBuf};
use std::process::Command;
use verify::measurement::{Hex, Registers};

/// An image with what a hypervisor will measure of it.
pub struct Image {
    pub file: PathBuf,
    pub registers: Registers,
}

/// What the build says of it.
fn said() -> Value {
    serde_json::from_slice(&std::fs::read(built("measurements.json")).unwrap()).unwrap()
}

/// What a build of this image, among made-up exchanges, would say of it.
pub fn measurements(image: &Image) -> Value {
    let registers = image.registers.iter();
    let registers = registers.map(|(name, value)| (name.to_string(), json!(Hex(value).to_string())));
    let mut said = said();
    (said["environment"], said["measurements"]) = (json!("sandbox"), registers.collect());
    said
}

/// The image as it would be released.
pub fn live() -> Image {
    let said = said();
    assert_eq!(said["environment"], "live");
    Image { file: built("tensfer-enclave.eif"), registers: registers(&said["measurements"]) }
}

/// The program that is in it.
pub fn program() -> PathBuf {
    built("tensfer-enclave")
}

/// Another image of the same kernel, a file of this name: with this program, and these files as measured inputs.
pub fn image(folder: &Folder, name: &str, program: &Path, inputs: &[(&str, &Path)]) -> Image {
    let file = folder.join(name);
    let mut command = Command::new(beside("tensfer-enclave-image"));
    command.arg("build").arg("--kernel").arg(built("bzImage")).arg("--program").arg(program);
    command.arg("--out").arg(&file);
    for (name, input) in inputs {
        command.arg("--input").arg(format!("{name}={}", input.display()));
    }
    let output = run(&mut command, b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Image { file, registers: registers(&serde_json::from_slice(&output.stdout).unwrap()) }
}

/// QEMU, the vsock device; the development signer is beside the tests.
pub fn tool(name: &str) -> PathBuf {
    if name == "tensfer-dev-signer" { beside(name) } else { built("bin").join(name) }
}

pub fn built(name: &str) -> PathBuf {
    let folder = std::env::var_os("TENSFER_ENCLAVE").expect("`make test-enclave` runs this");
    let path = PathBuf::from(folder).join(name);
    assert!(path.exists(), "{} does not exist: `make test-enclave` builds it", path.display());
    path
}

fn registers(json: &Value) -> Registers {
    ["PCR0", "PCR1", "PCR2"].into_iter().fold(Registers::new(), |all, name| {
        let (name, value) = Registers::parse(&format!("{name}={}", json[name].as_str().unwrap())).unwrap();
        all.with(name, value).unwrap()
    })
}
