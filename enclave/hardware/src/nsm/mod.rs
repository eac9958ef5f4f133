//! The Nitro Security Module: evidence and random bytes, by messages of CBOR over an ioctl on `/dev/nsm`.
//!
//! Source: Linux, `include/uapi/linux/nsm.h` and `drivers/misc/nsm.c`; AWS, `aws-nitro-enclaves-nsm-api`.

mod device;
mod message;

use crate::bounded::{Bounded, NoAnswer};
use device::Device;
use enclave::entropy::NoEntropy;
use enclave::{AttestFailed, Attestation, Attester};
use message::{Request, Response};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use verify::measurement::{Name, Registers};
use wire::UnixMillis;
use wire::identity::TeeKind;

/// Milliseconds on hardware; the driver itself would wait for two minutes.
const PATIENCE: Duration = Duration::from_secs(5);

/// A document has PCR 0 to 15 (AWS, "Cryptographic attestation"); the others are for programs to write to.
const DOCUMENTED_PCRS: u8 = 16;

/// The module, shared by who attests and who makes entropy. One question at a time.
#[derive(Clone)]
pub struct Nsm(Arc<Mutex<Asking>>);

/// A request's bytes, and the answer's.
type Asking = Bounded<Vec<u8>, Result<Vec<u8>, NsmFault>>;

/// Why the module gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NsmFault {
    /// No such device, or the kernel refused to carry the message.
    Device,
    /// No answer in time.
    NoAnswer,
    /// The module refused: its own error.
    Refused,
    /// What came is not an answer to the question.
    Malformed,
}

impl Nsm {
    /// Opens `/dev/nsm`.
    pub fn open() -> Result<Nsm, NsmFault> {
        let device = Device::open().ok_or(NsmFault::Device)?;
        Nsm::asking(PATIENCE, move |request| device.exchange(&request).ok_or(NsmFault::Device))
    }

    fn asking(
        patience: Duration,
        exchange: impl FnMut(Vec<u8>) -> Result<Vec<u8>, NsmFault> + Send + 'static,
    ) -> Result<Nsm, NsmFault> {
        let bounded = Bounded::start(patience, exchange).map_err(|NoAnswer| NsmFault::NoAnswer)?;
        Ok(Nsm(Arc::new(Mutex::new(bounded))))
    }

    /// A document that the hypervisor signs over this user data, at most 512 bytes.
    pub fn document(&self, user_data: &[u8]) -> Result<Vec<u8>, NsmFault> {
        match self.ask(Request::Attestation { user_data })? {
            Response::Document(document) => Ok(document),
            Response::Random(_) | Response::Pcr(_) => Err(NsmFault::Malformed),
        }
    }

    /// Fills `out` with the module's random bytes.
    pub fn random(&self, out: &mut [u8]) -> Result<(), NsmFault> {
        let mut filled = 0;
        while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let Response::Random(bytes) = self.ask(Request::GetRandom)? else {
                return Err(NsmFault::Malformed);
            };
            let taken = bytes.len().min(rest.len());
            if taken == 0 {
                return Err(NsmFault::Malformed);
            }
            rest.iter_mut().zip(bytes.iter()).for_each(|(to, from)| *to = *from);
            filled += taken;
        }
        Ok(())
    }

    /// The registers that a document would have, by the module's word alone.
    pub fn registers(&self) -> Result<Registers, NsmFault> {
        (0..DOCUMENTED_PCRS).try_fold(Registers::new(), |registers, index| {
            let Response::Pcr(value) = self.ask(Request::DescribePcr { index })? else {
                return Err(NsmFault::Malformed);
            };
            let value = value.try_into().map_err(|_| NsmFault::Malformed)?;
            registers.with(Name::Pcr(index), value).map_err(|_| NsmFault::Malformed)
        })
    }

    fn ask(&self, request: Request<'_>) -> Result<Response, NsmFault> {
        let bytes = request.to_bytes()?;
        let mut device = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = device.ask(bytes).map_err(|NoAnswer| NsmFault::NoAnswer)??;
        Response::parse(&answer)
    }
}

/// Evidence of an AWS Nitro Enclave.
pub struct NitroAttester(pub Nsm);

impl Attester for NitroAttester {
    fn kind(&self) -> TeeKind {
        TeeKind::Nitro
    }

    /// The hypervisor's, which measured the image and keeps the memory: no parent stands between it and the enclave.
    fn own_registers(&mut self) -> Option<Registers> {
        self.0.registers().ok()
    }

    fn attest(&mut self, report_data: &[u8; 64], _time: UnixMillis) -> Result<Attestation, AttestFailed> {
        self.0.document(report_data).map(Attestation::nitro).map_err(|_| AttestFailed)
    }
}

impl From<NsmFault> for NoEntropy {
    fn from(_: NsmFault) -> NoEntropy {
        NoEntropy
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use std::sync::mpsc::channel;

    /// `{"GetRandom": {"random": h'…'}}` with one byte repeated.
    fn random(byte: u8, length: u8) -> Vec<u8> {
        let head = b"\xa1\x69GetRandom\xa1\x66random\x58".as_slice();
        [head, &[length], &vec![byte; length.into()]].concat()
    }

    #[test]
    fn random_bytes_are_asked_for_until_there_are_enough() {
        let mut next = 0;
        let nsm = Nsm::asking(PATIENCE, move |request| {
            assert_eq!(request, b"\x69GetRandom");
            next += 1;
            Ok(random(next, 40))
        });
        let mut out = [0; 100];
        nsm.unwrap().random(&mut out).unwrap();
        assert_eq!((out[0], out[39], out[40], out[80], out[99]), (1, 1, 2, 3, 3));
    }

    #[test]
    fn an_answer_to_something_else_is_refused() {
        let nsm = Nsm::asking(PATIENCE, |_| Ok(random(1, 40))).unwrap();
        assert_eq!(nsm.document(&[0; 64]), Err(NsmFault::Malformed));
        let nsm = Nsm::asking(PATIENCE, |_| Ok(random(1, 0))).unwrap();
        assert_eq!(nsm.random(&mut [0; 8]), Err(NsmFault::Malformed), "no bytes, for ever");
    }

    #[test]
    fn the_modules_registers_are_those_of_a_document_and_none_if_one_is_not() {
        let describe = |length: u8| {
            move |request: Vec<u8>| {
                let head = b"\xa1\x6bDescribePCR\xa2\x64lock\xf5\x64data\x58".as_slice();
                let index = *request.last().unwrap();
                Ok([head, &[length], &vec![index + 1; length.into()]].concat())
            }
        };
        let mut attester = NitroAttester(Nsm::asking(PATIENCE, describe(48)).unwrap());
        let registers = attester.own_registers().unwrap();
        let expected = (0..16).map(|index| (Name::Pcr(index), [index + 1; 48]));
        assert!(registers.iter().map(|(name, value)| (name, *value)).eq(expected));
        // SHA-256 is another bank's length, and no register of a document's.
        let mut attester = NitroAttester(Nsm::asking(PATIENCE, describe(32)).unwrap());
        assert_eq!(attester.own_registers(), None);
    }

    #[test]
    fn m08_a_module_that_hangs_fails_the_attestation_in_time() {
        let (_held, never) = channel::<()>();
        let hang = move |_| {
            let _ = never.recv();
            Err(NsmFault::Device)
        };
        let nsm = Nsm::asking(Duration::from_millis(20), hang).unwrap();
        assert_eq!(nsm.document(&[0; 64]), Err(NsmFault::NoAnswer));
        assert!(NitroAttester(nsm).attest(&[0; 64], UnixMillis(0)).is_err());
    }
}
