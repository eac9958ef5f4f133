//! Any byte, and arbitrary bytes.

use super::*;
use crate::rewrap::Rewrapper;
use proptest::prelude::*;
use wire::envelope::MAX_ENVELOPE;

#[test]
fn any_single_altered_byte_is_refused_by_open_and_rewrap() {
    let good = sealed(1).to_bytes();
    let (one, two) = (roots(1), roots(2));
    for place in 0..good.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[place] ^= flip;
            assert!(open(&bad, &share(0x51), &one).is_err(), "byte {place} ^ {flip:#x}");
            let mut bytes = bad.clone();
            assert!(Rewrapper::new(&two, &mut Counting(0)).rewrap(&mut bytes).is_err(), "byte {place}");
            assert_eq!(bytes, bad, "a refused envelope is left as it was");
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    let good = sealed(1).to_bytes();
    for length in 0..good.len() {
        assert_eq!(open(&good[..length], &share(0x51), &roots(1)).unwrap_err(), EnvelopeFault::Malformed);
    }
}

#[test]
fn an_envelope_over_the_limit_is_neither_made_nor_read() {
    let huge = vec![b'x'; MAX_ENVELOPE - 600];
    let made = seal(&subject(), &contents(), &huge, &share(0x51), &roots(1), &mut Counting(0));
    assert_eq!(made, Err(EnvelopeFault::TooLarge));
    let beyond = vec![b'x'; 4 * MAX_ENVELOPE];
    let made = seal(&subject(), &contents(), &beyond, &share(0x51), &roots(1), &mut Counting(0));
    assert_eq!(made, Err(EnvelopeFault::TooLarge));

    let mut envelope = sealed(1);
    envelope.payload.ciphertext.resize(MAX_ENVELOPE, 0);
    assert_eq!(opened(&envelope, &share(0x51), &roots(1)).unwrap_err(), EnvelopeFault::Malformed);
}

#[test]
fn the_largest_credential_that_fits_opens() {
    // The largest bucket that leaves room for everything else.
    let large = vec![b'x'; 61_000];
    let envelope = seal(&subject(), &contents(), &large, &share(0x51), &roots(1), &mut Counting(0)).unwrap();
    assert!(envelope.to_bytes().len() <= MAX_ENVELOPE);
    assert_eq!(credential(&opened(&envelope, &share(0x51), &roots(1)).unwrap()), large);
}

#[test]
fn the_size_tells_only_the_bucket() {
    let size = |length: usize| {
        let made =
            seal(&subject(), &contents(), &vec![b'x'; length], &share(0x51), &roots(1), &mut Counting(0));
        made.unwrap().payload.ciphertext.len() - aead::TAG
    };
    let sizes =
        |lengths: core::ops::Range<usize>| lengths.map(size).collect::<std::collections::BTreeSet<usize>>();
    assert_eq!(sizes(0..200).len(), 1, "credentials up to 200 bytes cannot be told apart");
    let octave: Vec<usize> =
        sizes(600..2100).into_iter().filter(|size| (1024..2048).contains(size)).collect();
    assert_eq!(octave, (1024..2048).step_by(64).collect::<Vec<_>>(), "16 sizes from 1 KiB to 2 KiB");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        fuzz_envelope(&bytes);
    }

    #[test]
    fn nearly_right_bytes_never_panic_and_both_decoders_agree(
        edits in proptest::collection::vec((0usize..800, any::<u8>(), 0u8..4), 1..6),
        epoch: u32,
        generation: u64,
        length in 0usize..70,
    ) {
        let mut envelope = sealed(1);
        envelope.wrap.epoch = epoch;
        envelope.header.generation = generation;
        envelope.payload.ciphertext.truncate(length * length);
        let mut bytes = envelope.to_bytes();
        fuzz_envelope(&bytes);
        for (place, byte, edit) in edits {
            let place = place.min(bytes.len().saturating_sub(1));
            match edit {
                _ if bytes.is_empty() => bytes.push(byte),
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 => { bytes.remove(place); }
                _ => bytes.truncate(place.max(1)),
            }
            fuzz_envelope(&bytes);
        }
    }

    #[test]
    fn whatever_was_sealed_opens(
        credential_bytes in proptest::collection::vec(any::<u8>(), 0..5000),
        seed in 0u64..u64::MAX / 2,
        exchange in "[a-z]{0,20}",
    ) {
        let contents = Contents { exchange, ..contents() };
        let made =
            seal(&subject(), &contents, &credential_bytes, &share(1), &roots(2), &mut Counting(seed)).unwrap();
        let opened = opened(&made, &share(1), &roots(2)).unwrap();
        prop_assert_eq!(credential(&opened), credential_bytes);
        prop_assert_eq!(opened.contents(), &contents);
    }
}

#[test]
fn the_fuzz_corpus_never_panics() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/envelope");
    let mut files = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        fuzz_envelope(&std::fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files > 10, "{files} files");
}
