//! The chain of receipts of one connection, as this device saw it: gaps are refused, boots are remembered.

use crate::client::encode::{from_hex, hex};
use crate::client::failure::{Failure, Result};
use crate::client::terminal::counted;
use serde::{Deserialize, Serialize};
use wire::receipt::Receipt;

/// Boots and gaps remembered; the oldest go first (m23).
const MAX_HISTORY: usize = 32;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipts {
    /// How often this changed: of two accounts of one connection the one further on holds.
    #[serde(default)]
    pub step: u64,
    /// Of the last receipt; 0: none yet.
    pub counter: u64,
    /// SHA-256 of the last receipt's payload, hexadecimal.
    #[serde(with = "hash")]
    pub last: Option<[u8; 32]>,
    /// Requests of this device whose reply never arrived, since the last receipt.
    pub unanswered: u64,
    /// Starts of the enclave that answered, oldest first.
    pub boots: Vec<Boot>,
    pub gaps: Vec<Gap>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boot {
    pub boot: String,
    /// Counter and claimed time (Unix milliseconds) of its first receipt here.
    pub counter: u64,
    pub time: u64,
}

/// Receipts that this device never saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    pub after: u64,
    pub before: u64,
    pub time: u64,
}

/// What a receipt says beside its operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Another start of the enclave than the last time.
    pub boot_changed: bool,
    /// Earlier replies to this device were lost on the way: as many as were missing.
    pub lost: u64,
}

impl Receipts {
    /// Takes another account of the same connection where it is further on.
    pub fn catch_up(&mut self, other: Option<Receipts>) {
        if let Some(other) = other.filter(|other| other.step > self.step) {
            *self = other;
        }
    }

    /// A request is about to leave: were its reply lost, the next receipt would be one further.
    pub fn expect_reply(&mut self) {
        self.step += 1;
        self.unanswered = self.unanswered.saturating_add(1);
    }

    /// The request never left this machine.
    pub fn nothing_sent(&mut self) {
        self.step += 1;
        self.unanswered = self.unanswered.saturating_sub(1);
    }

    /// Takes the next receipt, whose signature and request hash are already checked.
    ///
    /// A gap that lost replies of this device explain is news; any other is recorded, so that it stays visible,
    /// and refused. The chain goes on behind it: a gap is reported once.
    pub fn take(&mut self, receipt: &Receipt, payload_hash: [u8; 32]) -> Result<News> {
        let expected = self.counter.saturating_add(1);
        if receipt.counter < expected {
            return Err(Failure::refused(
                "receipt_replayed",
                "the server answered with a receipt from the past",
            )
            .hint("nothing of the reply was used; report this to whoever runs the server"));
        }
        let missing = receipt.counter - expected;
        let explained = missing <= self.unanswered.saturating_sub(1);
        // Behind a gap the previous receipt is one that this device never saw.
        if missing == 0 && receipt.previous != self.last {
            return Err(Failure::refused(
                "receipt_forked",
                "the server answered with a receipt of another history",
            )
            .hint("nothing of the reply was used; report this to whoever runs the server"));
        }
        self.step += 1;
        let boot_changed = self.note_boot(receipt);
        if missing > 0 && !explained {
            push_bounded(
                &mut self.gaps,
                Gap { after: self.counter, before: receipt.counter, time: receipt.time.0 },
            );
        }
        self.counter = receipt.counter;
        self.last = Some(payload_hash);
        self.unanswered = 0;
        match missing {
            0 => Ok(News { boot_changed, lost: 0 }),
            lost if explained => Ok(News { boot_changed, lost }),
            missing => Err(Failure::refused(
                "receipt_gap",
                format!(
                    "the enclave answered {} for this connection that this device never made or never saw",
                    counted(missing, "request", "requests")
                ),
            )
            .hint("if it was neither another device of yours nor a backup put back here, remove the key at the exchange; `tensfer connections` keeps the record")),
        }
    }

    fn note_boot(&mut self, receipt: &Receipt) -> bool {
        let boot = receipt.boot.to_string();
        let known = self.boots.last().map(|last| last.boot == boot);
        if known != Some(true) {
            push_bounded(&mut self.boots, Boot { boot, counter: receipt.counter, time: receipt.time.0 });
        }
        known == Some(false)
    }
}

fn push_bounded<T>(history: &mut Vec<T>, entry: T) {
    if history.len() >= MAX_HISTORY {
        history.remove(0);
    }
    history.push(entry);
}

mod hash {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<S: Serializer>(hash: &Option<[u8; 32]>, serializer: S) -> Result<S::Ok, S::Error> {
        hash.as_ref().map(|hash| super::hex(hash)).serialize(serializer)
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Option<[u8; 32]>, D::Error> {
        let parse = |text: String| {
            let bytes = super::from_hex(&text)?;
            <[u8; 32]>::try_from(bytes).ok()
        };
        match Option::<String>::deserialize(deserializer)? {
            None => Ok(None),
            Some(text) => parse(text).map(Some).ok_or_else(|| D::Error::custom("not a SHA-256 hash")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::operation::Op;
    use wire::{BootId, UnixMillis};

    fn receipt(counter: u64, previous: Option<[u8; 32]>, boot: u8) -> Receipt {
        Receipt {
            op: Some(Op::Balances),
            connection: None,
            boot: BootId([boot; 16]),
            counter,
            previous,
            request: [0; 32],
            refusal: None,
            time: UnixMillis(counter * 1000),
            position: None,
            result: None,
            grant: None,
        }
    }

    fn answered(receipts: &mut Receipts, receipt: &Receipt) -> Result<News> {
        receipts.expect_reply();
        receipts.take(receipt, [u8::try_from(receipt.counter).unwrap(); 32])
    }

    #[test]
    fn a_chain_without_gaps_is_taken_and_a_new_boot_is_told_once() {
        let mut receipts = Receipts::default();
        assert_eq!(answered(&mut receipts, &receipt(1, None, 1)).unwrap(), News::default());
        assert_eq!(answered(&mut receipts, &receipt(2, Some([1; 32]), 1)).unwrap(), News::default());
        let news = answered(&mut receipts, &receipt(3, Some([2; 32]), 9)).unwrap();
        assert!(news.boot_changed);
        assert!(!answered(&mut receipts, &receipt(4, Some([3; 32]), 9)).unwrap().boot_changed);
        assert_eq!(receipts.boots.len(), 2);
    }

    #[test]
    fn a_replayed_or_forked_receipt_is_refused_and_changes_nothing() {
        let mut receipts = Receipts::default();
        answered(&mut receipts, &receipt(1, None, 1)).unwrap();
        receipts.expect_reply();
        let before = receipts.clone();
        assert_eq!(receipts.take(&receipt(1, None, 1), [1; 32]).unwrap_err().code, "receipt_replayed");
        assert_eq!(receipts.take(&receipt(2, Some([7; 32]), 1), [2; 32]).unwrap_err().code, "receipt_forked");
        assert_eq!(receipts.take(&receipt(2, None, 1), [2; 32]).unwrap_err().code, "receipt_forked");
        assert_eq!(receipts, before);
    }

    #[test]
    fn a_gap_is_refused_recorded_and_reported_once() {
        let mut receipts = Receipts::default();
        answered(&mut receipts, &receipt(1, None, 1)).unwrap();
        let failure = answered(&mut receipts, &receipt(4, Some([3; 32]), 1)).unwrap_err();
        assert_eq!(failure.code, "receipt_gap");
        assert!(failure.sentence.contains("answered 2 requests"), "{failure}");
        assert_eq!(receipts.gaps, [Gap { after: 1, before: 4, time: 4000 }]);
        assert!(answered(&mut receipts, &receipt(5, Some([4; 32]), 1)).is_ok());
    }

    #[test]
    fn lost_replies_of_this_device_explain_as_many_missing_receipts() {
        let mut receipts = Receipts::default();
        answered(&mut receipts, &receipt(1, None, 1)).unwrap();
        receipts.expect_reply();
        receipts.expect_reply();
        assert_eq!(answered(&mut receipts, &receipt(4, Some([3; 32]), 1)).unwrap().lost, 2);
        assert!(receipts.gaps.is_empty());
        receipts.expect_reply();
        assert!(answered(&mut receipts, &receipt(7, Some([6; 32]), 1)).is_err());
    }

    #[test]
    fn m23_the_history_does_not_grow_without_end() {
        let mut receipts = Receipts::default();
        for counter in 1..200u64 {
            let previous = (counter > 1).then(|| [u8::try_from(counter - 1).unwrap(); 32]);
            answered(&mut receipts, &receipt(counter, previous, u8::try_from(counter).unwrap())).unwrap();
        }
        assert_eq!(receipts.boots.len(), MAX_HISTORY);
    }
}
