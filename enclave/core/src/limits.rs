//! What the enclave keeps at most. Everything the host or a caller can make it keep has a bound here; at the bound
//! it refuses `overloaded` and stays as it was.

use wire::request::MAX_VALIDITY_MS;

/// How far a claimed time may be from a request's `issued`, and below the floor.
pub(crate) const CLOCK_TOLERANCE_MS: u64 = 120_000;

/// How long the floor of the claimed time rises by the monotonic counter alone. Long enough for every remembered
/// nonce to expire; short enough that a drifting counter never runs away from the world's time.
pub(crate) const FLOOR_RISE_MS: u64 = MAX_VALIDITY_MS + CLOCK_TOLERANCE_MS;

/// Nonces of owner-signed requests: some 70 bytes each.
pub(crate) const MAX_NONCES: usize = 1 << 20;

/// Of those, the room in which a `link` is still heard: it takes nothing but fresh keys, so strangers could fill the
/// whole table and keep owners out.
pub(crate) const MAX_NONCES_FOR_LINK: usize = MAX_NONCES / 2;

/// And of those, the ones of one connection, by its envelope: so that no holder fills the half of the holders. Nonces
/// are remembered for about four minutes, hence four requests a second without end.
pub(crate) const MAX_NONCES_OF_ONE: u32 = 1024;

/// Connections that this start has seen: generation, receipts, provider nonces.
pub(crate) const MAX_CONNECTIONS: usize = 1 << 18;

/// Of those, the ones that were linked in this start. The rest of the table is for envelopes that open: whoever has one
/// finds room, however many newcomers there are.
pub(crate) const MAX_LINKED: usize = MAX_CONNECTIONS / 2;

/// Of those, the ones with one provider credential; and as many again that came with their envelope.
pub(crate) const MAX_CONNECTIONS_OF_ONE: u16 = 128;

/// How long the host may take to have a head witnessed, a term promised, or a connection looked up.
pub(crate) const COMMIT_MS: u64 = 10_000;

/// How long nothing is asked of a host whose last answer was wrong: an older state, or paths of another map.
pub(crate) const TAKE_MS: u64 = 1_000;

/// Answers that wait for a head, and requests that wait for their connection's state: as many as there can be calls; and
/// the bytes of those requests.
pub(crate) const MAX_HELD_BACK: usize = 2 * MAX_CALLS;
pub(crate) const MAX_LOOKED_UP: usize = MAX_CALLS;
pub(crate) const MAX_LOOKED_UP_BYTES: usize = 32 << 20;
/// Batches of envelopes that wait for what the map has of them: each a frame, and an answer of the same size under way.
pub(crate) const MAX_SURVEYS: usize = 16;

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

/// Operations that wait for a provider; of those, for one connection.
pub(crate) const MAX_CALLS: usize = 4096;
pub(crate) const MAX_CALLS_OF_ONE: usize = 4;

/// References of instructions, and how long each is remembered at least.
pub(crate) const MAX_REFERENCES: usize = 1 << 16;
pub(crate) const REFERENCE_MS: u64 = 24 * 3_600_000;
/// A provider that refuses a second use for a while is taken to forget so long before the while is over.
pub(crate) const ONCE_MARGIN_MS: u64 = 3_600_000;

/// How long an operation may wait for its provider, retries included.
pub(crate) const CALL_MS: u64 = 60_000;

/// How long a request to an authorisation server may take: longer than the egress gives it, so that what comes is kept.
pub(crate) const MUST_END_MS: u64 = 120_000;

/// Egress streams, idle ones included; and of one owner to one host: as many as the widest connector has account types
/// on one host, so that none of them waits for the answer to another. How fast they are asked is the connector's `limit`.
pub(crate) const MAX_STREAMS: usize = 8192;
pub(crate) const MAX_STREAMS_TO_HOST: usize = 12;

/// How long prices of an exchange serve every owner, and how long it is left alone after they failed to come.
pub(crate) const PRICES_MS: u64 = 15_000;
pub(crate) const PRICES_PAUSE_MS: u64 = 5_000;

/// Credentials whose provider nonce and clock are remembered while they are not in use.
pub(crate) const MAX_CREDENTIALS: usize = 1 << 16;

/// Credentials that a provider replaced and whose owners have not stored the new ones: some KiB each at most.
pub(crate) const MAX_HELD: usize = 1 << 13;

/// Of those, the ones that newcomers can fill: so that none of them keeps an owner from a refresh.
pub(crate) const MAX_HELD_FOR_FINISH: usize = MAX_HELD / 2;

/// Access tokens that were renewed in memory, some KiB each at most; the provider gives what is dropped again.
pub(crate) const MAX_RENEWED: usize = 1 << 13;

/// An access token with less left than this is refreshed before it is used.
pub(crate) const REFRESH_BEFORE_MS: u64 = 30_000;

/// How long a capability finding holds before it should be looked up again.
pub(crate) const FINDING_MS: u64 = 7 * 24 * 3_600_000;

/// Provider connections: what the egress defaults give, but for less memory and a shorter idle time.
pub(crate) fn egress_limits() -> crate::egress::Limits {
    crate::egress::Limits { max_body: 4 << 20, idle_ms: 45_000, ..crate::egress::Limits::default() }
}
