//! `Content-Digest` (RFC 9530): of the content as it is sent, in `sha-256` and `sha-512`.

use super::Refused;
use super::structured::{Bare, Dictionary, Item, Member};
use aws_lc_rs::digest::{Algorithm, SHA256, SHA512, digest};

const KNOWN: [(&str, &Algorithm); 2] = [("sha-256", &SHA256), ("sha-512", &SHA512)];

/// The field of a body.
pub fn content_digest(body: &[u8]) -> String {
    let item = Item::bytes(digest(&SHA256, body).as_ref());
    format!("sha-256={item}")
}

/// Every digest that we know is this body's, and there is one. Those of other algorithms (the insecure ones of RFC 9530 §5 too) say nothing.
pub fn check(field: &str, body: &[u8]) -> Result<(), Refused> {
    let dictionary = Dictionary::parse(field).map_err(|_| Refused::DigestMalformed)?;
    let mut is_known = false;
    for (name, member) in dictionary.members() {
        let Member::Item(Item { value: Bare::Bytes(stated), parameters }) = member else {
            return Err(Refused::DigestMalformed);
        };
        if parameters.keys().len() > 0 {
            return Err(Refused::DigestMalformed);
        }
        let Some((_, algorithm)) = KNOWN.iter().find(|(known, _)| *known == name) else { continue };
        is_known = true;
        if digest(algorithm, body).as_ref() != stated.as_slice() {
            return Err(Refused::OtherBody);
        }
    }
    if is_known { Ok(()) } else { Err(Refused::DigestMissing) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9530 appendices B.1 and D; the sha-512 one is of RFC 9421 appendix B.2.
    #[test]
    fn digests_of_the_standard_are_their_bodies() {
        let hello = b"{\"hello\": \"world\"}";
        let sha256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
        let sha512 = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
        assert_eq!(content_digest(hello), sha256);
        assert_eq!(content_digest(b""), "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
        for field in [sha256, sha512, &format!("{sha512}, {sha256}"), &format!("md5=:AA==:, {sha256}")] {
            assert_eq!(check(field, hello), Ok(()), "{field}");
            assert_eq!(check(field, b"{\"hello\": \"world\"}\n"), Err(Refused::OtherBody), "{field}");
            assert_eq!(check(field, b""), Err(Refused::OtherBody), "{field}");
        }
    }

    #[test]
    fn each_known_digest_counts_and_unknown_ones_do_not() {
        let good = content_digest(b"a");
        for (field, refused) in [
            (format!("{good}, sha-512=:AA==:"), Refused::OtherBody),
            ("sha-256=:AA==:".to_owned(), Refused::OtherBody),
            ("sha-256=::".to_owned(), Refused::OtherBody),
            ("md5=:DMF1ucDxtqgxw5niaXcmYQ==:".to_owned(), Refused::DigestMissing),
            (format!("{good}, {good}"), Refused::DigestMalformed),
            (format!("{good};a"), Refused::DigestMalformed),
            (format!("{good},sha-512=:AA==:"), Refused::DigestMalformed),
            ("sha-256=\"AA==\"".to_owned(), Refused::DigestMalformed),
            ("sha-256=(:AA==:)".to_owned(), Refused::DigestMalformed),
            ("sha-256".to_owned(), Refused::DigestMalformed),
            (String::new(), Refused::DigestMalformed),
        ] {
            assert_eq!(check(&field, b"a"), Err(refused), "{field}");
        }
    }
}
