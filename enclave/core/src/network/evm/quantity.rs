//! Numbers and bytes as Ethereum's JSON-RPC writes them (EIP-1474).

use crate::connector::Json;
use crate::wallet::hex;
use crate::wallet::u256::U256;

/// A quantity: `0x` and hexadecimal digits without a zero in front.
pub(in crate::network) fn number(json: Json<'_>) -> Option<U256> {
    let text = json.string()?;
    let digits = text.strip_prefix("0x").filter(|digits| (1..=64).contains(&digits.len()))?;
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    hex::decode(&format!("{digits:0>64}"))?.try_into().ok().map(U256::from_be_bytes)
}

/// A quantity below 2^64.
pub(in crate::network) fn small(json: Json<'_>) -> Option<u64> {
    let bytes = number(json)?.to_be_bytes();
    let (high, low) = bytes.split_last_chunk::<8>().map(|(high, low)| (high, u64::from_be_bytes(*low)))?;
    high.iter().all(|byte| *byte == 0).then_some(low)
}

/// Data: `0x` and two digits a byte.
pub(in crate::network) fn bytes(json: Json<'_>) -> Option<Vec<u8>> {
    hex::decode(json.string()?.strip_prefix("0x")?)
}

/// A number as a quantity.
pub(in crate::network) fn written(number: u64) -> String {
    format!("0x{number:x}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::connector::Document;

    fn read(text: &str) -> Option<u64> {
        small(Document::parse(text.as_bytes()).unwrap().root())
    }

    #[test]
    fn a_quantity_has_one_writing() {
        assert_eq!((read("\"0x0\""), read("\"0x41\"")), (Some(0), Some(0x41)));
        assert_eq!(read("\"0xffffffffffffffff\""), Some(u64::MAX));
        for wrong in [
            "\"0x\"",
            "\"0x00\"",
            "\"0x0400\"",
            "\"ff\"",
            "\"0xg\"",
            "65",
            "null",
            "\"0x10000000000000000\"",
            "\"\"",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(written(1024), "0x400");
    }
}
