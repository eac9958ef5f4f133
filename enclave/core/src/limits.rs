//! What the enclave keeps at most. Everything the host or a caller can make it keep has a bound here; at the bound
//! it refuses `overloaded` and stays as it was.

use wire::request::MAX_VALIDITY_MS;

/// How far a claimed time may be from a request's `issued`, and below the floor.
pub(crate) const CLOCK_TOLERANCE_MS: u64 = 120_000;

/// How long the floor of the claimed time rises by the monotonic counter alone. Long enough for every remembered
/// nonce to expire; short enough that a drifting counter never runs away from the world's time.
pub(crate) const FLOOR_RISE_MS: u64 = MAX_VALIDITY_MS + CLOCK_TOLERANCE_MS;

/// Nonces of owner-signed requests: some 40 bytes each.
pub(crate) const MAX_NONCES: usize = 1 << 20;

/// Connections that this start has seen: generation, receipts, provider nonces.
pub(crate) const MAX_CONNECTIONS: usize = 1 << 18;

/// A sealing key is current for one period and previous for another.
pub(crate) const KEY_PERIOD_MS: u64 = 30 * 60_000;

/// A jump of the claimed time re-issues the identity at most this often.
pub(crate) const MIN_KEY_PERIOD_MS: u64 = 10_000;

/// Clients' nonces that one quote answers, and how long the first of them waits for company.
pub(crate) const MAX_QUOTE_NONCES: usize = 1024;
pub(crate) const QUOTE_WINDOW_MS: u64 = 5;

/// Bytes of frames that the program has not taken yet. Above the first, requests are refused; above the second
/// nobody reads any more, and the enclave ends.
pub(crate) const OUTBOX_FULL: usize = 32 << 20;
pub(crate) const OUTBOX_DEAD: usize = 96 << 20;
