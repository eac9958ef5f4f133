//! Signatures as wallets show them.

use crate::client::encode::{from_base64, from_hex};
use crate::client::failure::{Failure, Result};

/// Bytes of an EIP-191 signature, and of one by Ed25519.
const EVM: usize = 65;
const SOLANA: usize = 64;

/// Reads the signature of a text by an account of this chain (CAIP-2).
pub fn read(chain: &str, text: &str) -> Result<Vec<u8>> {
    match chain.split(':').next() {
        Some("eip155") => evm(text),
        Some("solana") => solana(text),
        _ => bitcoin(text),
    }
}

/// `0x` and 130 hexadecimal digits.
fn evm(text: &str) -> Result<Vec<u8>> {
    let bytes = from_hex(text.strip_prefix("0x").unwrap_or(text));
    match bytes {
        Some(bytes) if bytes.len() == EVM => Ok(bytes),
        // Several owners' signatures, or one in a wrapper for a contract to check (EIP-1271, ERC-6492).
        Some(bytes) if bytes.len() > EVM => Err(Failure::usage(
            "this is the signature of an account that is a contract (such as Safe), which nobody can check without asking that contract",
        )
        .hint("it cannot be proven here; watch it with `tensfer link NETWORK --address …`")),
        _ => Err(Failure::usage("this is no signature of an Ethereum account")
            .hint("it begins with 0x and has 130 digits; wallets call it `personal_sign`")),
    }
}

/// Base58, as wallets show it; Base64 or hexadecimal, as programs do.
fn solana(text: &str) -> Result<Vec<u8>> {
    let bytes = if text.len() == 2 * SOLANA {
        from_hex(text)
    } else if text.ends_with('=') {
        from_base64(text)
    } else {
        from_base58(text)
    };
    bytes.filter(|bytes| bytes.len() == SOLANA).ok_or_else(|| {
        Failure::usage("this is no signature of a Solana account")
            .hint("it has 64 bytes, in Base58 or Base64; wallets call it `signMessage`")
    })
}

/// Base64 (BIP 322 "simple", with its prefix `smp` or without; BIP 137).
fn bitcoin(text: &str) -> Result<Vec<u8>> {
    let bytes = from_base64(text).or_else(|| from_base64(text.strip_prefix("smp")?));
    bytes.filter(|bytes| !bytes.is_empty()).ok_or_else(|| {
        Failure::usage("this is no signature of a Bitcoin account")
            .hint("it is Base64, by BIP 322 (\"simple\") or BIP 137; wallets call it a signed message")
    })
}

fn from_base58(text: &str) -> Option<Vec<u8>> {
    const LETTERS: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    /// Of 64 bytes.
    const MAX_LETTERS: usize = 88;
    if text.len() > MAX_LETTERS {
        return None;
    }
    // Big-endian, from its last byte on.
    let mut bytes: Vec<u8> = Vec::new();
    for letter in text.bytes() {
        let mut carry = LETTERS.iter().position(|known| *known == letter)?;
        for byte in bytes.iter_mut() {
            carry += usize::from(*byte) * LETTERS.len();
            *byte = u8::try_from(carry & 0xff).ok()?;
            carry >>= 8;
        }
        if carry > 0 {
            bytes.push(u8::try_from(carry).ok()?);
        }
    }
    bytes.extend(text.bytes().take_while(|letter| *letter == b'1').map(|_| 0));
    bytes.reverse();
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::encode::{base64, hex};

    #[test]
    fn a_signature_is_read_as_the_wallets_of_its_chain_show_it() {
        let bytes: Vec<u8> = (1..=65).collect();
        let digits = hex(&bytes);
        assert_eq!(read("eip155:1", &format!("0x{digits}")).unwrap(), bytes);
        assert_eq!(read("eip155:1", &digits.to_ascii_uppercase()).unwrap(), bytes);
        let short = &bytes[..64];
        let base58 =
            "2Ana1pUpv2ZbMVkwF5FXapYeBEjdxDatLn7nvJkhgTSXbs59SyZSx866bXirPgj8QQVB57uxHJBG1YFvkRbFj4T";
        for text in [base58, &base64(short), &hex(short)] {
            assert_eq!(read("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", text).unwrap(), short, "{text}");
        }
        for text in [base64(&bytes), format!("smp{}", base64(&bytes))] {
            assert_eq!(read("bip122:000000000019d6689c085ae165831e93", &text).unwrap(), bytes, "{text}");
        }
        assert_eq!(from_base58("112").unwrap(), [0, 0, 1]);
    }

    #[test]
    fn what_is_no_signature_is_told_and_a_contracts_is_told_apart() {
        for (chain, text) in [
            ("eip155:1", ""),
            ("eip155:1", "0x12"),
            ("eip155:1", "hello"),
            ("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "0OIl"),
            ("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", &"z".repeat(88)),
            ("bip122:000000000019d6689c085ae165831e93", "not base64!"),
            ("bip122:000000000019d6689c085ae165831e93", ""),
        ] {
            let failure = read(chain, text).unwrap_err();
            assert!(failure.sentence.contains("no signature") && failure.hint.is_some(), "{failure}");
        }
        let contract = read("eip155:1", &format!("0x{}", "ab".repeat(130))).unwrap_err();
        assert!(contract.sentence.contains("contract"), "{contract}");
    }
}
