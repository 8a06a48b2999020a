use super::{Basis, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{Connection, Moment, Stack, Transport};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "supervision-timeout-0x08",
    title: "The radio link was lost after it had worked",
    basis: Basis::Real,
    silences: &["att-request-unanswered", "zombie-link-data-silence", "never-usable-connection", "att-transaction-timeout-30s"],
    docs: "\
## What it means
The link had been up, and then nothing at all was received for the supervision timeout. Even an idle link exchanges empty
packets, so the peer was gone, out of reach, or its radio was off.

## How it shows
Disconnection Complete with 0x08, without a command of ours, at least one supervision timeout after the last sign of the
peer. Empty packets do not show on HCI, so the visible silence may be much longer. A request still open at that moment is a
consequence.

## What else it could be
0x3E: the peer was never heard. 0x22: the peer is there but did not finish a link-layer procedure.

## What to do
Distance, antenna, interference, Wi-Fi on the same chip; a device that resets or switches its radio off (flash erase). A
longer supervision timeout bridges short gaps. Look whether advertising resumes right after the end: then the device reset.",
    sources: &["BlueZ doc/btmon-connections.rst", "RPi-Distro/bluez-firmware#8"],
    check: Check::Connection(check),
    fires_on: || Trace::new().up().mtu().wait_ms(500).disconnected(Status::CONNECTION_TIMEOUT).into(),
    silent_on: || Trace::new().up().mtu().wait_ms(100).disconnected(Status::CONNECTION_TIMEOUT).into(),
};

const REMEDIES: &[Remedy] = &[
    (&[], "Repeat at one metre, and with 2.4 GHz Wi-Fi off: if it holds, it is the radio path."),
    (
        &[Stack::BlueZ],
        "Lengthen the timeout: `[LE] ConnectionSupervisionTimeout=600` (6 s) with `MinConnectionInterval`/`MaxConnectionInterval` in /etc/bluetooth/main.conf.",
    ),
    (
        &[Stack::Noble],
        "Pass a longer timeout: `peripheral.connect({ timeout: 0x0258 })` (6 s) where the fork supports it.",
    ),
    (
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Request a supervision timeout of 4-6 s in the connection parameters.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection
        .end
        .as_ref()
        .filter(|end| end.reason == Status::CONNECTION_TIMEOUT && end.command_frame.is_none())?;
    let timeout = connection.current.map(|c| c.timeout());
    let silence = connection.silence_before_end();
    if let (Some(timeout), Some(silence)) = (timeout, silence)
        && silence.0 * 100 < timeout.0 * 95
    {
        return None;
    }
    let said = match (timeout, silence) {
        (Some(timeout), Some(silence)) => format!(
            "Nothing was heard for {silence}; the supervision timeout in force was {timeout}."
        ),
        (None, _) if connection.transport == Transport::BrEdr => {
            "It was a BR/EDR link, whose timeout no event of the capture tells.".to_owned()
        }
        (None, _) => {
            "The link was up before the capture began, so its timeout is not known.".to_owned()
        }
        _ => String::new(),
    };
    let mut verdict = Verdict::cause(format!("The link worked and was then lost: the controller gave it up for want of packets from the peer. {said}"))
        .sure(Confidence::High);
    // A count of packets right before the end is the controller's clearing of its queue.
    let cleared = |at: Moment| end.at.since(at).is_some_and(|ago| ago < Span::from_ms(20));
    if let Some(heard) = connection.last_heard.filter(|heard| !cleared(heard.seen.at)) {
        verdict = verdict.sees(heard.seen.frame, format!("last sign of the peer: {}", heard.by));
    }
    let (frame, text) = see::ended(end);
    verdict = verdict.sees(frame, text);
    if let Some(report) = connection.report_after
        && let Some(after) = report.at.since(end.at)
        && after.0 < 1_500_000
    {
        verdict = verdict.sees(
            report.frame,
            format!(
                "the device advertises again {after} after the end: it is alive, and may have reset"
            ),
        );
    }
    Some(
        verdict
            .rules_out("never-heard-peer", "the link had been established: 0x08 is only reported after packets were received")
            .settled_by("Repeat with the device at one metre and Wi-Fi off; log resets on the device's side.")
            .try_these(remedies(scene, REMEDIES)),
    )
}
