//! Messages: what a transaction's signatures sign, in the first form and in version 0.

use super::Address;

/// A transaction and its signatures fit one packet.
pub(super) const MAX_TRANSACTION: usize = 1232;

/// Bytes that are no message, not in its one form, or of what is not signed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// A message without addresses from tables: those are on the chain, and what cannot be seen is not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub is_version_0: bool,
    /// How many of the accounts sign: the first ones.
    pub signers: u8,
    /// How many of the signers are not written to: the last of them.
    pub read_only_signers: u8,
    /// How many of the other accounts are not written to: the last of them.
    pub read_only_others: u8,
    pub accounts: Vec<Address>,
    /// A recent block's. The transaction is void some 150 blocks later.
    pub block_hash: [u8; 32],
    pub instructions: Vec<Instruction>,
}

/// A call of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The program's place among the message's accounts.
    pub program: u8,
    /// The places of the accounts that it is given.
    pub accounts: Vec<u8>,
    pub data: Vec<u8>,
}

impl Message {
    /// Reads a message in its one form.
    pub fn decode(bytes: &[u8]) -> Result<Message, Malformed> {
        if bytes.len() > MAX_TRANSACTION {
            return Err(Malformed);
        }
        let is_version_0 = bytes.first() == Some(&0x80);
        let mut reader = Reader(bytes.get(usize::from(is_version_0)..).unwrap_or_default());
        let [signers, read_only_signers, read_only_others] = reader.array()?;
        let accounts = reader.list(|reader| reader.array().map(Address))?;
        let block_hash = reader.array()?;
        let instructions = reader.list(Instruction::read)?;
        if is_version_0 && reader.length()? != 0 {
            return Err(Malformed);
        }
        let message = Message {
            is_version_0,
            signers,
            read_only_signers,
            read_only_others,
            accounts,
            block_hash,
            instructions,
        };
        if reader.0.is_empty() && message.is_sound() { Ok(message) } else { Err(Malformed) }
    }

    /// What [`Self::decode`] reads, and what is signed.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = if self.is_version_0 { vec![0x80] } else { vec![] };
        bytes.extend([self.signers, self.read_only_signers, self.read_only_others]);
        length(&mut bytes, self.accounts.len());
        self.accounts.iter().for_each(|account| bytes.extend(account.0));
        bytes.extend(self.block_hash);
        length(&mut bytes, self.instructions.len());
        self.instructions.iter().for_each(|instruction| instruction.write(&mut bytes));
        if self.is_version_0 {
            bytes.push(0);
        }
        bytes
    }

    /// Who pays the fee: the first account.
    pub fn payer(&self) -> Option<&Address> {
        self.accounts.first()
    }

    /// The account at a place.
    pub(super) fn account(&self, place: u8) -> Option<&Address> {
        self.accounts.get(usize::from(place))
    }

    /// What the chain asks of a message: a payer that signs and is written to, places that exist, no account twice, no
    /// program that is the payer.
    fn is_sound(&self) -> bool {
        let count = self.accounts.len();
        let mut sorted = self.accounts.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let exists = |place: &u8| usize::from(*place) < count;
        sorted.len() == count
            // A first byte of 128 and more is a version, and only 0 is known.
            && self.signers < 0x80
            && self.read_only_signers < self.signers
            && usize::from(self.signers) + usize::from(self.read_only_others) <= count
            && self.instructions.iter().all(|instruction| {
                instruction.program != 0
                    && exists(&instruction.program)
                    && instruction.accounts.iter().all(exists)
            })
    }
}

impl Instruction {
    fn read(reader: &mut Reader<'_>) -> Result<Instruction, Malformed> {
        let [program] = reader.array()?;
        Ok(Instruction { program, accounts: reader.bytes()?.to_vec(), data: reader.bytes()?.to_vec() })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.push(self.program);
        for bytes in [&self.accounts, &self.data] {
            length(to, bytes.len());
            to.extend_from_slice(bytes);
        }
    }
}

/// Reads from front to back.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    /// A length below 2^14 (no packet holds more), seven bits a byte, the least first, in its shortest form.
    fn length(&mut self) -> Result<usize, Malformed> {
        match self.array()? {
            [low @ 0..0x80] => Ok(usize::from(low)),
            [low] => match self.array()? {
                [high @ 1..0x80] => Ok(usize::from(low & 0x7f) | usize::from(high) << 7),
                _ => Err(Malformed),
            },
        }
    }

    fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.length()?;
        self.take(length)
    }

    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count = self.length()?;
        // Every item has a byte at least: a count that cannot be true makes no room.
        if count > self.0.len() {
            return Err(Malformed);
        }
        (0..count).map(|_| item(self)).collect()
    }
}

/// A length as [`Reader::length`] reads it.
pub(super) fn length(to: &mut Vec<u8>, length: usize) {
    let [low, high, ..] = (length << 1).to_le_bytes();
    let low = low >> 1;
    if length < 0x80 { to.push(low) } else { to.extend([low | 0x80, high]) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::vectors::read;
    use proptest::prelude::*;

    fn messages() -> Vec<Vec<u8>> {
        let vectors = read(include_str!("../../../../../vectors/wallet/solana.json"));
        vectors.list("transfers").iter().map(|case| case.bytes("message")).collect()
    }

    #[test]
    fn known_messages_are_read_and_written() {
        for bytes in messages() {
            assert_eq!(Message::decode(&bytes).unwrap().encode(), bytes);
        }
    }

    #[test]
    fn cut_and_longer_messages_are_refused() {
        for bytes in messages() {
            for end in 0..bytes.len() {
                assert_eq!(Message::decode(&bytes[..end]), Err(Malformed), "{end}");
            }
            assert_eq!(Message::decode(&[bytes.as_slice(), &[0]].concat()), Err(Malformed));
        }
        assert_eq!(Message::decode(&[0; MAX_TRANSACTION + 1]), Err(Malformed));
    }

    #[test]
    fn messages_that_the_chain_would_not_take_are_refused() {
        for case in read(include_str!("../../../../../vectors/wallet/solana.json")).list("refused") {
            assert_eq!(Message::decode(&case.bytes("message")), Err(Malformed), "{}", case.text("what"));
        }
    }

    #[test]
    fn lengths_have_one_form() {
        for number in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x3fff] {
            let mut bytes = Vec::new();
            length(&mut bytes, number);
            assert_eq!(Reader(&bytes).length(), Ok(number));
        }
        for bytes in [[0x80, 0].as_slice(), &[0xff, 0], &[0x80, 0x80, 1], &[0x80], &[]] {
            assert_eq!(Reader(bytes).length(), Err(Malformed));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_has_that_one_form(which in 0_usize..100, at in 0_usize..1000, byte: u8) {
            let all = messages();
            let mut bytes = all[which % all.len()].clone();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(message) = Message::decode(&bytes) {
                prop_assert_eq!(message.encode(), bytes);
            }
        }
    }
}
