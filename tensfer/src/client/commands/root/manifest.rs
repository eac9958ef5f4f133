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
use verify::consent::program_name;
use wire::evidence::Hash;
use wire::identity::{RelyingParty, TeeKind, WIRE_VERSION};
use wire::manifest::{
    Holder, Holders, Manifest, Notice, Program, Reach, Register, Replaced, RootCommitment, Signer, Signers,
    SigningKey, Stage, Step,
};
use wire::owner::OwnerAlgorithm;
use wire::{Canonical, UnixMillis};

pub const FORMAT: &str = "tensfer root manifest";

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
    /// Hours that a program has to be public for class `delayed`.
    delay: Option<u16>,
    #[serde(default)]
    steps: Vec<SourceStep>,
    /// Holders that the roots are to be split to anew.
    reshare: Option<Group>,
    /// The commitment of the first root, once that is over.
    first_root: Option<String>,
    #[serde(default)]
    notices: Vec<SourceNotice>,
    /// Whom the witnesses took the place of.
    replaced: Option<SourceReplaced>,
    #[serde(default)]
    relying_parties: Vec<SourceParty>,
}

/// Whose passkeys count.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceParty {
    id: String,
    origins: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceReplaced {
    generation: u16,
    former: Group,
}

/// An epoch that is to end with connections in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceNotice {
    class: String,
    epoch: u32,
    /// SHA-256 of the statement of completion.
    statement: String,
    absent: u64,
    hours: u16,
}

/// An epoch on its way.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceStep {
    stage: SourceStage,
    class: String,
    epoch: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum SourceStage {
    Make,
    Pending,
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

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
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
pub enum Tee {
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
    /// Of class `owner`: the hash of the one program that has it.
    program: Option<String>,
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
    checked(toml::from_str(text).map_err(|error| error.to_string())?)
}

/// A manifest of these members, named and written as in a file.
pub fn of(members: serde_json::Value) -> std::result::Result<Manifest, String> {
    checked(serde_json::from_value(members).map_err(|error| error.to_string())?)
}

/// A program of these members.
pub fn program_of(members: serde_json::Value) -> std::result::Result<Program, String> {
    program(serde_json::from_value(members).map_err(|error| error.to_string())?)
}

/// Signers of these members.
pub fn signers_of(members: serde_json::Value) -> std::result::Result<Signers, String> {
    signers(serde_json::from_value(members).map_err(|error| error.to_string())?)
}

/// Holders of these members.
pub fn holders_of(members: serde_json::Value) -> std::result::Result<Holders, String> {
    holders(serde_json::from_value(members).map_err(|error| error.to_string())?)
}

fn checked(source: Source) -> std::result::Result<Manifest, String> {
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
        delay: source.delay,
        steps: steps(source.steps),
        reshare: source.reshare.map(holders).transpose()?,
        first: source.first_root.as_deref().map(hash).transpose()?,
        notices: notices(source.notices)?,
        replaced: source.replaced.map(replaced).transpose()?,
        relying_parties: relying_parties(source.relying_parties),
    };
    manifest.check_form().map_err(|fault| fault.to_string())?;
    // What enclaves refuse is not shown to be approved: every text in it is printed.
    verify::manifest::read(&manifest.to_bytes())
        .map_err(|_| "`minimum_version` must be like `1.2.3`".to_owned())
}

fn steps(given: Vec<SourceStep>) -> Option<Vec<Step>> {
    let step = |SourceStep { stage, class, epoch }: SourceStep| Step {
        stage: match stage {
            SourceStage::Make => Stage::Make,
            SourceStage::Pending => Stage::Pending,
        },
        class,
        epoch,
    };
    (!given.is_empty()).then(|| given.into_iter().map(step).collect())
}

fn notices(given: Vec<SourceNotice>) -> std::result::Result<Option<Vec<Notice>>, String> {
    let notice = |SourceNotice { class, epoch, statement, absent, hours }: SourceNotice| {
        Ok(Notice { class, epoch, statement: hash(&statement)?, absent, hours })
    };
    let notices = given.into_iter().map(notice).collect::<std::result::Result<Vec<Notice>, String>>()?;
    Ok((!notices.is_empty()).then_some(notices))
}

fn relying_parties(given: Vec<SourceParty>) -> Option<Vec<RelyingParty>> {
    let party = |SourceParty { id, origins }: SourceParty| RelyingParty { id, origins };
    (!given.is_empty()).then(|| given.into_iter().map(party).collect())
}

fn replaced(given: SourceReplaced) -> std::result::Result<Replaced, String> {
    Ok(Replaced { generation: given.generation, former: signers(given.former)? })
}

fn signers(Group { threshold, members }: Group) -> std::result::Result<Signers, String> {
    group(threshold, members)
}

/// A group as a file has it, not yet checked for its form.
pub fn group(threshold: u8, members: Vec<Member>) -> std::result::Result<Signers, String> {
    let members = members.into_iter().map(|member| {
        let (algorithm, key) = member.key.split_once(':').ok_or_else(|| key_form(&member.alias))?;
        let algorithm = match algorithm {
            "ed25519" => OwnerAlgorithm::EdDsa,
            "p256" => OwnerAlgorithm::Es256,
            _ => return Err(key_form(&member.alias)),
        };
        let public = from_base64(key).ok_or_else(|| key_form(&member.alias))?;
        Ok(Signer { key: SigningKey { algorithm, public }, alias: member.alias })
    });
    Ok(Signers { threshold, members: members.collect::<std::result::Result<_, _>>()? })
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

fn program(SourceProgram { tee, registers }: SourceProgram) -> std::result::Result<Program, String> {
    measured(tee, registers)
}

/// A program as a file has it, not yet checked for its form.
pub fn measured(tee: Tee, registers: BTreeMap<String, String>) -> std::result::Result<Program, String> {
    let registers = registers.into_iter().map(|(name, value)| {
        let value = from_hex(&value).and_then(|bytes| bytes.try_into().ok());
        Ok(Register { value: value.ok_or("a register has 96 hexadecimal digits")?, name })
    });
    let tee = match tee {
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
        program: root.program.as_deref().map(hash).transpose()?,
    })
}

pub fn hash(text: &str) -> std::result::Result<Hash, String> {
    let bytes = from_hex(text).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Hash).ok_or_else(|| "a commitment has 64 hexadecimal digits".to_owned())
}

/// To the second, so that it is written as it was read.
pub fn time(text: &str) -> std::result::Result<UnixMillis, String> {
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
    if let Some(hours) = manifest.delay {
        writeln!(out, "# hours that a program has to be public for class `delayed`\ndelay = {hours}")?;
    }
    if let Some(first) = &manifest.first {
        writeln!(out, "# by which the deployment is known; it is over\nfirst_root = \"{}\"", hex(&first.0))?;
    }
    write_signers(out, "approvers", &manifest.approvers)?;
    write_holders(out, "holders", &manifest.holders)?;
    if let Some(holders) = &manifest.reshare {
        writeln!(out, "\n# who is to hold the roots instead, from their present holders' hands")?;
        write_holders(out, "reshare", holders)?;
    }
    if !manifest.witnesses.members.is_empty() {
        write_signers(out, "witnesses", &manifest.witnesses)?;
    }
    if let Some(Replaced { generation, former }) = &manifest.replaced {
        writeln!(
            out,
            "\n# the witnesses take the place of these, whoever of them is above as well: an enclave that starts goes over when \
             {} of these have signed that they are closed, for good\n[replaced]\ngeneration = {generation}",
            former.threshold
        )?;
        write_signers(out, "replaced.former", former)?;
    }
    for RelyingParty { id, origins } in manifest.relying_parties() {
        let origins: Vec<String> = origins.iter().map(|origin| format!("\"{origin}\"")).collect();
        writeln!(out, "\n# whose passkeys count as an owner's second factor, used at these pages")?;
        writeln!(out, "[[relying_parties]]\nid = \"{id}\"\norigins = [{}]", origins.join(", "))?;
    }
    for program in &manifest.programs {
        writeln!(out, "\n[[programs]]\n# program {}", hex(&program_name(program).0))?;
        writeln!(out, "tee = \"{}\"", tee_name(program.tee))?;
        write_registers(out, program)?;
    }
    for class in &manifest.classes {
        let oldest = manifest.roots.iter().filter(|root| root.class == *class).map(|root| root.epoch).min();
        if let Some(over) = oldest.and_then(|oldest| oldest.checked_sub(1)).filter(|over| *over > 0) {
            writeln!(
                out,
                "\n# class {class}: epoch {over} is over, with those before it, for whatever is still in it"
            )?;
        }
    }
    for root in &manifest.roots {
        writeln!(out, "\n[[roots]]\nclass = \"{}\"\nepoch = {}", root.class, root.epoch)?;
        if let Some(program) = root.program {
            writeln!(out, "program = \"{}\"", hex(&program.0))?;
        }
        writeln!(out, "commitment = \"{}\"\nshares = [", hex(&root.commitment.0))?;
        root.shares.iter().try_for_each(|share| writeln!(out, "    \"{}\",", hex(&share.0)))?;
        writeln!(out, "]")?;
    }
    for Step { stage, class, epoch } in manifest.steps() {
        let stage = match stage {
            Stage::Make => "make",
            Stage::Pending => "pending",
        };
        writeln!(out, "\n[[steps]]\nstage = \"{stage}\"\nclass = \"{class}\"\nepoch = {epoch}")?;
    }
    for Notice { class, epoch, statement, absent, hours } in manifest.notices() {
        writeln!(
            out,
            "\n# whoever is still in epoch {epoch} of class {class}, or one before it, when it ends loses what is sealed there: \
             {absent} connections at the most, no earlier than {hours} hours after an enclave goes over to this manifest"
        )?;
        writeln!(
            out,
            "[[notices]]\nclass = \"{class}\"\nepoch = {epoch}\nstatement = \"{}\"",
            hex(&statement.0)
        )?;
        writeln!(out, "absent = {absent}\nhours = {hours}")?;
    }
    Ok(())
}

pub fn tee_name(tee: TeeKind) -> &'static str {
    match tee {
        TeeKind::Simulated => "simulated",
        TeeKind::Nitro => "nitro",
        TeeKind::SevSnp => "sev-snp",
        TeeKind::Tdx => "tdx",
    }
}

pub fn write_registers(out: &mut String, program: &Program) -> std::fmt::Result {
    writeln!(out, "[programs.registers]")?;
    let mut registers = program.registers.iter();
    registers.try_for_each(|register| writeln!(out, "{} = \"{}\"", register.name, hex(&register.value)))
}

fn write_holders(out: &mut String, name: &str, holders: &Holders) -> std::fmt::Result {
    writeln!(out, "\n[{name}]\nthreshold = {}", holders.threshold)?;
    for Holder { alias, key } in &holders.members {
        writeln!(out, "\n[[{name}.members]]\nalias = \"{alias}\"\n# key {}", hex(&sha256(key)))?;
        writeln!(out, "key = \"x-wing:{}\"", base64(key))?;
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
            classes: vec!["any".to_owned(), "delayed".to_owned(), "owner".to_owned()],
            delay: Some(48),
            from: UnixMillis(1_795_305_600_000),
            until: UnixMillis(1_826_841_600_000),
            steps: None,
            reshare: None,
            first: None,
            notices: None,
            replaced: None,
            relying_parties: None,
            roots: ["any", "delayed", "owner"]
                .map(|class| RootCommitment {
                    class: class.to_owned(),
                    epoch: 1,
                    commitment: Hash([0xc0; 32]),
                    shares: vec![Hash([0x5a; 32])],
                    program: (class == "owner").then_some(Hash([0x77; 32])),
                })
                .to_vec(),
        }
    }

    #[test]
    fn what_would_redraw_the_approvers_terminal_is_no_manifest() {
        let text = text(&example());
        assert!(parse(&text).is_ok());
        assert!(parse(&text.replace("\"0.1.0\"", "\"0.1.0\\u001b[2J\"")).is_err());
    }

    #[test]
    fn what_an_approver_reads_is_the_manifest_and_all_of_it() {
        let manifest = example();
        let shown = text(&manifest);
        assert_eq!(parse(&shown), Ok(manifest.clone()));
        assert_eq!(text(&parse(&shown).unwrap()), shown);
        let mut bare = manifest;
        bare.reshare = Some(Holders {
            threshold: 1,
            members: vec![Holder { alias: "eve".to_owned(), key: vec![8; 1216] }],
        });
        assert_eq!(parse(&text(&bare)), Ok(bare.clone()));
        let second = RootCommitment { epoch: 2, ..bare.roots[0].clone() };
        bare.roots.insert(1, second);
        bare.reshare = None;
        let (class, statement) = ("any".to_owned(), Hash([0x57; 32]));
        bare.notices = Some(vec![Notice { class, epoch: 1, statement, absent: 3, hours: 168 }]);
        assert_eq!(parse(&text(&bare)), Ok(bare.clone()));
        assert!(text(&bare).contains("3 connections at the most, no earlier than 168 hours"));
        let former = Signers { threshold: 1, members: vec![bare.approvers.members[0].clone()] };
        bare.replaced = Some(Replaced { generation: 3, former });
        assert_eq!(parse(&text(&bare)), Ok(bare.clone()));
        bare.replaced = None;
        let origins = vec!["https://vault.example".to_owned(), "https://app.vault.example:8443".to_owned()];
        bare.relying_parties = Some(vec![RelyingParty { id: "vault.example".to_owned(), origins }]);
        assert_eq!(parse(&text(&bare)), Ok(bare.clone()));
        assert!(parse(&text(&bare).replace("https://vault.example", "http://vault.example")).is_err());
        assert!(parse(&text(&bare).replace("id = \"vault", "id = \"other")).is_err());
        bare.relying_parties = None;
        (bare.roots, bare.notices) = (bare.roots.split_off(1), None);
        bare.first = Some(Hash([0xc1; 32]));
        assert_eq!(parse(&text(&bare)), Ok(bare.clone()));
        (bare.roots, bare.reshare, bare.first) = (Vec::new(), None, None);
        bare.witnesses = Signers { threshold: 0, members: Vec::new() };
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
