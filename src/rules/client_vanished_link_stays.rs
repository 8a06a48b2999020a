use super::{Basis, Check, Confidence, Rule, Scene, Verdict};
use crate::link::{Connection, Happening};
use crate::time::Span;
use crate::trace::Trace;
use crate::wire::Status;

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
    check: Check::Connection(check),
    fires_on: || example(false).into(),
    silent_on: || example(true).into(),
};

fn example(hangs_up: bool) -> Trace {
    let mut open = vec![1, 0, 0, 0, 0, 0, 1, 22, 0, 1, 0, 0, 0, 16];
    open.extend(b"node\0\0\0\0\0\0\0\0\0\0\0\0");
    let trace = Trace::new().monitor(14, &open).up().mtu().wait_ms(500).monitor(15, &[1, 0, 0, 0]);
    let trace = if hangs_up { trace.hangs_up(Status::REMOTE_USER_TERMINATED) } else { trace };
    trace.wait_ms(15_000).advertises(3)
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    if connection.end.is_some() || connection.connected_frame.is_none() {
        return None;
    }
    let events = &scene.capture().adapter_events;
    let (event, process) = events.iter().rev().find_map(|e| match &e.what {
        Happening::ProcessClosed { process }
            if connection.connected_frame.is_some_and(|f| e.frame > f) =>
        {
            Some((e, process))
        }
        _ => None,
    })?;
    let on_adapter = events.iter().any(|e| {
        matches!(&e.what, Happening::ProcessOpened { process: p, channel: "raw" | "user" } if p == process && e.frame < event.frame)
    });
    let tools = ["btmon", "hcidump"];
    let outlived =
        connection.capture_end.since(event.at).is_some_and(|d| d >= Span::from_ms(10_000));
    if !on_adapter || !outlived || tools.iter().any(|t| process.starts_with(t)) {
        return None;
    }
    Some(
        Verdict::note(format!("`{process}` closed its socket on the adapter and nobody disconnected: the link is still up when the capture ends."))
            .sure(Confidence::Medium)
            .sees(event.frame, format!("`{process}` closes its socket"))
            .sees(connection.connected_frame?, "the link that stays up")
            .try_this("Disconnect before the program ends; by hand: `bluetoothctl disconnect ADDRESS`."),
    )
}
