use super::{Basis, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::Status;
use crate::timeline::{Connection, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "never-heard-peer",
    title: "The device never answered after the connect request",
    basis: Basis::Real,
    silences: &[],
    docs: "\
## What it means
The controller reported a new link, and nothing from the device ever arrived on it. LE Connection Complete only says that
the connect request was sent. A link without one packet from the peer is given up after six connection intervals, and the
controller reports 0x3E. This is decided by the two radios: no ATT, MTU, pairing or keep-alive traffic can prevent or cure it.

## How it shows
LE Connection Complete with status 0; no data, no answered link-layer procedure and no acknowledged packet on that handle;
then Disconnection Complete with 0x3E, as a rule 5 to 7.5 intervals later.

## What else it could be
Nothing else ends a link with 0x3E. Why the request or its answer was lost is another question: radio time taken by
scanning or Wi-Fi, a stale or wrong address, a device that only answers hosts it knows, or plain radio loss.

## What to do
Try again three to five times with half a second between: single failures are ordinary radio loss. Stop scanning first.
On a combined Wi-Fi and Bluetooth chip, repeat with Wi-Fi off. Try a USB dongle on an extension lead.",
    sources: &[
        "Apache NimBLE controller, ble_ll_conn.c: a created link ends after six intervals with 0x3E",
        "hbldh/bleak#993",
        "noble/noble#474",
    ],
    check: Check::Connection(check),
    fires_on: || Trace::new().advertises(0).create().connected().wait_ms(315).disconnected(Status::FAILED_TO_BE_ESTABLISHED).into(),
    silent_on: || Trace::new().advertises(0).up().wait_ms(315).disconnected(Status::REMOTE_USER_TERMINATED).into(),
};

const REMEDIES: &[Remedy] = &[
    (&[], "Retry three to five times, 0.5-1 s apart: a single 0x3E is ordinary radio loss."),
    (
        &[Stack::BlueZ],
        "Stop scanning before connecting: `bluetoothctl scan off`; with bleak `await scanner.stop()` before `connect()`.",
    ),
    (
        &[Stack::Noble],
        "Call `noble.stopScanning()` and wait for `scanStop` before `peripheral.connect()`.",
    ),
    (
        &[Stack::BlueZ, Stack::Noble],
        "On a Raspberry Pi repeat once with `sudo rfkill block wlan`, and once with a USB dongle.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref()?;
    let granted = connection.granted?;
    let central = connection.role == Some(Role::Central);
    if end.reason != Status::FAILED_TO_BE_ESTABLISHED || connection.peer_heard() || !central {
        return None;
    }
    let life = connection.life();
    let interval = granted.interval();
    let timing =
        life.filter(|_| interval.0 > 0).map(|life| (life, life.0 as f64 / interval.0 as f64));
    let how_long = match timing {
        Some((life, ratio)) if ratio < 1.0 => {
            format!(
                "{life} later: both events were delivered together, the link itself lived longer"
            )
        }
        Some((life, ratio)) => format!("{life} later, {ratio:.1} connection intervals"),
        None => "later".to_owned(),
    };
    let mut verdict = Verdict::cause(format!(
        "The link was created, nothing from the device was ever heard on it, and the controller gave it up {how_long}. \
         This is decided below ATT: no missing or late ATT packet can be the cause."
    ))
    .sure(Confidence::High)
    .sees(connection.connected_frame?, format!("LE Connection Complete, interval {interval}"))
    .sees(end.frame, format!("Disconnection Complete, {}; nothing received in between", end.reason))
    .rules_out("missing-mtu-exchange", "the peer was never heard, so no ATT exchange could have happened or helped")
    .rules_out("pin-or-key-missing-0x06", "encryption was never negotiated with the peer")
    .rules_out("short-supervision-timeout-linux-420ms", "the supervision timeout counts only after the first packet of the peer")
    .settled_by("An over-the-air sniffer shows whether CONNECT_IND was sent on a moment when the device listened, and whether it answered.");
    if let Some(report) = connection.report_before {
        let rssi = report.rssi.map_or(String::new(), |rssi| format!(" at {rssi} dBm"));
        verdict = verdict.sees(
            report.frame,
            format!("last advertising report of this address before the request{rssi}"),
        );
    }
    Some(verdict.try_these(remedies(scene, REMEDIES)))
}
