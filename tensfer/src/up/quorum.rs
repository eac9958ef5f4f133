//! Which way a data folder's enclave comes by its root: the first start decides, for good (m14).

use super::RootSource;
use super::folder::{Folder, replace};
use super::root::{RootFile, Roots};
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};

/// What the folder says of its root's operators. Written before the enclave is told to wait for them.
const MARKER: &str = "root-of-a-quorum";
const TEXT: &[u8] =
    b"The root of this folder's enclave is held by a quorum (tensfer root). None is made here.\n";

/// The roots that `up` hands over: none where a quorum has them.
pub fn roots(folder: &Folder, source: RootSource) -> anyhow::Result<Roots> {
    let (file, marker) = (RootFile::of(folder.path()), marker(folder.path()));
    match source {
        RootSource::File => {
            refuse_quorum(folder.path())?;
            Ok(file.load_or_make()?)
        }
        RootSource::Quorum => {
            if file.was_made()? {
                bail!(
                    "`{}` has a root in a file, and envelopes were sealed under it: a quorum's root would open none of \
                     them; start it as before, or start with another folder",
                    folder.path().display()
                );
            }
            replace(&marker, TEXT).with_context(|| format!("`{}`", marker.display()))?;
            Ok(Roots::none())
        }
    }
}

/// Whether operators hold this folder's root.
pub fn is_of_quorum(data: &Path) -> anyhow::Result<bool> {
    Ok(marker(data).try_exists()?)
}

/// Refuses what would make or add to a root in a file where a quorum has one.
pub fn refuse_quorum(data: &Path) -> anyhow::Result<()> {
    if is_of_quorum(data)? {
        bail!(
            "the root of `{}` is held by a quorum, and a root in a file would open none of its envelopes, so none is \
             made; say `--root quorum`, and let its holders release their shares",
            data.display()
        );
    }
    Ok(())
}

fn marker(data: &Path) -> PathBuf {
    data.join(MARKER)
}
