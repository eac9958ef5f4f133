//! Validity times (RFC 5280 §4.1.2.5): UTCTime or GeneralizedTime, in seconds, in UTC.

use super::der::{Element, GENERALIZED_TIME, UTC_TIME};
use crate::Refused;
use wire::UnixMillis;

const MALFORMED: Refused = Refused::CertificateMalformed;
/// 400 years of the Gregorian calendar.
const ERA_DAYS: u64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: u64 = 719_468;

pub(super) fn parse(element: Element<'_>) -> Result<UnixMillis, Refused> {
    let (year, rest) = match element.tag {
        UTC_TIME => {
            let (year, rest) = digits(element.contents, 2)?;
            // A UTCTime year below 50 is of this century.
            (if year < 50 { year.saturating_add(2000) } else { year.saturating_add(1900) }, rest)
        }
        GENERALIZED_TIME => digits(element.contents, 4)?,
        _ => return Err(MALFORMED),
    };
    let (month, rest) = digits(rest, 2)?;
    let (day, rest) = digits(rest, 2)?;
    let (hour, rest) = digits(rest, 2)?;
    let (minute, rest) = digits(rest, 2)?;
    let (second, rest) = digits(rest, 2)?;
    if rest != b"Z" {
        return Err(MALFORMED);
    }
    instant(year, month, day, [hour, minute, second]).ok_or(MALFORMED)
}

/// Reads `2025-06-19T10:16:03Z` (RFC 3339), the one form that Intel's JSON has.
pub(crate) fn parse_rfc3339(text: &str) -> Option<UnixMillis> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let number = |text: Option<&str>, length: usize| {
        let text = text.filter(|text| text.len() == length)?;
        digits(text.as_bytes(), length).ok().map(|(number, _)| number)
    };
    let (mut date, mut time) = (date.split('-'), time.split(':'));
    let (year, month, day) = (number(date.next(), 4)?, number(date.next(), 2)?, number(date.next(), 2)?);
    let time_of_day = [number(time.next(), 2)?, number(time.next(), 2)?, number(time.next(), 2)?];
    (date.next().is_none() && time.next().is_none()).then_some(())?;
    instant(year, month, day, time_of_day)
}

/// Compares the caller's time with the ends of something's validity.
pub(crate) fn check_within(
    from: UnixMillis,
    until: UnixMillis,
    at: UnixMillis,
    leeway: u64,
) -> Result<(), Refused> {
    if at > until.plus(leeway) {
        return Err(Refused::Expired { seconds: at.distance(until) / 1000 });
    }
    if at < from.minus(leeway) {
        return Err(Refused::NotYetValid { seconds: at.distance(from) / 1000 });
    }
    Ok(())
}

fn instant(year: u64, month: u64, day: u64, [hour, minute, second]: [u64; 3]) -> Option<UnixMillis> {
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(month, year)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let seconds = in_range
        .then(|| days(year, month, day))?
        .saturating_mul(24)
        .saturating_add(hour)
        .saturating_mul(60)
        .saturating_add(minute)
        .saturating_mul(60)
        .saturating_add(second);
    Some(UnixMillis(seconds.saturating_mul(1000)))
}

/// `count` decimal digits, and what follows them.
fn digits(bytes: &[u8], count: usize) -> Result<(u64, &[u8]), Refused> {
    let (digits, rest) = bytes.split_at_checked(count).ok_or(MALFORMED)?;
    let mut number = 0u64;
    for digit in digits {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return Err(MALFORMED);
        }
        number = number.saturating_mul(10).saturating_add(u64::from(value));
    }
    Ok((number, rest))
}

fn days_in(month: u64, year: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`).
#[expect(clippy::arithmetic_side_effects, reason = "year is 1970 to 9999, month and day are in range")]
fn days(year: u64, month: u64, day: u64) -> u64 {
    // The year begins in March, so that the leap day is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * ERA_DAYS + day_of_era - EPOCH_DAYS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(tag: u8, text: &str) -> Result<u64, Refused> {
        parse(Element { tag, contents: text.as_bytes(), bytes: &[] }).map(|time| time.0 / 1000)
    }

    #[test]
    fn times_are_read_in_both_forms() {
        assert_eq!(time(UTC_TIME, "700101000000Z"), Ok(0));
        assert_eq!(time(UTC_TIME, "221013085802Z"), Ok(1_665_651_482));
        assert_eq!(time(UTC_TIME, "491231235959Z"), Ok(2_524_607_999));
        assert_eq!(time(GENERALIZED_TIME, "20500101000000Z"), Ok(2_524_608_000));
        assert_eq!(time(GENERALIZED_TIME, "20240229120000Z"), Ok(1_709_208_000));
        assert_eq!(time(GENERALIZED_TIME, "99991231235959Z"), Ok(253_402_300_799));
    }

    #[test]
    fn times_that_do_not_exist_are_refused() {
        for (tag, text) in [
            (UTC_TIME, "221313085802Z"),
            (UTC_TIME, "220230085802Z"),
            (UTC_TIME, "230229085802Z"),
            (UTC_TIME, "221013245802Z"),
            (UTC_TIME, "221013085860Z"),
            (UTC_TIME, "2210130858Z"),
            (UTC_TIME, "221013085802"),
            (UTC_TIME, "221013085802+0100"),
            (UTC_TIME, "22101308580 Z"),
            (UTC_TIME, "500101000000Z"),
            (GENERALIZED_TIME, "20221013085802.5Z"),
            (GENERALIZED_TIME, "00001013085802Z"),
            (GENERALIZED_TIME, "19691231235959Z"),
            (0x04, "221013085802Z"),
        ] {
            assert_eq!(time(tag, text), Err(MALFORMED), "{text}");
        }
    }
}
