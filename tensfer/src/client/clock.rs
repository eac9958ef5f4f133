//! The one place where this client reads a clock, and the text form of times (RFC 3339, UTC).

use std::time::SystemTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use wire::UnixMillis;

pub fn now() -> UnixMillis {
    UnixMillis::after_1970(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
}

/// To the second. A time beyond the year 9999 has no such form: the number is given.
pub fn rfc3339(time: UnixMillis) -> String {
    let seconds = i64::try_from(time.0 / 1000).ok();
    let date = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_else(|| time.0.to_string())
}

/// Any offset; before 1970 is nothing.
pub fn parse_rfc3339(text: &str) -> Option<UnixMillis> {
    let date = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(date.unix_timestamp_nanos() / 1_000_000).ok().map(UnixMillis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_as_they_print() {
        for text in ["1970-01-01T00:00:00Z", "2022-10-13T08:58:02Z"] {
            assert_eq!(rfc3339(parse_rfc3339(text).unwrap()), text);
        }
        assert_eq!(parse_rfc3339("2022-10-13T10:58:02.5+02:00"), Some(UnixMillis(1_665_651_482_500)));
        for text in ["", "yesterday", "1969-12-31T23:59:59Z", "2022-10-13"] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }
}
