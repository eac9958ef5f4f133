//! Reading of `vectors/wallet/*.json` for tests. A case that lacks what is asked for ends the test.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use super::hex;
use serde_json::Value;

pub(crate) struct Case(Value);

pub(crate) fn read(file: &str) -> Case {
    Case(serde_json::from_str(file).unwrap())
}

impl Case {
    pub(crate) fn list(&self, name: &str) -> Vec<Case> {
        let list = self.0.get(name).and_then(Value::as_array).unwrap();
        assert!(!list.is_empty(), "{name} holds no cases");
        list.iter().cloned().map(Case).collect()
    }

    pub(crate) fn object(&self, name: &str) -> Case {
        Case(self.0.get(name).cloned().unwrap_or_else(|| panic!("no {name} in {}", self.0)))
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no text {name} in {}", self.0))
    }

    pub(crate) fn number(&self, name: &str) -> u64 {
        self.0.get(name).and_then(Value::as_u64).unwrap()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        hex::decode(self.text(name)).unwrap()
    }

    pub(crate) fn array<const N: usize>(&self, name: &str) -> [u8; N] {
        self.bytes(name).try_into().unwrap()
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let list = self.0.get(name).and_then(Value::as_array).unwrap();
        list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }
}

/// Base64, whatever else is in the text left out.
pub(crate) fn unbase64(text: &str) -> Vec<u8> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.chars().filter_map(|letter| LETTERS.find(letter));
    let bits: Vec<bool> =
        digits.flat_map(|digit| (0..6).rev().map(move |bit| digit >> bit & 1 == 1)).collect();
    let byte = |bits: &[bool]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    bits.chunks_exact(8).map(byte).collect()
}
