//! Where a secret's bytes are: in memory that the program offered, or on the heap.

use std::sync::OnceLock;
use zeroize::Zeroize;

/// Memory that only this process can read, such as memfd_secret(2). A program offers it once, at its start.
pub trait SecretMemory: Sync {
    /// A zeroed piece that nobody else has, or nothing if it is used up.
    fn take(&self, length: usize) -> Option<&'static mut [u8]>;

    /// The piece that starts at this address is not used any more. It has been erased.
    fn give_back(&self, address: usize);
}

static OFFERED: OnceLock<&'static dyn SecretMemory> = OnceLock::new();

/// Keeps every secret made from now on in `memory`, as long as it lasts, and on the heap after that.
/// Returns whether this was the first offer; later ones change nothing.
pub fn keep_secrets_in(memory: &'static dyn SecretMemory) -> bool {
    OFFERED.set(memory).is_ok()
}

pub(super) enum Place<T: Zeroize + AsRef<[u8]> + ?Sized + 'static> {
    Offered(&'static mut T),
    Heap(Box<T>),
}

impl<const N: usize> Place<[u8; N]> {
    pub(super) fn array() -> Self {
        let offered = take(N).and_then(|piece| <&'static mut [u8; N]>::try_from(piece).ok());
        offered.map_or_else(|| Place::Heap(Box::new([0; N])), Place::Offered)
    }
}

impl Place<[u8]> {
    pub(super) fn slice(length: usize) -> Self {
        take(length).map_or_else(|| Place::Heap(vec![0; length].into_boxed_slice()), Place::Offered)
    }
}

impl<T: Zeroize + AsRef<[u8]> + ?Sized> Place<T> {
    pub(super) fn bytes(&self) -> &T {
        match self {
            Place::Offered(bytes) => bytes,
            Place::Heap(bytes) => bytes,
        }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut T {
        match self {
            Place::Offered(bytes) => bytes,
            Place::Heap(bytes) => bytes,
        }
    }
}

impl<T: Zeroize + AsRef<[u8]> + ?Sized> Drop for Place<T> {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        if let (Place::Offered(bytes), Some(memory)) = (self, OFFERED.get()) {
            memory.give_back(T::as_ref(bytes).as_ptr().addr());
        }
    }
}

fn take(length: usize) -> Option<&'static mut [u8]> {
    OFFERED.get()?.take(length).filter(|piece| piece.len() == length)
}
