//! AES-GCM does not commit to its key: a ciphertext is built here that opens under two, and the commitment refuses it.

use super::*;
use crate::envelope::aead;
use crate::envelope::kdf::Prk;
use crate::envelope::payload::PayloadKey;
use crate::envelope::seal::{Lock, wrap};
use aws_lc_rs::cipher::{AES_256, EncryptingKey, UnboundCipherKey};
use wire::envelope::{Header, Sealed};

const NONCE: [u8; 12] = [0x42; 12];
const DATA_KEYS: [[u8; 32]; 2] = [[0x01; 32], [0x02; 32]];

#[test]
fn a_ciphertext_for_two_data_keys_is_refused_for_the_one_it_is_not_committed_to() {
    let header = sealed(1).header;
    let aad = context::payload_aad(&header);
    let keys = DATA_KEYS.map(|data_key| payload_key(&data_key, &header));
    let ciphertext = ciphertext_for_two(&keys, &aad);
    for key in &keys {
        let (text, tag) = ciphertext.split_last_chunk::<16>().unwrap();
        let mut text = text.to_vec();
        assert_eq!(
            aead::open(key, &NONCE, &aad, &mut text, tag),
            Ok(()),
            "AES-GCM alone opens it under both"
        );
    }

    let sealed_text = Sealed { nonce: NONCE, ciphertext };
    let [first, second] = DATA_KEYS.map(|key| PayloadKey::derive(&Secret::copied(&key), &header).unwrap());
    assert!(first.open(&header, &first.commitment(), &sealed_text).is_ok());
    assert!(second.open(&header, &second.commitment(), &sealed_text).is_ok());
    let refused = second.open(&header, &first.commitment(), &sealed_text).unwrap_err();
    assert_eq!(refused, EnvelopeFault::Refused);

    // The whole envelope, its wraps made for the second key by someone who holds share and root.
    let (share, roots) = (share(0x51), roots(1));
    let data_key = Secret::copied(&DATA_KEYS[1]);
    let mut envelope = Envelope { header, payload: sealed_text, commitment: first.commitment(), ..sealed(1) };
    let lock = Lock { data_key: &data_key, share: &share, roots: &roots, epoch: 1 };
    envelope.wrap = wrap(&envelope, &lock, &mut Counting(0)).unwrap();
    assert_eq!(opened(&envelope, &share, &roots).unwrap_err(), EnvelopeFault::Refused);
}

fn payload_key(data_key: &[u8; 32], header: &Header) -> [u8; 32] {
    *Prk::extract(data_key).unwrap().expand(context::payload_key(header)).unwrap()
}

/// One free block `x` with a tag that is right under both keys. GHASH is linear in `x`:
/// `tag_i = x·H_i² ⊕ known_i`, so `x = (known_1 ⊕ known_2) / (H_1² ⊕ H_2²)`.
fn ciphertext_for_two(keys: &[[u8; 32]; 2], aad: &[u8]) -> Vec<u8> {
    let [one, two] = keys.map(|key| Ghash::new(&key));
    let x =
        multiply(one.known(aad) ^ two.known(aad), invert(multiply(one.h, one.h) ^ multiply(two.h, two.h)));
    let tag = one.known(aad) ^ multiply(x, multiply(one.h, one.h));
    [x.to_be_bytes(), tag.to_be_bytes()].concat()
}

/// GHASH of SP 800-38D §6.4 for one block of ciphertext.
struct Ghash {
    h: u128,
    mask: u128,
}

impl Ghash {
    fn new(key: &[u8; 32]) -> Ghash {
        let mut counter = [0; 16];
        counter[..12].copy_from_slice(&NONCE);
        counter[15] = 1;
        Ghash { h: encrypt_block(key, [0; 16]), mask: encrypt_block(key, counter) }
    }

    /// The tag of a ciphertext of one block of zeros.
    fn known(&self, aad: &[u8]) -> u128 {
        let hashed = aad.chunks(16).fold(0, |sum, chunk| {
            let mut block = [0; 16];
            block[..chunk.len()].copy_from_slice(chunk);
            multiply(sum ^ u128::from_be_bytes(block), self.h)
        });
        let lengths = u128::try_from(aad.len() * 8).unwrap() << 64 | 128;
        multiply(multiply(hashed, self.h) ^ lengths, self.h) ^ self.mask
    }
}

fn encrypt_block(key: &[u8; 32], mut block: [u8; 16]) -> u128 {
    let key = EncryptingKey::ecb(UnboundCipherKey::new(&AES_256, key).unwrap()).unwrap();
    key.encrypt(&mut block).unwrap();
    u128::from_be_bytes(block)
}

/// Multiplication in GF(2^128) as GCM numbers its bits: the first bit is the coefficient of x^0.
fn multiply(x: u128, y: u128) -> u128 {
    let (mut product, mut shifted) = (0, y);
    for bit in (0..128).rev() {
        if x >> bit & 1 == 1 {
            product ^= shifted;
        }
        let carry = shifted & 1;
        shifted >>= 1;
        if carry == 1 {
            shifted ^= 0xe1 << 120;
        }
    }
    product
}

/// `x^(2^128 − 2)`.
fn invert(x: u128) -> u128 {
    let one = 1 << 127;
    let (mut power, mut square) = (one, x);
    for _ in 1..128 {
        square = multiply(square, square);
        power = multiply(power, square);
    }
    assert_eq!(multiply(power, x), one);
    power
}
