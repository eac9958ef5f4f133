//! From AMD's root to the key that signed a report: ARK → ASK → VCEK of a chip, or ARK → ASVK → VLEK of a cloud (AMD 57230).

use crate::Refused;
use crate::root::Root;
use crate::x509::der::{IA5_STRING, OCTET_STRING, Reader};
use crate::x509::{Algorithm, Certificate, Key, LeafUsage, check_algorithms, check_path};
use wire::UnixMillis;

/// Certificates of the authorities for chips, so that a chip's own is enough; each is signed by its ARK like any other.
const ASK: [&[u8]; 3] = [
    include_bytes!("amd-ask-milan.der"),
    include_bytes!("amd-ask-genoa.der"),
    include_bytes!("amd-ask-turin.der"),
];
/// Nobody sends more: leaf, authority, root.
const MAX_CERTIFICATES: usize = 4;
/// Contents of the names of AMD's extensions: 1.3.6.1.4.1.3704.1.2 `productName` and .4 `hwID`.
const PRODUCT_NAME: &[u8] = b"\x2b\x06\x01\x04\x01\x9c\x78\x01\x02";
const HARDWARE_ID: &[u8] = b"\x2b\x06\x01\x04\x01\x9c\x78\x01\x04";

/// A generation of processors; it decides how versions are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    Milan,
    Genoa,
    Turin,
}

impl Product {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Product::Milan => "milan",
            Product::Genoa => "genoa",
            Product::Turin => "turin",
        }
    }

    /// From the certificate's `productName`, an IA5String with or without a stepping: `Milan-B0`, `Turin`.
    fn of(leaf: &Certificate<'_>) -> Result<Product, Refused> {
        let mut reader = Reader::new(leaf.extension(PRODUCT_NAME).ok_or(Refused::CertificateMalformed)?);
        let name = reader.expect(IA5_STRING)?.contents;
        reader.finish()?;
        match name.split(|byte| *byte == b'-').next() {
            Some(b"Milan") => Ok(Product::Milan),
            Some(b"Genoa" | b"Siena" | b"Bergamo") => Ok(Product::Genoa),
            Some(b"Turin") => Ok(Product::Turin),
            _ => Err(Refused::CertificateMalformed),
        }
    }
}

/// Which chip a certificate is for. Turin's chips have 8 bytes, and zeros behind them in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chip<'b>(&'b [u8]);

impl<'b> Chip<'b> {
    /// The extension's bytes themselves, or in some certificates an OCTET STRING of them.
    fn of(leaf: &Certificate<'b>) -> Result<Option<Chip<'b>>, Refused> {
        let Some(value) = leaf.extension(HARDWARE_ID) else { return Ok(None) };
        let bytes = match value.len() {
            8 | 64 => value,
            _ => {
                let mut reader = Reader::new(value);
                let bytes = reader.expect(OCTET_STRING)?.contents;
                reader.finish()?;
                bytes
            }
        };
        match bytes.len() {
            8 | 64 => Ok(Some(Chip(bytes))),
            _ => Err(Refused::CertificateMalformed),
        }
    }

    /// Whether a report is of this chip; a report that hides its chip is of none.
    pub(super) fn is(self, reported: &[u8; 64]) -> bool {
        let Some((id, rest)) = reported.split_at_checked(self.0.len()) else { return false };
        id == self.0 && id.iter().any(|byte| *byte != 0) && rest.iter().all(|byte| *byte == 0)
    }
}

/// A checked path: its names, signatures, constraints and algorithms hold; its times are the caller's to check.
pub(super) struct Chain<'b> {
    authorities: [Certificate<'b>; 2],
    pub(super) leaf: Certificate<'b>,
    pub(super) product: Product,
    /// Of a VCEK; a VLEK is not of one chip.
    pub(super) chip: Option<Chip<'b>>,
}

impl<'b> Chain<'b> {
    /// `certificates` are in any order: the leaf, its authority unless it is one of those known here, and perhaps the root.
    pub(super) fn build(certificates: &'b [Vec<u8>], roots: &'b [Root]) -> Result<Chain<'b>, Refused> {
        if certificates.is_empty() {
            return Err(Refused::CertificateMissing);
        }
        if certificates.len() > MAX_CERTIFICATES {
            return Err(Refused::Malformed);
        }
        let parsed = certificates.iter().map(|bytes| Certificate::parse(bytes));
        let mut given = parsed.collect::<Result<Vec<_>, _>>()?;
        let leaf = given.iter().position(|certificate| matches!(certificate.key, Key::P384(_)));
        let leaf = given.swap_remove(leaf.ok_or(Refused::CertificateMissing)?);
        for bytes in ASK {
            given.push(Certificate::parse(bytes)?);
        }
        let roots = roots.iter().map(|root| Certificate::parse(root.der())).collect::<Result<Vec<_>, _>>()?;
        // A root signs authorities, not chips.
        given.retain(|certificate| certificate.issuer != certificate.subject);
        let authority = issuer_of(&leaf, given, Refused::CertificateMissing)?;
        let root = issuer_of(&authority, roots, Refused::RootNotPinned)?;
        Chain::check([root, authority], leaf)
    }

    fn check(authorities: [Certificate<'b>; 2], leaf: Certificate<'b>) -> Result<Chain<'b>, Refused> {
        let [root, authority] = &authorities;
        let path = [root, authority, &leaf];
        check_algorithms(&path, Algorithm::Ps384, |key| matches!(key, Key::Rsa(_) | Key::P384(_)))?;
        check_path(&path, LeafUsage::MayBeUnsaid)?;
        let (product, chip) = (Product::of(&leaf)?, Chip::of(&leaf)?);
        Ok(Chain { authorities, leaf, product, chip })
    }

    pub(super) fn check_validity(&self, at: UnixMillis, leeway: u64) -> Result<(), Refused> {
        let all = self.authorities.iter().chain([&self.leaf]);
        all.into_iter().try_for_each(|certificate| certificate.check_validity(at, leeway))
    }

    pub(super) fn not_after(&self) -> UnixMillis {
        let all = self.authorities.iter().chain([&self.leaf]);
        all.map(|certificate| certificate.not_after).min().unwrap_or(self.leaf.not_after)
    }
}

/// The certificate that this one names as its issuer; whether that signed it is checked with the path.
fn issuer_of<'b>(
    certificate: &Certificate<'_>,
    candidates: Vec<Certificate<'b>>,
    missing: Refused,
) -> Result<Certificate<'b>, Refused> {
    candidates.into_iter().find(|candidate| candidate.subject == certificate.issuer).ok_or(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VendorRoots;
    use crate::expect::Kind;
    use crate::testing::vector;

    fn build(leaf: &str) -> Result<(Product, usize), Refused> {
        let certificates = [vector(&format!("evidence/snp/{leaf}"))];
        let roots = VendorRoots::default();
        let chain = Chain::build(&certificates, roots.of(Kind::SevSnp))?;
        Ok((chain.product, chain.chip.map_or(0, |chip| chip.0.len())))
    }

    #[test]
    fn chips_of_each_generation_lead_to_amds_roots() {
        assert_eq!(build("virtee-milan-vcek.der"), Ok((Product::Milan, 64)));
        assert_eq!(build("virtee-turin-vcek.der"), Ok((Product::Turin, 8)));
    }

    #[test]
    fn a_cloud_key_needs_the_certificate_of_its_authority() {
        assert_eq!(build("trustee-vlek.der"), Err(Refused::CertificateMissing));
    }

    #[test]
    fn m03_a_root_that_is_not_pinned_vouches_for_nothing() {
        let certificates = [vector("evidence/snp/virtee-milan-vcek.der")];
        assert_eq!(Chain::build(&certificates, &[]).err(), Some(Refused::RootNotPinned));
    }

    #[test]
    fn a_chip_is_its_own_id_and_no_hidden_one() {
        let id = [7; 8];
        let mut reported = [0; 64];
        assert!(!Chip(&[0; 8]).is(&reported), "a report that hides its chip");
        reported[..8].copy_from_slice(&id);
        assert!(Chip(&id).is(&reported));
        reported[63] = 1;
        assert!(!Chip(&id).is(&reported));
    }
}
