//! Frames of the one duplex channel between host and enclave: `u32be length ‖ u8 type ‖ u32be stream ‖ body`.
//!
//! `length` counts everything after itself. Streams are chosen by who opens them: requests by the host, egress by
//! the enclave; the two spaces are apart because the types are.

/// The largest frame, without its length prefix.
pub const MAX_FRAME: usize = 2 << 20;
const HEADER: usize = 5;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $name = $number,)+ }
        impl Kind {
            pub const ALL: &'static [Kind] = &[$(Kind::$name),+];
            pub fn from_number(number: u8) -> Option<Kind> {
                match number { $($number => Some(Kind::$name),)+ _ => None }
            }
        }
    };
}

kinds! {
    // Host to enclave.
    /// `provision::Provision`; simulated program only.
    Provision = 0x01,
    /// u64be milliseconds since the epoch: the host's claim.
    Time = 0x02,
    /// A client's nonce, 32 bytes; answered by `Evidence`.
    Attest = 0x03,
    /// An encapsulated request (RFC 9458); answered by `Reply` or `Refused`.
    Request = 0x04,
    /// `rewrap::Rewrap`; answered by `Rewrapped` or `Refused`.
    Rewrap = 0x05,
    /// Nobody waits for this request's answer any more.
    Cancel = 0x06,
    /// `ceremony::Ceremony`: a step of provisioning by operators; answered by `CeremonyAnswer`.
    Ceremony = 0x07,
    /// `register::Conclude`; answered by `Concluded` or `Refused`.
    Conclude = 0x21,
    /// `register::Destroy`; for a program that holds roots, outside the core. Answered by `Destroyed` or `Refused`.
    Destroy = 0x22,
    /// `freshness::Found`, answers `Lookup`.
    Found = 0x23,
    /// `freshness::Taken`, answers `Take`.
    Taken = 0x24,
    /// `freshness::Committed`, answers `Commit`.
    Committed = 0x25,
    /// The egress stream is connected.
    EgressConnected = 0x10,
    /// Bytes from the provider.
    EgressReceived = 0x11,
    /// The egress stream is gone.
    EgressGone = 0x12,

    // Enclave to host.
    /// Provisioned and ready; the body is the simulation's evidence root (DER) or empty.
    Ready = 0x81,
    /// `evidence::Evidence`.
    Evidence = 0x82,
    /// An encapsulated response (RFC 9458).
    Reply = 0x83,
    /// u16be refusal number: the request could not be opened, so nothing can be sealed to its sender.
    Refused = 0x84,
    /// `rewrap::Rewrapped`.
    Rewrapped = 0x85,
    /// `ceremony::Answer`.
    CeremonyAnswer = 0x86,
    /// `register::Concluded`.
    Concluded = 0xa1,
    /// `register::Destroyed`.
    Destroyed = 0xa2,
    /// `freshness::Lookup`: what the host has under these names.
    Lookup = 0xa3,
    /// `witness::Take`: the enclave wants to hold its line.
    Take = 0xa4,
    /// `freshness::Commit`: for the host to keep, and to have witnessed, before the replies that follow from it.
    Commit = 0xa5,
    /// `u16be port ‖ host name`: open a TCP connection.
    EgressOpen = 0x90,
    /// Bytes for the provider.
    EgressSend = 0x91,
    /// Close the egress stream.
    EgressClose = 0x92,
}

impl Kind {
    /// Whether the host may send it.
    pub const fn is_from_host(self) -> bool {
        (self as u8) < 0x80
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    TooLong,
    TooShort,
    UnknownKind,
}

/// One frame, borrowing its body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'b> {
    pub kind: Kind,
    pub stream: u32,
    pub body: &'b [u8],
}

impl core::fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Frame({:?}, {}, {} bytes)", self.kind, self.stream, self.body.len())
    }
}

impl<'b> Frame<'b> {
    /// Reads the first frame of `buffer`: the frame and how many bytes it took, or `None` until more arrive.
    pub fn read(buffer: &'b [u8]) -> Result<Option<(Frame<'b>, usize)>, FrameError> {
        let Some((prefix, rest)) = buffer.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*prefix) as usize;
        if length > MAX_FRAME {
            return Err(FrameError::TooLong);
        }
        if length < HEADER {
            return Err(FrameError::TooShort);
        }
        let Some(frame) = rest.get(..length) else { return Ok(None) };
        Ok(Some((Frame::parse(frame)?, 4 + length)))
    }

    /// Parses a frame whose length prefix is already taken off.
    pub fn parse(frame: &'b [u8]) -> Result<Frame<'b>, FrameError> {
        let (&kind, rest) = frame.split_first().ok_or(FrameError::TooShort)?;
        let (stream, body) = rest.split_first_chunk::<4>().ok_or(FrameError::TooShort)?;
        let kind = Kind::from_number(kind).ok_or(FrameError::UnknownKind)?;
        Ok(Frame { kind, stream: u32::from_be_bytes(*stream), body })
    }

    /// Appends the frame with its length prefix. A body over the limit is refused, never cut.
    pub fn write(kind: Kind, stream: u32, body: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        let length = HEADER + body.len();
        if length > MAX_FRAME {
            return Err(FrameError::TooLong);
        }
        let prefix = u32::try_from(length).map_err(|_| FrameError::TooLong)?;
        out.reserve(4 + length);
        out.extend_from_slice(&prefix.to_be_bytes());
        out.push(kind as u8);
        out.extend_from_slice(&stream.to_be_bytes());
        out.extend_from_slice(body);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_as_written() {
        let mut bytes = Vec::new();
        Frame::write(Kind::Request, 7, b"sealed", &mut bytes).unwrap();
        let (frame, taken) = Frame::read(&bytes).unwrap().unwrap();
        assert_eq!(frame, Frame { kind: Kind::Request, stream: 7, body: b"sealed" });
        assert_eq!(taken, bytes.len());
        for end in 0..bytes.len() {
            assert_eq!(Frame::read(&bytes[..end]), Ok(None), "cut at {end}");
        }
    }

    #[test]
    fn m07_a_claimed_length_is_checked_before_anything_is_kept() {
        assert_eq!(Frame::read(&u32::MAX.to_be_bytes()), Err(FrameError::TooLong));
        assert_eq!(Frame::read(&[0, 0, 0, 4, 1, 0, 0, 0]), Err(FrameError::TooShort));
        assert_eq!(Frame::read(&[0, 0, 0, 5, 0x7f, 0, 0, 0, 0]), Err(FrameError::UnknownKind));
        let big = vec![0; MAX_FRAME];
        assert_eq!(Frame::write(Kind::Request, 0, &big, &mut Vec::new()), Err(FrameError::TooLong));
    }
}
