//! Time, as far as an enclave has any: the host's claim, a floor under it, and a monotonic counter of its own.
//!
//! INVARIANT: the floor never falls. It is the largest of the build time and, for each owner-signed request that was
//! accepted, its `issued` less the tolerance; from there it rises by the monotonic counter for [`FLOOR_RISE_MS`].
//! The rise is what makes a frozen clock harmless: a nonce is forgotten once the floor has passed its expiry, and
//! from then on no claim of the host makes that request look alive.

use crate::limits::{CLOCK_TOLERANCE_MS, FLOOR_RISE_MS};
use wire::{Refusal, UnixMillis};

/// The end of the year 9999, which no calendar of a provider or certificate goes beyond: a later claim is this one.
const LATEST: UnixMillis = UnixMillis(253_402_300_799_999);

pub(crate) struct Clock {
    monotonic: u64,
    claimed: Option<Moment>,
    floor: Moment,
}

/// A time and the monotonic count at which it held.
#[derive(Clone, Copy)]
struct Moment {
    time: UnixMillis,
    monotonic: u64,
}

/// A time line that the host cannot bend any more: it began at the best estimate and goes on by the counter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Epoch {
    time: UnixMillis,
    monotonic: u64,
}

impl Epoch {
    pub(crate) fn at(self, monotonic: u64) -> UnixMillis {
        self.time.plus(monotonic.saturating_sub(self.monotonic))
    }

    /// The count at which a time of this line comes.
    pub(crate) fn monotonic_at(self, time: UnixMillis) -> u64 {
        self.monotonic.saturating_add(time.0.saturating_sub(self.time.0))
    }
}

impl Clock {
    pub(crate) fn new(built: UnixMillis, monotonic: u64) -> Clock {
        Clock { monotonic, claimed: None, floor: Moment { time: built, monotonic } }
    }

    /// Moves the enclave's own counter. It never runs back, whatever it is told.
    pub(crate) fn advance(&mut self, monotonic: u64) {
        self.monotonic = self.monotonic.max(monotonic);
    }

    /// Takes the host's claim; returns whether it jumped: differs by more than the tolerance from what the last
    /// claim and the counter let one expect.
    pub(crate) fn claim(&mut self, time: UnixMillis) -> bool {
        let (expected, time) = (self.claimed_now(), time.min(LATEST));
        self.claimed = Some(Moment { time, monotonic: self.monotonic });
        expected.is_none_or(|expected| expected.distance(time) > CLOCK_TOLERANCE_MS)
    }

    /// Whether the host has claimed any time yet.
    pub(crate) fn is_claimed(&self) -> bool {
        self.claimed.is_some()
    }

    pub(crate) fn monotonic(&self) -> u64 {
        self.monotonic
    }

    /// The best estimate: the claim, never below the floor.
    pub(crate) fn now(&self) -> UnixMillis {
        self.claimed_now().unwrap_or_default().max(self.floor())
    }

    /// A time line from here on.
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch { time: self.now(), monotonic: self.monotonic }
    }

    pub(crate) fn floor(&self) -> UnixMillis {
        let risen = self.monotonic.saturating_sub(self.floor.monotonic).min(FLOOR_RISE_MS);
        self.floor.time.plus(risen)
    }

    /// Whether a request issued at `issued` belongs to the present, as far as one can tell.
    pub(crate) fn agrees_with(&self, issued: UnixMillis) -> Result<(), Refusal> {
        let claimed = self.claimed_now().ok_or(Refusal::ClockDisagrees)?;
        let ran_back = claimed.plus(CLOCK_TOLERANCE_MS) < self.floor();
        if ran_back || claimed.distance(issued) > CLOCK_TOLERANCE_MS {
            return Err(Refusal::ClockDisagrees);
        }
        Ok(())
    }

    /// An owner signed `issued`, and the request was accepted: time is not before it, give or take the tolerance.
    pub(crate) fn witness(&mut self, issued: UnixMillis) {
        let time = issued.minus(CLOCK_TOLERANCE_MS);
        if time > self.floor() {
            self.floor = Moment { time, monotonic: self.monotonic };
        }
    }

    fn claimed_now(&self) -> Option<UnixMillis> {
        let claimed = self.claimed?;
        Some(claimed.time.plus(self.monotonic.saturating_sub(claimed.monotonic)))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    const BUILT: UnixMillis = UnixMillis(1_000_000_000);
    const NOW: UnixMillis = UnixMillis(2_000_000_000);

    fn at(time: UnixMillis) -> Clock {
        let mut clock = Clock::new(BUILT, 0);
        clock.claim(time);
        clock
    }

    #[test]
    fn before_any_claim_every_request_is_refused() {
        let clock = Clock::new(BUILT, 0);
        assert_eq!(clock.agrees_with(BUILT), Err(Refusal::ClockDisagrees));
        assert_eq!(clock.now(), BUILT);
    }

    #[test]
    fn a_claim_before_the_build_does_not_turn_time_back() {
        let clock = at(UnixMillis(5));
        assert_eq!(clock.now(), BUILT);
        assert_eq!(clock.agrees_with(UnixMillis(5)), Err(Refusal::ClockDisagrees));
    }

    #[test]
    fn a_claim_beyond_every_calendar_leaves_room_to_count_on() {
        let mut clock = at(UnixMillis(u64::MAX));
        assert_eq!(clock.now(), LATEST);
        clock.advance(1_000);
        assert_eq!(clock.now(), LATEST.plus(1_000));
        assert_eq!(clock.agrees_with(UnixMillis(u64::MAX)), Err(Refusal::ClockDisagrees));
    }

    #[test]
    fn time_goes_on_while_the_host_says_nothing() {
        let mut clock = at(NOW);
        clock.advance(1_500);
        clock.advance(700);
        assert_eq!(clock.now(), NOW.plus(1_500));
    }

    #[test]
    fn m19_two_minutes_apart_agree_and_a_millisecond_more_does_not() {
        let clock = at(NOW);
        for issued in [NOW.plus(CLOCK_TOLERANCE_MS), NOW.minus(CLOCK_TOLERANCE_MS)] {
            clock.agrees_with(issued).unwrap();
        }
        for issued in [NOW.plus(CLOCK_TOLERANCE_MS + 1), NOW.minus(CLOCK_TOLERANCE_MS + 1)] {
            assert_eq!(clock.agrees_with(issued), Err(Refusal::ClockDisagrees));
        }
    }

    #[test]
    fn an_owners_clock_that_is_fast_within_the_tolerance_ages_nobody_elses_request() {
        let mut clock = at(NOW);
        clock.witness(NOW.plus(CLOCK_TOLERANCE_MS));
        assert_eq!(clock.now(), NOW);
    }

    #[test]
    fn a_clock_that_runs_back_below_what_owners_signed_is_refused() {
        let mut clock = at(NOW);
        clock.witness(NOW);
        clock.claim(NOW.minus(2 * CLOCK_TOLERANCE_MS + 1));
        assert_eq!(clock.agrees_with(NOW.minus(2 * CLOCK_TOLERANCE_MS + 1)), Err(Refusal::ClockDisagrees));
        assert_eq!(clock.now(), NOW.minus(CLOCK_TOLERANCE_MS));
    }

    #[test]
    fn a_frozen_clock_does_not_keep_a_request_alive() {
        let mut clock = at(NOW);
        clock.witness(NOW);
        clock.advance(FLOOR_RISE_MS);
        clock.claim(NOW);
        assert!(clock.now() >= NOW.plus(wire::request::MAX_VALIDITY_MS));
    }

    #[test]
    fn a_fast_counter_cannot_carry_the_floor_away() {
        let mut clock = at(NOW);
        clock.witness(NOW);
        clock.advance(u64::MAX / 2);
        assert_eq!(clock.floor(), NOW.minus(CLOCK_TOLERANCE_MS).plus(FLOOR_RISE_MS));
    }
}
