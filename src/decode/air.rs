//! Frames on the air become events: which link, which side, repeated or new, encrypted or not.
//!
//! A link on the air has no handle. It gets one here, of our own counting, so that frames and channels are put
//! together by the same means as in HCI.
use super::acl;
use super::adapter::Adapter;
use super::channels::Channels;
use crate::packet::air::{self, ADVERTISING, Advertising, Air, Control, Header, Pdu, Physical};
use crate::packet::air::{Auxiliary, FIRST_PRIMARY, Radio, crc};
use crate::packet::{ConnHandle, Direction, Event, Layer, LinkId, Packet, Problem};
use crate::time::{Moment, Span};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Links and trains that are remembered at once; one more forgets the one unseen for longest.
const MOST: usize = 64;
/// Our own handles: below those under which chips log.
const HANDLES: std::ops::Range<u16> = 1..0x0e00;
/// The answer in a connection event begins 150 us after the packet before it; sniffers' clocks are worse than radios'.
const ANSWERS_WITHIN: Span = Span(400);
/// The longest frame that is believed of bytes that may be encrypted: the longest ATT packet.
const LONGEST_ATT: usize = 517;
/// An encrypted PDU is longer by its integrity check.
const MIC: usize = 4;

/// What decoding remembers of the air.
#[derive(Debug, Default)]
pub struct Receiver {
    links: Vec<Link>,
    /// Access addresses of periodic advertising.
    trains: Vec<u32>,
    handles: u16,
    clock: u64,
    /// The frame that was decoded last.
    frame: Air,
    /// For frames that are decoded only to be shown.
    scratch: Channels,
}

#[derive(Debug)]
struct Link {
    access_address: u32,
    handle: ConnHandle,
    id: LinkId,
    /// Known where the connect request was seen.
    crc_init: Option<u32>,
    /// What each side sent last: the central, the peripheral.
    sides: [Option<Sent>; 2],
    last: Option<(Moment, i64, Direction)>,
    cipher: Cipher,
    seen: u64,
}

/// A PDU, to tell a repetition from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sent {
    sn: bool,
    llid: u8,
    length: u8,
    hash: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cipher {
    Clear,
    /// Encryption was asked for.
    Asked,
    On,
}

impl Receiver {
    fn link(&mut self, access_address: u32) -> Option<usize> {
        let at = self.links.iter().position(|link| link.access_address == access_address)?;
        self.clock += 1;
        self.links[at].seen = self.clock;
        Some(at)
    }

    /// A link that begins, or whose beginning is missing.
    fn begin(
        &mut self,
        adapter: &mut Adapter,
        access_address: u32,
        crc_init: Option<u32>,
    ) -> usize {
        self.handles =
            if HANDLES.contains(&(self.handles + 1)) { self.handles + 1 } else { HANDLES.start };
        let handle = ConnHandle(self.handles);
        self.clock += 1;
        let link = Link {
            access_address,
            handle,
            id: adapter.begin_air(handle),
            crc_init,
            sides: [None; 2],
            last: None,
            cipher: Cipher::Clear,
            seen: self.clock,
        };
        let same = self.links.iter().position(|link| link.access_address == access_address);
        let oldest = || (0..self.links.len()).min_by_key(|&at| self.links[at].seen).unwrap_or(0);
        match same {
            Some(at) => {
                self.links[at] = link;
                at
            }
            None if self.links.len() < MOST => {
                self.links.push(link);
                self.links.len() - 1
            }
            None => {
                let at = oldest();
                self.links[at] = link;
                at
            }
        }
    }

    fn announce(&mut self, train: Option<u32>) {
        if let Some(train) = train
            && !self.trains.contains(&train)
        {
            if self.trains.len() >= MOST {
                self.trains.remove(0);
            }
            self.trains.push(train);
        }
    }
}

/// A frame taken apart.
struct Frame<'a> {
    first: u8,
    length: u8,
    /// As far as it was kept.
    payload: &'a [u8],
    check: Option<u32>,
    /// Header and payload, over which the check sequence goes; `None` where they are not whole.
    checked: Option<&'a [u8]>,
}

/// Decodes a frame into `event`, whose `cut` says whether its record is.
pub fn decode<'a>(
    receiver: &'a mut Receiver,
    adapter: &'a mut Adapter,
    radio: Radio,
    bytes: &'a [u8],
    event: &mut Event<'a>,
) {
    receiver.frame = Air { radio, crc_ok: radio.crc_ok, ..Air::default() };
    match taken_apart(&radio, bytes) {
        None => {
            event.packet = Packet::Opaque { layer: Layer::Air, code: 0, len: bytes.len() as u32 };
            event.problem = Some(Problem::short(event.cut));
        }
        Some((access_address, frame)) => {
            receiver.frame.access_address = access_address;
            let physical = match radio.physical {
                Physical::Untold if access_address == ADVERTISING => match radio.channel {
                    Some(channel) if channel < FIRST_PRIMARY => Physical::Auxiliary(None),
                    _ => Physical::Advertising,
                },
                Physical::Untold if receiver.trains.contains(&access_address) => {
                    Physical::Auxiliary(Some(Auxiliary::Sync))
                }
                Physical::Untold => Physical::Data,
                told => told,
            };
            match physical {
                Physical::Isochronous => {
                    event.packet = Packet::Air(Pdu::Isochronous { len: frame.length });
                }
                Physical::Data | Physical::Untold => {
                    let frame = frame.with_cte_info(&radio, bytes);
                    return data(receiver, adapter, &frame, event);
                }
                Physical::Advertising => advertising(receiver, adapter, &frame, None, event),
                Physical::Auxiliary(kind) => {
                    advertising(receiver, adapter, &frame, Some(kind), event);
                }
            }
        }
    }
    event.air = Some(&receiver.frame);
}

fn taken_apart<'a>(radio: &Radio, bytes: &'a [u8]) -> Option<(u32, Frame<'a>)> {
    let address = bytes.first_chunk::<4>()?;
    Some((u32::from_le_bytes(*address), headed(radio, bytes, 2)?))
}

/// A frame whose header has so many bytes.
fn headed<'a>(radio: &Radio, bytes: &'a [u8], header: usize) -> Option<Frame<'a>> {
    let mut rest = bytes.get(4..)?;
    if radio.phy == Some(air::Phy::Coded) {
        // The coding indicator.
        rest = rest.get(1..)?;
    }
    let (&[first, length], _) = rest.split_first_chunk()?;
    let behind = rest.get(header..)?;
    let payload = behind.get(..length.into()).unwrap_or(behind);
    let whole = payload.len() == usize::from(length);
    let check = behind.get(length.into()..).filter(|_| whole).and_then(<[u8]>::first_chunk::<3>);
    Some(Frame {
        first,
        length,
        payload,
        check: check.map(|&[a, b, c]| u32::from_le_bytes([a, b, c, 0])),
        checked: rest.get(..header + usize::from(length)),
    })
}

impl<'a> Frame<'a> {
    /// The header of a data PDU has one byte more where a constant tone follows the frame.
    fn with_cte_info(self, radio: &Radio, bytes: &'a [u8]) -> Self {
        const CTE_INFO: u8 = 0x20;
        match headed(radio, bytes, 3) {
            Some(longer) if self.first & CTE_INFO != 0 => longer,
            _ => self,
        }
    }
}

impl Frame<'_> {
    /// Whether the check sequence fits, where it is here and can be computed.
    fn fits(&self, init: Option<u32>) -> Option<bool> {
        Some(crc::of(init?, self.checked?) == self.check?)
    }

    /// What keeps the bytes from being read: fewer than the header promises, or a broken check sequence.
    fn problem(&self, air: &Air, cut: bool) -> Option<Problem> {
        if self.payload.len() < usize::from(self.length) {
            Some(Problem::short(cut))
        } else {
            air.broken().then_some(Problem::Malformed)
        }
    }
}

fn advertising<'a>(
    receiver: &mut Receiver,
    adapter: &mut Adapter,
    frame: &Frame<'a>,
    auxiliary: Option<Option<Auxiliary>>,
    event: &mut Event<'a>,
) {
    let (first, pdu_type) = (frame.first, frame.first & 0x0f);
    let air = &mut receiver.frame;
    air.header = Header::Advertising {
        pdu_type,
        ch_sel: first & 0x20 != 0,
        tx_random: first & 0x40 != 0,
        rx_random: first & 0x80 != 0,
        length: frame.length,
    };
    if air.access_address == ADVERTISING {
        air.crc_ok = air.crc_ok.or_else(|| frame.fits(Some(crc::ADVERTISING)));
    }
    let missing = frame.payload.len() < usize::from(frame.length);
    let (pdu, problem) = Advertising::decode(pdu_type, frame.payload, event.cut && missing);
    event.problem = frame.problem(air, event.cut).or(problem);
    if event.problem.is_none() {
        match &pdu {
            Advertising::ConnectInd { access_address, crc_init, .. } => {
                let at = receiver.begin(adapter, *access_address, Some(crc_init.0));
                let link = &mut receiver.links[at];
                event.link = Some(link.id);
                event.direction = Some(Direction::Sent);
            }
            Advertising::AdvExtInd { payload } => receiver.announce(payload.sync_address()),
            _ => {}
        }
    }
    event.packet = Packet::Air(match auxiliary {
        None => Pdu::Advertising(pdu),
        Some(kind) => Pdu::Auxiliary(kind, pdu),
    });
}

/// A data channel PDU.
fn data<'a>(
    receiver: &'a mut Receiver,
    adapter: &'a mut Adapter,
    frame: &Frame<'a>,
    event: &mut Event<'a>,
) {
    let (first, length) = (frame.first, frame.length);
    let (llid, nesn, sn, md) = (first & 3, first & 4 != 0, first & 8 != 0, first & 0x10 != 0);
    let place = receiver.link(receiver.frame.access_address);
    let air = &mut receiver.frame;
    air.header = Header::Data { llid, nesn, sn, md, length };
    let init = place.and_then(|at| receiver.links[at].crc_init);
    air.crc_ok = air.crc_ok.or_else(|| frame.fits(init));
    event.problem = frame.problem(air, event.cut);
    let broken = event.problem.is_some();
    // Noise looks like a packet of a link that nobody has seen: such a link needs a packet that can be relied on.
    let place = match place {
        None if !broken => {
            let address = air.access_address;
            Some(receiver.begin(adapter, address, None))
        }
        place => place,
    };
    let air = &mut receiver.frame;
    let Some(link) = place.and_then(|at| receiver.links.get_mut(at)) else {
        event.packet = Packet::Opaque { layer: Layer::Air, code: llid.into(), len: length.into() };
        event.air = Some(&receiver.frame);
        return;
    };
    event.link = Some(link.id);
    link.told_encrypted(air);
    let encrypted = link.encrypts(air, llid, frame.payload);
    air.encrypted = encrypted;
    let control = (llid == 3 && !encrypted && !frame.payload.is_empty()).then(|| {
        let (code, parameters) =
            frame.payload.split_first().map_or((0xff, &[][..]), |(c, p)| (*c, p));
        Control::decode(code, parameters, event.cut && broken)
    });
    // Only one side sends some PDUs, whatever the sniffer says.
    let ruled = control.as_ref().filter(|(_, problem)| !broken && problem.is_none());
    let ruled = ruled.and_then(|(pdu, _)| pdu.by_central());
    let ruled = ruled.map(|central| if central { Direction::Sent } else { Direction::Received });
    let told = event.direction;
    air.inferred = told.is_none();
    air.mislabelled = ruled.is_some() && told.is_some_and(|told| Some(told) != ruled);
    let at = Moment::from(event.time);
    let direction = ruled.or(told).unwrap_or_else(|| link.whose(at));
    event.direction = Some(direction);
    link.last = Some((at, air.air_time_us(), direction));
    if !broken {
        let side = &mut link.sides[usize::from(direction == Direction::Received)];
        let sent = Sent { sn, llid, length, hash: hash(frame.payload) };
        air.repeated = *side == Some(sent);
        air.skipped = !air.repeated && side.is_some_and(|before| before.sn == sn);
        *side = Some(sent);
        if let Some((pdu, None)) = &control {
            link.cipher = link.cipher.after(pdu);
        }
    }
    let (handle, repeated) = (link.handle, air.repeated);
    event.air = Some(&receiver.frame);
    match control {
        Some((pdu, problem)) => {
            event.packet = Packet::Air(Pdu::Control(pdu));
            event.problem = event.problem.or(problem);
        }
        None if encrypted => {
            event.packet = Packet::Air(Pdu::Encrypted { control: llid == 3, len: length });
        }
        None if length == 0 && llid == 1 => event.packet = Packet::Air(Pdu::Empty),
        None if llid == 0 || llid == 3 => {
            event.packet =
                Packet::Opaque { layer: Layer::Air, code: llid.into(), len: length.into() };
            event.problem = Some(Problem::Malformed);
        }
        None if broken || repeated || length == 0 => {
            event.packet = Packet::Fragment { handle, start: llid == 2, len: length.into() };
            if length == 0 {
                event.problem = event.problem.or(Some(Problem::Malformed));
            } else if llid == 2 {
                let problem = event.problem;
                acl::show(&mut receiver.scratch, handle, frame.payload, event);
                event.problem = problem.or(event.problem);
            }
        }
        None => {
            event.packet = Packet::Fragment { handle, start: llid == 2, len: length.into() };
            acl::fragment(adapter, handle, llid == 2, frame.payload, length.into(), event);
        }
    }
}

impl Link {
    /// Whose packet it is where the sniffer does not say it: the central begins a connection event, then they alternate.
    fn whose(&self, at: Moment) -> Direction {
        let Some((before, air_time, direction)) = self.last else { return Direction::Sent };
        let answers = at
            .since(before)
            .is_some_and(|since| since.0 >= 0 && since.0 < air_time + ANSWERS_WITHIN.0);
        if answers && direction == Direction::Sent { Direction::Received } else { Direction::Sent }
    }

    /// The sniffer knows more than we do: it may have seen what we did not.
    fn told_encrypted(&mut self, air: &Air) {
        if air.radio.encrypted && !air.broken() {
            self.cipher = Cipher::On;
        }
    }

    /// Whether nobody can read this payload.
    fn encrypts(&mut self, air: &Air, llid: u8, payload: &[u8]) -> bool {
        if air.radio.decrypted || payload.len() <= MIC {
            return false;
        }
        let code = payload.first().copied().filter(|_| llid == 3);
        match self.cipher {
            Cipher::Clear => false,
            // The PDU that switches encryption on was missed where the next one fits no table.
            Cipher::Asked => {
                let fits = |code| {
                    Control::decode(code, payload.get(1..).unwrap_or_default(), false).1.is_none()
                };
                let on = code.is_some_and(|code| payload.len() == 1 + MIC && !fits(code));
                if on && !air.broken() {
                    self.cipher = Cipher::On;
                }
                on
            }
            // A request for a new key is sent in clear, while encryption is paused.
            Cipher::On if code == Some(0x03) && payload.len() == 23 => false,
            // What reads as the beginning of a frame on a fixed channel is one: encryption was not switched on.
            Cipher::On if llid == 2 && is_frame(payload) => {
                self.cipher = Cipher::Clear;
                false
            }
            Cipher::On => true,
        }
    }
}

impl Cipher {
    fn after(self, pdu: &Control<'_>) -> Self {
        match pdu {
            Control::EncReq { .. } | Control::EncRsp { .. } => Self::Asked,
            Control::StartEncReq {} => Self::On,
            Control::RejectInd { .. } | Control::RejectExtInd { .. } if self == Self::Asked => {
                Self::Clear
            }
            _ => self,
        }
    }
}

/// Whether bytes begin a frame of ATT, signalling or pairing. Encrypted bytes look like that once in a million times.
fn is_frame(payload: &[u8]) -> bool {
    let [low, high, 4..=6, 0, ..] = *payload else { return false };
    let length = usize::from(u16::from_le_bytes([low, high]));
    length + 4 == payload.len() || length + 4 > payload.len() && length <= LONGEST_ATT
}

fn hash(payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    payload.hash(&mut hasher);
    hasher.finish()
}
