//! HCI over USB: which transfers are commands, events and data (Core, Vol 4, Part B, 2).
use super::bytes::{Endian, le16, le32};
use super::linktype::Split;
use super::remark::Remark;
use super::{Direction, Kind, h4};

const USBMON: u16 = 189;
const USBMON_MMAPPED: u16 = 220;
const USBPCAP: u16 = 249;

/// Devices looked at; a bus has at most 127.
const MANY: usize = 128;
/// Adapters told apart.
const FEW: u16 = 16;

pub(crate) fn is_usb(linktype: u16) -> bool {
    matches!(linktype, USBMON | USBMON_MMAPPED | USBPCAP)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transfer {
    Isochronous,
    Interrupt,
    Control,
    Bulk,
}

/// A transfer that carries data, or the setup of one.
struct Urb<'a> {
    /// Bus and device number.
    device: (u16, u16),
    transfer: Transfer,
    /// From the device to the host.
    inward: bool,
    /// The eight bytes that begin a control transfer.
    setup: Option<[u8; 8]>,
    header: usize,
    data: &'a [u8],
}

/// What is known of the devices on the captured buses.
#[derive(Default)]
pub(crate) struct Devices {
    devices: Vec<Device>,
    adapters: u16,
    joined: Vec<u8>,
}

struct Device {
    address: (u16, u16),
    /// The number of this adapter, once the device has shown to be one.
    adapter: Option<u16>,
    /// A class request whose data comes in a transfer of its own (USBPcap).
    command_follows: bool,
    /// Parts of a packet that several transfers carry: event, data in, data out.
    parts: [Vec<u8>; 3],
}

impl Devices {
    pub fn found_hci(&self) -> bool {
        self.adapters > 0
    }

    pub fn joined(&self) -> &[u8] {
        &self.joined
    }

    pub fn split(&mut self, linktype: u16, endian: Endian, frame: &[u8], cut: bool) -> Split {
        let foreign = Split::opaque(Kind::Foreign(linktype), None);
        let urb = match linktype {
            USBPCAP => usbpcap(frame),
            _ => usbmon(frame, if linktype == USBMON { 48 } else { 64 }, endian),
        };
        let Some(urb) = urb else {
            return Split { remark: Some(Remark::ShortFrames), ..foreign };
        };
        let known = self.devices.iter().position(|device| device.address == urb.device);
        if known.is_none() && self.devices.len() >= MANY {
            return foreign;
        }
        let at = known.unwrap_or_else(|| {
            self.devices.push(Device::new(urb.device));
            self.devices.len() - 1
        });
        let Some(device) = self.devices.get_mut(at) else { return foreign };
        let Some((kind, direction)) = device.kind(&urb) else { return foreign };
        if device.adapter.is_none() {
            // Other devices interrupt and send in bulk too: a keyboard is no adapter.
            if self.adapters >= FEW || !is_proof(kind, urb.data) {
                return foreign;
            }
            device.adapter = Some(self.adapters);
            self.adapters = self.adapters.saturating_add(1);
        }
        let adapter = device.adapter;
        let split = Split {
            kind,
            direction: Some(direction),
            adapter,
            skip: urb.header,
            joined: false,
            remark: None,
        };
        let Some(parts) = device.parts(kind, direction) else { return split };
        if parts.is_empty() && (cut || is_whole(kind, urb.data)) {
            return split;
        }
        parts.extend_from_slice(urb.data);
        if cut || is_whole(kind, parts) {
            self.joined = std::mem::take(parts);
            return Split { joined: true, ..split };
        }
        Split { direction: Some(direction), adapter, skip: urb.header, ..foreign }
    }
}

impl Device {
    fn new(address: (u16, u16)) -> Self {
        Self { address, adapter: None, command_follows: false, parts: Default::default() }
    }

    /// What a transfer carries, if it is one of those that carry HCI.
    fn kind(&mut self, urb: &Urb<'_>) -> Option<(Kind, Direction)> {
        use Direction::{Received, Sent};
        match (urb.transfer, urb.inward) {
            (Transfer::Control, false) => {
                let follows = std::mem::take(&mut self.command_follows);
                // Request type "class, to the device", or what old Windows stacks use: request 0xE0.
                let class = match urb.setup {
                    Some(setup) => {
                        setup.starts_with(&[0x20, 0]) || setup.starts_with(&[0x20, 0xe0])
                    }
                    None => follows,
                };
                if class && urb.data.is_empty() {
                    self.command_follows = true;
                }
                (class && !urb.data.is_empty()).then_some((Kind::Command, Sent))
            }
            _ if urb.data.is_empty() => None,
            (Transfer::Interrupt, true) => Some((Kind::Event, Received)),
            (Transfer::Bulk, true) => Some((Kind::Acl, Received)),
            (Transfer::Bulk, false) => Some((Kind::Acl, Sent)),
            _ => None,
        }
    }

    fn parts(&mut self, kind: Kind, direction: Direction) -> Option<&mut Vec<u8>> {
        let [event, received, sent] = &mut self.parts;
        match (kind, direction) {
            (Kind::Event, _) => Some(event),
            (Kind::Acl, Direction::Received) => Some(received),
            (Kind::Acl, Direction::Sent) => Some(sent),
            _ => None,
        }
    }
}

/// Whether all the bytes that the packet's own length wants are there.
fn is_whole(kind: Kind, packet: &[u8]) -> bool {
    match kind {
        Kind::Event => packet.get(1).is_some_and(|&len| packet.len() >= 2 + usize::from(len)),
        _ => packet.len() >= 4 && packet.len() >= 4 + usize::from(le16(packet, 2)),
    }
}

/// Whether a packet alone proves that its device speaks HCI.
fn is_proof(kind: Kind, packet: &[u8]) -> bool {
    match (kind, packet) {
        (Kind::Command, _) => h4::fits(kind, packet),
        // Command Complete, Command Status, Number Of Completed Packets, LE Meta.
        (Kind::Event, [0x0e, 4..=255, ..] | [0x0f, 4, ..] | [0x3e, 9..=255, 1..=0x3f, ..]) => {
            h4::fits(kind, packet)
        }
        (Kind::Event, [0x13, len, count, ..]) => {
            h4::fits(kind, packet) && usize::from(*len) == 1 + 4 * usize::from(*count)
        }
        _ => false,
    }
}

/// Linux usbmon: a header of 48 or 64 bytes in the byte order of the capturing machine.
fn usbmon(frame: &[u8], size: usize, endian: Endian) -> Option<Urb<'_>> {
    let header = frame.get(..size)?;
    let data = frame.get(size..)?;
    let &[event, transfer, endpoint, device, ..] = header.get(8..)? else { return None };
    let setup = header.get(40..).and_then(|rest| rest.first_chunk()).copied();
    let transfer = match transfer {
        0 => Transfer::Isochronous,
        1 => Transfer::Interrupt,
        2 => Transfer::Control,
        _ => Transfer::Bulk,
    };
    let inward = endpoint & 0x80 != 0;
    // Data goes out with the submission and comes in with the completion.
    let carries = (event == b'S') != inward;
    Some(Urb {
        device: (endian.u16(header, 12), device.into()),
        transfer,
        inward,
        setup: if event == b'S' && header.get(14) == Some(&0) { setup } else { None },
        header: size,
        data: if carries { data } else { &[] },
    })
}

/// Windows USBPcap: a header that states its own length, always little-endian.
fn usbpcap(frame: &[u8]) -> Option<Urb<'_>> {
    let size = usize::from(le16(frame, 0));
    if size < 27 {
        return None;
    }
    let header = frame.get(..size)?;
    let &[info, ..] = header.get(16..)? else { return None };
    let &[endpoint, transfer, ..] = header.get(21..)? else { return None };
    let transfer = match transfer {
        0 => Transfer::Isochronous,
        1 => Transfer::Interrupt,
        2 => Transfer::Control,
        3 => Transfer::Bulk,
        _ => return None,
    };
    let mut data = frame.get(size..)?;
    let said = le32(header, 23) as usize;
    data = data.get(..said).unwrap_or(data);
    let mut skip = size;
    let mut setup = None;
    let completes = info & 1 == 1;
    let inward = endpoint & 0x80 != 0;
    if transfer == Transfer::Control && header.get(27) == Some(&0) {
        setup = data.first_chunk().copied();
        data = data.get(8..).unwrap_or_default();
        skip += 8;
    }
    Some(Urb {
        device: (le16(header, 17), le16(header, 19)),
        transfer,
        inward,
        setup,
        header: skip,
        data: if completes == inward { data } else { &[] },
    })
}
