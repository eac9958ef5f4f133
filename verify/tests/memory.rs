//! Parsing hostile bytes takes memory in proportion to the bytes, never to the numbers they claim (m07).
//! The only test of its program: the counter sees every allocation of the process.
#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait; it only forwards to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use verify::fuzz::{fuzz_evidence, fuzz_evidence_reply, fuzz_sealed};

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(NOW.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller's promise is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is the system allocator's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a small document may take, whatever it claims: certificates, registers, the list of checks.
const FIXED: usize = 64 * 1024;
/// How many times its own length a message may take.
const FACTOR: usize = 8;

#[test]
fn m07_memory_is_bounded_by_the_input() {
    let corpus: Vec<Vec<u8>> =
        ["evidence", "evidence-reply"].iter().flat_map(|folder| read(folder)).collect();
    fuzz_sealed(b""); // Makes the key that is made once.
    for bytes in corpus.iter().chain(&claims()) {
        for (name, target) in TARGETS {
            let before = NOW.load(Relaxed);
            PEAK.store(before, Relaxed);
            target(bytes);
            let taken = PEAK.load(Relaxed).saturating_sub(before);
            let allowed = FIXED + FACTOR * bytes.len();
            assert!(taken <= allowed, "{name} takes {taken} bytes for {}", bytes.len());
        }
    }
}

type Target = fn(&[u8]);
const TARGETS: [(&str, Target); 3] =
    [("evidence", fuzz_evidence), ("evidence reply", fuzz_evidence_reply), ("sealed request", fuzz_sealed)];

/// Short messages that claim to be huge, in every format.
fn claims() -> Vec<Vec<u8>> {
    let cbor = [0x5a, 0x7a, 0x9a, 0xba].map(|head| vec![head, 0xff, 0xff, 0xff, 0xff]);
    let nested = [0x81, 0xa1, 0xd2, 0x9f, 0xbf, 0x5f].map(|head| vec![head; 10_000]);
    let bhttp = [
        b"\x00\x03GET\x00\x00\x01/\xbf\xff\xff\xff".to_vec(),
        b"\x00\x03GET\x00\x00\x01/\x00\xbf\xff\xff\xff".to_vec(),
        b"\x00\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
    ];
    let text = [vec![b'A'; 1 << 20], vec![b'0'; 1 << 20]];
    cbor.into_iter().chain(nested).chain(bhttp).chain(text).collect()
}

fn read(folder: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(folder);
    std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}
