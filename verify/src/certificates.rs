//! Certificates as people and machines hand them on: DER of one, or PEM (RFC 7468) of several.

use crate::Refused;
use crate::x509::is_der_sequence;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// Nobody's chain is longer.
const MOST: usize = 8;

/// The certificates of a file, each as DER. Text around the blocks of a PEM file is ignored, as RFC 7468 §2 has it.
pub fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Refused> {
    if is_der_sequence(bytes) {
        return Ok(vec![bytes.to_vec()]);
    }
    blocks(bytes, |_| true)
}

/// The certificates of a PEM chain inside of a document: nothing but line breaks is around its blocks, so that no two
/// documents say the same.
pub(crate) fn read_chain(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Refused> {
    blocks(bytes, |around| around.bytes().all(|byte| matches!(byte, b'\n' | b'\r')))
}

fn blocks(bytes: &[u8], may_be_around: impl Fn(&str) -> bool) -> Result<Vec<Vec<u8>>, Refused> {
    const MALFORMED: Refused = Refused::CertificateMalformed;
    let mut rest = core::str::from_utf8(bytes).map_err(|_| MALFORMED)?;
    let mut all = Vec::new();
    while let Some((before, block)) = rest.split_once(BEGIN) {
        let (base64, after) = block.split_once(END).ok_or(MALFORMED)?;
        let der = crate::text::unbase64(base64.as_bytes()).ok_or(MALFORMED)?;
        if !is_der_sequence(&der) || all.len() == MOST || !may_be_around(before) {
            return Err(MALFORMED);
        }
        all.push(der);
        rest = after;
    }
    if all.is_empty() || !may_be_around(rest) { Err(MALFORMED) } else { Ok(all) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::vector;

    #[test]
    fn one_certificate_is_read_from_either_form() {
        let der = vector("evidence/snp/trustee-vcek.der");
        assert_eq!(read(&der), Ok(vec![der]));
        let pem = read(&vector("evidence/snp/trustee-az-genoa-vcek.pem")).unwrap();
        assert_eq!(pem.len(), 1);
    }

    #[test]
    fn what_holds_no_certificate_or_a_broken_one_is_refused() {
        for bad in [
            "",
            "text",
            BEGIN,
            "-----BEGIN CERTIFICATE-----\nMAA",
            "-----BEGIN CERTIFICATE-----!!-----END CERTIFICATE-----",
        ] {
            assert_eq!(read(bad.as_bytes()), Err(Refused::CertificateMalformed), "{bad}");
        }
        let nine = format!("{BEGIN}\nMAA=\n{END}\n").repeat(9);
        assert_eq!(read(nine.as_bytes()), Err(Refused::CertificateMalformed));
    }

    #[test]
    fn inside_of_a_document_nothing_is_around_the_blocks() {
        let pem = vector("evidence/snp/trustee-az-genoa-vcek.pem");
        assert!(read_chain(&pem).is_ok());
        for text in [[b"text\n", pem.as_slice()].concat(), [pem.as_slice(), b" "].concat()] {
            assert!(read(&text).is_ok());
            assert_eq!(read_chain(&text), Err(Refused::CertificateMalformed));
        }
    }

    #[test]
    fn base64_has_one_form() {
        let block = |base64: &str| format!("{BEGIN}\n{base64}\n{END}\n");
        assert!(read(block("MAMCAQE=").as_bytes()).is_ok());
        assert_eq!(
            read(block("MAMCAQF=").as_bytes()),
            Err(Refused::CertificateMalformed),
            "bits behind the last byte"
        );
    }
}
