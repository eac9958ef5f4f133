//! Takes from each connector file what the catalogue shows, so that a new exchange is one new file and nothing else.

use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "../connectors/resolve.rs"]
mod resolve;

/// The members of a connector file that `src/catalogue.rs` reads.
const SHOWN: [&str; 10] =
    ["id", "name", "guide", "credential", "sections", "family", "chain", "nodes", "oauth", "new_key"];

fn main() {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../connectors");
    write(&folder, "connectors.rs");
    write(&folder.join("networks"), "networks.rs");
}

/// Writes the list of what is shown of a folder's files.
fn write(folder: &Path, name: &str) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(folder).expect("connectors/ lies beside host/");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files.iter().for_each(|file| println!("cargo::rerun-if-changed={}", file.display()));
    let list: String = files.iter().map(|path| format!("{:?},\n", shown(path))).collect();
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join(name);
    fs::write(out, format!("&[\n{list}]")).expect("the output folder is writable");
}

/// What is shown of one file, as TOML.
fn shown(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("connector files are readable");
    let find = |id: &str| fs::read_to_string(path.with_file_name(format!("{id}.toml"))).ok();
    let mut table =
        resolve::resolve(&text, &find).unwrap_or_else(|reason| panic!("{}: {reason}", path.display()));
    table.retain(|name, _| SHOWN.contains(&name));
    toml::to_string(&table).expect("a table that was read can be written")
}
