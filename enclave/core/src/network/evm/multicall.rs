//! Many questions to contracts in one: `aggregate3` of Multicall3, which most chains have at one address.
//! <https://github.com/mds1/multicall3>

use crate::wallet::u256::U256;

/// `aggregate3((address,bool,bytes)[])`.
const AGGREGATE3: [u8; 4] = [0x82, 0xad, 0x56, 0xcb];
/// `balanceOf(address)` (EIP-20).
const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];

type Word = [u8; 32];

/// The call that asks each token what an address holds. None of them can make the others fail.
pub(super) fn balances_of(owner: &[u8; 20], tokens: &[[u8; 20]]) -> Vec<u8> {
    /// A target, a flag, an offset, a length, and 36 bytes padded to 64.
    const CALL: usize = 6 * 32;
    let mut data = AGGREGATE3.to_vec();
    let mut put = |word: Word| data.extend(word);
    put(word(32));
    put(word(tokens.len()));
    (0..tokens.len()).for_each(|at| put(word(tokens.len() * 32 + at * CALL)));
    for token in tokens {
        put(padded(token));
        put(word(1));
        put(word(3 * 32));
        put(word(36));
        let mut call = [0; 64];
        let written = BALANCE_OF.iter().chain(&[0; 12]).chain(owner);
        call.iter_mut().zip(written).for_each(|(to, from)| *to = *from);
        call.as_chunks::<32>().0.iter().for_each(|half| put(*half));
    }
    data
}

/// What each of `count` tokens answered, or nothing where it did not. The bytes are read in the one form that the
/// contract's compiler writes: each answer right behind the one before.
pub(super) fn read_balances(data: &[u8], count: usize) -> Option<Vec<Option<U256>>> {
    let (words, rest) = data.as_chunks::<32>();
    let (head, words) = words.split_first_chunk::<2>()?;
    if !rest.is_empty() || *head != [word(32), word(count)] {
        return None;
    }
    let (offsets, mut tail) = words.split_at_checked(count)?;
    let mut answers = Vec::with_capacity(count);
    let mut at = count * 32;
    for offset in offsets {
        if *offset != word(at) {
            return None;
        }
        let ([success, place, length], rest) = tail.split_first_chunk::<3>()?;
        let length = small(length)?;
        let (content, behind) = rest.split_at_checked(length.div_ceil(32))?;
        if *place != word(64) || content.as_flattened().iter().skip(length).any(|byte| *byte != 0) {
            return None;
        }
        let succeeded = match small(success)? {
            0 => false,
            1 => true,
            _ => return None,
        };
        // A token that answers more or less than one number is none that is known.
        let balance = content.first().filter(|_| succeeded && length == 32);
        answers.push(balance.copied().map(U256::from_be_bytes));
        at += (3 + content.len()) * 32;
        tail = behind;
    }
    tail.is_empty().then_some(answers)
}

fn word(number: usize) -> Word {
    U256::from(number as u64).to_be_bytes()
}

fn padded(address: &[u8; 20]) -> Word {
    let mut word = [0; 32];
    word.iter_mut().skip(12).zip(address).for_each(|(to, from)| *to = *from);
    word
}

/// A length: no answer is longer than the bytes that hold it.
fn small(word: &Word) -> Option<usize> {
    let (high, low) = word.split_last_chunk::<4>()?;
    high.iter().all(|byte| *byte == 0).then(|| u32::from_be_bytes(*low) as usize)
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::keccak::keccak256;
    use proptest::prelude::*;

    /// What the contract answers, as its compiler writes it.
    fn answer(results: &[(bool, Vec<u8>)]) -> Vec<u8> {
        let bodies: Vec<Vec<u8>> = results
            .iter()
            .map(|(success, content)| {
                let mut padding = content.clone();
                padding.resize(content.len().div_ceil(32) * 32, 0);
                [
                    word(usize::from(*success)).to_vec(),
                    word(64).to_vec(),
                    word(content.len()).to_vec(),
                    padding,
                ]
                .concat()
            })
            .collect();
        let mut data = [word(32), word(results.len())].concat();
        let mut at = results.len() * 32;
        for body in &bodies {
            data.extend(word(at));
            at += body.len();
        }
        data.extend(bodies.concat());
        data
    }

    fn number(value: u64) -> Vec<u8> {
        U256::from(value).to_be_bytes().to_vec()
    }

    #[test]
    fn selectors_are_those_of_the_signatures() {
        assert_eq!(keccak256(b"aggregate3((address,bool,bytes)[])")[..4], AGGREGATE3);
        assert_eq!(keccak256(b"balanceOf(address)")[..4], BALANCE_OF);
    }

    #[test]
    fn a_token_that_fails_or_answers_something_else_leaves_the_others_as_they_are() {
        let data = answer(&[
            (true, number(7)),
            (false, vec![1; 68]),
            (true, vec![]),
            (true, vec![0; 64]),
            (true, number(9)),
        ]);
        let seven_and_nine = vec![Some(U256::from(7_u64)), None, None, None, Some(U256::from(9_u64))];
        assert_eq!(read_balances(&data, 5), Some(seven_and_nine));
        assert_eq!(read_balances(&data, 4), None);
        assert_eq!(read_balances(&data, 6), None);
        assert_eq!(read_balances(&[], 1), None);
        assert_eq!(read_balances(&answer(&[]), 0), Some(vec![]));
    }

    #[test]
    fn every_cut_and_every_appended_word_is_refused() {
        let data = answer(&[(true, number(7)), (true, number(8))]);
        (0..data.len()).for_each(|end| assert_eq!(read_balances(&data[..end], 2), None, "{end}"));
        assert_eq!(read_balances(&[data.as_slice(), &[0; 32]].concat(), 2), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_balances_or_are_read_without_a_panic(data: Vec<u8>, count in 0_usize..40) {
            let _ = read_balances(&data, count);
        }

        #[test]
        fn altered_bytes_change_a_balance_or_are_refused(at in 0_usize..448, value in 1_u8..) {
            let mut data = answer(&[(true, number(7)), (true, number(8))]);
            let right = read_balances(&data, 2);
            let at = at % data.len();
            data[at] ^= value;
            prop_assert_ne!(read_balances(&data, 2), right);
        }
    }
}
