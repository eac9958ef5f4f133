//! The parser of the JSON reader: bytes to nodes.

use super::json::{JsonError, Kind, MAX_DEPTH, Node};
use super::repeat::{Open, Run};
use super::scan::{number_end, string_end};

pub(super) struct Parser<'t> {
    pub bytes: &'t [u8],
    pub at: usize,
    pub nodes: Vec<Node>,
    pub run: Run,
}

impl<'t> Parser<'t> {
    /// The nodes of a document, in its order.
    pub fn nodes(bytes: &'t [u8]) -> Result<Vec<Node>, JsonError> {
        // Short members take six bytes a node; room that is not written to costs nothing.
        let nodes = Vec::with_capacity(bytes.len() / 6 + 1);
        let mut parser = Parser { bytes, at: 0, nodes, run: Run::default() };
        parser.document()?;
        Ok(parser.nodes)
    }

    fn document(&mut self) -> Result<(), JsonError> {
        // The innermost container is at hand; those around it wait.
        let mut around = [Open::default(); MAX_DEPTH];
        let mut inner = Open::default();
        let mut depth = 0usize;
        loop {
            let ended = inner.object && self.member(&mut inner)?;
            if !ended && let Some(kind) = self.value()? {
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
                        inner.look_back(closed);
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
        let known = self.node(elder).filter(|node| elder != 0 && node.kind() == kind);
        Open::new(index, kind, elder, known)
    }

    fn is_empty(&mut self, container: &Open) -> bool {
        self.skip_space();
        self.bytes.get(self.at) == Some(if container.object { &b'}' } else { &b']' })
    }

    /// Reads a member name and its colon; or whole members, where the elder has the same, and says so.
    #[inline]
    fn member(&mut self, object: &mut Open) -> Result<bool, JsonError> {
        self.skip_space();
        if self.bytes.get(self.at) != Some(&b'"') {
            return Err(JsonError::Syntax);
        }
        if self.repeated_members(object)? {
            return Ok(true);
        }
        if !self.repeated_name(object) {
            object.is_on_its_own();
            self.string(self.at + 1)?;
        }
        if self.token() == Some(b':') { Ok(false) } else { Err(JsonError::Syntax) }
    }

    /// Reads one scalar, or the opening of a container, whose kind it returns.
    #[inline]
    fn value(&mut self) -> Result<Option<Kind>, JsonError> {
        self.skip_space();
        let start = self.at;
        let byte = *self.bytes.get(start).ok_or(JsonError::Syntax)?;
        match byte {
            b'"' => self.string(start + 1)?,
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

    /// Reads a string whose quote is here, and which is known to hold nothing but plain characters before `plain_until`.
    #[inline]
    pub fn string(&mut self, plain_until: usize) -> Result<(), JsonError> {
        let start = self.at + 1;
        let (end, escaped) = string_end(self.bytes, plain_until).ok_or(JsonError::Syntax)?;
        self.at = end + 1;
        self.push(if escaped { Kind::Escaped } else { Kind::String }, start, end);
        Ok(())
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
    pub fn push(&mut self, kind: Kind, start: usize, end: usize) {
        // INVARIANT: the text is at most MAX_BYTES long and nodes are no more than its bytes: all fit 32 bits.
        self.nodes.push(Node::new(kind, start as u32, (end - start) as u32));
    }

    fn close(&mut self, container: &Open) {
        let size = self.nodes.len() as u32 - container.index;
        if let Some(node) = self.nodes.get_mut(container.index as usize) {
            *node = Node::new(container.kind(), container.twin(size), size);
        }
    }

    #[inline]
    pub fn node(&self, index: u32) -> Option<Node> {
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
