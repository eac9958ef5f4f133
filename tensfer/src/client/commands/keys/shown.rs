//! A key as the server shows it.

use super::super::{print, print_json};
use crate::client::clock::rfc3339;
use crate::client::failure::Result;
use crate::client::terminal::printable;
use serde::{Deserialize, Serialize};
use wire::UnixMillis;

/// The server's word. Times are milliseconds since 1970.
#[derive(Debug, Deserialize, Serialize)]
pub struct Shown {
    pub id: String,
    pub organisation: String,
    pub name: String,
    pub algorithm: String,
    pub public_key: String,
    pub scopes: Vec<String>,
    pub environment: String,
    pub networks: Vec<String>,
    pub not_before: u64,
    pub expires: u64,
    pub created: u64,
    pub created_by: String,
    pub revoked: Option<u64>,
    pub replaced_by: Option<String>,
    pub last_used: Option<LastUse>,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct LastUse {
    pub at: u64,
    pub from: String,
}

impl Shown {
    pub fn print(&self, json: bool) -> Result<()> {
        if json { print_json(self) } else { print(&self.text()) }
    }

    fn text(&self) -> String {
        let list =
            |texts: &[String], none: &str| if texts.is_empty() { none.to_owned() } else { texts.join(" ") };
        let used = self.last_used.as_ref();
        let used = used.map_or("never".to_owned(), |used| format!("{} from {}", time(used.at), used.from));
        let rows = [
            ("id", self.id.clone()),
            ("organisation", self.organisation.clone()),
            ("name", self.name.clone()),
            ("state", self.state().to_owned()),
            ("algorithm", self.algorithm.clone()),
            ("scopes", list(&self.scopes, "none")),
            ("environment", self.environment.clone()),
            ("networks", list(&self.networks, "any")),
            ("created", format!("{} by {}", time(self.created), self.created_by)),
            ("expires", time(self.expires)),
            ("last used", used),
        ];
        rows.map(|(name, value)| format!("{name:<12} {}\n", printable(&value))).concat()
    }

    pub fn state(&self) -> &'static str {
        match (self.revoked, &self.replaced_by) {
            (Some(_), Some(_)) => "replaced",
            (Some(_), None) => "revoked",
            (None, Some(_)) => "being replaced",
            (None, None) => "in use",
        }
    }
}

pub fn time(millis: u64) -> String {
    rfc3339(UnixMillis(millis))
}
