//! `keys make`

use super::shown::Shown;
use crate::client::calls::Call;
use crate::client::clock;
use crate::client::encode::base64;
use crate::client::failure::{Failure, Fault, Result};
use crate::client::gateway::Gateway;
use crate::client::home::api_keys::{ApiKey, ApiKeys};
use crate::client::options::Options;
use crate::client::terminal::say;
use host::signatures::Algorithm;
use serde_json::json;
use wire::OrganisationId;

const DAY: u64 = 24 * 3_600_000;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer keys make --invitation inv_6vT0Qk1sX2m8bq0Zr4cY7w --name backend\n  \
    tensfer keys make --name reports --by backend --scope keys:read --network 192.0.2.0/24 --days 90\n\
    The private key stays in TENSFER_HOME/api-keys on this machine; whoever can read that file is the program.")]
pub struct Args {
    /// What the key is called, here and at the server.
    #[arg(long)]
    name: String,

    /// The code of an invitation; `-` reads it from standard input. For an organisation's first key, which has every scope.
    #[arg(long, value_name = "CODE", required_unless_present = "by")]
    invitation: Option<String>,

    /// The key on this machine that registers the new one.
    #[arg(long, value_name = "NAME", conflicts_with = "invitation")]
    by: Option<String>,

    /// Something that the new key may do; repeat for several.
    #[arg(long = "scope", value_name = "SCOPE", requires = "by")]
    scopes: Vec<String>,

    /// A network that the new key may be used from, as ADDRESS/PREFIX; repeat for several. Without any: from anywhere.
    #[arg(long = "network", value_name = "NETWORK", requires = "by")]
    networks: Vec<String>,

    /// Days until the new key is over [default: 365].
    #[arg(long, requires = "by", value_parser = clap::value_parser!(u64).range(1..=730))]
    days: Option<u64>,

    #[arg(long, value_enum, default_value = "ed25519")]
    algorithm: Kind,

    /// Print JSON: the key as the server shows it.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Kind {
    Ed25519,
    EcdsaP256Sha256,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    ApiKeys::check_name(&args.name)?;
    let keys = options.api_keys()?;
    let maker = args.by.as_deref().map(|by| keys.chosen(Some(by))).transpose()?;
    let gateway = options.gateway(maker.as_ref().map(|maker| maker.server.as_str()))?;
    // Before it is registered, so that no registered key is ever lost; one that is here and is not registered is tried again.
    let mut key = match keys.find(&args.name)? {
        Some(key) if key.is_registered => {
            return Err(Failure::usage(format!("this machine has an API key `{}` already", args.name))
                .hint("choose another name, or put a new pair in its place: `tensfer keys rotate`"));
        }
        Some(key) if key.server == gateway.base() => key,
        _ => ApiKey::make(&args.name, gateway.base(), args.algorithm.into())?,
    };
    keys.save(&key)?;
    let registered: Result<Shown> = match &maker {
        None => accept(&gateway, args, &key),
        Some(maker) => by_another(&gateway, args, maker, &key),
    };
    let shown = match registered {
        Ok(shown) => shown,
        Err(failure) => {
            // It was not registered, for sure; otherwise the pair is kept for another try.
            if failure.fault == Fault::Refused && !failure.retryable {
                keys.remove(&args.name)?;
            }
            return Err(failure);
        }
    };
    key.is_registered = true;
    keys.save(&key)?;
    say(format!("This machine keeps the private key of {} as `{}`.", key.id(), args.name));
    shown.print(args.json)
}

fn accept(gateway: &Gateway, args: &Args, key: &ApiKey) -> Result<Shown> {
    let code = match args.invitation.as_deref() {
        Some("-") => {
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line);
            read.map_err(|_| Failure::usage("standard input could not be read"))?;
            line.trim().to_owned()
        }
        code => code.unwrap_or_default().to_owned(),
    };
    let body = json!({
        "code": code,
        "name": args.name,
        "algorithm": key.public.algorithm().name(),
        "public_key": key.public.base64(),
    });
    let body = body.to_string();
    let call =
        Call { method: "POST", target: "/v1/invitations/accept", fields: Vec::new(), body: body.as_bytes() };
    call.ask(gateway, key)
}

fn by_another(gateway: &Gateway, args: &Args, maker: &ApiKey, key: &ApiKey) -> Result<Shown> {
    let possession = possession(gateway, maker, key)?;
    let expires = args.days.map(|days| clock::now().plus(days * DAY).0);
    let body = json!({
        "name": args.name,
        "algorithm": key.public.algorithm().name(),
        "public_key": key.public.base64(),
        "possession": possession,
        "scopes": args.scopes,
        "networks": args.networks,
        "expires": expires,
    });
    let body = body.to_string();
    let call = Call { method: "POST", target: "/v1/keys", fields: Vec::new(), body: body.as_bytes() };
    call.ask(gateway, maker)
}

/// That this machine has the new key, for the organisation of one that is registered.
pub fn possession(gateway: &Gateway, of: &ApiKey, key: &ApiKey) -> Result<String> {
    let shown: Shown = Call::get(&format!("/v1/keys/{}", of.id())).ask(gateway, of)?;
    let id = OrganisationId::parse(&shown.organisation)
        .ok_or_else(|| Failure::host("not_tensfer", "the server named no organisation"))?;
    let signature = key.signing.sign(&key.public.possession(id));
    let signature = signature.ok_or_else(|| Failure::internal("this machine could not sign"))?;
    Ok(base64(&signature))
}

impl From<Kind> for Algorithm {
    fn from(kind: Kind) -> Algorithm {
        match kind {
            Kind::Ed25519 => Algorithm::Ed25519,
            Kind::EcdsaP256Sha256 => Algorithm::EcdsaP256Sha256,
        }
    }
}
