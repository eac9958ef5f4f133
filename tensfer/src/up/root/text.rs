//! The file's text:
//!
//! ```text
//! tensfer simulated root v3 - DEVELOPMENT, protects nothing
//! 3 <64 lower-case hexadecimal digits> <64 more> <64 more> retained
//! 4 <64 lower-case hexadecimal digits> <64 more> <64 more> current
//! 5 <64 lower-case hexadecimal digits> <64 more> <64 more> pending
//! ```
//!
//! The roots are those of classes `any`, `delayed` and `owner`. Version 2 had the first of them alone; version 1 had also
//! epochs from 1 without their phase, the last one current. Both are read; the next start writes version 3.

use super::{EpochSecrets, MOST_EPOCHS, ROOT, Roots, Secret};
use std::fs::File;
use std::io::{self, Read};
use wire::identity::Phase;
use zeroize::Zeroizing;

const HEADER: &str = "tensfer simulated root v3 - DEVELOPMENT, protects nothing\n";
const HEADER_2: &str = "tensfer simulated root v2 - DEVELOPMENT, protects nothing\n";
const HEADER_1: &str = "tensfer simulated root v1 - DEVELOPMENT, protects nothing\n";
/// A number of up to ten digits, three roots, the longest phase, four spaces and the line's end.
const LINE: usize = 10 + 3 * 2 * ROOT + 8 + 5;
pub const MOST_BYTES: usize = HEADER.len() + MOST_EPOCHS * LINE;

/// Reads at most [`MOST_BYTES`], into memory that never moves.
pub fn read(file: &mut File) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(vec![0; MOST_BYTES + 1]);
    let mut filled = 0;
    while let Some(rest) = text.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    text.truncate(filled);
    Ok(text)
}

pub fn print(roots: &Roots) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(HEADER.len() + roots.secrets.len() * LINE));
    text.extend_from_slice(if roots.has_classes() { HEADER } else { HEADER_2 }.as_bytes());
    for (epoch, secrets) in (roots.oldest..).zip(&roots.secrets) {
        text.extend_from_slice(epoch.to_string().as_bytes());
        text.push(b' ');
        for root in std::iter::once(&secrets.any).chain(secrets.classes.iter().flatten()) {
            for byte in root.iter() {
                text.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
            }
            text.push(b' ');
        }
        text.extend_from_slice(roots.phase(epoch).name().as_bytes());
        text.push(b'\n');
    }
    text
}

/// The one text of some roots, or nothing.
pub fn parse(text: &[u8]) -> Option<Roots> {
    let versions = [(HEADER, true), (HEADER_2, false)];
    let found =
        versions.iter().find_map(|(header, classes)| Some((text.strip_prefix(header.as_bytes())?, *classes)));
    match found {
        // Every other phase follows from the current one's place.
        Some((lines, classes)) => parse_lines(lines, classes).filter(|roots| *print(roots) == *text),
        None => parse_lines_1(text.strip_prefix(HEADER_1.as_bytes())?),
    }
}

fn parse_lines(mut rest: &[u8], classes: bool) -> Option<Roots> {
    let (mut roots, mut current) = (Roots { oldest: 0, current: 0, secrets: Vec::new() }, None);
    while !rest.is_empty() {
        if roots.secrets.is_empty() {
            roots.oldest = first_number(rest)?;
        }
        let epoch = roots.oldest.checked_add(u32::try_from(roots.secrets.len()).ok()?)?;
        let (any, after) = numbered(rest, epoch)?;
        let (classes, after) = match classes {
            true => {
                let (delayed, after) = root(after.strip_prefix(b" ")?)?;
                let (owner, after) = root(after.strip_prefix(b" ")?)?;
                (Some([delayed, owner]), after)
            }
            false => (None, after),
        };
        let after = after.strip_prefix(b" ")?;
        let end = after.iter().position(|byte| *byte == b'\n')?;
        let (word, after) = after.split_at_checked(end)?;
        if word == Phase::Current.name().as_bytes() {
            current = Some(epoch);
        }
        roots.secrets.push(EpochSecrets { any, classes });
        rest = after.strip_prefix(b"\n")?;
    }
    roots.current = current?;
    let pending = roots.newest().checked_sub(roots.current)?;
    (pending <= 1 && roots.oldest >= 1 && roots.secrets.len() <= MOST_EPOCHS).then_some(roots)
}

fn parse_lines_1(mut rest: &[u8]) -> Option<Roots> {
    let mut secrets = Vec::new();
    while !rest.is_empty() {
        let (any, after) = numbered(rest, u32::try_from(secrets.len() + 1).ok()?)?;
        secrets.push(EpochSecrets { any, classes: None });
        rest = after.strip_prefix(b"\n")?;
    }
    let current = u32::try_from(secrets.len()).ok()?;
    (1..=MOST_EPOCHS).contains(&secrets.len()).then_some(Roots { oldest: 1, current, secrets })
}

/// `EPOCH ROOT`, and what follows.
fn numbered(line: &[u8], epoch: u32) -> Option<(Secret, &[u8])> {
    root(line.strip_prefix(epoch.to_string().as_bytes())?.strip_prefix(b" ")?)
}

/// A root at the beginning, and what follows.
fn root(rest: &[u8]) -> Option<(Secret, &[u8])> {
    let (digits, after) = rest.split_first_chunk::<{ 2 * ROOT }>()?;
    let mut root = Box::new(Zeroizing::new([0; ROOT]));
    for (byte, pair) in root.iter_mut().zip(digits.as_chunks::<2>().0) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some((root, after))
}

/// The number that a line begins with; its one form is checked when it is compared.
fn first_number(line: &[u8]) -> Option<u32> {
    let end = line.iter().position(|byte| *byte == b' ').filter(|end| *end <= 10)?;
    std::str::from_utf8(line.get(..end)?).ok()?.parse().ok()
}

fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
