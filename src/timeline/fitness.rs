//! Whether a capture is fit for a diagnosis, and how to record a better one.
use super::adapter::Happening;
use super::connection::{Connection, Role};
use super::trace::{Capture, Fitness, FitnessKind};
use crate::capture::WarningKind;
use crate::recording::Lack;
use crate::time::Clock;

/// Everything that lowers trust in what this capture does not show.
pub(super) fn judge(capture: &Capture) -> Vec<Fitness> {
    let mut found = Vec::new();
    let mut say = |kind, says: String, remedy: String| found.push(Fitness { kind, says, remedy });
    let host = capture.instructions();
    let general = "Record the HCI from before the connection to after its end.";
    let again = host.map_or(general, |host| host.short).to_owned();
    let late: Vec<u32> =
        capture.connections.iter().filter(|c| !c.start_seen).map(|c| c.number).collect();
    if capture.data_only() {
        say(
            FitnessKind::DataOnly,
            "an export of data packets alone, without one HCI command or event: how links began, who ended them and when is not in it".to_owned(),
            "Export all packets, or attach the recording that this was exported from (Wireshark: `File`, `Export Specified Packets`, `All packets`).".to_owned(),
        );
    } else if !late.is_empty() {
        let all = late.len() == capture.connections.len();
        say(
            FitnessKind::StartsAfterConnection,
            format!(
                "{} {} up before the capture began: how {} made is not in it, and nothing can be said to be missing there",
                numbered(&late),
                if late.len() == 1 { "was" } else { "were" },
                if late.len() == 1 { "it was" } else { "they were" }
            ),
            if all {
                format!("Start recording first, then connect. {again}")
            } else {
                String::new()
            },
        );
    }
    if !capture.gaps.is_empty() {
        let lacks: Vec<&str> = capture.gaps.iter().map(|gap| gap.word()).collect();
        say(
            FitnessKind::Filtered,
            format!(
                "no {} in it, although the rest shows that there were some: what they would have said must not be called missing",
                lacks.join(" and no ")
            ),
            host.map_or("Record without a filter, in both directions.", |host| {
                host.again(Lack::OneKind)
            })
            .to_owned(),
        );
    }
    if capture.connections.is_empty() {
        let heard = capture.totals.advertising_reports;
        if heard > 0 {
            say(
                FitnessKind::NoConnections,
                format!(
                    "no connection and no attempt to connect; {heard} advertising reports of {} devices",
                    capture.devices.len()
                ),
                "Check that the program that fails uses this adapter, then record while it tries."
                    .to_owned(),
            );
        } else {
            let (refused, remedy) = match refused(capture) {
                Some(refused) => (refused, "Begin with the refusal: the program, or the kernel, asks for what this controller does not do then.".to_owned()),
                None => (String::new(), format!("Check the adapter. {again}")),
            };
            say(
                FitnessKind::NoTraffic,
                format!("no connection, no attempt, nothing heard on the air{refused}"),
                remedy,
            );
        }
    }
    let cut: u64 = capture.connections.iter().map(|c| c.cut_packets).sum();
    if capture.format.ends_with("-text") && capture.totals.cut > 0 {
        say(
            FitnessKind::TextIncomplete,
            format!(
                "the text leaves out parts of {} packets: what depends on them cannot be told from text",
                capture.totals.cut
            ),
            format!("Record a file instead of text. {again}"),
        );
    } else if capture.filtered || cut > 0 {
        say(
            FitnessKind::CutPackets,
            format!("{} packets were cut by the recording: values and answers in them cannot be judged", capture.totals.cut.max(cut)),
            match (host, capture.format) {
                (Some(host), _) => host.again(Lack::Values).to_owned(),
                (None, "btsnoop") => "On Android set the Bluetooth HCI snoop log to Enabled (not Filtered), switch Bluetooth off and on, and repeat.".to_owned(),
                _ => format!("Record without a snap length. {again}"),
            },
        );
    }
    let idle: Vec<String> = capture
        .adapters
        .iter()
        .filter(|a| a.attempts == 0 && capture.adapters.iter().any(|b| b.attempts > 0))
        .filter_map(|a| a.index.map(|i| format!("hci{i}")))
        .collect();
    if !idle.is_empty() {
        say(
            FitnessKind::AdapterIdle,
            format!("{} made no connection: all attempts are on another adapter", idle.join(", ")),
            String::new(),
        );
    }
    if capture.adapters.iter().filter(|a| a.index.is_some()).count() > 1 && idle.is_empty() {
        say(
            FitnessKind::SeveralAdapters,
            "several adapters made connections; `--adapter N` looks at one".to_owned(),
            String::new(),
        );
    }
    if !capture.connections.is_empty()
        && capture.connections.iter().all(|c| c.transport == super::Transport::BrEdr)
    {
        // A host that hears LE devices has LE switched on; that it pages one of them is its choice.
        let heard = |c: &super::Connection| {
            let device = c.peer.address.and_then(|address| capture.device(address));
            device.is_some_and(|device| device.reports > 0)
        };
        let elsewhere =
            capture.totals.advertising_reports > 0 && !capture.connections.iter().any(heard);
        say(
            FitnessKind::NoLeTraffic,
            "every connection is BR/EDR (Classic); there is no LE link in this capture".to_owned(),
            if elsewhere {
                "The host does scan for LE devices: if the device is one, the attempt to connect to it is not in this capture."
            } else {
                "If the device is a LE device, make the host use LE (BlueZ: `ControllerMode = le` in main.conf)."
            }
            .to_owned(),
        );
    }
    if capture.totals.databases_elided > 0 {
        say(
            FitnessKind::TooManyAttributes,
            format!(
                "the attributes of {} connections were not kept: too many came before them",
                capture.totals.databases_elided
            ),
            "Cut the capture to the minutes that matter.".to_owned(),
        );
    }
    if capture.totals.devices_beyond_table > 0 {
        say(
            FitnessKind::TooManyDevices,
            format!(
                "{} advertising reports of further devices were counted and not kept: so many are around",
                capture.totals.devices_beyond_table
            ),
            "Look for your device by its address: it may be among those.".to_owned(),
        );
    }
    if capture.totals.adapter_events_elided > 0 {
        say(
            FitnessKind::TooManyAdapterEvents,
            format!(
                "{} further events of the adapters (scans, lists, errors) were counted and not kept",
                capture.totals.adapter_events_elided
            ),
            "Cut the capture to the minutes that matter.".to_owned(),
        );
    }
    if capture.totals.connections_elided > 0 {
        say(
            FitnessKind::TooManyConnections,
            format!(
                "{} further attempts were counted and not kept",
                capture.totals.connections_elided
            ),
            "Cut the capture to the minutes that matter.".to_owned(),
        );
    }
    if capture.clock == Clock::None {
        say(
            FitnessKind::NoTimes,
            "the capture has no times: durations, timeouts and silences cannot be told".to_owned(),
            again,
        );
    }
    for warning in &capture.warnings {
        if warning.kind == WarningKind::DroppedPackets {
            say(
                FitnessKind::DroppedPackets,
                warning.text.clone(),
                host.map_or(
                    "Packets are missing: record to a faster disk, or with less traffic.",
                    |host| host.again(Lack::Packets),
                )
                .to_owned(),
            );
        }
    }
    if capture.connections.iter().any(never_ends) && capture.connections.len() > 1 {
        // An open end is normal; only say it where nothing else ended either.
        let all_open = capture.connections.iter().filter(|c| c.connected()).all(never_ends);
        if all_open {
            say(
                FitnessKind::EndsBeforeLinks,
                "the capture ends while every link is still up".to_owned(),
                String::new(),
            );
        }
    }
    found
}

/// The first command that the controller refused, and how many there were.
fn refused(capture: &Capture) -> Option<String> {
    let failed = capture.adapter_events.iter().filter_map(|event| match event.what {
        Happening::CommandFailed { opcode, status, .. } => Some((event.frame, opcode, status)),
        _ => None,
    });
    let failed: Vec<_> = failed.collect();
    let (frame, opcode, status) = *failed.first()?;
    let others = match failed.len() {
        1 => String::new(),
        count => format!(", the first of {count} refusals"),
    };
    Some(format!("; the controller refused {opcode} with {status} (frame {frame}){others}"))
}

fn never_ends(connection: &Connection) -> bool {
    connection.open() && !connection.end_seen && connection.role != Some(Role::Peripheral)
}

fn numbered(numbers: &[u32]) -> String {
    match numbers {
        [one] => format!("connection {one}"),
        [first, .., last] if numbers.len() > 4 => {
            format!("{} connections ({first} to {last})", numbers.len())
        }
        _ => format!(
            "connections {}",
            numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
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
            (line.says, line.remedy)
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
            assert_eq!(line.remedy.contains("ControllerMode"), switch_on, "{}", line.remedy);
        }
    }
}
