//! `keys rotate`

use super::make::possession;
use super::shown::Shown;
use crate::client::calls::Call;
use crate::client::failure::Result;
use crate::client::gateway::Gateway;
use crate::client::home::api_keys::{ApiKey, ApiKeys};
use crate::client::options::Options;
use crate::client::terminal::say;
use serde_json::json;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer keys rotate backend\n  \
    tensfer keys rotate backend --overlap-hours 0")]
pub struct Args {
    /// The key's name on this machine.
    name: String,

    /// How long the old key goes on beside the new one, for processes that still have it; 0 ends it at once.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(0..=168))]
    overlap_hours: u64,

    /// Print JSON: the new key as the server shows it.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let keys = options.api_keys()?;
    let old = keys.chosen(Some(&args.name))?;
    let gateway = options.gateway(Some(&old.server))?;
    if let Some((next, shown)) = registered_before(&keys, &gateway, &args.name)? {
        say("The server had the new key already: it takes the old one's place now.");
        keys.adopt_next(next)?;
        return shown.print(args.json);
    }
    let next = match keys.next(&args.name)? {
        Some(next) => next,
        None => ApiKey::make(&old.name, &old.server, old.public.algorithm())?,
    };
    // Before it is registered: an answer that is lost loses no key.
    keys.save_next(&next)?;
    let shown = replace(&gateway, args, &old, &next)?;
    keys.adopt_next(next)?;
    shown.print(args.json)
}

/// A pair whose registration was answered to nobody.
fn registered_before(keys: &ApiKeys, gateway: &Gateway, name: &str) -> Result<Option<(ApiKey, Shown)>> {
    let Some(next) = keys.next(name)? else { return Ok(None) };
    let shown: Result<Shown> = Call::get(&format!("/v1/keys/{}", next.id())).ask(gateway, &next);
    match shown {
        Ok(shown) => Ok(Some((next, shown))),
        Err(failure) if failure.code == "not_signed" => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn replace(gateway: &Gateway, args: &Args, old: &ApiKey, next: &ApiKey) -> Result<Shown> {
    let body = json!({
        "algorithm": next.public.algorithm().name(),
        "public_key": next.public.base64(),
        "possession": possession(gateway, old, next)?,
        "overlap_seconds": args.overlap_hours * 3600,
    });
    let (body, target) = (body.to_string(), format!("/v1/keys/{}/rotate", old.id()));
    Call { method: "POST", target: &target, fields: Vec::new(), body: body.as_bytes() }.ask(gateway, old)
}
