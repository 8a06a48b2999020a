//! On which channel a connection event is: both channel selection algorithms (Core, Vol 6, Part B, 4.5.8).

/// Channels of data.
pub const CHANNELS: u8 = 37;

/// Which of the two algorithms a link uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Channel selection algorithm #1: every event is one hop further.
    One,
    /// Channel selection algorithm #2: the event's number and the access address decide.
    Two,
}

/// What decides over a link's channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hopping {
    /// The link's access address.
    pub access_address: u32,
    /// How many channels algorithm #1 goes on at each event.
    pub hop: u8,
    /// Bit 0 of the first byte is channel 0.
    pub map: [u8; 5],
}

/// Whether a map has this channel.
pub fn has(map: &[u8; 5], channel: u8) -> bool {
    map.get(usize::from(channel / 8)).is_some_and(|byte| byte >> (channel % 8) & 1 == 1)
}

impl Hopping {
    fn used(&self) -> Vec<u8> {
        (0..CHANNELS).filter(|channel| has(&self.map, *channel)).collect()
    }

    /// The channel of a connection event, counted from 0; `None` where the map is empty.
    pub fn channel(&self, algorithm: Algorithm, event: u32) -> Option<u8> {
        match algorithm {
            Algorithm::One => self.one(event),
            Algorithm::Two => self.two(event),
        }
    }

    fn one(&self, event: u32) -> Option<u8> {
        let turns = (u64::from(event) + 1) * u64::from(self.hop);
        let unmapped = (turns % u64::from(CHANNELS)) as u8;
        self.mapped(unmapped, |used| usize::from(unmapped) % used)
    }

    fn two(&self, event: u32) -> Option<u8> {
        let identifier = (self.access_address >> 16) as u16 ^ self.access_address as u16;
        let counter = event as u16;
        let mixed = (0..3).fold(counter ^ identifier, |number, _| {
            permuted(number).wrapping_mul(17).wrapping_add(identifier)
        });
        let random = mixed ^ identifier;
        let unmapped = (random % u16::from(CHANNELS)) as u8;
        self.mapped(unmapped, |used| (used * usize::from(random)) >> 16)
    }

    fn mapped(&self, unmapped: u8, remap: impl Fn(usize) -> usize) -> Option<u8> {
        if has(&self.map, unmapped) {
            return Some(unmapped);
        }
        let used = self.used();
        used.get(remap(used.len().max(1))).copied()
    }

    /// Which algorithm these channels of events follow, if they follow one of them only.
    pub fn followed(&self, hops: &[(u32, u8)]) -> Option<Algorithm> {
        let follows = |algorithm| {
            hops.iter().all(|(event, channel)| self.channel(algorithm, *event) == Some(*channel))
        };
        match (follows(Algorithm::One), follows(Algorithm::Two)) {
            (true, false) => Some(Algorithm::One),
            (false, true) => Some(Algorithm::Two),
            _ => None,
        }
    }
}

/// The bits of each byte turned round.
fn permuted(number: u16) -> u16 {
    let [low, high] = number.to_le_bytes();
    u16::from_le_bytes([low.reverse_bits(), high.reverse_bits()])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Core, Vol 6, Part C, 3.1 and 3.2: the sample data of algorithm #2.
    #[test]
    fn algorithm_two_gives_the_sample_data() {
        let all =
            Hopping { access_address: 0x8e89_bed6, hop: 0, map: [0xff, 0xff, 0xff, 0xff, 0x1f] };
        let channels: Vec<_> = (0..4).filter_map(|n| all.channel(Algorithm::Two, n)).collect();
        assert_eq!(channels, [25, 20, 6, 21]);
        // Channels 9, 10, 21, 22, 23, 33, 34, 35, 36.
        let nine = Hopping { map: [0x00, 0x06, 0xe0, 0x00, 0x1e], ..all };
        let channels: Vec<_> = (6..9).filter_map(|n| nine.channel(Algorithm::Two, n)).collect();
        assert_eq!(channels, [23, 9, 34]);
    }

    #[test]
    fn algorithm_one_adds_the_hop_each_time() {
        let all = Hopping { access_address: 1, hop: 7, map: [0xff, 0xff, 0xff, 0xff, 0x1f] };
        let channels: Vec<_> = (0..6).filter_map(|n| all.channel(Algorithm::One, n)).collect();
        assert_eq!(channels, [7, 14, 21, 28, 35, 5]);
        // An unused channel becomes the one at its place among the used ones.
        let few = Hopping { map: [0x0f, 0, 0, 0, 0], ..all };
        assert_eq!(few.channel(Algorithm::One, 0), Some(3));
        assert_eq!(Hopping { map: [0; 5], ..all }.channel(Algorithm::One, 0), None);
    }

    #[test]
    fn hops_tell_the_algorithm() {
        let hopping =
            Hopping { access_address: 0x5065_3a12, hop: 9, map: [0xff, 0xff, 0xff, 0xff, 0x1f] };
        for algorithm in [Algorithm::One, Algorithm::Two] {
            let hop = |n| hopping.channel(algorithm, n).map(|channel| (n, channel));
            let hops: Vec<_> = [0, 1, 3, 4, 8].into_iter().filter_map(hop).collect();
            assert_eq!(hopping.followed(&hops), Some(algorithm));
        }
        assert_eq!(hopping.followed(&[]), None, "nothing tells nothing");
    }
}
