//! Kinds of packet that must have been there and are not in the recording.
//!
//! A filter, or a logger that writes one direction alone, leaves the rest of the traffic looking like a fault: a
//! controller without answers, a device that is silent. What is left shows that something is missing: hosts do not
//! send command after command without an answer, and nobody completes packets that were never sent.
use super::connection::{Connection, OddityKind};
use super::trace::Capture;
use crate::packet::{Direction, Opcode, Packet, smp};
use crate::time::{Moment, Span};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// A kind of packet that a recording can lack.
    Gap {
        Commands "HCI commands",
        Events "HCI events",
        SentData "data packets from this host",
        ReceivedData "data packets from the other side",
        Completed "Number Of Completed Packets",
    }
}

/// A host waits for the answer to a command before it sends the next one, or gives up after two seconds.
const HASTY: Span = Span::from_ms(1_000);

/// How many packets of each kind there were.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds {
    commands: u64,
    events: u64,
    /// Command Complete and Command Status that speak of a command.
    answers: u64,
    sent: u64,
    /// Of the data sent, what pairs and makes keys after the first question: that may be asked of a silent device, again
    /// and again.
    pairing: u64,
    received: u64,
    completed: u64,
    last_command: Option<Moment>,
    /// A command followed another one within [`HASTY`] before there was any event.
    hasty: bool,
}

impl Kinds {
    pub fn command(&mut self, at: Moment) {
        self.commands += 1;
        if self.events == 0 {
            let since = self.last_command.and_then(|last| at.since(last));
            self.hasty |= since.is_some_and(|since| since < HASTY);
            self.last_command = Some(at);
        }
    }

    /// An event of whatever kind. Answers and counts of completed packets are told on top of that.
    pub fn event(&mut self) {
        self.events += 1;
    }

    /// Command Complete or Command Status.
    pub fn answer(&mut self, opcode: Opcode) {
        self.answers += u64::from(opcode.0 != 0);
    }

    /// Number Of Completed Packets.
    pub fn completed(&mut self) {
        self.completed += 1;
    }

    pub fn data(&mut self, packet: &Packet<'_>, direction: Direction) {
        match packet {
            Packet::Sco { .. } | Packet::Iso { .. } | Packet::Air(_) => {}
            _ if direction == Direction::Sent => {
                self.sent += 1;
                let asks = |pdu: &smp::Pdu<'_>| {
                    matches!(
                        pdu,
                        smp::Pdu::PairingRequest { .. } | smp::Pdu::SecurityRequest { .. }
                    )
                };
                let goes_on = matches!(packet, Packet::Smp { pdu, .. } if !asks(pdu));
                self.pairing += u64::from(goes_on);
            }
            _ => self.received += 1,
        }
    }

    /// How many commands and events there were.
    pub fn control(&self) -> u64 {
        self.commands + self.events
    }

    /// The kinds that must have been there and are not.
    pub fn lacking(&self, connections: &[Connection]) -> Vec<Gap> {
        let odd =
            |kind| connections.iter().any(|c| c.oddities.iter().any(|oddity| oddity.kind == kind));
        let data = self.sent + self.received > 0;
        let overrun = connections.iter().any(|c| c.credits.overrun_frame.is_some());
        let controlled = self.commands + self.events > 0;
        let mut gaps = Vec::new();
        let mut lacks = |gap, lacking: bool| {
            if lacking {
                gaps.push(gap);
            }
        };
        // An export of data alone says so itself.
        lacks(Gap::Commands, self.commands == 0 && self.answers > 0);
        lacks(Gap::Events, controlled && self.events == 0 && (data || self.hasty));
        let unasked = self.completed > 0 || odd(OddityKind::UnexpectedResponse);
        lacks(Gap::SentData, self.sent == 0 && unasked);
        // Who never gets an answer does not ask the next question.
        let goes_on = self.pairing > 0 || odd(OddityKind::SecondRequestInFlight);
        lacks(Gap::ReceivedData, self.received == 0 && goes_on);
        lacks(Gap::Completed, self.events > 0 && self.completed == 0 && overrun);
        gaps
    }
}

impl Connection {
    /// The controller completed more packets than this recording shows being sent: some are missing here.
    pub fn sent_unseen(&self) -> bool {
        self.start_seen && self.credits.completed > self.credits.sent
    }
}

impl Capture {
    /// Whether packets of that kind may have passed without being in this recording: on that link until its end, or,
    /// where no link is named, anywhere.
    pub fn may_lack(&self, gap: Gap, connection: Option<&Connection>) -> bool {
        let data = matches!(gap, Gap::SentData | Gap::ReceivedData);
        let here = |c: &Connection| {
            // Commands and events from before a link say what it met.
            let end = c.end.as_ref().map_or(u32::MAX, |end| end.frame);
            self.lost_packets_of(c)
                || !data && self.lost_packets_by(end)
                || data && c.cut_packets > 0
                || gap == Gap::SentData && c.sent_unseen()
        };
        self.gaps.contains(&gap)
            || !data && self.data_only()
            || connection.map_or_else(|| self.lost_packets(), here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Kind;
    use crate::packet::Status;
    use crate::trace::Trace;

    /// A link on which both sides ask and answer.
    fn link() -> Trace {
        let link = Trace::new().done(crate::packet::hci::Command::ReadBdAddr {}).up().mtu();
        link.discovery(3).hangs_up(Status::REMOTE_USER_TERMINATED)
    }

    fn gaps(keep: impl Fn(Kind, Option<Direction>) -> bool) -> Vec<Gap> {
        link().run_where(|record| keep(record.kind, record.direction)).gaps
    }

    #[test]
    fn what_was_filtered_out_is_told_by_what_is_left() {
        let data =
            |kind, direction: Option<Direction>, of| kind == Kind::Acl && direction == Some(of);
        assert_eq!(gaps(|_, _| true), []);
        assert_eq!(gaps(|kind, _| kind != Kind::Command), [Gap::Commands]);
        assert_eq!(gaps(|kind, _| kind != Kind::Event), [Gap::Events]);
        assert_eq!(gaps(|kind, to| !data(kind, to, Direction::Sent)), [Gap::SentData]);
        assert_eq!(gaps(|kind, to| !data(kind, to, Direction::Received)), [Gap::ReceivedData]);
        assert_eq!(gaps(|kind, _| kind == Kind::Acl), [], "an export of data alone");
        // A silent device is asked to pair twice; keys are made only with one that answers.
        let read = crate::packet::hci::Command::ReadBdAddr {};
        let twice = || Trace::new().done(read).up().asks_to_pair().asks_to_pair();
        let sent = |trace: Trace| {
            trace.run_where(|record| !data(record.kind, record.direction, Direction::Received)).gaps
        };
        assert_eq!(sent(twice()), []);
        let pdu = smp::Pdu::PairingFailed { reason: smp::Reason::UNSPECIFIED_REASON };
        assert_eq!(sent(twice().smp(Direction::Sent, pdu)), [Gap::ReceivedData]);
    }

    /// What is lacking, of a capture with so many packets of each kind.
    fn lacking(change: impl FnOnce(&mut Kinds)) -> Vec<Gap> {
        let mut kinds = Kinds::default();
        change(&mut kinds);
        kinds.lacking(&[])
    }

    #[test]
    fn answers_without_commands_are_those_of_commands_that_are_not_there() {
        assert_eq!(lacking(|k| (k.events, k.answers) = (1, 1)), [Gap::Commands]);
        assert_eq!(lacking(|k| (k.events, k.answers) = (1, 0)), []);
        assert_eq!(lacking(|k| (k.events, k.answers, k.commands) = (1, 1, 1)), []);
        // An answer to no command, opcode 0, only gives the host its turn.
        let mut kinds = Kinds::default();
        kinds.event();
        kinds.answer(Opcode(0));
        assert_eq!(kinds.lacking(&[]), []);
        kinds.answer(Opcode(0x0c03));
        assert_eq!(kinds.lacking(&[]), [Gap::Commands]);
        assert_eq!(kinds.control(), 1);
    }

    #[test]
    fn a_host_that_goes_on_without_any_event_had_some() {
        assert_eq!(lacking(|k| (k.commands, k.received) = (1, 1)), [Gap::Events]);
        assert_eq!(lacking(|k| (k.commands, k.sent) = (1, 1)), [Gap::Events]);
        assert_eq!(lacking(|k| (k.commands, k.hasty) = (1, true)), [Gap::Events]);
        assert_eq!(lacking(|k| k.commands = 1), [], "one command may have no answer yet");
        assert_eq!(lacking(|k| k.received = 1), [], "an export of data alone");
        assert_eq!(lacking(|k| (k.commands, k.received, k.events) = (1, 1, 1)), []);
    }

    /// A host waits for an answer for a second and longer.
    #[test]
    fn a_hasty_command_follows_another_within_a_second() {
        let hasty = |ms: i64, event: bool| {
            let mut kinds = Kinds::default();
            let at = |ms: i64| Moment::from(crate::time::Timestamp(ms * 1000));
            kinds.command(at(0));
            if event {
                kinds.event();
            }
            kinds.command(at(ms));
            kinds.hasty
        };
        assert!(hasty(999, false) && !hasty(1_000, false) && !hasty(999, true));
        let mut one = Kinds::default();
        one.command(Moment::UNKNOWN);
        assert!(!one.hasty);
    }

    #[test]
    fn data_that_was_sent_is_told_by_what_came_of_it() {
        let odd = |kind| {
            let mut connection = Connection::new(0, None, crate::timeline::Transport::Le);
            connection.odd(1, kind);
            connection
        };
        let of = |kinds: Kinds, kind| kinds.lacking(&[odd(kind)]);
        assert_eq!(lacking(|k| (k.events, k.completed) = (1, 1)), [Gap::SentData]);
        assert_eq!(lacking(|k| (k.events, k.completed, k.sent, k.received) = (1, 1, 1, 1)), []);
        let (response, second) =
            (OddityKind::UnexpectedResponse, OddityKind::SecondRequestInFlight);
        let received = || Kinds { received: 1, ..Kinds::default() };
        let sent = || Kinds { sent: 1, ..Kinds::default() };
        assert_eq!(of(received(), response), [Gap::SentData]);
        assert_eq!(of(received(), second), []);
        assert_eq!(of(sent(), second), [Gap::ReceivedData]);
        assert_eq!(of(sent(), response), []);
        assert_eq!(of(Kinds { received: 1, ..sent() }, second), []);
        assert_eq!(of(Kinds { received: 1, ..sent() }, response), []);
        assert_eq!(lacking(|k| (k.sent, k.pairing) = (1, 1)), [Gap::ReceivedData]);
        assert_eq!(lacking(|k| (k.sent, k.received, k.pairing) = (1, 1, 1)), []);
        assert_eq!(lacking(|k| k.sent = 1), []);
    }

    /// More packets than the controller has room for cannot all be on their way: some were reported as sent.
    #[test]
    fn counts_of_completed_packets_are_missing_where_a_host_sends_on() {
        let mut connection = Connection::new(0, None, crate::timeline::Transport::Le);
        let of = |connection: &Connection, events, completed| {
            let kinds = Kinds { sent: 9, received: 1, events, completed, ..Kinds::default() };
            kinds.lacking(std::slice::from_ref(connection))
        };
        assert_eq!(of(&connection, 1, 0), []);
        connection.credits.overrun_frame = Some(9);
        assert_eq!(of(&connection, 1, 0), [Gap::Completed]);
        assert_eq!(of(&connection, 1, 1), []);
        assert_eq!(of(&connection, 0, 0), []);
    }

    #[test]
    fn what_pairs_after_the_first_question_goes_on() {
        use crate::packet::Direction::{Received, Sent};
        let pairing = |trace: Trace| {
            let mut kinds = Kinds::default();
            let mut decoder = crate::decode::Decoder::new();
            for record in trace.records().filter(|record| record.kind == Kind::Acl) {
                let event = decoder.decode(&record);
                kinds.data(&event.packet, event.direction.expect("data has one"));
            }
            (kinds.sent, kinds.received, kinds.pairing)
        };
        let fails = smp::Pdu::PairingFailed { reason: smp::Reason::UNSPECIFIED_REASON };
        let wishes = smp::Pdu::SecurityRequest { auth_req: 1 };
        assert_eq!(pairing(Trace::new().asks_to_pair()), (1, 0, 0));
        assert_eq!(pairing(Trace::new().smp(Sent, wishes)), (1, 0, 0));
        assert_eq!(pairing(Trace::new().smp(Sent, fails)), (1, 0, 1));
        assert_eq!(pairing(Trace::new().smp(Received, fails)), (0, 1, 0));
        assert_eq!(pairing(Trace::new().mtu()), (1, 1, 0));
    }

    #[test]
    fn a_kind_may_lack_where_the_recording_shows_it() {
        use crate::capture::{Warning, WarningKind};
        let all = [Gap::Commands, Gap::Events, Gap::SentData, Gap::ReceivedData, Gap::Completed];
        let capture = link().run();
        let lacks = |capture: &Capture, named: bool| {
            let connection = named.then(|| &capture.connections[0]);
            all.iter()
                .filter(|gap| capture.may_lack(**gap, connection))
                .copied()
                .collect::<Vec<_>>()
        };
        let both = |capture: &Capture| (lacks(capture, true), lacks(capture, false));
        let none = || (vec![], vec![]);
        assert_eq!(both(&capture), none());
        let mut filtered = capture.clone();
        filtered.gaps = vec![Gap::Events];
        assert_eq!(both(&filtered), (vec![Gap::Events], vec![Gap::Events]));
        // Of a link, all that passed until its end; anywhere, all that was lost.
        let mut lossy = capture.clone();
        let warning = Warning::of_all(WarningKind::DroppedPackets, "lost");
        lossy.warnings.push(warning.clone());
        assert_eq!(both(&lossy), (all.to_vec(), all.to_vec()));
        let end = capture.connections[0].end.as_ref().expect("it ended").frame;
        let lost = |first, last| {
            let mut lossy = capture.clone();
            let place = Warning { frame: Some(first), last_frame: Some(last), ..warning.clone() };
            lossy.warnings.push(place);
            lacks(&lossy, true)
        };
        assert_eq!(lost(end, end), all);
        assert_eq!(lost(end + 1, end + 1), []);
        // What was lost before a link is none of its data, but may be a command that made it so.
        assert_eq!(lost(1, 1), [Gap::Commands, Gap::Events, Gap::Completed]);
        let mut cut = capture.clone();
        cut.connections[0].cut_packets = 1;
        assert_eq!(both(&cut), (vec![Gap::SentData, Gap::ReceivedData], vec![]));
        let mut unseen = capture.clone();
        let credits = &mut unseen.connections[0].credits;
        credits.completed = credits.sent + 1;
        assert_eq!(both(&unseen), (vec![Gap::SentData], vec![]));
        unseen.connections[0].credits.completed -= 1;
        assert_eq!(both(&unseen), none());
        // Of a link that was up before, packets were on their way already.
        unseen.connections[0].credits.completed += 1;
        unseen.connections[0].start_seen = false;
        assert_eq!(both(&unseen), none());
        let data_only = Trace::new().mtu().run();
        let control = vec![Gap::Commands, Gap::Events, Gap::Completed];
        assert_eq!(both(&data_only), (control.clone(), control));
    }
}
