//! Whom a payment goes to where no chain is involved: by the form of what the owner wrote.

use super::super::check::is_host;
use super::super::model_action::Recipient;

/// Longer ones are taken by nobody.
const MAX_EMAIL: usize = 127;
const MAX_LOCAL: usize = 64;
/// ITU-T E.164: up to 15 digits with the country code; shorter numbers than 7 do not cross borders.
const PHONE_DIGITS: core::ops::RangeInclusive<usize> = 7..=15;
const MAX_ACCOUNT: usize = 64;

/// What the text names, if it can be exactly one of them: each form excludes the others.
pub fn recipient(text: &str) -> Option<Recipient> {
    if let Some((local, domain)) = text.rsplit_once('@') {
        return is_email(text, local, domain).then_some(Recipient::Email);
    }
    if let Some(digits) = text.strip_prefix('+') {
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        return (is_number && PHONE_DIGITS.contains(&digits.len())).then_some(Recipient::Phone);
    }
    let is_id = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_id && (1..=MAX_ACCOUNT).contains(&text.len())).then_some(Recipient::Account)
}

/// `dot-atom@domain` (RFC 5322 §3.4.1): neither quoted nor commented, which no provider takes, and no address literal.
fn is_email(text: &str, local: &str, domain: &str) -> bool {
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let is_atom = |part: &str| !part.is_empty() && part.bytes().all(atom);
    text.len() <= MAX_EMAIL
        && local.len() <= MAX_LOCAL
        && local.split('.').all(is_atom)
        && is_host(&domain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_is_known_by_its_form_and_a_doubtful_one_is_none() {
        let cases = [
            ("someone@example.com", Some(Recipient::Email)),
            ("first.last+tag@mail.Example.org", Some(Recipient::Email)),
            ("+14082341234", Some(Recipient::Phone)),
            ("5DEJUG27PZB9J", Some(Recipient::Account)),
            ("a@b@example.com", None),
            ("someone@example", None),
            ("someone@127.0.0.1", None),
            ("some..one@example.com", None),
            (".someone@example.com", None),
            ("\"some one\"@example.com", None),
            ("@example.com", None),
            ("+0123456789", None),
            ("+123456", None),
            ("+1234567890123456", None),
            ("+1 408 234", None),
            ("408-234-1234", None),
            ("0x52908400098527886E0F7030069857D2E4169EE7 ", None),
            ("", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(recipient(text), wanted, "{text}");
        }
        assert_eq!(recipient(&format!("{}@example.com", "a".repeat(65))), None);
        assert_eq!(recipient(&"a".repeat(65)), None);
    }
}
