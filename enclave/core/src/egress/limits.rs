//! What one connection may cost, in time and in bytes.

/// Bounds of one connection. Times are in milliseconds, sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From opening to the first byte that comes back.
    pub connect_ms: u64,
    /// From the first byte that comes back to the end of the TLS handshake.
    pub handshake_ms: u64,
    /// From sending a request to the end of its response's head.
    pub header_ms: u64,
    /// From sending a request to the end of its response.
    pub response_ms: u64,
    /// How long an open connection may wait for its next request.
    pub idle_ms: u64,
    /// Response body, after chunked framing is removed.
    pub max_body: usize,
    /// Response head: status line and header fields, interim (1xx) heads included.
    pub max_head: usize,
    /// Header fields of one response, interim heads included; also of its trailer section.
    pub max_headers: usize,
    /// Requests that wait for their turn.
    pub max_queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_ms: 10_000,
            handshake_ms: 10_000,
            header_ms: 20_000,
            response_ms: 40_000,
            idle_ms: 60_000,
            max_body: 8 << 20,
            max_head: 64 << 10,
            max_headers: 128,
            max_queue: 16,
        }
    }
}
