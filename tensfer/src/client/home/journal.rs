//! What was ordered: each instruction is written down, durably, before it leaves this machine (m38).
//!
//! `actions/REFERENCE.json` in the realm's directory. An entry is settled once its owner was told what became of it. Until
//! then the same command asks for that first, and sends nothing: so a crash at any point, and running it again, pays once.

use super::{Home, files};
use crate::client::encode::serde_base64;
use crate::client::failure::{Failure, Fault, Result};
use crate::client::home::realm::Realm;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use wire::action::{Instruction, Outcome, Reference, Status};
use wire::{Canonical, ConnectionId, UnixMillis};

const FORMAT: &str = "tensfer action";
const VERSION: u8 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    format: String,
    version: u8,
    connection: String,
    /// Canonical CBOR, as it is signed.
    #[serde(with = "serde_base64")]
    instruction: Vec<u8>,
    /// Unix ms: when it first left, or would have.
    sent: u64,
    state: State,
    /// The last outcome, canonical CBOR; empty where there is none.
    #[serde(with = "serde_base64")]
    outcome: Vec<u8>,
    /// The refusal under the enclave's seal: nothing was moved.
    refusal: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It may have left, and no answer was kept.
    Sent,
    /// There is an answer, which its owner may not have seen.
    Answered,
    /// Its owner was told.
    Told,
}

impl Entry {
    pub fn new(connection: ConnectionId, instruction: &Instruction, sent: UnixMillis) -> Entry {
        Entry {
            format: FORMAT.to_owned(),
            version: VERSION,
            connection: connection.to_string(),
            instruction: instruction.to_bytes(),
            sent: sent.0,
            state: State::Sent,
            outcome: Vec::new(),
            refusal: None,
        }
    }

    pub fn connection(&self) -> &str {
        &self.connection
    }

    pub fn sent(&self) -> UnixMillis {
        UnixMillis(self.sent)
    }

    pub fn state(&self) -> State {
        self.state
    }

    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    pub fn instruction(&self) -> Result<Instruction> {
        Instruction::from_bytes(&self.instruction).map_err(|_| damaged())
    }

    pub fn outcome(&self) -> Result<Option<Outcome>> {
        if self.outcome.is_empty() {
            return Ok(None);
        }
        Outcome::from_bytes(&self.outcome).map(Some).map_err(|_| damaged())
    }

    /// Keeps what became of it. What is not known is no answer.
    pub fn answer(&mut self, outcome: &Outcome) {
        self.outcome = outcome.to_bytes();
        self.refusal = None;
        self.state = if outcome.status == Status::Unknown { State::Sent } else { State::Answered };
    }

    pub fn refuse(&mut self, code: &str) {
        self.refusal = Some(code.to_owned());
        self.state = State::Answered;
    }

    /// Its owner knows. One whose end nobody knows stays open.
    pub fn tell(&mut self) {
        if self.state == State::Answered {
            self.state = State::Told;
        }
    }

    /// Its owner decided to let it rest, whatever became of it.
    pub fn give_up(&mut self) {
        self.state = State::Told;
    }

    /// Whether another instruction orders the same, under whatever reference, quote and bounds.
    pub fn is_like(&self, connection: ConnectionId, other: &Instruction) -> Result<bool> {
        let same = |instruction: Instruction| Instruction {
            reference: other.reference,
            quote: other.quote.clone(),
            max_fee: other.max_fee.clone(),
            max_fee_asset: other.max_fee_asset.clone(),
            min_received: other.min_received.clone(),
            ..instruction
        };
        Ok(self.connection == connection.to_string() && same(self.instruction()?) == *other)
    }
}

impl Home {
    /// Writes an entry durably: a crash leaves the old one or the new one.
    pub fn write_action(&self, realm: Realm, entry: &Entry) -> Result<()> {
        let reference = entry.instruction()?.reference;
        let path = self.action_path(realm, reference);
        files::make_private_dir(&self.actions(realm))?;
        let text = serde_json::to_vec_pretty(entry)
            .map_err(|_| Failure::internal("this program could not write down what it is about to send"))?;
        files::replace(&path, &text)
    }

    pub fn action(&self, realm: Realm, reference: Reference) -> Result<Entry> {
        self.find_action(realm, reference)?.ok_or_else(|| {
            let sentence = format!("you have no instruction {}", reference.hex());
            Failure::new(Fault::Usage, "unknown_action", sentence)
                .hint("`tensfer status` lists those that are open")
        })
    }

    /// `None`: nothing was ever sent under this reference from here.
    pub fn find_action(&self, realm: Realm, reference: Reference) -> Result<Option<Entry>> {
        files::read(&self.action_path(realm, reference))?.map(|bytes| parse(&bytes)).transpose()
    }

    /// Every instruction of a realm, oldest first.
    pub fn action_entries(&self, realm: Realm) -> Result<Vec<Entry>> {
        let directory = self.actions(realm);
        let listed = match std::fs::read_dir(&directory) {
            Ok(listed) => listed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                let shown = directory.display();
                return Err(Failure::internal(format!("this machine could not list `{shown}`: {error}")));
            }
        };
        let mut entries = Vec::new();
        for name in listed.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
            if let Some(reference) = name.strip_suffix(".json").and_then(Reference::parse) {
                entries.push(self.action(realm, reference)?);
            }
        }
        entries.sort_by_key(|entry| entry.sent);
        Ok(entries)
    }

    fn actions(&self, realm: Realm) -> PathBuf {
        self.root.join(realm.name()).join("actions")
    }

    fn action_path(&self, realm: Realm, reference: Reference) -> PathBuf {
        self.actions(realm).join(format!("{}.json", reference.hex()))
    }
}

pub fn parse(bytes: &[u8]) -> Result<Entry> {
    let entry: Entry = serde_json::from_slice(bytes).map_err(|_| damaged())?;
    if entry.format != FORMAT || entry.version != VERSION {
        return Err(damaged());
    }
    Ok(entry)
}

fn damaged() -> Failure {
    Failure::refused("journal_damaged", "a file of what you ordered is damaged, so nothing is sent").hint(
        "put back a copy of `actions/` in your TENSFER_HOME, and look at the exchange before you order again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Decimal;
    use wire::action::Kind;

    const HERE: ConnectionId = ConnectionId([1; 16]);

    fn instruction(reference: u8, amount: i64) -> Instruction {
        Instruction::new(Kind::Withdraw, Reference([reference; 16]), "BTC", Decimal::from(amount))
    }

    #[test]
    fn m38_an_entry_is_open_until_its_owner_was_told_and_like_another_whatever_its_reference() {
        let first = instruction(1, 5);
        let mut entry = Entry::new(HERE, &first, UnixMillis(7));
        entry.tell();
        assert_eq!(entry.state(), State::Sent, "nobody knows yet");
        let unknown = Outcome::bare(first.reference, Status::Unknown, UnixMillis(8));
        entry.answer(&unknown);
        entry.tell();
        assert_eq!(entry.state(), State::Sent, "unknown is no answer");
        entry.answer(&Outcome { status: Status::Pending, ..unknown });
        assert_eq!(entry.state(), State::Answered);
        entry.tell();
        assert_eq!(entry.state(), State::Told);
        let mut again = instruction(2, 5);
        again.max_fee = Some("1".into());
        assert!(entry.is_like(HERE, &again).unwrap());
        assert!(!entry.is_like(HERE, &instruction(2, 6)).unwrap());
        assert!(!entry.is_like(ConnectionId([2; 16]), &again).unwrap());
    }

    #[test]
    fn a_damaged_entry_is_no_missing_one() {
        let text = serde_json::to_vec(&Entry::new(HERE, &instruction(1, 5), UnixMillis(7))).unwrap();
        assert!(parse(&text).is_ok());
        for cut in [0, 1, text.len() / 2, text.len() - 1] {
            assert_eq!(parse(&text[..cut]).unwrap_err().code, "journal_damaged");
        }
    }
}
