//! The time that an owner asks a history for. Not every exchange takes both bounds, so the engine holds to them itself.

use super::model::{HISTORIES, Paging, Read, Steps, Unpaged};
use super::outcome::Record;
use super::page::Position;
use super::value::{Params, find};

/// Exchanges cut times to seconds, and some to days: only what is further out is certainly out.
const DAY_MS: u64 = 86_400_000;
/// Less than what an exchange keeps, so that the oldest row is not gone when it is asked for.
const MARGIN_MS: u64 = 60_000;

/// From when until when, Unix ms, both included; and when that was asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    since: Option<u64>,
    until: Option<u64>,
    /// When the last page was asked for.
    pub at_ms: u64,
    /// Rows that came, those out of bounds among them.
    came: usize,
    /// There were rows from before `since`: nothing behind them is missed.
    is_reached: bool,
    /// The first row was asked for, not one where an earlier run ended.
    from_start: bool,
}

impl Asked {
    /// What is asked of a history; other reads have no time.
    pub fn of(operation: &str, arguments: &Params, from: &Position) -> Option<Self> {
        let argument = |name| find(arguments, name)?.text().parse::<u64>().ok();
        let from_start = *from == Position::Start;
        let asked =
            Self { since: argument("since"), until: argument("until"), from_start, ..Self::default() };
        HISTORIES.contains(&operation).then_some(asked)
    }

    /// Leaves out the rows of a page that were not asked for; one that tells no time stays. Gives whether all pages
    /// behind it are out of bounds too.
    pub fn keep(&mut self, rows: &mut Vec<Record>) -> bool {
        let is_passed = self.is_passed(rows);
        self.came += rows.len();
        let is_before = |row: &Record| self.since.zip(time(row)).is_some_and(|(since, time)| time < since);
        self.is_reached |= rows.iter().any(is_before);
        rows.retain(|row| {
            let within = |time: u64| {
                self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time <= until)
            };
            time(row).is_none_or(within)
        });
        is_passed
    }

    /// Whether the rows have an order and have left the bounds in its direction. A page that shows no order says nothing.
    fn is_passed(&self, rows: &[Record]) -> bool {
        let Some(times) = rows.iter().map(time).collect::<Option<Vec<u64>>>() else { return false };
        let (Some(first), Some(last)) = (times.first(), times.last()) else { return false };
        let falling = first > last && times.is_sorted_by(|newer, older| newer >= older);
        let rising = first < last && times.is_sorted();
        let is_beyond = |earlier: u64, later: u64| earlier.saturating_add(DAY_MS) <= later;
        (falling && self.since.is_some_and(|since| is_beyond(*first, since)))
            || (rising && self.until.is_some_and(|until| is_beyond(until, *first)))
    }

    /// Why a history that came to its end may not be all that was asked for: the exchange has no pages, or forgets.
    pub fn shortness(&self, read: &Read) -> Option<&'static str> {
        match (&read.listing.page, read.unpaged) {
            (Some(paging), _) if self.may_be_forgotten(paging) => Some("not_kept"),
            (None, Some(Unpaged::Latest)) if !self.is_reached => Some("not_paged"),
            _ => None,
        }
    }

    /// Whether an exchange that forgets may have forgotten something of what was asked for.
    fn may_be_forgotten(&self, paging: &Paging) -> bool {
        let too_long_ago = |kept_ms: u64| {
            let kept_since = self.at_ms.saturating_sub(kept_ms.saturating_sub(MARGIN_MS));
            self.since.is_none_or(|since| since < kept_since)
        };
        let too_many = |kept: u32| {
            let are_all = self.from_start && self.came < kept as usize;
            !self.is_reached && !are_all
        };
        paging.kept_ms.is_some_and(too_long_ago) || paging.kept_rows.is_some_and(too_many)
    }
}

/// Whether the pages of a listing follow each other in the exchange's order; windows are placed in time by the engine.
pub fn is_ordered(paging: &Paging) -> bool {
    !matches!(paging.steps, Steps::Window { .. })
}

fn time(row: &Record) -> Option<u64> {
    row.field("timestamp")?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::value::Value;
    use super::*;

    const DAY: u64 = DAY_MS;

    fn asked(since: Option<u64>, until: Option<u64>) -> Asked {
        let bounds = [("since", since), ("until", until)];
        let number =
            |(name, ms): (&str, Option<u64>)| Some((name.to_owned(), Value::Number(ms?.to_string())));
        Asked::of("ledger", &bounds.into_iter().filter_map(number).collect(), &Position::Start).unwrap()
    }

    fn rows(times: &[u64]) -> Vec<Record> {
        times.iter().map(|time| Record(vec![("timestamp", time.to_string())])).collect()
    }

    fn kept(asked: &mut Asked, times: &[u64]) -> (usize, bool) {
        let mut rows = rows(times);
        let is_passed = asked.keep(&mut rows);
        (rows.len(), is_passed)
    }

    #[test]
    fn rows_out_of_bounds_are_left_out_and_pages_go_on_until_they_are_certainly_behind() {
        let mut since = asked(Some(10 * DAY), None);
        assert_eq!(kept(&mut since, &[12 * DAY, 10 * DAY, 9 * DAY + 1]), (2, false));
        // The newest row may have been cut to its day.
        assert_eq!(kept(&mut since, &[9 * DAY + 1, 8 * DAY]), (0, false));
        assert_eq!(kept(&mut since, &[9 * DAY, 8 * DAY]), (0, true));
        let mut until = asked(None, Some(10 * DAY));
        assert_eq!(kept(&mut until, &[9 * DAY, 11 * DAY]), (1, false));
        assert_eq!(kept(&mut until, &[11 * DAY, 12 * DAY]), (0, true));
    }

    #[test]
    fn a_page_whose_order_nobody_can_tell_ends_nothing() {
        let mut since = asked(Some(100 * DAY), None);
        assert!(!kept(&mut since, &[5 * DAY, 7 * DAY, 6 * DAY]).1, "no order");
        assert!(!kept(&mut since, &[5 * DAY, 7 * DAY]).1, "oldest first: newer ones come");
        assert!(!kept(&mut since, &[5 * DAY]).1 && !kept(&mut since, &[]).1, "one row, none");
        let mut untimed = vec![Record(vec![("id", "1".to_owned())]), Record(Vec::new())];
        assert!(!since.keep(&mut untimed) && untimed.len() == 2, "rows without a time stay");
    }

    #[test]
    fn only_histories_are_asked_for_a_time() {
        assert!(Asked::of("positions", &Params::new(), &Position::Start).is_none());
        assert!(Asked::of("my_trades", &Params::new(), &Position::Start).is_some());
    }
}
