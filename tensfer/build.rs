//! Embeds the connector files, complete and as JSON, so that the sandbox can speak each exchange from the same file.

use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "../connectors/resolve.rs"]
mod resolve;

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    let folder = root.join("../connectors");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).expect("connectors/ lies beside tensfer/");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let list: String = files.iter().filter_map(|file| embed(file, &out)).collect();
    fs::write(out.join("connectors.rs"), format!("&[\n{list}]")).expect("the output folder is writable");
}

/// One line of the table: id, hosts, and the file's JSON. None for what is entered by OAuth: a sign-in page is no part
/// of a connector file, so there is an emulator of its own.
fn embed(path: &Path, out: &Path) -> Option<String> {
    println!("cargo::rerun-if-changed={}", path.display());
    let text = fs::read_to_string(path).expect("connector files are readable");
    let find = |id: &str| fs::read_to_string(path.with_file_name(format!("{id}.toml"))).ok();
    let mut table =
        resolve::resolve(&text, &find).unwrap_or_else(|reason| panic!("{}: {reason}", path.display()));
    if table.contains_key("oauth") {
        return None;
    }
    // What was recorded of an exchange, and what is for people, is no part of its dialect.
    table.remove("conformance");
    table.remove("guide");
    let id = path.file_stem().and_then(|stem| stem.to_str()).expect("named by its id");
    let json = serde_json::to_string(&table).expect("a table is JSON");
    let target = out.join(format!("{id}.json"));
    fs::write(&target, json).expect("the output folder is writable");
    Some(format!("({id:?}, &{:?}, include_str!({:?})),\n", hosts(&table), target.display().to_string()))
}

fn hosts(table: &toml::Table) -> Vec<&str> {
    let sections = table.get("sections").and_then(toml::Value::as_table).into_iter().flatten();
    let mut hosts: Vec<&str> = sections.filter_map(|(_, section)| section.get("host")?.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}
