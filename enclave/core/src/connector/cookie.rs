//! Cookies that an answer sets (RFC 6265 §5.2): one by its name, and when it ends.

use super::time::from_http_date;

/// A cookie as it was set.
pub struct Cookie<'h> {
    /// `NAME=VALUE`: how it is sent back (RFC 6265 §4.2.1).
    pub pair: &'h str,
    attributes: &'h str,
}

impl<'h> Cookie<'h> {
    /// The last one of that name: a later one takes the place of an earlier one.
    pub fn find(headers: &'h [(String, String)], name: &str) -> Option<Cookie<'h>> {
        let set = headers.iter().rev().filter(|(known, _)| known.eq_ignore_ascii_case("set-cookie"));
        set.map(|(_, text)| text.split_once(';').unwrap_or((text, ""))).find_map(|(pair, attributes)| {
            let (known, _) = pair.split_once('=')?;
            (known.trim() == name).then(|| Cookie { pair: pair.trim(), attributes })
        })
    }

    /// `Max-Age` counts before `Expires`. Nothing where neither says a time.
    pub fn ends_ms(&self, now_ms: u64) -> Option<u64> {
        let attribute = |wanted: &str| {
            let mut all = self.attributes.split(';').filter_map(|attribute| attribute.split_once('='));
            all.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, text)| text.trim())
        };
        let age = attribute("max-age").and_then(|seconds| seconds.parse::<u64>().ok());
        let age = age.map(|seconds| now_ms.saturating_add(seconds.saturating_mul(1000)));
        age.or_else(|| from_http_date(attribute("expires")?))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn headers(cookies: &[&str]) -> Vec<(String, String)> {
        cookies.iter().map(|text| ("Set-Cookie".to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_the_last_one_counts() {
        let headers =
            headers(&["a=1; Path=/", "xgravity=no", "gravity=old", " gravity=s=1|x ; HttpOnly", "b"]);
        assert_eq!(Cookie::find(&headers, "gravity").unwrap().pair, "gravity=s=1|x");
        assert_eq!(Cookie::find(&headers, "a").unwrap().pair, "a=1");
        assert!(Cookie::find(&headers, "b").is_none() && Cookie::find(&headers, "Gravity").is_none());
        assert!(Cookie::find(&[("Cookie".to_owned(), "gravity=1".to_owned())], "gravity").is_none());
    }

    #[test]
    fn a_cookie_ends_when_it_says_by_age_before_date() {
        let ends = |text: &str| Cookie::find(&headers(&[text]), "g").unwrap().ends_ms(1_000);
        assert_eq!(ends("g=1; max-age=60; Expires=Wed, 21 Oct 2015 07:28:00 GMT"), Some(61_000));
        assert_eq!(ends("g=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Secure"), Some(1_445_412_480_000));
        for never in ["g=1", "g=1; Max-Age=-1", "g=1; Expires=soon", "g=1; Secure"] {
            assert_eq!(ends(never), None, "{never}");
        }
    }
}
