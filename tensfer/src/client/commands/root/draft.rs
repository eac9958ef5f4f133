//! `root draft`: a deployment's first manifest, from its operators' public keys and its programs' measurements. Nobody has signed it.

use super::super::{print, print_json};
use super::manifest;
use crate::client::clock::{now, rfc3339};
use crate::client::encode::hex;
use crate::client::failure::{Failure, Result};
use crate::client::home::environment::Environment;
use crate::client::home::files;
use crate::client::options::{Options, SIMULATION_MARK};
use crate::client::terminal::say;
use aws_lc_rs::digest::{SHA384, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use verify::manifest::hash;
use wire::identity::WIRE_VERSION;
use wire::manifest::{Holders, Manifest, Program};
use wire::{Canonical, UnixMillis};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer root draft --name example --until 2027-12-01T00:00:00Z --measurements target/enclave/measurements.json \\\n    \
    --approvals 2 --approver ada=ada.public --approver ben=ben.public --approver cyd=cyd.public \\\n    \
    --shares 2 --holder dot=dot.public --holder eve=eve.public --holder fay=fay.public --output example.toml\n\
    A public key's file is what `tensfer root key` printed, or `tensfer witness key`. Read what is written, change it as you like, \
    and have it approved: `tensfer root approve`.")]
pub struct Args {
    /// What the deployment is called: lower-case letters, digits and hyphens. Later manifests have the same.
    #[arg(long)]
    name: String,

    /// Who signs manifests, and the file of their public key; repeat for each.
    #[arg(long = "approver", value_name = "ALIAS=FILE", required = true, value_parser = member)]
    approvers: Vec<(String, PathBuf)>,

    /// How many of them have to sign.
    #[arg(long, value_name = "NUMBER")]
    approvals: u8,

    /// Who holds a share of the roots, and the file of their public key; repeat for each.
    #[arg(long = "holder", value_name = "ALIAS=FILE", required = true, value_parser = member)]
    holders: Vec<(String, PathBuf)>,

    /// How many shares it takes to put a root together.
    #[arg(long, value_name = "NUMBER")]
    shares: u8,

    /// Who remembers the newest state, and the file of their public key; repeat for each. A majority has to agree.
    #[arg(long = "witness", value_name = "ALIAS=FILE", value_parser = member)]
    witnesses: Vec<(String, PathBuf)>,

    /// A program that may have the roots: what `make image` or `make measure` wrote; repeat for each.
    #[arg(long, value_name = "FILE", required_unless_present = "simulated_program")]
    measurements: Vec<PathBuf>,

    /// The program of the simulated enclave, measured here: it protects nothing, and is for development only.
    #[arg(long, value_name = "FILE", conflicts_with = "measurements")]
    simulated_program: Option<PathBuf>,

    /// Consent classes that envelopes may be of.
    #[arg(long, value_name = "CLASS", value_delimiter = ',', default_value = "any")]
    classes: Vec<String>,

    /// Hours that a program has to be public before it opens envelopes of class `delayed`.
    #[arg(long, value_name = "HOURS")]
    delay: Option<u16>,

    /// No older program, whatever is listed [default: the version of those that are].
    #[arg(long, value_name = "VERSION")]
    minimum_version: Option<String>,

    /// When it begins to hold (RFC 3339, to the second) [default: now].
    #[arg(long, value_name = "RFC3339", value_parser = manifest::time)]
    from: Option<UnixMillis>,

    /// When it is over; at most two years later.
    #[arg(long, value_name = "RFC3339", value_parser = manifest::time)]
    until: UnixMillis,

    /// The new file (TOML).
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// Print JSON: manifest, output.
    #[arg(long)]
    json: bool,
}

/// The hash of a manifest that was written, and where it is.
#[derive(Serialize)]
pub struct Drafted<'d> {
    pub manifest: String,
    output: &'d Path,
}

/// A program to list, the version that it says it is, and which exchanges it reaches.
pub struct Listed {
    program: Value,
    version: String,
    environment: String,
}

/// What `scripts/image` writes, as far as a manifest repeats it.
#[derive(Deserialize)]
struct Measured {
    version: String,
    environment: String,
    measurements: BTreeMap<String, String>,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let listed = Listed::read(&args.measurements, args.simulated_program.as_deref())?;
    let manifest = manifest::of(members(options, args, &listed)?).map_err(|why| {
        Failure::usage(format!("that makes no manifest: {}", why.trim_end()))
            .hint("docs/spec/client.md, section 7, shows one")
    })?;
    files::create(&args.output, manifest::text(&manifest).as_bytes())?;
    say(format!(
        "`{}`: read it, change what is to be changed, and have it approved (`tensfer root approve`)",
        args.output.display()
    ));
    let drafted = Drafted::of(&manifest, &args.output);
    if args.json { print_json(&drafted) } else { print(&format!("{}\n", drafted.manifest)) }
}

impl Drafted<'_> {
    pub fn of<'d>(manifest: &Manifest, output: &'d Path) -> Drafted<'d> {
        Drafted { manifest: hex(&hash(&manifest.to_bytes())), output }
    }
}

impl Listed {
    /// Of these files of measurements, or of a simulated enclave's program.
    pub fn read(measurements: &[PathBuf], simulated_program: Option<&Path>) -> Result<Vec<Listed>> {
        let measured = measurements.iter().map(|path| measured(path));
        measured.chain(simulated_program.map(simulated)).collect()
    }

    pub fn program(&self) -> Result<Program> {
        manifest::program_of(self.program.clone())
            .map_err(|why| Failure::usage(format!("that is no program: {why}")))
    }
}

/// The first manifest of a deployment, as a file would say it.
fn members(options: &Options, args: &Args, listed: &[Listed]) -> Result<Value> {
    let environment = match options.environment() {
        Some(environment) => environment.name(),
        None => only(listed.iter().map(|listed| listed.environment.as_str())).ok_or_else(|| {
            Failure::usage("the programs reach different exchanges").hint("name one `--environment`")
        })?,
    };
    let version = match &args.minimum_version {
        Some(version) => version.as_str(),
        None => only(listed.iter().map(|listed| listed.version.as_str())).ok_or_else(|| {
            Failure::usage("the programs are of different versions").hint("name the `--minimum-version`")
        })?,
    };
    let whole_second = |time: UnixMillis| UnixMillis(time.0 / 1000 * 1000);
    let mut members = json!({
        "format": manifest::FORMAT,
        "version": WIRE_VERSION,
        "name": args.name,
        "nonce": 1,
        "environment": environment,
        "minimum_version": version,
        "from": rfc3339(args.from.unwrap_or_else(|| whole_second(now()))),
        "until": rfc3339(args.until),
        "classes": args.classes,
        "approvers": group(args.approvals, &args.approvers)?,
        "holders": group(args.shares, &args.holders)?,
        "programs": listed.iter().map(|listed| listed.program.clone()).collect::<Vec<_>>(),
    });
    if !args.witnesses.is_empty() {
        let majority = u8::try_from(args.witnesses.len() / 2 + 1).unwrap_or(u8::MAX);
        members["witnesses"] = group(majority, &args.witnesses)?;
    }
    if let Some(hours) = args.delay {
        members["delay"] = hours.into();
    }
    Ok(members)
}

/// The one value that all have.
fn only<'v>(mut values: impl Iterator<Item = &'v str>) -> Option<&'v str> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

pub fn group(threshold: u8, members: &[(String, PathBuf)]) -> Result<Value> {
    let member = |(alias, path): &(String, PathBuf)| Ok(json!({ "alias": alias, "key": public_key(path)? }));
    let members: Vec<Value> = members.iter().map(member).collect::<Result<_>>()?;
    Ok(json!({ "threshold": threshold, "members": members }))
}

/// A group as holders.
pub fn holders_of(group: Value) -> Result<Holders> {
    manifest::holders_of(group).map_err(Failure::usage)
}

/// The public key in a file: as `root key` prints it, for people or for programs, or by itself.
fn public_key(path: &Path) -> Result<String> {
    #[derive(Deserialize)]
    struct Printed {
        key: String,
    }
    let bytes = files::read_named(path, "file of a public key")?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default().trim();
    let printed = serde_json::from_str(text).ok().or_else(|| toml::from_str(text).ok());
    let key = printed.map_or_else(|| text.to_owned(), |Printed { key }| key);
    // What locks a private key is never one line of this form.
    if !key.contains(':') || key.contains(char::is_whitespace) {
        return Err(Failure::usage(format!("`{}` holds no public key", path.display()))
            .hint("keep what `tensfer root key` prints: `tensfer root key … > ada.public`"));
    }
    Ok(key)
}

fn measured(path: &Path) -> Result<Listed> {
    let bytes = files::read_named(path, "file of measurements")?;
    let Measured { version, environment, measurements } = serde_json::from_slice(&bytes)
        .map_err(|_| Failure::usage(format!("`{}` is not what `make image` writes", path.display())))?;
    Ok(Listed { program: json!({ "tee": "nitro", "registers": measurements }), version, environment })
}

/// What simulated evidence measures of this program (docs/spec/evidence.md §1.4): its bytes, and the mark.
fn simulated(path: &Path) -> Result<Listed> {
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::usage(format!("`{}` cannot be read: {error}", path.display())))?;
    let measure = |bytes: &[u8]| hex(digest(&SHA384, bytes).as_ref());
    let mark = measure(SIMULATION_MARK.as_bytes());
    Ok(Listed {
        program: json!({ "tee": "simulated", "registers": { "PCR0": measure(&bytes), "PCR1": mark, "PCR2": mark } }),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        environment: Environment::Sandbox.name().to_owned(),
    })
}

/// `ALIAS=FILE`.
pub fn member(text: &str) -> std::result::Result<(String, PathBuf), String> {
    let (alias, path) = text.split_once('=').ok_or("write it as ALIAS=FILE")?;
    Ok((alias.to_owned(), path.into()))
}
