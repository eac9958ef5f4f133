//! Where connectors come from: those that are built in, or the files of a folder as they are now.

use std::path::{Path, PathBuf};

use enclave::connector::{self, Connector};

use crate::claims::Claims;

#[path = "../../core/build/compact.rs"]
mod compact;

/// The built-in connector files, with the table that programs leave out.
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

pub enum Files {
    BuiltIn,
    /// So that a file is checked without building anything anew.
    Folder(PathBuf),
}

impl Files {
    /// The ids of all connectors, sorted.
    pub fn ids(&self) -> Result<Vec<String>, String> {
        let mut ids: Vec<String> = match self {
            Self::BuiltIn => SOURCES.iter().map(|(id, _)| (*id).to_owned()).collect(),
            Self::Folder(folder) => toml_files(folder)?,
        };
        ids.sort();
        Ok(ids)
    }

    /// The connector of that id and what it claims, if there is one.
    pub fn open(&self, id: &str) -> Result<Option<(&'static Connector, Claims)>, String> {
        match self {
            Self::BuiltIn => {
                let Some(connector) = connector::find(id) else { return Ok(None) };
                let source = SOURCES.iter().find(|(known, _)| *known == id);
                Ok(Some((connector, Claims::read(id, source.map_or("", |(_, source)| source))?)))
            }
            Self::Folder(folder) => open(folder, id),
        }
    }
}

impl Files {
    /// Whether a text is a connector file.
    pub fn load_text(text: &str) -> Result<(), String> {
        let json = compact::from_toml(text, &|_| None)?;
        connector::load(json.as_bytes()).map(|_| ())
    }
}

fn open(folder: &Path, id: &str) -> Result<Option<(&'static Connector, Claims)>, String> {
    let text = |id: &str| std::fs::read_to_string(folder.join(format!("{id}.toml"))).ok();
    let Some(source) = text(id) else { return Ok(None) };
    let place = |reason: String| format!("{id}.toml: {reason}");
    let json = compact::from_toml(&source, &text).map_err(place)?;
    let connector = connector::load_leaked(json.as_bytes()).map_err(place)?;
    if connector.id != id {
        return Err(place(format!("its id is `{}`", connector.id)));
    }
    Ok(Some((connector, Claims::read(id, &source)?)))
}

fn toml_files(folder: &Path) -> Result<Vec<String>, String> {
    let place = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut ids = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(place)? {
        let path = entry.map_err(place)?.path();
        let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "toml") {
            ids.push(id.to_owned());
        }
    }
    Ok(ids)
}
