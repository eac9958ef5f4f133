//! `keys show`

use super::shown::Shown;
use crate::client::calls::Call;
use crate::client::failure::Result;
use crate::client::home::api_keys::ApiKeys;
use crate::client::options::Options;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer keys show backend")]
pub struct Args {
    /// A key's id, or the name of one on this machine; without any, the key that asks.
    id: Option<String>,

    /// The API key that asks, by its name on this machine; not needed if there is only one.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,

    /// Print JSON: the key as the server shows it.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let keys = options.api_keys()?;
    let key = keys.chosen(args.key.as_deref().or(args.id.as_deref().filter(|id| !id.starts_with("key_"))))?;
    let gateway = options.gateway(Some(&key.server))?;
    let id = match &args.id {
        Some(id) => id_of(&keys, id)?,
        None => key.id(),
    };
    let shown: Shown = Call::get(&format!("/v1/keys/{id}")).ask(&gateway, &key)?;
    shown.print(args.json)
}

/// Of a key that may be on this machine.
pub fn id_of(keys: &ApiKeys, id_or_name: &str) -> Result<String> {
    if wire::KeyId::parse(id_or_name).is_some() {
        return Ok(id_or_name.to_owned());
    }
    Ok(keys.chosen(Some(id_or_name))?.id())
}
