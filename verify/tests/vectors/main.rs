//! Known answers that independent scripts made from the specification (`vectors/make`): each structure is read as it was
//! written, written as it was read, and whatever is not quite it is refused.

mod freshness;
mod rotation;

use serde_json::Value;
use wire::Canonical;
use wire::evidence::Hash;

/// A file below `vectors/`.
fn file(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = text(value);
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn hash(value: &Value) -> Hash {
    Hash(array(value))
}

fn hashes(value: &Value) -> Vec<Hash> {
    list(value).iter().map(hash).collect()
}

/// A number, or one of more than 53 bits, which is written as text.
fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| text(value).parse().unwrap())
}

fn small<T: TryFrom<u64>>(value: &Value) -> T {
    T::try_from(number(value)).ok().unwrap()
}

fn optional<T>(value: &Value, read: fn(&Value) -> T) -> Option<T> {
    (!value.is_null()).then(|| read(value))
}

/// These bytes mean this value, and this value has these bytes.
fn both_ways<T>(encoded: &[u8], value: &T)
where
    T: for<'b> Canonical<'b> + PartialEq + core::fmt::Debug,
{
    assert_eq!(T::from_bytes(encoded).as_ref(), Ok(value));
    assert_eq!(value.to_bytes(), encoded);
}

/// Of a frame, whose values other tests hold: it is read, and written again.
fn reads<T: for<'b> Canonical<'b>>(value: &Value) -> T {
    let encoded = bytes(value);
    let read = T::from_bytes(&encoded).unwrap();
    assert_eq!(read.to_bytes(), encoded);
    read
}
