//! Notes, sockets and the kernel's management interface: what the host said beside HCI.
use super::adapter::Happening;
use super::any::AnyOf;
use super::connection::AdapterLoss;
use super::live::At;
use super::trace::{LogLine, hash_of_line};
use super::tracker::Tracker;
use crate::packet::note::Note;
use crate::packet::{Address, mgmt};
use crate::redact;
use std::sync::LazyLock;

/// Longer lines of a log are left out whole, in bytes: of a name or a key that was cut, nobody could tell any more
/// that the rest has to be hidden.
const LONGEST_LINE: usize = 384;

/// Most lines of daemons whose hash is kept.
const MOST_LOG_LINES: usize = 100_000;

/// What lines of a daemon's log have that speak of a failure.
const FAILURES: [&str; 10] = [
    "connect to ",
    "connect error",
    "No agent available",
    "reason ",
    "Software caused",
    "not implemented",
    "rejected",
    "failed",
    "timed out",
    "unexpected",
];

/// What lines about a switch that blocks radios have, in bluetoothd's log.
const SWITCH: &str = "RFKILL event idx ";

/// Finds whether a line has any word of a failure.
static TELLING: LazyLock<AnyOf> = LazyLock::new(|| AnyOf::new(FAILURES));

/// Finds whether a line says anything that is kept. Most say nothing, and there may be millions of them.
static NEWS: LazyLock<AnyOf> = LazyLock::new(|| AnyOf::new(FAILURES.into_iter().chain([SWITCH])));

impl Tracker {
    pub(super) fn note(&mut self, index: Option<u16>, at: At, note: &Note<'_>) {
        match note {
            Note::NewIndex { bus, address, name, .. } => {
                let Some(adapter) = self.adapter(index) else { return };
                let Some(state) = self.adapters.get_mut(adapter) else { return };
                state.facts.bus = Some(*bus);
                if *address != Address::default() {
                    state.facts.address = Some(*address);
                }
                let name = name.trim_end_matches('\0');
                if !name.is_empty() {
                    state.facts.name = Some(name.to_owned());
                }
            }
            Note::IndexInfo { address, manufacturer } => {
                let Some(adapter) = self.adapter(index) else { return };
                let Some(state) = self.adapters.get_mut(adapter) else { return };
                if *address != Address::default() {
                    state.facts.address = Some(*address);
                }
                state.facts.manufacturer.get_or_insert(*manufacturer);
            }
            Note::OpenIndex => {
                self.happened_on(index, at, Happening::IndexOpened);
                if let Some(adapter) = self.adapter(index) {
                    self.switched(adapter, true, None);
                }
            }
            Note::CloseIndex => {
                self.happened_on(index, at, Happening::IndexClosed);
                if let Some(adapter) = self.adapter(index) {
                    self.adapter_down(adapter, at, AdapterLoss::PoweredOff);
                }
            }
            Note::DeleteIndex => {
                if let Some(adapter) = self.adapter(index) {
                    self.adapter_removed(adapter, at);
                }
            }
            Note::System { text } => self.signs.text(at.frame, text),
            Note::UserLogging { process, text, .. } => {
                self.signs.text(at.frame, text);
                if self.log_lines.len() < MOST_LOG_LINES {
                    let hash = hash_of_line(text);
                    self.log_lines.push(LogLine { hash, frame: at.frame, at: at.time });
                }
                self.log_line(index, at, process, text);
            }
            Note::ControlOpen { cookie, format, process } => {
                let process = &*redact::text(process.trim_end_matches('\0'));
                self.signs.process(at.frame, process);
                if self.sockets.len() < 256 {
                    self.sockets.insert(*cookie, process.to_owned());
                }
                let channel = match format {
                    0 => "raw",
                    1 => "user",
                    2 => "control",
                    _ => return,
                };
                self.happened_on(
                    index,
                    at,
                    Happening::ProcessOpened { process: process.to_owned(), channel },
                );
            }
            Note::ControlClose { cookie, process } => {
                // A narrow terminal cuts the name where the socket opens, seldom where it closes.
                let opened = self.sockets.remove(cookie);
                let known = opened.filter(|process| !process.ends_with(".."));
                let said = || {
                    let process = process.as_deref().filter(|p| !p.ends_with(".."));
                    process.map(|process| redact::text(process).into_owned())
                };
                if let Some(process) = known.or_else(said) {
                    self.happened_on(index, at, Happening::ProcessClosed { process });
                }
            }
            Note::PacketLogger { text, .. } => self.signs.text(at.frame, text),
            Note::VendorDiagnostic { .. } | Note::UserData { .. } => {}
        }
    }

    /// Of a daemon's log, the lines that speak of a failure.
    fn log_line(&mut self, index: Option<u16>, at: At, process: &str, text: &str) {
        if !NEWS.is_in(text) {
            return;
        }
        if let Some(blocked) = rfkill(text) {
            // Its number is rfkill's own, so it may mean any adapter.
            for adapter in 0..self.adapters.len() {
                self.switched(adapter, !blocked, Some("rfkill".to_owned()));
            }
        }
        if !TELLING.is_in(text) {
            return;
        }
        let text = text.trim_end_matches(['\0', '\n']);
        if text.len() > LONGEST_LINE {
            return;
        }
        let process = process.trim_end_matches('\0').to_owned();
        self.happened_on(index, at, Happening::Log { process, text: text.to_owned() });
    }

    /// Each event is logged once for every open control socket: the copies say nothing new.
    fn repeated(&mut self, index: Option<u16>, at: At, what: &Happening) -> bool {
        self.events
            .iter()
            .rev()
            .take(8)
            .any(|e| e.adapter == index && e.at == at.time && e.what == *what)
    }

    pub(super) fn mgmt(
        &mut self,
        index: Option<u16>,
        at: At,
        cookie: u32,
        pdu: &mgmt::Pdu<'_>,
    ) -> Option<u32> {
        let what = match *pdu {
            mgmt::Pdu::Event(mgmt::Event::DeviceConnected {
                address, address_type, eir, ..
            }) => {
                self.air.hint(address, mgmt_address_type(address_type), eir.0);
                if let Some(name) = self.air.name_of(address)
                    && let Some(connection) = self.live_with(address)
                {
                    connection.peer.name.get_or_insert(name);
                }
                Happening::DeviceConnected { address, address_type }
            }
            mgmt::Pdu::Event(mgmt::Event::DeviceDisconnected { address, address_type, reason }) => {
                if let Some(connection) = self.latest_with(address) {
                    connection.mgmt_reason.get_or_insert((at.frame, reason));
                }
                Happening::DeviceDisconnected { address, address_type, reason }
            }
            mgmt::Pdu::Event(mgmt::Event::ConnectFailed { address, address_type, status }) => {
                if let Some(connection) = self.latest_with(address) {
                    connection.mgmt_failed.get_or_insert((at.frame, status.0));
                }
                Happening::ConnectFailed { address, address_type, status: status.0 }
            }
            mgmt::Pdu::Event(mgmt::Event::AuthenticationFailed { address, status, .. }) => {
                Happening::AuthenticationFailed { address, status: status.0 }
            }
            mgmt::Pdu::Event(mgmt::Event::UserConfirmationRequest { address, .. }) => {
                Happening::ConfirmationAsked { address }
            }
            mgmt::Pdu::Command(mgmt::Command::UserConfirmationReply { address, .. }) => {
                Happening::ConfirmationAnswered { address, accepted: true }
            }
            mgmt::Pdu::Command(mgmt::Command::UserConfirmationNegativeReply {
                address, ..
            }) => Happening::ConfirmationAnswered { address, accepted: false },
            mgmt::Pdu::Event(mgmt::Event::NewIdentityResolvingKey {
                address,
                address_type,
                ref value,
                ..
            }) => {
                self.identities.learn(*value.bytes(), address, mgmt_address_type(address_type));
                return None;
            }
            mgmt::Pdu::Command(mgmt::Command::SetPowered { powered }) => {
                let process = self.sockets.get(&cookie).cloned();
                if let Some(adapter) = self.adapter(index) {
                    self.switched(adapter, powered != 0, process);
                }
                Happening::Powered(powered != 0)
            }
            mgmt::Pdu::Command(mgmt::Command::StartDiscovery { .. }) => Happening::DiscoveryStarted,
            mgmt::Pdu::Command(mgmt::Command::StopDiscovery { .. }) => Happening::DiscoveryStopped,
            mgmt::Pdu::Event(mgmt::Event::ControllerSuspend { .. }) => Happening::Suspended,
            mgmt::Pdu::Event(mgmt::Event::ControllerResume { .. }) => Happening::Resumed,
            mgmt::Pdu::Event(mgmt::Event::DeviceFound { address, address_type, eir, .. }) => {
                self.air.hint(address, mgmt_address_type(address_type), eir.0);
                return None;
            }
            _ => return None,
        };
        if !self.repeated(index, at, &what) {
            self.happened_on(index, at, what);
        }
        None
    }

    fn latest_with(&mut self, address: Address) -> Option<&mut super::Connection> {
        self.connections.iter_mut().rev().take(64).find(|c| c.peer.address == Some(address))
    }

    fn live_with(&mut self, address: Address) -> Option<&mut super::Connection> {
        self.latest_with(address).filter(|c| c.end.is_none())
    }
}

/// What bluetoothd writes of a Bluetooth switch (type 2): whether it is blocked now.
fn rfkill(text: &str) -> Option<bool> {
    let (_, event) = text.split_once(SWITCH)?;
    let words: Vec<&str> = event.trim_end_matches(['\0', '\n']).split(' ').collect();
    let value = |name| {
        let place = words.iter().position(|word| *word == name)?;
        words.get(place + 1).copied()
    };
    (value("type") == Some("2")).then(|| value("soft") == Some("1") || value("hard") == Some("1"))
}

/// mgmt counts BR/EDR as 0, LE public as 1 and LE random as 2.
fn mgmt_address_type(kind: u8) -> crate::packet::AddressType {
    crate::packet::AddressType(u8::from(kind == 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Trace;

    /// Half of a name cannot be hidden any more.
    #[test]
    fn a_line_of_a_log_is_kept_whole_or_not_at_all() {
        let kept = |length: usize| -> Vec<usize> {
            let text = format!("{:x<length$}", "failed: ");
            let note = [&[3, 11][..], b"bluetoothd\0", text.as_bytes(), b"\0"].concat();
            let events = Trace::new().monitor(13, &note).up().run().adapter_events;
            let logged = |what: &Happening| match what {
                Happening::Log { text, .. } => Some(text.len()),
                _ => None,
            };
            events.iter().filter_map(|event| logged(&event.what)).collect()
        };
        assert_eq!(kept(384), [384]);
        assert!(kept(384 + 1).is_empty());
        // The longest name of a device, in a line of bluetoothd's.
        const { assert!(LONGEST_LINE > 248 + 100) }
    }

    use crate::timeline::tests::{happened, only};
    use crate::trace::PEER;

    /// A switch of type 2 is one of Bluetooth's (the kernel's rfkill.h).
    #[test]
    fn a_bluetooth_switch_is_blocked_by_hand_or_by_software() {
        let line = |kind, soft, hard| {
            rfkill(&format!("RFKILL event idx 1 type {kind} op 2 soft {soft} hard {hard}\n\0"))
        };
        assert_eq!(
            (line(2, 1, 0), line(2, 0, 1), line(2, 0, 0)),
            (Some(true), Some(true), Some(false))
        );
        assert_eq!(line(1, 1, 0), None, "a switch of the WLAN");
        assert_eq!(rfkill("another line"), None);
        assert_eq!(rfkill("RFKILL event idx 1 type"), None);
        assert_eq!([0, 1, 2].map(|kind| mgmt_address_type(kind).0), [0, 0, 1]);
    }

    fn events(trace: Trace) -> Vec<Happening> {
        happened(trace)
    }

    /// A line of a daemon's log, as the monitor records it.
    fn logged(trace: Trace, text: &str) -> Trace {
        let note = [&[3, 11][..], b"bluetoothd\0", text.as_bytes(), b"\0"].concat();
        trace.monitor(13, &note)
    }

    #[test]
    fn only_lines_that_speak_of_a_failure_are_kept() {
        let kept = |text: &str| !events(logged(Trace::new(), text)).is_empty();
        for telling in [
            "connect to 00",
            "connect error",
            "No agent available",
            "reason 8",
            "timed out",
            "rejected",
        ] {
            assert!(kept(telling), "{telling}");
        }
        assert!(!kept("Endpoint registered"));
        // The hash of each line is kept, whatever it says.
        assert_eq!(logged(Trace::new(), "Endpoint registered").run().log_lines.len(), 1);
    }

    #[test]
    fn an_adapter_is_what_the_kernel_says_of_it() {
        let index = |address: [u8; 6], name: &str| {
            let payload = [&[0, 3], &address[..], name.as_bytes(), b"\0"].concat();
            Trace::new().monitor(0, &payload)
        };
        let facts = |trace: Trace| trace.run().adapters.remove(0);
        let known = facts(index([1, 2, 3, 4, 5, 6], "hci0"));
        assert_eq!((known.bus, known.name.as_deref()), (Some(3), Some("hci0")));
        assert_eq!(known.address, Some(Address([1, 2, 3, 4, 5, 6])));
        let unknown = facts(index([0; 6], ""));
        assert_eq!((unknown.address, unknown.name), (None, None));
        let info = |trace: Trace, address: [u8; 6], maker: u8| {
            trace.monitor(10, &[&address[..], &[maker, 0]].concat())
        };
        let later = facts(info(index([1; 6], "hci0"), [2; 6], 0x0f));
        assert_eq!((later.address, later.manufacturer), (Some(Address([2; 6])), Some(0x0f)));
        let later = facts(info(info(index([1; 6], "hci0"), [0; 6], 0x0f), [0; 6], 0x1f));
        assert_eq!((later.address, later.manufacturer), (Some(Address([1; 6])), Some(0x0f)));
    }

    #[test]
    fn a_program_is_named_where_it_opens_and_closes_its_socket() {
        let closes = |trace: Trace, cookie: u32| trace.monitor(15, &cookie.to_le_bytes());
        let opened = |format| {
            let first = events(Trace::new().opens(7, format, "bluetoothd")).into_iter().next();
            match first {
                Some(Happening::ProcessOpened { channel, .. }) => Some(channel),
                _ => None,
            }
        };
        let words = [0, 1, 2, 3].map(opened);
        assert_eq!(words, [Some("raw"), Some("user"), Some("control"), None]);
        let closed = |trace: Trace| {
            let all = events(trace);
            all.into_iter().find_map(|what| match what {
                Happening::ProcessClosed { process } => Some(process),
                _ => None,
            })
        };
        let open = || Trace::new().opens(7, 2, "bluetoothctl");
        assert_eq!(closed(closes(open(), 7)).as_deref(), Some("bluetoothctl"));
        assert_eq!(closed(closes(open(), 8)), None, "another socket");
        // A narrow terminal cut the name.
        assert_eq!(closed(closes(Trace::new().opens(7, 2, "bluetoo.."), 7)), None);
        let many = (0..300_u32).fold(Trace::new(), |trace, n| trace.opens(n, 2, "program"));
        assert!(closed(closes(many.clone(), 255)).is_some() && closed(closes(many, 256)).is_none());
    }

    /// mgmt: the peer's address, its type, and what follows.
    fn of_peer(trace: Trace, code: u16, rest: &[u8]) -> Trace {
        let payload = [&7_u32.to_le_bytes()[..], &code.to_le_bytes(), &PEER.0, &[2], rest].concat();
        trace.monitor(17, &payload)
    }

    const CONNECTED: u16 = 0x000b;
    const DISCONNECTED: u16 = 0x000c;
    const CONNECT_FAILED: u16 = 0x000d;

    #[test]
    fn the_kernels_word_belongs_to_the_latest_attempt() {
        let both = Trace::new().up().hangs_up(crate::packet::Status::REMOTE_USER_TERMINATED);
        let both = of_peer(both.followed_by(Trace::new().up()), DISCONNECTED, &[3]).run();
        let reasons = both.connections.iter().map(|c| c.mgmt_reason.map(|(_, reason)| reason));
        assert_eq!(reasons.collect::<Vec<_>>(), [None, Some(3)]);
        let twice =
            only(of_peer(of_peer(Trace::new().up(), DISCONNECTED, &[3]), DISCONNECTED, &[2]));
        assert_eq!(twice.mgmt_reason.map(|(_, reason)| reason), Some(3), "the first word stands");
        let failed = only(of_peer(Trace::new().create(), CONNECT_FAILED, &[4]));
        assert_eq!(failed.mgmt_failed.map(|(_, status)| status), Some(4));
    }

    #[test]
    fn a_name_that_the_kernel_knows_is_that_of_the_live_link() {
        let name = |trace: Trace| {
            let eir = [0, 0, 0, 0, 6, 0, 5, 0x09, b'L', b'a', b'm', b'p'];
            let (mut decoder, mut tracker) = (crate::decode::Decoder::new(), Tracker::new());
            for record in of_peer(trace, CONNECTED, &eir).records() {
                tracker.push(&decoder.decode(&record));
            }
            tracker.connections[0].peer.name.clone()
        };
        assert_eq!(name(Trace::new().up()).as_deref(), Some("Lamp"));
        let over = Trace::new().up().disconnected(crate::packet::Status::CONNECTION_TIMEOUT);
        assert_eq!(name(over), None);
    }

    /// Every open socket gets a copy of an event, at the same moment.
    #[test]
    fn copies_of_one_event_are_one_event() {
        let at = crate::time::Timestamp(1_757_000_000_000_000);
        let pushed = |times: &[i64], reasons: &[u8]| {
            let trace = reasons
                .iter()
                .fold(Trace::new(), |trace, reason| of_peer(trace, DISCONNECTED, &[*reason]));
            let (mut decoder, mut tracker) = (crate::decode::Decoder::new(), Tracker::new());
            for (record, after) in trace.records().zip(times) {
                let time = Some(crate::time::Timestamp(at.0 + after));
                tracker.push(&decoder.decode(&crate::capture::Record { time, ..record }));
            }
            tracker.events.len()
        };
        assert_eq!(pushed(&[0, 0], &[3, 3]), 1);
        assert_eq!(pushed(&[0, 1], &[3, 3]), 2, "at another moment");
        assert_eq!(pushed(&[0, 0], &[3, 2]), 2, "something else");
        let other =
            of_peer(of_peer(Trace::new(), DISCONNECTED, &[3]).adapter(1), DISCONNECTED, &[3]);
        let (mut decoder, mut tracker) = (crate::decode::Decoder::new(), Tracker::new());
        for record in other.records() {
            tracker.push(&decoder.decode(&crate::capture::Record { time: Some(at), ..record }));
        }
        assert_eq!(tracker.events.len(), 2, "of another adapter");
    }

    #[test]
    fn the_kernels_word_about_another_device_is_not_this_links() {
        let other = Trace::new().peer(Address([9; 6]), crate::packet::AddressType::RANDOM).up();
        assert_eq!(only(of_peer(other.clone(), DISCONNECTED, &[3])).mgmt_reason, None);
        assert_eq!(only(of_peer(other, CONNECT_FAILED, &[4])).mgmt_failed, None);
    }

    /// Where the name was cut when the socket was opened, the line of its end may have it whole.
    #[test]
    fn a_name_that_was_cut_is_taken_where_it_is_whole() {
        let at = At {
            source: crate::seen::SourceId::FIRST,
            frame: 9,
            time: crate::time::Moment::UNKNOWN,
            direction: crate::packet::Direction::Sent,
            cut: false,
            link: None,
        };
        let closed = |opened: Option<&str>, said: Option<&str>| {
            let mut tracker = Tracker::new();
            if let Some(name) = opened {
                tracker.sockets.insert(7, name.to_owned());
            }
            let process = said.map(Into::into);
            tracker.note(None, at, &Note::ControlClose { cookie: 7, process });
            tracker.events.into_iter().find_map(|event| match event.what {
                Happening::ProcessClosed { process } => Some(process),
                _ => None,
            })
        };
        assert_eq!(
            closed(Some("bluetoo.."), Some("bluetoothctl")).as_deref(),
            Some("bluetoothctl")
        );
        assert_eq!(closed(Some("btmon"), Some("bluetoothctl")).as_deref(), Some("btmon"));
        assert_eq!(closed(Some("bluetoo.."), Some("bluetoot..")), None);
        assert_eq!(closed(None, Some("btmon")).as_deref(), Some("btmon"));
        assert_eq!(closed(None, None), None);
    }

    /// A switch blocks whatever else the line says, and other words of it are kept.
    #[test]
    fn a_line_about_a_switch_is_no_failure() {
        let blocks = "src/rfkill.c: RFKILL event idx 1 type 2 op 2 soft 1 hard 0";
        assert!(events(logged(Trace::new(), blocks)).is_empty());
        let down = |text: &str| {
            let link = logged(Trace::new().up(), text).monitor(9, &[]);
            only(link).gone.map(|gone| gone.by)
        };
        use crate::timeline::EndedBy;
        assert_eq!(down(blocks), Some(EndedBy::Host));
        assert_eq!(down("Endpoint registered"), Some(EndedBy::Controller));
    }

    #[test]
    fn lines_of_daemons_are_remembered_up_to_a_bound() {
        let kept = |before: usize| {
            let line = LogLine { hash: 1, frame: 1, at: crate::time::Moment::UNKNOWN };
            let mut tracker = Tracker::new();
            tracker.log_lines = vec![line; before];
            let mut decoder = crate::decode::Decoder::new();
            for record in logged(Trace::new(), "Endpoint registered").records() {
                tracker.push(&decoder.decode(&record));
            }
            tracker.log_lines.len()
        };
        assert_eq!((kept(99_999), kept(100_000)), (100_000, 100_000));
    }
}
