//! Why an exchange refuses a call. Each dialect spells every case as its documentation does.

/// A closed set: a dialect that forgets a case does not compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A header or parameter that authentication needs is missing; the exchange's own name for it.
    Missing(&'static str),
    /// Nobody holds this key, or it was revoked.
    UnknownKey,
    BadPassphrase,
    BadSignature,
    /// The timestamp sent (Unix milliseconds) lies outside the window around the exchange's clock.
    BadTimestamp {
        sent: u64,
    },
    /// Not larger than the last nonce of this key.
    BadNonce,
    /// The key may not do this.
    NotPermitted,
    /// The key is bound to other addresses.
    IpNotAllowed,
    RateLimited {
        retry_after: u32,
    },
    Maintenance,
    /// The exchange's own failure, with its HTTP status.
    Failing {
        status: u16,
    },
    UnknownEndpoint,
    /// A parameter is missing or wrong; the exchange's own name for it.
    BadParameter(&'static str),
    InsufficientFunds,
}
