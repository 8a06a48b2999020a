use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::capture::WarningKind;
use crate::packet::hci::Command;
use crate::timeline::{AdapterEvent, Happening, Stack};
use crate::trace::{HANDLE, Trace};

/// Most commands that one finding names.
const MOST_NAMED: usize = 4;

pub const RULE: Rule = Rule {
    id: "command-timeout-0x2016-or-other",
    title: "The local controller did not answer a command",
    basis: Basis::Laboratory,
    silences: &[
        "att-request-unanswered",
        "att-transaction-timeout-30s",
        "ncp-starvation",
        "zombie-link-data-silence",
        "never-usable-connection",
    ],
    docs: "\
## What it means
Every HCI command gets a Command Status or Command Complete within moments. Here one got none for two seconds or more: the
controller's firmware hangs, or the line between host and controller does. Linux then gives the command up (`tx timeout` in
dmesg) and may reset the adapter. The device at the other end has nothing to do with it.

## How it shows
A command without Command Status or Command Complete for at least two seconds; often several, then Hardware Error, reset and
initialisation.

## What else it could be
A capture that lost packets. It marks that with a warning.

## What to do
Update the controller's firmware; on a Raspberry Pi use the PL011 UART or a lower speed; do not scan and connect at once;
power-cycle the adapter; else use a USB dongle.",
    sources: &["raspberrypi/linux#3330, #4601, #4239, #6462", "bluez/bluez#1170, #980"],
    check: Check::Capture(check),
    cases: &[
        Case::fires(|| asked().wait_ms(2_500).done(Command::LeSetScanEnable { le_scan_enable: 0, filter_duplicates: 0 }).into()),
        Case::silent("the nearest other trace", || {
        let answer = asked().wait_ms(700).status(crate::packet::Opcode(0x2016), crate::packet::Status::SUCCESS);
        answer.wait_ms(2_500).done(Command::LeSetScanEnable { le_scan_enable: 0, filter_duplicates: 0 }).into()
    }),
    ],
};

fn asked() -> Trace {
    Trace::new()
        .up()
        .mtu()
        .wait_ms(100)
        .command(Command::LeReadRemoteFeatures { connection_handle: HANDLE })
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Update the firmware (package bluez-firmware or linux-firmware) and power-cycle the adapter: `sudo hciconfig hci0 down; sudo hciconfig hci0 up`; on a Raspberry Pi `sudo systemctl restart hciuart`.",
    ),
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Look for `tx timeout` in `dmesg`; stop scanning while connecting; on a Raspberry Pi use the PL011 UART instead of the mini-UART, or a USB dongle.",
    ),
    Remedy::any("Do not look for the fault in the device: its packets have no part in this."),
];

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    let capture = scene.capture();
    // A recording that drops packets on purpose may have dropped the answers.
    if capture.filtered {
        return Vec::new();
    }
    let unanswered: Vec<(&AdapterEvent, String, u32)> = capture
        .adapter_events
        .iter()
        .filter_map(|event| match event.what {
            // A vendor's command may be answered in a way of the vendor's own.
            Happening::CommandUnanswered { opcode, command_frame } if opcode.0 >> 10 != 0x3f => {
                Some((event, opcode.to_string(), command_frame))
            }
            _ => None,
        })
        .collect();
    let Some((first, name, command_frame)) = unanswered.first() else { return Vec::new() };
    let lost = |frame: u32| {
        capture.warnings.iter().any(|w| {
            w.kind == WarningKind::DroppedPackets && w.frame.is_none_or(|f| f.abs_diff(frame) < 200)
        })
    };
    if lost(*command_frame) {
        return Vec::new();
    }
    let broken: Vec<u32> = capture
        .connections
        .iter()
        .filter(|c| {
            c.adapter == first.adapter
                && c.end.is_none()
                && c.connected_frame.is_some_and(|up| up < first.frame)
                && c.last_heard.is_none_or(|heard| heard.seen.frame < *command_frame)
        })
        .map(|c| c.number)
        .collect();
    let crashed = capture.adapter_events.iter().find(|e| {
        e.adapter == first.adapter
            && e.frame > *command_frame
            && matches!(e.what, Happening::HardwareError(_))
    });
    let count = unanswered.len();
    let what = if count == 1 {
        format!("{name} got no answer")
    } else {
        format!("{count} commands, {name} first, got no answer")
    };
    let says = format!(
        "{what} from the local controller for at least two seconds: it, or the line to it, hung. The device did not cause this."
    );
    let sure = count > 1 || crashed.is_some();
    let mut verdict =
        if sure { Verdict::cause(says).sure(Confidence::High) } else { Verdict::suspect(says) };
    for (_, name, frame) in unanswered.iter().take(MOST_NAMED) {
        verdict = verdict.sees(
            *frame,
            format!("{name}: no Command Status or Command Complete follows for two seconds"),
        );
    }
    if let Some(crash) = crashed {
        verdict = verdict.sees(crash.frame, "Hardware Error");
    }
    vec![
        verdict
            .about(broken)
            .rules_out("att-request-unanswered", "the host's own controller had stopped answering, so nothing could reach the device")
            .try_these(remedies(scene, REMEDIES)),
    ]
}
