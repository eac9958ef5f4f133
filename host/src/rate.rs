//! How many requests someone may send: the generic cell rate algorithm (ITU-T I.371), in whole nanoseconds.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Remembered at once. When that many are active, those we do not know have to wait: a flood from many must not make us forget the
/// ones that we limit.
const MOST: usize = 65_536;
/// A full table is searched for those that are idle no more often than this.
const SWEEP: Duration = Duration::from_millis(100);

/// Who asked lately.
#[derive(Debug)]
pub struct Rates<K> {
    /// Time between two requests at the rate that may be kept up.
    interval: Duration,
    /// How far ahead of that rate one may be.
    tolerance: Duration,
    table: Mutex<Table<K>>,
}

#[derive(Debug)]
struct Table<K> {
    /// When each would be at its rate exactly. One in the past says nothing.
    due: HashMap<K, Instant>,
    swept: Option<Instant>,
}

impl<K: Eq + Hash> Rates<K> {
    pub fn new(per_second: u32, burst: u32) -> Rates<K> {
        let interval = Duration::from_secs(1) / per_second.max(1);
        let table = Mutex::new(Table { due: HashMap::new(), swept: None });
        Rates { interval, tolerance: interval * burst.saturating_sub(1), table }
    }

    /// Whether a request of `who` is within its rate; it counts only then.
    pub fn admit(&self, who: K, now: Instant) -> bool {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.sweep(now);
        let due = &mut table.due;
        let at = match due.get(&who) {
            Some(at) => (*at).max(now),
            None if due.len() >= MOST => return false,
            None => now,
        };
        let admitted = at.saturating_duration_since(now) <= self.tolerance;
        if admitted {
            due.insert(who, at + self.interval);
        }
        admitted
    }
}

/// One subscriber's addresses: an IPv4 address, or an IPv6 /64.
pub fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => IpAddr::V4(mapped),
            None => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        },
        IpAddr::V4(_) => peer,
    }
}

impl<K: Eq + Hash> Table<K> {
    fn sweep(&mut self, now: Instant) {
        let recently = self.swept.is_some_and(|at| now.saturating_duration_since(at) < SWEEP);
        if self.due.len() >= MOST && !recently {
            self.due.retain(|_, at| *at > now);
            self.swept = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_neither_grows_without_bound_nor_frees_the_limited() {
        let rates = Rates::new(1, 1);
        let now = Instant::now();
        for number in 0..70_000_usize {
            assert_eq!(rates.admit(number, now), number < MOST);
        }
        assert!(!rates.admit(0, now));
        assert_eq!(rates.table.lock().unwrap().due.len(), MOST);
        let later = now + Duration::from_secs(2);
        assert!(rates.admit(70_001, later));
        assert_eq!(rates.table.lock().unwrap().due.len(), 1);
    }
}
