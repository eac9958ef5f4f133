//! `policy`: what the policies of this program are, whether an organisation's own can be added, and how both decide.

use anyhow::{Context, bail};
use clap::{Args as Arguments, Subcommand};
use host::policy::{
    Action, Base, Cause, Decision, Origin, Policies, PolicyText, Principal, Question, Resource,
};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the policies that are part of this program, and the schema that all policies are checked against.
    #[command(after_help = "Examples:\n  tensfer policy show\n  tensfer policy show --json")]
    Show {
        #[arg(long, help = JSON)]
        json: bool,
    },
    /// Check policies that an organisation wants to add: each has an id, fits the schema, and forbids something.
    #[command(
        after_help = "Examples:\n  tensfer policy check restrictions.cedar\n  tensfer policy check - --json"
    )]
    Check {
        /// A file in Cedar's language; `-` is standard input.
        file: PathBuf,
        #[arg(long, help = JSON)]
        json: bool,
    },
    /// Decide a question as a server would, and name the policies that decide it.
    #[command(
        after_help = "Examples:\n  tensfer policy explain keys.list --scope keys:read\n  tensfer policy explain keys.revoke --scope keys:write --key-environment live\n  tensfer policy explain keys.make --scope keys:write --restrictions restrictions.cedar --from 198.51.100.7 --json"
    )]
    Explain(Explain),
}

const JSON: &str = "Print JSON";

#[derive(Debug, Arguments)]
pub struct Explain {
    /// What is asked: `keys.list`, `keys.show`, `keys.make`, `keys.rotate`, `keys.revoke` or
    /// `organisation.show`.
    #[arg(value_parser = action)]
    action: Action,
    /// A scope of the key that asks; once for each.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The environment of the key that asks.
    #[arg(long, value_name = "ENVIRONMENT", default_value = "sandbox", value_parser = ["sandbox", "live"])]
    own_environment: String,
    /// Of what is asked about a key: its environment.
    #[arg(long, value_name = "ENVIRONMENT", default_value = "sandbox", value_parser = ["sandbox", "live"])]
    key_environment: String,
    /// Of what is asked about a key: it is the one that asks.
    #[arg(long)]
    own_key: bool,
    /// What is asked about is another organisation's.
    #[arg(long)]
    other_organisation: bool,
    /// The address that the request comes from.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    from: IpAddr,
    /// When: Unix time in seconds; now, if nothing is said.
    #[arg(long, value_name = "SECONDS")]
    at: Option<i64>,
    /// The organisation's own policies; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    restrictions: Option<PathBuf>,
    #[arg(long, help = JSON)]
    json: bool,
}

/// Exit code 1: it is refused.
pub fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let base = Base::get().context("the policies in this program")?;
    match command {
        Command::Show { json } => show(base, *json),
        Command::Check { file, json } => check(base, file, *json),
        Command::Explain(asked) => explain(base, asked),
    }
}

fn show(base: &Base, as_json: bool) -> anyhow::Result<ExitCode> {
    if as_json {
        let policies: Vec<Value> = base.policies().iter().map(told).collect();
        print(&json!({ "version": base.version(), "schema": base.schema_text(), "policies": policies }))?;
    } else {
        let (version, schema, policies) = (base.version(), base.schema_text(), base.policies_text());
        write!(std::io::stdout().lock(), "// Version {version}\n\n{schema}\n{policies}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(base: &'static Base, file: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let read = Policies::restricted(base, &text_of(file)?);
    let mut out = std::io::stdout().lock();
    match (&read, as_json) {
        (Ok(policies), true) => {
            let ids: Vec<String> = policies.own().into_iter().map(|policy| policy.id).collect();
            drop(out);
            print(&json!({ "fit": true, "policies": ids }))?;
        }
        (Err(unfit), true) => {
            drop(out);
            print(&json!({ "fit": false, "why": unfit.to_string() }))?;
        }
        (Ok(policies), false) => {
            writeln!(out, "Policies that only restrict, and fit the schema:")?;
            for policy in policies.own() {
                writeln!(out, "  {}", policy.id)?;
            }
        }
        (Err(unfit), false) => writeln!(out, "They cannot be added: {unfit}")?,
    }
    Ok(ExitCode::from(u8::from(read.is_err())))
}

fn explain(base: &'static Base, asked: &Explain) -> anyhow::Result<ExitCode> {
    let policies = match &asked.restrictions {
        Some(file) => Policies::restricted(base, &text_of(file)?)?,
        None => Policies::base(base),
    };
    let scopes: Vec<&str> = asked.scopes.iter().map(String::as_str).collect();
    let own = "org_own";
    let organisation = if asked.other_organisation { "org_other" } else { own };
    let resource = if asked.action.is_about_a_key() {
        let id = if asked.own_key { "key_own" } else { "key_other" };
        Resource::Key { id, organisation, environment: &asked.key_environment }
    } else {
        Resource::Organisation(organisation)
    };
    let environment = asked.own_environment.as_str();
    let decision = policies.decide(&Question {
        principal: Principal { id: "key_own", organisation: own, scopes: &scopes, environment },
        action: asked.action,
        resource,
        from: asked.from,
        now: asked.at.map_or_else(now, Ok)?,
    });
    let texts = [base.policies(), policies.own()].concat();
    if asked.json {
        print(&as_json(&decision, base))?
    } else {
        say(&decision, &texts)?
    }
    Ok(ExitCode::from(u8::from(!decision.is_allowed())))
}

fn as_json(decision: &Decision, base: &Base) -> Value {
    let causes = match decision {
        Decision::Allowed(causes) | Decision::Denied(causes) => causes.as_slice(),
        Decision::Failed(_) => &[],
    };
    let told =
        |cause: &Cause| json!({ "origin": cause.origin.name(), "policy": cause.policy, "code": cause.code });
    json!({
        "allowed": decision.is_allowed(),
        "code": decision.code(),
        "policies": causes.iter().map(told).collect::<Vec<_>>(),
        "failed": if let Decision::Failed(why) = decision { Some(why) } else { None },
        "version": base.version(),
    })
}

fn say(decision: &Decision, texts: &[PolicyText]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let causes = match decision {
        Decision::Allowed(causes) => {
            writeln!(out, "Allowed, because this permits it and nothing forbids it:")?;
            causes
        }
        Decision::Denied(causes) if causes.is_empty() => {
            writeln!(out, "Refused ({}): no policy permits it.", decision.code().unwrap_or_default())?;
            return Ok(());
        }
        Decision::Denied(causes) => {
            writeln!(out, "Refused ({}), because this forbids it:", decision.code().unwrap_or_default())?;
            causes
        }
        Decision::Failed(why) => {
            writeln!(out, "Refused ({}): {why}", decision.code().unwrap_or_default())?;
            return Ok(());
        }
    };
    for Cause { origin, policy, .. } in causes {
        let whose = match origin {
            Origin::Base => "of the program",
            Origin::Organisation => "of the organisation",
        };
        writeln!(out, "\n{policy}, {whose}")?;
        let text = texts.iter().find(|text| text.id == *policy && text.origin == *origin);
        for line in text.map(|text| text.text.as_str()).unwrap_or_default().lines() {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

fn action(name: &str) -> Result<Action, String> {
    Action::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
        format!("no such action; there are {}", known.join(", "))
    })
}

fn told(policy: &PolicyText) -> Value {
    json!({ "id": policy.id, "text": policy.text })
}

/// What is in a file; no more of it than policies may be long, and a byte.
fn text_of(file: &Path) -> anyhow::Result<String> {
    let most = host::policy::LONGEST as u64 + 1;
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(most).read_to_string(&mut text))
    };
    read.with_context(|| format!("{}", file.display()))?;
    Ok(text)
}

fn now() -> anyhow::Result<i64> {
    let Ok(since) = SystemTime::now().duration_since(UNIX_EPOCH) else {
        bail!("this machine's clock is before 1970")
    };
    Ok(i64::try_from(since.as_secs())?)
}

fn print(value: &Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    Ok(writeln!(out)?)
}
