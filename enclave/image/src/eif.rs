//! The Enclave Image Format, version 4 (github.com/aws/aws-nitro-enclaves-image-format, `defs`): a header of 548 bytes, then
//! sections with headers of 12; numbers are big-endian.

use crate::crc32;

const MAGIC: &[u8; 4] = b".eif";
const VERSION: u16 = 4;
const HEADER_BYTES: usize = 548;
const SECTION_HEADER_BYTES: usize = 12;
/// Sections that the header has room for.
const MOST_SECTIONS: usize = 32;
/// Where the header's checksum stands: behind everything else of it.
const CHECKSUM_AT: usize = HEADER_BYTES - 4;
/// Nobody's image is larger.
pub const MAX_BYTES: usize = 1 << 30;
/// The processor's architecture is a flag: x86-64.
const X86_64: u16 = 0;

/// What an image is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// A Linux kernel, bzImage.
    pub kernel: Vec<u8>,
    pub command_line: String,
    /// JSON about the image. It is not measured.
    pub metadata: Vec<u8>,
    /// Initial file systems, unpacked one over the other. The first counts as the boot's, the others as the application's.
    pub ramdisks: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EifError {
    /// Larger than [`MAX_BYTES`].
    TooLarge,
    /// Not this format, or not this version of it.
    Format,
    /// The checksum is another one.
    Damaged,
    /// The sections are not kernel, command line, metadata, ramdisks.
    Sections,
}

impl core::fmt::Display for EifError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            EifError::TooLarge => "the image is larger than 1 GiB, or has more than 29 ramdisks",
            EifError::Format => "the file is not an enclave image of version 4 for x86-64",
            EifError::Damaged => "the image is damaged: its checksum is another one",
            EifError::Sections => "the image's sections are not kernel, command line, metadata, ramdisks",
        })
    }
}

impl core::error::Error for EifError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Kernel = 1,
    CommandLine = 2,
    Ramdisk = 3,
    Metadata = 5,
}

impl Image {
    /// The image's file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EifError> {
        let sections = self.sections();
        let total: usize = sections.iter().map(|(_, bytes)| bytes.len()).sum();
        if sections.len() > MOST_SECTIONS || total > MAX_BYTES {
            return Err(EifError::TooLarge);
        }
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(MAGIC);
        header.extend(VERSION.to_be_bytes());
        header.extend(X86_64.to_be_bytes());
        // Memory and processors to start it with: the operator says so.
        header.extend([0; 16]);
        header.extend([0; 2]);
        header.extend(number(sections.len()).to_be_bytes().iter().skip(6));
        let mut offset = HEADER_BYTES;
        let mut offsets = Vec::new();
        for (_, bytes) in &sections {
            offsets.push(offset);
            offset = offset.saturating_add(SECTION_HEADER_BYTES).saturating_add(bytes.len());
        }
        table(&mut header, offsets);
        table(&mut header, sections.iter().map(|(_, bytes)| bytes.len()).collect());
        header.extend([0; 4]);
        let mut body = Vec::with_capacity(offset);
        for (section, bytes) in &sections {
            body.extend((*section as u16).to_be_bytes());
            body.extend([0; 2]);
            body.extend(number(bytes.len()).to_be_bytes());
            body.extend_from_slice(bytes);
        }
        let checksum = crc32::of([header.as_slice(), &body]);
        header.extend(checksum.to_be_bytes());
        header.append(&mut body);
        Ok(header)
    }

    /// Reads a file that [`Image::to_bytes`] wrote: any other one, of which a byte was changed too, is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Image, EifError> {
        if bytes.len() > MAX_BYTES.saturating_add(HEADER_BYTES) {
            return Err(EifError::TooLarge);
        }
        let (header, body) = bytes.split_at_checked(HEADER_BYTES).ok_or(EifError::Format)?;
        if !header.starts_with(MAGIC) || header.get(4..8) != Some(&[0, 4, 0, 0]) {
            return Err(EifError::Format);
        }
        let (signed, checksum) = header.split_at_checked(CHECKSUM_AT).ok_or(EifError::Format)?;
        if crc32::of([signed, body]).to_be_bytes() != checksum {
            return Err(EifError::Damaged);
        }
        let image = Image::from_sections(body)?;
        // One file for one image: whatever else the header says is what the writer would have said.
        if image.to_bytes()? == bytes { Ok(image) } else { Err(EifError::Sections) }
    }

    fn from_sections(mut body: &[u8]) -> Result<Image, EifError> {
        let kernel = take(&mut body, Section::Kernel)?.to_vec();
        let command_line = take(&mut body, Section::CommandLine)?.to_vec();
        let command_line = String::from_utf8(command_line).map_err(|_| EifError::Sections)?;
        let metadata = take(&mut body, Section::Metadata)?.to_vec();
        let mut ramdisks = Vec::new();
        while !body.is_empty() {
            ramdisks.push(take(&mut body, Section::Ramdisk)?.to_vec());
        }
        Ok(Image { kernel, command_line, metadata, ramdisks })
    }

    fn sections(&self) -> Vec<(Section, &[u8])> {
        let first = [
            (Section::Kernel, self.kernel.as_slice()),
            (Section::CommandLine, self.command_line.as_bytes()),
            (Section::Metadata, &self.metadata),
        ];
        first
            .into_iter()
            .chain(self.ramdisks.iter().map(|disk| (Section::Ramdisk, disk.as_slice())))
            .collect()
    }
}

/// The contents of the next section, which must be of this kind.
fn take<'b>(body: &mut &'b [u8], section: Section) -> Result<&'b [u8], EifError> {
    let (header, rest) = body.split_first_chunk::<SECTION_HEADER_BYTES>().ok_or(EifError::Sections)?;
    let [a, b, _, _, size @ ..] = header;
    if u16::from_be_bytes([*a, *b]) != section as u16 {
        return Err(EifError::Sections);
    }
    let size = usize::try_from(u64::from_be_bytes(*size)).map_err(|_| EifError::Sections)?;
    let (contents, rest) = rest.split_at_checked(size).ok_or(EifError::Sections)?;
    *body = rest;
    Ok(contents)
}

/// Room for [`MOST_SECTIONS`] numbers; what is not used is 0.
fn table(header: &mut Vec<u8>, numbers: Vec<usize>) {
    let unused = core::iter::repeat_n(0, MOST_SECTIONS.saturating_sub(numbers.len()));
    header.extend(numbers.into_iter().chain(unused).flat_map(|value| number(value).to_be_bytes()));
}

/// Lengths are far below 2^64.
fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn image() -> Image {
        Image {
            kernel: b"kernel".to_vec(),
            command_line: "quiet".to_owned(),
            metadata: b"{}".to_vec(),
            ramdisks: vec![b"boot".to_vec(), b"application".to_vec()],
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let bytes = image().to_bytes().unwrap();
        assert_eq!(Image::from_bytes(&bytes), Ok(image()));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let bytes = image().to_bytes().unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Image::from_bytes(&changed).is_err(), "byte {at}");
        }
        assert!(Image::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn there_is_no_room_for_thirty_ramdisks() {
        let many = Image { ramdisks: vec![Vec::new(); 30], ..image() };
        assert_eq!(many.to_bytes(), Err(EifError::TooLarge));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
            let _ = Image::from_bytes(&bytes);
            // Past the checksum, too.
            let mut repaired = image().to_bytes().unwrap();
            repaired.truncate(HEADER_BYTES);
            repaired.extend(&bytes);
            let checksum = crc32::of([&repaired[..CHECKSUM_AT], &repaired[HEADER_BYTES..]]);
            repaired[CHECKSUM_AT..HEADER_BYTES].copy_from_slice(&checksum.to_be_bytes());
            let _ = Image::from_bytes(&repaired);
        }
    }
}
