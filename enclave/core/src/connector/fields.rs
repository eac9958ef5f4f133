//! The texts of a credential's JSON object, read and written without leaving a copy behind.

use super::credential::FieldText;
use super::json::Document;
use crate::secret::SecretBytes;
use zeroize::Zeroizing;

/// The text of one member; nothing where there is none, or two.
pub fn text<'d>(document: &'d Document<'_>, name: &str) -> Option<FieldText<'d>> {
    document.root().member(name).ok()??.string().map(FieldText)
}

/// The object with these members set, and without those: what is there is replaced, what is not is added. `None` unless
/// it was an object of texts.
pub fn changed(object: &[u8], set: &[(&str, &str)], without: &[&str]) -> Option<SecretBytes> {
    let document = Document::parse(object).ok()?;
    let mut members: Vec<(String, FieldText<'_>)> = Vec::new();
    for (name, value) in document.root().members() {
        let name = name.text().into_owned();
        let text = value.string().map(FieldText)?;
        if !set.iter().any(|(known, _)| *known == name) && !without.contains(&name.as_str()) {
            members.push((name, text));
        }
    }
    let kept = members.iter().map(|(name, text)| (name.as_str(), text.0.as_ref()));
    Some(object_of(kept.chain(set.iter().copied())))
}

/// A JSON object of texts.
pub fn object_of<'t>(members: impl Iterator<Item = (&'t str, &'t str)> + Clone) -> SecretBytes {
    // Room for every byte escaped: growing would leave copies behind.
    let room = members.clone().map(|(name, text)| 6 * (name.len() + text.len()) + 6).sum::<usize>() + 2;
    let mut out = Zeroizing::new(Vec::with_capacity(room));
    out.push(b'{');
    for (index, (name, text)) in members.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(name, &mut out);
        out.push(b':');
        write_text(text, &mut out);
    }
    out.push(b'}');
    SecretBytes::copied(&out)
}

/// RFC 8259 §7, the short escapes left out.
fn write_text(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..=0x1F => {
                let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or_default();
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn members_are_replaced_and_added_and_every_text_survives() {
        let object = br#"{"d":"","a":"1","b":"quoted \" and \n"}"#;
        let object = changed(object, &[("a", "2\\"), ("c", "\u{1}é")], &["d"]).unwrap();
        let document = Document::parse(object.expose()).unwrap();
        for (name, expected) in [("a", "2\\"), ("b", "quoted \" and \n"), ("c", "\u{1}é")] {
            assert_eq!(text(&document, name).unwrap().0, expected, "{name}");
        }
        assert!(text(&document, "d").is_none());
        assert!(changed(br#"{"a":1}"#, &[], &[]).is_none());
    }
}
