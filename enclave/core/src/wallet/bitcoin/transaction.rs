//! Transactions (BIP 144).

use super::bytes::{Malformed, Reader, size, sized};
use crate::hash::sha256;
use core::fmt;

/// All satoshis that there will ever be.
pub const MAX_MONEY: u64 = 21_000_000 * 100_000_000;

/// Longer ones are refused unread. A block takes four million units of weight.
pub(super) const MAX_BYTES: usize = 1_000_000;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    pub version: u32,
    pub inputs: Vec<Input>,
    pub outputs: Vec<Output>,
    pub lock_time: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    pub previous: OutPoint,
    pub script_sig: Vec<u8>,
    pub sequence: u32,
    pub witness: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// Satoshis.
    pub value: u64,
    pub script: Vec<u8>,
}

/// An output of an earlier transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutPoint {
    /// As hashed; texts show it backwards.
    pub txid: [u8; 32],
    pub index: u32,
}

impl Transaction {
    /// Reads a transaction with or without witnesses, in its one form.
    pub fn decode(bytes: &[u8]) -> Result<Transaction, Malformed> {
        if bytes.len() > MAX_BYTES {
            return Err(Malformed);
        }
        let mut reader = Reader::new(bytes);
        let version = reader.u32()?;
        let has_witnesses = reader.skip(&[0, 1]);
        let mut inputs = reader.list(41, Input::read)?;
        let outputs = reader.list(9, Output::read)?;
        if has_witnesses {
            for input in &mut inputs {
                input.witness = reader.list(1, |reader| reader.bytes().map(<[u8]>::to_vec))?;
            }
        }
        let lock_time = reader.u32()?;
        let transaction = Transaction { version, inputs, outputs, lock_time };
        // Without inputs, the form with witnesses cannot be told from the other.
        let is_whole = reader.is_empty() && !transaction.inputs.is_empty();
        if is_whole && transaction.has_witnesses() == has_witnesses {
            Ok(transaction)
        } else {
            Err(Malformed)
        }
    }

    /// What [`Self::decode`] reads, and what is broadcast.
    pub fn encode(&self) -> Vec<u8> {
        self.write(self.has_witnesses())
    }

    /// The transaction's name, which witnesses do not change.
    pub fn txid(&self) -> [u8; 32] {
        sha256(&sha256(&self.write(false)))
    }

    /// What it takes of a block: four times what is not witness, and the witnesses once.
    pub fn weight(&self) -> usize {
        self.write(false).len() * 3 + self.encode().len()
    }

    fn has_witnesses(&self) -> bool {
        self.inputs.iter().any(|input| !input.witness.is_empty())
    }

    fn write(&self, with_witnesses: bool) -> Vec<u8> {
        let mut bytes = self.version.to_le_bytes().to_vec();
        if with_witnesses {
            bytes.extend([0, 1]);
        }
        size(&mut bytes, self.inputs.len());
        self.inputs.iter().for_each(|input| input.write(&mut bytes));
        size(&mut bytes, self.outputs.len());
        self.outputs.iter().for_each(|output| output.write(&mut bytes));
        if with_witnesses {
            for input in &self.inputs {
                size(&mut bytes, input.witness.len());
                input.witness.iter().for_each(|item| sized(&mut bytes, item));
            }
        }
        bytes.extend(self.lock_time.to_le_bytes());
        bytes
    }
}

impl Input {
    fn read(reader: &mut Reader<'_>) -> Result<Input, Malformed> {
        let previous = OutPoint { txid: reader.array()?, index: reader.u32()? };
        let script_sig = reader.bytes()?.to_vec();
        Ok(Input { previous, script_sig, sequence: reader.u32()?, witness: Vec::new() })
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.previous.write(to);
        sized(to, &self.script_sig);
        to.extend(self.sequence.to_le_bytes());
    }
}

impl Output {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Output, Malformed> {
        let value = reader.u64()?;
        Ok(Output { value, script: reader.bytes()?.to_vec() })
    }

    pub(super) fn write(&self, to: &mut Vec<u8>) {
        to.extend(self.value.to_le_bytes());
        sized(to, &self.script);
    }
}

impl OutPoint {
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        to.extend(self.txid);
        to.extend(self.index.to_le_bytes());
    }
}

impl fmt::Debug for OutPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.txid.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, ":{}", self.index)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::vectors::read;
    use proptest::prelude::*;

    #[test]
    fn known_transactions_are_read_and_written() {
        for case in read(include_str!("../../../../../vectors/wallet/bitcoin.json")).list("transfers") {
            for name in ["unsigned", "signed"] {
                let transaction = Transaction::decode(&case.bytes(name)).unwrap();
                assert_eq!(transaction.encode(), case.bytes(name));
                assert_eq!(transaction.txid().to_vec(), case.bytes("txid"));
            }
            let signed = Transaction::decode(&case.bytes("signed")).unwrap();
            assert_eq!(u64::try_from(signed.weight().div_ceil(4)).unwrap(), case.number("vsize"));
        }
    }

    #[test]
    fn other_forms_are_refused() {
        let case = &read(include_str!("../../../../../vectors/wallet/bitcoin.json")).list("transfers")[0];
        let (unsigned, signed) = (case.bytes("unsigned"), case.bytes("signed"));
        for end in 0..signed.len() {
            assert_eq!(Transaction::decode(&signed[..end]), Err(Malformed), "{end}");
        }
        assert_eq!(Transaction::decode(&[unsigned.as_slice(), &[0]].concat()), Err(Malformed));
        // With the mark of witnesses and without one.
        let (head, tail) = unsigned.split_at(4);
        let (body, lock_time) = tail.split_at(tail.len() - 4);
        let none = vec![0; Transaction::decode(&unsigned).unwrap().inputs.len()];
        let marked = [head, &[0, 1], body, &none, lock_time].concat();
        assert_eq!(Transaction::decode(&marked), Err(Malformed));
        assert_eq!(Transaction::decode(&vec![0; MAX_BYTES + 1]), Err(Malformed));
    }

    proptest! {
        #[test]
        fn what_is_read_has_that_one_form(at in 0_usize..400, byte: u8) {
            let case = &read(include_str!("../../../../../vectors/wallet/bitcoin.json")).list("transfers")[0];
            let mut bytes = case.bytes("signed");
            let place = at % bytes.len();
            bytes[place] = byte;
            if let Ok(transaction) = Transaction::decode(&bytes) {
                prop_assert_eq!(transaction.encode(), bytes);
            }
        }
    }
}
