//! Procedures of the link layer: who began them, what answered, from which event on they hold.
use crate::packet::air::Control;
use crate::packet::{Direction, Status};
use crate::seen::Seen;
use crate::vocabulary::vocabulary;

/// Most procedures that are kept of one link; the rest is counted.
const MOST: usize = 256;
/// Most PDUs that are kept of those that came into an encryption's way.
const MOST_OVERLAPS: usize = 8;

vocabulary! {
    /// What a procedure of the link layer is for.
    ProcedureKind {
        Features "feature exchange",
        Version "version exchange",
        Update "connection update",
        ParameterRequest "connection parameter request",
        ChannelMap "channel map update",
        Phy "PHY update",
        DataLength "data length update",
        Encryption "encryption start",
        Ping "ping",
        ClockAccuracy "clock accuracy exchange",
        Subrate "subrate change",
        Stream "isochronous stream creation",
        Power "power control",
        Other "other procedure",
    }
}

/// What answered a procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Where the capture shows it.
    pub seen: Seen,
    /// The answer's opcode.
    pub opcode: u8,
    /// Why it was refused, if it was.
    pub error: Option<Status>,
}

/// One procedure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Procedure {
    /// What it is for.
    pub kind: ProcedureKind,
    /// Who began it: the central is [`Direction::Sent`].
    pub by: Direction,
    /// The opcode of the PDU that began it.
    pub opcode: u8,
    /// That PDU.
    pub request: Seen,
    /// The connection event in which it was sent first.
    pub event: Option<u32>,
    /// Where and in which event it was sent last: it is repeated until it is acknowledged.
    pub last_sent: (Seen, Option<u32>),
    /// Where the other side's link layer acknowledged it.
    /// And the event in which it did.
    pub acknowledged: Option<(Seen, Option<u32>)>,
    /// The event from which on it holds.
    pub instant: Option<i64>,
    /// What answered it.
    pub answer: Option<Answer>,
}

impl Procedure {
    /// Whether an answer must come.
    pub fn wants_answer(&self) -> bool {
        !answers(self.opcode).is_empty()
    }

    /// Both sides must be done with it before another one of its kind may begin.
    pub fn has_instant(&self) -> bool {
        matches!(
            self.kind,
            ProcedureKind::Update
                | ProcedureKind::ParameterRequest
                | ProcedureKind::ChannelMap
                | ProcedureKind::Phy
                | ProcedureKind::Subrate
        )
    }

    /// Whether it may still be going on in this event.
    fn is_open(&self, event: Option<u32>) -> bool {
        match (self.answer, self.instant) {
            (_, Some(instant)) => event.is_some_and(|event| i64::from(event) < instant),
            (None, None) => self.wants_answer(),
            (Some(_), None) => false,
        }
    }
}

/// Two procedures that exclude each other, one of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collision {
    /// Their places among the procedures.
    pub first: usize,
    /// The one that began later.
    pub second: usize,
}

/// A PDU that came between the beginning and the end of an encryption's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Where the capture shows it.
    pub seen: Seen,
    /// Who sent it.
    pub by: Direction,
    /// Its opcode; `None` for data.
    pub opcode: Option<u8>,
}

/// All procedures of one link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Procedures {
    /// The procedures, in the order in which they began.
    pub all: Vec<Procedure>,
    /// More of them that are not kept.
    pub elided: u64,
    /// Pairs of them that excluded each other.
    pub collisions: Vec<Collision>,
    /// PDUs that came into an encryption's way.
    pub overlaps: Vec<Overlap>,
    /// The encryption that is starting, and how far it got: the opcode that came last.
    encrypting: Option<(usize, u8)>,
}

/// What a control PDU did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// The procedure at this place began.
    Began(usize),
    /// The procedure at this place was answered.
    Answered(usize),
    /// Neither.
    Nothing,
}

/// The opcodes that answer one. Refusals answer all.
fn answers(opcode: u8) -> &'static [u8] {
    match opcode {
        0x03 => &[0x04],
        0x08 | 0x0e => &[0x09],
        0x0c => &[0x0c],
        0x0f => &[0x10, 0x00],
        0x12 => &[0x13],
        0x14 => &[0x15],
        0x16 => &[0x17, 0x18],
        0x1a => &[0x1b],
        0x1d => &[0x1e],
        0x1f => &[0x20],
        0x23 => &[0x24],
        0x26 => &[0x27],
        0x2b => &[0x2c],
        _ => &[],
    }
}

fn kind(opcode: u8) -> ProcedureKind {
    match opcode {
        0x00 => ProcedureKind::Update,
        0x01 => ProcedureKind::ChannelMap,
        0x03 => ProcedureKind::Encryption,
        0x08 | 0x0e | 0x2b => ProcedureKind::Features,
        0x0c => ProcedureKind::Version,
        0x0f => ProcedureKind::ParameterRequest,
        0x12 => ProcedureKind::Ping,
        0x14 => ProcedureKind::DataLength,
        0x16 | 0x18 => ProcedureKind::Phy,
        0x1d => ProcedureKind::ClockAccuracy,
        0x1f => ProcedureKind::Stream,
        0x23 => ProcedureKind::Power,
        0x26 | 0x27 => ProcedureKind::Subrate,
        _ => ProcedureKind::Other,
    }
}

/// What belongs to the start of an encryption, and what may come at any time.
fn fits_encryption(opcode: u8) -> bool {
    matches!(opcode, 0x02..=0x07 | 0x0a | 0x0b | 0x0d | 0x11)
}

impl Procedures {
    /// Takes a control PDU that was not seen before.
    pub fn control(
        &mut self,
        seen: Seen,
        by: Direction,
        pdu: &Control<'_>,
        event: Option<u32>,
    ) -> Did {
        let opcode = pdu.code();
        if self.encrypting.is_some() && !fits_encryption(opcode) {
            self.overlap(Overlap { seen, by, opcode: Some(opcode) });
        }
        match *pdu {
            Control::RejectInd { error_code } => {
                return self.refused(seen, by, opcode, None, error_code);
            }
            Control::RejectExtInd { reject_opcode, error_code } => {
                return self.refused(seen, by, opcode, Some(reject_opcode), error_code);
            }
            Control::UnknownRsp { unknown_type } => {
                let error = Status::UNSUPPORTED_REMOTE_FEATURE;
                return self.refused(seen, by, opcode, Some(unknown_type), error);
            }
            Control::EncRsp { .. } | Control::StartEncReq {} => self.encryption_goes_on(opcode),
            // Both sides say that it is done, the peripheral last.
            Control::StartEncRsp {} if by == Direction::Received => self.encrypting = None,
            Control::StartEncRsp {} => self.encryption_goes_on(opcode),
            _ => {}
        }
        let answered = self.all.iter().rposition(|procedure| {
            procedure.answer.is_none()
                && procedure.by != by
                && answers(procedure.opcode).contains(&opcode)
        });
        let instant = instant(pdu, event);
        if let Some(at) = answered
            && let Some(procedure) = self.all.get_mut(at)
        {
            procedure.answer = Some(Answer { seen, opcode, error: None });
            procedure.instant = instant;
            if procedure.instant.is_some() {
                procedure.last_sent = (seen, event);
            }
            // An answer with an instant of its own is acknowledged by itself.
            if instant.is_none() {
                return Did::Answered(at);
            }
        }
        if answers(opcode).is_empty() && instant.is_none() {
            return answered.map_or(Did::Nothing, Did::Answered);
        }
        if answered.is_some() && opcode == 0x0c {
            return answered.map_or(Did::Nothing, Did::Answered);
        }
        if self.all.len() >= MOST {
            self.elided += 1;
            return Did::Nothing;
        }
        let procedure = Procedure {
            kind: kind(opcode),
            by,
            opcode,
            request: seen,
            event,
            last_sent: (seen, event),
            acknowledged: None,
            instant,
            answer: None,
        };
        let place = self.all.len();
        let crossing = |other: &Procedure| {
            other.by != by && other.has_instant() && other.is_open(event) && answered.is_none()
        };
        if procedure.has_instant()
            && let Some(first) = self.all.iter().rposition(crossing)
        {
            self.collisions.push(Collision { first, second: place });
        }
        if opcode == 0x03 {
            // What the other side still waits for when encryption begins overlaps it too.
            let open = |other: &&Procedure| {
                other.is_open(event) && other.kind != ProcedureKind::Encryption
            };
            let open = self.all.iter().filter(open).map(|other| Overlap {
                seen: other.request,
                by: other.by,
                opcode: Some(other.opcode),
            });
            let open: Vec<_> = open.collect();
            open.into_iter().for_each(|overlap| self.overlap(overlap));
            self.encrypting = Some((place, opcode));
        }
        self.all.push(procedure);
        match answered {
            Some(at) => Did::Answered(at),
            None => Did::Began(place),
        }
    }

    /// Data that is neither empty nor encrypted.
    pub fn data(&mut self, seen: Seen, by: Direction) {
        // The central may not send any from its request on, the peripheral from its answer on.
        let forbidden = match self.encrypting {
            Some((_, 0x03)) => by == Direction::Sent,
            Some(_) => true,
            None => false,
        };
        if forbidden {
            self.overlap(Overlap { seen, by, opcode: None });
        }
    }

    /// Something encrypted: whoever sends it is done with the start.
    pub fn encrypted(&mut self, by: Direction) {
        if by == Direction::Received {
            self.encrypting = None;
        }
    }

    /// The same PDU again.
    pub fn repeated(&mut self, seen: Seen, by: Direction, opcode: u8, event: Option<u32>) {
        let of = |p: &&mut Procedure| p.by == by && p.opcode == opcode && p.acknowledged.is_none();
        if let Some(procedure) = self.all.iter_mut().rev().find(of) {
            procedure.last_sent = (seen, event);
        }
    }

    /// The other side acknowledged what this one sent last.
    pub fn acknowledged(&mut self, seen: Seen, event: Option<u32>, place: usize) {
        if let Some(procedure) = self.all.get_mut(place) {
            procedure.acknowledged.get_or_insert((seen, event));
        }
    }

    fn encryption_goes_on(&mut self, opcode: u8) {
        if let Some((_, last)) = &mut self.encrypting {
            *last = opcode;
        }
    }

    fn overlap(&mut self, overlap: Overlap) {
        if self.overlaps.len() < MOST_OVERLAPS {
            self.overlaps.push(overlap);
        }
    }

    fn refused(
        &mut self,
        seen: Seen,
        by: Direction,
        opcode: u8,
        what: Option<u8>,
        error: Status,
    ) -> Did {
        let refused = self.all.iter().rposition(|procedure| {
            procedure.by != by
                && procedure.answer.is_none()
                && what.is_none_or(|what| what == procedure.opcode)
        });
        let Some(at) = refused else { return Did::Nothing };
        if self.all[at].kind == ProcedureKind::Encryption {
            self.encrypting = None;
        }
        self.all[at].answer = Some(Answer { seen, opcode, error: Some(error) });
        Did::Answered(at)
    }
}

/// The event from which on a PDU holds, counted like the link's events: the PDU has its lowest 16 bits.
fn instant(pdu: &Control<'_>, event: Option<u32>) -> Option<i64> {
    let instant = match *pdu {
        Control::ConnectionUpdateInd { instant, .. }
        | Control::ChannelMapInd { instant, .. }
        | Control::PhyUpdateInd { instant, .. } => instant,
        Control::SubrateInd { subrate_base_event, .. } => subrate_base_event,
        _ => return None,
    };
    let event = event?;
    // The nearest number with these bits: ahead up to half the range, else behind.
    let ahead = instant.wrapping_sub(event as u16) as i16;
    Some(i64::from(event) + i64::from(ahead))
}
