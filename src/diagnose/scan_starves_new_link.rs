use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::Status;
use crate::timeline::{Connection, Happening, Role, Scan, Stack};
use crate::trace::Trace;

/// Share of the time that the receiver scans, from which on little is left for a new link.
const HEAVY: f64 = 0.8;

pub const RULE: Rule = Rule {
    id: "scan-starves-new-link",
    title: "Scanning went on while the new link needed the radio",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
A controller with one radio cannot scan all the time and serve the first events of a new link as well. If it scans through
them, the device's answer is missed and the link ends with 0x3E.

## How it shows
Scanning with a window of 80 % of its interval or more, on when the link was reported or switched on before its end; nothing
heard; 0x3E. It counts for more if attempts to the same device without such scanning came through.

## What else it could be
By itself this says little: of 33 measured links that were set up under such a scan, 29 came up.

## What to do
Stop the scan before connecting and keep it stopped until services are resolved; look for other programs that scan; or use a
second adapter for scanning.",
    sources: &["stoprocent/noble#136", "raspberrypi/linux#3330"],
    check: Check::Device(check),
    cases: &[
        Case::fires(|| dead(true).repeated(2, 500).wait_ms(500).scan(false, 0, 0).up().mtu().into()),
        Case::silent("the nearest other trace", || dead(false).repeated(2, 500).wait_ms(500).up().mtu().into()),
    ],
};

fn dead(scanning: bool) -> Trace {
    let trace = Trace::new().advertises(0).create().connected();
    let trace = if scanning { trace.scan(true, 18, 18) } else { trace };
    trace.wait_ms(315).disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Stop discovery before connecting and keep it stopped until services are resolved: `bluetoothctl scan off`; with bleak `await scanner.stop()` first. `btmon` shows which client holds discovery.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Call `noble.stopScanning()` and wait for `scanStop` before `peripheral.connect()`; start again after discovery.",
    ),
    Remedy::any("Scan with a second adapter, or with a window of at most half the interval."),
];

/// Whether the receiver scanned heavily during this link's first events.
fn scanned(scene: &Scene<'_>, connection: &Connection) -> bool {
    let heavy = |scan: &Scan| scan.duty() >= HEAVY;
    let before = connection.scan_at_connect.as_ref().is_some_and(heavy);
    let during = connection.scan_started_frame.is_some_and(|frame| {
        let events = &scene.capture().adapter_events;
        let at = events.iter().skip(events.partition_point(|e| e.frame < frame));
        at.take_while(|e| e.frame == frame)
            .any(|e| matches!(&e.what, Happening::ScanOn(scan) if heavy(scan)))
    });
    before || during
}

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let starved: Vec<&&Connection> = attempts
        .iter()
        .filter(|c| {
            let dead = c.never_heard() && c.reason() == Some(Status::FAILED_TO_BE_ESTABLISHED);
            dead && c.role == Some(Role::Central) && scanned(scene, c)
        })
        .collect();
    starved.first()?;
    let heard = |c: &&&Connection| c.connected_frame().is_some() && c.peer_heard();
    let came_up_under_scan = attempts.iter().filter(heard).any(|c| scanned(scene, c));
    let free = attempts.iter().filter(heard).find(|c| !scanned(scene, c));
    let died_without = attempts.iter().any(|c| c.never_heard() && !scanned(scene, c));
    let contrast = free.filter(|_| !came_up_under_scan && !died_without && starved.len() > 1);
    let count = starved.len();
    let mut verdict = match contrast {
        Some(_) => Verdict::suspect(format!(
            "Scanning took the radio during the setup of {count} links that were never answered; the attempt without such scanning came through."
        )),
        None => Verdict::note("The adapter was scanning while the unanswered link was set up. By itself this seldom matters; repeat once with the scan stopped.")
            .sure(Confidence::Low),
    };
    verdict = verdict.about(starved.iter().map(|c| c.number));
    for connection in starved.iter().take(4) {
        let line = match connection.scan_started_frame {
            Some(frame) => {
                (frame, "scanning is switched on while the link is being set up".to_owned())
            }
            None => {
                let duty = connection.scan_at_connect.map_or(0.0, |scan| scan.duty() * 100.0);
                (
                    connection.connected_frame()?,
                    format!("link reported while scanning takes {duty:.0} % of the time"),
                )
            }
        };
        verdict = verdict.sees(line.0, line.1);
        let end = connection.end.as_ref()?;
        verdict = verdict.sees(end.frame, format!("Disconnection Complete, {}", end.reason));
    }
    if let Some(free) = contrast {
        verdict = verdict.sees(
            free.connected_frame()?,
            "link reported without such scanning, and heard afterwards",
        );
    }
    Some(verdict.settled_by("Ten attempts with the scan stopped, ten with it running: only the difference counts.").rules_out("missing-mtu-exchange", "the device was never heard, so no ATT exchange could have helped").try_these(remedies(scene, REMEDIES)))
}
