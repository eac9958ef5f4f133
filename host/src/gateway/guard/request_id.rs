//! A name for one request, in its response and in the log.

/// `req_` and 32 hexadecimal digits.
#[derive(Clone, Debug)]
pub struct RequestId(String);

impl RequestId {
    /// Random; of no use to anyone but who looks for the request.
    pub fn make() -> RequestId {
        let mut bytes = [0; 16];
        // A kernel without randomness leaves zeros: the name is then not unique, and nothing depends on that.
        let _ = getrandom::fill(&mut bytes);
        RequestId(format!("req_{:032x}", u128::from_be_bytes(bytes)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
