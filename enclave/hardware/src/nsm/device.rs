//! The device file: one ioctl, which carries a request and brings the answer.

use super::message::{MAX_REQUEST, MAX_RESPONSE};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode};
use std::ffi::c_void;
use std::os::fd::OwnedFd;
use zeroize::Zeroizing;

pub(super) struct Device(OwnedFd);

/// `struct nsm_iovec` and `struct nsm_raw` of Linux, `nsm.h`.
#[repr(C)]
struct Piece {
    address: u64,
    length: u64,
}

#[repr(C)]
struct Message {
    request: Piece,
    response: Piece,
}

impl Device {
    pub(super) fn open() -> Option<Device> {
        open("/dev/nsm", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).ok().map(Device)
    }

    /// Waits for the answer, as long as the driver does.
    pub(super) fn exchange(&self, request: &[u8]) -> Option<Vec<u8>> {
        if request.len() > MAX_REQUEST {
            return None;
        }
        let mut response = Zeroizing::new(vec![0; MAX_RESPONSE]);
        let exchange = Exchange { request, response: response.as_mut_slice() };
        let length = call(&self.0, exchange).ok()?;
        response.get(..length).map(<[u8]>::to_vec)
    }
}

#[expect(unsafe_code, reason = "an ioctl that no library knows")]
fn call(device: &OwnedFd, exchange: Exchange<'_>) -> Result<usize, Errno> {
    let mut message = Message {
        request: Piece { address: exchange.request.as_ptr() as u64, length: exchange.request.len() as u64 },
        response: Piece {
            address: exchange.response.as_mut_ptr() as u64,
            length: exchange.response.len() as u64,
        },
    };
    // SAFETY: `Raw` describes NSM_IOCTL_RAW; both pieces are borrowed until the call returns, and are as long as they say.
    unsafe { ioctl(device, Raw(&mut message)) }?;
    Ok(usize::try_from(message.response.length).unwrap_or(usize::MAX))
}

/// What the message points to.
struct Exchange<'b> {
    request: &'b [u8],
    response: &'b mut [u8],
}

/// `NSM_IOCTL_RAW`: `_IOWR(0x0A, 0, struct nsm_raw)`.
struct Raw<'m>(&'m mut Message);

#[expect(unsafe_code, reason = "an ioctl that no library knows")]
// SAFETY: the operation reads and writes one `Message`, which is borrowed for the call, and the two buffers that it names.
unsafe impl Ioctl for Raw<'_> {
    type Output = ();
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        opcode::read_write::<Message>(0x0A, 0)
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::from_mut(self.0).cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, _: *mut c_void) -> Result<(), Errno> {
        Ok(())
    }
}
