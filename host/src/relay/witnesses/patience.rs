//! How long a witness may take. One whose disk is slow is no lost one: whoever always hung up before its answer would never
//! have it.

use std::time::Duration;

/// At first and at least, and at most.
const BOUNDS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];

/// What one witness is given for an answer: more as long as it is too little, and afterwards twice what it took.
#[derive(Debug)]
pub(super) struct Patience(Duration);

impl Default for Patience {
    fn default() -> Patience {
        Patience(BOUNDS[0])
    }
}

impl Patience {
    pub(super) fn now(&self) -> Duration {
        self.0
    }

    pub(super) fn was_not_enough(&mut self) {
        self.set(self.0 * 2);
    }

    pub(super) fn was_enough(&mut self, took: Duration) {
        self.set(took.saturating_mul(2));
    }

    fn set(&mut self, wanted: Duration) {
        let [least, most] = BOUNDS;
        self.0 = wanted.clamp(least, most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_that_takes_up_to_a_minute_is_waited_for_after_a_few_times_and_from_then_on() {
        const TOOK: Duration = Duration::from_secs(23);
        let (mut patience, mut given) = (Patience::default(), Vec::new());
        while patience.now() < TOOK {
            given.push(patience.now().as_secs());
            patience.was_not_enough();
        }
        assert_eq!((given, patience.now().as_secs()), (vec![5, 10, 20], 40));
        patience.was_enough(TOOK);
        assert_eq!(patience.now(), TOOK * 2, "the next answer may take as long");
        patience.was_not_enough();
        patience.was_not_enough();
        assert_eq!(patience.now().as_secs(), 60, "and no more");
        patience.was_enough(Duration::from_millis(1));
        assert_eq!(patience.now().as_secs(), 5);
    }
}
