//! Reads a folder of vectors.

use std::fs;
use std::path::{Path, PathBuf};

/// The files of one exchange; a file that is not there is empty.
pub struct Vectors {
    pub signing: Vec<u8>,
    pub methods: Vec<u8>,
    pub request: Vec<u8>,
    pub response: Vec<u8>,
    pub markets: Vec<u8>,
    pub currencies: Vec<u8>,
    pub test_keys: Vec<u8>,
}

impl Vectors {
    pub fn open(folder: &Path, id: &str) -> Result<Self, String> {
        let file = |part: &str| read(&folder.join(part).join(format!("{id}.json")));
        Ok(Self {
            signing: file("signing")?,
            methods: file("methods")?,
            request: file("request")?,
            response: file("response")?,
            markets: file("markets")?,
            currencies: file("currencies")?,
            test_keys: read(&folder.join("testkeys.json"))?,
        })
    }
}

/// The exchanges that a folder has vectors of, sorted.
pub fn exchanges(folder: &Path) -> Result<Vec<String>, String> {
    let mut ids = Vec::new();
    for part in ["signing", "methods", "request", "response"] {
        let Ok(entries) = fs::read_dir(folder.join(part)) else { continue };
        for entry in entries {
            let path: PathBuf = entry.map_err(|error| error.to_string())?.path();
            let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            if path.extension().is_some_and(|extension| extension == "json") && !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    if ids.is_empty() {
        return Err(format!("no vectors in {}", folder.display()));
    }
    ids.sort();
    Ok(ids)
}

/// The bytes of a file, `null` where there is none.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(b"null".to_vec()),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}
