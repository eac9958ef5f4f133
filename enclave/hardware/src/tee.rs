//! Which TEE this machine is.

use crate::entropy::MixedEntropy;
use crate::machine::stir;
use crate::nsm::{NitroAttester, Nsm};
use crate::tsm::{self, TsmAttester};
use enclave::Attester;
use enclave::entropy::{Entropy, NoEntropy};
use std::path::Path;

/// A processor that is asked faster than it fills up says so; after this many times it is broken.
#[cfg(target_arch = "x86_64")]
const RDSEED_TRIES: usize = 100_000;

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
    /// The TEE whose device the kernel has.
    pub fn find() -> Result<Tee, NoTee> {
        match Nsm::open() {
            Ok(nsm) => Tee::nitro(nsm),
            Err(_) => Tee::confidential_machine(),
        }
    }

    /// AWS Nitro, by its security module.
    fn nitro(nsm: Nsm) -> Result<Tee, NoTee> {
        let random = |out: &mut [u8]| nsm.random(out).map_err(NoEntropy::from);
        let entropy = MixedEntropy::start(random, |bytes| stir(bytes).map_err(|_| NoEntropy))
            .map_err(|NoEntropy| NoTee::NoEntropy)?;
        Ok(Tee { attester: Box::new(NitroAttester(nsm)), entropy: Box::new(entropy) })
    }

    /// AMD SEV-SNP or Intel TDX, by the kernel. The processor's own generator, which its host cannot reach, is the hardware's part of the entropy.
    fn confidential_machine() -> Result<Tee, NoTee> {
        let attester = TsmAttester::open(Path::new(tsm::REPORTS)).map_err(|_| NoTee::NoDevice)?;
        let entropy = MixedEntropy::start(processor_random, |bytes| stir(bytes).map_err(|_| NoEntropy))
            .map_err(|NoEntropy| NoTee::NoEntropy)?;
        Ok(Tee { attester: Box::new(attester), entropy: Box::new(entropy) })
    }
}

/// RDSEED, as often as the processor asks to be asked again (Intel, "Digital Random Number Generator", 5.3.1).
#[cfg(target_arch = "x86_64")]
fn processor_random(out: &mut [u8]) -> Result<(), NoEntropy> {
    if !std::arch::is_x86_feature_detected!("rdseed") {
        return Err(NoEntropy);
    }
    out.chunks_mut(8).try_for_each(|chunk| {
        let word = (0..RDSEED_TRIES).find_map(|_| rdseed()).ok_or(NoEntropy)?;
        chunk.iter_mut().zip(word.to_ne_bytes()).for_each(|(to, from)| *to = from);
        Ok(())
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn processor_random(_: &mut [u8]) -> Result<(), NoEntropy> {
    Err(NoEntropy)
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instruction has no safe wrapper")]
fn rdseed() -> Option<u64> {
    #[target_feature(enable = "rdseed")]
    fn step() -> Option<u64> {
        let mut word = 0;
        (core::arch::x86_64::_rdseed64_step(&mut word) == 1).then_some(word)
    }
    // SAFETY: the only caller has found that the processor has the instruction.
    unsafe { step() }
}
