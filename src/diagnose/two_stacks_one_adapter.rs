use super::waits::pending;
use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict};
use crate::packet::hci::Command;
use crate::packet::{Opcode, Status};
use crate::timeline::{AdapterEvent, Happening};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "two-stacks-one-adapter",
    title: "Two programs drive one adapter",
    basis: Basis::Laboratory,
    silences: &["create-conn-status-error", "connection-cancelled-by-app"],
    docs: "\
## What it means
A program that talks to the controller itself (noble, bleno, hcitool) shares it with bluetoothd and the kernel. Each sends
commands without knowing of the other's; one's request is refused while the other's is pending, links come up with the other's
parameters, and one closes what the other opened.

## How it shows
A raw socket opened by one process and the control socket by bluetoothd on the same adapter; two connect requests with different
parameters, one refused with 0x0C while the other is pending.

## What else it could be
A raw socket alone is harmless: btmon and monitoring tools have one too.

## What to do
Stop bluetoothd, or give the raw program a user channel, the D-Bus binding, or an adapter of its own.",
    sources: &["stoprocent/noble#97, #98, #99, #101"],
    check: Check::Capture(check),
    cases: &[
        Case::fires(|| clash(true).into()),
        Case::silent("the nearest other trace", || clash(false).into()),
    ],
};

fn clash(two: bool) -> Trace {
    let trace = Trace::new().opens(1, 2, "bluetoothd");
    let trace = if two { trace.opens(2, 0, "node") } else { trace };
    let trace = trace.advertises(0).create().wait_ms(50);
    let command = Command::LeCreateConnection {
        le_scan_interval: 0x60,
        le_scan_window: 0x30,
        initiator_filter_policy: 0,
        peer_address_type: crate::packet::AddressType::RANDOM,
        peer_address: crate::trace::PEER,
        own_address_type: 0,
        connection_interval_min: 6,
        connection_interval_max: 18,
        max_latency: 0,
        supervision_timeout: 42,
        min_ce_length: 4,
        max_ce_length: 6,
    };
    trace.command(command).status(Opcode(0x200d), Status::COMMAND_DISALLOWED).wait_ms(900).cancel()
}

fn opened<'a>(
    scene: &Scene<'a>,
    wanted: impl Fn(&str, &str) -> bool,
) -> Option<(&'a AdapterEvent, &'a str)> {
    scene.capture().adapter_events.iter().find_map(|event| match &event.what {
        Happening::ProcessOpened { process, channel } if wanted(process, channel) => {
            Some((event, process.as_str()))
        }
        _ => None,
    })
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    verdict(scene).into_iter().collect()
}

fn verdict(scene: &Scene<'_>) -> Option<Verdict> {
    let capture = scene.capture();
    let (daemon, owner) = opened(scene, |process, channel| {
        channel == "control" && process.starts_with("bluetoothd")
    })?;
    let (raw, program) = opened(scene, |process, channel| {
        channel == "raw" && !process.starts_with("bluetoothd") && !process.starts_with("btmon")
    })?;
    let clashes: Vec<_> = capture
        .connections
        .iter()
        .filter(|c| raw.adapter.is_none() || c.adapter == raw.adapter)
        .filter_map(|c| {
            let mine =
                c.request.as_ref().filter(|r| r.status == Some(Status::COMMAND_DISALLOWED))?;
            let other = pending(scene, c)?;
            let theirs = other.request.as_ref()?;
            let differ = (mine.interval_min, mine.interval_max, mine.timeout, mine.scan_window)
                != (theirs.interval_min, theirs.interval_max, theirs.timeout, theirs.scan_window);
            differ.then_some((c, mine, theirs))
        })
        .collect();
    clashes.first()?;
    let mut verdict = Verdict::cause(format!(
        "{program} drives the adapter through a raw socket while {owner} and the kernel use it too: {} connect request{} refused because the other's was pending.",
        clashes.len(),
        if clashes.len() == 1 { " was" } else { "s were" }
    ))
    .sure(Confidence::High)
    .about(clashes.iter().map(|(c, ..)| c.number))
    .sees(daemon.frame, format!("{owner} opens the control socket"))
    .sees(raw.frame, format!("{program} opens a raw socket"));
    for (_, mine, theirs) in clashes.iter().take(3) {
        verdict = verdict
            .sees(
                theirs.frame,
                format!(
                    "{}, scan window {:#06x}, timeout {} ms, is pending",
                    theirs.kind,
                    theirs.scan_window,
                    u32::from(theirs.timeout) * 10
                ),
            )
            .sees(
                mine.frame,
                format!(
                    "{}, scan window {:#06x}, interval {}-{} units",
                    mine.kind, mine.scan_window, mine.interval_min, mine.interval_max
                ),
            )
            .sees(mine.status_frame?, format!("Command Status: {}", Status::COMMAND_DISALLOWED));
    }
    Some(
        verdict
            .rules_out("adapter-slots-exhausted", "Command Disallowed (0x0c) is about what is under way, not about a limit")
            .try_this("Stop the daemon while the program runs (`sudo systemctl stop bluetooth`), or let BlueZ forget the device (`bluetoothctl remove ADDRESS`) so that it does not connect by itself.")
            .try_this("Or give the program the adapter alone: `sudo hciconfig hci0 down`, then start it with `HCI_CHANNEL_USER=1`; or use noble's D-Bus binding (`withBindings('dbus')`), or a dongle of its own."),
    )
}
