//! The file of a release (docs/spec/release.md §5): what is signed, as strict TOML, with the signatures under it.
//!
//! `parse(text(file))` is the file; what is written says nothing that is not signed, but in comments and signatures.

use crate::client::clock::rfc3339;
use crate::client::commands::root::manifest::{self, Tee, measured, tee_name, write_registers};
use crate::client::encode::{base64, from_base64, hex};
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use verify::release::{NotReleased, Publishers, Released, environment_name};
use wire::Canonical;
use wire::identity::{Build, WIRE_VERSION};
use wire::manifest::{MAX_MEMBERS, Reach};
use wire::release::{MinimumTcb, Release, Released as Program, SnpTcb};

const FORMAT: &str = "tensfer release";

/// A release in form, with signatures that nobody has checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub release: Release,
    /// COSE_Sign1 each.
    pub signatures: Vec<Vec<u8>>,
}

impl File {
    /// The release in a file.
    pub fn read(path: &Path) -> Result<File> {
        let bytes = files::read(path)?;
        let bytes =
            bytes.ok_or_else(|| Failure::usage(format!("there is no release `{}`", path.display())))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| "it is not text".to_owned());
        text.and_then(parse).map_err(|why| {
            let sentence =
                format!("`{}` is no release: {} (release_malformed)", path.display(), why.trim_end());
            Failure::refused("release_malformed", sentence).hint("docs/spec/release.md §5 shows one")
        })
    }

    /// The name of what is signed.
    pub fn hash(&self) -> [u8; 32] {
        verify::release::hash(&self.release.to_bytes())
    }

    /// Whether enough of these publishers signed it.
    pub fn check(&self, publishers: &Publishers) -> std::result::Result<Released, NotReleased> {
        Released::check(&self.release.to_bytes(), self.signatures.iter().map(Vec::as_slice), publishers)
    }
}

/// As [`File::check`], told of the path that it was read from.
pub fn check(path: &Path, file: &File, publishers: &Publishers) -> Result<Released> {
    file.check(publishers).map_err(|why| {
        let sentence = format!("the release `{}` was refused: {why} ({})", path.display(), why.code());
        Failure::refused(why.code(), sentence).hint(match why {
            NotReleased::TooFew(..) => "get the file with all its signatures from who published it",
            NotReleased::Signature => {
                "compare the release keys in your policy with what their owners publish; a signature that is none of \
                 theirs is not ignored"
            }
            _ => "get the file again from who published it",
        })
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    format: String,
    version: u8,
    name: String,
    build: String,
    commit: String,
    connectors: String,
    from: String,
    until: String,
    #[serde(default)]
    signatures: Vec<String>,
    programs: Vec<SourceProgram>,
    #[serde(default)]
    minimum_tcb: SourceTcb,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceProgram {
    tee: Tee,
    environment: Environment,
    registers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Environment {
    Live,
    Sandbox,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SourceTcb {
    sev_snp: Option<SourceSnp>,
    tdx: Option<SourceTdx>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SourceSnp {
    fmc: u8,
    boot_loader: u8,
    tee: u8,
    snp: u8,
    microcode: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceTdx {
    evaluation: u64,
}

/// Reads a file's text; what is wrong with it otherwise.
pub fn parse(text: &str) -> std::result::Result<File, String> {
    let source: Source = toml::from_str(text).map_err(|error| error.to_string())?;
    if source.format != FORMAT || source.version != WIRE_VERSION {
        return Err(format!("`format` must be `{FORMAT}` and `version` {WIRE_VERSION}"));
    }
    if source.signatures.len() > MAX_MEMBERS {
        return Err(format!("it has more than {MAX_MEMBERS} signatures"));
    }
    let signature = |text: &String| from_base64(text).ok_or("a signature is not base64");
    let signatures = source.signatures.iter().map(signature).collect::<std::result::Result<_, _>>()?;
    let release = Release {
        version: source.version,
        name: source.name,
        build: Build { version: source.build, commit: source.commit },
        connectors: manifest::hash(&source.connectors)?,
        from: manifest::time(&source.from)?,
        until: manifest::time(&source.until)?,
        programs: source.programs.into_iter().map(program).collect::<std::result::Result<_, _>>()?,
        minimum_tcb: minimum_tcb(&source.minimum_tcb),
    };
    release.check_form().map_err(|fault| fault.to_string())?;
    Ok(File { release, signatures })
}

fn program(source: SourceProgram) -> std::result::Result<Program, String> {
    let environment = match source.environment {
        Environment::Live => Reach::Live,
        Environment::Sandbox => Reach::Sandbox,
    };
    Ok(Program { environment, program: measured(source.tee, source.registers)? })
}

fn minimum_tcb(source: &SourceTcb) -> MinimumTcb {
    let snp = source.sev_snp.as_ref().map(|source| {
        let SourceSnp { fmc, boot_loader, tee, snp, microcode } = *source;
        SnpTcb { fmc, boot_loader, tee, snp, microcode }
    });
    MinimumTcb { sev_snp: snp, tdx: source.tdx.as_ref().map(|source| source.evaluation) }
}

/// What a publisher reads and signs, in its one form, with the signatures that it has.
pub fn text(file: &File) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, file);
    text
}

fn write(out: &mut String, file: &File) -> std::fmt::Result {
    let release = &file.release;
    writeln!(out, "# release {}", hex(&file.hash()))?;
    writeln!(out, "format = \"{FORMAT}\"\nversion = {}", release.version)?;
    writeln!(out, "name = \"{}\"\nbuild = \"{}\"", release.name, release.build.version)?;
    writeln!(out, "commit = \"{}\"", release.build.commit)?;
    writeln!(out, "connectors = \"{}\"", hex(&release.connectors.0))?;
    writeln!(out, "from = \"{}\"\nuntil = \"{}\"", rfc3339(release.from), rfc3339(release.until))?;
    writeln!(out, "signatures = [")?;
    file.signatures.iter().try_for_each(|signature| writeln!(out, "    \"{}\",", base64(signature)))?;
    writeln!(out, "]")?;
    for Program { environment, program } in &release.programs {
        writeln!(out, "\n[[programs]]\ntee = \"{}\"", tee_name(program.tee))?;
        writeln!(out, "environment = \"{}\"", environment_name(*environment))?;
        write_registers(out, program)?;
    }
    if let Some(SnpTcb { fmc, boot_loader, tee, snp, microcode }) = release.minimum_tcb.sev_snp {
        writeln!(out, "\n[minimum_tcb.sev_snp]\nfmc = {fmc}\nboot_loader = {boot_loader}\ntee = {tee}")?;
        writeln!(out, "snp = {snp}\nmicrocode = {microcode}")?;
    }
    if let Some(evaluation) = release.minimum_tcb.tdx {
        writeln!(out, "\n[minimum_tcb.tdx]\nevaluation = {evaluation}")?;
    }
    Ok(())
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use wire::UnixMillis;
    use wire::evidence::Hash;
    use wire::identity::TeeKind;
    use wire::manifest::{Program as Measured, Register};

    pub fn example() -> File {
        let program = |tee, name: &str, fill| Program {
            environment: Reach::Live,
            program: Measured { tee, registers: vec![Register { name: name.to_owned(), value: [fill; 48] }] },
        };
        let release = Release {
            version: 1,
            name: "example".to_owned(),
            build: Build { version: "0.2.0".to_owned(), commit: "c0".repeat(20) },
            connectors: Hash([7; 32]),
            from: UnixMillis(1_795_305_600_000),
            until: UnixMillis(1_826_841_600_000),
            programs: vec![
                program(TeeKind::Nitro, "PCR0", 1),
                program(TeeKind::SevSnp, "MEASUREMENT", 2),
                program(TeeKind::Tdx, "MRTD", 3),
            ],
            minimum_tcb: MinimumTcb { sev_snp: Some(SnpTcb { snp: 24, ..SnpTcb::default() }), tdx: Some(17) },
        };
        File { release, signatures: vec![vec![1, 2, 3]] }
    }

    #[test]
    fn what_a_publisher_reads_is_the_release_and_all_of_it() {
        let file = example();
        let shown = text(&file);
        assert_eq!(parse(&shown), Ok(file.clone()));
        assert!(shown.starts_with(&format!("# release {}\n", hex(&file.hash()))));
        let mut bare = file;
        (bare.signatures, bare.release.minimum_tcb) = (Vec::new(), MinimumTcb::default());
        assert_eq!(parse(&text(&bare)), Ok(bare));
    }

    #[test]
    fn a_release_that_says_anything_unknown_twice_or_out_of_form_is_refused() {
        let good = text(&example());
        for (from, to) in [
            ("name = \"example\"", "name = \"example\"\nextra = 1"),
            ("name = \"example\"", "name = \"example\"\nname = \"example\""),
            ("name = \"example\"", "name = \"Example\""),
            ("version = 1", "version = 2"),
            ("tensfer release", "tensfer policy"),
            ("build = \"0.2.0\"", "build = \"0.2\""),
            ("commit = \"c0", "commit = \"C0"),
            ("commit = \"c0", "commit = \"0"),
            ("connectors = \"07", "connectors = \"zz"),
            ("2026-11-22T00:00:00Z", "2026-11-22T00:00:00.5Z"),
            ("2026-11-22T00:00:00Z", "2028-11-22T00:00:00Z"),
            ("\"AQID\"", "\"AQI\""),
            ("tee = \"tdx\"", "tee = \"sgx\""),
            ("tee = \"tdx\"", "tee = \"nitro\""),
            ("environment = \"live\"", "environment = \"anywhere\""),
            ("environment = \"live\"\n", ""),
            ("PCR0 = \"01", "PCR0 = \"1"),
            ("snp = 24", "snp = 256"),
            ("snp = 24", "snip = 24"),
            ("evaluation = 17", "evaluation = -1"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert!(parse(&bad).is_err(), "{to}");
        }
        assert!(parse("").is_err());
    }
}
