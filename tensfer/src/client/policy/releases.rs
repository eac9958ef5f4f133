//! Whose releases count, and the folder that they lie in.

use super::{MAX_SETS, refused};
use crate::client::commands::root::manifest::{Member, group};
use crate::client::failure::{Failure, Result};
use crate::client::release::{self, File};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use verify::release::{Publishers, Released};

/// Of the policy's folder.
const FOLDER: &str = "releases";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Releases {
    /// So many of the keys have to sign.
    threshold: u8,
    keys: Vec<Member>,
    /// Where the files are, from the policy's own folder.
    #[serde(default = "folder")]
    folder: PathBuf,
}

fn folder() -> PathBuf {
    FOLDER.into()
}

impl Releases {
    pub(super) fn publishers(&self) -> std::result::Result<Publishers, String> {
        let signers = group(self.threshold, self.keys.clone())?;
        Publishers::new(signers).ok_or_else(|| {
            "`[releases]` has no key, one twice, one of another length, or a threshold that they cannot reach".to_owned()
        })
    }

    /// Every `*.toml` of the folder. One that does not count refuses all: it is there by mistake or by somebody else's doing.
    pub(super) fn read(&self, policy: &Path, publishers: &Publishers) -> Result<Vec<Released>> {
        let folder = policy.parent().unwrap_or(Path::new("")).join(&self.folder);
        let files = listed(&folder).map_err(|error| {
            refused(policy, &format!("names the folder `{}`: {error}", folder.display()))
                .hint("make it, and put the releases there that you go by")
        })?;
        if files.len() > MAX_SETS {
            return Err(Failure::usage(format!("`{}` has more than {MAX_SETS} releases", folder.display())));
        }
        files.iter().map(|path| release::check(path, &File::read(path)?, publishers)).collect()
    }
}

fn listed(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
