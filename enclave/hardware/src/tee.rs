//! Which TEE this machine is.

use crate::entropy::MixedEntropy;
use crate::machine::stir;
use crate::nsm::{NitroAttester, Nsm};
use enclave::Attester;
use enclave::entropy::{Entropy, NoEntropy};

/// What the TEE gives to an enclave.
pub struct Tee {
    pub attester: Box<dyn Attester>,
    pub entropy: Box<dyn Entropy>,
}

/// Why there is no TEE to run in. Nothing starts then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTee {
    /// No device that attests.
    NoDevice,
    /// Its random bytes, or the kernel's, are missing or do not pass their tests.
    NoEntropy,
}

impl Tee {
    /// AWS Nitro, by its security module.
    pub fn nitro() -> Result<Tee, NoTee> {
        let nsm = Nsm::open().map_err(|_| NoTee::NoDevice)?;
        let random = |out: &mut [u8]| nsm.random(out).map_err(NoEntropy::from);
        let entropy = MixedEntropy::start(random, |bytes| stir(bytes).map_err(|_| NoEntropy))
            .map_err(|NoEntropy| NoTee::NoEntropy)?;
        Ok(Tee { attester: Box::new(NitroAttester(nsm)), entropy: Box::new(entropy) })
    }
}
