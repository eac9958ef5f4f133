//! Memory for keys that the kernel maps for this process alone: memfd_secret(2), Linux 5.14.
//!
//! Not even root reads it through /proc or process_vm_readv; root can still make this process read it itself.

use enclave::secret::SecretMemory;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Pieces of two sizes, each for one secret: a key, a share or a field of a credential; a credential of ordinary length.
/// 2 MiB in all: well within the usual limit of locked memory (8 MiB) of a user who is not root, and fields for more than
/// a thousand credentials at once.
const CLASSES: [Class; 2] = [Class { piece: 256, pieces: 4096 }, Class { piece: 2048, pieces: 512 }];

struct Class {
    /// Bytes.
    piece: usize,
    pieces: usize,
}

/// One mapping, cut into pieces: first all of the one size, then all of the other.
pub struct KernelSecretMemory {
    /// The addresses of the free pieces of each class.
    free: [Mutex<Vec<usize>>; CLASSES.len()],
    start: usize,
}

impl Class {
    const fn length(&self) -> usize {
        self.piece * self.pieces
    }
}

impl KernelSecretMemory {
    /// Maps it, or says nothing where the kernel or the limit of locked memory does not allow it.
    pub fn map() -> Option<&'static KernelSecretMemory> {
        let start = map_secret(CLASSES.iter().map(Class::length).sum())?;
        let mut next = start;
        let free = CLASSES.map(|class| {
            let first = next;
            next += class.length();
            Mutex::new((0..class.pieces).rev().map(|piece| first + piece * class.piece).collect())
        });
        Some(Box::leak(Box::new(KernelSecretMemory { free, start })))
    }
}

impl SecretMemory for KernelSecretMemory {
    /// Of the smallest size that fits and is not used up.
    fn take(&self, length: usize) -> Option<&'static mut [u8]> {
        let fitting = CLASSES.iter().zip(&self.free).filter(|(class, _)| length <= class.piece);
        let mut taken = fitting.filter_map(|(_, free)| lock(free).pop());
        taken.next().map(|address| piece_at(address, length))
    }

    fn give_back(&self, address: usize) {
        let mut first = self.start;
        for (class, free) in CLASSES.iter().zip(&self.free) {
            if (first..first + class.length()).contains(&address) {
                return lock(free).push(address);
            }
            first += class.length();
        }
    }
}

fn lock(free: &Mutex<Vec<usize>>) -> MutexGuard<'_, Vec<usize>> {
    free.lock().unwrap_or_else(PoisonError::into_inner)
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
        for class in CLASSES {
            let taken = (0..class.pieces).map(|_| memory.take(class.piece).unwrap().as_ptr().addr());
            let mut starts: Vec<usize> = taken.collect();
            starts.sort_unstable();
            let apart = |(one, next): (&usize, &usize)| next - one >= class.piece;
            assert!(starts.iter().zip(starts.iter().skip(1)).all(apart), "none overlaps another");
        }
        assert!(memory.take(1).is_none());
        let [small, large] = CLASSES;
        let last = memory.start + small.length() + large.length() - large.piece;
        memory.give_back(last);
        assert!(memory.take(large.piece + 1).is_none());
        let instead = memory.take(1).unwrap().as_ptr().addr();
        assert_eq!(instead, last, "a small secret takes a large piece where no small one is left");
        assert!(memory.take(1).is_none());
        memory.give_back(memory.start);
        assert_eq!(memory.take(small.piece).unwrap().as_ptr().addr(), memory.start);
    }
}
