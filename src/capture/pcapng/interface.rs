//! Interfaces of a pcapng file: their clocks, and which adapter each one is.

/// What a section says of one interface.
pub(crate) struct Interface {
    pub linktype: u16,
    /// 0: packets are kept whole.
    pub snap_len: u32,
    /// Ticks in a second: 10 to this power, or 2 to its low seven bits if the highest is set.
    pub resolution: u8,
    pub offset_s: i64,
    /// The adapter that the interface's name tells.
    pub adapter: Option<u16>,
}

impl Interface {
    /// hciN of a name such as `hci1` or libpcap's `bluetooth1`.
    pub fn adapter_of(name: &str) -> Option<u16> {
        let number = name.strip_prefix("hci").or_else(|| name.strip_prefix("bluetooth"))?;
        number.parse().ok().filter(|&number| number < 0xffff)
    }

    fn per_second(&self) -> Option<u128> {
        let power = u32::from(self.resolution & 0x7f);
        if self.resolution & 0x80 != 0 {
            1u128.checked_shl(power)
        } else {
            10u128.checked_pow(power)
        }
    }

    /// Microseconds from 1970, cut off below.
    pub fn since_1970(&self, ticks: u64) -> Option<i64> {
        let micros = u128::from(ticks).checked_mul(1_000_000)?.checked_div(self.per_second()?)?;
        i64::try_from(micros).ok()?.checked_add(self.offset_s.checked_mul(1_000_000)?)
    }

    /// The smallest step of the clock, rounded up.
    pub fn resolution_us(&self) -> u32 {
        let per_second = self.per_second().unwrap_or(u128::MAX).max(1);
        u32::try_from(1_000_000u128.div_ceil(per_second)).unwrap_or(u32::MAX)
    }
}

/// A stream of one adapter: section, interface, adapter within the interface.
type Stream = (u32, u32, Option<u16>);

/// Numbers for adapters, so that streams of different interfaces never mix.
#[derive(Default)]
pub(crate) struct Adapters {
    known: Vec<(Stream, Option<u16>)>,
}

/// Streams told apart; more share their own number.
const MANY: usize = 1024;

impl Adapters {
    /// The number of a stream: what its packets or its interface's name say, if that
    /// is still free; none for the first stream that says nothing; else the next free one.
    pub fn number(&mut self, stream: Stream, named: Option<u16>) -> Option<u16> {
        // Records of one stream come in rows.
        if let Some((last, number)) = self.known.last()
            && *last == stream
        {
            return *number;
        }
        if let Some((_, number)) = self.known.iter().find(|(known, _)| *known == stream) {
            return *number;
        }
        let (section, interface, within) = stream;
        let wanted = within.or(named);
        if self.known.len() >= MANY {
            return wanted;
        }
        // A monitor record without an adapter belongs to none in every stream.
        let same_source = |known: &Stream| known.0 == section && known.1 == interface;
        let number = if within.is_none()
            && named.is_none()
            && self.known.iter().any(|(known, _)| same_source(known))
        {
            None
        } else if self.known.iter().any(|(_, number)| *number == wanted) {
            let taken = |candidate| self.known.iter().any(|(_, number)| *number == Some(candidate));
            (0..u16::MAX).find(|&candidate| !taken(candidate))
        } else {
            wanted
        };
        self.known.push((stream, number));
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(resolution: u8, offset_s: i64) -> Interface {
        Interface { linktype: 201, snap_len: 0, resolution, offset_s, adapter: None }
    }

    #[test]
    fn clocks_of_any_resolution_give_microseconds() {
        let time = |resolution, ticks| interface(resolution, 0).since_1970(ticks);
        assert_eq!(time(6, 1_700_000_000_012_345), Some(1_700_000_000_012_345));
        assert_eq!(time(9, 1_700_000_000_012_345_678), Some(1_700_000_000_012_345));
        // As tshark shows them: 2^-10 s ticks read 1700000000.012345 back as .011718.
        assert_eq!(time(0x8a, 1_700_000_000 * 1024 + 12), Some(1_700_000_000_011_718));
        assert_eq!(interface(6, 1000).since_1970(5), Some(1_000_000_005));
        assert_eq!(time(0xff, u64::MAX), Some(0));
        assert_eq!(time(127, 1), None);
        assert_eq!((interface(6, 0).resolution_us(), interface(0x8a, 0).resolution_us()), (1, 977));
    }

    #[test]
    fn streams_never_share_a_number() {
        let mut adapters = Adapters::default();
        assert_eq!(adapters.number((1, 0, None), None), None);
        assert_eq!(adapters.number((1, 1, None), None), Some(0));
        assert_eq!(adapters.number((1, 2, Some(0)), None), Some(1));
        assert_eq!(adapters.number((1, 2, Some(3)), None), Some(3));
        assert_eq!(adapters.number((2, 0, None), Some(7)), Some(7));
        assert_eq!(adapters.number((1, 1, None), None), Some(0));
    }
}
