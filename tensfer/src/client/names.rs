//! Names that a person gives to what is kept here.

use crate::client::failure::{Failure, Result};
use crate::client::terminal::printable;

const MAX_CHARS: usize = 64;

/// The name that was asked for, or else `fallback`, numbered where it is taken. `kind` is `connection` or `grant`.
pub fn choose(
    kind: &str,
    asked: Option<&str>,
    fallback: &str,
    is_taken: impl Fn(&str) -> bool,
    is_id: impl Fn(&str) -> bool,
) -> Result<String> {
    match asked {
        Some(name) if is_taken(name) => {
            Err(Failure::usage(format!("you have a {kind} `{}` already", printable(name))))
        }
        Some(name) if name.is_empty() || name.chars().count() > MAX_CHARS || printable(name) != name => {
            Err(Failure::usage(format!("a name has 1 to {MAX_CHARS} printable characters")))
        }
        Some(name) if is_id(name) => Err(Failure::usage(format!("a name must not look like a {kind}'s id"))),
        Some(name) => Ok(name.to_owned()),
        None => {
            let numbered = |number: usize| match number {
                1 => fallback.to_owned(),
                number => format!("{fallback}-{number}"),
            };
            let free = (1..).map(numbered).find(|name| !is_taken(name));
            free.ok_or_else(|| Failure::internal("every name is taken"))
        }
    }
}
