//! `policy fetch`

use super::super::{print, print_json};
use super::{JSON, Shown};
use crate::client::calls::Call;
use crate::client::clock::rfc3339;
use crate::client::failure::{Failure, Result};
use crate::client::options::Options;
use crate::client::terminal::{plain_lines, printable, say};
use wire::UnixMillis;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  tensfer policy fetch > restrictions.cedar\n  \
    tensfer policy fetch | tensfer policy explain keys.list --scope keys:read --restrictions -")]
pub struct Args {
    /// The API key that asks, by its name on this machine; not needed if there is only one.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,

    #[arg(long, help = JSON)]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let key = options.api_keys()?.chosen(args.key.as_deref())?;
    let gateway = options.gateway(Some(&key.server))?;
    let shown: Shown = Call::get("/v1/policies").ask(&gateway, &key)?;
    if args.json {
        return print_json(&shown);
    }
    let text = plain_lines(&shown.text).ok_or_else(|| {
        Failure::refused("not_plain", "the policies have characters that a terminal would obey or hide")
            .hint("look at them with `--json`")
    })?;
    say(shown.about());
    print(text)
}

impl Shown {
    /// Which version it is, in words.
    pub fn about(&self) -> String {
        let when = self.changed.map(|at| format!(", of {}", rfc3339(UnixMillis(at)))).unwrap_or_default();
        let by = self.changed_by.as_deref().map(|by| format!(", by {}", printable(by))).unwrap_or_default();
        match (self.version, self.text.is_empty()) {
            (0, _) => "Your organisation forbids itself nothing, and never did (version 0).".to_owned(),
            (version, true) => {
                format!("Your organisation forbids itself nothing: version {version}{when}{by}.")
            }
            (version, false) => format!("Version {version}{when}{by}."),
        }
    }
}
