//! How many requests one address may send: the generic cell rate algorithm (ITU-T I.371), in whole nanoseconds.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Addresses remembered at once. When that many are active, those we do not know have to wait: a flood from many
/// addresses must not make us forget the ones that we limit.
const ADDRESSES: usize = 65_536;
/// A full table is searched for those that are idle no more often than this.
const SWEEP: Duration = Duration::from_millis(100);

/// The addresses that asked lately.
#[derive(Debug)]
pub struct Peers {
    /// Time between two requests at the rate that may be kept up.
    interval: Duration,
    /// How far ahead of that rate one may be.
    tolerance: Duration,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// When each address would be at its rate exactly. One in the past says nothing.
    due: HashMap<IpAddr, Instant>,
    swept: Option<Instant>,
}

impl Peers {
    pub fn new(per_second: u32, burst: u32) -> Peers {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Peers { interval, tolerance: interval * burst.saturating_sub(1), table: Mutex::default() }
    }

    /// Whether a request of `peer` is within its rate; it counts only then. Headers that name another sender are the
    /// sender's to write, so nobody reads them.
    pub fn admit(&self, peer: IpAddr, now: Instant) -> bool {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.sweep(now);
        let due = &mut table.due;
        let network = network(peer);
        let at = match due.get(&network) {
            Some(at) => (*at).max(now),
            None if due.len() >= ADDRESSES => return false,
            None => now,
        };
        let admitted = at.saturating_duration_since(now) <= self.tolerance;
        if admitted {
            due.insert(network, at + self.interval);
        }
        admitted
    }
}

impl Table {
    fn sweep(&mut self, now: Instant) {
        let recently = self.swept.is_some_and(|at| now.saturating_duration_since(at) < SWEEP);
        if self.due.len() >= ADDRESSES && !recently {
            self.due.retain(|_, at| *at > now);
            self.swept = Some(now);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_holds_and_others_are_not_touched() {
        let peers = Peers::new(10, 3);
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let start = Instant::now();
        assert_eq!((0..5).filter(|_| peers.admit(one, start)).count(), 3);
        assert!(peers.admit(other, start));
        let later = start + Duration::from_millis(100);
        assert_eq!((0..5).filter(|_| peers.admit(one, later)).count(), 1);
        let much_later = start + Duration::from_secs(60);
        assert_eq!((0..5).filter(|_| peers.admit(one, much_later)).count(), 3);
    }

    #[test]
    fn a_subscriber_with_many_addresses_is_one() {
        let peers = Peers::new(1, 1);
        let now = Instant::now();
        assert!(peers.admit("2001:db8::1".parse().unwrap(), now));
        assert!(!peers.admit("2001:db8::2".parse().unwrap(), now));
        assert!(!peers.admit("2001:db8::ffff:1".parse().unwrap(), now));
        assert!(peers.admit("2001:db8:0:1::1".parse().unwrap(), now));
        assert!(peers.admit("::ffff:192.0.2.1".parse().unwrap(), now));
        assert!(!peers.admit("192.0.2.1".parse().unwrap(), now));
    }

    #[test]
    fn a_flood_of_addresses_neither_grows_without_bound_nor_frees_the_limited() {
        let peers = Peers::new(1, 1);
        let now = Instant::now();
        for number in 0..70_000_u32 {
            let admitted = peers.admit(IpAddr::V4((0x0b00_0000 + number).into()), now);
            assert_eq!(admitted, (number as usize) < ADDRESSES);
        }
        assert!(!peers.admit(IpAddr::V4(0x0b00_0000_u32.into()), now));
        assert_eq!(peers.table.lock().unwrap().due.len(), ADDRESSES);
        let later = now + Duration::from_secs(2);
        assert!(peers.admit("192.0.2.1".parse().unwrap(), later));
        assert_eq!(peers.table.lock().unwrap().due.len(), 1);
    }
}
