//! Time is a parameter: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.

use core::time::Duration;
use minicbor::{Decode, Encode};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct UnixMillis(#[n(0)] pub u64);

impl UnixMillis {
    /// What a clock gives that counts from 1970.
    pub fn after_1970(since: Duration) -> UnixMillis {
        UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    #[must_use]
    pub const fn plus(self, millis: u64) -> UnixMillis {
        UnixMillis(self.0.saturating_add(millis))
    }

    #[must_use]
    pub const fn minus(self, millis: u64) -> UnixMillis {
        UnixMillis(self.0.saturating_sub(millis))
    }

    /// The distance between two instants, whichever is earlier.
    pub const fn distance(self, other: UnixMillis) -> u64 {
        self.0.abs_diff(other.0)
    }
}
