//! Evidence of AMD SEV-SNP and Intel TDX by Linux's `configfs-tsm`: one interface for both, a directory of files.
//!
//! Source: Linux, `Documentation/ABI/testing/configfs-tsm`. A confidential machine's image is not built yet (PROMISES P12.5): this was run against
//! a made-up directory only.

mod certificates;
mod directory;

use crate::bounded::{Bounded, NoAnswer};
use directory::Directory;
use enclave::{AttestFailed, Attestation, Attester};
use std::io;
use std::path::Path;
use std::time::Duration;
use wire::UnixMillis;
use wire::evidence::Form;
use wire::identity::TeeKind;

/// A TDX quote passes the host's quoting service, which takes its time.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where the kernel has reports.
pub const REPORTS: &str = "/sys/kernel/config/tsm/report";
/// No report or quote is longer (8 KiB is the drivers' buffer for a quote); certificates, not more than AMD's pages.
const MAX_DOCUMENT: usize = 16 << 10;
const MAX_AUXILIARY: usize = 64 << 10;

/// What the kernel yields for 64 bytes of report data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// SEV-SNP: the report. TDX: the quote.
    pub document: Vec<u8>,
    /// SEV-SNP: the host's table of certificates. It vouches for nothing: a verifier follows them to AMD's root.
    pub auxiliary: Vec<u8>,
}

/// Why there is no quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TsmFault {
    /// The kernel has no such interface, or refuses.
    Kernel,
    /// A provider that is neither SEV-SNP nor TDX.
    UnknownProvider,
    /// Somebody else wrote into the directory meanwhile: the document may be over other report data.
    Disturbed,
    /// Longer than any document, or empty.
    Length,
    /// No answer in time.
    NoAnswer,
}

/// The files of one report, as the kernel has them.
trait Report: Send {
    fn read(&mut self, file: &'static str, at_most: usize) -> io::Result<Vec<u8>>;
    fn write(&mut self, file: &'static str, bytes: &[u8]) -> io::Result<()>;
}

/// Who answers: the name that the kernel's driver gives itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provider {
    SevSnp,
    Tdx,
}

/// Evidence of a confidential virtual machine.
pub struct TsmAttester {
    provider: Provider,
    quotes: Bounded<[u8; 64], Result<Quote, TsmFault>>,
}

impl TsmAttester {
    /// Makes a report's directory below `reports`, and asks who answers it.
    pub fn open(reports: &Path) -> Result<TsmAttester, TsmFault> {
        TsmAttester::over(Directory::make(reports).map_err(|_| TsmFault::Kernel)?, PATIENCE)
    }

    fn over(mut report: impl Report + 'static, patience: Duration) -> Result<TsmAttester, TsmFault> {
        let provider = provider(&mut report)?;
        let ask = move |report_data| quote(&mut report, &report_data);
        let quotes = Bounded::start(patience, ask).map_err(|NoAnswer| TsmFault::NoAnswer)?;
        Ok(TsmAttester { provider, quotes })
    }

    /// A document over this report data.
    pub fn quote(&mut self, report_data: &[u8; 64]) -> Result<Quote, TsmFault> {
        self.quotes.ask(*report_data).map_err(|NoAnswer| TsmFault::NoAnswer)?
    }
}

impl Attester for TsmAttester {
    fn kind(&self) -> TeeKind {
        match self.provider {
            Provider::SevSnp => TeeKind::SevSnp,
            Provider::Tdx => TeeKind::Tdx,
        }
    }

    fn attest(&mut self, report_data: &[u8; 64], _time: UnixMillis) -> Result<Attestation, AttestFailed> {
        let Quote { document, auxiliary } = self.quote(report_data).map_err(|_| AttestFailed)?;
        Ok(match self.provider {
            Provider::SevSnp => {
                let certificates = certificates::of_table(&auxiliary).ok_or(AttestFailed)?;
                Attestation { form: Form::SevSnp, document, certificates }
            }
            Provider::Tdx => Attestation { form: Form::Tdx, document, certificates: Vec::new() },
        })
    }
}

fn provider(report: &mut impl Report) -> Result<Provider, TsmFault> {
    match report.read("provider", 64).map_err(|_| TsmFault::Kernel)?.trim_ascii_end() {
        b"sev_guest" => Ok(Provider::SevSnp),
        b"tdx_guest" => Ok(Provider::Tdx),
        _ => Err(TsmFault::UnknownProvider),
    }
}

/// One write counts `generation` up by one; if it went further by the time all is read, the parts need not belong together.
fn quote(report: &mut impl Report, report_data: &[u8; 64]) -> Result<Quote, TsmFault> {
    let before = generation(report)?;
    report.write("inblob", report_data).map_err(|_| TsmFault::Kernel)?;
    let document = report.read("outblob", MAX_DOCUMENT).map_err(|_| TsmFault::Kernel)?;
    // Some providers and hosts have none.
    let auxiliary = report.read("auxblob", MAX_AUXILIARY).unwrap_or_default();
    if generation(report)? != before.checked_add(1).ok_or(TsmFault::Disturbed)? {
        return Err(TsmFault::Disturbed);
    }
    if document.is_empty() || document.len() > MAX_DOCUMENT || auxiliary.len() > MAX_AUXILIARY {
        return Err(TsmFault::Length);
    }
    Ok(Quote { document, auxiliary })
}

fn generation(report: &mut impl Report) -> Result<u64, TsmFault> {
    let text = report.read("generation", 32).map_err(|_| TsmFault::Kernel)?;
    let text = std::str::from_utf8(text.trim_ascii_end()).map_err(|_| TsmFault::Kernel)?;
    text.parse().map_err(|_| TsmFault::Kernel)
}

#[cfg(test)]
mod tests;
