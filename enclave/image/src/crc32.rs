//! CRC-32 (ISO 3309, reflected polynomial 0xEDB88320), as the image's header carries it. It finds damage, not tampering.

/// The checksum of all parts, one behind the other.
pub fn of<'b>(parts: impl IntoIterator<Item = &'b [u8]>) -> u32 {
    let bytes = parts.into_iter().flatten();
    !bytes.fold(!0, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_algorithm_comes_out() {
        assert_eq!(of([b"1234".as_slice(), b"56789"]), 0xcbf4_3926);
        assert_eq!(of([]), 0);
    }
}
