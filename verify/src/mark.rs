//! What a client remembers of a line's history, and what it makes of the next reply (docs/spec/client.md §9).

use core::fmt;
use wire::freshness::Mark;

/// A reply, or an enclave, that contradicts what a client has seen. Never the client's own fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfresh {
    /// The reply is of an older state than one that was seen before it was asked for.
    RolledBack,
    /// Two states of one place.
    Forked,
    /// A result says nothing of its state, where others did.
    Unmarked,
    /// The connection was served by another deployment, or by one that has witnesses.
    OtherDeployment,
    /// The enclave holds an epoch that was destroyed.
    EpochReturned,
}

impl Unfresh {
    pub const ALL: [Unfresh; 5] = [
        Unfresh::RolledBack,
        Unfresh::Forked,
        Unfresh::Unmarked,
        Unfresh::OtherDeployment,
        Unfresh::EpochReturned,
    ];

    /// The stable text code.
    pub const fn code(self) -> &'static str {
        match self {
            Unfresh::RolledBack => "rolled_back",
            Unfresh::Forked => "forked",
            Unfresh::Unmarked => "unmarked",
            Unfresh::OtherDeployment => "other_deployment",
            Unfresh::EpochReturned => "epoch_returned",
        }
    }
}

impl fmt::Display for Unfresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unfresh::RolledBack => "it is of an older state than you have seen",
            Unfresh::Forked => {
                "there are two histories: it is of another state than you have seen at the same place"
            }
            Unfresh::Unmarked => "it does not say which state it is of, and earlier ones did",
            Unfresh::OtherDeployment => {
                "another deployment answers for this connection, or one without witnesses"
            }
            Unfresh::EpochReturned => "it holds a root epoch that you have seen destroyed",
        })
    }
}

impl core::error::Error for Unfresh {}

/// Whether a reply fits what is known of its line. `asked_after` is the highest mark that was known when the request was
/// sent, `known` the highest one now: replies overtake one another, so a lower one than `known` is no alarm.
pub fn check(
    mark: Option<&Mark>,
    is_result: bool,
    asked_after: Option<&Mark>,
    known: Option<&Mark>,
) -> Result<(), Unfresh> {
    let Some(mark) = mark else {
        return if is_result && asked_after.is_some() { Err(Unfresh::Unmarked) } else { Ok(()) };
    };
    let differs = |other: &&Mark| other.position() == mark.position() && other.head != mark.head;
    if asked_after.iter().chain(known.iter()).any(differs) {
        return Err(Unfresh::Forked);
    }
    if asked_after.is_some_and(|before| mark.position() < before.position()) {
        return Err(Unfresh::RolledBack);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::evidence::Hash;

    fn mark(term: u64, counter: u64, head: u8) -> Mark {
        Mark { line: 0, term, counter, head: Hash([head; 32]) }
    }

    #[test]
    fn a_lower_term_or_counter_than_before_the_request_is_a_rollback() {
        let seen = mark(2, 5, 1);
        for (reply, expected) in [
            (mark(2, 5, 1), Ok(())),
            (mark(2, 6, 2), Ok(())),
            (mark(3, 1, 2), Ok(())),
            (mark(2, 4, 2), Err(Unfresh::RolledBack)),
            (mark(1, 9, 2), Err(Unfresh::RolledBack)),
            (mark(2, 5, 2), Err(Unfresh::Forked)),
        ] {
            assert_eq!(check(Some(&reply), true, Some(&seen), Some(&seen)), expected, "{reply:?}");
        }
    }

    #[test]
    fn a_reply_that_another_one_overtook_is_no_alarm_but_a_fork_is() {
        let (before, now) = (mark(1, 1, 1), mark(1, 4, 4));
        assert_eq!(check(Some(&mark(1, 3, 3)), true, Some(&before), Some(&now)), Ok(()));
        assert_eq!(check(Some(&mark(1, 4, 9)), true, Some(&before), Some(&now)), Err(Unfresh::Forked));
        assert_eq!(check(Some(&mark(1, 1, 1)), true, None, Some(&now)), Ok(()));
    }

    #[test]
    fn a_result_without_a_mark_is_an_alarm_once_there_was_one_and_a_refusal_is_not() {
        let seen = mark(1, 1, 1);
        assert_eq!(check(None, true, Some(&seen), Some(&seen)), Err(Unfresh::Unmarked));
        assert_eq!(check(None, false, Some(&seen), Some(&seen)), Ok(()));
        assert_eq!(check(None, true, None, None), Ok(()));
    }
}
