//! What decoding remembers of each adapter: its links, and commands without an answer.
use super::channels::Channels;
use super::links::Links;
use super::reassembly::Flow;
use crate::packet::hci::LeConnection;
use crate::packet::note::Note;
use crate::packet::{ConnHandle, Direction, Event, LinkId, Opcode, Packet, Status, hci};
use crate::time::{Span, Timestamp};

/// Adapters remembered at once; one more forgets the one unseen for longest.
const MOST_ADAPTERS: usize = 64;
/// Commands that may await their answer; controllers allow one or a few.
const MOST_COMMANDS: usize = 32;
/// The link type of Connection Complete for a link with data.
const ACL: u8 = 1;
/// A host that sends a command again after so long has given up waiting for the first answer.
const GIVEN_UP: Span = Span::from_ms(2_000);
/// Bytes of unfinished frames before they are counted; real captures hold a few hundred.
const MOST_HELD: usize = 4 << 20;

/// All adapters of a capture.
#[derive(Debug)]
pub struct Adapters {
    known: Vec<Adapter>,
    last: usize,
    clock: u64,
    /// Where the next adapter begins to count its links: behind those of all that were forgotten.
    first_link: LinkId,
}

impl Default for Adapters {
    fn default() -> Self {
        Self { known: Vec::new(), last: 0, clock: 0, first_link: LinkId::FIRST }
    }
}

/// One adapter. Reset, and everything forgotten, when its index comes or goes.
#[derive(Debug)]
pub struct Adapter {
    index: Option<u16>,
    seen: u64,
    /// Which handle is which link.
    named: Links,
    /// What is put together of each link, by handle, of which there are 4,096.
    links: Vec<Option<Box<Link>>>,
    /// Commands that wait for Command Complete or Command Status, oldest first.
    commands: Vec<Waiting>,
    /// At least as many bytes as are held for unfinished frames.
    held: usize,
}

/// A command that waits for its answer.
#[derive(Debug)]
struct Waiting {
    opcode: Opcode,
    frame: u32,
    /// The link that the command is about.
    link: Option<LinkId>,
    time: Option<Timestamp>,
    /// An event ended what the command began, so the controller got it, although no answer was seen.
    completed: bool,
}

/// One link: frames and units being put together, channels that are open.
#[derive(Debug, Default)]
pub struct Link {
    /// Sent, received.
    pub flows: [Flow; 2],
    pub channels: Channels,
    /// The capture shows its beginning.
    pub connected: bool,
}

impl Adapters {
    #[inline]
    pub fn get(&mut self, index: Option<u16>) -> &mut Adapter {
        self.clock += 1;
        if self.known.get(self.last).is_none_or(|adapter| adapter.index != index) {
            self.last = self.find(index);
        }
        let adapter = &mut self.known[self.last];
        adapter.seen = self.clock;
        adapter
    }

    /// Bytes held for frames and units that are not complete.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.known
            .iter()
            .flat_map(|adapter| adapter.links.iter().flatten())
            .map(|link| link.held())
            .sum()
    }

    fn find(&mut self, index: Option<u16>) -> usize {
        if let Some(at) = self.known.iter().position(|adapter| adapter.index == index) {
            return at;
        }
        let fresh = Adapter {
            index,
            seen: 0,
            named: Links::from(self.first_link),
            links: Vec::new(),
            commands: Vec::new(),
            held: 0,
        };
        if self.known.len() < MOST_ADAPTERS {
            self.known.push(fresh);
            return self.known.len() - 1;
        }
        let oldest = (0..self.known.len()).min_by_key(|&at| self.known[at].seen).unwrap_or(0);
        self.first_link = self.first_link.max(self.known[oldest].named.next());
        self.known[oldest] = fresh;
        oldest
    }
}

impl Adapter {
    /// The link of a handle, made known if it was not.
    #[inline]
    pub fn link(&mut self, handle: ConnHandle) -> &mut Link {
        let at = usize::from(handle.0 & 0x0fff);
        if self.links.len() <= at {
            self.links.resize_with(at + 1, || None);
        }
        self.links[at].get_or_insert_default()
    }

    /// The link of a data packet.
    #[inline]
    pub fn name(&mut self, handle: ConnHandle, event: &Event<'_>) -> LinkId {
        let sent = event.direction != Some(Direction::Received);
        self.named.of_data(handle, event.time.into(), sent)
    }

    /// Whether the capture shows the beginning of a handle's link.
    pub fn connected(&self, handle: ConnHandle) -> bool {
        self.links
            .get(usize::from(handle.0))
            .and_then(Option::as_ref)
            .is_some_and(|link| link.connected)
    }

    /// The handle of the adapter's link, if there is only one.
    pub fn only_link(&self) -> Option<ConnHandle> {
        let mut known = self.links.iter().zip(0..).filter(|(link, _)| link.is_some());
        known.next().filter(|_| known.next().is_none()).map(|(_, handle)| ConnHandle(handle))
    }

    /// Called for bytes that were put aside. Beyond all reason, unfinished frames are given up.
    pub fn hold(&mut self, bytes: usize) {
        self.held += bytes;
        if self.held <= MOST_HELD {
            return;
        }
        let links = || self.links.iter().flatten();
        self.held = links().map(|link| link.held()).sum();
        if self.held > MOST_HELD / 2 {
            self.links.iter_mut().flatten().for_each(|link| link.give_up());
            self.held = 0;
        }
    }

    /// Learns from what is no ACL packet, and says which link it is about and which command it answers.
    #[inline]
    pub fn follow<'a>(&mut self, event: &mut Event<'a>, completed: &'a mut Vec<LinkId>) {
        match &event.packet {
            Packet::Command(command) => {
                let opcode = command.opcode();
                event.link =
                    command.connection_handle().map(|handle| self.named.of_control(handle));
                if matches!(command, hci::Command::Reset {}) {
                    self.forget();
                    self.named.forget();
                }
                // The answer to a completed command was lost: one that comes now is the next command's.
                // Host Number Of Completed Packets is answered only where it is refused; then the
                // last one was meant, and the earlier ones must not push other commands out.
                let silent = opcode == Opcode::HOST_NUMBER_OF_COMPLETED_PACKETS;
                self.commands.retain(|c| c.opcode != opcode || !(c.completed || silent));
                if self.commands.len() == MOST_COMMANDS {
                    self.commands.remove(0);
                }
                let (frame, link, time) = (event.frame, event.link, event.time);
                self.commands.push(Waiting { opcode, frame, link, time, completed: false });
            }
            Packet::Event(_) => self.follow_event(event, completed),
            Packet::Note(Note::NewIndex { .. } | Note::OpenIndex) => self.forget(),
            Packet::Note(Note::DeleteIndex | Note::CloseIndex) => {
                self.forget();
                self.named.forget();
            }
            _ => {}
        }
    }

    fn follow_event<'a>(&mut self, event: &mut Event<'a>, completed: &'a mut Vec<LinkId>) {
        let Packet::Event(packet) = &event.packet else { return };
        for command in &mut self.commands {
            command.completed |= packet.completes(command.opcode);
        }
        match packet {
            hci::Event::CommandComplete { command_opcode, .. }
            | hci::Event::CommandStatus { command_opcode, .. } => {
                let place = self.waiting_for(*command_opcode);
                if let Some(command) = place.map(|place| self.commands.remove(place)) {
                    event.answers = Some(command.frame);
                    event.link = command.link;
                }
            }
            hci::Event::DisconnectionComplete {
                status: Status::SUCCESS,
                connection_handle,
                ..
            } => {
                self.end(*connection_handle);
                event.link = Some(self.named.end(*connection_handle, event.time.into()));
            }
            hci::Event::ConnectionComplete {
                status: Status::SUCCESS,
                connection_handle,
                link_type,
                ..
            } => {
                self.begin(*connection_handle);
                // Voice links have handles of their own, and their data is not followed.
                if *link_type == ACL {
                    let (link, replaces) = self.named.begin(*connection_handle);
                    (event.link, event.replaces) = (Some(link), replaces);
                }
            }
            hci::Event::NumberOfCompletedPackets { handles } => {
                completed.clear();
                completed.extend(handles.iter().map(|(handle, _)| self.named.of_control(handle)));
                event.link = completed.first().copied();
                event.completed = completed;
            }
            _ => match packet.le_connection_complete() {
                Some(LeConnection { status: Status::SUCCESS, handle, .. }) => {
                    self.begin(handle);
                    let (link, replaces) = self.named.begin(handle);
                    (event.link, event.replaces) = (Some(link), replaces);
                }
                Some(_) => {}
                None => {
                    let handle = packet.connection_handle();
                    event.link = handle.map(|handle| self.named.of_control(handle));
                }
            },
        }
    }

    /// The command that an answer belongs to: the oldest of its kind that the host still waited for when it sent the
    /// next one.
    fn waiting_for(&self, opcode: Opcode) -> Option<usize> {
        let same = |c: &&Waiting| c.opcode == opcode;
        let given_up = |c: &Waiting| {
            let next = self.commands.iter().filter(same).find(|next| next.frame > c.frame);
            let waited = next.and_then(|next| Some(next.time? - c.time?));
            waited.is_some_and(|waited| waited >= GIVEN_UP)
        };
        self.commands.iter().position(|c| c.opcode == opcode && !given_up(c))
    }

    /// A link on the air, which has this handle of our own counting.
    pub fn begin_air(&mut self, handle: ConnHandle) -> LinkId {
        self.begin(handle);
        self.named.begin(handle).0
    }

    fn begin(&mut self, handle: ConnHandle) {
        *self.link(handle) = Link { connected: true, ..Link::default() };
    }

    fn end(&mut self, handle: ConnHandle) {
        if let Some(link) = self.links.get_mut(usize::from(handle.0)) {
            *link = None;
        }
    }

    fn forget(&mut self) {
        self.links.clear();
        self.commands.clear();
        self.held = 0;
    }
}

impl Link {
    fn held(&self) -> usize {
        self.flows.iter().map(Flow::held).sum::<usize>() + self.channels.held()
    }

    fn give_up(&mut self) {
        self.flows.iter_mut().for_each(Flow::reset);
        self.channels.give_up();
    }
}
