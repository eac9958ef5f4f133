//! `keys revoke`

use super::show::id_of;
use super::shown::Shown;
use crate::client::calls::Call;
use crate::client::failure::Result;
use crate::client::options::Options;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer keys revoke reports --key backend")]
pub struct Args {
    /// The key's id, or the name of one on this machine.
    id: String,

    /// The API key that asks, by its name on this machine; not needed if there is only one.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,

    /// Print JSON: the key as the server shows it.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let keys = options.api_keys()?;
    let key = keys.chosen(args.key.as_deref())?;
    let gateway = options.gateway(Some(&key.server))?;
    let target = format!("/v1/keys/{}/revoke", id_of(&keys, &args.id)?);
    let call = Call { method: "POST", target: &target, fields: Vec::new(), body: &[] };
    let shown: Shown = call.ask(&gateway, &key)?;
    shown.print(args.json)
}
