//! Builds transfers: of the chain's coin, and of tokens from and to associated token accounts.

use super::instruction::{ASSOCIATED_TOKEN, COMPUTE_BUDGET, Limits, TOKEN};
use super::message::{Instruction, Message};
use super::{Address, SIGNATURE_FEE, TOKEN_ACCOUNT_RENT};
use crate::wallet::payment::{Amount, Unbuildable};
use crate::wallet::u256::U256;

/// Lamports below which an account without data is not kept: `128 · 3480 · 2`.
pub const RENT_EXEMPT: u64 = 890_880;

/// Compute units of a transfer of coins with its two instructions for the budget: 150 each, and as much again.
const COIN_UNITS: u32 = 900;

/// Of a transfer of tokens: the program uses about 6,200.
const TOKEN_UNITS: u32 = 20_000;

/// Of making a token account before it: about 25,000, and 1,500 for each try to find its address.
const CREATE_UNITS: u32 = 80_000;

/// What is moved, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    pub from: Address,
    /// A wallet; of tokens also a token account.
    pub to: Address,
    pub amount: Amount,
    /// Absent for the chain's coin.
    pub token: Option<Tokens>,
    /// Millionths of a lamport for each compute unit.
    pub price: u64,
    pub block_hash: [u8; 32],
}

/// Which token, and where it is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    pub mint: Address,
    pub decimals: u8,
    /// Of the wallet's own associated token account.
    pub balance: u64,
    pub receiver: Receiver,
}

/// Where tokens go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// The recipient's associated token account, which is there.
    Associated,
    /// The same, which is made: the wallet gives its rent.
    Made,
    /// The recipient's address is a token account itself.
    Itself,
}

/// What the chain says of the wallet and its recipient. In lamports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    pub balance: u64,
    pub recipient: u64,
}

impl Payment {
    /// The message that makes this payment. `State` bounds it: nothing is built that the chain would not take.
    pub fn build(&self, state: State) -> Result<Message, Unbuildable> {
        if self.to == self.from || self.to == Address::SYSTEM {
            return Err(Unbuildable::Recipient);
        }
        match self.token {
            None => self.coins(state),
            Some(tokens) => self.tokens(&tokens, state),
        }
    }

    /// The most that the chain takes for it.
    pub fn fee(&self) -> Result<u64, Unbuildable> {
        let made = self.token.is_some_and(|tokens| tokens.receiver == Receiver::Made);
        let rent = if made { TOKEN_ACCOUNT_RENT } else { 0 };
        let limits = Limits { units: Some(self.units()), price: Some(self.price) };
        let fee = limits.fee().and_then(|fee| fee.checked_add(SIGNATURE_FEE + rent));
        fee.ok_or(Unbuildable::Fee)
    }

    fn units(&self) -> u32 {
        match self.token.map(|tokens| tokens.receiver) {
            None => COIN_UNITS,
            Some(Receiver::Associated | Receiver::Itself) => TOKEN_UNITS,
            Some(Receiver::Made) => TOKEN_UNITS + CREATE_UNITS,
        }
    }

    fn coins(&self, state: State) -> Result<Message, Unbuildable> {
        let fee = self.fee()?;
        let lamports = match self.amount {
            Amount::Arriving(amount) => lamports(amount)?,
            Amount::Leaving(all) => lamports(all)?.checked_sub(fee).ok_or(Unbuildable::Funds)?,
        };
        self.leave(state, lamports.checked_add(fee).ok_or(Unbuildable::Funds)?)?;
        if lamports == 0 || state.recipient.saturating_add(lamports) < RENT_EXEMPT {
            return Err(Unbuildable::Dust);
        }
        let data = [&[2, 0, 0, 0], lamports.to_le_bytes().as_slice()].concat();
        let transfer = Part { program: Address::SYSTEM, accounts: vec![self.from, self.to], data };
        Ok(self.message(&[self.to], &[Address::SYSTEM, COMPUTE_BUDGET], vec![transfer]))
    }

    fn tokens(&self, tokens: &Tokens, state: State) -> Result<Message, Unbuildable> {
        let Amount::Arriving(amount) = self.amount else { return Err(Unbuildable::FeeApart) };
        let amount = lamports(amount)?;
        if amount > tokens.balance {
            return Err(Unbuildable::Funds);
        }
        if amount == 0 {
            return Err(Unbuildable::Dust);
        }
        self.leave(state, self.fee()?)?;
        let associated =
            |wallet: &Address| Address::token_account(wallet, &tokens.mint).ok_or(Unbuildable::Recipient);
        let source = associated(&self.from)?;
        let to = if tokens.receiver == Receiver::Itself { self.to } else { associated(&self.to)? };
        if source == to {
            return Err(Unbuildable::Recipient);
        }
        let data = [&[12], amount.to_le_bytes().as_slice(), &[tokens.decimals]].concat();
        let transfer = Part { program: TOKEN, accounts: vec![source, tokens.mint, to, self.from], data };
        if tokens.receiver != Receiver::Made {
            return Ok(self.message(&[source, to], &[tokens.mint, TOKEN, COMPUTE_BUDGET], vec![transfer]));
        }
        let accounts = vec![self.from, to, self.to, tokens.mint, Address::SYSTEM, TOKEN];
        let create = Part { program: ASSOCIATED_TOKEN, accounts, data: vec![1] };
        let read = [self.to, tokens.mint, Address::SYSTEM, TOKEN, ASSOCIATED_TOKEN, COMPUTE_BUDGET];
        Ok(self.message(&[source, to], &read, vec![create, transfer]))
    }

    /// What is left when `spent` is gone is nothing, or enough to be kept.
    fn leave(&self, state: State, spent: u64) -> Result<(), Unbuildable> {
        match state.balance.checked_sub(spent).ok_or(Unbuildable::Funds)? {
            0 | RENT_EXEMPT.. => Ok(()),
            _ => Err(Unbuildable::Dust),
        }
    }

    /// The wallet signs and pays; behind it stand the accounts that are written to, then the others.
    fn message(&self, written: &[Address], read: &[Address], parts: Vec<Part>) -> Message {
        let accounts = [&[self.from], written, read].concat();
        let budget =
            |data: &[&[u8]]| Part { program: COMPUTE_BUDGET, accounts: Vec::new(), data: data.concat() };
        let limits =
            [budget(&[&[2], &self.units().to_le_bytes()]), budget(&[&[3], &self.price.to_le_bytes()])];
        // Of an account that is not there, there is none: each part names accounts of the lists above.
        let place = |of: &Address| {
            accounts.iter().position(|account| account == of).and_then(|at| u8::try_from(at).ok())
        };
        let instruction = |part: Part| {
            Some(Instruction {
                program: place(&part.program)?,
                accounts: part.accounts.iter().map(place).collect::<Option<_>>()?,
                data: part.data,
            })
        };
        let instructions = limits.into_iter().chain(parts).filter_map(instruction).collect();
        let read_only_others = u8::try_from(read.len()).unwrap_or_default();
        Message {
            is_version_0: false,
            signers: 1,
            read_only_signers: 0,
            read_only_others,
            block_hash: self.block_hash,
            instructions,
            accounts,
        }
    }
}

/// An instruction by the addresses of its accounts.
struct Part {
    program: Address,
    accounts: Vec<Address>,
    data: Vec<u8>,
}

fn lamports(amount: U256) -> Result<u64, Unbuildable> {
    amount.as_u64().ok_or(Unbuildable::Funds)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::solana::Cluster;
    use proptest::prelude::*;

    const FROM: Address = Address([3; 32]);
    const TO: Address = Address([7; 32]);
    const MINT: Address = Address([9; 32]);

    fn payment(amount: Amount, token: Option<Receiver>, price: u64) -> Payment {
        let token = token.map(|receiver| Tokens { mint: MINT, decimals: 6, balance: 5000, receiver });
        Payment { from: FROM, to: TO, amount, token, price, block_hash: [5; 32] }
    }

    fn arriving(amount: u64) -> Amount {
        Amount::Arriving(U256::from(amount))
    }

    #[test]
    fn the_signer_reads_what_is_built_as_it_was_meant() {
        let state = State { balance: 10_000_000_000, recipient: 0 };
        for token in [None, Some(Receiver::Associated), Some(Receiver::Made), Some(Receiver::Itself)] {
            let payment = payment(arriving(if token.is_none() { 1_000_000 } else { 4000 }), token, 1_234_567);
            let message = payment.build(state).unwrap();
            assert_eq!(Message::decode(&message.encode()).as_ref(), Ok(&message));
            let shown = message.summary(Cluster::Main, &FROM, Some(&TO)).unwrap();
            assert_eq!(shown.to, TO.to_string());
            assert_eq!(Amount::Arriving(shown.amount), payment.amount);
            assert_eq!(shown.max_fee, U256::from(payment.fee().unwrap()));
        }
    }

    #[test]
    fn nothing_is_built_that_the_chain_would_not_keep() {
        let coins = |amount, balance, recipient| {
            payment(amount, None, 0).build(State { balance, recipient }).map(|_| ())
        };
        let rich = 10_000_000_000;
        assert_eq!(coins(arriving(RENT_EXEMPT - 1), rich, 0), Err(Unbuildable::Dust));
        assert_eq!(coins(arriving(RENT_EXEMPT), rich, 0), Ok(()));
        assert_eq!(coins(arriving(1), rich, RENT_EXEMPT), Ok(()));
        assert_eq!(coins(arriving(0), rich, RENT_EXEMPT), Err(Unbuildable::Dust));
        assert_eq!(coins(arriving(1_000_000), 1_005_000, 0), Ok(()));
        assert_eq!(coins(arriving(1_000_000), 1_005_001, 0), Err(Unbuildable::Dust));
        assert_eq!(coins(arriving(1_000_000), 1_004_999, 0), Err(Unbuildable::Funds));
        assert_eq!(coins(Amount::Leaving(U256::from(1_005_000_u64)), 1_005_000, 0), Ok(()));
        assert_eq!(coins(Amount::Leaving(U256::from(4_999_u64)), rich, 0), Err(Unbuildable::Funds));
    }

    #[test]
    fn tokens_that_are_not_there_or_go_nowhere_are_refused() {
        let state = State { balance: 10_000_000_000, recipient: 0 };
        let tokens = |amount| payment(amount, Some(Receiver::Associated), 0);
        assert_eq!(tokens(arriving(5001)).build(state), Err(Unbuildable::Funds));
        assert_eq!(tokens(arriving(0)).build(state), Err(Unbuildable::Dust));
        assert_eq!(tokens(Amount::Leaving(U256::from(5_u64))).build(state), Err(Unbuildable::FeeApart));
        let to_self = Payment { to: FROM, ..tokens(arriving(5)) };
        assert_eq!(to_self.build(state), Err(Unbuildable::Recipient));
        let own = Address::token_account(&FROM, &MINT).unwrap();
        let to_own = Payment { to: own, ..payment(arriving(5), Some(Receiver::Itself), 0) };
        assert_eq!(to_own.build(state), Err(Unbuildable::Recipient));
        let poor = State { balance: 2_000_000, recipient: 0 };
        assert_eq!(payment(arriving(5), Some(Receiver::Made), 0).build(poor), Err(Unbuildable::Funds));
    }

    proptest! {
        #[test]
        fn amount_and_fee_are_never_more_than_there_is(balance: u64, recipient in 0_u64..2_000_000, asked: u64, price in 0_u64..100_000_000_000, leaving: bool) {
            let asked = U256::from(asked);
            let amount = if leaving { Amount::Leaving(asked) } else { Amount::Arriving(asked) };
            let Ok(message) = payment(amount, None, price).build(State { balance, recipient }) else { return Ok(()) };
            let shown = message.summary(Cluster::Main, &FROM, None).unwrap();
            let spent = shown.amount.checked_add(shown.max_fee).unwrap();
            prop_assert!(spent <= U256::from(balance));
            prop_assert_eq!(if leaving { spent } else { shown.amount }, asked);
        }
    }
}
