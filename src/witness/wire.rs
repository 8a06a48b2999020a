//! What of a capture a log can tell of: attempts with their moments, waits, reports, a daemon's lines.
use super::claim::Reason;
use crate::packet::Address;
use crate::seen::Seen;
use crate::timeline::{AdapterLoss, Capture, Connection, Happening, Outcome, Pending, Procedure};

/// A frame, and its time in microseconds on the capture's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub frame: u32,
    pub at: i64,
}

/// How a link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Reason(u8),
    /// Without a Disconnection Complete.
    Lost(AdapterLoss),
}

/// One connection of the capture, as moments.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub number: u32,
    pub adapter: Option<u16>,
    /// Every address that the peer is known by. Empty: any device of the accept list.
    pub peers: Vec<Address>,
    pub create: Option<Point>,
    /// Connection Complete or the refusal, with its status.
    pub complete: Option<(Point, u8)>,
    pub end: Option<(Point, Ended)>,
    /// Our Disconnect command.
    pub hang_up: Option<Point>,
    pub mtu: Option<(Point, u16)>,
    /// The first ATT packet of the peer, as far as steps show it.
    pub first_answer: Option<i64>,
    pub answers: u64,
    /// Requests of ours that stayed unanswered: ATT opcode.
    pub open: Vec<(Point, u8)>,
    /// Pairing: the first packet, and whether it failed.
    pub pairing: Vec<(Point, bool)>,
}

impl Attempt {
    fn of(connection: &Connection) -> Self {
        let place = |seen: Seen| Some(Point { frame: seen.frame, at: seen.at.time()?.0 });
        let request = connection.request.as_deref();
        let end = connection
            .end
            .as_ref()
            .and_then(|end| Some((place(end.seen)?, Ended::Reason(end.reason.0))));
        let gone = connection
            .gone
            .as_ref()
            .and_then(|gone| Some((place(gone.seen)?, Ended::Lost(gone.how))));
        let up = connection.up.and_then(place).map(|point| (point, 0));
        let refused = || {
            let status = connection.status.filter(|status| status.0 != 0)?;
            Some((connection.status_seen.and_then(place)?, status.0))
        };
        let att = |procedure| {
            use Procedure::*;
            matches!(
                procedure,
                ExchangeMtu
                    | DiscoverServices
                    | DiscoverIncludes
                    | DiscoverCharacteristics
                    | DiscoverDescriptors
                    | Read
                    | Write
                    | Subscribe
                    | Notify
                    | Indicate
            )
        };
        let answered = connection.steps.iter().filter(|step| {
            let pushed = matches!(step.procedure, Procedure::Notify | Procedure::Indicate);
            att(step.procedure) && (pushed || matches!(step.outcome, Outcome::Ok | Outcome::Error))
        });
        let first_answer = answered
            .filter_map(|step| {
                let early = if step.count > 1 { step.first } else { step.last };
                early.at.time().map(|time| time.0)
            })
            .min();
        let open = connection.open_requests.iter().filter_map(|open| match open.pending {
            Pending::Att(opcode) => Some((place(open.seen)?, opcode)),
            _ => None,
        });
        let pairing = connection.steps.iter().filter(|step| step.procedure == Procedure::Pair);
        let pairing = pairing.filter_map(|step| {
            let failed = step.outcome == Outcome::Error;
            let seen = if failed { step.last } else { step.first };
            Some((place(seen)?, failed))
        });
        let peer = &connection.peer;
        let mut peers = Vec::new();
        let wanted = connection.wanted().map(|(address, _)| address);
        let identity = peer.identity.map(|(address, _)| address);
        for address in [peer.address, identity, peer.on_air, wanted].into_iter().flatten() {
            if address != Address::default() && !peers.contains(&address) {
                peers.push(address);
            }
        }
        Self {
            number: connection.number,
            adapter: connection.adapter,
            peers,
            create: request.and_then(|request| place(request.seen)),
            complete: up.or_else(refused),
            end: end.or(gone),
            hang_up: connection.end.as_ref().and_then(|end| end.command).and_then(place),
            mtu: connection
                .mtu
                .and_then(|mtu| Some((mtu.answer.and_then(place)?, mtu.effective()?))),
            first_answer,
            answers: connection.att_received,
            open: open.collect(),
            pairing: pairing.collect(),
        }
    }

    /// When it began to be seen.
    pub fn start(&self) -> Option<i64> {
        self.create.or(self.complete.map(|(point, _)| point)).map(|point| point.at)
    }

    /// Its end, which of an attempt that was refused is the refusal.
    pub fn over(&self) -> Option<Point> {
        let refused = self.complete.filter(|(_, status)| *status != 0);
        self.end.map(|(point, _)| point).or(refused.map(|(point, _)| point))
    }

    /// When the link came up.
    pub fn up(&self) -> Option<Point> {
        self.complete.filter(|(_, status)| *status == 0).map(|(point, _)| point)
    }

    /// Whether it may be about this device. Nobody named: about any.
    pub fn is_with(&self, device: Option<Address>) -> bool {
        match device {
            Some(device) => self.peers.is_empty() || self.peers.contains(&device),
            None => true,
        }
    }

    pub fn is_on(&self, adapter: Option<u16>) -> bool {
        match (self.adapter, adapter) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        }
    }

    /// Whether the peer had sent an ATT packet by then.
    pub fn answered_by(&self, at: i64) -> bool {
        self.answers > 0 && self.first_answer.is_none_or(|first| first <= at)
    }

    /// Whether the end is one that the log's reason can mean. What says nothing fits all.
    pub fn ended_as(&self, reason: Reason) -> bool {
        match (reason.hci(), self.end) {
            ([], _) => true,
            (codes, Some((_, Ended::Reason(code)))) => codes.contains(&code),
            // `Connection reset by peer` stands for our own power off, too.
            (_, Some((_, Ended::Lost(_)))) => true,
            (_, None) => false,
        }
    }
}

/// The host waits for a device: it went onto the accept list, or a passive scan for the list began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub point: Point,
    pub adapter: Option<u16>,
    /// `None`: for the list.
    pub device: Option<Address>,
}

/// The capture, as a log can tell of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire {
    /// In order of their beginning.
    pub attempts: Vec<Attempt>,
    pub waits: Vec<Wait>,
    pub scans: bool,
    pub first: Option<i64>,
    pub last: Option<i64>,
    /// Adapters that did anything.
    pub adapters: Vec<u16>,
    /// Lines of a daemon that stand in the capture: hash, place.
    pub lines: Vec<(u64, Point)>,
    /// Devices: address, adapter that heard it, the frame of the first report.
    pub heard: Vec<(Address, Option<u16>, bool, Point)>,
}

impl Wire {
    pub fn of(capture: &Capture) -> Self {
        let mut wire = Self {
            first: capture.first_time.map(|time| time.0),
            last: capture.last_time.map(|time| time.0),
            ..Self::default()
        };
        wire.attempts = capture.connections.iter().map(Attempt::of).collect();
        wire.attempts.retain(|attempt| attempt.start().is_some());
        wire.attempts.sort_by_key(|attempt| attempt.start());
        for event in &capture.adapter_events {
            let Some(at) = event.at.time().map(|time| time.0) else { continue };
            let point = Point { frame: event.frame, at };
            let adapter = event.adapter;
            match event.what {
                Happening::ScanOn(scan) => {
                    wire.scans = true;
                    if scan.filter_policy & 1 == 1 {
                        wire.waits.push(Wait { point, adapter, device: None });
                    }
                }
                Happening::AcceptListAdded(device, _) => {
                    wire.waits.push(Wait { point, adapter, device: Some(device) });
                }
                _ => {}
            }
        }
        let busy = |adapter: &&crate::timeline::Adapter| {
            adapter.commands > 0 || adapter.attempts > 0 || adapter.advertising_reports > 0
        };
        wire.adapters = capture.adapters.iter().filter(busy).filter_map(|a| a.index).collect();
        wire.lines = capture
            .log_lines
            .iter()
            .filter_map(|line| {
                let at = line.at.time()?.0;
                Some((line.hash, Point { frame: line.frame, at }))
            })
            .collect();
        for device in &capture.devices {
            if let Some(first) = device.first
                && let Some(at) = first.at.time()
            {
                let point = Point { frame: first.frame, at: at.0 };
                wire.heard.push((device.address, device.adapter, device.elsewhere, point));
            }
        }
        wire
    }

    /// Attempts to a device over an adapter, in order.
    pub fn of_device(
        &self,
        device: Option<Address>,
        adapter: Option<u16>,
    ) -> impl DoubleEndedIterator<Item = &Attempt> {
        self.attempts.iter().filter(move |a| a.is_with(device) && a.is_on(adapter))
    }
}
