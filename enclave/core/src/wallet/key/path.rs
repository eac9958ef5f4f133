//! Derivation paths (BIP 32).

use core::fmt;
use core::str::FromStr;

/// The bit that makes an index a hardened one.
pub const HARDENED: u32 = 1 << 31;

/// The steps from a key to one derived from it, at most [`Path::MAX_STEPS`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Path(Vec<u32>);

/// Not `m` or steps like `84h`, `84'` or `84`, parted by `/`; an index of 2^31 or more; or too many steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPath;

impl Path {
    /// Deeper than any wallet's standard needs, and far below the 255 that a serialised key can say.
    pub const MAX_STEPS: usize = 16;

    pub fn new(steps: Vec<u32>) -> Result<Path, InvalidPath> {
        if steps.len() > Self::MAX_STEPS { Err(InvalidPath) } else { Ok(Path(steps)) }
    }

    pub fn steps(&self) -> &[u32] {
        &self.0
    }

    /// One step further.
    pub fn child(&self, step: u32) -> Result<Path, InvalidPath> {
        Path::new(self.0.iter().copied().chain([step]).collect())
    }
}

/// Reads `m/84h/0h/0h/0/5`. The leading `m` may be left out, as inside of descriptors.
impl FromStr for Path {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Path, InvalidPath> {
        match text.strip_prefix('m').unwrap_or(text) {
            "" if text == "m" => Ok(Path::default()),
            rest => {
                let steps = if text.starts_with('m') { rest.strip_prefix('/') } else { Some(rest) };
                let steps = steps.ok_or(InvalidPath)?.split('/').take(Path::MAX_STEPS + 1);
                Path::new(steps.map(step).collect::<Result<_, _>>()?)
            }
        }
    }
}

fn step(text: &str) -> Result<u32, InvalidPath> {
    let number = text.strip_suffix(['h', '\'']).unwrap_or(text);
    let is_digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let index =
        number.parse::<u32>().ok().filter(|index| is_digits && *index < HARDENED).ok_or(InvalidPath)?;
    Ok(if number.len() == text.len() { index } else { index | HARDENED })
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("m")?;
        self.0.iter().try_for_each(|step| match step & HARDENED {
            0 => write!(f, "/{step}"),
            _ => write!(f, "/{}h", step & !HARDENED),
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_and_written() {
        for text in ["m", "m/0", "m/84h/0h/0h/1/2147483647", "m/44h/60h/0h/0/0"] {
            assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
        }
        assert_eq!("m/84'/0".parse::<Path>(), "84h/0".parse());
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let deep = format!("m{}", "/0".repeat(Path::MAX_STEPS + 1));
        for text in [
            "",
            "/",
            "m/",
            "m//0",
            "m/0/",
            "0/",
            "m0",
            "m/-1",
            "m/+1",
            "m/2147483648",
            "m/1hh",
            "m/h",
            "m/1H",
            &deep,
        ] {
            assert_eq!(text.parse::<Path>(), Err(InvalidPath), "{text}");
        }
    }
}
