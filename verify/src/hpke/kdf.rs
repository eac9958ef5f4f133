//! HKDF-SHA256 (RFC 5869) into buffers that are wiped: `Extract = HMAC(salt, ikm)`, `Expand` = HMAC in counter mode.
//!
//! Written over HMAC because the library's HKDF repeats the extraction on every expansion.

use super::Error;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign_to_buffer};
use zeroize::Zeroizing;

/// A pseudo-random key or an output of 32 bytes.
pub(crate) type Secret = Zeroizing<[u8; HASH_BYTES]>;

const HASH_BYTES: usize = 32;
/// Enough for a block, the infos used here and the counter: one allocation.
const INPUT_ROOM: usize = 160;

/// `HKDF-Extract(salt, ikm)`. An empty salt is 32 zero bytes (RFC 5869 §2.2), which HMAC's key padding makes of it.
pub(crate) fn extract(salt: &[u8], ikm: &[u8]) -> Result<Secret, Error> {
    let mut prk = Secret::default();
    sign_to_buffer(&Key::new(HMAC_SHA256, salt), ikm, prk.as_mut_slice()).map_err(|_| Error::Library)?;
    Ok(prk)
}

/// `HKDF-Expand(prk, info, out.len())`; `info` is the concatenation of its parts.
pub(crate) fn expand(prk: &Secret, info: &[&[u8]], out: &mut [u8]) -> Result<(), Error> {
    let key = Key::new(HMAC_SHA256, prk.as_slice());
    let mut block = Secret::default();
    let mut input = Zeroizing::new(Vec::with_capacity(INPUT_ROOM));
    for (counter, chunk) in (1usize..).zip(out.chunks_mut(HASH_BYTES)) {
        let counter = u8::try_from(counter).map_err(|_| Error::ExportLength)?;
        input.clear();
        if counter > 1 {
            input.extend_from_slice(block.as_slice());
        }
        info.iter().for_each(|part| input.extend_from_slice(part));
        input.push(counter);
        sign_to_buffer(&key, &input, block.as_mut_slice()).map_err(|_| Error::Library)?;
        chunk.iter_mut().zip(block.iter()).for_each(|(to, from)| *to = *from);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;

    /// RFC 5869 appendix A.1 and A.2.
    #[test]
    fn hkdf_gives_the_outputs_of_rfc_5869() {
        let prk = extract(&unhex("000102030405060708090a0b0c"), &[0x0b; 22]).unwrap();
        let mut out = [0; 42];
        expand(&prk, &[&unhex("f0f1f2f3f4f5f6f7f8f9")], &mut out).unwrap();
        assert_eq!(
            out.to_vec(),
            unhex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
        );

        let range = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        let prk = extract(&range(0x60, 0xaf), &range(0x00, 0x4f)).unwrap();
        let mut out = [0; 82];
        expand(&prk, &[&range(0xb0, 0xff)], &mut out).unwrap();
        assert_eq!(
            out.to_vec(),
            unhex(concat!(
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e",
                "09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
            ))
        );
    }

    #[test]
    fn an_expansion_beyond_255_blocks_is_refused() {
        let prk = extract(b"", b"ikm").unwrap();
        assert!(expand(&prk, &[], &mut vec![0; 255 * 32]).is_ok());
        assert_eq!(expand(&prk, &[], &mut vec![0; 255 * 32 + 1]), Err(Error::ExportLength));
    }
}
