//! Commands and their answers: Command Complete, Command Status, and silence.
use super::adapter::Happening;
use super::ends::CLEARED;
use super::link_layer::Answer;
use super::live::{At, BeforeCompleted};
use super::tracker::{OpenCommand, Tracker};
use crate::packet::hci::{Event, Return};
use crate::packet::{LinkId, Opcode, Status};
use crate::time::Span;

/// A command that nothing answered for this long is said to be unanswered (S15).
const ANSWER_LATE: Span = Span::from_ms(2000);

/// Most commands remembered as open on one adapter.
const MOST_COMMANDS: usize = 32;

/// Whether commands without an answer may still get one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    GoesOn,
    /// The adapter starts anew, or the capture ends.
    Over,
}

/// The groups of commands that the specification has. Vendors' own (0x3f) may be answered in a way of their own;
/// the others do not exist, and software that writes such lines into a capture sends them to no controller.
const GROUPS: std::ops::RangeInclusive<u16> = 0x01..=0x08;

const ADD_TO_RESOLVING_LIST: Opcode = Opcode(0x2027);

impl OpenCommand {
    /// Whether an answer of the controller is missing, and this was not reported before.
    fn owed(&self) -> bool {
        GROUPS.contains(&(self.opcode.0 >> 10)) && !self.reported && !self.completed
    }
}

impl Tracker {
    pub(super) fn remember_command(&mut self, adapter: usize, at: At, opcode: Opcode) {
        let Some(state) = self.adapters.get_mut(adapter) else { return };
        state.facts.commands += 1;
        // One that an event of its own has answered gives way to the next of its kind.
        state.commands.retain(|c| !(c.completed && c.opcode == opcode));
        // Silence is no failure there.
        if opcode != Opcode::HOST_NUMBER_OF_COMPLETED_PACKETS {
            if state.commands.len() >= MOST_COMMANDS {
                state.commands.remove(0);
            }
            state.commands.push(OpenCommand {
                opcode,
                seen: at.seen(),
                reported: false,
                completed: false,
                overtaken: false,
            });
        }
        self.signs.command(opcode, at.frame);
    }

    /// Takes the command whose frame the event says that it answers.
    fn answered_command(&mut self, adapter: usize, answers: Option<u32>) -> Option<OpenCommand> {
        let state = self.adapters.get_mut(adapter)?;
        let place = state.commands.iter().position(|c| Some(c.frame) == answers)?;
        let answered = state.commands.remove(place);
        // They stand in the order in which they were sent.
        for earlier in state.commands.iter_mut().take(place) {
            earlier.overtaken = true;
        }
        Some(answered)
    }

    /// An event that ends what a command began: the controller got the command.
    pub(super) fn completed_by(&mut self, adapter: usize, event: &Event<'_>) {
        let Some(state) = self.adapters.get_mut(adapter) else { return };
        for command in &mut state.commands {
            command.completed |= event.completes(command.opcode);
        }
    }

    /// Reports commands that have waited too long.
    pub(super) fn unanswered_until(&mut self, adapter: usize, at: At, wait: Wait) {
        let Some(state) = self.adapters.get_mut(adapter) else { return };
        let mut late = Vec::new();
        for command in &mut state.commands {
            let waited = at.time.since(command.at).is_some_and(|d| d >= ANSWER_LATE);
            if waited && command.owed() && command.frame != at.frame {
                command.reported = true;
                late.push((command.opcode, command.frame, command.overtaken));
            }
        }
        if wait == Wait::Over {
            state.commands.retain(|c| c.frame == at.frame);
        }
        for (opcode, command_frame, overtaken) in late {
            let what = Happening::CommandUnanswered { opcode, command_frame, overtaken };
            self.happened(adapter, at, what);
        }
    }

    /// Number Of Completed Packets: the peer's link layer acknowledged.
    pub(super) fn completed(
        &mut self,
        adapter: usize,
        at: At,
        id: LinkId,
        count: u16,
    ) -> Option<usize> {
        let state = self.adapters.get_mut(adapter)?;
        let outstanding = state.outstanding.saturating_sub(u32::from(count));
        let Some(link) = state.link(id) else {
            // Flushed after the end: it proves nothing.
            return state.ended(id);
        };
        let index = link.connection;
        let completed = usize::from(count).min(link.acl_in_flight.len());
        link.acl_in_flight.drain(..completed);
        let connection = self.connections.get_mut(index)?;
        connection.credits.completed += u64::from(count);
        connection.credits.last_completed = Some(at.seen());
        if count > 0 {
            // Of several counts in one breath, what was known before the first one.
            let breath = |before: &BeforeCompleted| {
                at.time.since(before.completed_at).is_some_and(|since| since < CLEARED)
            };
            if !link.before_completed.as_ref().is_some_and(breath) {
                link.before_completed = Some(BeforeCompleted {
                    completed_at: at.time,
                    last_heard: connection.last_heard,
                    advertised: connection.advertised,
                });
            }
            connection.hear(at, "Number Of Completed Packets");
        }
        state.outstanding = outstanding;
        Some(index)
    }

    pub(super) fn command_complete(
        &mut self,
        adapter: usize,
        at: At,
        opcode: Opcode,
        answer: &Return<'_>,
        answers: Option<u32>,
    ) -> Option<usize> {
        self.late_answer(adapter, at, answers);
        let command = self.answered_command(adapter, answers);
        let state = self.adapters.get_mut(adapter)?;
        match answer {
            Return::ReadLocalVersionInformation {
                status: Status::SUCCESS,
                hci_version,
                company_identifier,
                ..
            } => {
                state.facts.version = Some(*hci_version);
                state.facts.manufacturer = Some(*company_identifier);
            }
            Return::ReadBdAddr { status: Status::SUCCESS, bd_addr } => {
                state.facts.address = Some(*bd_addr)
            }
            Return::LeReadLocalSupportedFeatures { status: Status::SUCCESS, le_features } => {
                state.facts.le_features = Some(*le_features);
            }
            Return::LeReadBufferSize {
                status: Status::SUCCESS,
                le_acl_data_packet_length,
                total_num_le_acl_data_packets,
            } => {
                state.facts.le_buffers =
                    Some((*le_acl_data_packet_length, u16::from(*total_num_le_acl_data_packets)));
            }
            Return::LeReadBufferSizeV2 {
                status: Status::SUCCESS,
                le_acl_data_packet_length,
                total_num_le_acl_data_packets,
                ..
            } => {
                state.facts.le_buffers =
                    Some((*le_acl_data_packet_length, u16::from(*total_num_le_acl_data_packets)));
            }
            _ => {}
        }
        let status = answer.status();
        let frame = answers.unwrap_or(0);
        match status {
            Some(Status::SUCCESS) => self.taken(adapter, at, opcode, answers),
            Some(status) => self.refused(adapter, at, opcode, status, frame),
            None => {}
        }
        command?;
        let link = self.adapters.get_mut(adapter)?.link(at.link?)?;
        let index = link.connection;
        link.command_answered(
            self.connections.get_mut(index)?,
            at,
            opcode,
            status.unwrap_or(Status::SUCCESS),
            Answer::Complete,
        );
        Some(index)
    }

    pub(super) fn command_status(
        &mut self,
        adapter: usize,
        at: At,
        opcode: Opcode,
        status: Status,
        answers: Option<u32>,
    ) -> Option<usize> {
        self.late_answer(adapter, at, answers);
        let command = self.answered_command(adapter, answers);
        let frame = answers.unwrap_or(0);
        if status == Status::SUCCESS {
            self.taken(adapter, at, opcode, answers);
        }
        if let Some(index) = self.create_status(adapter, at, frame, status) {
            if status != Status::SUCCESS {
                self.happened(
                    adapter,
                    at,
                    Happening::CommandFailed { opcode, status, command_frame: frame },
                );
            }
            return Some(index);
        }
        if status != Status::SUCCESS {
            self.refused(adapter, at, opcode, status, frame);
        }
        command?;
        let id = at.link?;
        let state = self.adapters.get_mut(adapter)?;
        let Some(link) = state.link(id) else {
            // Refused because the link is gone: an echo of its end.
            let index = state.ended(id)?;
            if status == Status::UNKNOWN_CONNECTION_IDENTIFIER
                && let Some(end) = self.connections.get_mut(index).and_then(|c| c.end.as_mut())
            {
                end.echoes.push(at.frame);
            }
            return Some(index);
        };
        let index = link.connection;
        link.command_answered(self.connections.get_mut(index)?, at, opcode, status, Answer::Status);
        Some(index)
    }

    /// An answer that came, but later than a controller may take.
    fn late_answer(&mut self, adapter: usize, at: At, answers: Option<u32>) {
        let Some(state) = self.adapters.get_mut(adapter) else { return };
        let waiting = state.commands.iter_mut().find(|c| Some(c.frame) == answers);
        let Some(command) = waiting else { return };
        if command.owed() && at.time.since(command.at).is_some_and(|d| d >= ANSWER_LATE) {
            command.reported = true;
            let (opcode, command_frame) = (command.opcode, command.frame);
            let overtaken = command.overtaken;
            let what = Happening::CommandUnanswered { opcode, command_frame, overtaken };
            self.happened(adapter, at, what);
        }
    }

    /// A command that the controller took: of each family the first one since the reset is remembered.
    fn taken(&mut self, adapter: usize, at: At, opcode: Opcode, answers: Option<u32>) {
        // Where the command came before the capture began, its answer shows that it was taken.
        let command_frame = answers.unwrap_or(at.frame);
        let Some(family) = opcode.family() else { return };
        let Some(state) = self.adapters.get_mut(adapter) else { return };
        if !state.families.contains(&family) {
            state.families.push(family);
            self.happened(adapter, at, Happening::FamilyUsed { opcode, command_frame });
        }
    }

    pub(super) fn refused(
        &mut self,
        adapter: usize,
        at: At,
        opcode: Opcode,
        status: Status,
        command_frame: u32,
    ) {
        // A key that the controller refused cannot resolve addresses.
        if opcode == ADD_TO_RESOLVING_LIST
            && let Some(state) = self.adapters.get_mut(adapter)
            && let Some(identity) = state.last_key.take()
        {
            state.resolving.remove(identity);
        }
        // A scan command that was refused changed nothing.
        if matches!(opcode.0, 0x200c | 0x2042)
            && let Some(state) = self.adapters.get_mut(adapter)
            && status == Status::COMMAND_DISALLOWED
            && let place = self.events.partition_point(|e| e.frame < command_frame)
            && let Some(event) = self.events.get(place)
            && event.frame == command_frame
            && matches!(event.what, Happening::ScanOn(_))
        {
            state.scan = None;
            self.events.remove(place);
        }
        self.happened(adapter, at, Happening::CommandFailed { opcode, status, command_frame });
    }
}
