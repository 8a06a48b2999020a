use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{Connection, EndedBy, Happening, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "local-stack-stopped",
    title: "The Bluetooth daemon or program on this host ended",
    basis: Basis::Laboratory,
    silences: &["adapter-removed", "local-disconnect-2s-kernel-idle", "connection-cancelled-by-app", "att-request-unanswered", "zombie-link-data-silence", "never-usable-connection"],
    docs: "\
## What it means
The process that held the link closed its sockets: it was stopped, restarted, or crashed. The kernel then ended the link, some
two seconds later. The device has done nothing.

## How it shows
The control socket of bluetoothd (or of the program) is closed, then a Disconnect command follows about 2 s later.

## What else it could be
bluetoothd that hangs up on request keeps its socket open.

## What to do
Look at that process's own log: why did it end?",
    sources: &["laboratory: bluetoothd killed while connected"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(14, 15).into()),
        Case::silent("the nearest other trace", || example(14, 14).into()),
    ],
};

/// bluetoothd opens its control socket, and closes it 2 s before the link ends (or opens another).
fn example(first: u16, second: u16) -> Trace {
    let mut open = vec![1, 0, 0, 0, 2, 0, 1, 22, 0, 1, 0, 0, 0, 16];
    open.extend(b"bluetoothd\0\0\0\0\0\0");
    let close = [1, 0, 0, 0];
    let trace = Trace::new().monitor(first, &open).up().mtu().wait_ms(1000);
    let trace = if second == 15 { trace.monitor(15, &close) } else { trace.monitor(14, &open) };
    trace.wait_ms(2000).hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "`journalctl -u bluetooth -b` around that moment: a crash, a restart, or a package update; `coredumpctl list bluetoothd` for a crash.",
    ),
    Remedy::any("Nothing needs to change on the device."),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| end.by == EndedBy::Host)?;
    // Events stand in the order of their frames: only those of this link's life are looked at.
    let events = &scene.capture().adapter_events;
    let events = &events[..events.partition_point(|e| e.frame < end.frame)];
    let begin = connection.connected_frame.unwrap_or(0);
    let events = &events[events.partition_point(|e| e.frame <= begin)..];
    let closed = events.iter().rev().find(|e| {
        matches!(&e.what, Happening::ProcessClosed { process } if holds_links(process))
            && end
                .command_at
                .since(e.at)
                .is_some_and(|d| d > Span::from_ms(-500) && d < Span::from_ms(4_000))
    })?;
    let Happening::ProcessClosed { process } = &closed.what else { return None };
    // A daemon opens several sockets; only the last one to close is its end.
    let back = events.iter().any(|e| {
        e.frame > closed.frame
            && matches!(&e.what, Happening::ProcessOpened { process: p, .. } if p == process)
    });
    if back {
        return None;
    }
    let wait = end.command_at.since(closed.at)?;
    let (frame, text) = see::ended(end);
    Some(
        Verdict::cause(format!("`{process}` closed its Bluetooth socket, and {wait} later the kernel ended the link: the program on this host stopped, the device did nothing."))
            .sure(Confidence::High)
            .sees(closed.frame, format!("`{process}` closes its socket"))
            .sees(end.command_frame?, "Disconnect command, nobody holds the link any more")
            .sees(frame, text)
            .rules_out("remote-user-terminated-idle", "the Disconnect command came from this host")
            .try_these(remedies(scene, REMEDIES)),
    )
}

/// Tools that only look at the adapter hold no links.
fn holds_links(process: &str) -> bool {
    let tools = ["btmon", "btmgmt", "bluetoothctl", "hciconfig", "hcitool", "hcidump"];
    !tools.iter().any(|tool| process.starts_with(tool))
}
