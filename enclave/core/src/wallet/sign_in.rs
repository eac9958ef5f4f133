//! Signing in with a wallet that is elsewhere: the text that it is asked to sign (CAIP-122; on Ethereum EIP-4361), and
//! whether it did.
//!
//! INVARIANT: the text is written here, from parts that are checked, and never taken from who presents the signature.
//! So there is nothing to parse, and one set of parts has one text.

use super::{bitcoin, evm, solana};
use crate::secp256k1::Signature;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

/// The parts of the text.
#[derive(Clone, Debug)]
pub struct SignIn<'a> {
    /// Who asks: a host, with a port or without.
    pub domain: &'a str,
    /// In the chain's canonical writing.
    pub address: &'a str,
    /// What the person agrees to, in one line.
    pub statement: &'a str,
    /// What it is for.
    pub uri: &'a str,
    /// CAIP-2, of `eip155`, `solana` or `bip122`.
    pub chain: &'a str,
    /// At least eight letters and digits, used once.
    pub nonce: &'a str,
    /// RFC 3339.
    pub issued: &'a str,
    /// RFC 3339. When it is over is the caller's to check.
    pub expires: &'a str,
}

/// A part that would make another text than it seems, or is of a chain that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPart;

const MAX_PART: usize = 512;

impl SignIn<'_> {
    /// The text.
    pub fn text(&self) -> Result<String, InvalidPart> {
        let (account, reference) = self.account()?;
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_line = |text: &str| text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        let words = [self.domain, self.address, self.uri, reference, self.issued, self.expires];
        let is_nonce = self.nonce.len() >= 8 && self.nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_long = words.iter().chain([&self.statement, &self.nonce]).any(|part| part.len() > MAX_PART);
        if is_long
            || !is_nonce
            || !words.into_iter().all(is_word)
            || self.statement.is_empty()
            || !is_line(self.statement)
        {
            return Err(InvalidPart);
        }
        let SignIn { domain, address, statement, uri, nonce, issued, expires, .. } = self;
        Ok(format!(
            "{domain} wants you to sign in with your {account} account:\n{address}\n\n{statement}\n\nURI: {uri}\n\
             Version: 1\nChain ID: {reference}\nNonce: {nonce}\nIssued At: {issued}\nExpiration Time: {expires}"
        ))
    }

    /// Whether the address's key signed the text: on Ethereum as `personal_sign` does (EIP-191; accounts that are
    /// contracts prove nothing here), on Solana with Ed25519 over the text's bytes, on Bitcoin by
    /// [`bitcoin::is_signed`].
    pub fn is_signed(&self, signature: &[u8]) -> Result<bool, InvalidPart> {
        let text = self.text()?;
        Ok(match self.account()?.0 {
            "Ethereum" => {
                is_signed_on_ethereum(self.address.parse().map_err(|_| InvalidPart)?, &text, signature)
            }
            "Solana" => {
                let solana::Address(key) = self.address.parse().map_err(|_| InvalidPart)?;
                UnparsedPublicKey::new(&ED25519, key).verify(text.as_bytes(), signature).is_ok()
            }
            _ => bitcoin::is_signed(
                &self.address.parse().map_err(|_| InvalidPart)?,
                text.as_bytes(),
                signature,
            ),
        })
    }

    /// What the text calls accounts of the chain, and the chain's reference.
    fn account(&self) -> Result<(&'static str, &str), InvalidPart> {
        match self.chain.split_once(':') {
            Some(("eip155", reference)) => Ok(("Ethereum", reference)),
            Some(("solana", reference)) => Ok(("Solana", reference)),
            Some(("bip122", reference)) => Ok(("Bitcoin", reference)),
            _ => Err(InvalidPart),
        }
    }
}

fn is_signed_on_ethereum(address: evm::Address, text: &str, signature: &[u8]) -> bool {
    let Some((compact, &[v])) = signature.split_first_chunk::<64>() else { return false };
    let recovery = match v {
        0 | 1 => v,
        27 | 28 => v - 27,
        _ => return false,
    };
    let key = Signature::from_compact(compact, recovery).recover(&evm::personal_hash(text.as_bytes()));
    key.is_ok_and(|key| evm::Address::of(&key) == address)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::vectors::{Case, read};

    fn cases() -> Vec<Case> {
        read(include_str!("../../../../vectors/wallet/sign-in.json")).list("cases")
    }

    fn parts(case: &Case) -> SignIn<'_> {
        SignIn {
            domain: case.text("domain"),
            address: case.text("address"),
            statement: case.text("statement"),
            uri: case.text("uri"),
            chain: case.text("chain"),
            nonce: case.text("nonce"),
            issued: case.text("issued"),
            expires: case.text("expires"),
        }
    }

    #[test]
    fn independent_libraries_write_and_sign_the_same_texts() {
        for case in cases() {
            assert_eq!(parts(&case).text().unwrap(), case.text("text"));
            assert_eq!(parts(&case).is_signed(&case.bytes("signature")), Ok(true));
        }
    }

    #[test]
    fn every_altered_byte_of_a_signature_is_refused() {
        for case in cases() {
            let right = case.bytes("signature");
            for at in 0..right.len() {
                let mut altered = right.clone();
                // 27 and 0 say the same.
                altered[at] ^= 0x40;
                assert_eq!(parts(&case).is_signed(&altered), Ok(false), "byte {at}");
            }
            assert_eq!(parts(&case).is_signed(&right[1..]), Ok(false));
        }
    }

    #[test]
    fn a_signature_is_for_one_site_one_nonce_and_one_time() {
        for case in cases() {
            let (right, signature) = (parts(&case), case.bytes("signature"));
            for other in [
                SignIn { domain: "example.net", ..right.clone() },
                SignIn { statement: "I give everything away.", ..right.clone() },
                SignIn { uri: "https://example.net/", ..right.clone() },
                SignIn { nonce: "00000000", ..right.clone() },
                SignIn { issued: "2026-01-01T00:00:01Z", ..right.clone() },
                SignIn { expires: "2036-01-01T00:00:00Z", ..right.clone() },
            ] {
                assert_eq!(other.is_signed(&signature), Ok(false));
            }
        }
    }

    #[test]
    fn parts_that_would_write_another_text_are_refused() {
        let case = &cases()[0];
        let right = parts(case);
        for other in [
            SignIn { domain: "a b", ..right.clone() },
            SignIn { domain: "", ..right.clone() },
            SignIn { statement: "a\nURI: b", ..right.clone() },
            SignIn { statement: "", ..right.clone() },
            SignIn { uri: "https://a\n", ..right.clone() },
            SignIn { nonce: "1234567", ..right.clone() },
            SignIn { nonce: "12345678\n", ..right.clone() },
            SignIn { chain: "eip155", ..right.clone() },
            SignIn { chain: "cosmos:a", ..right.clone() },
            SignIn { issued: "", ..right.clone() },
            SignIn { domain: &"a".repeat(MAX_PART + 1), ..right.clone() },
        ] {
            assert_eq!(other.text(), Err(InvalidPart), "{other:?}");
        }
    }
}
