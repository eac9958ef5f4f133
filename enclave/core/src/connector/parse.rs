//! The parser of the JSON reader: bytes to nodes.
//!
//! Rows of a list have the same names in the same order, nearly always. So the parser keeps, for each object that it
//! is in, the object that stood in its place one row earlier: where the names agree they are compared, eight bytes at
//! a time, instead of searched for their end; and an object that agrees in all of them is marked as its twin.

use super::json::{JsonError, Kind, MAX_DEPTH, Node};
use super::scan::{number_end, same, string_end};

pub(super) struct Parser<'t> {
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
}

/// A container that is being read, and what it is expected to look like. Indices of nodes; 0 is none: the root is
/// never an elder.
#[derive(Clone, Copy, Default)]
struct Open {
    index: u32,
    object: bool,
    /// The container of the same kind that stood here before, and the node after it.
    elder: u32,
    elder_end: u32,
    /// The elder's next name, as long as every name so far was the same.
    name: u32,
    /// What the value that is read next is expected to look like.
    value: u32,
}

impl<'t> Parser<'t> {
    /// The nodes of a document, in its order.
    pub fn nodes(bytes: &'t [u8]) -> Result<Vec<Node>, JsonError> {
        // Short members take six bytes a node; room that is not written to costs nothing.
        let mut parser = Parser { bytes, at: 0, nodes: Vec::with_capacity(bytes.len() / 6 + 1) };
        parser.document()?;
        Ok(parser.nodes)
    }

    fn document(&mut self) -> Result<(), JsonError> {
        // The innermost container is at hand; those around it wait.
        let mut around = [Open::default(); MAX_DEPTH];
        let mut inner = Open::default();
        let mut depth = 0usize;
        loop {
            if inner.object {
                self.name(&mut inner)?;
            }
            if let Some(kind) = self.value()? {
                let opened = self.opened(kind, inner.value);
                *around.get_mut(depth).ok_or(JsonError::TooDeep)? = std::mem::replace(&mut inner, opened);
                depth += 1;
                if !self.is_empty(&inner) {
                    continue;
                }
            }
            // A value has ended here: close what closes, or go on behind the comma.
            loop {
                let Some(outside) = depth.checked_sub(1) else { return self.end_of_input() };
                match (self.token(), inner.object) {
                    (Some(b','), _) => break,
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        self.close(&inner);
                        let closed = inner.index;
                        inner = around.get(outside).copied().ok_or(JsonError::TooDeep)?;
                        depth = outside;
                        if !inner.object {
                            // The next element will look like this one.
                            inner.value = closed;
                        }
                    }
                    _ => return Err(JsonError::Syntax),
                }
            }
        }
    }

    /// A container that begins here, where one like `elder` is expected.
    fn opened(&mut self, kind: Kind, elder: u32) -> Open {
        let index = self.nodes.len() as u32;
        self.nodes.push(Node::new(kind, 0, 1));
        let object = kind == Kind::Object;
        match self.node(elder).filter(|node| elder != 0 && node.kind() == kind) {
            Some(known) => {
                // The first name, or the first element; the end where there is none.
                let (first, elder_end) = (elder + 1, elder + known.size());
                let value = if !object && first < elder_end { first } else { 0 };
                Open { index, object, elder, elder_end, name: first, value }
            }
            None => Open { index, object, ..Open::default() },
        }
    }

    fn is_empty(&mut self, container: &Open) -> bool {
        self.skip_space();
        self.bytes.get(self.at) == Some(if container.object { &b'}' } else { &b']' })
    }

    /// Reads one scalar, or the opening of a container, whose kind it returns.
    #[inline]
    fn value(&mut self) -> Result<Option<Kind>, JsonError> {
        self.skip_space();
        let start = self.at;
        let byte = *self.bytes.get(start).ok_or(JsonError::Syntax)?;
        match byte {
            b'"' => self.string()?,
            b'{' | b'[' => {
                self.at += 1;
                return Ok(Some(if byte == b'{' { Kind::Object } else { Kind::Array }));
            }
            b'-' | b'0'..=b'9' => {
                self.at = number_end(self.bytes, start).ok_or(JsonError::Syntax)?;
                self.push(Kind::Number, start, self.at);
            }
            b't' => self.word(b"true", Kind::True)?,
            b'f' => self.word(b"false", Kind::False)?,
            b'n' => self.word(b"null", Kind::Null)?,
            _ => return Err(JsonError::Syntax),
        }
        Ok(None)
    }

    #[inline]
    fn string(&mut self) -> Result<(), JsonError> {
        let start = self.at + 1;
        let (end, escaped) = string_end(self.bytes, start).ok_or(JsonError::Syntax)?;
        self.at = end + 1;
        self.push(if escaped { Kind::Escaped } else { Kind::String }, start, end);
        Ok(())
    }

    /// A member name and its colon.
    #[inline]
    fn name(&mut self, object: &mut Open) -> Result<(), JsonError> {
        self.skip_space();
        if self.bytes.get(self.at) != Some(&b'"') {
            return Err(JsonError::Syntax);
        }
        match self.expected_name(object) {
            Some(end) => {
                self.push(Kind::String, self.at + 1, end);
                self.at = end + 1;
                object.value = object.name + 1;
                object.name =
                    self.node(object.value).map_or(object.elder_end, |node| object.value + node.size());
            }
            None => {
                *object = Open { index: object.index, object: true, ..Open::default() };
                self.string()?;
            }
        }
        if self.token() == Some(b':') { Ok(()) } else { Err(JsonError::Syntax) }
    }

    /// The end of the name that begins here, if it is the one that the elder has at this distance from its start.
    #[inline]
    fn expected_name(&self, object: &Open) -> Option<usize> {
        let distance = self.nodes.len() as u32 - object.index;
        if object.name >= object.elder_end || object.name - object.elder != distance {
            return None;
        }
        let known = self.node(object.name).filter(|node| node.kind() == Kind::String)?;
        let (start, length) = (self.at + 1, known.extent() as usize);
        // INVARIANT: the elder's name holds nothing that ends or escapes, so the same bytes and quote are a name too.
        same(self.bytes, known.at as usize, start, length + 1).then_some(start + length)
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<(), JsonError> {
        let start = self.at;
        let end = start + word.len();
        if self.bytes.get(start..end) != Some(word) {
            return Err(JsonError::Syntax);
        }
        self.at = end;
        self.push(kind, start, end);
        Ok(())
    }

    /// A scalar or name.
    #[inline]
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        // INVARIANT: the text is at most MAX_BYTES long and nodes are no more than its bytes: all fit 32 bits.
        self.nodes.push(Node::new(kind, start as u32, (end - start) as u32));
    }

    fn close(&mut self, container: &Open) {
        let size = self.nodes.len() as u32 - container.index;
        // All names were the elder's, and the elder has no more; the last value is as long as the elder's.
        let exhausted = container.object && container.elder != 0 && container.name == container.elder_end;
        let alike = exhausted && size == container.elder_end - container.elder;
        let twin = if alike { container.index - container.elder } else { 0 };
        let kind = if container.object { Kind::Object } else { Kind::Array };
        if let Some(node) = self.nodes.get_mut(container.index as usize) {
            *node = Node::new(kind, twin, size);
        }
    }

    #[inline]
    fn node(&self, index: u32) -> Option<Node> {
        self.nodes.get(index as usize).copied()
    }

    #[inline]
    fn skip_space(&mut self) {
        // Providers send no white space: one comparison settles it.
        if self.bytes.get(self.at).is_none_or(|byte| *byte > b' ') {
            return;
        }
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    /// The next byte that is no white space.
    #[inline]
    fn token(&mut self) -> Option<u8> {
        let mut byte = self.bytes.get(self.at).copied();
        if byte.is_some_and(|byte| byte <= b' ') {
            self.skip_space();
            byte = self.bytes.get(self.at).copied();
        }
        self.at += 1;
        byte
    }

    fn end_of_input(&mut self) -> Result<(), JsonError> {
        self.skip_space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(JsonError::Syntax) }
    }
}
