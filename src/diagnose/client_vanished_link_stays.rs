use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict};
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{AdapterEvent, Connection, Happening};
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
        Case::fires(|| example(false).into()),
        Case::silent("the nearest other trace", || example(true).into()),
    ],
};

fn example(hangs_up: bool) -> Trace {
    let mut open = vec![1, 0, 0, 0, 0, 0, 1, 22, 0, 1, 0, 0, 0, 16];
    open.extend(b"node\0\0\0\0\0\0\0\0\0\0\0\0");
    let trace = Trace::new().monitor(14, &open).up().mtu().wait_ms(500).monitor(15, &[1, 0, 0, 0]);
    let trace = if hangs_up { trace.hangs_up(Status::REMOTE_USER_TERMINATED) } else { trace };
    trace.wait_ms(15_000).advertises(3)
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    let capture = scene.capture();
    let events = &capture.adapter_events;
    // One closing, the last, counts for all links: it is looked for once.
    let closed = events.iter().rev().find_map(|e| match &e.what {
        Happening::ProcessClosed { process } => Some((e, process)),
        _ => None,
    });
    let Some((event, process)) = closed else { return Vec::new() };
    let on_adapter = events.iter().take_while(|e| e.frame < event.frame).any(|e| {
        matches!(&e.what, Happening::ProcessOpened { process: p, channel: "raw" | "user" } if p == process)
    });
    let tools = ["btmon", "hcidump"];
    if !on_adapter || tools.iter().any(|t| process.starts_with(t)) {
        return Vec::new();
    }
    let left = |c: &Connection| {
        let up = c.connected_frame.filter(|up| c.open() && *up < event.frame)?;
        c.capture_end.since(event.at).filter(|lived| *lived >= Span::from_ms(10_000))?;
        Some(stays(event, process, up).about([c.number]))
    };
    capture.connections.iter().filter_map(left).collect()
}

fn stays(event: &AdapterEvent, process: &str, up: u32) -> Verdict {
    Verdict::note(format!("`{process}` closed its socket on the adapter and nobody disconnected: the link is still up when the capture ends."))
        .sure(Confidence::Medium)
        .sees(event.frame, format!("`{process}` closes its socket"))
        .sees(up, "the link that stays up")
        .try_this("Disconnect before the program ends; by hand: `bluetoothctl disconnect ADDRESS`.")
}
