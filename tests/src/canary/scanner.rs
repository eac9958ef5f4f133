//! Finds every marked secret, in every encoding, in a stretch of bytes: one pass over all patterns.

use super::encoding::{Encoding, Form};
use super::marks::{Mark, Marks};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::collections::HashSet;
use std::ops::Range;

/// A part with fewer different bytes could be anything: padding, a run of zeros, a rule of dashes.
const DIFFERENT: usize = 8;

/// The search for one list of marks.
pub struct Scanner {
    forms: Vec<Known>,
    /// Finds chunks.
    chunks: AhoCorasick,
    /// By pattern of `chunks`: which form, and where in its text the chunk lies.
    places: Vec<(usize, Range<usize>)>,
    longest: usize,
}

struct Known {
    name: String,
    encoding: Encoding,
    form: Form,
}

/// A find, told without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub name: String,
    pub encoding: Encoding,
    /// Where in the file, output or address space.
    pub at: Range<u64>,
    /// Whether all of the form is there.
    pub whole: bool,
}

impl Scanner {
    pub fn new(marks: &Marks) -> Scanner {
        let mut forms: Vec<Known> = Vec::new();
        for mark in marks.iter() {
            for known in forms_of(mark) {
                // A text's JSON form, say, is most often the text itself.
                if !forms.iter().any(|form| form.form.text == known.form.text) {
                    forms.push(known);
                }
            }
        }
        let places: Vec<(usize, Range<usize>)> = forms
            .iter()
            .enumerate()
            .flat_map(|(form, known)| known.form.chunks.iter().map(move |chunk| (form, chunk.clone())))
            .collect();
        let patterns = places.iter().map(|(form, chunk)| &forms[*form].form.text[chunk.clone()]);
        let chunks = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(patterns)
            .expect("a few thousand patterns fit");
        let longest = forms.iter().map(|known| known.form.text.len()).max().unwrap_or(0);
        Scanner { forms, chunks, places, longest }
    }

    /// The longest form: who searches piece by piece lets the pieces overlap by so much.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Every part of a secret in `haystack` that is enough to be a leak; the haystack begins at `base`.
    pub(super) fn hits(&self, base: u64, haystack: &[u8]) -> Vec<Hit> {
        let mut seen = HashSet::new();
        let mut hits = Vec::new();
        for found in self.chunks.find_overlapping_iter(haystack) {
            let (number, chunk) = &self.places[found.pattern().as_usize()];
            let Known { name, encoding, form } = &self.forms[*number];
            let at = grow(&form.text, chunk, haystack, found.start());
            let part = &haystack[at.clone()];
            if part.len() < form.enough || !varied(part) || !seen.insert((*number, at.start)) {
                continue;
            }
            let whole = part.len() == form.text.len();
            let at = base + at.start as u64..base + at.end as u64;
            hits.push(Hit { name: name.clone(), encoding: *encoding, at, whole });
        }
        hits
    }
}

/// Leaves out what is part of something longer: forms resemble each other, and pieces of reading overlap.
pub(super) fn settle(hits: Vec<Hit>) -> Vec<Hit> {
    let extent = |hit: &Hit| (hit.at.end - hit.at.start, hit.whole);
    let within = |part: &Hit, all: &Hit| all.at.start <= part.at.start && part.at.end <= all.at.end;
    let mut settled: Vec<Hit> = Vec::new();
    for hit in &hits {
        let in_more = hits.iter().any(|other| within(hit, other) && extent(other) > extent(hit));
        if !in_more && !settled.contains(hit) {
            settled.push(hit.clone());
        }
    }
    settled
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scanner({} forms)", self.forms.len())
    }
}

fn forms_of(mark: &Mark) -> impl Iterator<Item = Known> {
    Encoding::ALL.into_iter().map(|encoding| Known {
        name: mark.name.clone(),
        encoding,
        form: Form::new(encoding, &mark.secret),
    })
}

/// How far text and haystack agree around a chunk that was found at `found`.
fn grow(text: &[u8], chunk: &Range<usize>, haystack: &[u8], found: usize) -> Range<usize> {
    let before = text[..chunk.start].iter().rev().zip(haystack[..found].iter().rev());
    let end = found + chunk.len();
    let after = text[chunk.end..].iter().zip(&haystack[end..]);
    let agree = |(a, b): &(&u8, &u8)| a == b;
    found - before.take_while(agree).count()..end + after.take_while(agree).count()
}

fn varied(part: &[u8]) -> bool {
    part.iter().collect::<HashSet<_>>().len() >= DIFFERENT.min(part.len() / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    /// Has what each encoding treats in its own way; base64 has `+` and `/` at every alignment.
    const SECRET: [u8; 32] = *b"\x01\xfe\x39\x22\x5c\x2f\x2b\x20\x0a\x00\x97\xff\xa7\x7f\x95\x8f\xb1\x1b\x3a\x16\x0b\x54\x84\x28\xdc\x62\x7b\xfa\xae\xe8\x17\x9c";

    fn names(haystack: &[u8]) -> Vec<(Encoding, bool)> {
        static SCANNER: LazyLock<Scanner> =
            LazyLock::new(|| Scanner::new(&Marks::new().with("secret", &SECRET)));
        settle(SCANNER.hits(0, haystack)).into_iter().map(|hit| (hit.encoding, hit.whole)).collect()
    }

    proptest! {
        #[test]
        fn every_encoding_is_found_among_other_bytes(
            before in proptest::collection::vec(any::<u8>(), 0..50),
            after in proptest::collection::vec(any::<u8>(), 0..50),
        ) {
            for encoding in Encoding::ALL {
                let haystack = [&before[..], &encoding.encode(&SECRET), &after[..]].concat();
                prop_assert!(names(&haystack).contains(&(encoding, true)), "{encoding:?}");
            }
        }

        #[test]
        fn sixteen_bytes_are_enough_in_every_encoding(from in 0usize..=16, more in 0usize..=16) {
            let part = &SECRET[from..(from + 16 + more).min(32)];
            for encoding in Encoding::ALL.into_iter().filter(|e| !matches!(e, Encoding::Base64(_) | Encoding::Base64Url(_))) {
                prop_assert!(!names(&encoding.encode(part)).is_empty(), "{encoding:?}");
            }
        }

        #[test]
        fn sixteen_bytes_are_enough_in_base64_whatever_surrounds_them(
            before in proptest::collection::vec(any::<u8>(), 0..9),
            from in 0usize..=16,
            after in proptest::collection::vec(any::<u8>(), 0..9),
        ) {
            let all = [&before[..], &SECRET[from..from + 16], &after[..]].concat();
            prop_assert!(!names(&Encoding::Base64(0).encode(&all)).is_empty());
            prop_assert!(!names(&Encoding::Base64Url(0).encode(&all)).is_empty());
        }

        #[test]
        fn fifteen_bytes_are_not_reported(from in 0usize..=17, count in 0usize..=15) {
            let part = &SECRET[from..from + count];
            for encoding in [Encoding::Raw, Encoding::Hex, Encoding::HexUpper] {
                prop_assert_eq!(names(&encoding.encode(part)), vec![], "{:?}", encoding);
            }
        }

        #[test]
        fn random_bytes_are_no_leak(haystack in proptest::collection::vec(any::<u8>(), 0..4096)) {
            prop_assert_eq!(names(&haystack), vec![]);
        }
    }

    #[test]
    fn a_run_of_one_byte_is_no_leak_though_a_secret_ends_in_one() {
        let padded = b"SandboxReaderSecret0000000000000000000000000000";
        let scanner = Scanner::new(&Marks::new().with("padded", padded));
        for encoding in Encoding::ALL {
            assert_eq!(scanner.hits(0, &encoding.encode(&[b'0'; 200])), vec![], "{encoding:?}");
        }
        assert!(scanner.hits(0, padded).iter().all(|hit| hit.whole) && !scanner.hits(0, padded).is_empty());
    }

    #[test]
    fn a_short_secret_is_found_only_whole() {
        let scanner = Scanner::new(&Marks::new().with("passphrase", b"Sandbox-okx-1"));
        assert_eq!(scanner.hits(0, b"Sandbox-okx-").len(), 0);
        assert_eq!(scanner.hits(0, b"..Sandbox-okx-1..").len(), 1);
    }
}
