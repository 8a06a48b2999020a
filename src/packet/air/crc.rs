//! The check sequence of a frame (Core, Vol 6, Part B, 3.1.1).

/// What the register of an advertising packet begins with.
pub const ADVERTISING: u32 = 0x55_5555;

/// x^24 + x^10 + x^9 + x^6 + x^4 + x^3 + x + 1, with the lowest power first.
const POLYNOMIAL: u32 = 0xda_6000;

/// The check sequence over header and payload, as its three bytes stand in a frame, least significant byte first.
pub fn of(init: u32, pdu: &[u8]) -> u32 {
    // The register's lowest bit is sent last, so the register is kept in reversed order.
    let mut register = init.reverse_bits() >> 8;
    for byte in pdu {
        let mut bits = *byte;
        for _ in 0..8 {
            let feedback = (register ^ u32::from(bits)) & 1;
            bits >>= 1;
            register >>= 1;
            if feedback == 1 {
                register ^= POLYNOMIAL;
            }
        }
    }
    register
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame that tshark takes for whole.
    #[test]
    fn the_sequence_is_the_one_that_tshark_expects() {
        let pdu = [0x40, 0x09, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0x02, 0x01, 0x06];
        let sequence = of(ADVERTISING, &pdu).to_le_bytes();
        assert_eq!(sequence, [0x80, 0xa5, 0x51, 0]);
        // One bit more, and the sequence is another.
        let mut other = pdu;
        other[10] ^= 1;
        assert_ne!(of(ADVERTISING, &other).to_le_bytes(), sequence);
    }
}
