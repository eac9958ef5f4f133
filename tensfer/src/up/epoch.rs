//! `tensfer root epoch new`: one more epoch of the simulated root.

use super::Data;
use super::control::announce_epoch;
use super::folder::Folder;
use super::quorum::refuse_quorum;
use super::root::RootFile;
use anyhow::bail;

/// Adds an epoch to the file, durably, and hands it to the enclave if one runs.
pub fn new(data: Data) -> anyhow::Result<()> {
    host::process::harden()?;
    let folder = Folder::find(&data)?;
    refuse_quorum(folder.path())?;
    let added = RootFile::of(folder.path()).add_epoch()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(announce_epoch(&folder.run())) {
        Ok(Some(current)) if usize::try_from(current) == Ok(added) => {
            println!("epoch {added}");
            eprintln!("The running enclave has it, and seals under it from now on.");
        }
        Ok(None) => {
            println!("epoch {added}");
            eprintln!("No `tensfer up` runs on this folder; the next one starts with it.");
        }
        Ok(Some(current)) => {
            bail!("epoch {added} is kept, but the running enclave is at {current}; start `tensfer up` anew")
        }
        Err(error) => {
            return Err(error.context(format!(
                "epoch {added} is kept, but the running enclave does not have it; start `tensfer up` anew"
            )));
        }
    }
    Ok(())
}
