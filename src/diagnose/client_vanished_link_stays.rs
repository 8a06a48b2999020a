use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, Scene, Sight, Verdict};
use crate::packet::Status;
use crate::prose::{self, Text};
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Happening};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "client-vanished-link-stays",
    title: "A program closed its socket, and the link stayed up",
    basis: Basis::Author,
    silences: &[],
    docs: "\
## What it means
A program that used the adapter ended without disconnecting, and the link lives on. The device does not advertise meanwhile, and
the next start of the program finds it connected, or not at all. This rule rests on a trace of its author's.

## How it shows
The program's raw or user socket is closed, no Disconnect command follows, and the link is still up when the capture ends at least
ten seconds later.

## What else it could be
bluetoothd keeps links for programs on purpose: only sockets on the adapter itself are looked at.

## What to do
Disconnect before the program ends; by hand `bluetoothctl disconnect ADDRESS`.",
    sources: &["bleak client.py and bluez/bluez#89: a link survives a crashed application"],
    check: Check::Capture(check),
    cases: &[
        Case::note(Confidence::Medium, "a program leaves, and its link is up 15 s later", || {
            left(opened(0, "node")).wait_ms(15_000).advertises(3).into()
        })
        .about(&[1])
        .saying("node"),
        Case::silent("the program hangs up when it leaves", || {
            let link = left(opened(0, "node")).hangs_up(Status::REMOTE_USER_TERMINATED);
            link.wait_ms(15_000).advertises(3).into()
        }),
        Case::note(Confidence::Medium, "the capture goes on for 10.1 s", || {
            left(opened(0, "node")).wait_ms(10_100).advertises(3).into()
        })
        .pins(&["STAYS"]),
        Case::silent("the capture goes on for 9.9 s", || {
            left(opened(0, "node")).wait_ms(9_800).advertises(3).into()
        })
        .pins(&["STAYS"]),
        Case::silent("a control socket: bluetoothd keeps the link for it", || {
            left(opened(2, "node")).wait_ms(15_000).advertises(3).into()
        }),
        Case::silent("a tool that only looks", || {
            left(opened(0, "btmon")).wait_ms(15_000).advertises(3).into()
        }),
        Case::silent("the link came up after the program left", || {
            left(Trace::new().opens(1, 0, "node")).up().wait_ms(15_000).advertises(3).into()
        }),
        Case::silent("the adapter is closed", || {
            left(opened(0, "node")).wait_ms(200).monitor(9, &[]).wait_ms(15_000).advertises(3).into()
        }),
        Case::note(Confidence::Medium, "the capture goes on for exactly 10 s", || {
            left(opened(0, "node")).after_ms(10_000).advertises(3).into()
        }),
        Case::silent("the capture goes on for a moment less", || {
            left(opened(0, "node")).after_us(9_999_999).advertises(3).into()
        }),
        Case::silent("it opened a socket on the adapter only after that", || {
            let left = left(opened(2, "node")).wait_ms(100).opens(2, 0, "node");
            left.wait_ms(15_000).advertises(3).into()
        }),
        Case::silent("another program has the socket on the adapter", || {
            let other = Trace::new().opens(2, 0, "node").followed_by(opened(2, "bluetoothd"));
            left(other).wait_ms(15_000).advertises(3).into()
        }),
    ],
};

/// A link, while a program has a socket of that kind open on the adapter: 0 raw, 2 control.
fn opened(format: u16, process: &str) -> Trace {
    Trace::new().opens(1, format, process).up().mtu().wait_ms(500)
}

/// The program's socket is closed.
fn left(trace: Trace) -> Trace {
    trace.monitor(15, &[1, 0, 0, 0])
}

/// The kernel needs some seconds to drop a link that nobody holds.
const STAYS: Span = Span::from_ms(10_000);

const REMEDIES: &[Remedy] = &[Remedy::any(
    "Disconnect before the program ends; by hand: `bluetoothctl disconnect ADDRESS`.",
)];

/// A program that left, and a link that stayed.
#[derive(Debug)]
struct Left {
    process: String,
    closed_frame: u32,
    connected_frame: u32,
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    let capture = scene.capture();
    let events = &capture.adapter_events;
    // The last closing counts for all links, so it is looked for once.
    let closed = events.iter().rev().find_map(|e| match &e.what {
        Happening::ProcessClosed { process } => Some((e, process)),
        _ => None,
    });
    let Some((event, process)) = closed else { return Vec::new() };
    let on_adapter = events.iter().take_while(|e| e.comes_before(event.frame)).any(|e| {
        matches!(&e.what, Happening::ProcessOpened { process: p, channel: "raw" | "user" } if p == process)
    });
    let tools = ["btmon", "hcidump"];
    if !on_adapter || tools.iter().any(|t| process.starts_with(t)) {
        return Vec::new();
    }
    let left = |c: &Connection| {
        let up = c.up.filter(|up| c.open() && up.comes_before(event.frame))?;
        c.capture_end.since(event.at).filter(|lived| *lived >= STAYS)?;
        let (process, closed_frame) = (process.clone(), event.frame);
        let facts = Left { process, closed_frame, connected_frame: up.frame };
        Some(Verdict::note(facts).sure(Confidence::Medium).about([c.number]))
    };
    capture.connections.iter().filter_map(left).collect()
}

impl Facts for Left {
    fn says(&self) -> Text {
        text!(
            "{} closed its socket on the adapter and nobody disconnected: the link is still up when the capture ends.",
            prose::name(&self.process)
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(
                self.closed_frame,
                text!("{} closes its socket", prose::name(&self.process)),
            ),
            Sight::here(self.connected_frame, "the link that stays up"),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
