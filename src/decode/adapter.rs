//! What decoding remembers of each adapter: its links, and commands without an answer.
use super::channels::Channels;
use super::reassembly::Flow;
use crate::packet::note::Note;
use crate::packet::{ConnHandle, Opcode, Packet, Status, hci};

/// Adapters remembered at once; one more forgets the one unseen for longest.
const MOST_ADAPTERS: usize = 64;
/// Commands that may await their answer; controllers allow one or a few.
const MOST_COMMANDS: usize = 32;
/// Bytes of unfinished frames before they are counted; real captures hold a few hundred.
const MOST_HELD: usize = 4 << 20;

/// All adapters of a capture.
#[derive(Debug, Default)]
pub struct Adapters {
    known: Vec<Adapter>,
    last: usize,
    clock: u64,
}

/// One adapter. Reset, and everything forgotten, when its index comes or goes.
#[derive(Debug, Default)]
pub struct Adapter {
    index: Option<u16>,
    seen: u64,
    /// By handle, of which there are 4,096.
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
        let fresh = Adapter { index, ..Adapter::default() };
        if self.known.len() < MOST_ADAPTERS {
            self.known.push(fresh);
            return self.known.len() - 1;
        }
        let oldest = (0..self.known.len()).min_by_key(|&at| self.known[at].seen).unwrap_or(0);
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

    /// Learns from what is no ACL packet. For an answer: the frame of its command.
    #[inline]
    pub fn follow(&mut self, frame: u32, packet: &Packet<'_>) -> Option<u32> {
        match packet {
            Packet::Command(command) => {
                let opcode = command.opcode();
                if matches!(command, hci::Command::Reset {}) {
                    self.forget();
                }
                // The answer to a completed command was lost: one that comes now is the next command's.
                // Host Number Of Completed Packets is answered only where it is refused; then the
                // last one was meant, and the earlier ones must not push other commands out.
                let silent = opcode == Opcode::HOST_NUMBER_OF_COMPLETED_PACKETS;
                self.commands.retain(|c| c.opcode != opcode || !(c.completed || silent));
                if self.commands.len() == MOST_COMMANDS {
                    self.commands.remove(0);
                }
                self.commands.push(Waiting { opcode, frame, completed: false });
                None
            }
            Packet::Event(event) => self.follow_event(event),
            Packet::Note(
                Note::NewIndex { .. } | Note::DeleteIndex | Note::OpenIndex | Note::CloseIndex,
            ) => {
                self.forget();
                None
            }
            _ => None,
        }
    }

    fn follow_event(&mut self, event: &hci::Event<'_>) -> Option<u32> {
        for command in &mut self.commands {
            command.completed |= event.completes(command.opcode);
        }
        match *event {
            hci::Event::CommandComplete { command_opcode, .. }
            | hci::Event::CommandStatus { command_opcode, .. } => {
                let at = self.commands.iter().position(|c| c.opcode == command_opcode)?;
                return Some(self.commands.remove(at).frame);
            }
            hci::Event::DisconnectionComplete { status, connection_handle, .. }
                if status == Status::SUCCESS =>
            {
                self.end(connection_handle);
            }
            hci::Event::ConnectionComplete { status, connection_handle, .. }
                if status == Status::SUCCESS =>
            {
                self.begin(connection_handle);
            }
            _ => {
                if let Some(link) =
                    event.le_connection_complete().filter(|link| link.status == Status::SUCCESS)
                {
                    self.begin(link.handle);
                }
            }
        }
        None
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
