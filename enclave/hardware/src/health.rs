//! Whether a random source lives: the two continuous tests of NIST SP 800-90B §4.4, over bytes.
//!
//! They find a source that is stuck or grossly uneven, and nothing subtler. Limits are for eight bits of entropy a byte and a false
//! alarm in 2^40 tests.

/// §4.4.1: one byte this often in a row (1 + 40 / 8).
const MOST_REPEATED: usize = 6;
/// §4.4.2: a window of this many bytes …
const WINDOW: usize = 512;
/// … in which the first byte comes this often (binomial, 1/256 each).
const MOST_OF_WINDOW: usize = 21;

/// Whether these bytes can have come from a source that works.
pub fn is_plausible(bytes: &[u8]) -> bool {
    !repeats(bytes) && bytes.chunks(WINDOW).all(is_even)
}

fn repeats(bytes: &[u8]) -> bool {
    bytes.windows(MOST_REPEATED).any(|run| run.iter().all(|byte| Some(byte) == run.first()))
}

fn is_even(window: &[u8]) -> bool {
    window.iter().filter(|byte| Some(*byte) == window.first()).count() < MOST_OF_WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stuck_or_uneven_source_is_noticed() {
        assert!(!is_plausible(&[0; 32]), "stuck");
        assert!(!is_plausible(&[1, 2, 7, 7, 7, 7, 7, 7, 3]), "a run");
        let uneven: Vec<u8> = (0..512u16).map(|at| if at % 16 == 0 { 9 } else { at as u8 }).collect();
        assert!(!is_plausible(&uneven), "one byte too often");
    }

    #[test]
    fn a_source_that_works_passes() {
        let mut bytes = vec![0; 1 << 16];
        assert!(aws_lc_rs::rand::fill(&mut bytes).is_ok());
        assert!(is_plausible(&bytes));
        assert!(is_plausible(&[1, 2, 2, 2, 2, 2, 3]));
    }
}
