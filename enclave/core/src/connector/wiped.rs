//! Bytes on their way into a request. They may hold fields of a credential, so they are erased on drop, and from the
//! place that they outgrow.

use zeroize::Zeroizing;

#[derive(Default)]
pub struct Wiped(Zeroizing<Vec<u8>>);

impl Wiped {
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub fn push(&mut self, bytes: &[u8]) {
        if self.0.capacity() - self.0.len() < bytes.len() {
            let capacity = (self.0.len() + bytes.len()).max(2 * self.0.capacity());
            let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Hands the bytes on, to a holder that erases them.
    pub fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.0)
    }

    /// As text. What is none is erased.
    pub fn into_text(self) -> Option<String> {
        String::from_utf8(self.into_bytes()).map_err(|error| drop(Self::from(error.into_bytes()))).ok()
    }
}

impl From<Vec<u8>> for Wiped {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_outgrow_their_place_stay_whole() {
        let mut wiped = Wiped::default();
        let expected: Vec<u8> = (0..=255).cycle().take(3_000).collect();
        expected.chunks(7).for_each(|chunk| wiped.push(chunk));
        assert_eq!(wiped.bytes(), expected);
        assert_eq!(wiped.into_bytes(), expected);
    }

    #[test]
    fn what_is_no_text_is_none() {
        assert_eq!(Wiped::from(b"text".to_vec()).into_text().as_deref(), Some("text"));
        assert_eq!(Wiped::from(vec![0xff]).into_text(), None);
    }
}
