//! Which records of a capture stay.
use crate::case::Analysis;
use crate::packet::note::Note;
use crate::packet::{Address, Event, Layer, Packet, hci, mgmt};
use crate::vocabulary::vocabulary;
use foldhash::HashSet;

/// No more commands are remembered that were left out and have no answer yet.
const MOST_LEFT_OUT: usize = 4096;

/// Commands that name devices and are the adapter's state: its accept list and its resolving list.
const LISTS: [u16; 6] = [0x2010, 0x2011, 0x2012, 0x2027, 0x2028, 0x204e];

vocabulary! {
    /// How much is left out.
    Trim {
        /// Nothing.
        None "none",
        /// Other devices: their links, their advertising, what names them alone.
        Device "device",
        /// That, and what tells nothing of attempts to connect: voice, streams, the chip's own logs.
        Story "story",
    }
}

impl Trim {
    /// This and everything milder, the strictest first.
    pub fn and_milder(self) -> impl Iterator<Item = Self> {
        let all = [Self::Story, Self::Device, Self::None];
        all.into_iter().skip_while(move |trim| *trim != self)
    }
}

/// What stays of one capture.
#[derive(Debug)]
pub struct Scope {
    trim: Trim,
    devices: HashSet<Address>,
    connections: HashSet<u32>,
    /// Frames that a finding cites as evidence.
    cited: HashSet<u32>,
    /// Commands that were left out and have no answer yet.
    left_out: HashSet<u32>,
}

impl Scope {
    /// The devices that the report of this capture speaks of. Where it speaks of none, everything stays.
    pub fn of(trim: Trim, analysis: &Analysis, at: usize, cited: HashSet<u32>) -> Self {
        let mut scope = Self {
            trim,
            devices: HashSet::default(),
            connections: HashSet::default(),
            cited,
            left_out: HashSet::default(),
        };
        let Some(capture) = analysis.captures.get(at) else { return scope };
        let mut told: HashSet<u32> = HashSet::default();
        if let Some(comparison) = &analysis.comparison {
            let sides = [comparison.reference, comparison.subject];
            told.extend(sides.iter().filter(|side| side.capture == at).map(|side| side.connection));
        }
        let findings = analysis.findings.iter().filter(|finding| finding.capture == at);
        told.extend(findings.flat_map(|finding| finding.connections.iter().copied()));
        if told.is_empty() {
            told.extend(analysis.most_telling(at).map(|connection| connection.number));
        }
        if told.is_empty() {
            return Self { trim: Trim::None, ..scope };
        }
        for connection in told.iter().filter_map(|number| capture.connection(*number)) {
            let peer = &connection.peer;
            let identity = peer.identity.map(|(address, _)| address);
            scope.devices.extend([identity, peer.address, peer.on_air].into_iter().flatten());
            let who = peer.who().into_iter();
            scope.devices.extend(who.flat_map(|who| capture.aliases(who)).map(|it| it.address));
        }
        scope.connections = told;
        for connection in &capture.connections {
            let peer = &connection.peer;
            let identity = peer.identity.map(|(address, _)| address);
            let addresses = [identity, peer.address, peer.on_air];
            if addresses.iter().flatten().any(|address| scope.devices.contains(address)) {
                scope.connections.insert(connection.number);
                scope.devices.extend(addresses.into_iter().flatten());
            }
        }
        scope
    }

    /// Whether a record stays.
    pub fn wants(&mut self, event: &Event<'_>, connection: Option<u32>) -> bool {
        if self.trim == Trim::None || self.cited.contains(&event.frame) {
            return true;
        }
        let wanted = match connection {
            Some(number) => self.connections.contains(&number),
            None => {
                let answers_nothing =
                    event.answers.is_some_and(|command| self.left_out.remove(&command));
                !answers_nothing && self.wants_alone(&event.packet)
            }
        };
        let is_command = matches!(event.packet, Packet::Command(_));
        if !wanted && is_command && self.left_out.len() < MOST_LEFT_OUT {
            self.left_out.insert(event.frame);
        }
        wanted
    }

    /// A record that belongs to no connection.
    fn wants_alone(&self, packet: &Packet<'_>) -> bool {
        match packet {
            Packet::Command(command) if LISTS.contains(&command.code()) => true,
            Packet::Command(_) => self.is_about_us(packet),
            Packet::Event(
                hci::Event::CommandComplete { .. } | hci::Event::CommandStatus { .. },
            ) => true,
            Packet::Event(hci::Event::Le {
                event: hci::LeEvent::PeriodicAdvertisingReport { .. },
            }) => self.trim != Trim::Story,
            Packet::Event(event) => match self.heard_us(event) {
                Some(ours) => ours,
                None => self.is_about_us(packet),
            },
            Packet::Mgmt { pdu: mgmt::Pdu::Command(_), .. } => true,
            Packet::Mgmt {
                pdu:
                    mgmt::Pdu::Event(
                        mgmt::Event::CommandComplete { .. } | mgmt::Event::CommandStatus { .. },
                    ),
                ..
            } => true,
            Packet::Mgmt { .. } => self.is_about_us(packet),
            Packet::Note(Note::VendorDiagnostic { .. })
            | Packet::Sco { .. }
            | Packet::Iso { .. }
            | Packet::Opaque { layer: Layer::Vendor | Layer::ChipLog | Layer::Foreign, .. } => {
                self.trim != Trim::Story
            }
            _ => true,
        }
    }

    /// Whether one of the devices advertised; `None`: it is no report of advertising. Most records of most captures
    /// are such reports, and their senders are all that is asked for.
    fn heard_us(&self, event: &hci::Event<'_>) -> Option<bool> {
        let mut reports = event.advertising().peekable();
        reports.peek()?;
        Some(reports.any(|report| self.devices.contains(&report.address)))
    }

    /// It names none but our own host, or one of the devices.
    fn is_about_us(&self, packet: &Packet<'_>) -> bool {
        let (mut others, mut ours) = (false, false);
        packet.addresses(&mut |named| {
            if !named.own {
                ours |= self.devices.contains(&named.address);
                others = true;
            }
        });
        ours || !others
    }

    /// Whether this is one of the devices.
    pub fn has_device(&self, device: Address) -> bool {
        self.trim == Trim::None || self.devices.contains(&device)
    }

    /// The connections that stay, in their order.
    pub fn connections(&self, all: usize) -> Vec<u32> {
        let all = 1..=u32::try_from(all).unwrap_or(u32::MAX);
        all.filter(|number| self.trim == Trim::None || self.connections.contains(number)).collect()
    }
}
