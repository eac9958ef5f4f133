//! `grant show`: what a grant's file says. Nobody is asked.

use super::{Shown, print, print_json};
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::grants::GrantFile;
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tensfer grant show kraken.grant\n\nWhether it is still in force its owner sees: `tensfer grant list`."
)]
pub struct Args {
    /// The grant.
    file: PathBuf,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let shown = Shown::of_file(&read(&args.file)?)?;
    if args.json { print_json(&shown) } else { print(&shown.text()) }
}

/// A grant's file, as its owner made it.
pub fn read(path: &Path) -> Result<GrantFile> {
    let bytes = files::read_named(path, "grant")?;
    GrantFile::parse(&bytes).ok_or_else(|| {
        Failure::usage(format!("`{}` does not hold a grant, or was altered", path.display()))
            .hint("its owner makes one: `tensfer grant make CONNECTION --to FILE --output FILE`")
    })
}
