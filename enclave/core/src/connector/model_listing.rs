//! What is asked, how its answer is read and how it goes on, as loaded from a connector's file.

use super::expression::{Expression, Path, RowPath, Slots};
use super::model::{Method, Setting};

/// An endpoint and its weight in the exchange's rate limit.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub section: String,
    pub path: String,
    pub cost: u32,
}

impl Call {
    /// The names of the parameters that are part of the path.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.path.split('{').skip(1).filter_map(|behind| Some(behind.split_once('}')?.0))
    }
}

/// A call, and how the rows of its answer are read.
#[derive(Debug)]
pub struct Listing {
    pub call: Call,
    /// The call is made once for each row of this listing, whose fields become arguments.
    pub each: Option<Box<Listing>>,
    /// Arguments with no value are left out.
    pub params: Vec<(String, Setting)>,
    pub page: Option<Paging>,
    pub rows: Vec<RowPath>,
    /// Rows are skipped whose expression yields none of the values.
    pub only: Vec<(Expression, Vec<String>)>,
    /// Rows equal to an earlier one in every field are left out: some providers say each thing twice.
    pub distinct: bool,
    pub fields: Vec<(String, Expression)>,
    pub slots: Slots,
}

impl Listing {
    pub fn field(&self, name: &str) -> Option<&Expression> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, expression)| expression)
    }

    /// Names of the arguments that one setting is made of.
    pub fn arguments_of(setting: &Setting) -> Vec<String> {
        let mut names = Vec::new();
        setting.arguments(&mut names);
        names
    }

    /// Whether the parameters say something of the credential.
    pub fn names_field(&self) -> bool {
        self.params.iter().any(|(_, setting)| setting.uses_field())
    }

    /// Names of the arguments that the parameters are made of.
    pub fn arguments(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (_, setting) in &self.params {
            setting.arguments(&mut names);
        }
        names
    }
}

/// How a listing goes on behind its first page.
#[derive(Debug)]
pub struct Paging {
    pub steps: Steps,
    /// Rows of a full page: one with fewer is the last, or the last of its window. None where an empty page, or the
    /// exchange's word, ends the listing.
    pub size: Option<u32>,
    /// The parameter that asks for pages of `size` rows.
    pub limit: Option<String>,
    /// Parameters that ask for pages and for nothing else, their texts: a direction, a first cursor.
    pub with: Vec<(String, String)>,
    /// The exchange tells of the last so many days only.
    pub kept_ms: Option<u64>,
    /// The exchange tells of the newest so many rows only.
    pub kept_rows: Option<u32>,
    /// The most pages of one run.
    pub max: u32,
}

#[derive(Debug)]
pub enum Steps {
    /// The next page's cursor is in the answer.
    Cursor { param: String, next: Path },
    /// The next page's cursor is this field of the last row.
    Last { param: String, field: String },
    /// Pages are numbered from `first` in steps of `step` (1, or the size where rows are counted); `end` is the
    /// parameter for where the page ends, which it does not hold.
    Number { param: String, first: u32, step: u32, end: Option<String> },
    /// Windows of time of at most that span, in the arguments `since` and `until`. A full page does not hold all of
    /// its window: with `newest` it holds the newest rows, else the oldest.
    Window { span_ms: u64, newest: bool, earliest_ms: u64 },
}

impl Paging {
    /// Whether a page of so many rows has another one behind it.
    pub fn is_full(&self, rows: usize) -> bool {
        self.size.map_or(rows != 0, |size| rows >= size as usize)
    }
}
