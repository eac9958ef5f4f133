//! What the calls of one key may cost: a bucket of the exchange's own units that refills evenly.

/// The exchange's limit for one key, as its file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How much may be spent at once.
    pub weight: u32,
    /// How long the bucket takes to refill.
    pub seconds: u32,
}

impl Limit {
    /// How long a cost takes to refill, in µs: at most the whole bucket, so that a call that costs more is made when it is full.
    fn refill_us(self, cost: u32) -> u64 {
        let share = u64::from(cost.min(self.weight)) * u64::from(self.seconds) * 1_000_000;
        share.div_ceil(u64::from(self.weight.max(1)))
    }

    fn window_us(self) -> u64 {
        u64::from(self.seconds) * 1_000_000
    }
}

/// What one key has spent (the generic cell rate algorithm, ITU-T I.371).
#[derive(Debug, Default)]
pub struct Budget {
    /// When the bucket is full again, Unix µs.
    full_us: u64,
}

impl Budget {
    /// Spends a cost, or tells from when on it can be spent (Unix ms).
    pub fn spend(&mut self, limit: Limit, cost: u32, now_ms: u64) -> Result<(), u64> {
        let now_us = now_ms.saturating_mul(1000);
        let window_us = limit.window_us();
        // Never emptier than empty: a clock that ran ahead and back again costs one window at most.
        let full_us = self.full_us.clamp(now_us, now_us.saturating_add(window_us));
        let after_us = full_us.saturating_add(limit.refill_us(cost));
        if after_us > now_us.saturating_add(window_us) {
            return Err((after_us - window_us).div_ceil(1000));
        }
        self.full_us = after_us;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const LIMIT: Limit = Limit { weight: 15, seconds: 45 };
    const NOW: u64 = 1_700_000_000_000;

    #[test]
    fn a_bucket_is_spent_at_once_and_refills_evenly() {
        let mut budget = Budget::default();
        for _ in 0..15 {
            budget.spend(LIMIT, 1, NOW).unwrap();
        }
        assert_eq!(budget.spend(LIMIT, 1, NOW), Err(NOW + 3_000));
        assert_eq!(budget.spend(LIMIT, 2, NOW + 3_000), Err(NOW + 6_000));
        budget.spend(LIMIT, 2, NOW + 6_000).unwrap();
        budget.spend(LIMIT, 15, NOW + 60_000).unwrap();
    }

    #[test]
    fn no_window_sees_more_than_the_bucket_and_its_refill() {
        let (mut budget, mut spent, mut now) = (Budget::default(), Vec::new(), NOW);
        for step in 0..2_000_u32 {
            let cost = 1 + step % 4;
            match budget.spend(LIMIT, cost, now) {
                Ok(()) => spent.push((now, cost)),
                Err(due) => {
                    assert!(due > now);
                    now = due;
                }
            }
            now += u64::from(step * 7 % 400);
        }
        for (at, (start, _)) in spent.iter().enumerate() {
            let within = spent.iter().skip(at).take_while(|(time, _)| *time < start + 45_000);
            assert!(within.map(|(_, cost)| cost).sum::<u32>() <= 30);
        }
        assert!(spent.len() > 500);
    }

    #[test]
    fn a_call_that_costs_more_than_the_bucket_is_made_when_it_is_full() {
        let mut budget = Budget::default();
        budget.spend(LIMIT, 40, NOW).unwrap();
        assert_eq!(budget.spend(LIMIT, 40, NOW), Err(NOW + 45_000));
        budget.spend(LIMIT, 40, NOW + 45_000).unwrap();
    }

    #[test]
    fn a_clock_that_ran_ahead_and_back_costs_one_window_at_most() {
        let mut budget = Budget::default();
        budget.spend(LIMIT, 15, NOW + 1_000_000_000).unwrap();
        assert_eq!(budget.spend(LIMIT, 1, NOW), Err(NOW + 3_000));
    }
}
