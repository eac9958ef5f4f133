//! What is particular to a terminal: hidden prompts, progress on anything over a second, colour.

use crate::client::failure::{Failure, Result};
use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use zeroize::Zeroizing;

/// Whether a person can be asked.
pub fn can_ask() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Asks without echo.
pub fn ask_hidden(what: &str) -> Result<Zeroizing<String>> {
    rpassword::prompt_password(format!("{what}: "))
        .map(Zeroizing::new)
        .map_err(|_| Failure::usage("nothing was typed").hint("try again, or give the value in a file"))
}

/// Asks for a line that may be seen.
pub fn ask_line(what: &str) -> Result<String> {
    let _ = write!(stderr(), "{what}: ");
    let _ = stderr().flush();
    let mut line = String::new();
    stdin().read_line(&mut line).map_err(|_| Failure::usage("nothing was typed"))?;
    Ok(line)
}

/// A notice for a person: to standard error, so that it never mixes with data.
pub fn say(text: impl AsRef<str>) {
    let _ = writeln!(stderr(), "{}", text.as_ref());
}

/// `1 account`, `2 accounts`.
pub fn counted(number: u64, one: &str, several: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {several}") }
}

/// Text that came from outside: without control characters, which a terminal would obey, and bounded.
pub fn printable(text: &str) -> String {
    const MAX_CHARS: usize = 200;
    text.chars().take(MAX_CHARS).map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Lines of text as they are, if a terminal shows all of it and obeys none: a tab and an end of a line are nothing to obey.
pub fn plain_lines(text: &str) -> Option<&str> {
    let is_plain = |line: &str| !line.chars().any(|c| c != '\t' && is_hidden(c));
    text.lines().all(is_plain).then_some(text)
}

/// JSON with the same characters written as escapes: programs read what was there, a terminal obeys none of it.
/// Only strings can hold them once the JSON's own line breaks are left out.
pub fn printable_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !is_hidden(c) {
            text.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}

/// Control characters, C1 among them, and what reorders, hides or joins: bidirectional marks, line separators,
/// zero-width characters, tags.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Emphasis where standard output is a terminal and colour is not declined; never the only signal.
pub fn emphasised(text: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if stdout().is_terminal() && !plain { format!("\x1b[1;33m{text}\x1b[0m") } else { text.to_owned() }
}

/// A line on standard error that appears after a second and is gone at the end. Only where a person sees it.
#[derive(Debug)]
pub struct Progress(Option<(Arc<Line>, JoinHandle<()>)>);

#[derive(Debug)]
struct Line {
    text: Mutex<Option<String>>,
    changed: Condvar,
}

impl Progress {
    pub fn start(text: impl Into<String>) -> Progress {
        if !stderr().is_terminal() {
            return Progress(None);
        }
        let line = Arc::new(Line { text: Mutex::new(Some(text.into())), changed: Condvar::new() });
        let shown = Arc::clone(&line);
        Progress(Some((line, std::thread::spawn(move || shown.show()))))
    }

    pub fn update(&self, text: impl Into<String>) {
        if let Some((line, _)) = &self.0 {
            *line.text.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.into());
        }
    }

    /// A line that stays, above the one that changes.
    pub fn arrived(&self, text: impl AsRef<str>) {
        if let Some((line, _)) = &self.0 {
            let _held = line.text.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = writeln!(stderr(), "\r\x1b[K{}", text.as_ref());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((line, thread)) = self.0.take() {
            *line.text.lock().unwrap_or_else(PoisonError::into_inner) = None;
            line.changed.notify_all();
            let _ = thread.join();
        }
    }
}

impl Line {
    fn show(&self) {
        let mut wait = Duration::from_secs(1);
        let mut shown = false;
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        while text.is_some() {
            text = self.changed.wait_timeout(text, wait).unwrap_or_else(PoisonError::into_inner).0;
            if let Some(text) = &*text {
                let _ = write!(stderr(), "\r\x1b[K{text} …");
                let _ = stderr().flush();
                shown = true;
            }
            wait = Duration::from_millis(200);
        }
        if shown {
            let _ = write!(stderr(), "\r\x1b[K");
            let _ = stderr().flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_as_they_are_or_not_at_all() {
        let long = "é ".repeat(300);
        for text in ["", "a\n\tb\r\n", &long] {
            assert_eq!(plain_lines(text), Some(text));
        }
        for text in ["a\rb", "a\n\u{1b}[2J", "\u{202e}a", "\0"] {
            assert_eq!(plain_lines(text), None, "{text:?}");
        }
    }

    #[test]
    fn text_from_outside_cannot_steer_a_terminal() {
        assert_eq!(printable("BTC\x1b[2J\u{202e}\n"), "BTC\u{fffd}[2J\u{fffd}\u{fffd}");
        assert_eq!(printable(&"x".repeat(1000)).len(), 200);
        for hidden in ['\u{9b}', '\u{61c}', '\u{2028}', '\u{2069}', '\u{feff}', '\u{e0041}'] {
            assert_eq!(printable(&format!("U{hidden}SD")), "U\u{fffd}SD", "{hidden:?}");
        }
    }

    #[test]
    fn json_of_what_came_from_outside_cannot_steer_a_terminal_and_reads_back_the_same() {
        let names = ["BTC\u{9b}2J\u{7f}", "\u{202e}DSU", "\x1b[2J\n", "\u{e0041}", "café ₿"];
        let json = serde_json::to_string_pretty(&names).unwrap();
        assert!(json.contains('\u{9b}'), "the serialiser leaves some of them");
        let shown = printable_json(&json);
        assert!(!shown.chars().any(|c| c != '\n' && is_hidden(c)), "{shown:?}");
        assert!(shown.contains("café ₿"));
        assert_eq!(serde_json::from_str::<Vec<String>>(&shown).unwrap(), names);
    }
}
