//! Memory for keys that the kernel maps for this process alone: memfd_secret(2), Linux 5.14.
//!
//! Not even root reads it through /proc or process_vm_readv; root can still make this process read it itself.

use enclave::secret::SecretMemory;
use std::sync::{Mutex, PoisonError};

/// Pieces of one size, each for one secret: a key, a share, a credential of ordinary length.
const PIECE: usize = 2048;
/// 2 MiB in all: well within the usual limit of locked memory (8 MiB) of a user who is not root.
const PIECES: usize = 1024;

/// One mapping, cut into pieces.
pub struct KernelSecretMemory {
    pieces: Mutex<Pieces>,
    start: usize,
}

struct Pieces {
    free: Vec<usize>,
}

impl KernelSecretMemory {
    /// Maps it, or says nothing where the kernel or the limit of locked memory does not allow it.
    pub fn map() -> Option<&'static KernelSecretMemory> {
        let start = map_secret(PIECE * PIECES)?;
        let free = (0..PIECES).rev().collect();
        Some(Box::leak(Box::new(KernelSecretMemory { pieces: Mutex::new(Pieces { free }), start })))
    }
}

impl SecretMemory for KernelSecretMemory {
    fn take(&self, length: usize) -> Option<&'static mut [u8]> {
        if length > PIECE {
            return None;
        }
        let piece = self.pieces.lock().unwrap_or_else(PoisonError::into_inner).free.pop()?;
        Some(piece_at(self.start + piece * PIECE, length))
    }

    fn give_back(&self, address: usize) {
        let piece = address.saturating_sub(self.start) / PIECE;
        if address >= self.start && piece < PIECES {
            self.pieces.lock().unwrap_or_else(PoisonError::into_inner).free.push(piece);
        }
    }
}

/// The address of a fresh, zeroed mapping that is never unmapped.
#[expect(unsafe_code, reason = "no safe wrapper for memfd_secret exists")]
fn map_secret(length: usize) -> Option<usize> {
    // SAFETY: the descriptor is owned here and closed below; the mapping is private to this module, and stays.
    unsafe {
        let fd = i32::try_from(libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC))
            .ok()
            .filter(|fd| *fd >= 0)?;
        let sized = libc::ftruncate(fd, i64::try_from(length).unwrap_or(0)) == 0;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let mapped = libc::mmap(std::ptr::null_mut(), length, protection, libc::MAP_SHARED, fd, 0);
        libc::close(fd);
        if !sized || mapped == libc::MAP_FAILED {
            return None;
        }
        // No child and no dump ever sees it.
        libc::madvise(mapped, length, libc::MADV_DONTFORK);
        Some(mapped.expose_provenance())
    }
}

/// The piece as a slice. INVARIANT: a piece that is not free is lent to exactly one secret.
#[expect(unsafe_code, reason = "cuts the mapping into pieces")]
fn piece_at(address: usize, length: usize) -> &'static mut [u8] {
    // SAFETY: inside the mapping, which stays for good; the free list lends each piece once; bytes are initialised.
    unsafe { std::slice::from_raw_parts_mut(std::ptr::with_exposed_provenance_mut(address), length) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::io::{Read, Seek, SeekFrom};

    #[test]
    fn not_even_the_kernels_own_view_of_the_process_shows_it() {
        let memory = KernelSecretMemory::map().unwrap();
        let secret = memory.take(32).unwrap();
        secret.fill(0x5a);
        let read = |address: usize| {
            let mut file = std::fs::File::open("/proc/self/mem").unwrap();
            file.seek(SeekFrom::Start(u64::try_from(address).unwrap())).unwrap();
            let mut bytes = [0; 32];
            file.read_exact(&mut bytes).map(|()| bytes)
        };
        let plain = [0x5a_u8; 32];
        assert_eq!(read(plain.as_ptr().addr()).unwrap(), [0x5a; 32], "ordinary memory is seen");
        assert!(read(secret.as_ptr().addr()).is_err());
    }

    #[test]
    fn pieces_are_lent_once_and_come_back() {
        let memory = KernelSecretMemory::map().unwrap();
        let mut taken: Vec<_> = std::iter::from_fn(|| memory.take(PIECE)).collect();
        assert_eq!(taken.len(), PIECES);
        let mut starts: Vec<usize> = taken.iter().map(|piece| piece.as_ptr().addr()).collect();
        starts.sort_unstable();
        starts.dedup();
        assert_eq!(starts.len(), PIECES);
        memory.give_back(taken.pop().unwrap().as_ptr().addr());
        assert!(memory.take(1).is_some());
        assert!(memory.take(1).is_none());
        assert!(memory.take(PIECE + 1).is_none());
    }
}
