//! Civil time without a clock: ISO 8601 to and from Unix milliseconds, and HTTP dates.

/// `2023-11-14T22:13:20.123Z`.
pub fn iso8601(unix_ms: u64) -> String {
    let (days, ms) = (unix_ms / 86_400_000, unix_ms % 86_400_000);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1000)
}

/// Reads `2024-04-24T09:56:38[.063595][Z|±hh:mm]`, a space for the `T`, and a bare date; ms are cut, not rounded.
pub fn from_iso8601(text: &str) -> Option<u64> {
    if !text.is_ascii() {
        return None;
    }
    let (date, rest) = text.split_at_checked(10)?;
    let mut date = date.split('-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    if year.len() != 4 || month.len() != 2 || day.len() != 2 {
        return None;
    }
    let days = days(number(year)?, number(month)?, number(day)?)?;
    let Some(clock) = rest.strip_prefix(['T', ' ']) else {
        return rest.is_empty().then_some(days * 86_400_000);
    };
    let (clock, offset_minutes) = split_zone(clock)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut clock = clock.split(':');
    let (hour, minute) = (number(clock.next()?)?, number(clock.next()?)?);
    let second = clock.next().map_or(Some(0), number)?;
    if hour > 23 || minute > 59 || second > 60 || clock.next().is_some() || fraction.len() > 9 {
        return None;
    }
    let padded = format!("{fraction:0<3}");
    let ms = number(padded.get(..3)?)?;
    let local = days * 86_400_000 + hour * 3_600_000 + minute * 60_000 + second * 1000 + ms;
    local.checked_add_signed(-offset_minutes * 60_000)
}

/// Splits the zone from a time of day; the offset is in minutes, east positive.
fn split_zone(clock: &str) -> Option<(&str, i64)> {
    if let Some(clock) = clock.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let Some(at) = clock.find(['+', '-']) else { return Some((clock, 0)) };
    let (clock, zone) = clock.split_at(at);
    let (hours, minutes) = zone.get(1..)?.split_once(':').unwrap_or((zone.get(1..)?, "0"));
    let minutes =
        i64::try_from(number(hours)? * 60 + number(minutes)?).ok().filter(|minutes| *minutes <= 1440)?;
    Some((clock, if zone.starts_with('-') { -minutes } else { minutes }))
}

/// Reads the `Date` of an HTTP answer, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
pub fn from_http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.strip_suffix(" GMT")?.split_once(", ")?.1.split(' ');
    let day = number(parts.next()?)?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as u64 + 1;
    let year = number(parts.next()?)?;
    let mut clock = parts.next()?.split(':').map(number);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if hour > 23 || minute > 59 || second > 60 || parts.next().is_some() {
        return None;
    }
    Some(days(year, month, day)? * 86_400_000 + hour * 3_600_000 + minute * 60_000 + second * 1000)
}

fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// Days since 1970-01-01 in the Gregorian calendar; years 1970 to 9999.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || day == 0
        || day > month_length(year, month)
    {
        return None;
    }
    // Years that begin in March put the leap day last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    (year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1).checked_sub(719_468)
}

fn month_length(year: u64, month: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month, day of a count of days since 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn iso_8601_is_written_and_read() {
        assert_eq!(iso8601(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(from_iso8601("2024-04-24T09:56:38.063595Z"), Some(1_713_952_598_063));
        assert_eq!(from_iso8601("2023-08-28T23:49:17Z"), Some(1_693_266_557_000));
        assert_eq!(from_iso8601("2023-08-29T01:49:17+02:00"), Some(1_693_266_557_000));
        assert_eq!(from_iso8601("2023-08-28 23:49:17"), Some(1_693_266_557_000));
        assert_eq!(from_iso8601("2024-02-29"), Some(1_709_164_800_000));
        for text in
            ["2023-02-29", "2023-13-01", "x", "2023-1-1", "2023-01-01T25:00:00Z", "1969-12-31", "é023-01-01"]
        {
            assert_eq!(from_iso8601(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_round_trips() {
        for day in 0..80_000u64 {
            let ms = day * 86_400_000 + day % 86_400_000;
            assert_eq!(from_iso8601(&iso8601(ms)).unwrap(), ms);
        }
    }

    #[test]
    fn http_dates_are_read() {
        assert_eq!(from_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        assert_eq!(from_http_date("Sun Nov  6 08:49:37 1994"), None);
    }
}
