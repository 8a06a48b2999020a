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
}
