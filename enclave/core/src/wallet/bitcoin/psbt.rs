//! Partially signed transactions, version 0 (BIP 174, BIP 371), as far as signing needs them.
//!
//! Fields that are not read change nothing that is signed, and nothing but the finished transaction is given back; so
//! they are passed over. A field that would change what a signature means is refused.

use super::bytes::{Malformed, Reader};
use super::transaction::{MAX_BYTES, Output, Transaction};
use crate::wallet::key::{Fingerprint, Path};
use std::collections::BTreeSet;

const MAGIC: &[u8] = b"psbt\xff";

/// A transaction to be signed, and what is said of its inputs and outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Psbt {
    pub transaction: Transaction,
    /// One for each input.
    pub inputs: Vec<InputNote>,
    /// One for each output.
    pub outputs: Vec<OutputNote>,
}

/// What is said of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputNote {
    /// The whole transaction whose output is spent.
    pub previous: Option<Transaction>,
    /// The output that is spent, as somebody says.
    pub claimed_spent: Option<Output>,
    /// The signature hash type that is asked for.
    pub hash_type: Option<u32>,
    /// Where its keys are.
    pub origins: Vec<Origin>,
    /// It is spent by scripts, which are not signed here.
    pub has_scripts: bool,
}

/// What is said of an output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputNote {
    pub origins: Vec<Origin>,
}

/// Where a key is said to be, from which master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub fingerprint: Fingerprint,
    pub path: Path,
}

impl Psbt {
    /// Reads a file.
    pub fn decode(bytes: &[u8]) -> Result<Psbt, Malformed> {
        let mut reader = Reader::new(bytes);
        if bytes.len() > MAX_BYTES || !reader.skip(MAGIC) {
            return Err(Malformed);
        }
        let transaction = read_global(&mut reader)?;
        let inputs = transaction.inputs.iter().map(|_| read_input(&mut reader)).collect::<Result<_, _>>()?;
        let outputs =
            transaction.outputs.iter().map(|_| read_output(&mut reader)).collect::<Result<_, _>>()?;
        if reader.is_empty() { Ok(Psbt { transaction, inputs, outputs }) } else { Err(Malformed) }
    }
}

fn read_global(reader: &mut Reader<'_>) -> Result<Transaction, Malformed> {
    let mut unsigned = None;
    each_field(reader, |kind, key, value| {
        match kind {
            0x00 if key.is_empty() => unsigned = Some(Transaction::decode(value)?),
            0x00 => return Err(Malformed),
            // The file's version.
            0xfb if value != [0; 4] => return Err(Malformed),
            _ => {}
        }
        Ok(())
    })?;
    let is_unsigned = |transaction: &Transaction| {
        transaction.inputs.iter().all(|input| input.script_sig.is_empty() && input.witness.is_empty())
    };
    unsigned.filter(is_unsigned).ok_or(Malformed)
}

fn read_input(reader: &mut Reader<'_>) -> Result<InputNote, Malformed> {
    let mut note = InputNote::default();
    each_field(reader, |kind, key, value| {
        match kind {
            0x00 => note.previous = Some(Transaction::decode(alone(key, value)?)?),
            0x01 => note.claimed_spent = Some(whole(alone(key, value)?, Output::read)?),
            0x03 => note.hash_type = Some(whole(alone(key, value)?, Reader::u32)?),
            // Redeem script, witness script, Taproot script signature, leaf and root.
            0x04 | 0x05 | 0x14 | 0x15 | 0x18 => note.has_scripts = true,
            0x06 => note.origins.push(whole(value, read_origin)?),
            0x16 => note.origins.extend(whole(value, read_taproot_origin)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(note)
}

fn read_output(reader: &mut Reader<'_>) -> Result<OutputNote, Malformed> {
    let mut note = OutputNote::default();
    each_field(reader, |kind, _, value| {
        match kind {
            0x02 => note.origins.push(whole(value, read_origin)?),
            0x07 => note.origins.extend(whole(value, read_taproot_origin)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(note)
}

/// Lends each field of a map: its kind, the rest of its key, its value. No key is there twice.
fn each_field<'a>(
    reader: &mut Reader<'a>,
    mut read: impl FnMut(u8, &'a [u8], &'a [u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut seen = BTreeSet::new();
    loop {
        let key = reader.bytes()?;
        let Some((kind, rest)) = key.split_first() else { return Ok(()) };
        if !seen.insert(key) {
            return Err(Malformed);
        }
        read(*kind, rest, reader.bytes()?)?;
    }
}

/// The value of a field that has no key but its kind.
fn alone<'a>(key: &[u8], value: &'a [u8]) -> Result<&'a [u8], Malformed> {
    if key.is_empty() { Ok(value) } else { Err(Malformed) }
}

/// Reads a value to its end.
fn whole<'a, T>(
    value: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>,
) -> Result<T, Malformed> {
    let mut reader = Reader::new(value);
    let item = read(&mut reader)?;
    if reader.is_empty() { Ok(item) } else { Err(Malformed) }
}

fn read_origin(reader: &mut Reader<'_>) -> Result<Origin, Malformed> {
    let fingerprint = reader.array()?;
    let mut steps = Vec::new();
    while !reader.is_empty() {
        steps.push(reader.u32()?);
    }
    Ok(Origin { fingerprint, path: Path::new(steps).map_err(|_| Malformed)? })
}

/// The key's origin, if it is the internal key. The key of a script's leaf is none that is signed with here.
fn read_taproot_origin(reader: &mut Reader<'_>) -> Result<Option<Origin>, Malformed> {
    let leaves = reader.list(32, Reader::array::<32>)?;
    let origin = read_origin(reader)?;
    Ok(leaves.is_empty().then_some(origin))
}
