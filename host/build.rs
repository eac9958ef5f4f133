//! Lists the connector files, so that a new exchange is one new file and nothing else.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../connectors");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).expect("connectors/ lies beside host/");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files.iter().for_each(|file| println!("cargo::rerun-if-changed={}", file.display()));
    let list: String = files.iter().map(|path| format!("include_str!({path:?}),\n")).collect();
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("connectors.rs");
    fs::write(out, format!("&[\n{list}]")).expect("the output folder is writable");
}
