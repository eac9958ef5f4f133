//! What a hypervisor will measure of an image (AWS, "Where to get an enclave's measurements"): SHA-384 over sections, extended
//! once into a register of zeros.

use crate::eif::Image;
use aws_lc_rs::digest::{Context, SHA384};

/// A register's value.
pub type Register = [u8; 48];

/// The registers that an image alone decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurements {
    /// All of it but the metadata.
    pub pcr0: Register,
    /// Kernel, command line and the first ramdisk: of ours, the program.
    pub pcr1: Register,
    /// The other ramdisks: of ours, what the program is given, such as the roots that it trusts.
    pub pcr2: Register,
}

impl Measurements {
    pub fn of(image: &Image) -> Measurements {
        let (boot, application) = match image.ramdisks.split_first() {
            Some((first, others)) => (Some(first), others),
            None => (None, [].as_slice()),
        };
        let kernel = [image.kernel.as_slice(), image.command_line.as_bytes()];
        let boot = kernel.into_iter().chain(boot.map(Vec::as_slice));
        let application = || application.iter().map(Vec::as_slice);
        Measurements {
            pcr0: extended(boot.clone().chain(application())),
            pcr1: extended(boot),
            pcr2: extended(application()),
        }
    }
}

/// SHA-384(48 zeros ‖ SHA-384(parts)).
fn extended<'b>(parts: impl Iterator<Item = &'b [u8]>) -> Register {
    let mut hash = Context::new(&SHA384);
    parts.for_each(|part| hash.update(part));
    let mut register = Context::new(&SHA384);
    register.update(&[0; 48]);
    register.update(hash.finish().as_ref());
    let mut value = [0; 48];
    value.iter_mut().zip(register.finish().as_ref()).for_each(|(to, from)| *to = *from);
    value
}
