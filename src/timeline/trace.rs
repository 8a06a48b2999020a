//! A whole capture, folded.
use super::adapter::{Adapter, AdapterEvent};
use super::connection::Connection;
use super::device::Device;
use super::gaps::Gap;
use super::hci_numbers::HciNumbers;
use super::index::Index;
use crate::capture::{Warning, WarningKind};
use crate::prose::Text;
use crate::recording::{self, Instructions, Lack};
use crate::seen::SourceId;
use crate::text;
use crate::time::{Clock, Moment, Span, Timestamp};
use crate::vocabulary::vocabulary;
use foldhash::fast::FixedState;
use std::hash::BuildHasher;

vocabulary! {
    /// Host Bluetooth stacks, as the report's vocabulary has them.
    Stack {
        BlueZ "bluez",
        Noble "noble",
        Android "android",
        Ios "ios",
        MacOs "macos",
        NimBle "nimble",
        Zephyr "zephyr",
        Esp "esp",
        BtStack "btstack",
        Bumble "bumble",
        Windows "windows",
    }
}

impl Stack {
    /// Its name as its users write it.
    pub fn name(self) -> &'static str {
        match self {
            Stack::BlueZ => "BlueZ",
            Stack::Noble => "noble",
            Stack::Android => "Android",
            Stack::Ios => "iOS",
            Stack::MacOs => "macOS",
            Stack::NimBle => "NimBLE",
            Stack::Zephyr => "Zephyr",
            Stack::Esp => "ESP-IDF",
            Stack::BtStack => "BTstack",
            Stack::Bumble => "Bumble",
            Stack::Windows => "Windows",
        }
    }
}

/// The host that made the capture.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Host {
    /// Which host stack.
    pub stack: Stack,
    /// Its version, where the capture shows it.
    pub version: Option<String>,
    /// What shows it: the frame, and in words. Habit-based guesses say so.
    pub evidence_frame: Option<u32>,
    /// What shows it, in words.
    pub evidence: String,
    /// From habits, not from a note or a process name.
    pub guessed: bool,
}

vocabulary! {
    /// Why a capture is less than fit for a diagnosis.
    FitnessKind {
        StartsAfterConnection "starts-after-connection",
        /// The log of a phone, which goes on from an earlier file.
        RotatedLog "rotated-log",
        NoConnections "no-connections",
        NoTraffic "no-traffic",
        TextIncomplete "text-incomplete",
        CutPackets "cut-packets",
        AdapterIdle "adapter-idle",
        SeveralAdapters "several-adapters",
        NoLeTraffic "no-le-traffic",
        TooManyAttributes "too-many-attributes",
        TooManyDevices "too-many-devices",
        TooManyAdapterEvents "too-many-adapter-events",
        TooManyConnections "too-many-connections",
        NoTimes "no-times",
        DroppedPackets "dropped-packets",
        DataOnly "data-only",
        /// One kind of packet was filtered out.
        Filtered "filtered",
        EndsBeforeLinks "ends-before-links",
    }
}

impl FitnessKind {
    /// What the recording lacks, where recording again would help.
    pub fn lack(self) -> Option<Lack> {
        Some(match self {
            Self::StartsAfterConnection | Self::RotatedLog => Lack::Beginning,
            Self::NoConnections | Self::NoTraffic | Self::AdapterIdle | Self::NoLeTraffic => {
                Lack::Adapter
            }
            Self::TextIncomplete => Lack::Bytes,
            Self::CutPackets => Lack::Values,
            Self::NoTimes => Lack::Times,
            Self::DroppedPackets => Lack::Packets,
            Self::DataOnly => Lack::Control,
            Self::Filtered => Lack::OneKind,
            Self::SeveralAdapters
            | Self::TooManyAttributes
            | Self::TooManyDevices
            | Self::TooManyAdapterEvents
            | Self::TooManyConnections
            | Self::EndsBeforeLinks => return None,
        })
    }
}

/// Why a capture is less than fit for a diagnosis, and how to record a better one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fitness {
    /// What is lacking.
    pub kind: FitnessKind,
    /// What that means for the report.
    pub says: Text,
    /// How to record it better.
    pub remedy: Text,
}

/// What was counted in a whole capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// All records.
    pub records: u64,
    /// Frames on the air among them.
    pub air: u64,
    /// HCI commands and events among them.
    pub control: u64,
    /// Records that the capture cut.
    pub cut: u64,
    /// Records that no decoder knows.
    pub opaque: u64,
    /// Records that do not fit the specification.
    pub malformed: u64,
    /// Advertising reports.
    pub advertising_reports: u64,
    /// Device advertising that found no room in the bounded table.
    pub devices_beyond_table: u64,
    /// Events of adapters beyond the most that are kept.
    pub adapter_events_elided: u64,
    /// Attempts beyond the most that are kept.
    pub connections_elided: u64,
    /// Servers whose attributes are no longer kept: there were too many before.
    pub databases_elided: u64,
}

/// A line of a daemon's log among the packets, by which a log of the same daemon is found to be of the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Of the line's text, see [`hash_of_line`].
    pub hash: u64,
    /// Where it is.
    pub frame: u32,
    /// When it was written.
    pub at: Moment,
}

/// A number for a line of a log: the same for the same words, in one run of the program. It is asked of each of
/// thousands of lines, so it takes many bytes at a step.
pub fn hash_of_line(text: &str) -> u64 {
    FixedState::default().hash_one(text.trim_end_matches(['\0', '\n', '\r', ' ']))
}

/// A capture after the last event: plain data for compare, rules and reports.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Capture {
    /// What facts of this capture name as their source.
    pub source: SourceId,
    /// File name alone, no folders.
    pub file: String,
    /// What to call this side.
    pub label: String,
    /// Of the file, where it was asked for and the file could be read to its end.
    pub sha256: Option<[u8; 32]>,
    /// The name of the file's format.
    pub format: &'static str,
    /// What its times mean.
    pub clock: Clock,
    /// No difference of times is finer than this, in microseconds.
    pub resolution_us: u32,
    /// The earliest time.
    pub first_time: Option<Timestamp>,
    /// The latest time.
    pub last_time: Option<Timestamp>,
    /// What was counted.
    pub totals: Totals,
    /// What was damaged or doubtful when it was read.
    pub warnings: Vec<Warning>,
    /// The controllers in it.
    pub adapters: Vec<Adapter>,
    /// The host that made it, where that can be told.
    pub host: Option<Host>,
    /// In order of first sight; `number` is the index plus one.
    pub connections: Vec<Connection>,
    /// Devices that were heard or connected to.
    pub devices: Vec<Device>,
    /// In order of frame.
    pub adapter_events: Vec<AdapterEvent>,
    /// What the capture lacks for a sure diagnosis.
    pub fitness: Vec<Fitness>,
    /// Lines of daemons that the monitor recorded beside the packets, in order.
    pub log_lines: Vec<LogLine>,
    /// The recording left packets out on purpose (Android's filtered logs) or cut them.
    pub filtered: bool,
    /// Kinds of packet that must have passed and are not in the recording.
    pub gaps: Vec<Gap>,
    /// What btmon calls each frame.
    pub(crate) numbers: HciNumbers,
    /// Who is who, found without a search.
    pub(crate) index: Index,
}

impl Capture {
    /// The devices that were heard, counted: where not all of them were kept, that there were more.
    pub(crate) fn devices_heard(&self) -> Text {
        let more = if self.totals.devices_beyond_table > 0 { "more than " } else { "" };
        text!("{}{} devices", more, self.devices.len())
    }

    /// How to record on the host that made this capture, where something shows which it is.
    pub fn instructions(&self) -> Option<&'static Instructions> {
        let host = self.host.as_ref();
        let id = match (host.map(|host| host.stack), self.format) {
            (Some(Stack::Android), _) => {
                return Some(recording::android(host.and_then(|host| host.version.as_deref())));
            }
            (Some(Stack::Noble), _) => "noble",
            (Some(Stack::BlueZ), _)
            | (None, "btmon-text" | "monitor-stream" | "hcidump" | "hcidump-text") => "bluez",
            (Some(Stack::Ios), _) => "ios",
            (Some(Stack::MacOs), _) | (None, "packetlogger" | "packetlogger-text") => "macos",
            (None, "btsnooz") => "android",
            (Some(Stack::Windows), _) => "windows",
            (Some(Stack::Esp), _) => "esp32",
            (Some(Stack::Zephyr), _) => "zephyr",
            _ => return None,
        };
        recording::instructions(id)
    }

    /// The recording holds data of links and not one HCI command or event: an export of filtered packets.
    pub fn data_only(&self) -> bool {
        self.totals.control == 0 && !self.on_air() && !self.connections.is_empty()
    }

    /// Whether it is a sniffer's capture of the air, and no host's.
    pub fn on_air(&self) -> bool {
        self.totals.air > 0 && self.totals.control == 0
    }

    /// A request that is made again this soon after it was cancelled goes on.
    pub const RENEWED: Span = Span::from_ms(2_000);

    /// Whether an attempt was cancelled only to be made again at once, as hosts do that wait by accept list.
    pub fn renewed(&self, attempt: &Connection) -> bool {
        let cancelled = attempt.request.as_ref().and_then(|request| request.cancelled);
        let Some(cancelled) = cancelled else { return false };
        let later = self.connections.iter().skip(attempt.number as usize);
        // The next one tells; that a clock stepped back in between does not.
        later.filter(|next| next.adapter == attempt.adapter).take(2).any(|next| {
            let again = next.request.as_ref().and_then(|request| request.since(&cancelled));
            again.is_some_and(|gap| gap < Self::RENEWED)
        })
    }

    /// What btmon calls a frame, where that is not the frame's own number: `#73`.
    pub fn btmon_number(&self, frame: u32) -> Option<u32> {
        // It reads these two.
        let reads = matches!(self.format, "btsnoop" | "packetlogger");
        self.numbers.of(frame).filter(|number| reads && *number != frame)
    }

    /// The connection of that number.
    pub fn connection(&self, number: u32) -> Option<&Connection> {
        self.connections.get((number as usize).checked_sub(1)?)
    }

    /// The device of that address.
    pub fn device(&self, address: crate::packet::Address) -> Option<&Device> {
        self.devices.get(self.index.device(address)?)
    }

    /// What was heard under the private addresses of this identity, in order.
    pub fn aliases(&self, identity: crate::packet::Address) -> impl Iterator<Item = &Device> {
        self.index.aliases(identity).iter().filter_map(|place| self.devices.get(*place))
    }

    /// Whether the logger says that it lost packets.
    pub fn lost_packets(&self) -> bool {
        self.warnings.iter().any(|warning| warning.kind == WarningKind::DroppedPackets)
    }

    /// Whether the logger's first loss came before that frame, or has no place.
    pub fn lost_packets_by(&self, frame: u32) -> bool {
        self.lost_packets_between(0, frame)
    }

    /// Whether the logger may have lost packets between two frames. Only its first and its last loss have a place.
    pub(crate) fn lost_packets_between(&self, from: u32, to: u32) -> bool {
        let losses = self.warnings.iter().filter(|w| w.kind == WarningKind::DroppedPackets);
        losses.map(|w| (w.frame, w.last_frame)).any(|(first, last)| {
            first.is_none_or(|first| first <= to) && last.is_none_or(|last| last >= from)
        })
    }

    /// Whether the logger lost packets that may have been this connection's.
    pub fn lost_packets_of(&self, connection: &Connection) -> bool {
        let gone = || connection.gone.as_ref().map(|gone| gone.frame);
        let end = connection.end.as_ref().map(|end| end.frame).or_else(gone);
        self.lost_packets_between(connection.first_frame(), end.unwrap_or(u32::MAX))
    }

    /// Other attempts to the same device, at most so many on either side of that one, in order.
    pub fn kin(&self, of: &Connection, most: usize) -> impl Iterator<Item = &Connection> {
        let all = of.peer.who().map_or(&[][..], |peer| self.index.attempts_of(peer));
        let place = all.partition_point(|number| *number < of.number);
        let near = all.get(place.saturating_sub(most)..all.len().min(place + most + 1));
        let others = near.unwrap_or_default().iter().filter(move |number| **number != of.number);
        others.filter_map(|number| self.connection(*number))
    }

    /// Attempts whose peer had this address, in order.
    pub fn attempts_to(
        &self,
        address: crate::packet::Address,
    ) -> impl Iterator<Item = &Connection> {
        self.index.attempts_to(address).iter().filter_map(|number| self.connection(*number))
    }

    /// Connections whose peer proved to have this identity, in order.
    pub fn identified_as(
        &self,
        identity: crate::packet::Address,
    ) -> impl Iterator<Item = &Connection> {
        self.index.identified_as(identity).iter().filter_map(|number| self.connection(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Warning;
    use crate::packet::{Address, AddressType, Status};
    use crate::trace::{PEER, Trace};

    const USER: Status = Status::REMOTE_USER_TERMINATED;

    /// A host that waits by list takes its request back and makes it again at once.
    #[test]
    fn a_request_that_is_made_again_within_two_seconds_goes_on() {
        let waits = |pause: u32| Trace::new().create().wait_ms(500).cancel().wait_ms(pause);
        let renewed = |trace: Trace| {
            let capture = trace.run();
            capture.renewed(&capture.connections[0])
        };
        // From the cancel to the next request: the cancel, its answer, and the end of the wait.
        let exactly = |us: i64| {
            let mut capture = waits(100).followed_by(Trace::new().create()).run();
            let cancelled = capture.connections[0].request.as_ref().and_then(|r| r.cancelled);
            let at = cancelled.expect("taken back").at.time().expect("a time") + Span(us);
            capture.connections[1].request.as_mut().expect("asked for").seen.at = at.into();
            capture.renewed(&capture.connections[0])
        };
        assert!(exactly(1_999_999) && !exactly(2_000_000));
        assert!(renewed(waits(100).followed_by(Trace::new().create())));
        assert!(!renewed(waits(100)), "nothing follows");
        assert!(!renewed(
            Trace::new().create().wait_ms(500).peer(Address([9; 6]), AddressType::PUBLIC).create()
        ));
        // The next but one tells, too; a third does not.
        let failed = || Trace::new().connected_as(1, 24, 0, 500).disconnected(USER);
        assert!(renewed(waits(100).followed_by(failed()).followed_by(Trace::new().create())));
        assert!(!renewed(
            waits(100)
                .followed_by(failed())
                .followed_by(failed())
                .followed_by(Trace::new().create())
        ));
        // Another adapter's request says nothing.
        let other = waits(100).adapter(1).create();
        assert!(!renewed(other));
    }

    #[test]
    fn a_frame_has_btmons_number_where_btmon_reads_the_file_and_counts_otherwise() {
        let trace = Trace::new().monitor(12, b"a note\0").advertises(0);
        let of = |format, frame| trace.run_as(format).btmon_number(frame);
        assert_eq!((of("btsnoop", 1), of("btsnoop", 2)), (None, Some(1)));
        assert_eq!((of("packetlogger", 2), of("pcap", 2)), (Some(1), None));
        assert_eq!(Trace::new().advertises(0).run().btmon_number(1), None, "the same number");
    }

    #[test]
    fn a_loss_without_a_place_may_be_anywhere() {
        let capture = |frame, last_frame, kind| {
            let mut capture = Trace::new().advertises(0).run();
            capture.warnings.push(Warning { frame, last_frame, ..Warning::of_all(kind, "lost") });
            capture
        };
        let dropped = WarningKind::DroppedPackets;
        let between =
            |first, last, from, to| capture(first, last, dropped).lost_packets_between(from, to);
        assert!(between(None, None, 5, 6));
        assert!(between(Some(6), None, 5, 6) && !between(Some(7), None, 5, 6));
        assert!(between(None, Some(5), 5, 6) && !between(None, Some(4), 5, 6));
        assert!(!capture(None, None, WarningKind::TimeJumps).lost_packets());
        assert!(!capture(None, None, WarningKind::TimeJumps).lost_packets_between(0, 9));
        assert!(capture(None, None, dropped).lost_packets());
        assert!(capture(Some(6), None, dropped).lost_packets_by(6));
        assert!(!capture(Some(7), None, dropped).lost_packets_by(6));
    }

    #[test]
    fn a_capture_is_of_data_alone_of_the_air_or_of_a_host() {
        let of = |capture: &Capture| (capture.data_only(), capture.on_air());
        assert_eq!(of(&Trace::new().mtu().run()), (true, false));
        assert_eq!(of(&Trace::new().up().run()), (false, false));
        assert_eq!(of(&Trace::new().run()), (false, false), "nothing at all");
        let air = Trace::from(crate::trace::on_air::OnAir::up()).run();
        assert_eq!(of(&air), (false, true));
        let mut both = air;
        both.totals.control = 1;
        assert_eq!(of(&both), (false, false));
    }

    #[test]
    fn a_connection_is_found_by_its_number() {
        let capture = Trace::new().up().run();
        let number = |n| capture.connection(n).map(|c| c.number);
        assert_eq!([number(0), number(1), number(2)], [None, Some(1), None]);
        assert!(capture.device(PEER).is_none(), "connected to, and not heard");
    }

    #[test]
    fn a_log_line_is_the_same_without_its_end() {
        let hash = hash_of_line("a line");
        assert!(
            ["a line\n", "a line\0", "a line \r\n"].iter().all(|line| hash_of_line(line) == hash)
        );
        assert_ne!(hash_of_line("another line"), hash);
    }
}
