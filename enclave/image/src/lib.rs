//! The enclave's image for AWS Nitro Enclaves (docs/spec/image.md): the same inputs give the same bytes, and the registers
//! that the hypervisor will measure are computed from those bytes beforehand.

pub mod cpio;
mod crc32;
pub mod eif;
pub mod measure;
