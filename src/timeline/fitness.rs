//! Whether a capture is fit for a diagnosis, and how to record a better one.
use super::adapter::Happening;
use super::connection::{Connection, Role};
use super::trace::{Capture, Fitness, FitnessKind, Stack};
use crate::capture::WarningKind;
use crate::prose::{Text, quoted};
use crate::recording::Lack;
use crate::text;
use crate::time::Clock;

/// Everything that lowers trust in what this capture does not show.
pub(super) fn judge(capture: &Capture) -> Vec<Fitness> {
    let mut found = Vec::new();
    let mut say = |kind, says: Text, remedy: Text| found.push(Fitness { kind, says, remedy });
    let host = capture.instructions();
    let general = "Record the HCI from before the connection to after its end.";
    let again = host.map_or(general, |host| host.short);
    let late: Vec<u32> =
        capture.connections.iter().filter(|c| !c.start_seen).map(|c| c.number).collect();
    if capture.data_only() {
        say(
            FitnessKind::DataOnly,
            "an export of data packets alone, without one HCI command or event: how links began, who ended them and when is not in it".into(),
            "Export all packets, or attach the recording that this was exported from (Wireshark: `File`, `Export Specified Packets`, `All packets`).".into(),
        );
    } else if !late.is_empty() && rotates(capture) {
        // A phone records all the time: what was up before is in the file before.
        say(
            FitnessKind::RotatedLog,
            text!(
                "{} {} up before this file begins, and phones go on from file to file: how {} made is in an earlier one, and nothing can be said to be missing here",
                numbered(&late),
                if late.len() == 1 { "was" } else { "were" },
                if late.len() == 1 { "it was" } else { "they were" }
            ),
            host.map_or("", |host| host.again(Lack::Beginning)).into(),
        );
    } else if !late.is_empty() {
        let all = late.len() == capture.connections.len();
        say(
            FitnessKind::StartsAfterConnection,
            text!(
                "{} {} up before the capture began: how {} made is not in it, and nothing can be said to be missing there",
                numbered(&late),
                if late.len() == 1 { "was" } else { "were" },
                if late.len() == 1 { "it was" } else { "they were" }
            ),
            if all { text!("Start recording first, then connect. {}", again) } else { Text::EMPTY },
        );
    }
    if !capture.gaps.is_empty() {
        let lacks = capture.gaps.iter().map(|gap| Text::fixed(gap.word()));
        say(
            FitnessKind::Filtered,
            text!(
                "no {} in it, although the rest shows that there were some: what they would have said must not be called missing",
                Text::joined(lacks, " and no ")
            ),
            host.map_or("Record without a filter, in both directions.", |host| {
                host.again(Lack::OneKind)
            })
            .into(),
        );
    }
    if capture.connections.is_empty() {
        let heard = capture.totals.advertising_reports;
        if heard > 0 {
            say(
                FitnessKind::NoConnections,
                text!(
                    "no connection and no attempt to connect; {} advertising reports of {}",
                    heard,
                    capture.devices_heard()
                ),
                "Check that the program that fails uses this adapter, then record while it tries."
                    .into(),
            );
        } else {
            let (refused, remedy) = match refused(capture) {
                Some(refused) => (refused, "Begin with the refusal: the program, or the kernel, asks for what this controller does not do then.".into()),
                None => (Text::EMPTY, text!("Check the adapter. {}", again)),
            };
            say(
                FitnessKind::NoTraffic,
                text!("no connection, no attempt, nothing heard on the air{}", refused),
                remedy,
            );
        }
    }
    let cut: u64 = capture.connections.iter().map(|c| c.cut_packets).sum();
    if capture.format.ends_with("-text") && capture.totals.cut > 0 {
        say(
            FitnessKind::TextIncomplete,
            text!(
                "the text leaves out parts of {} packets: what depends on them cannot be told from text",
                capture.totals.cut
            ),
            text!("Record a file instead of text. {}", again),
        );
    } else if capture.filtered || cut > 0 {
        say(
            FitnessKind::CutPackets,
            text!("{} packets were cut by the recording: values and answers in them cannot be judged", capture.totals.cut.max(cut)),
            match (host, capture.format) {
                (Some(host), _) => host.again(Lack::Values).into(),
                (None, "btsnoop") => "On Android set the Bluetooth HCI snoop log to Enabled (not Filtered), switch Bluetooth off and on, and repeat.".into(),
                _ => text!("Record without a snap length. {}", again),
            },
        );
    }
    let idle: Vec<Text> = capture
        .adapters
        .iter()
        .filter(|a| a.attempts == 0 && capture.adapters.iter().any(|b| b.attempts > 0))
        .filter_map(|a| a.index.map(|i| text!("hci{}", i)))
        .collect();
    if !idle.is_empty() {
        say(
            FitnessKind::AdapterIdle,
            text!(
                "{} made no connection: all attempts are on another adapter",
                Text::joined(idle.clone(), ", ")
            ),
            Text::EMPTY,
        );
    }
    if capture.adapters.iter().filter(|a| a.index.is_some()).count() > 1 && idle.is_empty() {
        say(
            FitnessKind::SeveralAdapters,
            "several adapters made connections; `--adapter N` looks at one".into(),
            Text::EMPTY,
        );
    }
    if !capture.connections.is_empty()
        && capture.connections.iter().all(|c| c.transport == super::Transport::BrEdr)
    {
        // A host that hears LE devices has LE switched on. It chose to connect by BR/EDR.
        let heard = |c: &super::Connection| {
            let device = c.peer.address.and_then(|address| capture.device(address));
            device.is_some_and(|device| device.reports > 0)
        };
        let elsewhere =
            capture.totals.advertising_reports > 0 && !capture.connections.iter().any(heard);
        say(
            FitnessKind::NoLeTraffic,
            "every connection is BR/EDR (Classic); there is no LE link in this capture".into(),
            if elsewhere {
                "The host does scan for LE devices: if the device is one, the attempt to connect to it is not in this capture."
            } else {
                "If the device is a LE device, make the host use LE (BlueZ: `ControllerMode = le` in main.conf)."
            }
            .into(),
        );
    }
    if capture.totals.databases_elided > 0 {
        say(
            FitnessKind::TooManyAttributes,
            text!(
                "the attributes of {} connections were not kept: too many came before them",
                capture.totals.databases_elided
            ),
            "Cut the capture to the minutes that matter.".into(),
        );
    }
    if capture.totals.devices_beyond_table > 0 {
        say(
            FitnessKind::TooManyDevices,
            text!(
                "{} advertising reports of further devices were counted and not kept: so many are around",
                capture.totals.devices_beyond_table
            ),
            "Look for your device by its address: it may be among those.".into(),
        );
    }
    if capture.totals.adapter_events_elided > 0 {
        say(
            FitnessKind::TooManyAdapterEvents,
            text!(
                "{} further events of the adapters (scans, lists, errors) were counted and not kept",
                capture.totals.adapter_events_elided
            ),
            "Cut the capture to the minutes that matter.".into(),
        );
    }
    if capture.totals.connections_elided > 0 {
        say(
            FitnessKind::TooManyConnections,
            text!(
                "{} further attempts were counted and not kept",
                capture.totals.connections_elided
            ),
            "Cut the capture to the minutes that matter.".into(),
        );
    }
    if capture.clock == Clock::None {
        say(
            FitnessKind::NoTimes,
            "the capture has no times: durations, timeouts and silences cannot be told".into(),
            again.into(),
        );
    }
    for warning in &capture.warnings {
        if warning.kind == WarningKind::DroppedPackets {
            say(
                FitnessKind::DroppedPackets,
                quoted(&warning.text).into(),
                host.map_or(
                    "Packets are missing: record to a faster disk, or with less traffic.",
                    |host| host.again(Lack::Packets),
                )
                .into(),
            );
        }
    }
    if capture.connections.iter().any(never_ends) && capture.connections.len() > 1 {
        // An open end is normal; only say it where nothing else ended either.
        let all_open = capture.connections.iter().filter(|c| c.connected()).all(never_ends);
        if all_open {
            say(
                FitnessKind::EndsBeforeLinks,
                "the capture ends while every link is still up".into(),
                Text::EMPTY,
            );
        }
    }
    found
}

/// Whether the host that made it keeps its log in several files, or in a ring.
fn rotates(capture: &Capture) -> bool {
    capture.host.as_ref().is_some_and(|host| matches!(host.stack, Stack::Android | Stack::Ios))
}

/// The first command that the controller refused, and how many there were.
fn refused(capture: &Capture) -> Option<Text> {
    let failed = capture.adapter_events.iter().filter_map(|event| match event.what {
        Happening::CommandFailed { opcode, status, .. } => Some((event.frame, opcode, status)),
        _ => None,
    });
    let failed: Vec<_> = failed.collect();
    let (frame, opcode, status) = *failed.first()?;
    let others = match failed.len() {
        1 => Text::EMPTY,
        count => text!(", the first of {} refusals", count),
    };
    Some(text!("; the controller refused {} with {} (frame {}){}", opcode, status, frame, others))
}

fn never_ends(connection: &Connection) -> bool {
    connection.open() && connection.role != Some(Role::Peripheral)
}

fn numbered(numbers: &[u32]) -> Text {
    match numbers {
        [one] => text!("connection {}", *one),
        [first, .., last] if numbers.len() > 4 => {
            text!("{} connections ({} to {})", numbers.len(), *first, *last)
        }
        _ => text!(
            "connections {}",
            Text::joined(numbers.iter().map(|number| text!("{}", *number)), ", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::FitnessKind;
    use crate::packet::{Address, AddressType};
    use crate::trace::{PEER, Trace};

    /// A capture that holds nothing but refusals does not ask whether the adapter is there.
    #[test]
    fn refused_commands_are_told_where_nothing_else_happened() {
        use crate::packet::Status;
        use crate::packet::hci::Command;
        let said = |trace: Trace| {
            let found = trace.run().fitness;
            let line = found.into_iter().find(|f| f.kind == FitnessKind::NoTraffic).expect("said");
            (line.says.to_string(), line.remedy.to_string())
        };
        let ask = Command::LeReadSuggestedDefaultDataLength {};
        let refused =
            |trace: Trace| trace.command(ask).complete(ask.opcode(), &[Status::UNKNOWN_COMMAND.0]);
        let (says, remedy) = said(refused(Trace::new()));
        assert!(says.contains("Unknown HCI Command (0x01) (frame 2)"), "{says}");
        assert!(!says.contains("refusals") && !remedy.contains("Check the adapter"), "{remedy}");
        assert!(said(refused(refused(Trace::new()))).0.contains("the first of 2 refusals"));
        let (says, remedy) = said(Trace::new().done(ask));
        assert!(!says.contains("refused") && remedy.contains("Check the adapter"), "{says}");
    }

    /// An export of data packets alone says nothing of how links began and ended, and recording earlier is no cure.
    #[test]
    fn an_export_of_data_alone_is_told_as_that() {
        let kinds =
            |trace: Trace| trace.run().fitness.into_iter().map(|f| f.kind).collect::<Vec<_>>();
        let data = || Trace::new().mtu().handle(0x41).mtu();
        assert_eq!(kinds(data()), [FitnessKind::DataOnly]);
        let ended = data().disconnected(crate::packet::Status::REMOTE_USER_TERMINATED);
        assert_eq!(kinds(ended), [FitnessKind::StartsAfterConnection]);
        let capture = data().wait_ms(60_000).handle(0x40).mtu().run();
        let [first, second] = &capture.connections[..] else { panic!("two links") };
        assert!(first.end_unknown && second.end_unknown && !first.open());
        assert_eq!(
            second.capture_end,
            crate::seen::Seen::when(second.last_pdu),
            "it is shown no longer"
        );
        assert!(second.capture_end < first.capture_end);
    }

    /// A phone's log goes on from an earlier file, and that is where to look.
    #[test]
    fn a_phones_log_that_begins_with_a_link_goes_on_from_an_earlier_file() {
        use crate::packet::hci::Command;
        let line = |trace: Trace| {
            let found = trace.run().fitness;
            found.into_iter().map(|f| (f.kind, f.remedy.to_string())).next().expect("said")
        };
        // Android's own command, for its advertising filter.
        let vendor = Command::Other { code: 0xfd57, parameters: &[0] };
        let late = || Trace::new().done(Command::ReadBdAddr {}).mtu();
        let (kind, remedy) = line(late().command(vendor));
        assert_eq!(kind, FitnessKind::RotatedLog);
        assert!(remedy.contains("btsnoop_hci.log.last"), "{remedy}");
        assert_eq!(line(late()).0, FitnessKind::StartsAfterConnection, "no phone");
        let whole = Trace::new().command(vendor).up().mtu().run().fitness;
        assert!(whole.iter().all(|f| f.kind != FitnessKind::RotatedLog), "{whole:?}");
    }

    /// Who hears other devices on LE has it switched on already.
    #[test]
    fn le_is_not_to_be_switched_on_where_the_host_scans_for_it() {
        let other = Address([9, 9, 9, 9, 9, 0xc9]);
        let heard = |peer| Trace::new().peer(peer, AddressType::RANDOM).advertises(0);
        for (trace, switch_on) in [(Trace::new(), true), (heard(PEER), true), (heard(other), false)]
        {
            let capture = trace.peer(PEER, AddressType::PUBLIC).pages_in_vain().run();
            let line =
                capture.fitness.iter().find(|f| f.kind == FitnessKind::NoLeTraffic).expect("said");
            assert_eq!(
                line.remedy.to_string().contains("ControllerMode"),
                switch_on,
                "{}",
                line.remedy
            );
        }
    }

    use super::judge;
    use crate::capture::{Warning, WarningKind};
    use crate::packet::Status;
    use crate::time::Clock;
    use crate::timeline::{Capture, Gap, Host, Role, Stack, Transport};

    const OTHER: Address = Address([9, 9, 9, 9, 9, 0xc9]);

    fn whole() -> Capture {
        Trace::new().up().mtu().hangs_up(Status::REMOTE_USER_TERMINATED).run()
    }

    /// A capture that differs from a whole one: kinds, what each says, and its remedy.
    fn told(change: impl FnOnce(&mut Capture)) -> Vec<(FitnessKind, String, String)> {
        let mut capture = whole();
        change(&mut capture);
        judge(&capture)
            .into_iter()
            .map(|line| (line.kind, line.says.to_string(), line.remedy.to_string()))
            .collect()
    }

    fn kinds(change: impl FnOnce(&mut Capture)) -> Vec<FitnessKind> {
        told(change).into_iter().map(|(kind, ..)| kind).collect()
    }

    /// The same connection again, so many times in all.
    fn many(capture: &mut Capture, count: u32) {
        capture.connections = (1..=count)
            .map(|number| crate::timeline::Connection { number, ..capture.connections[0].clone() })
            .collect();
    }

    fn made_by(stack: Stack) -> Option<Host> {
        let evidence = String::new();
        Some(Host { stack, version: None, evidence_frame: None, evidence, guessed: false })
    }

    #[test]
    fn nothing_is_said_of_a_whole_capture() {
        assert_eq!(kinds(|_| ()), []);
    }

    #[test]
    fn links_that_were_up_before_are_counted() {
        let late = |all: u32, late: u32| {
            let lines = told(|capture| {
                many(capture, all);
                let connections = capture.connections.iter_mut();
                connections.take(late as usize).for_each(|c| c.start_seen = false);
            });
            let [(kind, says, remedy)] = &lines[..] else { panic!("{lines:?}") };
            assert_eq!(*kind, FitnessKind::StartsAfterConnection);
            (says.clone(), remedy.clone())
        };
        let (one, remedy) = late(1, 1);
        assert!(
            one.starts_with("connection 1 was up before") && one.contains("how it was made"),
            "{one}"
        );
        assert!(remedy.starts_with("Start recording first"), "{remedy}");
        let (two, _) = late(2, 2);
        assert!(
            two.starts_with("connections 1, 2 were up before")
                && two.contains("how they were made")
        );
        assert!(late(4, 4).0.starts_with("connections 1, 2, 3, 4 were"));
        assert!(late(5, 5).0.starts_with("5 connections (1 to 5) were"));
        // Where a later one is whole, the capture is good for that.
        let (some, remedy) = late(3, 2);
        assert!(some.starts_with("connections 1, 2 were") && remedy.is_empty(), "{some} {remedy}");
        // A phone goes on from file to file.
        for stack in [Stack::Android, Stack::Ios] {
            let lines = told(|capture| {
                many(capture, 2);
                capture.connections.iter_mut().for_each(|c| c.start_seen = false);
                capture.host = made_by(stack);
            });
            assert_eq!(lines[0].0, FitnessKind::RotatedLog);
            assert!(lines[0].1.starts_with("connections 1, 2 were up before this file"));
            assert!(lines[0].1.contains("how they were made"));
        }
        let one = told(|capture| {
            capture.connections[0].start_seen = false;
            capture.host = made_by(Stack::Android);
        });
        assert!(one[0].1.starts_with("connection 1 was") && one[0].1.contains("how it was made"));
        let linux = kinds(|capture| {
            capture.connections[0].start_seen = false;
            capture.host = made_by(Stack::BlueZ);
        });
        assert_eq!(linux, [FitnessKind::StartsAfterConnection]);
    }

    #[test]
    fn kinds_that_were_filtered_out_are_named() {
        let lines = told(|capture| capture.gaps = vec![Gap::Commands, Gap::Events]);
        assert_eq!(lines[0].0, FitnessKind::Filtered);
        assert!(
            lines[0].1.starts_with("no HCI commands and no HCI events in it"),
            "{}",
            lines[0].1
        );
    }

    #[test]
    fn a_capture_without_links_says_what_it_heard() {
        let empty = |reports| {
            kinds(|capture| {
                capture.connections.clear();
                capture.totals.advertising_reports = reports;
            })
        };
        assert_eq!(empty(1), [FitnessKind::NoConnections]);
        assert_eq!(empty(0), [FitnessKind::NoTraffic]);
    }

    #[test]
    fn packets_that_were_cut_are_told_as_the_recording_cut_them() {
        use FitnessKind::{CutPackets, TextIncomplete};
        let of = |format: &'static str, cut: u64, filtered: bool, of_link: u64| {
            told(|capture| {
                (capture.format, capture.filtered, capture.totals.cut) = (format, filtered, cut);
                capture.connections[0].cut_packets = of_link;
            })
        };
        let kind = |lines: &[(FitnessKind, String, String)]| lines.first().map(|line| line.0);
        assert_eq!(kind(&of("btmon-text", 1, false, 0)), Some(TextIncomplete));
        assert_eq!(kind(&of("btmon-text", 0, false, 0)), None);
        assert_eq!(kind(&of("btmon-text", 0, true, 0)), Some(CutPackets));
        assert_eq!(kind(&of("pcap", 1, false, 0)), None, "no link lost anything by it");
        assert_eq!(kind(&of("pcap", 1, true, 0)), Some(CutPackets));
        assert!(of("pcap", 3, false, 1)[0].1.starts_with("3 packets were cut"));
        assert!(of("pcap", 1, false, 3)[0].1.starts_with("3 packets were cut"));
        assert!(of("btsnoop", 1, true, 0)[0].2.starts_with("On Android"));
        assert!(of("pcap", 1, true, 0)[0].2.starts_with("Record without a snap length"));
        let known = told(|capture| {
            (capture.format, capture.filtered) = ("btsnoop", true);
            capture.host = made_by(Stack::BlueZ);
        });
        assert!(!known[0].2.starts_with("On Android"), "{}", known[0].2);
    }

    /// Attempts of each adapter, and whether it has a number.
    #[test]
    fn adapters_that_do_nothing_are_told_apart_from_those_that_share_the_work() {
        let of = |attempts: &[(Option<u16>, u32)]| {
            told(|capture| {
                let one = capture.adapters[0].clone();
                let with = |(index, attempts): &(Option<u16>, u32)| {
                    let mut adapter = one.clone();
                    (adapter.index, adapter.attempts) = (*index, *attempts);
                    adapter
                };
                capture.adapters = attempts.iter().map(with).collect();
            })
        };
        use FitnessKind::{AdapterIdle, SeveralAdapters};
        let kinds = |attempts: &[(Option<u16>, u32)]| {
            of(attempts).into_iter().map(|line| line.0).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&[(Some(0), 1)]), []);
        assert_eq!(kinds(&[(Some(0), 1), (Some(1), 1)]), [SeveralAdapters]);
        assert_eq!(kinds(&[(Some(0), 0), (Some(1), 1)]), [AdapterIdle]);
        assert_eq!(kinds(&[(Some(0), 0)]), [], "no adapter made any");
        assert_eq!(kinds(&[(None, 0), (Some(1), 1)]), [], "an adapter without a number is none");
        assert_eq!(kinds(&[(None, 1), (Some(1), 1)]), []);
        let lines = of(&[(Some(0), 0), (Some(1), 1), (Some(2), 0)]);
        assert!(lines[0].1.starts_with("hci0, hci2 made no connection"), "{}", lines[0].1);
    }

    #[test]
    fn a_capture_without_le_says_so() {
        let of = |radios: &[Transport]| {
            kinds(|capture| {
                many(capture, radios.len() as u32);
                for (connection, transport) in capture.connections.iter_mut().zip(radios) {
                    connection.transport = *transport;
                }
            })
        };
        use Transport::{BrEdr, Le, Unknown};
        assert_eq!(of(&[BrEdr, BrEdr]), [FitnessKind::NoLeTraffic]);
        assert_eq!(of(&[BrEdr, Le]), []);
        assert_eq!(of(&[Unknown]), []);
    }

    #[test]
    fn a_capture_without_times_or_with_losses_says_so() {
        assert_eq!(kinds(|capture| capture.clock = Clock::None), [FitnessKind::NoTimes]);
        let warned =
            |kind| kinds(|capture| capture.warnings.push(Warning::of_all(kind, "what was lost")));
        assert_eq!(warned(WarningKind::DroppedPackets), [FitnessKind::DroppedPackets]);
        assert_eq!(warned(WarningKind::TimeJumps), []);
    }

    #[test]
    fn links_that_are_all_still_up_are_worth_a_word() {
        let of = |count: u32, change: fn(&mut crate::timeline::Connection)| {
            kinds(|capture| {
                many(capture, count);
                for connection in &mut capture.connections {
                    (connection.end, connection.end_seen) = (None, false);
                }
                change(capture.connections.last_mut().expect("some"));
            })
        };
        let said = [FitnessKind::EndsBeforeLinks];
        assert_eq!(of(2, |_| ()), said);
        assert_eq!(of(1, |_| ()), []);
        assert_eq!(of(2, |c| c.role = Some(Role::Peripheral)), []);
        assert_eq!(of(2, |c| c.end_unknown = true), []);
        // An attempt that never came up is no link that is still up, and takes nothing away from the others.
        assert_eq!(of(3, |c| c.up = None), said);
    }

    #[test]
    fn one_device_elsewhere_does_not_make_le_work() {
        let heard = |peer| Trace::new().peer(peer, AddressType::RANDOM).advertises(0);
        let both = heard(PEER).followed_by(heard(OTHER));
        let capture = both.peer(PEER, AddressType::PUBLIC).pages_in_vain().run();
        let line = capture.fitness.iter().find(|f| f.kind == FitnessKind::NoLeTraffic);
        assert!(line.expect("said").remedy.to_string().contains("ControllerMode"));
    }
}
