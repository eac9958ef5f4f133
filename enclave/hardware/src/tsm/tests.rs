#![expect(clippy::unwrap_used, reason = "tests")]
use super::*;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};

/// The kernel's rules: a write counts the generation up, and the documents are over what was written last.
struct Kernel {
    provider: &'static str,
    generation: u64,
    written: Vec<u8>,
    files: BTreeMap<&'static str, Vec<u8>>,
    /// Another program writes its own report data when this file is read.
    meddles_at: Option<&'static str>,
    hangs: Option<Receiver<()>>,
}

fn kernel(provider: &'static str) -> Kernel {
    let files = BTreeMap::from([("auxblob", b"certificates".to_vec())]);
    Kernel { provider, generation: 7, written: Vec::new(), files, meddles_at: None, hangs: None }
}

impl Report for Kernel {
    fn read(&mut self, file: &'static str, at_most: usize) -> io::Result<Vec<u8>> {
        if self.meddles_at == Some(file) {
            self.write("inblob", &[0xee; 64])?;
        }
        let bytes = match file {
            "provider" => format!("{}\n", self.provider).into_bytes(),
            "generation" => format!("{}\n", self.generation).into_bytes(),
            "outblob" => {
                if let Some(never) = &self.hangs {
                    let _ = never.recv();
                }
                self.files.get(file).cloned().unwrap_or_else(|| [b"over ", self.written.as_slice()].concat())
            }
            other => self.files.get(other).cloned().ok_or(io::ErrorKind::NotFound)?,
        };
        Ok(bytes.into_iter().take(at_most + 1).collect())
    }

    fn write(&mut self, file: &'static str, bytes: &[u8]) -> io::Result<()> {
        assert_eq!(file, "inblob");
        self.generation += 1;
        self.written = bytes.to_vec();
        Ok(())
    }
}

#[test]
fn the_provider_names_the_kind_of_tee() {
    for (name, kind) in [("sev_guest", TeeKind::SevSnp), ("tdx_guest", TeeKind::Tdx)] {
        assert_eq!(TsmAttester::over(kernel(name), PATIENCE).unwrap().kind(), kind);
    }
    let other = TsmAttester::over(kernel("arm_cca_guest"), PATIENCE);
    assert_eq!(other.err(), Some(TsmFault::UnknownProvider));
}

#[test]
fn a_document_is_over_the_report_data_that_was_given() {
    let mut attester = TsmAttester::over(kernel("sev_guest"), PATIENCE).unwrap();
    for fill in [1, 2] {
        let quote = attester.quote(&[fill; 64]).unwrap();
        assert_eq!(quote.document, [b"over ".as_slice(), &[fill; 64]].concat());
        assert_eq!(quote.auxiliary, b"certificates");
    }
    let mut kernel = kernel("tdx_guest");
    kernel.files.clear();
    assert_eq!(TsmAttester::over(kernel, PATIENCE).unwrap().quote(&[3; 64]).unwrap().auxiliary, b"");
}

#[test]
fn a_report_is_told_with_the_certificates_of_the_hosts_table_and_a_quote_without() {
    let mut snp = kernel("sev_guest");
    snp.files.insert("auxblob", certificates::tests::table());
    let told = TsmAttester::over(snp, PATIENCE).unwrap().attest(&[1; 64], UnixMillis(0)).unwrap();
    assert_eq!((told.form, told.certificates.len()), (Form::SevSnp, 2));
    let broken = TsmAttester::over(kernel("sev_guest"), PATIENCE).unwrap().attest(&[1; 64], UnixMillis(0));
    assert!(broken.is_err(), "a table that is none");
    let told = TsmAttester::over(kernel("tdx_guest"), PATIENCE).unwrap().attest(&[1; 64], UnixMillis(0));
    let told = told.unwrap();
    assert_eq!((told.form, told.certificates.len()), (Form::Tdx, 0));
}

#[test]
fn a_document_that_somebody_else_may_have_asked_for_is_refused() {
    for file in ["outblob", "auxblob"] {
        let meddled = Kernel { meddles_at: Some(file), ..kernel("tdx_guest") };
        let mut attester = TsmAttester::over(meddled, PATIENCE).unwrap();
        assert_eq!(attester.quote(&[1; 64]), Err(TsmFault::Disturbed), "{file}");
    }
}

#[test]
fn m07_no_document_is_longer_than_any_can_be() {
    for (file, length) in [("outblob", 0), ("outblob", MAX_DOCUMENT + 1), ("auxblob", MAX_AUXILIARY + 1)] {
        let mut long = kernel("sev_guest");
        long.files.insert(file, vec![1; length]);
        let mut attester = TsmAttester::over(long, PATIENCE).unwrap();
        assert_eq!(attester.quote(&[1; 64]), Err(TsmFault::Length), "{file} {length}");
    }
}

#[test]
fn m08_a_quote_that_never_comes_is_given_up() {
    let (_held, never) = channel();
    let hung = Kernel { hangs: Some(never), ..kernel("tdx_guest") };
    let mut attester = TsmAttester::over(hung, Duration::from_millis(20)).unwrap();
    assert_eq!(attester.quote(&[1; 64]), Err(TsmFault::NoAnswer));
    assert!(attester.attest(&[1; 64], UnixMillis(0)).is_err());
}

#[test]
fn a_directory_that_somebody_else_made_is_not_used() {
    let folder = std::env::temp_dir().join(format!("tensfer-tsm-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let mut one = Directory::make(&folder).unwrap();
    assert!(Directory::make(&folder).is_err());
    std::fs::write(folder.join("tensfer/inblob"), []).unwrap();
    one.write("inblob", b"report data").unwrap();
    assert_eq!(one.read("inblob", 6).unwrap(), b"report ", "one more than allowed, and no more");
    assert!(one.read("outblob", 6).is_err());
    std::fs::remove_dir_all(&folder).unwrap();
}
