//! Requests whose answer is awaited: the channel's stream ↔ the caller's connection and stream.

use crate::transport::Outbox;
use std::collections::HashMap;

/// Requests in flight at once; more are refused as `overloaded`.
pub const MOST: usize = 8192;

/// Where an answer goes.
#[derive(Debug)]
pub struct Waiting {
    /// The relay's number of the connection.
    pub connection: u64,
    /// The caller's number of the request.
    pub stream: u32,
    pub answers: Outbox,
}

/// Why a request is not entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotEntered {
    Overloaded,
    /// The caller uses this number for a request that is not answered yet.
    InUse,
}

#[derive(Debug, Default)]
pub struct Pending {
    by_channel: HashMap<u32, Waiting>,
    by_caller: HashMap<(u64, u32), u32>,
    last: u32,
}

impl Pending {
    /// Enters a request and gives it a stream of the channel, one that nobody waits on.
    pub fn enter(&mut self, waiting: Waiting) -> Result<u32, NotEntered> {
        let caller = (waiting.connection, waiting.stream);
        if self.by_caller.contains_key(&caller) {
            return Err(NotEntered::InUse);
        }
        if self.by_channel.len() >= MOST {
            return Err(NotEntered::Overloaded);
        }
        loop {
            self.last = self.last.wrapping_add(1);
            if self.last != super::channel::LINE && !self.by_channel.contains_key(&self.last) {
                break;
            }
        }
        self.by_channel.insert(self.last, waiting);
        self.by_caller.insert(caller, self.last);
        Ok(self.last)
    }

    /// Takes the request that this answer is for; `None` when nobody waits for it (any more).
    pub fn answered(&mut self, channel: u32) -> Option<Waiting> {
        let waiting = self.by_channel.remove(&channel)?;
        self.by_caller.remove(&(waiting.connection, waiting.stream));
        Some(waiting)
    }

    /// Forgets a request; its stream of the channel, if there was one.
    pub fn cancel(&mut self, connection: u64, stream: u32) -> Option<u32> {
        let channel = self.by_caller.remove(&(connection, stream))?;
        self.by_channel.remove(&channel);
        Some(channel)
    }

    /// Forgets all of a connection's requests; their streams of the channel.
    pub fn cancel_all(&mut self, connection: u64) -> Vec<u32> {
        let streams: Vec<u32> =
            self.by_caller.keys().filter(|(of, _)| *of == connection).map(|(_, stream)| *stream).collect();
        streams.into_iter().filter_map(|stream| self.cancel(connection, stream)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(connection: u64, stream: u32) -> Waiting {
        Waiting { connection, stream, answers: Outbox::new(1).0 }
    }

    #[test]
    fn an_answer_goes_to_the_one_who_asked_and_only_once() {
        let mut pending = Pending::default();
        let one = pending.enter(waiting(1, 5)).unwrap();
        let two = pending.enter(waiting(2, 5)).unwrap();
        assert_ne!(one, two);
        assert_eq!(pending.answered(two).map(|to| to.connection), Some(2));
        assert!(pending.answered(two).is_none());
        assert_eq!(pending.enter(waiting(1, 5)).unwrap_err(), NotEntered::InUse);
        assert_eq!(pending.cancel_all(1), vec![one]);
        assert!(pending.answered(one).is_none());
    }

    #[test]
    fn streams_wrap_around_without_meeting_one_in_use() {
        let mut pending = Pending { last: u32::MAX - 1, ..Pending::default() };
        assert_eq!(pending.enter(waiting(1, 0)), Ok(u32::MAX));
        assert_eq!(pending.enter(waiting(1, 1)), Ok(1), "0 is the relay's own");
        pending.last = u32::MAX - 1;
        assert_eq!(pending.enter(waiting(1, 2)), Ok(2));
    }

    #[test]
    fn a_full_table_refuses() {
        let mut pending = Pending::default();
        for stream in 0..u32::try_from(MOST).unwrap() {
            pending.enter(waiting(1, stream)).unwrap();
        }
        assert_eq!(pending.enter(waiting(2, 0)).unwrap_err(), NotEntered::Overloaded);
    }
}
