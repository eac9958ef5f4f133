//! One setting, and where it was set.

use std::ffi::OsString;
use std::path::PathBuf;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Default,
    /// The line of its key.
    File(PathBuf, usize),
    /// The variable.
    Environment(String),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File(path, line) => write!(f, "{}:{line}", path.display()),
            Source::Environment(name) => f.write_str(name),
        }
    }
}

/// An option of a command, and what it is set to.
#[derive(Clone, Debug)]
pub struct Setting {
    pub command: String,
    /// Without the hyphens before it.
    pub option: String,
    pub value: Value,
    pub source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of an option that is there or not.
    Switch(bool),
    One(OsString),
    /// Of an option that may be repeated.
    Several(Vec<OsString>),
}

impl Setting {
    pub fn is_of(&self, command: &str, option: &str) -> bool {
        self.command == command && self.option == option
    }

    /// The same on a command line. In one word each: a value may begin with a hyphen.
    pub fn words(&self) -> Vec<OsString> {
        let name = || OsString::from(format!("--{}", self.option));
        let with = |value: &OsString| {
            let mut word = name();
            word.push("=");
            word.push(value);
            word
        };
        match &self.value {
            Value::Switch(true) => vec![name()],
            Value::Switch(false) => Vec::new(),
            Value::One(value) => vec![with(value)],
            Value::Several(values) => values.iter().map(with).collect(),
        }
    }
}
