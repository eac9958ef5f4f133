//! The signed payload: a CBOR map whose every member is known and bounded (m07).

use crate::Refused;
use crate::measurement::{Name, Registers};
use minicbor::Decoder;
use minicbor::data::Type;
use minicbor::decode::Error;
use wire::UnixMillis;

const MAX_MODULE: usize = 256;
const MAX_CERTIFICATE: usize = 1024;
const MAX_BUNDLE: usize = 8;
const MAX_PUBLIC_KEY: usize = 1024;
const MAX_USER_DATA: usize = 512;
const MAX_NONCE: usize = 512;
/// SHA-384; the format knows no other in use.
const DIGEST: &str = "SHA384";

/// A parsed payload; every slice is the received bytes.
pub(crate) struct Payload<'b> {
    pub(crate) module: &'b str,
    pub(crate) timestamp: UnixMillis,
    pub(crate) registers: Registers,
    /// The evidence certificate.
    pub(crate) certificate: &'b [u8],
    /// Root first.
    pub(crate) bundle: Vec<&'b [u8]>,
    pub(crate) user_data: Option<&'b [u8]>,
    pub(crate) nonce: Option<&'b [u8]>,
}

/// Members as they are found; each at most once.
#[derive(Default)]
struct Found<'b> {
    module: Option<&'b str>,
    digest: Option<&'b str>,
    timestamp: Option<u64>,
    registers: Option<Registers>,
    certificate: Option<&'b [u8]>,
    bundle: Option<Vec<&'b [u8]>>,
    public_key: Option<Option<&'b [u8]>>,
    user_data: Option<Option<&'b [u8]>>,
    nonce: Option<Option<&'b [u8]>>,
}

impl<'b> Payload<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Result<Payload<'b>, Refused> {
        let mut decoder = Decoder::new(bytes);
        let mut found = Found::default();
        members(&mut decoder, |decoder| {
            let key = decoder.str()?;
            found.read(key, decoder)
        })
        .map_err(|_| Refused::Malformed)?;
        if decoder.position() != bytes.len() {
            return Err(Refused::Malformed);
        }
        found.complete().ok_or(Refused::Malformed)
    }
}

impl<'b> Found<'b> {
    fn read(&mut self, key: &str, decoder: &mut Decoder<'b>) -> Result<(), Error> {
        match key {
            "module_id" => once(&mut self.module, decoder.str()?),
            "digest" => once(&mut self.digest, decoder.str()?),
            "timestamp" => once(&mut self.timestamp, decoder.u64()?),
            "pcrs" => once(&mut self.registers, registers(decoder)?),
            "certificate" => once(&mut self.certificate, bytes(decoder, MAX_CERTIFICATE)?),
            "cabundle" => once(&mut self.bundle, bundle(decoder)?),
            "public_key" => once(&mut self.public_key, optional_bytes(decoder, MAX_PUBLIC_KEY)?),
            "user_data" => once(&mut self.user_data, optional_bytes(decoder, MAX_USER_DATA)?),
            "nonce" => once(&mut self.nonce, optional_bytes(decoder, MAX_NONCE)?),
            _ => Err(Error::message("unknown member")),
        }
    }

    fn complete(self) -> Option<Payload<'b>> {
        let module = self.module.filter(|module| (1..=MAX_MODULE).contains(&module.len()))?;
        self.digest.filter(|digest| *digest == DIGEST)?;
        Some(Payload {
            module,
            timestamp: self.timestamp.filter(|time| *time > 0).map(UnixMillis)?,
            registers: self.registers.filter(|registers| !registers.is_empty())?,
            certificate: self.certificate.filter(|certificate| !certificate.is_empty())?,
            bundle: self.bundle.filter(|bundle| !bundle.is_empty())?,
            user_data: self.user_data.flatten(),
            nonce: self.nonce.flatten(),
        })
    }
}

/// Reads a map of definite or indefinite length, one member at a time. Ends with an error at the latest when the input
/// does: a claimed number of members allocates nothing.
fn members<'b>(
    decoder: &mut Decoder<'b>,
    mut read: impl FnMut(&mut Decoder<'b>) -> Result<(), Error>,
) -> Result<(), Error> {
    match decoder.map()? {
        Some(count) => (0..count).try_for_each(|_| read(decoder)),
        None => {
            while decoder.datatype()? != Type::Break {
                read(decoder)?;
            }
            decoder.skip()
        }
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Error> {
    if place.replace(value).is_none() { Ok(()) } else { Err(Error::message("a member twice")) }
}

fn registers(decoder: &mut Decoder<'_>) -> Result<Registers, Error> {
    let mut registers = Registers::new();
    members(decoder, |decoder| {
        let number = decoder.u8()?;
        let value = decoder.bytes()?.try_into().map_err(|_| Error::message("not a SHA-384 value"))?;
        if registers.insert(Name::Pcr(number), value) {
            Ok(())
        } else {
            Err(Error::message("a register twice"))
        }
    })?;
    Ok(registers)
}

fn bundle<'b>(decoder: &mut Decoder<'b>) -> Result<Vec<&'b [u8]>, Error> {
    let mut bundle = Vec::new();
    let mut read = |decoder: &mut Decoder<'b>| {
        if bundle.len() == MAX_BUNDLE {
            return Err(Error::message("too many certificates"));
        }
        bundle.push(bytes(decoder, MAX_CERTIFICATE)?);
        Ok(())
    };
    match decoder.array()? {
        Some(count) => (0..count).try_for_each(|_| read(decoder))?,
        None => {
            while decoder.datatype()? != Type::Break {
                read(decoder)?;
            }
            decoder.skip()?;
        }
    }
    Ok(bundle)
}

fn bytes<'b>(decoder: &mut Decoder<'b>, longest: usize) -> Result<&'b [u8], Error> {
    let bytes = decoder.bytes()?;
    if bytes.len() <= longest { Ok(bytes) } else { Err(Error::message("too long")) }
}

fn optional_bytes<'b>(decoder: &mut Decoder<'b>, longest: usize) -> Result<Option<&'b [u8]>, Error> {
    if decoder.datatype()? == Type::Null {
        decoder.null()?;
        return Ok(None);
    }
    bytes(decoder, longest).map(Some)
}
