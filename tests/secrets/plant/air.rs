//! The same packets as a sniffer hears them.
use super::{Story, address};
use hcidiff::capture::Kind;
use hcidiff::packet::Direction;
use hcidiff::packet::air::crc;

const ACCESS_ADDRESS: u32 = 0x5065_3a12;
const CRC_INIT: u32 = 0x12_3456;
/// The longest payload of a data PDU.
const LONGEST: usize = 251;

/// A pcap of link type 251: an advertisement, a connect request, the story's data, and the start of an encryption.
pub fn pcap(story: &Story, encryption: &[Vec<u8>]) -> Vec<u8> {
    let mut air = Air { bytes: Vec::new(), at: 1_757_000_000_000_000, sn: [0; 2] };
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 0xffff, 251] {
        air.bytes.extend(word.to_le_bytes());
    }
    let advertised = [&address()[..], &[2, 1, 6]].concat();
    air.frame(0x8e89_bed6, crc::ADVERTISING, &[0x40, 9], &advertised);
    air.at += 300;
    let mut request = [&[2, 0, 0, 0, 0, 0xd0][..], &address()].concat();
    request.extend(ACCESS_ADDRESS.to_le_bytes());
    request.extend(&CRC_INIT.to_le_bytes()[..3]);
    request.extend([2, 3, 0, 24, 0, 0, 0, 72, 0, 0xff, 0xff, 0xff, 0xff, 0x1f, 0xa9]);
    air.frame(0x8e89_bed6, crc::ADVERTISING, &[0xc5, 34], &request);
    for (kind, direction, bytes, _) in &story.records {
        if *kind == Kind::Acl {
            let first = if bytes[1] & 0x30 == 0x10 { 1 } else { 2 };
            for (at, piece) in bytes[4..].chunks(LONGEST).enumerate() {
                air.data(*direction, if at == 0 { first } else { 1 }, piece);
            }
        }
    }
    let [rand, skd_c, skd_p] = encryption else { panic!("three values") };
    let request = [&[3][..], rand, &[0, 0], skd_c, &[1, 2, 3, 4]].concat();
    air.data(Some(Direction::Sent), 3, &request);
    air.data(Some(Direction::Received), 3, &[&[4][..], skd_p, &[5, 6, 7, 8]].concat());
    air.bytes
}

struct Air {
    bytes: Vec<u8>,
    at: u64,
    sn: [u8; 2],
}

impl Air {
    fn data(&mut self, direction: Option<Direction>, llid: u8, payload: &[u8]) {
        // The sender is told by its place in the connection event: the central begins it.
        self.at += 30_000;
        if direction == Some(Direction::Received) {
            self.push(0, 1, &[]);
            self.at += 80 + 150;
            self.push(1, llid, payload);
        } else {
            self.push(0, llid, payload);
        }
    }

    fn push(&mut self, side: usize, llid: u8, payload: &[u8]) {
        let first = llid | self.sn[side] << 3;
        self.sn[side] ^= 1;
        self.frame(ACCESS_ADDRESS, CRC_INIT, &[first, payload.len() as u8], payload);
    }

    fn frame(&mut self, access_address: u32, init: u32, header: &[u8], payload: &[u8]) {
        let pdu = [header, payload].concat();
        let check = crc::of(init, &pdu).to_le_bytes();
        let frame = [&access_address.to_le_bytes()[..], &pdu, &check[..3]].concat();
        let (seconds, micros) = (self.at / 1_000_000, self.at % 1_000_000);
        let length = frame.len() as u32;
        for word in [seconds as u32, micros as u32, length, length] {
            self.bytes.extend(word.to_le_bytes());
        }
        self.bytes.extend(frame);
    }
}
