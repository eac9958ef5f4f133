//! Whole numbers of a chain's smallest units as decimal amounts.

use crate::connector::Balance;
use crate::wallet::u256::U256;
use std::rc::Rc;
use wire::Decimal;

/// `units / 10^decimals`; nothing where it has more digits than amounts have here.
pub(super) fn decimal(units: U256, decimals: u8) -> Option<Decimal> {
    let bytes = units.to_be_bytes();
    let (high, low) = bytes.split_first_chunk::<16>()?;
    if *high != [0; 16] {
        return None;
    }
    let mantissa = i128::try_from(u128::from_be_bytes(low.try_into().ok()?)).ok()?;
    Decimal::new(mantissa, decimals).ok()
}

/// What lies in a wallet. `asset` is its CAIP-19 id.
pub(super) fn balance(
    source: &'static str,
    symbol: &str,
    asset: &str,
    free: Decimal,
    used: Decimal,
) -> Balance {
    Balance {
        source,
        account: Rc::from("wallet"),
        pair: None,
        asset: Rc::from(symbol),
        symbol: Rc::from(asset),
        free: Some(free),
        used: Some(used),
        total: free.checked_add(used).ok(),
        debt: None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn m31_units_become_exact_decimals_or_nothing() {
        let shown = |text: &str, decimals| decimal(text.parse().unwrap(), decimals).map(|d| d.to_string());
        assert_eq!(shown("1234567890123456789", 18).unwrap(), "1.234567890123456789");
        assert_eq!(shown("0", 18).unwrap(), "0");
        assert_eq!(shown("1000000", 6).unwrap(), "1");
        assert_eq!(shown("170141183460469231731687303715884105727", 0).unwrap().len(), 39);
        assert_eq!(shown("170141183460469231731687303715884105728", 0), None);
        assert_eq!(shown("340282366920938463463374607431768211456", 18), None);
    }
}
