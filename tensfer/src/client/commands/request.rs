//! `request`: any call of the server's API, signed.

use super::{print, print_json};
use crate::client::calls::{Call, failure, fault_of};
use crate::client::failure::{Failure, Result};
use crate::client::gateway::called::Answer;
use crate::client::home::files;
use crate::client::options::Options;
use crate::client::terminal::{printable, say};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer request GET /v1/organisation\n  \
    tensfer request GET /v1/keys?limit=10 -i --key backend\n  \
    tensfer request POST /v1/keys --body new-key.json --header Idempotency-Key:7f3a --key backend\n\
    Method, host, path, query, body and each field that is named are signed (docs/spec/http-signatures.md).")]
pub struct Args {
    /// GET, POST, DELETE, …
    method: String,

    /// Path and query, such as `/v1/keys?limit=10`.
    path: String,

    /// A file to send as the body; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,

    /// A field to send and to sign, as `NAME: VALUE`; repeat for several. Without a `Content-Type` a body is JSON.
    #[arg(long = "header", value_name = "FIELD")]
    headers: Vec<String>,

    /// The API key, by its name on this machine; not needed if there is only one.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,

    /// Show status and fields before the body.
    #[arg(short, long)]
    include: bool,

    /// Print JSON: status, headers, body (as text).
    #[arg(long, conflicts_with = "include")]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<ExitCode> {
    let key = options.api_keys()?.chosen(args.key.as_deref())?;
    let gateway = options.gateway(Some(&key.server))?;
    let body = args.body.as_deref().map(|path| files::read_named(path, "file of a body")).transpose()?;
    let body = body.as_ref().map_or(&[][..], |body| body.as_slice());
    let fields = args.headers.iter().map(|field| parse(field)).collect::<Result<_>>()?;
    let call = Call { method: &args.method, target: &args.path, fields, body };
    let answer = call.send(&gateway, &key)?;
    show(args, &answer)?;
    if (200..300).contains(&answer.status) {
        return Ok(ExitCode::SUCCESS);
    }
    say(failure(&answer).to_string());
    Ok(fault_of(answer.status).into())
}

fn parse(field: &str) -> Result<(String, String)> {
    let (name, value) = field.split_once(':').ok_or_else(|| {
        Failure::usage("a field is `NAME: VALUE`").hint("for example `--header 'Idempotency-Key: 7f3a'`")
    })?;
    Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}

fn show(args: &Args, answer: &Answer) -> Result<()> {
    let Answer { status, headers, body } = answer;
    if args.json {
        let fields: serde_json::Map<String, serde_json::Value> =
            headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        let body = String::from_utf8_lossy(body);
        return print_json(&serde_json::json!({ "status": status, "headers": fields, "body": body }));
    }
    if args.include {
        let mut head = format!("{status}\n");
        for (name, value) in headers {
            // Writing to a string does not fail.
            let _ = writeln!(head, "{name}: {}", printable(value));
        }
        print(&format!("{head}\n"))?;
    }
    // As it is: it may be a file.
    let mut out = std::io::stdout().lock();
    let end: &[u8] = if body.ends_with(b"\n") || body.is_empty() { b"" } else { b"\n" };
    let written = out.write_all(body).and_then(|()| out.write_all(end)).and_then(|()| out.flush());
    written.map_err(|_| Failure::internal("this machine could not write to standard output"))
}
