//! Which channel a frame belongs to: learnt from signalling, needed to tell ATT apart.
//!
//! A frame names its receiver's channel identifier, so a channel is known by two:
//! the host's (in received frames) and the peer's (in sent ones).
use crate::packet::Direction;
use crate::packet::signal;

/// From here on channels are opened by signalling.
pub const DYNAMIC: u16 = 0x0040;
/// Attribute protocol on BR/EDR.
pub const PSM_ATT: u16 = 0x001f;
/// Attribute protocol on enhanced credit-based channels.
pub const PSM_EATT: u16 = 0x0027;
/// Channels and requests that one link may hold; real ones hold a handful.
const MOST: usize = 64;
/// Channels that one enhanced request may ask for.
const BATCH: usize = 5;

/// The dynamic channels of one link.
#[derive(Debug, Default)]
pub struct Channels {
    open: Vec<Channel>,
    asked: Vec<Request>,
}

/// One dynamic channel.
#[derive(Debug)]
pub struct Channel {
    pub psm: u16,
    /// Frames are pieces of longer units (SDUs), the first of which tells their length.
    pub credit_based: bool,
    host: u16,
    peer: u16,
    units: [Unit; 2],
}

/// A service data unit being put together: one direction of a credit-based channel.
#[derive(Debug, Default)]
struct Unit {
    bytes: Vec<u8>,
    /// As declared; zero where none is open.
    total: usize,
    position: usize,
    cut: bool,
}

/// What a frame of a credit-based channel brought about.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A unit is complete, as far as it was kept.
    Whole { bytes: &'a [u8], cut: bool },
    /// More is to come, or the frame does not fit.
    Part { fits: bool },
}

/// A request for channels that has not been answered yet.
#[derive(Debug)]
struct Request {
    from: Direction,
    identifier: u8,
    psm: u16,
    credit_based: bool,
    sources: [u16; BATCH],
    count: usize,
}

impl Channels {
    /// The channel that a frame to `cid` belongs to.
    #[inline]
    pub fn find(&mut self, direction: Direction, cid: u16) -> Option<&mut Channel> {
        self.open.iter_mut().find(|channel| channel.receiver(direction) == cid)
    }

    /// The host's identifier of the channel that a frame to `cid` belongs to.
    #[inline]
    pub fn local(&self, direction: Direction, cid: u16) -> Option<u16> {
        if cid < DYNAMIC || direction == Direction::Received {
            return Some(cid);
        }
        self.open.iter().find(|channel| channel.peer == cid).map(|channel| channel.host)
    }

    /// Learns from a signalling command.
    pub fn signal(&mut self, direction: Direction, identifier: u8, pdu: &signal::Pdu<'_>) {
        use signal::Pdu::*;
        match *pdu {
            ConnectionRequest { psm, source_cid } => {
                self.ask(direction, identifier, psm, false, [source_cid])
            }
            LeCreditBasedConnectionRequest { spsm, source_cid, .. } => {
                self.ask(direction, identifier, spsm, true, [source_cid]);
            }
            CreditBasedConnectionRequest { spsm, source_cids, .. } => {
                self.ask(direction, identifier, spsm, true, source_cids.iter().map(|cid| cid.0));
            }
            // Result 1 says that the answer is still to come.
            ConnectionResponse { result: 1, .. } => {}
            ConnectionResponse { destination_cid, .. }
            | LeCreditBasedConnectionResponse { destination_cid, .. } => {
                self.answer(direction, identifier, [destination_cid]);
            }
            CreditBasedConnectionResponse { destination_cids, .. } => {
                self.answer(direction, identifier, destination_cids.iter().map(|cid| cid.0));
            }
            CommandReject { .. } => self.answer(direction, identifier, []),
            DisconnectionResponse { destination_cid, source_cid } => {
                // The response's sender owns the destination.
                let (host, peer) = match direction {
                    Direction::Sent => (destination_cid, source_cid),
                    Direction::Received => (source_cid, destination_cid),
                };
                self.open.retain(|channel| (channel.host, channel.peer) != (host, peer));
            }
            _ => {}
        }
    }

    /// Bytes held for units that are not complete.
    pub fn held(&self) -> usize {
        self.open
            .iter()
            .flat_map(|channel| &channel.units)
            .filter(|unit| unit.total > 0)
            .map(|unit| unit.bytes.len())
            .sum()
    }

    /// Forgets the units that are not complete.
    pub fn give_up(&mut self) {
        for channel in &mut self.open {
            channel.units = Default::default();
        }
    }

    fn ask(
        &mut self,
        from: Direction,
        identifier: u8,
        psm: u16,
        credit_based: bool,
        cids: impl IntoIterator<Item = u16>,
    ) {
        self.asked.retain(|request| (request.from, request.identifier) != (from, identifier));
        if self.asked.len() == MOST {
            self.asked.remove(0);
        }
        let mut request =
            Request { from, identifier, psm, credit_based, sources: [0; BATCH], count: 0 };
        for (slot, cid) in request.sources.iter_mut().zip(cids) {
            *slot = cid;
            request.count += 1;
        }
        self.asked.push(request);
    }

    /// Opens what was asked for and granted; a refused channel's identifier is zero.
    fn answer(
        &mut self,
        direction: Direction,
        identifier: u8,
        cids: impl IntoIterator<Item = u16>,
    ) {
        let asked =
            |request: &Request| request.from != direction && request.identifier == identifier;
        let Some(at) = self.asked.iter().position(asked) else { return };
        let request = self.asked.remove(at);
        for (&source, destination) in request.sources[..request.count].iter().zip(cids) {
            if source == 0 || destination == 0 {
                continue;
            }
            let (host, peer) = match request.from {
                Direction::Sent => (source, destination),
                Direction::Received => (destination, source),
            };
            // An identifier taken again was given back without our seeing it.
            self.open.retain(|channel| channel.host != host && channel.peer != peer);
            if self.open.len() == MOST {
                self.open.remove(0);
            }
            let units = Default::default();
            self.open.push(Channel {
                psm: request.psm,
                credit_based: request.credit_based,
                host,
                peer,
                units,
            });
        }
    }
}

impl Channel {
    fn receiver(&self, direction: Direction) -> u16 {
        match direction {
            Direction::Sent => self.peer,
            Direction::Received => self.host,
        }
    }

    /// Takes the payload of a frame of a credit-based channel.
    pub fn piece<'a>(
        &'a mut self,
        direction: Direction,
        kept: &'a [u8],
        declared: usize,
    ) -> Piece<'a> {
        let unit = &mut self.units[usize::from(direction == Direction::Received)];
        if unit.total == 0 {
            let Some((length, kept)) = kept.split_first_chunk() else {
                return Piece::Part { fits: false };
            };
            let (total, declared) =
                (usize::from(u16::from_le_bytes(*length)), declared.saturating_sub(2));
            if declared == total {
                return Piece::Whole { bytes: kept, cut: kept.len() < total };
            }
            if declared > total {
                return Piece::Part { fits: false };
            }
            *unit = Unit {
                bytes: kept.to_vec(),
                total,
                position: declared,
                cut: kept.len() < declared,
            };
            return Piece::Part { fits: true };
        }
        unit.position = unit.position.saturating_add(declared);
        if !unit.cut {
            unit.bytes.extend_from_slice(
                &kept[..kept.len().min(unit.total.saturating_sub(unit.bytes.len()))],
            );
            unit.cut = kept.len() < declared;
        }
        if unit.position < unit.total {
            return Piece::Part { fits: true };
        }
        let fits = unit.position == unit.total;
        unit.total = 0;
        if fits { Piece::Whole { bytes: &unit.bytes, cut: unit.cut } } else { Piece::Part { fits } }
    }
}
