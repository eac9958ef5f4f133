//! What the parser of the JSON reader takes over from the row before.
//!
//! Rows of a list have the same names in the same order, nearly always, and many of the same values. So the parser
//! keeps, for each object that it is in, the object that stood in its place one row earlier: its elder. Text that is
//! the elder's means what the elder's meant, so it is compared, eight bytes at a time, and the elder's nodes are
//! copied. An object that agrees with its elder in all names is marked as its twin.

use super::json::{JsonError, Kind, Node};
use super::parse::Parser;
use super::scan::common;

/// How far ahead texts are compared at once: no name costs more, whatever the input holds.
const MAX_RUN: usize = 512;

/// A stretch of the input that is the same as one before it.
#[derive(Clone, Copy, Default)]
pub(super) struct Run {
    /// How many bytes earlier the other one is.
    distance: usize,
    /// Where this one ends.
    end: usize,
}

/// A container that is being read, and what it is expected to look like. Indices of nodes; 0 is none: the root is
/// never an elder.
#[derive(Clone, Copy, Default)]
pub(super) struct Open {
    pub index: u32,
    pub object: bool,
    /// The container of the same kind that stood here before, and the node after it.
    elder: u32,
    elder_end: u32,
    /// The elder's next name, as long as every name so far was the same.
    name: u32,
    /// What the value that is read next is expected to look like.
    pub value: u32,
}

impl Open {
    pub fn new(index: u32, kind: Kind, elder: u32, known: Option<Node>) -> Self {
        let object = kind == Kind::Object;
        let Some(known) = known else { return Self { index, object, ..Self::default() } };
        // The first name, or the first element; the end where there is none.
        let (first, elder_end) = (elder + 1, elder + known.size());
        let value = if !object && first < elder_end { first } else { 0 };
        Self { index, object, elder, elder_end, name: first, value }
    }

    pub fn kind(&self) -> Kind {
        if self.object { Kind::Object } else { Kind::Array }
    }

    /// A container within this one was closed. The next element will look like it, and so will the next member where
    /// names tell nothing: where they are keys.
    #[inline]
    pub fn look_back(&mut self, closed: u32) {
        if !self.object || self.name == 0 {
            self.value = closed;
        }
    }

    /// A name is not the elder's.
    pub fn is_on_its_own(&mut self) {
        if self.name != 0 {
            *self = Self { index: self.index, object: self.object, ..Self::default() };
        }
    }

    /// How many nodes earlier the twin of this container of `size` nodes begins; 0 where it has none.
    pub fn twin(&self, size: u32) -> u32 {
        // All names were the elder's, and the elder has no more; the last value is as long as the elder's.
        let exhausted = self.object && self.elder != 0 && self.name == self.elder_end;
        let alike = exhausted && size == self.elder_end - self.elder;
        if alike { self.index - self.elder } else { 0 }
    }
}

impl Parser<'_> {
    /// Takes over the scalar members that begin here and are the elder's, and one more whose name alone is, where its
    /// value is a string. Says whether there were any.
    #[inline]
    pub fn repeated_members(&mut self, object: &mut Open) -> Result<bool, JsonError> {
        let Some(run) = self.run_from(object) else { return Ok(false) };
        // The elder's nodes tell where it is in the text; this is where the run leaves it.
        let limit = run.end - run.distance;
        let (first, elder_end) = (object.name as usize, object.elder_end as usize);
        let (mut count, mut end) = (0, 0);
        let mut named = None;
        for member in self.nodes.get(first..elder_end).unwrap_or_default().chunks_exact(2) {
            let [name, value] = *member else { break };
            if value.is_container() {
                break;
            }
            // Its closing quote, or the byte behind it, which ends it.
            let last = value.text_end();
            if last >= limit {
                // The elder holds nothing special up to there.
                let opens = value.kind() == Kind::String && value.at() as usize <= limit;
                named = opens.then_some((name, value));
                break;
            }
            end = last + usize::from(value.is_quoted());
            count += 2;
        }
        if count != 0 {
            self.copy(first, count, run.distance);
            self.at = end + run.distance;
        }
        if let Some((name, value)) = named {
            self.nodes.push(name.moved(run.distance));
            self.at = value.at() as usize - 1 + run.distance;
            self.string(run.end)?;
            count += 2;
        }
        object.name += count as u32;
        Ok(count != 0)
    }

    /// Takes over the name that begins here, if it is the elder's.
    #[inline]
    pub fn repeated_name(&mut self, object: &mut Open) -> bool {
        let Some(run) = self.run_from(object) else { return false };
        let Some(name) = self.node(object.name) else { return false };
        if name.text_end() >= run.end - run.distance {
            return false;
        }
        self.nodes.push(name.moved(run.distance));
        self.at = name.text_end() + 1 + run.distance;
        object.value = object.name + 1;
        object.name = self.node(object.value).map_or(object.elder_end, |node| object.value + node.size());
        true
    }

    /// How far the text is the elder's from its next name on; nothing where the elder has none at this distance from
    /// its start.
    #[inline]
    fn run_from(&mut self, object: &Open) -> Option<Run> {
        let distance = self.nodes.len() as u32 - object.index;
        if object.name >= object.elder_end || object.name - object.elder != distance {
            return None;
        }
        let name = self.node(object.name)?;
        let distance = self.at + 1 - name.at() as usize;
        if self.run.distance != distance || self.run.end <= name.text_end() + distance {
            let end = self.at + common(self.bytes, self.at - distance, self.at, MAX_RUN);
            self.run = Run { distance, end };
        }
        Some(self.run)
    }

    /// Appends `count` scalar nodes from `first` on, of text that is `distance` bytes further on.
    #[inline]
    fn copy(&mut self, first: usize, count: usize, distance: usize) {
        let from = self.nodes.len();
        self.nodes.extend_from_within(first..first + count);
        for node in self.nodes.get_mut(from..).unwrap_or_default() {
            *node = node.moved(distance);
        }
    }
}
