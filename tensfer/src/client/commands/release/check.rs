//! `release check`: whether a release counts for somebody with your policy, now or at another time.

use super::super::{print, print_json};
use crate::client::clock::{now, parse_rfc3339, rfc3339};
use crate::client::encode::hex;
use crate::client::failure::{Failure, Result};
use crate::client::options::Options;
use crate::client::release::{self, File};
use std::path::PathBuf;
use verify::release::signer;
use wire::UnixMillis;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer release check releases/0.2.0.toml --policy policy.toml\n\
    Whose signatures count is what the policy says under `[releases]`.")]
pub struct Args {
    /// The release (TOML).
    release: PathBuf,

    /// Judge it as at this time (RFC 3339); default: now.
    #[arg(long, value_name = "RFC3339", value_parser = time)]
    at: Option<UnixMillis>,

    /// Print JSON: release, name, build, commit, until, signed_by.
    #[arg(long)]
    json: bool,
}

fn time(text: &str) -> std::result::Result<UnixMillis, String> {
    parse_rfc3339(text).ok_or_else(|| "write it as 2026-11-23T12:00:00Z".to_owned())
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let publishers = options.publishers()?.ok_or_else(|| {
        Failure::usage("your policy trusts no release keys")
            .hint("name a policy with `[releases]`: `--policy FILE` (docs/spec/client.md §4 shows one)")
    })?;
    let file = File::read(&args.release)?;
    let released = release::check(&args.release, &file, &publishers)?;
    let found = released.release();
    let at = args.at.unwrap_or_else(now);
    released.holds(at).map_err(|refused| {
        let (from, until) = (rfc3339(found.from), rfc3339(found.until));
        let sentence = format!("the release holds from {from} until {until} ({})", refused.code());
        Failure::refused(refused.code(), sentence).hint("get a newer one from who published it")
    })?;
    let hash = released.hash();
    let signed_by: Vec<&str> = file
        .signatures
        .iter()
        .filter_map(|signature| signer(signature, &hash, publishers.signers()))
        .collect();
    if args.json {
        return print_json(&serde_json::json!({
            "release": hex(&hash),
            "name": found.name,
            "build": found.build.version,
            "commit": found.build.commit,
            "until": rfc3339(found.until),
            "signed_by": signed_by,
        }));
    }
    print(&format!(
        "{} {}, commit {}\nholds until {}\nsigned by {}\n",
        found.name,
        found.build.version,
        found.build.commit,
        rfc3339(found.until),
        signed_by.join(", ")
    ))
}
