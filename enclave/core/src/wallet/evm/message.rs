//! Signed texts (EIP-191, version 0x45).

use crate::keccak::keccak256;

/// The digest that `personal_sign` signs. The prefix keeps a text from being a transaction.
pub fn personal_hash(message: &[u8]) -> [u8; 32] {
    let prefix = format!("\x19Ethereum Signed Message:\n{}", message.len());
    keccak256(&[prefix.as_bytes(), message].concat())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::secp256k1::SigningKey;
    use crate::wallet::vectors::read;

    #[test]
    fn an_independent_library_signs_the_same_texts() {
        for case in read(include_str!("../../../../../vectors/wallet/evm.json")).list("messages") {
            let hash = personal_hash(&case.bytes("message"));
            assert_eq!(hash.to_vec(), case.bytes("hash"));
            let signature = SigningKey::from_bytes(&case.array("key")).unwrap().sign_recoverable(&hash);
            let written = [signature.compact().as_slice(), &[27 + signature.recovery]].concat();
            assert_eq!(written, case.bytes("signature"));
        }
    }
}
