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
                    "no connection and no attempt to connect; {} advertising reports of {} devices",
                    heard,
                    capture.devices.len()
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
    connection.open() && !connection.end_seen && connection.role != Some(Role::Peripheral)
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
}
