//! The one text of a manifest: a strict TOML file is its source, and what an approver is shown is written from it.
//!
//! `read(text(manifest))` is the manifest; what is written says nothing that is not signed, but in comments.

use super::read_file;
use crate::client::clock::{parse_rfc3339, rfc3339};
use crate::client::encode::{base64, from_base64, from_hex, hex};
use crate::client::failure::{Failure, Result};
use crate::client::home::keys::sha256;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use wire::evidence::Hash;
use wire::identity::{TeeKind, WIRE_VERSION};
use wire::manifest::{
    Holder, Holders, Manifest, Program, Reach, Register, RootCommitment, Signer, Signers, SigningKey,
};
use wire::owner::OwnerAlgorithm;
use wire::{Canonical, UnixMillis};

const FORMAT: &str = "tensfer root manifest";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    format: String,
    version: u8,
    name: String,
    nonce: u32,
    environment: Environment,
    minimum_version: String,
    from: String,
    until: String,
    classes: Vec<String>,
    approvers: Group,
    holders: Group,
    #[serde(default)]
    witnesses: Option<Group>,
    programs: Vec<SourceProgram>,
    #[serde(default)]
    roots: Vec<SourceRoot>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Environment {
    Live,
    Sandbox,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    threshold: u8,
    members: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    alias: String,
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceProgram {
    tee: Tee,
    /// By name.
    registers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tee {
    Simulated,
    Nitro,
    SevSnp,
    Tdx,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceRoot {
    class: String,
    epoch: u32,
    commitment: String,
    shares: Vec<String>,
}

/// The manifest in a file, in form.
pub fn read(path: &Path) -> Result<Manifest> {
    let bytes = read_file(path, "manifest")?;
    let text = std::str::from_utf8(&bytes).map_err(|_| refused(path, "it is not text"))?;
    parse(text).map_err(|why| refused(path, &why))
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure::refused(
        "manifest_malformed",
        format!("`{}` is no manifest: {} (manifest_malformed)", path.display(), why.trim_end()),
    )
    .hint("docs/spec/client.md shows one")
}

pub fn parse(text: &str) -> std::result::Result<Manifest, String> {
    let source: Source = toml::from_str(text).map_err(|error| error.to_string())?;
    if source.format != FORMAT || source.version != WIRE_VERSION {
        return Err(format!("`format` must be `{FORMAT}` and `version` {WIRE_VERSION}"));
    }
    let manifest = Manifest {
        version: source.version,
        name: source.name,
        nonce: source.nonce,
        environment: match source.environment {
            Environment::Live => Reach::Live,
            Environment::Sandbox => Reach::Sandbox,
        },
        approvers: signers(source.approvers)?,
        holders: holders(source.holders)?,
        programs: source.programs.into_iter().map(program).collect::<std::result::Result<_, _>>()?,
        minimum_version: source.minimum_version,
        witnesses: source.witnesses.map_or(Ok(Signers { threshold: 0, members: Vec::new() }), signers)?,
        classes: source.classes,
        from: time(&source.from)?,
        until: time(&source.until)?,
        roots: source.roots.into_iter().map(root).collect::<std::result::Result<_, _>>()?,
    };
    manifest.check_form().map_err(|fault| fault.to_string())?;
    Ok(manifest)
}

fn signers(group: Group) -> std::result::Result<Signers, String> {
    let members = group.members.into_iter().map(|member| {
        let (algorithm, key) = member.key.split_once(':').ok_or_else(|| key_form(&member.alias))?;
        let algorithm = match algorithm {
            "ed25519" => OwnerAlgorithm::EdDsa,
            "p256" => OwnerAlgorithm::Es256,
            _ => return Err(key_form(&member.alias)),
        };
        let public = from_base64(key).ok_or_else(|| key_form(&member.alias))?;
        Ok(Signer { key: SigningKey { algorithm, public }, alias: member.alias })
    });
    Ok(Signers { threshold: group.threshold, members: members.collect::<std::result::Result<_, _>>()? })
}

fn holders(group: Group) -> std::result::Result<Holders, String> {
    let members = group.members.into_iter().map(|member| {
        let key = member.key.strip_prefix("x-wing:").and_then(from_base64);
        Ok(Holder { key: key.ok_or_else(|| key_form(&member.alias))?, alias: member.alias })
    });
    Ok(Holders { threshold: group.threshold, members: members.collect::<std::result::Result<_, String>>()? })
}

fn key_form(alias: &str) -> String {
    format!(
        "the key of `{}` is none: approvers have `ed25519:` or `p256:`, holders `x-wing:`, then base64",
        crate::client::terminal::printable(alias)
    )
}

fn program(program: SourceProgram) -> std::result::Result<Program, String> {
    let registers = program.registers.into_iter().map(|(name, value)| {
        let value = from_hex(&value).and_then(|bytes| bytes.try_into().ok());
        Ok(Register { value: value.ok_or("a register has 96 hexadecimal digits")?, name })
    });
    let tee = match program.tee {
        Tee::Simulated => TeeKind::Simulated,
        Tee::Nitro => TeeKind::Nitro,
        Tee::SevSnp => TeeKind::SevSnp,
        Tee::Tdx => TeeKind::Tdx,
    };
    Ok(Program { tee, registers: registers.collect::<std::result::Result<_, String>>()? })
}

fn root(root: SourceRoot) -> std::result::Result<RootCommitment, String> {
    Ok(RootCommitment {
        class: root.class,
        epoch: root.epoch,
        commitment: hash(&root.commitment)?,
        shares: root.shares.iter().map(|share| hash(share)).collect::<std::result::Result<_, _>>()?,
    })
}

fn hash(text: &str) -> std::result::Result<Hash, String> {
    let bytes = from_hex(text).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Hash).ok_or_else(|| "a commitment has 64 hexadecimal digits".to_owned())
}

/// To the second, so that it is written as it was read.
fn time(text: &str) -> std::result::Result<UnixMillis, String> {
    let time = parse_rfc3339(text).filter(|time| time.0 % 1000 == 0);
    time.ok_or_else(|| "write a time as 2026-01-31T12:00:00Z".to_owned())
}

/// What an approver reads: everything that is signed, in one form. Keys and the hash are named in comments.
pub fn text(manifest: &Manifest) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, manifest);
    text
}

fn write(out: &mut String, manifest: &Manifest) -> std::fmt::Result {
    let environment = match manifest.environment {
        Reach::Live => "live",
        Reach::Sandbox => "sandbox",
    };
    writeln!(out, "# manifest {}", hex(&verify::manifest::hash(&manifest.to_bytes())))?;
    writeln!(out, "format = \"{FORMAT}\"\nversion = {}", manifest.version)?;
    writeln!(out, "name = \"{}\"\nnonce = {}", manifest.name, manifest.nonce)?;
    writeln!(out, "environment = \"{environment}\"")?;
    writeln!(out, "minimum_version = \"{}\"", manifest.minimum_version)?;
    writeln!(out, "from = \"{}\"\nuntil = \"{}\"", rfc3339(manifest.from), rfc3339(manifest.until))?;
    let classes: Vec<String> = manifest.classes.iter().map(|class| format!("\"{class}\"")).collect();
    writeln!(out, "classes = [{}]", classes.join(", "))?;
    write_signers(out, "approvers", &manifest.approvers)?;
    writeln!(out, "\n[holders]\nthreshold = {}", manifest.holders.threshold)?;
    for Holder { alias, key } in &manifest.holders.members {
        writeln!(out, "\n[[holders.members]]\nalias = \"{alias}\"\n# key {}", hex(&sha256(key)))?;
        writeln!(out, "key = \"x-wing:{}\"", base64(key))?;
    }
    if !manifest.witnesses.members.is_empty() {
        write_signers(out, "witnesses", &manifest.witnesses)?;
    }
    for program in &manifest.programs {
        let tee = match program.tee {
            TeeKind::Simulated => "simulated",
            TeeKind::Nitro => "nitro",
            TeeKind::SevSnp => "sev-snp",
            TeeKind::Tdx => "tdx",
        };
        writeln!(out, "\n[[programs]]\ntee = \"{tee}\"\n[programs.registers]")?;
        for register in &program.registers {
            writeln!(out, "{} = \"{}\"", register.name, hex(&register.value))?;
        }
    }
    for root in &manifest.roots {
        writeln!(out, "\n[[roots]]\nclass = \"{}\"\nepoch = {}", root.class, root.epoch)?;
        writeln!(out, "commitment = \"{}\"\nshares = [", hex(&root.commitment.0))?;
        root.shares.iter().try_for_each(|share| writeln!(out, "    \"{}\",", hex(&share.0)))?;
        writeln!(out, "]")?;
    }
    Ok(())
}

fn write_signers(out: &mut String, name: &str, signers: &Signers) -> std::fmt::Result {
    writeln!(out, "\n[{name}]\nthreshold = {}", signers.threshold)?;
    for Signer { alias, key } in &signers.members {
        writeln!(out, "\n[[{name}.members]]\nalias = \"{alias}\"\nkey = \"{}\"", public_text(key))?;
    }
    Ok(())
}

/// An approver's key as a manifest has it.
pub fn public_text(key: &SigningKey) -> String {
    let algorithm = match key.algorithm {
        OwnerAlgorithm::EdDsa => "ed25519",
        OwnerAlgorithm::Es256 => "p256",
    };
    format!("{algorithm}:{}", base64(&key.public))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn example() -> Manifest {
        let signer = |alias: &str, fill: u8| Signer {
            alias: alias.to_owned(),
            key: SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: vec![fill; 32] },
        };
        let p256 = SigningKey { algorithm: OwnerAlgorithm::Es256, public: [&[4][..], &[9; 64]].concat() };
        let register = |name: &str, fill| Register { name: name.to_owned(), value: [fill; 48] };
        Manifest {
            version: 1,
            name: "example".to_owned(),
            nonce: 2,
            environment: Reach::Sandbox,
            approvers: Signers {
                threshold: 2,
                members: vec![
                    signer("ada", 1),
                    signer("ben", 2),
                    Signer { alias: "cyd".to_owned(), key: p256 },
                ],
            },
            holders: Holders {
                threshold: 1,
                members: vec![Holder { alias: "dot".to_owned(), key: vec![7; 1216] }],
            },
            programs: vec![
                Program { tee: TeeKind::Nitro, registers: vec![register("PCR0", 1), register("PCR1", 2)] },
                Program { tee: TeeKind::Tdx, registers: vec![register("MRTD", 3)] },
            ],
            minimum_version: "0.1.0".to_owned(),
            witnesses: Signers { threshold: 1, members: vec![signer("wit", 5)] },
            classes: vec!["any".to_owned()],
            from: UnixMillis(1_795_305_600_000),
            until: UnixMillis(1_826_841_600_000),
            roots: vec![RootCommitment {
                class: "any".to_owned(),
                epoch: 1,
                commitment: Hash([0xc0; 32]),
                shares: vec![Hash([0x5a; 32])],
            }],
        }
    }

    #[test]
    fn what_an_approver_reads_is_the_manifest_and_all_of_it() {
        let manifest = example();
        let shown = text(&manifest);
        assert_eq!(parse(&shown), Ok(manifest.clone()));
        assert_eq!(text(&parse(&shown).unwrap()), shown);
        let mut bare = manifest;
        (bare.roots, bare.witnesses) = (Vec::new(), Signers { threshold: 0, members: Vec::new() });
        assert_eq!(parse(&text(&bare)), Ok(bare));
        assert!(shown.starts_with("# manifest "));
    }

    #[test]
    fn a_manifest_that_says_anything_unknown_twice_or_out_of_form_is_refused() {
        let good = text(&example());
        for (from, to) in [
            ("nonce = 2", "nonce = 2\nextra = 1"),
            ("nonce = 2", "nonce = 2\nnonce = 2"),
            ("nonce = 2", "nonce = -2"),
            ("nonce = 2", "nonce = 0"),
            ("version = 1", "version = 2"),
            ("tensfer root manifest", "tensfer policy"),
            ("environment = \"sandbox\"", "environment = \"anything\""),
            ("alias = \"ada\"", "alias = \"ada\"\nrole = \"chief\""),
            ("alias = \"ada\"", "alias = \"ben\""),
            ("threshold = 2", "threshold = 4"),
            ("ed25519:", "rsa:"),
            ("ed25519:", "ed25519 "),
            ("x-wing:", "x25519:"),
            ("tee = \"tdx\"", "tee = \"sgx\""),
            ("PCR0 = \"01", "PCR0 = \"1"),
            ("2026-11-22T00:00:00Z", "2026-11-22T00:00:00.5Z"),
            ("2026-11-22T00:00:00Z", "2026-11-22"),
            ("commitment = \"c0", "commitment = \"zz"),
            ("name = \"example\"\n", ""),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert!(parse(&bad).is_err(), "{to}");
        }
        assert!(parse("").is_err());
    }
}
