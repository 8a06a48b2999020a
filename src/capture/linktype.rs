//! Link types of pcap and pcapng: where in a frame the HCI packet stands.
use super::bytes::{Endian, be16, be32};
use super::chain::Link;
use super::direction::Inference;
use super::remark::Remark;
use super::{
    CaptureError, Direction, Kind, LONGEST, Payload, Record, Timestamp, WriteError, h4, monitor,
    sniffer, usb,
};

pub(crate) const H4: u16 = 187;
pub(crate) const H4_WITH_DIRECTION: u16 = 201;
pub(crate) const LINUX_MONITOR: u16 = 254;
/// BR/EDR on the air, which is not read.
const BREDR_BASEBAND: u16 = 255;

pub(crate) fn name(linktype: u16) -> String {
    let name = match linktype {
        1 => "Ethernet",
        101 | 228 | 229 => "IP",
        105 | 127 => "Wi-Fi",
        113 | 276 => "Linux cooked packets",
        187 => "Bluetooth HCI H4",
        189 | 220 => "Linux USB",
        192 => "PPI, a sniffer's header",
        195 | 215 | 230 | 283 => "IEEE 802.15.4",
        201 => "Bluetooth HCI H4 with direction",
        249 => "USBPcap",
        251 => "Bluetooth LE link layer",
        254 => "Bluetooth Linux monitor",
        255 => "Bluetooth BR/EDR baseband",
        256 => "Bluetooth LE link layer with radio data",
        272 => "nRF Sniffer",
        other => return format!("link type {other}"),
    };
    format!("{name} (link type {linktype})")
}

/// What stands before a record's packet in a frame of this link type, for writing.
pub(crate) fn header(linktype: u16, record: &Record<'_>) -> Result<([u8; 5], usize), WriteError> {
    let mut header = [0; 5];
    if linktype == LINUX_MONITOR {
        let opcode = monitor::opcode(record.kind, record.direction)
            .ok_or(WriteError::Unfit("the Linux monitor has no opcode for this record"))?;
        header[..2].copy_from_slice(&record.adapter.unwrap_or(0xffff).to_be_bytes());
        header[2..4].copy_from_slice(&opcode.to_be_bytes());
        return Ok((header, 4));
    }
    let byte =
        h4::byte(record.kind).ok_or(WriteError::Unfit("link type 201 holds HCI packets only"))?;
    let direction = h4::direction(record.kind)
        .or(record.direction)
        .ok_or(WriteError::Unfit("link type 201 needs to know a packet's direction"))?;
    header[3] = u8::from(direction == Direction::Received);
    header[4] = byte;
    Ok((header, 5))
}

/// Whether frames of this link type can hold HCI.
pub(crate) fn is_hci(linktype: u16) -> bool {
    matches!(linktype, H4 | H4_WITH_DIRECTION | LINUX_MONITOR) || usb::is_usb(linktype)
}

/// Whether frames of this link type are read: HCI, or the LE link layer.
pub(crate) fn is_read(linktype: u16) -> bool {
    is_hci(linktype) || sniffer::is_air(linktype)
}

/// Why a capture of these link types alone cannot be read.
pub(crate) fn refusal(linktypes: &[u16]) -> CaptureError {
    let names: Vec<_> = linktypes.iter().take(4).map(|&linktype| name(linktype)).collect();
    let names = names.join(", ");
    CaptureError::Refused(if linktypes.contains(&BREDR_BASEBAND) {
        format!(
            "an over-the-air capture of BR/EDR ({names}): of what is on the air only Bluetooth LE is read (link types 192, 251, 256 and 272); capture HCI on the host, with btmon -w, Android's Bluetooth HCI snoop log or PacketLogger"
        )
    } else {
        format!(
            "a network capture without Bluetooth HCI ({names}): capture an interface such as bluetooth0"
        )
    })
}

/// Where the HCI packet of a frame is, and what the frame says about it.
pub(crate) struct Split {
    pub kind: Kind,
    pub direction: Option<Direction>,
    /// The adapter within the interface.
    pub adapter: Option<u16>,
    /// Bytes of the frame before the packet.
    pub skip: usize,
    /// The packet ends a series of frames: the splitter has all of it.
    pub joined: bool,
    pub remark: Option<Remark>,
}

impl Split {
    pub fn opaque(kind: Kind, remark: Option<Remark>) -> Self {
        Self { kind, direction: None, adapter: None, skip: 0, joined: false, remark }
    }
}

/// What a container says of a frame besides its bytes.
pub(crate) struct Stamp {
    pub frame: u32,
    pub offset: u64,
    pub time: Option<Timestamp>,
}

impl Split {
    /// The record of a split frame, whose length on the wire was `original`.
    pub fn record<'a>(
        self,
        splitter: &'a Splitter,
        frame: &'a [u8],
        original: u32,
        stamp: Stamp,
    ) -> Record<'a> {
        let (bytes, original_len) = if self.joined {
            let bytes = splitter.usb.joined();
            (bytes, u32::try_from(bytes.len()).unwrap_or(u32::MAX))
        } else {
            let bytes = frame.get(self.skip..).unwrap_or_default();
            let skipped = u32::try_from(self.skip).unwrap_or(u32::MAX);
            let kept = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            (bytes, original.saturating_sub(skipped).max(kept))
        };
        Record {
            frame: stamp.frame,
            offset: stamp.offset,
            time: stamp.time,
            adapter: self.adapter,
            direction: self.direction,
            kind: self.kind,
            payload: Payload::Bytes(bytes),
            original_len,
            comment: None,
        }
    }
}

/// Splits frames; remembers what a frame alone does not tell.
#[derive(Default)]
pub(crate) struct Splitter {
    usb: usb::Devices,
    acl: Inference,
}

impl Splitter {
    /// `told` is the direction that the container stores beside the frame.
    pub fn split(
        &mut self,
        linktype: u16,
        endian: Endian,
        frame: &[u8],
        cut: bool,
        told: Option<Direction>,
    ) -> Split {
        match linktype {
            H4 => self.h4(frame, 0, told),
            H4_WITH_DIRECTION => {
                if frame.len() < 4 {
                    return Split::opaque(Kind::Empty, Some(Remark::ShortFrames));
                }
                let received = be32(frame, 0) & 1 == 1;
                let told = if received { Direction::Received } else { Direction::Sent };
                self.h4(frame, 4, Some(told))
            }
            LINUX_MONITOR => {
                if frame.len() < 4 {
                    return Split::opaque(Kind::Empty, Some(Remark::ShortFrames));
                }
                let (kind, direction) = monitor::kind(be16(frame, 2));
                let adapter = monitor::adapter(be16(frame, 0));
                Split { kind, direction, adapter, skip: 4, joined: false, remark: None }
            }
            linktype if sniffer::is_air(linktype) => sniffer::split(linktype, frame, cut),
            linktype if usb::is_usb(linktype) => self.usb.split(linktype, endian, frame, cut),
            other => Split::opaque(Kind::Foreign(other), Some(Remark::ForeignFrames)),
        }
    }

    fn h4(&mut self, frame: &[u8], header: usize, told: Option<Direction>) -> Split {
        let Some(&byte) = frame.get(header) else {
            let mut split = Split::opaque(Kind::Empty, Some(Remark::EmptyRecords));
            split.skip = header;
            split.direction = told;
            return split;
        };
        let kind = h4::kind(byte);
        let packet = frame.get(header + 1..).unwrap_or_default();
        let mut remark = matches!(kind, Kind::Vendor(_)).then_some(Remark::UnknownTypes);
        let direction = match (h4::direction(kind), told) {
            (Some(ruled), told) => {
                if told.is_some_and(|told| told != ruled) {
                    remark = Some(Remark::DirectionContradicts);
                }
                Some(ruled)
            }
            (None, Some(told)) => Some(told),
            (None, None) => self.acl.direction(kind, packet),
        };
        if told.is_none() {
            self.acl.learn(kind, packet);
            if kind == Kind::Acl {
                remark = remark.or(Some(Remark::DirectionInferred));
            }
        }
        Split { kind, direction, adapter: None, skip: header + 1, joined: false, remark }
    }

    /// Whether frames that may hold HCI did: a USB capture may be of a keyboard.
    pub fn found_hci(&self, linktype: u16) -> bool {
        !usb::is_usb(linktype) || self.usb.found_hci()
    }
}

/// Whether a frame looks like one of its link type, for picking up after damage.
pub(crate) fn is_plausible(linktype: u16, frame: &[u8]) -> bool {
    let typed = |at: usize| frame.get(at).is_some_and(|byte| (1..=5).contains(byte));
    match linktype {
        H4 => typed(0),
        H4_WITH_DIRECTION => frame.len() > 4 && be32(frame, 0) <= 1 && typed(4),
        LINUX_MONITOR => frame.len() >= 4 && be16(frame, 2) <= monitor::LAST,
        _ if sniffer::is_air(linktype) => sniffer::is_plausible(linktype, frame),
        _ => frame.len() >= 24,
    }
}

/// A pcap-style record header as far as it can be judged without its frame.
pub(crate) fn plausible_record(header: usize, seconds: u32, kept: u32, original: u32) -> Link {
    // 2000 to 2100.
    let time_fits = (946_684_800..4_102_444_800).contains(&seconds);
    let clean = time_fits && kept > 0 && original >= kept && original <= LONGEST;
    if clean && kept <= 0xffff {
        Link::Record { len: header + kept as usize, clean }
    } else {
        Link::No
    }
}
