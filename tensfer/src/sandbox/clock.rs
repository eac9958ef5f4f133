//! Unix milliseconds as RFC 3339 text and back, in UTC.

const DAY: u64 = 86_400_000;

/// `2026-01-01T00:00:00.000Z`.
pub fn iso(millis: u64) -> String {
    let (year, month, day) = civil(millis / DAY);
    let seconds = millis % DAY / 1000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", millis % 1000)
}

/// Reads exactly what [`iso`] writes; `None` for anything else.
pub fn parse_iso(text: &str) -> Option<u64> {
    let field = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second, milli) = (field(11, 13)?, field(14, 16)?, field(17, 19)?, field(20, 23)?);
    let seconds = days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second;
    let millis = seconds * 1000 + milli;
    (iso(millis) == text).then_some(millis)
}

/// Year, month and day of a day since 1970-01-01 (Gregorian, by 400-year eras that begin on 1 March).
fn civil(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + u64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// Days since 1970-01-01; `None` before it.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let shifted = if month > 2 { month.checked_sub(3)? } else { month + 9 };
    let year = year.checked_sub(u64::from(month <= 2))?;
    let of_year = (153 * shifted + 2) / 5 + day.checked_sub(1)?;
    let of_era = (year % 400) * 365 + year % 400 / 4 - year % 400 / 100 + of_year;
    (year / 400 * 146_097 + of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_as_they_were_written() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        ] {
            assert_eq!(iso(millis), text);
            assert_eq!(parse_iso(text), Some(millis));
        }
    }

    #[test]
    fn what_is_not_a_canonical_time_is_refused() {
        for text in [
            "",
            "2023-11-14",
            "2023-02-30T00:00:00.000Z",
            "2023-11-14T22:13:20.123+",
            "2023-00-14T22:13:20.123Z",
        ] {
            assert_eq!(parse_iso(text), None, "{text}");
        }
    }
}
