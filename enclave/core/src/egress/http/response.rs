//! One response, read from pieces of any size.

use super::super::fault::{Fault, HttpFault};
use super::super::limits::Limits;
use super::body::Body;
use super::head::{Headers, StatusLine, framing, parse_header, parse_status_line};
use super::line::Line;

const MAX_INTERIM: u8 = 8;

/// A complete response.
pub(in super::super) struct Response {
    pub(in super::super) status: u16,
    pub(in super::super) headers: Headers,
    pub(in super::super) body: Vec<u8>,
    /// The connection can carry another request (RFC 9112 section 9.3).
    pub(in super::super) keeps_alive: bool,
}

/// The state machine that reads one response.
pub(in super::super) struct ResponseParser {
    to_head: bool,
    limits: Limits,
    line: Line,
    status: Option<StatusLine>,
    headers: Headers,
    /// Head bytes, header fields and interim responses still allowed.
    head_left: usize,
    fields_left: usize,
    interim_left: u8,
    body: Option<Body>,
    keeps_alive: bool,
    started: bool,
}

impl ResponseParser {
    /// `to_head`: the request was HEAD, so the response has no body whatever it announces.
    pub(in super::super) fn new(to_head: bool, limits: Limits) -> Self {
        Self {
            to_head,
            limits,
            line: Line::default(),
            status: None,
            headers: Headers::default(),
            head_left: limits.max_head,
            fields_left: limits.max_headers,
            interim_left: MAX_INTERIM,
            body: None,
            keeps_alive: false,
            started: false,
        }
    }

    /// Takes the bytes that belong to this response: how many. Fewer than all means that it is complete.
    pub(in super::super) fn feed(&mut self, input: &[u8]) -> Result<usize, Fault> {
        self.started |= !input.is_empty();
        let mut rest = input;
        while !rest.is_empty() && !self.is_complete() {
            let taken = match &mut self.body {
                Some(body) => body.feed(rest)?,
                None => self.feed_head(rest)?,
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(input.len() - rest.len())
    }

    /// The provider closed, authenticated: the end of a body that no length announced.
    pub(in super::super) fn close(&mut self) {
        if let Some(body) = &mut self.body {
            body.close();
        }
    }

    pub(in super::super) fn has_started(&self) -> bool {
        self.started
    }

    pub(in super::super) fn has_head(&self) -> bool {
        self.body.is_some()
    }

    pub(in super::super) fn is_complete(&self) -> bool {
        self.body.as_ref().is_some_and(Body::is_complete)
    }

    /// The response, if it is complete.
    pub(in super::super) fn into_response(self) -> Option<Response> {
        let (body, status) = (self.body?, self.status?);
        body.is_complete().then(|| Response {
            status: status.status,
            headers: self.headers,
            body: body.into_bytes(),
            keeps_alive: self.keeps_alive,
        })
    }

    #[cfg(test)]
    pub(in super::super) fn body_capacity(&self) -> usize {
        self.body.as_ref().map_or(0, Body::capacity)
    }

    fn feed_head(&mut self, input: &[u8]) -> Result<usize, Fault> {
        let (taken, line) = self.line.take(input, self.head_left, Fault::TooLarge)?;
        if let Some(line) = line {
            self.head_left = self.head_left.saturating_sub(line.len() + 2);
            self.take_line(&line)?;
        }
        Ok(taken)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), Fault> {
        let Some(status) = self.status else {
            self.status = Some(parse_status_line(line)?);
            return Ok(());
        };
        if line.is_empty() {
            return self.end_head(status);
        }
        self.headers.push(parse_header(line)?);
        self.fields_left = self.fields_left.checked_sub(1).ok_or(Fault::TooLarge)?;
        Ok(())
    }

    fn end_head(&mut self, status: StatusLine) -> Result<(), Fault> {
        if status.status < 200 {
            return self.skip_interim(status);
        }
        let framing = framing(status, self.to_head, &self.headers, self.limits.max_body)?;
        self.keeps_alive = !status.old
            && framing != super::head::Framing::Close
            && !self.headers.lists("connection", "close");
        self.body = Some(Body::new(framing, self.limits.max_body, self.limits.max_headers));
        Ok(())
    }

    /// RFC 9110 section 15.2: interim responses are read and dropped, a bounded number of them.
    fn skip_interim(&mut self, status: StatusLine) -> Result<(), Fault> {
        let fault = Fault::Http(HttpFault::Interim);
        if status.status == 101 {
            return Err(fault);
        }
        self.interim_left = self.interim_left.checked_sub(1).ok_or(fault)?;
        self.status = None;
        self.headers = Headers::default();
        Ok(())
    }
}

/// Fuzz target: reads `data` as a response, whole and byte by byte, and holds the parser's promises.
///
/// The first byte chooses the request method and whether the stream ends with an authenticated close.
///
/// # Panics
/// If the two readings differ, or if a response is larger than its limits or than its input.
pub fn fuzz_http_response(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let limits = Limits { max_body: 4 << 10, max_head: 2 << 10, max_headers: 16, ..Limits::default() };
    let read = |step: usize| {
        let mut parser = ResponseParser::new(choice & 1 == 1, limits);
        let mut used = 0;
        for piece in data.chunks(step.max(1)) {
            let taken = parser.feed(piece)?;
            used += taken;
            if taken < piece.len() {
                break;
            }
        }
        if choice & 2 == 2 {
            parser.close();
        }
        Ok::<_, Fault>((used, parser.into_response()))
    };
    let (whole, dripped) = (read(data.len()), read(1));
    match (whole, dripped) {
        (Ok((used, response)), Ok((used_dripped, dripped))) => {
            assert_eq!(used, used_dripped, "the cut decides where a response ends");
            let body = response.as_ref().map(|response| (response.status, response.body.len()));
            let body_dripped = dripped.as_ref().map(|response| (response.status, response.body.len()));
            assert_eq!(body, body_dripped, "the cut decides what a response says");
            if let Some(response) = response {
                assert!(response.body.len() <= limits.max_body.min(data.len()), "a body above its limit");
                assert!(response.headers.len() <= limits.max_headers, "headers above their limit");
            }
        }
        (Err(fault), Err(fault_dripped)) => assert_eq!(fault, fault_dripped, "the cut decides the fault"),
        (whole, dripped) => assert_eq!(whole.is_ok(), dripped.is_ok(), "the cut decides acceptance"),
    }
}
