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
    let mut rest = core::str::from_utf8(bytes).map_err(|_| Refused::CertificateMalformed)?;
    let mut all = Vec::new();
    while let Some((_, block)) = rest.split_once(BEGIN) {
        let (base64, after) = block.split_once(END).ok_or(Refused::CertificateMalformed)?;
        let der = crate::text::unbase64(base64.as_bytes()).ok_or(Refused::CertificateMalformed)?;
        if !is_der_sequence(&der) || all.len() == MOST {
            return Err(Refused::CertificateMalformed);
        }
        all.push(der);
        rest = after;
    }
    if all.is_empty() { Err(Refused::CertificateMalformed) } else { Ok(all) }
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
}
