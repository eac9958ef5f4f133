//! Epochs that are about to end: owners who have envelopes in them are told, by whatever command they give.

use super::clock::rfc3339;
use super::failure::Result;
use super::home::Home;
use super::home::realm::Realm;
use super::home::record::{Record, Slot};
use super::terminal::{printable, say};
use wire::identity::{Identity, Noticed};

/// Of so many connections the names are said.
const NAMED: usize = 5;

/// Warns of the connections of this server whose envelopes end with an epoch that its enclave has given notice of.
pub fn warn(home: &Home, realm: Realm, server: &str, identity: &Identity) -> Result<()> {
    if identity.notices.is_empty() {
        return Ok(());
    }
    let records = home.connections_in(realm)?;
    let here: Vec<&Record> = records.iter().filter(|record| record.server == server).collect();
    for notice in &identity.notices {
        let is_under = |slot: &Slot| (slot.class(), slot.epoch <= notice.epoch) == (notice.class, true);
        let under: Vec<&str> = here
            .iter()
            .filter(|record| record.current.as_ref().is_some_and(is_under))
            .map(|record| record.name.as_str())
            .collect();
        if !under.is_empty() {
            let sentence = sentence(notice, &under);
            if home.tells_first(&sentence) {
                say(sentence);
            }
        }
    }
    Ok(())
}

fn sentence(notice: &Noticed, names: &[&str]) -> String {
    let named: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{}`", printable(name))).collect();
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(
        "WARNING: you LOSE {}{more} when epoch {} of class {} ends, which may be from {} on\n\
         hint: run `tensfer rotate --all --epoch` before",
        named.join(", "),
        notice.epoch,
        notice.class,
        rfc3339(notice.until()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::UnixMillis;
    use wire::consent::Class;

    #[test]
    fn who_loses_what_and_when_is_said_and_what_to_do() {
        let notice =
            Noticed { class: Class::Any, epoch: 4, since: UnixMillis(1_795_305_600_000), hours: 168 };
        let names = ["a", "b", "c", "d", "e", "f\u{1b}[2J", "g"];
        let said = sentence(&notice, &names);
        for part in ["`a`, `b`", "`e` and 2 more", "epoch 4", "2026-11-29T00:00:00", "rotate --all --epoch"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
