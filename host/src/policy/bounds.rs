//! How large and how deep a policy may be, looked at before Cedar reads it: its parser recurses, and ends the process on
//! what is nested some thousand times.

use core::fmt::{self, Display, Formatter};

/// Words, strings and signs of one policy.
const TOKENS: usize = 512;
/// Brackets within brackets.
const DEPTH: usize = 16;
/// `if` of one policy: each may hold the next without a bracket.
const IFS: usize = 8;

/// What there is too much of, or that brackets do not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    Tokens,
    Depth,
    Ifs,
    Unbalanced,
}

/// Refuses what is too large in one of the policies of a text, whether it is Cedar's language or not.
pub fn check(text: &str) -> Result<(), Excess> {
    let (mut open, mut tokens, mut ifs) = (Vec::new(), 0, 0);
    for token in Tokens(text) {
        tokens += 1;
        match token {
            "(" => open.push(")"),
            "[" => open.push("]"),
            "{" => open.push("}"),
            ")" | "]" | "}" if open.pop() != Some(token) => return Err(Excess::Unbalanced),
            "if" => ifs += 1,
            ";" if open.is_empty() => (tokens, ifs) = (0, 0),
            _ => {}
        }
        if open.len() > DEPTH {
            return Err(Excess::Depth);
        }
        if tokens > TOKENS {
            return Err(Excess::Tokens);
        }
        if ifs > IFS {
            return Err(Excess::Ifs);
        }
    }
    if open.is_empty() { Ok(()) } else { Err(Excess::Unbalanced) }
}

/// Words, strings and signs, without spaces and comments, as Cedar's grammar tells them apart.
struct Tokens<'t>(&'t str);

impl<'t> Iterator for Tokens<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let mut rest = self.0.trim_start();
        while let Some(comment) = rest.strip_prefix("//") {
            let end = comment.find(['\n', '\r']).unwrap_or(comment.len());
            rest = comment.get(end..).unwrap_or_default().trim_start();
        }
        let first = rest.chars().next()?;
        let length = match first {
            '"' => string(rest),
            _ if is_word(first) => rest.find(|other| !is_word(other)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(token)
    }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// The length of the string that begins here; all there is if it has no end.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

impl Display for Excess {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Excess::Tokens => write!(f, "a policy has more than {TOKENS} words and signs"),
            Excess::Depth => write!(f, "brackets are nested more than {DEPTH} deep"),
            Excess::Ifs => write!(f, "a policy has more than {IFS} `if`"),
            Excess::Unbalanced => f.write_str("a bracket is opened or closed without its other half"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_of_a_text_is_looked_at_by_itself() {
        let policy = format!("forbid {}{};", "(".repeat(DEPTH), ")".repeat(DEPTH));
        assert_eq!(check(&policy.repeat(100)), Ok(()));
        assert_eq!(check(&format!("{}{}", "(".repeat(DEPTH + 1), ")".repeat(DEPTH + 1))), Err(Excess::Depth));
        assert_eq!(check(&"a ".repeat(TOKENS)), Ok(()));
        assert_eq!(check(&"a ".repeat(TOKENS + 1)), Err(Excess::Tokens));
        assert_eq!(check(&format!("{};", "a ".repeat(TOKENS - 1)).repeat(3)), Ok(()));
        assert_eq!(check(&"if ".repeat(IFS + 1)), Err(Excess::Ifs));
    }

    #[test]
    fn what_a_string_or_comment_holds_opens_ends_and_hides_nothing() {
        assert_eq!(check(r#"forbid ("(((((((((((((((((((((((" ) ;"#), Ok(()));
        assert_eq!(check("// (((((\n forbid () ; // )"), Ok(()));
        let deep = "(".repeat(DEPTH + 1);
        for hidden in [
            format!(r#"";" {deep}"#),
            format!(r#""\";" {deep}"#),
            format!(r#""\\" {deep} ""#),
            format!("// \"\n{deep}"),
            format!("\"//\" {deep}"),
        ] {
            assert_eq!(check(&hidden), Err(Excess::Depth), "{hidden}");
        }
        // A `;` within brackets ends no policy.
        assert_eq!(check(&format!("({})", "a ;".repeat(TOKENS))), Err(Excess::Tokens));
    }

    #[test]
    fn brackets_that_do_not_match_are_refused() {
        for text in ["(", ")", "(]", "([)]", "{)", "\"", "a\"("] {
            let balanced = matches!(text, "\"" | "a\"(");
            assert_eq!(check(text), if balanced { Ok(()) } else { Err(Excess::Unbalanced) }, "{text}");
        }
    }
}
