//! `verify`: is this server's enclave, or this saved document, what the caller expects?

use super::{print, print_json};
use crate::client::clock::{now, parse_rfc3339, rfc3339};
use crate::client::encode::{from_hex, hex};
use crate::client::failure::{Failure, Fault, Result};
use crate::client::home::files;
use crate::client::options::Options;
use crate::client::session::{self, explain_refused};
use crate::client::table::{Align, Table};
use crate::client::terminal::{emphasised, say};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verify::document::{self, Found, Report};
use verify::evidence::Presented;
use verify::expect::Kind;
use verify::measurement::{Hex, Registers};
use verify::{Check, Refused, Verdict, certificates};
use wire::UnixMillis;
use wire::identity::{Environment, Identity, Noticed};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer verify https://tensfer.example --measurement PCR0=HEX\n  \
    tensfer verify http://localhost:8080 --dangerous-simulated DIR/simulation-root.der\n  \
    tensfer verify --document attestation.cose --at 2022-10-13T08:58:02Z --measurement PCR0=HEX --json\n  \
    tensfer verify --document report.bin --kind sev-snp --certificates vcek.der --measurement MEASUREMENT=HEX\n  \
    tensfer verify --document quote.bin --kind tdx --collateral intel.json --measurement MRTD=HEX")]
pub struct Args {
    /// The server; default: `--server`.
    #[arg(conflicts_with = "document")]
    url: Option<String>,

    /// A saved document instead, binary, or as base64 or hexadecimal text: a COSE_Sign1 (Nitro), a report (SEV-SNP) or a
    /// quote (TDX).
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,

    /// The format of the document.
    #[arg(long, value_enum, default_value = "nitro", conflicts_with = "url", requires = "document")]
    kind: KindName,

    /// Certificates of the document, PEM or DER, repeatable: of SEV-SNP that of the chip (VCEK), or that of a cloud's key
    /// (VLEK) with its authority's.
    #[arg(long, value_name = "FILE", conflicts_with = "url", requires = "document")]
    certificates: Vec<PathBuf>,

    /// What the vendor says of the platform: of TDX, Intel's statements as JSON (docs/spec/evidence.md §6.2).
    #[arg(long, value_name = "FILE", conflicts_with = "url", requires = "document")]
    collateral: Option<PathBuf>,

    /// Judge the document as at this time (RFC 3339); default: now.
    #[arg(long, value_name = "RFC3339", conflicts_with = "url", requires = "document", value_parser = time)]
    at: Option<UnixMillis>,

    /// The nonce that the document must carry, hexadecimal.
    #[arg(long, value_name = "HEX", conflicts_with = "url", requires = "document", value_parser = bytes)]
    nonce: Option<Bytes>,

    /// Print JSON: verdict, kind, reason, measurements, checks.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum KindName {
    Nitro,
    SevSnp,
    Tdx,
}

/// Decoded from hexadecimal.
type Bytes = std::sync::Arc<[u8]>;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Judgement {
    verdict: &'static str,
    kind: &'static str,
    /// A stable code; `null` for an accepted document.
    reason: Option<&'static str>,
    /// By register; empty unless the document's signature was verified.
    measurements: BTreeMap<String, String>,
    checks: Vec<ShownCheck>,
}

#[derive(Debug, Serialize)]
struct ShownCheck {
    name: &'static str,
    ok: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<ExitCode> {
    let Examined { judgement, failure, identity } = match &args.document {
        Some(path) => {
            let report = check_document(options, args, path)?;
            let (judgement, refused) =
                judge(kind(args.kind), report.verdict, &report.registers, &report.checks);
            Examined { judgement, failure: refused.as_ref().map(explain_document), identity: None }
        }
        None => check_server(options, args)?,
    };
    match args.json {
        true => print_json(&judgement)?,
        false => print(&text(&judgement, identity.as_ref()))?,
    }
    let Some(failure) = failure else { return Ok(ExitCode::SUCCESS) };
    say(failure.to_string());
    Ok(Fault::Refused.into())
}

/// What came of it, and what to tell about that.
struct Examined {
    judgement: Judgement,
    failure: Option<Failure>,
    identity: Option<Identity>,
}

/// The server's enclave, also against the versions that were worked with before: `verify` itself raises none.
fn check_server(options: &Options, args: &Args) -> Result<Examined> {
    let gateway = options.gateway(args.url.as_deref())?;
    let mut outcome = session::examine(&gateway, &options.expect_enclave()?)?;
    let mut failure = outcome.verdict.as_ref().err().map(explain_refused);
    let identity = outcome.verdict.as_ref().ok().map(|verdict| session::identity(verdict).clone());
    let mut found = Ok(Found::Hardware);
    match &outcome.verdict {
        Ok(verdict) => {
            let versions = options.versions(session::realm_of(verdict))?;
            if let Verdict::Simulated(_) = verdict {
                found = Ok(Found::Simulated);
            }
            if let Err(older) = versions.check(&session::met(&gateway, verdict)) {
                (found, failure) = (Err(Refused::VersionTooOld), Some(older));
                let compared = outcome.checks.iter_mut().filter(|check| check.name == "minimum_version");
                compared.for_each(|check| check.ok = false);
            }
        }
        Err(refused) => found = Err(*refused),
    }
    let (judgement, _) = judge(Kind::Nitro, found, &outcome.registers, &outcome.checks);
    Ok(Examined { judgement, identity: identity.filter(|_| found.is_ok()), failure })
}

/// As [`explain_refused`], about a file: there is no server to be careful with.
fn explain_document(refused: &Refused) -> Failure {
    let hint = match refused {
        Refused::EmptyPolicy => return explain_refused(refused),
        Refused::SimulatedNotAllowed => {
            "for development only: name its root with `--dangerous-simulated FILE`"
        }
        Refused::Expired { .. } | Refused::NotYetValid { .. } | Refused::ClockSkew { .. } => {
            "name the time at which it was received: `--at RFC3339`"
        }
        Refused::MeasurementMismatch => "it is about another program than you named",
        Refused::CertificateMissing => {
            "give the certificate of the chip or of the cloud's key: `--certificates FILE`"
        }
        Refused::CollateralMissing => "give Intel's statements on the platform: `--collateral FILE`",
        _ => "it proves nothing",
    };
    Failure::refused(refused.code(), format!("the document was refused: {refused} ({})", refused.code()))
        .hint(hint)
}

const fn kind(name: KindName) -> Kind {
    match name {
        KindName::Nitro => Kind::Nitro,
        KindName::SevSnp => Kind::SevSnp,
        KindName::Tdx => Kind::Tdx,
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = files::read(path)?;
    let bytes = bytes.ok_or_else(|| Failure::usage(format!("there is no document `{}`", path.display())))?;
    Ok(bytes.to_vec())
}

fn check_document(options: &Options, args: &Args, path: &Path) -> Result<Report> {
    let document = read(path)?;
    let mut all = Vec::new();
    for path in &args.certificates {
        let found = certificates::read(&read(path)?);
        all.extend(found.map_err(|_| {
            Failure::usage(format!("`{}` holds no certificate, in DER or PEM", path.display()))
        })?);
    }
    let collateral = args.collateral.as_deref().map(read).transpose()?;
    let presented = Presented {
        kind: kind(args.kind),
        document: &document,
        certificates: &all,
        collateral: collateral.as_deref(),
    };
    let at = args.at.unwrap_or_else(now);
    Ok(document::check(&presented, &options.expect_document()?, at, args.nonce.as_deref()))
}

fn judge(
    kind: Kind,
    verdict: std::result::Result<Found, Refused>,
    registers: &Registers,
    checks: &[Check],
) -> (Judgement, Option<Refused>) {
    let refused = verdict.err();
    let judgement = Judgement {
        verdict: match verdict {
            Ok(Found::Hardware) => "hardware",
            Ok(Found::Simulated) => "simulated",
            Err(_) => "refused",
        },
        kind: kind.name(),
        reason: refused.map(|refused| refused.code()),
        measurements: registers
            .iter()
            .map(|(name, value)| (name.to_string(), Hex(value).to_string()))
            .collect(),
        checks: checks.iter().map(|check| ShownCheck { name: check.name, ok: check.ok }).collect(),
    };
    (judgement, refused)
}

fn text(judgement: &Judgement, identity: Option<&Identity>) -> String {
    let mut text = String::new();
    if judgement.verdict == "simulated" {
        let _ = writeln!(
            text,
            "{}",
            emphasised("SIMULATED - NOT A TEE: a development enclave that protects nothing")
        );
    }
    let _ = writeln!(text, "verdict  {}\nkind     {}", judgement.verdict, judgement.kind);
    if let Some(reason) = judgement.reason {
        let _ = writeln!(text, "reason   {reason}");
    }
    if let Some(identity) = identity {
        text.push_str(&describe(identity));
    }
    let mut checks = Table::new([("\ncheck", Align::Left), ("", Align::Left)]);
    for check in &judgement.checks {
        checks.row([check.name.replace('_', " "), if check.ok { "ok" } else { "REFUSED" }.to_owned()]);
    }
    let _ = write!(text, "{checks}");
    let measured =
        judgement.measurements.iter().filter(|(_, value)| value.bytes().any(|digit| digit != b'0'));
    for (number, (register, value)) in measured.enumerate() {
        let _ = writeln!(text, "{}{register}={value}", if number == 0 { "\n" } else { "" });
    }
    text
}

/// What the enclave says of itself; bound by the evidence.
fn describe(identity: &Identity) -> String {
    let environment = match identity.environment {
        Environment::Live => "live: the real exchanges, by the public web PKI",
        Environment::Sandbox(_) => "sandbox: made-up exchanges and money",
    };
    let build = &identity.build;
    let notice = |notice: &Noticed| {
        let until = rfc3339(notice.until());
        format!(
            "notice   epoch {} of class {} ends with who is in it, from {until} on\n",
            notice.epoch, notice.class
        )
    };
    let notices: String = identity.notices.iter().map(notice).collect();
    format!(
        "program  {} (commit {})\nexchange {environment}\nboot     {}\nepoch    {} (oldest that opens: {})\n{notices}issued   {}, expires {}\nconnectors {}\n",
        crate::client::terminal::printable(&build.version),
        crate::client::terminal::printable(&build.commit),
        identity.boot,
        identity.epochs.current,
        identity.epochs.oldest,
        rfc3339(identity.issued),
        rfc3339(identity.expires),
        hex(&identity.connectors),
    )
}

fn time(text: &str) -> std::result::Result<UnixMillis, String> {
    parse_rfc3339(text).ok_or_else(|| "write it as 2026-01-31T12:00:00Z".to_owned())
}

fn bytes(text: &str) -> std::result::Result<Bytes, String> {
    from_hex(text).map(Into::into).ok_or_else(|| "write it as hexadecimal digits".to_owned())
}
