//! How many requests one address may send.

use crate::rate::Rates;
pub use crate::rate::network;
use std::net::IpAddr;
use std::time::Instant;

/// The addresses that asked lately.
#[derive(Debug)]
pub struct Peers(Rates<IpAddr>);

impl Peers {
    pub fn new(per_second: u32, burst: u32) -> Peers {
        Peers(Rates::new(per_second, burst))
    }

    /// Whether a request of `peer` is within its rate; it counts only then. Headers that name another sender are the
    /// sender's to write, so nobody reads them.
    pub fn admit(&self, peer: IpAddr, now: Instant) -> bool {
        self.0.admit(network(peer), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
}
