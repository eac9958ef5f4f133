//! Where a listing of many pages stands: one interface to cursors, numbered pages and windows of time.

use super::each::RowKey;
use super::model::{Listing, Paging, Steps};
use super::value::{self, Params, Value};

/// What the next page is asked with. Its text form is given to the owner, who goes on with it later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Position {
    #[default]
    Start,
    /// The provider's own cursor.
    Cursor(String),
    /// How many pages lie behind.
    Number(u32),
    /// The edge, Unix ms, between what was read and what was not.
    Edge(u64),
    /// Of a listing that is asked for each row of another: the row, and the position in its pages.
    Within(RowKey, Box<Position>),
}

/// A window of time, Unix ms, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub since: u64,
    pub until: u64,
}

/// What a page's answer told about the pages behind it.
#[derive(Debug, Default)]
pub struct Seen {
    /// All of them, also those that `only` leaves out; of rows within rows, the outer ones.
    pub rows: usize,
    /// The cursor of the next page.
    pub cursor: Option<String>,
    /// What is behind it is out of the time that was asked for.
    pub is_last: bool,
    /// Its rows are those of the page before it.
    pub is_repeated: bool,
    /// The smallest and the largest `timestamp` of the rows.
    pub earliest: Option<u64>,
    pub latest: Option<u64>,
}

/// The page behind this one.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// There is none.
    End,
    At(Position),
    /// More rows bear one timestamp than a page holds: those that the page did not hold cannot be asked for.
    Past(Position),
    /// The provider gives the same rows wherever it is asked: those behind them cannot be asked for.
    Stuck,
}

/// Longer cursors are nobody's.
const MAX_CURSOR: usize = 2048;
const DAY_MS: u64 = 86_400_000;
/// What times are cut to: a moment, a second, a minute, an hour, a day.
const GRAINS_MS: [u64; 5] = [1, 1_000, 60_000, 3_600_000, DAY_MS];
/// The length of a row's key in a position.
const ROW_KEY: usize = 16;

impl Position {
    /// Reads what [`Position::text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok().filter(|number: &u64| number.to_string() == text);
        match text.split_once(':')? {
            ("cursor", cursor) if (1..=MAX_CURSOR).contains(&cursor.len()) => {
                Some(Self::Cursor(cursor.to_owned()))
            }
            ("page", count) => u32::try_from(number(count)?).ok().map(Self::Number),
            ("time", edge) => number(edge).map(Self::Edge),
            ("row", row) => {
                let (key, inner) = row.split_at_checked(ROW_KEY)?;
                let inner = match inner.strip_prefix(',') {
                    Some(inner) => Self::parse(inner).filter(|inner| !matches!(inner, Self::Within(..)))?,
                    None if inner.is_empty() => Self::Start,
                    None => return None,
                };
                Some(Self::Within(RowKey::parse(key)?, Box::new(inner)))
            }
            _ => None,
        }
    }

    /// Nothing for the start.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Start => None,
            Self::Cursor(cursor) => Some(format!("cursor:{cursor}")),
            Self::Number(count) => Some(format!("page:{count}")),
            Self::Edge(edge) => Some(format!("time:{edge}")),
            Self::Within(row, inner) => {
                let inner = inner.text().map_or(String::new(), |inner| format!(",{inner}"));
                Some(format!("row:{}{inner}", row.text()))
            }
        }
    }

    /// Whether it is a position in what this listing gives.
    pub fn fits(&self, listing: &Listing) -> bool {
        match (self, &listing.each) {
            (Self::Within(_, inner), Some(_)) => inner.fits_pages(listing.page.as_ref()),
            (_, Some(_)) => *self == Self::Start,
            (_, None) => self.fits_pages(listing.page.as_ref()),
        }
    }

    fn fits_pages(&self, paging: Option<&Paging>) -> bool {
        match (self, paging.map(|paging| &paging.steps)) {
            (Self::Start, _) => true,
            (Self::Cursor(_), Some(Steps::Cursor { .. } | Steps::Last { .. })) => true,
            (Self::Number(_), Some(Steps::Number { .. })) => true,
            (Self::Edge(_), Some(Steps::Window { .. })) => true,
            (Self::Cursor(_) | Self::Number(_) | Self::Edge(_) | Self::Within(..), _) => false,
        }
    }

    /// The window that is asked for next: `since` and `until` of the arguments bound all of them.
    pub fn window(&self, paging: &Paging, arguments: &Params, now_ms: u64) -> Option<Window> {
        let Steps::Window { span_ms, newest, .. } = &paging.steps else { return None };
        let bounds = bounds(paging, arguments, now_ms);
        let edge =
            if let Self::Edge(edge) = self { Some((*edge).clamp(bounds.since, bounds.until)) } else { None };
        Some(if *newest {
            let until = edge.unwrap_or(bounds.until);
            Window { since: until.saturating_sub(*span_ms).max(bounds.since), until }
        } else {
            let since = edge.unwrap_or(bounds.since);
            Window { since, until: since.saturating_add(*span_ms).min(bounds.until) }
        })
    }

    /// Where the page behind this one is.
    pub fn next(&self, paging: &Paging, seen: Seen, asked: Option<Window>, bounds: Option<Window>) -> Next {
        let full = paging.is_full(seen.rows);
        if seen.is_last {
            return Next::End;
        }
        match (&paging.steps, asked, bounds) {
            (Steps::Last { .. }, ..) if !full => Next::End,
            (Steps::Cursor { .. } | Steps::Last { .. }, ..) => {
                match seen.cursor.filter(|cursor| cursor.len() <= MAX_CURSOR).map(Self::Cursor) {
                    // The one row that it goes on from may come again, and nothing behind it.
                    Some(next) if seen.is_repeated && (seen.rows > 1 || next != *self) => Next::Stuck,
                    // A cursor that leads to itself leads nowhere.
                    Some(next) if next != *self => Next::At(next),
                    _ => Next::End,
                }
            }
            (Steps::Number { .. }, ..) if !full => Next::End,
            (Steps::Number { .. }, ..) if seen.is_repeated => Next::Stuck,
            (Steps::Number { .. }, ..) => {
                let behind = if let Self::Number(count) = self { *count } else { 0 };
                Next::At(Self::Number(behind.saturating_add(1)))
            }
            (Steps::Window { newest: true, .. }, Some(asked), Some(bounds)) => {
                older(full, &seen, asked, bounds)
            }
            (Steps::Window { .. }, Some(asked), Some(bounds)) => newer(full, &seen, asked, bounds),
            (Steps::Window { .. }, ..) => Next::End,
        }
    }
}

/// A full page holds the newest rows of its window: what is left lies before its earliest row, whose time may be
/// shared by rows that the page did not hold. So it is with a page of a provider that knows no lower bound.
fn older(full: bool, seen: &Seen, asked: Window, bounds: Window) -> Next {
    match seen.earliest.filter(|_| full) {
        Some(earliest) if earliest < asked.until && is_beyond(earliest, asked.since) => {
            if earliest < bounds.since { Next::End } else { Next::At(Position::Edge(earliest)) }
        }
        // A little beyond the window is as good as its end: what is left of it lies there.
        Some(earliest) if earliest.max(asked.since) < asked.until => {
            Next::At(Position::Edge(earliest.max(asked.since)))
        }
        Some(earliest) if earliest >= asked.until && asked.until > bounds.since => {
            passed(earliest - asked.until, |grain| (asked.until / grain * grain).saturating_sub(1))
        }
        _ if asked.since > bounds.since => Next::At(Position::Edge(asked.since - 1)),
        _ => Next::End,
    }
}

/// Behind a full page that is all of one moment, or `off_by` ms beyond what was asked for. Each step is past what the
/// provider's times may be cut to, so that a provider which gives the same page wherever it is asked is noticed in a few.
fn passed(off_by: u64, edge: impl Fn(u64) -> u64) -> Next {
    let grain = GRAINS_MS.into_iter().find(|grain| off_by < *grain);
    grain.map_or(Next::Stuck, |grain| Next::Past(Position::Edge(edge(grain))))
}

fn newer(full: bool, seen: &Seen, asked: Window, bounds: Window) -> Next {
    match seen.latest.filter(|_| full) {
        Some(latest) if latest > asked.since && is_beyond(asked.until, latest) => {
            if latest > bounds.until {
                Next::End
            } else {
                Next::At(Position::Edge(latest))
            }
        }
        Some(latest) if latest.min(asked.until) > asked.since => {
            Next::At(Position::Edge(latest.min(asked.until)))
        }
        Some(latest) if latest <= asked.since && asked.since < bounds.until => {
            passed(asked.since - latest, |grain| (asked.since / grain + 1) * grain)
        }
        _ if asked.until < bounds.until => Next::At(Position::Edge(asked.until + 1)),
        _ => Next::End,
    }
}

/// Whether a row is certainly out of the window: providers cut times to seconds, and some to days.
fn is_beyond(earlier: u64, later: u64) -> bool {
    earlier.saturating_add(DAY_MS) <= later
}

/// All time that is asked for.
pub fn bounds(paging: &Paging, arguments: &Params, now_ms: u64) -> Window {
    let earliest_ms = if let Steps::Window { earliest_ms, .. } = paging.steps { earliest_ms } else { 0 };
    // A minute less, so that the oldest window is not beyond it when it is asked for.
    let kept_ms = paging.kept_ms.map(|kept_ms| now_ms.saturating_sub(kept_ms.saturating_sub(60_000)));
    let argument =
        |name: &str| value::find(arguments, name).map(Value::text).and_then(|text| text.parse::<u64>().ok());
    let until = argument("until").unwrap_or(now_ms).min(now_ms);
    let since = argument("since").unwrap_or(earliest_ms).max(kept_ms.unwrap_or(0));
    Window { since: since.min(until), until }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;
    use crate::connector::expression::Path;
    use proptest::prelude::*;

    const DAY: u64 = 86_400_000;

    fn windows(newest: bool, size: u32) -> Paging {
        let steps = Steps::Window { span_ms: 90 * DAY, newest, earliest_ms: 1000 * DAY };
        Paging {
            steps,
            size: Some(size),
            limit: None,
            with: Vec::new(),
            kept_ms: None,
            kept_rows: None,
            max: 100,
        }
    }

    /// A provider of rows at these times: the page of a window, newest or oldest first, at most `size` of them.
    fn page(times: &[u64], asked: Window, newest: bool, size: usize) -> Vec<u64> {
        let mut rows: Vec<u64> =
            times.iter().copied().filter(|time| (asked.since..=asked.until).contains(time)).collect();
        rows.sort_unstable();
        if newest {
            rows.reverse();
        }
        rows.truncate(size);
        rows
    }

    /// Every row that is read by going from page to page, and whether some were said to be out of reach.
    fn read_all(times: &[u64], newest: bool, size: u32, now_ms: u64) -> (Vec<u64>, bool) {
        read_by(&Params::new(), newest, size, now_ms, |asked| page(times, asked, newest, size as usize))
    }

    /// The same of a provider that answers each window in its own way.
    fn read_by(
        arguments: &Params,
        newest: bool,
        size: u32,
        now_ms: u64,
        mut page: impl FnMut(Window) -> Vec<u64>,
    ) -> (Vec<u64>, bool) {
        let paging = windows(newest, size);
        let (mut position, mut read, mut lost) = (Position::Start, Vec::new(), false);
        for _ in 0..10_000 {
            let asked = position.window(&paging, arguments, now_ms).unwrap();
            let rows = page(asked);
            let seen = Seen {
                rows: rows.len(),
                cursor: None,
                is_last: false,
                is_repeated: false,
                earliest: rows.iter().copied().min(),
                latest: rows.iter().copied().max(),
            };
            read.extend(rows);
            // What is kept between sessions is text.
            let next = position.next(&paging, seen, Some(asked), Some(bounds(&paging, arguments, now_ms)));
            position = match next {
                Next::End => return (read, lost),
                Next::At(next) => Position::parse(&next.text().unwrap()).unwrap(),
                Next::Past(next) => {
                    lost = true;
                    next
                }
                Next::Stuck => return (read, true),
            };
        }
        panic!("the pages do not end");
    }

    proptest! {
        #[test]
        fn windows_read_every_row_or_say_that_some_are_out_of_reach(
            days in proptest::collection::vec(1000u64..1600, 0..40), newest: bool, size in 1u32..6,
        ) {
            let mut times: Vec<u64> = days.iter().map(|day| day * DAY + day % 7).collect();
            let (mut read, lost) = read_all(&times, newest, size, 1600 * DAY);
            times.sort_unstable();
            times.dedup();
            read.sort_unstable();
            read.dedup();
            prop_assert_eq!(&read, &times);
            let most = days.iter().map(|day| days.iter().filter(|other| *other == day).count()).max().unwrap_or(0);
            if most < size as usize {
                prop_assert!(!lost);
            }
        }

        #[test]
        fn any_text_is_a_position_that_writes_itself_again_or_none(text in "(row:[0-9a-f]{14,17},?)?(cursor|page|time|x)?:?.{0,30}") {
            if let Some(position) = Position::parse(&text) {
                prop_assert_eq!(position.text().unwrap(), text);
            }
        }
    }

    /// Times between rows: the rows of a page that crosses a bound are far beyond it, or just beyond it.
    const GAPS: [u64; 4] = [4 * DAY, 3_600_000, 60_000, 1];

    #[test]
    fn a_provider_that_knows_no_lower_bound_is_read_to_the_one_that_is_asked_for_and_each_page_once() {
        for gap in GAPS {
            let times: Vec<u64> = (0..120).map(|nth| 1100 * DAY + nth * gap).collect();
            let since = times.get(75).copied().unwrap();
            let arguments = vec![("since".to_owned(), Value::Number(since.to_string()))];
            let unbounded = |asked: Window| page(&times, Window { since: 0, ..asked }, true, 50);
            let (mut read, lost) = read_by(&arguments, true, 50, 1600 * DAY, unbounded);
            assert!(!lost && read.len() <= 150, "{gap}: {} rows", read.len());
            read.sort_unstable();
            read.dedup();
            assert!(times.iter().filter(|time| **time >= since).all(|time| read.contains(time)));
        }
    }

    #[test]
    fn a_provider_that_knows_no_upper_bound_is_read_to_the_one_that_is_asked_for_and_each_page_once() {
        for gap in GAPS {
            let times: Vec<u64> = (0..120).map(|nth| 1100 * DAY + nth * gap).collect();
            let until = times.get(50).copied().unwrap();
            let arguments = vec![("until".to_owned(), Value::Number(until.to_string()))];
            let unbounded = |asked: Window| page(&times, Window { until: u64::MAX, ..asked }, false, 40);
            let (mut read, lost) = read_by(&arguments, false, 40, 1600 * DAY, unbounded);
            assert!(!lost && read.len() <= 120, "{gap}: {} rows", read.len());
            read.sort_unstable();
            read.dedup();
            assert!(times.iter().filter(|time| **time <= until).all(|time| read.contains(time)));
        }
    }

    #[test]
    fn more_rows_of_one_moment_than_a_page_holds_are_said_to_be_lost() {
        let (read, lost) = read_all(&[1500 * DAY; 5], true, 3, 1600 * DAY);
        assert!(lost && read.len() >= 3);
        assert!(read_all(&[1500 * DAY; 5], false, 3, 1600 * DAY).1);
    }

    #[test]
    fn a_provider_that_gives_one_page_wherever_it_is_asked_is_noticed_within_a_few() {
        // Rows of one day, of one second, and of one moment; at either end of what is asked for, and in its middle.
        for gap in [3_600_000, 60, 0] {
            for first in [1000 * DAY, 1300 * DAY + 5, 1599 * DAY] {
                let times: Vec<u64> = (0..10).map(|nth| first + nth * gap).collect();
                for newest in [true, false] {
                    let mut calls = 0;
                    let same = |_: Window| {
                        calls += 1;
                        times.clone()
                    };
                    let (_, lost) = read_by(&Params::new(), newest, 10, 1600 * DAY, same);
                    // Behind what is older than all that is asked for there is nothing.
                    let is_end = newest && first == 1000 * DAY;
                    assert!((lost || is_end) && calls <= 12, "{gap} {first} {newest}: {calls} calls");
                }
            }
        }
    }

    #[test]
    fn rows_whose_times_are_cut_to_seconds_are_passed_a_second_at_a_time() {
        // Ten rows of one second, of which a page holds four; then one of the next.
        let second = 1200 * DAY;
        let times: Vec<u64> = (0..10).map(|nth| second + nth * 90).chain([second + 1000]).collect();
        for newest in [true, false] {
            let mut calls = 0;
            let cut = |asked: Window| {
                calls += 1;
                let seconds =
                    Window { since: asked.since / 1000 * 1000, until: asked.until / 1000 * 1000 + 999 };
                page(&times, seconds, newest, 4).into_iter().map(|time| time / 1000 * 1000).collect()
            };
            let (read, lost) = read_by(&Params::new(), newest, 4, 1600 * DAY, cut);
            assert!(lost && read.contains(&second) && read.contains(&(second + 1000)), "{read:?}");
            assert!(calls <= 20, "{calls} calls");
        }
    }

    #[test]
    fn a_page_that_repeats_the_one_before_it_is_no_page_to_go_on_from() {
        let seen = |rows: usize, cursor: Option<&str>| {
            let cursor = cursor.map(str::to_owned);
            Seen { rows, is_repeated: true, cursor, ..Seen::default() }
        };
        let numbered = Paging {
            steps: Steps::Number { param: "page".into(), first: 1, step: 1, end: None },
            ..windows(true, 5)
        };
        assert_eq!(Position::Number(1).next(&numbered, seen(5, None), None, None), Next::Stuck);
        let linked =
            Paging { steps: Steps::Last { param: "after".into(), field: "id".into() }, ..windows(true, 5) };
        let at = Position::Cursor("a".to_owned());
        let linked = Paging { size: None, ..linked };
        for (rows, cursor) in [(5, "b"), (5, "a"), (1, "b")] {
            assert_eq!(
                at.next(&linked, seen(rows, Some(cursor)), None, None),
                Next::Stuck,
                "{rows} {cursor}"
            );
        }
        assert_eq!(at.next(&linked, seen(1, Some("a")), None, None), Next::End, "its own row alone");
        assert_eq!(at.next(&linked, seen(5, None), None, None), Next::End);
    }

    #[test]
    fn a_cursor_that_leads_to_itself_is_the_end() {
        let next = Path { up: 0, slot: None, steps: Box::default() };
        let steps = Steps::Cursor { param: "c".into(), next };
        let paging = Paging {
            steps,
            size: None,
            limit: None,
            with: Vec::new(),
            kept_ms: None,
            kept_rows: None,
            max: 9,
        };
        let seen = |cursor: &str| Seen { rows: 5, cursor: Some(cursor.to_owned()), ..Seen::default() };
        let first = Position::Start.next(&paging, seen("a"), None, None);
        assert_eq!(first, Next::At(Position::Cursor("a".to_owned())));
        assert_eq!(Position::Cursor("a".to_owned()).next(&paging, seen("a"), None, None), Next::End);
        assert_eq!(Position::Start.next(&paging, Seen::default(), None, None), Next::End);
    }
}
