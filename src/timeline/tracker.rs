//! Folds events into connections, one event at a time, in bounded memory.
use super::accept_list::AcceptList;
use super::adapter::{Adapter, AdapterEvent, Happening, Scan};
use super::air::Air;
use super::connection::{Connection, Transport};
use super::gaps::Kinds;
use super::hci_numbers::HciNumbers;
use super::host::HostSigns;
use super::identity::{Identities, Resolving};
use super::index::Index;
use super::keys::Keys;
use super::live::{At, Link, MOST_STEPS};
use super::on_air::Advertisers;
use super::trace::{Capture, LogLine, Totals};
use crate::capture::{Description, Warning};
use crate::packet::hci::Family;
use crate::packet::{Address, Direction, Event, Layer, LinkId, Opcode, Packet, Problem};
use crate::seen::{Seen, SourceId, seen_at};
use crate::time::{Moment, Span, Timestamp};
use std::collections::HashMap;

/// Most entries of the adapters' timeline; the rest is counted.
const MOST_ADAPTER_EVENTS: usize = 200_000;

/// Most steps kept of all connections, and how many of each from then on: the first ones tell most.
const MOST_STEPS_OF_ALL: usize = 1_000_000;
const FEW_STEPS: usize = 100;

/// Records between two looks at what is kept.
const LOOKED_AT_EVERY: u64 = 1 << 16;

/// On USB, data of a new link may come before its Connection Complete.
pub(super) const EARLY_DATA: Span = Span::from_ms(20);

/// Most adapters kept apart (a lying index field could name 65,535).
const MOST_ADAPTERS: usize = 64;

/// A command that waits for its Command Complete or Command Status.
#[derive(Clone, Debug)]
pub(super) struct OpenCommand {
    pub opcode: Opcode,
    pub seen: Seen,
    pub reported: bool,
    /// An event of its own answered it.
    pub completed: bool,
    /// A later command was answered meanwhile.
    pub overtaken: bool,
}

seen_at!(OpenCommand: seen);

/// What became of a link.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// Nothing of it was seen yet, or its end was not.
    #[default]
    Unknown,
    /// It is up: its place in `links`.
    Up(u32),
    /// The link ended. This is its connection.
    Ended(u32),
}

/// What is known of one adapter while the capture runs.
#[derive(Clone, Debug)]
pub(super) struct AdapterState {
    pub facts: Adapter,
    /// Where each link is, by its number.
    places: Vec<Place>,
    pub links: Vec<Option<Link>>,
    /// Attempts whose create command is unanswered, oldest first.
    pub creating: Vec<usize>,
    pub commands: Vec<OpenCommand>,
    pub resolving: Resolving,
    /// The identity whose key went to the controller last: its answer may still take it back.
    pub last_key: Option<Address>,
    pub accept_list: AcceptList,
    pub scan: Option<Scan>,
    /// Families of LE commands of which the controller took one since its last reset.
    pub families: Vec<Family>,
    /// Parameters set for the next scan.
    pub scan_set: Scan,
    pub last_record_at: Moment,
    /// The last long silence: how long, and when it ended.
    pub gap: Option<(Span, Moment)>,
    pub outstanding: u32,
    /// Set Powered 0 or rfkill, until the adapter is switched on again: the program, where it is known.
    pub switched_off: Option<Option<String>>,
    /// Connections that were up when the adapter was last closed.
    pub lost: Vec<usize>,
}

impl AdapterState {
    fn new(index: Option<u16>) -> Self {
        Self {
            facts: Adapter { index, ..Adapter::default() },
            places: Vec::new(),
            links: Vec::new(),
            creating: Vec::new(),
            commands: Vec::new(),
            resolving: Resolving::default(),
            last_key: None,
            accept_list: AcceptList::default(),
            scan: None,
            families: Vec::new(),
            scan_set: Scan {
                active: false,
                interval: 0x10,
                window: 0x10,
                filter_policy: 0,
                filter_duplicates: false,
            },
            last_record_at: Moment::UNKNOWN,
            gap: None,
            outstanding: 0,
            switched_off: None,
            lost: Vec::new(),
        }
    }

    fn place(&self, link: LinkId) -> Place {
        self.places.get(link.index()).copied().unwrap_or_default()
    }

    fn put(&mut self, link: LinkId, place: Place) {
        let index = link.index();
        if self.places.len() <= index {
            self.places.resize(index + 1, Place::Unknown);
        }
        self.places[index] = place;
    }

    /// The link, if it is up.
    pub fn link(&mut self, link: LinkId) -> Option<&mut Link> {
        let Place::Up(slot) = self.place(link) else { return None };
        self.links.get_mut(slot as usize)?.as_mut()
    }

    /// The connection of a link whose end was seen.
    pub fn ended(&self, link: LinkId) -> Option<usize> {
        match self.place(link) {
            Place::Ended(connection) => Some(connection as usize),
            _ => None,
        }
    }

    pub fn open(&mut self, id: LinkId, mut link: Link) {
        link.id = Some(id);
        let free = self.links.iter().position(Option::is_none).unwrap_or_else(|| {
            self.links.push(None);
            self.links.len() - 1
        });
        self.links[free] = Some(link);
        self.put(id, Place::Up(free as u32));
    }

    pub fn take(&mut self, id: LinkId) -> Option<Link> {
        let Place::Up(slot) = self.place(id) else { return None };
        self.put(id, Place::Unknown);
        self.links.get_mut(slot as usize)?.take()
    }

    /// The link whose handle another one has now.
    pub fn take_replaced(&mut self, replaced: Option<LinkId>) -> Option<Link> {
        self.take(replaced?)
    }

    /// All links that are up, and none are up afterwards.
    pub fn take_all(&mut self) -> Vec<Link> {
        let links: Vec<Link> = std::mem::take(&mut self.links).into_iter().flatten().collect();
        for id in links.iter().filter_map(|link| link.id) {
            self.put(id, Place::Unknown);
        }
        links
    }

    pub fn open_links(&self) -> usize {
        self.links.iter().flatten().count()
    }

    /// The end of a link was seen.
    pub fn remember_ended(&mut self, link: LinkId, connection: usize) {
        self.put(link, Place::Ended(connection as u32));
    }
}

/// Whether what was not decoded was a packet between a host and its controller.
fn is_hci(layer: Layer) -> bool {
    matches!(layer, Layer::Hci | Layer::Acl | Layer::L2cap | Layer::ChipLog)
}

/// An adapter's index as one number. No index has 0.
fn key_of(index: Option<u16>) -> u32 {
    index.map_or(u32::MAX, |index| u32::from(index) + 1)
}

/// Builds a [`super::Capture`] from events.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    pub(super) source: SourceId,
    pub(super) adapters: Vec<AdapterState>,
    /// The place of the adapter that the last event was about, and its index as [`key_of`] has it.
    last_adapter: usize,
    last_key: u32,
    pub(super) connections: Vec<Connection>,
    pub(super) events: Vec<AdapterEvent>,
    pub(super) air: Air,
    pub(super) advertisers: Advertisers,
    pub(super) keys: Keys,
    pub(super) identities: Identities,
    pub(super) signs: HostSigns,
    /// Open control sockets: cookie and process.
    pub(super) sockets: HashMap<u32, String>,
    pub(super) totals: Totals,
    pub(super) kinds: Kinds,
    /// Of the databases that were kept.
    pub(super) attributes: usize,
    /// There are so many steps already that few are kept of each connection.
    crowded: bool,
    pub(super) first_time: Option<Timestamp>,
    pub(super) last_time: Option<Timestamp>,
    pub(super) log_lines: Vec<LogLine>,
    /// Frame of the event that came last.
    last_frame: u32,
    numbers: HciNumbers,
    /// Frame of the first event that is HCI.
    pub(super) first_hci: Option<u32>,
}

impl Tracker {
    /// A tracker of the first capture.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tracker whose facts name that source.
    pub fn of(source: SourceId) -> Self {
        Self { source, ..Self::default() }
    }

    /// Takes one event; returns the number of the connection that it belongs to.
    pub fn push(&mut self, event: &Event<'_>) -> Option<u32> {
        self.totals.records += 1;
        self.last_frame = event.frame;
        if self.totals.records.is_multiple_of(LOOKED_AT_EVERY) {
            self.look_at_what_is_kept();
        }
        self.totals.cut += u64::from(event.cut);
        match event.problem {
            Some(Problem::Malformed) => self.totals.malformed += 1,
            Some(Problem::Unknown) => self.totals.opaque += 1,
            _ => {}
        }
        if let Some(time) = event.time {
            self.first_time = Some(self.first_time.map_or(time, |first| first.min(time)));
            self.last_time = Some(self.last_time.map_or(time, |last| last.max(time)));
        }
        let at = At {
            source: self.source,
            frame: event.frame,
            time: event.time.into(),
            direction: event.direction.unwrap_or(Direction::Sent),
            cut: event.cut,
            link: event.link,
        };
        if let Packet::Note(note) = &event.packet {
            self.note(event.adapter, at, note);
            return None;
        }
        if let Packet::Mgmt { cookie, pdu } = &event.packet {
            return self.mgmt(event.adapter, at, *cookie, pdu);
        }
        if let Packet::Opaque { layer, .. } = event.packet
            && event.air.is_none()
        {
            if is_hci(layer) {
                self.numbers.count(event.frame, event.adapter);
            }
            // Text may not say whose packet it was: it may be any link's.
            if event.cut && matches!(layer, Layer::Hci | Layer::Acl) {
                self.cut_all(event.adapter);
            }
            return None;
        }
        if let Some(frame) = event.air {
            // What was heard on the air is no packet of a host, but data that it carries may stand for one.
            let counted = match event.packet {
                Packet::Air(_) => false,
                Packet::Opaque { layer, .. } => is_hci(layer),
                _ => true,
            };
            if counted {
                self.numbers.count(event.frame, event.adapter);
            }
            let adapter = self.adapter(event.adapter)?;
            let index = self.on_air(adapter, at, event, frame)?;
            return self.connections.get(index).map(|connection| connection.number);
        }
        self.numbers.count(event.frame, event.adapter);
        let adapter = self.adapter(event.adapter)?;
        self.first_hci.get_or_insert(event.frame);
        self.tick(adapter, at);
        let connection = match &event.packet {
            Packet::Command(command) => {
                self.kinds.command(at.time);
                self.command(adapter, at, command)
            }
            Packet::Event(packet) => {
                self.kinds.event();
                self.event(adapter, at, packet, event)
            }
            data => {
                self.kinds.data(data, at.direction);
                self.data(adapter, at, event)
            }
        };
        if let Some(connection) = connection.and_then(|index| self.connections.get_mut(index)) {
            if event.cut {
                // Text that leaves out a connection's parameters leaves nothing else unknown.
                let parameters_only = matches!(&event.packet, Packet::Event(packet) if packet.le_connection_complete().is_some());
                connection.cut_packets += u64::from(!parameters_only);
            }
            // Data this young may yet turn out to be that of an attempt under way.
            let undecided = !connection.start_seen
                && at
                    .time
                    .since(connection.heard.map_or(at.time, |h| h.seen.at))
                    .is_some_and(|d| d <= EARLY_DATA);
            return (!undecided).then_some(connection.number);
        }
        None
    }

    /// Memory stays bounded also where every packet is a step of its own.
    fn look_at_what_is_kept(&mut self) {
        let steps: usize = self.connections.iter().map(|c| c.steps.len()).sum();
        self.crowded = steps >= MOST_STEPS_OF_ALL;
        if self.crowded {
            for link in self.adapters.iter_mut().flat_map(|a| a.links.iter_mut().flatten()) {
                link.most_steps = FEW_STEPS;
            }
        }
    }

    /// How many steps a new link's connection may have.
    pub(super) fn most_steps(&self) -> usize {
        if self.crowded { FEW_STEPS } else { MOST_STEPS }
    }

    /// A packet is missing that may be any live link's.
    fn cut_all(&mut self, index: Option<u16>) {
        let Some(state) = self.adapters.iter().find(|a| a.facts.index == index) else { return };
        for link in state.links.iter().flatten() {
            if let Some(connection) = self.connections.get_mut(link.connection) {
                connection.cut_packets += 1;
            }
        }
    }

    #[inline]
    pub(super) fn adapter(&mut self, index: Option<u16>) -> Option<usize> {
        // Nearly always the same as that of the event before.
        let key = key_of(index);
        if self.last_key != key {
            self.last_adapter = self.another_adapter(index)?;
            self.last_key = key;
        }
        Some(self.last_adapter)
    }

    fn another_adapter(&mut self, index: Option<u16>) -> Option<usize> {
        // One adapter or two: a search beats a hash.
        if let Some(at) = self.adapters.iter().position(|a| a.facts.index == index) {
            return Some(at);
        }
        if self.adapters.len() >= MOST_ADAPTERS {
            return None;
        }
        self.adapters.push(AdapterState::new(index));
        Some(self.adapters.len() - 1)
    }

    pub(super) fn happened(&mut self, adapter: usize, at: At, what: Happening) {
        let index = self.adapters.get(adapter).and_then(|a| a.facts.index);
        self.happened_on(index, at, what);
    }

    pub(super) fn happened_on(&mut self, adapter: Option<u16>, at: At, what: Happening) {
        if self.events.len() >= MOST_ADAPTER_EVENTS {
            self.totals.adapter_events_elided += 1;
            return;
        }
        self.events.push(AdapterEvent { seen: at.seen(), adapter, what });
    }

    /// Notices long silences of an adapter, and commands that nothing answers.
    fn tick(&mut self, adapter: usize, at: At) {
        let Some(state) = self.adapters.get_mut(adapter) else { return };
        if let Some(gap) = at.time.since(state.last_record_at)
            && gap >= Span::from_ms(90)
        {
            state.gap = Some((gap, at.time));
        }
        if at.time != Moment::UNKNOWN {
            state.last_record_at = at.time;
        }
    }

    /// The connection number and peer of a live handle, for event listings.
    pub fn peer_of(&self, number: u32) -> Option<crate::packet::Address> {
        self.connections.get((number as usize).checked_sub(1)?)?.peer.address
    }

    /// Data on a link: ATT, SMP, signalling, or a fragment of any of them.
    pub(super) fn data(&mut self, adapter: usize, at: At, event: &Event<'_>) -> Option<usize> {
        let (packet, problem) = (&event.packet, event.problem);
        let (handle, transport) = match packet {
            Packet::Att { handle, cid, .. } => (*handle, (*cid == 4).then_some(Transport::Le)),
            Packet::Smp { handle, cid, .. } => (*handle, (*cid == 6).then_some(Transport::Le)),
            Packet::Signal { handle, cid, .. } => {
                (*handle, Some(if *cid == 5 { Transport::Le } else { Transport::BrEdr }))
            }
            Packet::L2cap { handle, psm, .. } => {
                (*handle, psm.is_some_and(|p| p < 0x1000 && p & 1 == 1).then_some(Transport::BrEdr))
            }
            Packet::Fragment { handle, .. } => (*handle, None),
            _ => return None,
        };
        let id = at.link?;
        // Nearly always the link is up, and its beginning was seen.
        if !matches!(self.adapters.get(adapter)?.place(id), Place::Up(_)) {
            self.link_for_data(adapter, at, id, handle, transport)?;
        }
        let state = self.adapters.get_mut(adapter)?;
        let buffers =
            state.facts.le_buffers.map(|(_, count)| u32::from(count)).filter(|count| *count > 0);
        let outstanding = &mut state.outstanding;
        let Place::Up(slot) = state.places.get(id.index()).copied()? else { return None };
        let link = state.links.get_mut(slot as usize)?.as_mut()?;
        let index = link.connection;
        let connection = self.connections.get_mut(index)?;
        if let Some(transport) = transport
            && !connection.start_seen
        {
            connection.transport = transport;
        }
        if event.air.is_some() {
            // A controller's buffers are not on the air.
        } else if at.sent() {
            *outstanding = outstanding.saturating_add(1);
            link.acl_sent(connection, at, *outstanding, buffers);
        } else {
            connection.hear(at, "ACL data from the peer");
        }
        match packet {
            Packet::Att { cid, pdu, .. } => {
                let channel = event.channel.unwrap_or(*cid);
                link.att(connection, at, channel, pdu, problem)
            }
            Packet::Smp { pdu, .. } => {
                self.keys.given(connection, at, pdu);
                link.smp(connection, at, pdu, &mut self.identities)
            }
            Packet::Signal { identifier, pdu, .. } => link.signal(connection, at, *identifier, pdu),
            Packet::L2cap { .. } => connection.touch(at),
            _ => {}
        }
        if let Some(name) = connection.peer.name.as_deref()
            && let Some(address) = connection.peer.address
            && link.name_learned
        {
            link.name_learned = false;
            self.air.name(address, name);
        }
        Some(index)
    }
}

impl Connection {
    /// Data passed on the link.
    pub(super) fn touch(&mut self, at: At) {
        self.last_pdu = Some(at.seen());
        if at.sent() {
            self.last_sent_pdu = Some(at.seen());
        }
    }
}

/// What a drained source says, for [`Tracker::finish`].
#[derive(Clone, Debug)]
pub struct Origin {
    /// File name alone, no folders.
    pub file: String,
    /// What to call the capture.
    pub label: String,
    /// What its reader knows of it.
    pub description: Description,
    /// What its reader found damaged or doubtful.
    pub warnings: Vec<Warning>,
    /// Of the file, where it was asked for.
    pub sha256: Option<[u8; 32]>,
}

impl Tracker {
    /// What [`Self::finish`] would make of the events so far. It takes the time that a copy of everything that is
    /// kept takes, and events go on afterwards as if nobody had asked.
    pub fn snapshot(&self, origin: Origin) -> Capture {
        self.clone().finish(origin)
    }

    /// The connections as far as they have come, in order of their numbers. What only the end of a capture settles
    /// is not in them yet: see [`Self::snapshot`].
    pub fn connections(&self) -> &[Connection] {
        &self.connections
    }

    /// The capture is over: links that are still up end as they are.
    pub fn finish(mut self, origin: Origin) -> Capture {
        self.totals.control = self.kinds.control();
        let frame = self.last_frame;
        let end = At {
            source: self.source,
            frame,
            time: self.last_time.into(),
            direction: Direction::Received,
            cut: false,
            link: None,
        };
        self.end_of_air();
        self.end_of_capture(end, origin.description.format.ends_with("-text"));
        self.totals.devices_beyond_table = self.air.beyond;
        for device in &mut self.air.devices {
            device.identity = self
                .identities
                .of(device.address)
                .or_else(|| self.identities.resolve(device.address));
        }
        for connection in &mut self.connections {
            if connection.gone.is_none() && !connection.end_unknown {
                connection.capture_end = end.time;
            }
            let peer = &mut connection.peer;
            // A key learned later in the capture tells who came earlier.
            let learned =
                |address| self.identities.of(address).or_else(|| self.identities.resolve(address));
            peer.identity = peer.identity.or_else(|| peer.address.and_then(learned));
            let heard = |(address, _)| self.air.name_of(address);
            peer.name = peer
                .name
                .take()
                .or_else(|| self.air.name_of(peer.address?))
                .or_else(|| peer.identity.and_then(heard));
        }
        let description = origin.description;
        let host = std::mem::take(&mut self.signs).conclude(description.format, &self.connections);
        let cut: u64 = self.connections.iter().map(|c| c.cut_packets).sum();
        // What a sniffer hears has no commands and no events.
        let lacking = || self.kinds.lacking(&self.connections);
        let gaps = if self.totals.air == 0 { lacking() } else { Vec::new() };
        let mut capture = Capture {
            source: self.source,
            file: origin.file,
            label: origin.label,
            sha256: origin.sha256,
            format: description.format,
            clock: description.clock,
            resolution_us: description.resolution_us,
            first_time: self.first_time,
            last_time: self.last_time,
            totals: self.totals,
            warnings: origin.warnings,
            adapters: self.adapters.into_iter().map(|a| a.facts).collect(),
            host,
            connections: self.connections,
            devices: self.air.devices,
            adapter_events: self.events,
            fitness: Vec::new(),
            log_lines: self.log_lines,
            filtered: cut > 0,
            gaps,
            numbers: self.numbers,
            index: Index::default(),
        };
        capture.index = Index::of(&capture.devices, &capture.connections);
        capture.fitness = super::fitness::judge(&capture);
        capture
    }
}

#[cfg(test)]
mod tests;
