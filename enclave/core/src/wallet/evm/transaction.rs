//! Transactions of type 2 (EIP-1559), the only ones that are signed here.

use super::rlp::{Malformed, Reader, Writer};
use super::{Address, Call, chain};
use crate::keccak::keccak256;
use crate::secp256k1::{Signature, SigningKey};
use crate::wallet::summary::{NotATransfer, Refused, Summary};
use crate::wallet::u256::U256;

/// The byte before the list (EIP-2718).
const TYPE: u8 = 2;

/// Longer ones are refused unread: what is signed here is a transfer.
const MAX_BYTES: usize = 16 * 1024;

/// A transaction, unsigned. It creates no contract and has no access list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    pub chain_id: u64,
    pub nonce: u64,
    /// Wei for each unit of gas, above the block's base fee.
    pub max_priority_fee_per_gas: u128,
    /// Wei for each unit of gas, in all.
    pub max_fee_per_gas: u128,
    pub gas_limit: u64,
    pub to: Address,
    /// Wei.
    pub value: U256,
    pub data: Vec<u8>,
}

/// A transaction with its signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    pub transaction: Transaction,
    pub signature: Signature,
}

impl Transaction {
    /// Reads `02 ‖ rlp([chain, nonce, priority fee, fee, gas, to, value, data, []])` in its one form.
    pub fn decode(bytes: &[u8]) -> Result<Transaction, Malformed> {
        let mut fields = open(bytes)?;
        let transaction = Transaction::read(&mut fields)?;
        fields.end()?;
        Ok(transaction)
    }

    /// What [`Self::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        close(self.write())
    }

    /// What is signed.
    pub fn signing_hash(&self) -> [u8; 32] {
        keccak256(&self.encode())
    }

    /// Signs, if this transaction does what its owner signed and nothing else.
    pub fn sign(self, key: &SigningKey, shown: &Summary) -> Result<Signed, Refused> {
        self.summary()?.check(shown)?;
        let signature = key.sign_recoverable(&self.signing_hash());
        Ok(Signed { transaction: self, signature })
    }

    /// What this transaction does, if that is one transfer and nothing else: of the chain's coin, or of a token by
    /// [`Call::Transfer`]. Whatever is more than that is refused.
    pub fn summary(&self) -> Result<Summary, NotATransfer> {
        let (to, asset, amount) = match Call::decode(&self.data) {
            _ if self.data.is_empty() => {
                (self.to, chain::coin(self.chain_id).ok_or(NotATransfer::Chain)?, self.value)
            }
            Some(Call::Transfer { to, amount }) if self.value == U256::ZERO => {
                (to, chain::token(self.chain_id, &self.to), amount)
            }
            _ => return Err(NotATransfer::Call),
        };
        if self.max_priority_fee_per_gas > self.max_fee_per_gas {
            return Err(NotATransfer::Fee);
        }
        let max_fee = U256::from(self.max_fee_per_gas).checked_mul(self.gas_limit);
        Ok(Summary {
            chain: chain::chain(self.chain_id),
            to: to.to_string(),
            asset,
            amount,
            fee_asset: chain::coin(self.chain_id).ok_or(NotATransfer::Chain)?,
            max_fee: max_fee.ok_or(NotATransfer::Fee)?,
            nonce: Some(self.nonce),
        })
    }

    fn read(fields: &mut Reader<'_>) -> Result<Transaction, Malformed> {
        let transaction = Transaction {
            chain_id: fields.u64()?,
            nonce: fields.u64()?,
            max_priority_fee_per_gas: fields.u128()?,
            max_fee_per_gas: fields.u128()?,
            gas_limit: fields.u64()?,
            to: Address(fields.bytes()?.try_into().map_err(|_| Malformed)?),
            value: fields.number()?,
            data: fields.bytes()?.to_vec(),
        };
        fields.nested()?.end()?;
        Ok(transaction)
    }

    fn write(&self) -> Writer {
        Writer::default()
            .number(self.chain_id)
            .number(self.nonce)
            .number(self.max_priority_fee_per_gas)
            .number(self.max_fee_per_gas)
            .number(self.gas_limit)
            .bytes(&self.to.0)
            .number(self.value)
            .bytes(&self.data)
            .empty_list()
    }
}

impl Signed {
    /// Reads a signed transaction. The signature is not checked: [`Self::sender`] does.
    pub fn decode(bytes: &[u8]) -> Result<Signed, Malformed> {
        let mut fields = open(bytes)?;
        let transaction = Transaction::read(&mut fields)?;
        let recovery = u8::try_from(fields.u64()?).ok().filter(|parity| *parity < 2).ok_or(Malformed)?;
        let (r, s) = (fields.number()?.to_be_bytes(), fields.number()?.to_be_bytes());
        fields.end()?;
        Ok(Signed { transaction, signature: Signature { r, s, recovery } })
    }

    /// As `eth_sendRawTransaction` takes it.
    pub fn encode(&self) -> Vec<u8> {
        let Signature { r, s, recovery } = self.signature;
        let fields = self.transaction.write().number(u64::from(recovery));
        close(fields.number(U256::from_be_bytes(r)).number(U256::from_be_bytes(s)))
    }

    /// The transaction's name on its chain.
    pub fn hash(&self) -> [u8; 32] {
        keccak256(&self.encode())
    }

    /// Whose signature it is. Every signature is somebody's: compare.
    pub fn sender(&self) -> Option<Address> {
        self.signature.recover(&self.transaction.signing_hash()).ok().map(|key| Address::of(&key))
    }
}

fn open(bytes: &[u8]) -> Result<Reader<'_>, Malformed> {
    match bytes.split_first() {
        Some((&TYPE, list)) if bytes.len() <= MAX_BYTES => Reader::list(list),
        _ => Err(Malformed),
    }
}

fn close(fields: Writer) -> Vec<u8> {
    [&[TYPE], fields.list().as_slice()].concat()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::summary::Differs;
    use crate::wallet::vectors::{Case, read};
    use proptest::prelude::*;

    fn cases() -> Vec<Case> {
        read(include_str!("../../../../../vectors/wallet/evm.json")).list("transactions")
    }

    fn key(case: &Case) -> SigningKey {
        SigningKey::from_bytes(&case.array("key")).unwrap()
    }

    #[test]
    fn an_independent_library_signs_the_same_bytes() {
        for case in cases() {
            let transaction = Transaction::decode(&case.bytes("unsigned")).unwrap();
            assert_eq!(transaction.encode(), case.bytes("unsigned"));
            assert_eq!(transaction.signing_hash().to_vec(), case.bytes("signing_hash"));
            let shown = transaction.summary().unwrap();
            let signed = transaction.sign(&key(&case), &shown).unwrap();
            assert_eq!(signed.encode(), case.bytes("signed"));
            assert_eq!(signed.hash().to_vec(), case.bytes("hash"));
            assert_eq!(Signed::decode(&case.bytes("signed")), Ok(signed.clone()));
            assert_eq!(signed.sender().unwrap().to_string(), case.text("sender"));
        }
    }

    #[test]
    fn a_summary_says_what_the_transaction_does() {
        for case in cases() {
            let shown = Transaction::decode(&case.bytes("unsigned")).unwrap().summary().unwrap();
            assert_eq!(shown.chain, case.text("chain"));
            assert_eq!(shown.to, case.text("to"));
            assert_eq!(shown.asset, case.text("asset"));
            assert_eq!(shown.amount.to_string(), case.text("amount"));
            assert_eq!(shown.max_fee.to_string(), case.text("max_fee"));
            assert_eq!(shown.nonce, Some(case.number("nonce")));
        }
    }

    /// Every bit of a transaction turned: what is left is refused, is another transaction than shown, or differs in
    /// how the fee is divided and in nothing that the owner was shown.
    #[test]
    fn every_altered_byte_is_refused() {
        for case in cases() {
            let unsigned = case.bytes("unsigned");
            let original = Transaction::decode(&unsigned).unwrap();
            let shown = original.summary().unwrap();
            for at in 0..unsigned.len() * 8 {
                let mut altered = unsigned.clone();
                altered[at / 8] ^= 1 << (at % 8);
                let Ok(transaction) = Transaction::decode(&altered) else { continue };
                let tip = transaction.max_priority_fee_per_gas;
                let same = Transaction {
                    max_priority_fee_per_gas: original.max_priority_fee_per_gas,
                    ..transaction.clone()
                };
                let is_tip_alone = same == original && tip != original.max_priority_fee_per_gas;
                let signed = transaction.sign(&key(&case), &shown);
                assert!(signed.is_err() || is_tip_alone, "bit {at}");
            }
        }
    }

    #[test]
    fn each_part_that_differs_is_named() {
        let transaction = Transaction::decode(&cases()[0].bytes("unsigned")).unwrap();
        let shown = transaction.summary().unwrap();
        let one = U256::from(1_u64);
        for (other, differs) in [
            (Summary { chain: "eip155:5".into(), ..shown.clone() }, Differs::Chain),
            (Summary { to: Address([1; 20]).to_string(), ..shown.clone() }, Differs::To),
            (Summary { asset: "eip155:1/slip44:61".into(), ..shown.clone() }, Differs::Asset),
            (Summary { amount: shown.amount.checked_add(one).unwrap(), ..shown.clone() }, Differs::Amount),
            (Summary { max_fee: shown.max_fee.checked_add(one).unwrap(), ..shown.clone() }, Differs::Fee),
            (Summary { fee_asset: "eip155:1/slip44:61".into(), ..shown.clone() }, Differs::Fee),
            (Summary { nonce: None, ..shown.clone() }, Differs::Nonce),
        ] {
            let signed = transaction.clone().sign(&key(&cases()[0]), &other);
            assert_eq!(signed.err(), Some(Refused::Differs(differs)));
        }
    }

    #[test]
    fn what_is_not_one_transfer_is_never_signed() {
        let coin = Transaction::decode(&cases()[0].bytes("unsigned")).unwrap();
        let transfer = Call::Transfer { to: Address([1; 20]), amount: U256::from(5_u64) }.encode();
        let approve = Call::Approve { spender: Address([1; 20]), amount: U256::from(5_u64) }.encode();
        let tail = [transfer.as_slice(), &[0]].concat();
        let token = Transaction { value: U256::ZERO, data: transfer, ..coin.clone() };
        assert!(token.summary().is_ok());
        for (transaction, reason) in [
            (Transaction { value: U256::from(1_u64), ..token.clone() }, NotATransfer::Call),
            (Transaction { data: approve, ..token.clone() }, NotATransfer::Call),
            (Transaction { data: tail, ..token.clone() }, NotATransfer::Call),
            (Transaction { data: vec![0], ..coin.clone() }, NotATransfer::Call),
            (Transaction { chain_id: 999_999, ..coin.clone() }, NotATransfer::Chain),
            (Transaction { max_fee_per_gas: 0, ..coin.clone() }, NotATransfer::Fee),
        ] {
            assert_eq!(transaction.summary(), Err(reason));
        }
    }

    #[test]
    fn other_types_and_access_lists_and_creations_are_refused() {
        for case in read(include_str!("../../../../../vectors/wallet/evm.json")).list("refused") {
            assert_eq!(Transaction::decode(&case.bytes("unsigned")), Err(Malformed), "{}", case.text("what"));
        }
        assert_eq!(Transaction::decode(&vec![TYPE; MAX_BYTES + 1]), Err(Malformed));
    }

    proptest! {
        #[test]
        fn what_is_read_has_that_one_form(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for bytes in [[&[TYPE], Writer::default().bytes(&bytes).list().as_slice()].concat(), bytes] {
                if let Ok(transaction) = Transaction::decode(&bytes) {
                    prop_assert_eq!(transaction.encode(), bytes.clone());
                }
                if let Ok(signed) = Signed::decode(&bytes) {
                    prop_assert_eq!(signed.encode(), bytes);
                }
            }
        }

        #[test]
        fn what_is_written_is_read(chain_id: u64, nonce: u64, fee: u128, gas_limit: u64, to: [u8; 20], value: [u8; 32], data: Vec<u8>) {
            let (to, value) = (Address(to), U256::from_be_bytes(value));
            let (max_fee_per_gas, max_priority_fee_per_gas) = (fee, fee / 2);
            let transaction = Transaction { chain_id, nonce, max_priority_fee_per_gas, max_fee_per_gas, gas_limit, to, value, data };
            prop_assert_eq!(Transaction::decode(&transaction.encode()), Ok(transaction));
        }
    }
}
