//! Roots of trust: vendors' are compiled in, a simulation's is named by the caller, and they never mix.

use crate::Refused;
use crate::expect::Kind;
use crate::x509::is_der_sequence;

/// DER of the AWS Nitro Enclaves root G1; SHA-256 641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b.
const AWS_NITRO_G1: &[u8] = include_bytes!("nitro/aws-nitro-g1.der");
/// DER of the AMD Root Keys of three generations of EPYC processors (kdsintf.amd.com/vcek/v1/NAME/cert_chain).
const AMD_ARK: [&[u8]; 3] = [
    include_bytes!("snp/amd-ark-milan.der"),
    include_bytes!("snp/amd-ark-genoa.der"),
    include_bytes!("snp/amd-ark-turin.der"),
];

/// DER of the Intel SGX root, which TDX uses, too (certificates.trustedservices.intel.com).
const INTEL_SGX: &[u8] = include_bytes!("tdx/intel-sgx-root-ca.der");

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

/// The roots of hardware vendors, each for its own kind of evidence. Nothing adds to the compiled-in ones but a call that
/// says so.
#[derive(Clone, Debug)]
pub struct VendorRoots {
    aws: Vec<Root>,
    amd: Vec<Root>,
    intel: Vec<Root>,
}

impl Default for VendorRoots {
    fn default() -> VendorRoots {
        let roots = |all: &[&[u8]]| all.iter().map(|der| Root(der.to_vec())).collect();
        VendorRoots { aws: vec![Root::aws_nitro_g1()], amd: roots(&AMD_ARK), intel: roots(&[INTEL_SGX]) }
    }
}

impl VendorRoots {
    /// Other roots in place of the compiled-in ones of a kind: whoever holds their keys is believed to be its vendor.
    #[must_use]
    pub fn dangerous_instead(mut self, kind: Kind, roots: Vec<Root>) -> VendorRoots {
        match kind {
            Kind::Nitro => self.aws = roots,
            Kind::SevSnp => self.amd = roots,
            Kind::Tdx => self.intel = roots,
        }
        self
    }

    pub(crate) fn of(&self, kind: Kind) -> &[Root] {
        match kind {
            Kind::Nitro => &self.aws,
            Kind::SevSnp => &self.amd,
            Kind::Tdx => &self.intel,
        }
    }

    pub(crate) fn contain(&self, kind: Kind, der: &[u8]) -> bool {
        self.of(kind).iter().any(|root| root.0 == der)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;
    use aws_lc_rs::digest::{SHA256, digest};

    #[test]
    fn the_compiled_in_roots_are_the_published_ones() {
        let published = [
            (Kind::Nitro, "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"),
            (Kind::SevSnp, "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"),
            (Kind::SevSnp, "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"),
            (Kind::SevSnp, "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"),
            (Kind::Tdx, "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"),
        ];
        let roots = VendorRoots::default();
        let compiled: usize = Kind::ALL.iter().map(|kind| roots.of(*kind).len()).sum();
        assert_eq!(compiled, published.len());
        for (kind, hash) in published {
            let found = roots.of(kind).iter().any(|root| digest(&SHA256, root.der()).as_ref() == unhex(hash));
            assert!(found, "{hash}");
        }
    }

    #[test]
    fn a_root_of_one_vendor_is_none_of_another() {
        let roots = VendorRoots::default();
        assert!(roots.contain(Kind::Nitro, AWS_NITRO_G1) && !roots.contain(Kind::SevSnp, AWS_NITRO_G1));
        assert!(roots.contain(Kind::SevSnp, AMD_ARK[0]) && !roots.contain(Kind::Tdx, AMD_ARK[0]));
    }
}
