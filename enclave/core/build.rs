//! Turns `connectors/*.toml` into the embedded form, refusing what the enclave would refuse.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "build/compact.rs"]
mod compact;

/// The loader of the enclave itself, so that a file that builds is a file that loads.
#[expect(dead_code, reason = "the loader's modules; the build uses one function of them")]
#[path = "src/connector"]
mod connector {
    mod api_keys;
    mod budget;
    pub mod check;
    mod encode;
    mod ethereum;
    mod expression;
    pub mod json;
    pub mod load;
    mod load_action;
    mod load_page;
    mod load_signing;
    mod model;
    mod model_action;
    mod model_listing;
    mod model_signing;
    mod new_key;
    mod oauth;
    mod parse;
    mod places;
    mod repeat;
    mod scan;
    mod session;
    pub mod table;
    mod template;
    mod time;
    mod value;
}

#[expect(dead_code, reason = "as above")]
#[path = "src/network"]
mod network {
    pub mod load;
    pub mod model;
}

fn main() {
    if let Err(reason) = check_entropy().and_then(|()| embed()) {
        // The build script's way to fail: cargo shows the text.
        println!("cargo::error={reason}");
    }
}

/// Started from another folder, cargo would read what is configured for the client and the host.
fn check_entropy() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=AWS_LC_SYS_NO_JITTER_ENTROPY");
    match env::var("AWS_LC_SYS_NO_JITTER_ENTROPY").as_deref() {
        Ok("0") => Ok(()),
        _ => {
            Err("the enclave is built inside enclave/: its .cargo/config.toml says where entropy comes from"
                .into())
        }
    }
}

fn embed() -> Result<(), String> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(|error| error.to_string())?);
    let folder = root.join("../../connectors");
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed=src/connector");
    println!("cargo::rerun-if-changed=src/network");
    println!("cargo::rerun-if-changed={}", folder.join("resolve.rs").display());
    table(&folder, "connectors", |json| connector::load::load(json).map(|connector| connector.id))?;
    let networks = folder.join("networks");
    println!("cargo::rerun-if-changed={}", networks.display());
    table(&networks, "networks", |json| network::load::load(json).map(|network| network.id))
}

/// Writes the table `NAME.rs` of a folder's files in their embedded form. `load` reads one and gives its id.
fn table(folder: &Path, name: &str, load: impl Fn(&[u8]) -> Result<String, String>) -> Result<(), String> {
    let out = PathBuf::from(env::var("OUT_DIR").map_err(|error| error.to_string())?);
    let mut table = String::from("&[\n");
    for path in files(folder)? {
        let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let json =
            compact_file(&path, &id, &load).map_err(|reason| format!("{}: {reason}", path.display()))?;
        let target = out.join(format!("{name}-{id}.json"));
        fs::write(&target, json).map_err(|error| error.to_string())?;
        writeln!(table, "    ({id:?}, include_bytes!({:?})),", target.display().to_string())
            .map_err(|error| error.to_string())?;
    }
    table.push(']');
    fs::write(out.join(format!("{name}.rs")), table).map_err(|error| error.to_string())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn compact_file(
    path: &Path,
    id: &str,
    load: impl Fn(&[u8]) -> Result<String, String>,
) -> Result<String, String> {
    println!("cargo::rerun-if-changed={}", path.display());
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let find = |id: &str| fs::read_to_string(path.with_file_name(format!("{id}.toml"))).ok();
    let json = compact::from_toml(&text, &find)?;
    let loaded = load(json.as_bytes())?;
    if loaded == id { Ok(json) } else { Err(format!("its id is `{loaded}`")) }
}
