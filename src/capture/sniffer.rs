//! What sniffers write before a frame of the LE link layer: four headers, one meaning.
use super::bytes::{le16, le32};
use super::linktype::Split;
use super::remark::Remark;
use super::{Direction, Kind};
use crate::packet::air::{ADVERTISING, Auxiliary, Phy, Physical, Radio};

/// Access address and what follows, with nothing before it.
const PLAIN: u16 = 251;
const WITH_PHDR: u16 = 256;
const NORDIC: u16 = 272;
const PPI: u16 = 192;

/// The field type of PPI that describes a packet of Bluetooth LE.
const PPI_BTLE: u16 = 30006;
/// The nRF Sniffer's messages that hold a packet, and how long the header is that they begin with.
const ADVERTISING_PACKET: u8 = 2;
const PACKET: u8 = 6;
const PACKET_HEADER: u8 = 10;
/// What precedes a frame of a PHDR capture.
const PHDR: usize = 10;

pub(crate) fn is_air(linktype: u16) -> bool {
    matches!(linktype, PLAIN | WITH_PHDR | NORDIC | PPI)
}

/// Whether a frame looks like one of its link type, for picking up after damage.
pub(crate) fn is_plausible(linktype: u16, frame: &[u8]) -> bool {
    // Access address, header, check sequence.
    const SHORTEST: usize = 4 + 2 + 3;
    match linktype {
        PLAIN => frame.len() >= SHORTEST,
        WITH_PHDR => frame.len() >= PHDR + SHORTEST && frame.first().is_some_and(|rf| *rf < 40),
        NORDIC => frame.len() >= 17 + SHORTEST && nordic(frame, true).is_some(),
        _ => frame.len() >= 8 + SHORTEST && frame.starts_with(&[0, 0]),
    }
}

/// The access address of a frame, and what its sniffer says of it.
pub(crate) fn split(linktype: u16, frame: &[u8], cut: bool) -> Split {
    let found = match linktype {
        PLAIN => Some(Sniffed { skip: 0, direction: None, radio: Radio::default() }),
        WITH_PHDR => phdr(frame),
        NORDIC => match nordic(frame, cut) {
            Some(Nordic::Packet(sniffed)) => Some(sniffed),
            Some(Nordic::Message(id)) => {
                return Split::opaque(Kind::Vendor(id), Some(Remark::UnknownTypes));
            }
            None => None,
        },
        _ => match ppi(frame) {
            Ok(sniffed) => sniffed,
            Err(()) => {
                return Split::opaque(Kind::Foreign(linktype), Some(Remark::ForeignFrames));
            }
        },
    };
    let Some(Sniffed { skip, direction, radio }) = found else {
        return Split::opaque(Kind::Empty, Some(Remark::ShortFrames));
    };
    Split { direction, skip, ..Split::opaque(Kind::Air(radio), None) }
}

struct Sniffed {
    skip: usize,
    direction: Option<Direction>,
    radio: Radio,
}

fn phdr(frame: &[u8]) -> Option<Sniffed> {
    let (head, _) = frame.split_first_chunk::<PHDR>()?;
    let flags = le16(head, 8);
    let bit = |at: u16| flags >> at & 1 == 1;
    let checked = |at: u16| bit(at).then(|| bit(at + 1));
    let (physical, direction) = match flags >> 7 & 7 {
        // Which auxiliary packet stands where others have their integrity check.
        1 => (Physical::Auxiliary(Some(auxiliary((flags >> 12 & 3) as u8))), None),
        2 => (Physical::Data, Some(Direction::Sent)),
        3 => (Physical::Data, Some(Direction::Received)),
        4 => (Physical::Isochronous, Some(Direction::Sent)),
        5 => (Physical::Isochronous, Some(Direction::Received)),
        6 => (Physical::Isochronous, None),
        _ => (Physical::Untold, None),
    };
    let radio = Radio {
        channel: Radio::channel_of_rf(head[0]),
        rssi: bit(1).then_some(i8::from_le_bytes([head[1]])),
        phy: Phy::of((flags >> 14) as u8),
        crc_ok: checked(10),
        mic_ok: if matches!(physical, Physical::Auxiliary(_)) { None } else { checked(12) },
        encrypted: bit(3),
        decrypted: bit(3),
        physical,
        ..Radio::default()
    };
    Some(Sniffed { skip: PHDR, direction, radio })
}

fn auxiliary(number: u8) -> Auxiliary {
    match number & 3 {
        0 => Auxiliary::Advertisement,
        1 => Auxiliary::Chain,
        2 => Auxiliary::Sync,
        _ => Auxiliary::ScanResponse,
    }
}

enum Nordic {
    Packet(Sniffed),
    /// What sniffer and program say to each other: the message's number.
    Message(u8),
}

/// The nRF Sniffer's header. Its version stands in it, but for the first, which begins with a marker.
fn nordic(frame: &[u8], cut: bool) -> Option<Nordic> {
    let (&[b0, b1, b2, b3, b4, b5, b6, b7], payload) = frame.split_first_chunk()?;
    let (version, counter, id, length) = if [b0, b1] == [0xbe, 0xef] {
        // Marker, message, counter, two unused, length; no length before the flags.
        (0, [b3, b4], b2, None)
    } else if b3 == 1 {
        (1, [b4, b5], b6, Some(1 + usize::from(b1) + usize::from(b2)))
    } else if matches!(b3, 2 | 3) {
        (b3, [b4, b5], b6, Some(7 + usize::from(u16::from_le_bytes([b1, b2]))))
    } else {
        return None;
    };
    // Bytes are lost between the sniffer and the program that writes: what is left means nothing.
    if length.is_some_and(|length| length != frame.len() && !cut) {
        return None;
    }
    let advertising = version == 3 && id == ADVERTISING_PACKET;
    let packet = id == PACKET || advertising;
    // Some programs leave out the number of the message.
    if !packet && (version == 0 || b7 != PACKET_HEADER || id != 0) {
        return Some(Nordic::Message(id));
    }
    const FLAGS_AT: usize = 8;
    let skip = FLAGS_AT + 9;
    let (&[flags, channel, rssi], rest) = payload.split_first_chunk()?;
    let (&[low, high], _) = rest.split_first_chunk()?;
    let bit = |at: u8| flags >> at & 1 == 1;
    let address = frame.get(skip..skip + 4).map(|bytes| le32(bytes, 0))?;
    let data = if version == 3 && packet { !advertising } else { address != ADVERTISING };
    let physical = if data {
        Physical::Data
    } else if channel < crate::packet::air::FIRST_PRIMARY {
        Physical::Auxiliary((version == 3).then(|| auxiliary(flags >> 1)))
    } else {
        Physical::Advertising
    };
    let mic_ok = (data && bit(2)).then(|| bit(3));
    let radio = Radio {
        channel: (channel < 40).then_some(channel),
        // The strength is written without its sign; a zero is none that was measured.
        rssi: (rssi > 0).then(|| i8::try_from(-i16::from(rssi)).unwrap_or(i8::MIN)),
        phy: Phy::of(flags >> 4 & 7),
        crc_ok: Some(bit(0)),
        mic_ok,
        encrypted: data && bit(2),
        decrypted: mic_ok == Some(true),
        physical,
        event_counter: data.then(|| u16::from_le_bytes([low, high])),
        packet_counter: Some(u16::from_le_bytes(counter)),
    };
    let direction = data.then(|| if bit(1) { Direction::Sent } else { Direction::Received });
    Some(Nordic::Packet(Sniffed { skip, direction, radio }))
}

/// PPI holds any link layer: an error where it is not this one.
fn ppi(frame: &[u8]) -> Result<Option<Sniffed>, ()> {
    let Some((head, _)) = frame.split_first_chunk::<8>() else { return Ok(None) };
    let length = usize::from(le16(head, 2));
    let Some(mut fields) = frame.get(8..length) else { return Ok(None) };
    while let Some((&[t0, t1, l0, l1], rest)) = fields.split_first_chunk() {
        let (kind, len) = (u16::from_le_bytes([t0, t1]), usize::from(u16::from_le_bytes([l0, l1])));
        let Some(field) = rest.get(..len) else { return Ok(None) };
        if kind == PPI_BTLE {
            let megahertz = field.get(1..3).map_or(0, |bytes| le16(bytes, 0));
            let steps = megahertz.checked_sub(2402).map(|above| above / 2);
            let rf = steps.and_then(|rf| u8::try_from(rf).ok());
            let radio = Radio {
                channel: rf.and_then(Radio::channel_of_rf),
                // Highest, lowest, average: the average, as a number of the receiver's own where it is positive.
                rssi: field.get(10).map(|byte| i8::from_le_bytes([*byte])).filter(|r| *r < 0),
                ..Radio::default()
            };
            return Ok(Some(Sniffed { skip: length, direction: None, radio }));
        }
        fields = rest.get(len..).unwrap_or_default();
    }
    Err(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn radio(linktype: u16, frame: &[u8]) -> (Radio, Option<Direction>, usize) {
        let split = split(linktype, frame, false);
        let Kind::Air(radio) = split.kind else { panic!("{:?}", split.kind) };
        (radio, split.direction, split.skip)
    }

    const EMPTY: [u8; 9] = [0x78, 0x56, 0x34, 0x12, 0x01, 0x00, 1, 2, 3];

    #[test]
    fn a_phdr_says_channel_strength_direction_and_checks() {
        // RF channel 12, -60 dBm; signal valid, peripheral to central, check sequence checked and wrong, 2M.
        let flags: u16 = 1 | 2 | 3 << 7 | 1 << 10 | 1 << 14;
        let mut frame = vec![12, 196, 0, 0, 0, 0, 0, 0];
        frame.extend(flags.to_le_bytes());
        frame.extend(EMPTY);
        let (radio, direction, skip) = radio(256, &frame);
        assert_eq!((radio.channel, radio.rssi), (Some(38), Some(-60)));
        assert_eq!((radio.crc_ok, radio.mic_ok), (Some(false), None));
        assert_eq!(radio.phy, Some(Phy::TwoMegabit));
        assert_eq!((direction, skip), (Some(Direction::Received), 10));
    }

    #[test]
    fn every_version_of_the_nordic_header_leads_to_the_access_address() {
        let flags = 0b0001_0011;
        let payload = [flags, 5, 60, 0x07, 0x01, 0, 0, 0, 0];
        let with = |head: &[u8]| [head, &payload, &EMPTY].concat();
        let heads: [&[u8]; 4] = [
            &[0xbe, 0xef, 6, 0x34, 0x12, 0, 0, 18],
            &[9, 6, 19, 1, 0x34, 0x12, 6, 10],
            &[9, 19, 0, 2, 0x34, 0x12, 6, 10],
            &[9, 19, 0, 3, 0x34, 0x12, 6, 10],
        ];
        for head in heads {
            let (radio, direction, skip) = radio(272, &with(head));
            assert_eq!(skip, 17, "{head:?}");
            assert_eq!(direction, Some(Direction::Sent));
            assert_eq!((radio.channel, radio.rssi), (Some(5), Some(-60)));
            assert_eq!((radio.event_counter, radio.packet_counter), (Some(0x107), Some(0x1234)));
            assert_eq!((radio.crc_ok, radio.phy), (Some(true), Some(Phy::TwoMegabit)));
        }
        let kind = |head: &[u8], cut| split(272, &with(head), cut).kind;
        assert_eq!(kind(&[9, 19, 0, 4, 0x34, 0x12, 6, 10], false), Kind::Empty);
        assert_eq!(kind(&[9, 19, 0, 3, 0x34, 0x12, 5, 10], false), Kind::Vendor(5));
        // A length that does not fit: bytes were lost, unless the file says that it keeps a part only.
        assert_eq!(kind(&[9, 20, 0, 3, 0x34, 0x12, 6, 10], false), Kind::Empty);
        assert!(matches!(kind(&[9, 20, 0, 3, 0x34, 0x12, 6, 10], true), Kind::Air(_)));
        // Without a message's number the access address tells what it is.
        assert!(matches!(kind(&[9, 19, 0, 2, 0x34, 0x12, 0, 10], false), Kind::Air(_)));
    }

    #[test]
    fn ppi_is_read_where_it_holds_bluetooth_le() {
        let field = [0, 0x6a, 0x09, 0, 0, 0, 0, 0, 0xe8, 0xdc, 0xc0, 4];
        let frame = |kind: u16| {
            let mut frame = vec![0, 0, 24, 0, 147, 0, 0, 0];
            frame.extend(kind.to_le_bytes());
            frame.extend([12, 0]);
            frame.extend(field);
            frame.extend(EMPTY);
            frame
        };
        let (radio, _, skip) = radio(192, &frame(PPI_BTLE));
        // 2410 MHz.
        assert_eq!((radio.channel, radio.rssi, skip), (Some(3), Some(-64), 24));
        assert_eq!(split(192, &frame(2), false).kind, Kind::Foreign(192));
        assert_eq!(split(192, &frame(PPI_BTLE)[..20], false).kind, Kind::Empty);
    }

    #[test]
    fn any_beginning_of_a_frame_is_split() {
        for linktype in [192, 251, 256, 272] {
            for len in 0..40 {
                for byte in [0, 1, 3, 6, 0xbe, 0xff] {
                    let _ = split(linktype, &vec![byte; len], len % 2 == 0);
                }
            }
        }
    }
}
