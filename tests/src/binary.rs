//! Where the binaries lie: beside each other in the target directory that these tests were built in.

use std::path::PathBuf;

/// The `tensfer` binary.
pub fn tensfer() -> PathBuf {
    binary("tensfer", "cargo build -p tensfer")
}

/// The simulated enclave program.
pub fn enclave() -> PathBuf {
    binary("tensfer-enclave-simulated", "cargo build (inside enclave/)")
}

/// Another program of the enclave's workspace.
pub fn beside(name: &str) -> PathBuf {
    binary(name, "cargo build (inside enclave/)")
}

/// `TENSFER_BINARIES` names another folder, for running the same tests on a release or an installation.
fn binary(name: &str, built_by: &str) -> PathBuf {
    let folder = match std::env::var_os("TENSFER_BINARIES") {
        Some(folder) => PathBuf::from(folder),
        None => beside_this_test(),
    };
    let path = folder.join(name);
    assert!(path.is_file(), "{} does not exist: run `{built_by}` first", path.display());
    path
}

/// A test runs as `target/PROFILE/deps/NAME`, an example or bench one folder deeper or not.
fn beside_this_test() -> PathBuf {
    let test = std::env::current_exe().expect("the test knows its own path");
    let folder = test.parent().expect("an executable lies in a folder");
    match folder.file_name().and_then(|name| name.to_str()) {
        Some("deps" | "examples") => folder.parent().expect("deps lies in a profile's folder").to_path_buf(),
        _ => folder.to_path_buf(),
    }
}
