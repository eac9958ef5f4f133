//! The secrets that a search looks for.

use std::fmt;

/// Shorter than this, a find would be chance.
const SHORTEST: usize = 12;

/// Secrets by name. Their bytes go into a scanner and nowhere else.
#[derive(Clone, Default)]
pub struct Marks(Vec<Mark>);

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub name: String,
    pub secret: Vec<u8>,
}

impl Marks {
    pub fn new() -> Marks {
        Marks::default()
    }

    /// Marks a secret. Several may share a name.
    ///
    /// # Panics
    /// When it is too short to be told from chance, or so uniform that anything could be it.
    #[must_use]
    pub fn with(mut self, name: &str, secret: &[u8]) -> Marks {
        assert!(secret.len() >= SHORTEST, "`{name}` has {} bytes: too few to search for", secret.len());
        self.0.push(Mark { name: name.to_owned(), secret: secret.to_vec() });
        self
    }

    /// Both lists, each mark once.
    #[must_use]
    pub fn and(mut self, others: &Marks) -> Marks {
        for mark in &others.0 {
            if !self.0.contains(mark) {
                self.0.push(mark.clone());
            }
        }
        self
    }

    /// Those that are not called so.
    #[must_use]
    pub fn but(&self, is_called: impl Fn(&str) -> bool) -> Marks {
        Marks(self.0.iter().filter(|mark| !is_called(&mark.name)).cloned().collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Mark> {
        self.0.iter()
    }
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|mark| &mark.name)).finish()
    }
}
