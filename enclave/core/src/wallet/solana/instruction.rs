//! The calls of programs that a transfer is made of.

use super::Address;
use super::message::{Instruction, Message};

/// `TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA`.
pub const TOKEN: Address = Address([
    0x06, 0xdd, 0xf6, 0xe1, 0xd7, 0x65, 0xa1, 0x93, 0xd9, 0xcb, 0xe1, 0x46, 0xce, 0xeb, 0x79, 0xac, 0x1c,
    0xb4, 0x85, 0xed, 0x5f, 0x5b, 0x37, 0x91, 0x3a, 0x8c, 0xf5, 0x85, 0x7e, 0xff, 0x00, 0xa9,
]);

/// `ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL`.
pub(super) const ASSOCIATED_TOKEN: Address = Address([
    0x8c, 0x97, 0x25, 0x8f, 0x4e, 0x24, 0x89, 0xf1, 0xbb, 0x3d, 0x10, 0x29, 0x14, 0x8e, 0x0d, 0x83, 0x0b,
    0x5a, 0x13, 0x99, 0xda, 0xff, 0x10, 0x84, 0x04, 0x8e, 0x7b, 0xd8, 0xdb, 0xe9, 0xf8, 0x59,
]);

/// `ComputeBudget111111111111111111111111111111`.
pub(super) const COMPUTE_BUDGET: Address = Address([
    0x03, 0x06, 0x46, 0x6f, 0xe5, 0x21, 0x17, 0x32, 0xff, 0xec, 0xad, 0xba, 0x72, 0xc3, 0x9b, 0xe7, 0xbc,
    0x8c, 0xe5, 0xbb, 0xc5, 0xf7, 0x12, 0x6b, 0x2c, 0x43, 0x9b, 0x3a, 0x40, 0x00, 0x00, 0x00,
]);

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Moves lamports (system program, `Transfer`).
    Transfer { from: Address, to: Address, lamports: u64 },
    /// Moves tokens between token accounts (token program, `TransferChecked`), with their mint and its decimals.
    TransferTokens { source: Address, mint: Address, to: Address, owner: Address, amount: u64, decimals: u8 },
    /// Makes a wallet's token account, unless it is there (`CreateIdempotent`). The payer gives its rent.
    CreateTokenAccount { payer: Address, account: Address, wallet: Address, mint: Address },
    /// The most compute units that the transaction may use.
    Limit(u32),
    /// Millionths of a lamport for each unit of the limit.
    Price(u64),
}

/// What a message says of its fee.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub units: Option<u32>,
    pub price: Option<u64>,
}

impl Call {
    /// Reads one of a message's instructions: the exact accounts and data, nothing more.
    pub fn decode(message: &Message, instruction: &Instruction) -> Option<Call> {
        let account = |place: &u8| message.account(*place).copied();
        let accounts: Vec<Address> = instruction.accounts.iter().map(account).collect::<Option<_>>()?;
        match (*message.account(instruction.program)?, accounts.as_slice(), instruction.data.as_slice()) {
            (Address::SYSTEM, [from, to], [2, 0, 0, 0, lamports @ ..]) => {
                Some(Call::Transfer { from: *from, to: *to, lamports: number(lamports)? })
            }
            (TOKEN, [source, mint, to, owner], [12, amount @ .., decimals]) => Some(Call::TransferTokens {
                source: *source,
                mint: *mint,
                to: *to,
                owner: *owner,
                amount: number(amount)?,
                decimals: *decimals,
            }),
            (ASSOCIATED_TOKEN, [payer, account, wallet, mint, Address::SYSTEM, token], [1])
                if *token == TOKEN =>
            {
                Some(Call::CreateTokenAccount {
                    payer: *payer,
                    account: *account,
                    wallet: *wallet,
                    mint: *mint,
                })
            }
            (COMPUTE_BUDGET, [], [2, units @ ..]) => {
                Some(Call::Limit(u32::from_le_bytes(units.try_into().ok()?)))
            }
            (COMPUTE_BUDGET, [], [3, price @ ..]) => Some(Call::Price(number(price)?)),
            _ => None,
        }
    }
}

impl Limits {
    /// Lamports for the priority, rounded up as the chain does. A price without a limit has no bound here.
    pub fn fee(self) -> Option<u64> {
        let price = u128::from(self.price.unwrap_or_default());
        let units = if price == 0 { 0 } else { u128::from(self.units?) };
        u64::try_from((price * units).div_ceil(1_000_000)).ok()
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_have_their_published_names() {
        assert_eq!(TOKEN.to_string(), "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
        assert_eq!(ASSOCIATED_TOKEN.to_string(), "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
        assert_eq!(COMPUTE_BUDGET.to_string(), "ComputeBudget111111111111111111111111111111");
        assert_eq!(Address::SYSTEM.to_string(), "11111111111111111111111111111111");
    }

    #[test]
    fn a_price_without_a_limit_has_no_fee() {
        let fee = |units, price| Limits { units, price }.fee();
        assert_eq!(fee(None, None), Some(0));
        assert_eq!(fee(Some(200_000), None), Some(0));
        assert_eq!(fee(Some(200_000), Some(1)), Some(1));
        assert_eq!(fee(Some(200_000), Some(10_000)), Some(2000));
        assert_eq!(fee(None, Some(1)), None);
        assert_eq!(fee(Some(u32::MAX), Some(u64::MAX)), None);
    }
}
