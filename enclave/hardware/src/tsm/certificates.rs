//! The table of certificates that an SEV-SNP host hands out beside a report (AMD 56421, GHCB, "Extended Guest Request").
//!
//! Entries of 24 bytes: GUID, offset and length of the certificate (32 bits each, little-endian), up to a GUID of zeros.

/// More certificates than these four say nothing about a report.
const MOST: usize = 4;
const ENTRY: usize = 24;
/// VCEK, VLEK, ASK, ARK; a table may list others, such as a list of revoked ones, which are left out.
const CERTIFICATES: [u128; MOST] = [
    0x63da_758d_e664_4564_adc5_f4b9_3be8_accd,
    0xa807_4bc2_a25a_483e_aae6_39c0_45a0_b8a1,
    0x4ab7_b379_bbac_4fe4_a02f_05ae_f327_c782,
    0xc0b4_06a4_a803_4952_9743_3fb6_014c_d0ae,
];

/// The certificates, DER; none if there is no table. Whatever is no table is refused.
pub(super) fn of_table(table: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut certificates = Vec::new();
    let mut entries = table;
    while !entries.is_empty() {
        let (entry, rest) = entries.split_first_chunk::<ENTRY>()?;
        let (guid, place) = entry.split_first_chunk::<16>()?;
        if *guid == [0; 16] {
            break;
        }
        let (offset, length) = place.split_first_chunk::<4>()?;
        let offset = usize::try_from(u32::from_le_bytes(*offset)).ok()?;
        let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
        let certificate = table.get(offset..)?.get(..length)?;
        if CERTIFICATES.contains(&u128::from_be_bytes(*guid)) {
            certificates.push(certificate.to_vec());
        }
        entries = rest;
    }
    (certificates.len() <= MOST).then_some(certificates)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn entry(guid: u128, offset: u32, length: u32) -> Vec<u8> {
        [guid.to_be_bytes().as_slice(), &offset.to_le_bytes(), &length.to_le_bytes()].concat()
    }

    /// A chip's certificate, its authority's, and a list of revoked ones.
    pub(in crate::tsm) fn table() -> Vec<u8> {
        let entries = [
            entry(CERTIFICATES[0], 96, 4),
            entry(0x92f8_1bc3_5811_4d3d_97ff_d19f_88dc_67ea, 100, 3),
            entry(CERTIFICATES[2], 103, 3),
            entry(0, 0, 0),
        ];
        [entries.concat().as_slice(), b"vcek", b"crl", b"ask"].concat()
    }

    #[test]
    fn certificates_are_found_and_other_things_left_out() {
        assert_eq!(of_table(&table()), Some(vec![b"vcek".to_vec(), b"ask".to_vec()]));
        assert_eq!(of_table(&[]), Some(Vec::new()));
        assert_eq!(of_table(&entry(0, 0, 0)), Some(Vec::new()));
    }

    #[test]
    fn m07_a_table_that_points_outside_itself_is_refused() {
        let whole = table();
        for end in 1..whole.len() {
            let cut = whole.iter().take(end).copied().collect::<Vec<_>>();
            assert_eq!(of_table(&cut), None, "cut at {end}");
        }
        for (offset, length) in [(u32::MAX, 1), (0, u32::MAX), (24, 1), (25, 0)] {
            assert_eq!(of_table(&entry(CERTIFICATES[1], offset, length)), None, "{offset} {length}");
        }
        let many: Vec<u8> = (0..5).flat_map(|_| entry(CERTIFICATES[3], 0, 1)).collect();
        assert_eq!(of_table(&many), None);
    }
}
