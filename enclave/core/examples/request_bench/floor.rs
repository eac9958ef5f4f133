//! What a request costs by the library alone.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey as Peer, X25519, agree};
use aws_lc_rs::digest::{SHA3_256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign_to_buffer};
use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, ML_KEM_768};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    UnparsedPublicKey, VerificationAlgorithm,
};
use std::hint::black_box;

/// Bytes of one encapsulated request, of the envelope in it, and of the reply's ciphertext.
pub struct Sizes {
    pub request: usize,
    pub envelope: usize,
    pub reply: usize,
}

/// OHTTP header, ML-KEM-768 ciphertext, X25519 key, tag.
const SEAL: usize = 7 + 1088 + 32 + 16;
/// Binary HTTP, signature and the rest of a request around what is signed.
const AROUND: usize = 300;
/// A receipt's `Sig_structure`.
const RECEIPT: usize = 260;
/// HMACs of the HPKE key schedule (extract, key, nonce, exporter), the export, and the reply's key and nonce.
const DERIVATIONS: usize = 4 + 1 + 3;
const NONCE: [u8; 12] = [3; 12];

pub struct Floor {
    x25519: PrivateKey,
    peer: Vec<u8>,
    ml_kem: DecapsulationKey,
    ciphertext: Vec<u8>,
    algorithm: &'static dyn VerificationAlgorithm,
    owner: Vec<u8>,
    signed: Vec<u8>,
    signature: Vec<u8>,
    receipt: Ed25519KeyPair,
    request: Sealed,
    /// Outer wrap, inner wrap, payload.
    envelope: [Sealed; 3],
    reply: Vec<u8>,
}

impl Floor {
    pub fn new(sizes: &Sizes, algorithm: &str) -> Floor {
        let ml_kem = DecapsulationKey::generate(&ML_KEM_768).unwrap();
        let (ciphertext, _) = ml_kem.encapsulation_key().unwrap().encapsulate().unwrap();
        let peer = PrivateKey::generate(&X25519).unwrap().compute_public_key().unwrap();
        let request = sizes.request - SEAL;
        let signed = vec![5; request.saturating_sub(AROUND).max(sizes.envelope)];
        let (algorithm, owner, signature) = sign(algorithm, &signed);
        Floor {
            x25519: PrivateKey::generate(&X25519).unwrap(),
            peer: peer.as_ref().to_vec(),
            ciphertext: ciphertext.as_ref().to_vec(),
            ml_kem,
            algorithm,
            owner,
            signed,
            signature,
            receipt: Ed25519KeyPair::generate().unwrap(),
            request: Sealed::new(request),
            envelope: [60, 32, sizes.envelope - 250].map(Sealed::new),
            reply: vec![6; sizes.reply - 32 - 16],
        }
    }

    pub fn once(&self) {
        let shared =
            agree(&self.x25519, Peer::new(&X25519, black_box(&self.peer)), (), |shared| Ok(shared.to_vec()));
        let ml_kem =
            self.ml_kem.decapsulate(Ciphertext::from(black_box(self.ciphertext.as_slice()))).unwrap();
        let combined = digest(&SHA3_256, &[ml_kem.as_ref(), &shared.unwrap(), &[0; 70]].concat());
        let mut key = [0; 32];
        key.copy_from_slice(combined.as_ref());
        for _ in 0..DERIVATIONS {
            let before = key;
            sign_to_buffer(&Key::new(HMAC_SHA256, &before), &[7; 90], &mut key).unwrap();
        }
        black_box(self.request.open());
        self.envelope.iter().for_each(|sealed| drop(black_box(sealed.open())));
        UnparsedPublicKey::new(self.algorithm, &self.owner)
            .verify(black_box(&self.signed), &self.signature)
            .unwrap();
        black_box(self.receipt.sign(black_box(&[8; RECEIPT])));
        black_box(seal(&key, black_box(&self.reply)));
    }
}

/// A ciphertext, and the key that opens it.
struct Sealed {
    key: [u8; 32],
    ciphertext: Vec<u8>,
}

impl Sealed {
    fn new(length: usize) -> Sealed {
        Sealed { key: [9; 32], ciphertext: seal(&[9; 32], &vec![4; length]) }
    }

    fn open(&self) -> Vec<u8> {
        let mut text = self.ciphertext.clone();
        let nonce = Nonce::assume_unique_for_key(NONCE);
        let length = aead(&self.key).open_in_place(nonce, Aad::empty(), &mut text).unwrap().len();
        text.truncate(length);
        text
    }
}

fn seal(key: &[u8; 32], text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() + 16);
    bytes.extend_from_slice(text);
    let nonce = Nonce::assume_unique_for_key(NONCE);
    aead(key).seal_in_place_append_tag(nonce, Aad::empty(), &mut bytes).unwrap();
    bytes
}

fn aead(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap())
}

fn sign(algorithm: &str, message: &[u8]) -> (&'static dyn VerificationAlgorithm, Vec<u8>, Vec<u8>) {
    if algorithm == "EdDSA" {
        let pair = Ed25519KeyPair::generate().unwrap();
        return (&ED25519, pair.public_key().as_ref().to_vec(), pair.sign(message).as_ref().to_vec());
    }
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let signature = pair.sign(&SystemRandom::new(), message).unwrap();
    (&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref().to_vec(), signature.as_ref().to_vec())
}
