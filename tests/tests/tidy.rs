//! Rules of the repository itself.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who may import whom, within the project (ARCHITECTURE.md, "Arrows").
const ARROWS: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("verify", &["wire"]),
    ("host", &["wire"]),
    ("tensfer", &["wire", "verify", "host"]),
    ("tests", &["wire", "verify"]),
    ("enclave/core", &["wire", "verify"]),
    ("enclave/image", &[]),
    ("enclave/channel", &["wire", "enclave"]),
    ("enclave/hardware", &["wire", "verify", "enclave"]),
    ("enclave/dev-signer", &["wire", "verify"]),
    ("enclave/simulated", &["wire", "verify", "enclave", "dev-signer"]),
    ("enclave/connector-check", &["wire", "enclave"]),
];

const LONGEST_SOURCE_FILE: usize = 600;

#[test]
fn the_arrows_between_packages_hold() {
    let internal = ["wire", "verify", "host", "enclave", "tensfer", "dev-signer"];
    for (package, allowed) in ARROWS {
        let manifest = read(&format!("{package}/Cargo.toml"));
        for name in internal {
            let imports = manifest.lines().any(|line| {
                let line = line.trim();
                line.starts_with(&format!("{name}.workspace"))
                    || line.starts_with(&format!("{name} ="))
                    || line.contains(&format!("package = \"tensfer-{name}\""))
            });
            assert!(!imports || allowed.contains(&name), "{package} imports {name}");
        }
    }
    let listed: BTreeSet<PathBuf> = ARROWS.iter().map(|(package, _)| root().join(package)).collect();
    for manifest in files("Cargo.toml").into_iter().filter(|path| read_path(path).contains("[package]")) {
        assert!(listed.contains(manifest.parent().unwrap()), "{} has no arrows", manifest.display());
    }
}

#[test]
fn nobody_imports_the_enclave() {
    let lock = read("Cargo.lock");
    assert!(lock.contains("name = \"tensfer-wire\""), "the lock file reads as expected");
    assert!(!lock.contains("name = \"tensfer-enclave"), "the root workspace depends on the enclave");
    assert!(read("Cargo.toml").contains("exclude = [\"enclave\"]"));
}

#[test]
fn m40_dependencies_are_the_ones_that_were_reviewed() {
    let checked = Command::new(root().join("scripts/dependencies")).arg("--check").output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn the_enclave_links_no_runtime_logger_or_second_crypto_library() {
    for lock in ["Cargo.lock", "enclave/Cargo.lock"] {
        for name in ["openssl-sys", "native-tls"] {
            assert!(!read(lock).contains(&format!("name = \"{name}\"")), "{name} in {lock}");
        }
    }
    for program in ["core", "hardware"] {
        let linked = read(&format!("docs/dependencies/enclave-{program}-linked.txt"));
        assert!(linked.contains("aws-lc-rs "), "the list reads as expected");
        let unwanted = ["tokio", "reqwest", "ring", "log", "tracing", "hyper"];
        // What makes and signs simulations is in no program for hardware (m17).
        for name in unwanted.into_iter().chain(["tensfer-dev-signer", "tensfer-enclave-simulated", "rcgen"]) {
            let is_linked = linked.lines().any(|line| line.starts_with(&format!("{name} ")));
            assert!(!is_linked, "{name} in the enclave ({program})");
        }
    }
}

#[test]
fn the_enclave_alone_collects_entropy_of_its_own_and_no_environment_changes_that() {
    let name = "AWS_LC_SYS_NO_JITTER_ENTROPY";
    let stated = |path: &str| {
        read(path).lines().any(|line| line == format!(r#"{name} = {{ value = "0", force = true }}"#))
    };
    assert!(stated("enclave/.cargo/config.toml") && !stated(".cargo/config.toml"));
    assert!(
        read("enclave/core/build.rs").contains(&format!(r#"env::var("{name}")"#)),
        "its build refuses otherwise"
    );
    assert!(read(".cargo/config.toml").contains(&format!(r#"{name} = {{ value = "1", force = false }}"#)));
}

#[test]
fn no_source_file_is_too_long() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|path| (read_path(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST_SOURCE_FILE)
        .map(|(lines, path)| format!("{} has {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn the_core_has_no_clock_file_socket_or_environment() {
    let forbidden = [
        "SystemTime::now",
        "Instant::now",
        "std::env::",
        "std::fs::",
        "std::net::",
        "std::process::",
        "std::thread::",
        "println!",
        "eprintln!",
    ];
    let cores = ["enclave/core/src", "verify/src", "wire/src"].map(|core| root().join(core));
    for (path, code) in program_code().filter(|(path, _)| cores.iter().any(|core| path.starts_with(core))) {
        for word in forbidden {
            assert!(!code.contains(word), "{} uses {word}", path.display());
        }
    }
}

#[test]
fn m17_what_is_dangerous_is_called_by_no_program_but_where_it_is_meant_to_be() {
    // The definition, and the callers in programs. `_add` is a seam of the enclave's tests: nobody's.
    let allowed: [(&str, &[&str]); 5] = [
        ("dangerous_add(", &["enclave/core/src/connector/catalogue.rs"]),
        (
            "dangerous_peers(",
            &[
                "enclave/core/src/attester.rs",
                "enclave/core/src/provisioning/handover.rs",
                "enclave/hardware/src/peers.rs",
            ],
        ),
        ("dangerous_instead(", &["verify/src/root.rs"]),
        ("dangerous_unverified(", &["verify/src/ohttp.rs", "verify/src/client.rs"]),
        (
            "dangerous_from_der(",
            &["verify/src/root.rs", "tensfer/src/client/options.rs", "enclave/hardware/src/inputs.rs"],
        ),
    ];
    for (path, code) in program_code() {
        for (name, places) in allowed {
            let is_place = places.iter().any(|place| path == root().join(place));
            assert!(is_place || !code.contains(name), "{} calls {name}…)", path.display());
        }
    }
}

#[test]
fn paths_named_in_documents_exist() {
    let tops =
        ["wire", "verify", "enclave", "host", "tensfer", "connectors", "vectors", "docs", "tests", "scripts"];
    let mut missing = Vec::new();
    for document in files(".md") {
        for word in read_path(&document).split('`').skip(1).step_by(2) {
            let top = word.split('/').next().unwrap_or_default();
            // `tensfer/…/v1` is a domain of a transcript.
            let is_domain = word.starts_with("tensfer/") && word.ends_with("/v1");
            let names_one =
                word.contains('/') && !is_domain && !word.contains([' ', '*', '{', '<', '…', ':']);
            if names_one && tops.contains(&top) && !root().join(word.trim_end_matches('/')).exists() {
                missing.push(format!("{}: {word}", document.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// A row of PROMISES.md is `| id | promise | tests |`: the tests exist, and a row without one says pending.
#[test]
fn every_promise_names_its_test_or_says_pending() {
    let code: String = sources().iter().map(|path| read_path(path)).collect();
    let mut promised = BTreeSet::new();
    for line in read("PROMISES.md").lines().filter(|line| line.starts_with("| P")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (id, evidence) = (cells[1], cells[3]);
        promised.insert(id.split('.').next().unwrap().to_owned());
        let tests: Vec<&str> = evidence.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty() || evidence.contains("pending"), "{id} names no test and is not pending");
        for test in tests {
            assert!(code.contains(&format!("fn {test}(")), "{id} names `{test}`, which is no test");
        }
    }
    assert_eq!(promised.len(), 12, "twelve promises: {promised:?}");
}

/// A row of docs/mistakes.md is `| id | bug | where | tests |`: the tests exist and bear the id, or the row says why there is none.
#[test]
fn every_mistake_names_its_negative_test_or_says_why_there_is_none() {
    let code: String = sources().iter().map(|path| read_path(path)).collect();
    // `name: "mNN"` is a test that a macro makes.
    let is_test = |name: &str, id: &str| {
        code.contains(&format!("fn {name}(")) || code.contains(&format!("{name}: \"{id}\""))
    };
    let rows = read("docs/mistakes.md");
    let rows: Vec<&str> = rows.lines().filter(|line| line.starts_with("| m")).collect();
    assert_eq!(rows.len(), 40);
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [id, _, _, evidence] = cells[..] else { panic!("{row}") };
        let named: Vec<&str> = evidence
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| word.starts_with(&format!("{id}_")))
            .collect();
        let why_not = evidence.starts_with("pending: ") || evidence.starts_with("not built: ");
        assert!(!named.is_empty() || why_not, "{id} has no test of its name");
        for test in named {
            assert!(is_test(test, id), "{id} names `{test}`, which is no test");
        }
    }
}

#[test]
fn nothing_names_a_machine_or_a_registry_address() {
    let words = [["/wo", "rk/"].concat(), ["/fa", "rm/"].concat(), ["registry.npm", "js.org"].concat()];
    for path in tracked() {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for word in &words {
            assert!(!text.contains(word.as_str()), "{} names {word}", path.display());
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    read_path(&root().join(path))
}

fn read_path(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn tracked() -> Vec<PathBuf> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().unwrap();
    assert!(listed.status.success(), "git lists the files");
    let names = String::from_utf8(listed.stdout).unwrap();
    let named = names.split('\0').filter(|name| !name.is_empty()).map(|name| root().join(name));
    named.filter(|path| path.is_file()).collect()
}

/// Rust sources that programs are built from, each without the tests at its end.
fn program_code() -> impl Iterator<Item = (PathBuf, String)> {
    let is_test = |part: std::path::Component| {
        let name = part.as_os_str().to_string_lossy();
        name.starts_with("test") || name.ends_with("_tests.rs") || name == "examples" || name == "fuzz.rs"
    };
    let depth = root().components().count();
    files(".rs").into_iter().filter(move |path| !path.components().skip(depth).any(is_test)).map(|path| {
        let code = read_path(&path).split("#[cfg(test)]").next().unwrap().to_owned();
        (path, code)
    })
}

fn files(ending: &str) -> Vec<PathBuf> {
    tracked().into_iter().filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

fn sources() -> Vec<PathBuf> {
    [".rs", ".ts", ".tsx", ".mjs", ".py"].iter().flat_map(|ending| files(ending)).collect()
}
