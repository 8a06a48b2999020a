use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, End, Happening, Role, Scan, Stack};
use crate::trace::Trace;

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
        Case::suspect(Confidence::Medium, "two links fail under a scan, the one without it comes up", || {
            works(quiet(fails_under(18, 18).repeated(2, 500))).into()
        })
        .about(&[1, 2])
        .saying("the setup of 2 links")
        .pins(&["FEWEST"]),
        Case::note(Confidence::Low, "one link fails under a scan, the one without it comes up", || {
            works(quiet(fails_under(18, 18))).into()
        })
        .about(&[1])
        .pins(&["FEWEST"]),
        Case::note(Confidence::Low, "two links fail under a scan, and none comes up", || {
            fails_under(18, 18).repeated(2, 500).into()
        }),
        Case::note(Confidence::Low, "a link came up under the same scan", || {
            let scanned = fails_under(18, 18).repeated(2, 500).wait_ms(500);
            works(quiet(works(scanned).wait_ms(500))).into()
        }),
        Case::note(Confidence::Low, "a link failed without a scan too", || {
            let scanned = fails_under(18, 18).repeated(2, 500);
            works(fails(link(quiet(scanned))).wait_ms(500)).into()
        }),
        Case::note(Confidence::Low, "the scan was on before the link was asked for", || {
            fails(link(Trace::new().scan(true, 20, 18))).into()
        })
        .saying("link reported while scanning takes 90 % of the time"),
        Case::silent("nobody scans", || {
            works(fails(link(Trace::new())).repeated(2, 500).wait_ms(500)).into()
        }),
        Case::note(Confidence::Low, "a scan takes 80 % of the time", || fails_under(20, 16).into())
            .pins(&["HEAVY"]),
        Case::silent("a scan takes 75 % of the time", || fails_under(20, 15).into())
            .pins(&["HEAVY"]),
        Case::silent("the link ended for another reason", || {
            let link = link(Trace::new().scan(true, 18, 18)).wait_ms(315);
            link.disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("the device connected to us", || {
            fails(Trace::new().scan(true, 18, 18).connected_as(1, 39, 0, 42)).into()
        }),
        Case::silent("the link under the scan was given up although it was heard", || {
            let heard = link(Trace::new()).scan(true, 18, 18).features();
            works(quiet(fails(heard))).into()
        }),
    ],
};

fn link(before: Trace) -> Trace {
    before.advertises(0).create().connected()
}

fn fails(link: Trace) -> Trace {
    link.wait_ms(315).disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

/// A link that fails while a scan with that interval and window is switched on.
fn fails_under(interval: u16, window: u16) -> Trace {
    fails(link(Trace::new()).scan(true, interval, window))
}

fn quiet(before: Trace) -> Trace {
    before.wait_ms(500).scan(false, 0, 0)
}

fn works(before: Trace) -> Trace {
    before.up().mtu().hangs_up(Status::REMOTE_USER_TERMINATED)
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

/// Share of the time that the receiver scans, from which on little is left for a new link.
const HEAVY: f64 = 0.8;

/// One link that is not answered is ordinary radio loss.
const FEWEST: usize = 2;

/// A link that was never answered while the receiver scanned.
#[derive(Debug)]
struct Starved {
    scan: Scanning,
    end: End,
}

#[derive(Clone, Copy, Debug)]
enum Scanning {
    /// Switched on during the link's first events.
    Began { frame: u32 },
    /// On when the link was reported, in that frame: its share of the time.
    On { frame: u32, duty: f64 },
}

#[derive(Debug)]
struct ScanStarves {
    count: usize,
    links: Vec<Starved>,
    /// A link without such a scan that came through, where that is telling.
    contrast_frame: Option<u32>,
}

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
    let starved: Vec<&Connection> = attempts
        .iter()
        .copied()
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
    let telling = !came_up_under_scan && !died_without && starved.len() >= FEWEST;
    let facts = ScanStarves {
        count: starved.len(),
        links: starved
            .iter()
            .take(super::see::SHOWN)
            .map(|c| under_scan(c))
            .collect::<Option<_>>()?,
        contrast_frame: free.filter(|_| telling).and_then(|c| c.connected_frame()),
    };
    let verdict = match facts.contrast_frame {
        Some(_) => Verdict::suspect(facts).sure(Confidence::Medium),
        None => Verdict::note(facts).sure(Confidence::Low),
    };
    Some(verdict.about(starved.iter().map(|c| c.number)))
}

fn under_scan(connection: &Connection) -> Option<Starved> {
    let scan = match connection.scan_started_frame {
        Some(frame) => Scanning::Began { frame },
        None => Scanning::On {
            frame: connection.connected_frame()?,
            duty: connection.scan_at_connect.map_or(0.0, |scan| scan.duty()),
        },
    };
    Some(Starved { scan, end: connection.end.clone()? })
}

impl Facts for ScanStarves {
    fn says(&self) -> Text {
        match self.contrast_frame {
            Some(_) => text!(
                "Scanning took the radio during the setup of {} links that were never answered; the attempt without such scanning came through.",
                self.count
            ),
            None => text!(
                "The adapter was scanning while the unanswered link was set up. By itself this seldom matters; repeat once with the scan stopped."
            ),
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let links = self.links.iter().flat_map(|Starved { scan, end }| {
            let scan = match *scan {
                Scanning::Began { frame } => {
                    Sight::here(frame, "scanning is switched on while the link is being set up")
                }
                Scanning::On { frame, duty } => {
                    let percent = duty * 100.0;
                    let percent = format_args!("{percent:.0}");
                    let text =
                        text!("link reported while scanning takes {} % of the time", percent);
                    Sight::here(frame, text)
                }
            };
            [scan, see::link_ended(end)]
        });
        let contrast = self.contrast_frame.map(|frame| {
            Sight::here(frame, "link reported without such scanning, and heard afterwards")
        });
        links.chain(contrast).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::no_exchange_was_possible()]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "Ten attempts with the scan stopped, ten with it running: only the difference counts."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
