//! Roots of trust: vendors' are compiled in, a simulation's is named by the caller, and they never mix.

use crate::Refused;
use crate::x509::is_der_sequence;

/// DER of the AWS Nitro Enclaves root G1; SHA-256 641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b.
const AWS_NITRO_G1: &[u8] = include_bytes!("nitro/aws-nitro-g1.der");

/// A root certificate, pinned by its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root(Vec<u8>);

impl Root {
    /// A root that nobody but the caller vouches for: a simulation's, or a test's.
    ///
    /// Only the form is checked here (PEM is refused); whether it is fit to be a root is part of every check of a chain.
    pub fn dangerous_from_der(der: &[u8]) -> Result<Root, Refused> {
        if is_der_sequence(der) { Ok(Root(der.to_vec())) } else { Err(Refused::CertificateMalformed) }
    }

    pub fn aws_nitro_g1() -> Root {
        Root(AWS_NITRO_G1.to_vec())
    }

    pub fn der(&self) -> &[u8] {
        &self.0
    }
}

/// The roots of hardware vendors. Nothing adds to the compiled-in ones but a call that says so.
#[derive(Clone, Debug)]
pub struct VendorRoots(Vec<Root>);

impl Default for VendorRoots {
    fn default() -> VendorRoots {
        VendorRoots(vec![Root::aws_nitro_g1()])
    }
}

impl VendorRoots {
    /// Other roots in place of the compiled-in ones: whoever holds their keys is believed to be a hardware vendor.
    pub fn dangerous_instead(roots: Vec<Root>) -> VendorRoots {
        VendorRoots(roots)
    }

    pub(crate) fn contain(&self, der: &[u8]) -> bool {
        self.0.iter().any(|root| root.0 == der)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;
    use aws_lc_rs::digest::{SHA256, digest};

    #[test]
    fn the_compiled_in_root_is_the_published_one() {
        let published = "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";
        assert_eq!(digest(&SHA256, Root::aws_nitro_g1().der()).as_ref(), unhex(published));
        assert!(VendorRoots::default().contain(AWS_NITRO_G1));
    }
}
