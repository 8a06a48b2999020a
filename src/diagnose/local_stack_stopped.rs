use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Status;
use crate::packet::hci::Command;
use crate::prose::{self, Text};
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, EndedBy, Happening, Stack};
use crate::trace::{HANDLE, Trace};

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
        Case::cause(Confidence::High, "bluetoothd closes its socket 2 s before", || {
            closed(opened("bluetoothd"), 2_000).into()
        })
        .about(&[1])
        .saying("bluetoothd"),
        Case::silent("its socket stays open", || {
            opened("bluetoothd").wait_ms(2_000).hangs_up(HANGS_UP).into()
        }),
        Case::silent("a tool that only looks closes its socket", || {
            closed(opened("btmgmt"), 2_000).into()
        }),
        Case::cause(Confidence::High, "it closes 3.9 s before", || {
            closed(opened("bluetoothd"), 3_900).into()
        })
        .pins(&["LATEST"]),
        Case::silent("it closes 4.1 s before", || closed(opened("bluetoothd"), 4_100).into())
            .pins(&["LATEST"]),
        Case::silent("it opens another socket at once", || {
            let again = close(opened("bluetoothd")).wait_ms(100).opens(2, 2, "bluetoothd");
            again.wait_ms(1_900).hangs_up(HANGS_UP).into()
        }),
        Case::silent("the peer hangs up", || {
            close(opened("bluetoothd")).wait_ms(2_000).disconnected(HANGS_UP).into()
        }),
        Case::silent("its socket was closed before the link came up", || {
            let before = close(Trace::new().opens(1, 2, "bluetoothd"));
            before.up().wait_ms(500).hangs_up(HANGS_UP).into()
        }),

        Case::cause(Confidence::High, "its socket's record comes 0.4 s after the command", || {
            let asked = opened("bluetoothd").taken(Command::Disconnect {
                connection_handle: HANDLE,
                reason: HANGS_UP,
            });
            close(asked.wait_ms(400)).wait_ms(50).disconnected(Status::LOCAL_HOST_TERMINATED).into()
        }),
        Case::silent("its socket's record comes 0.6 s after the command", || {
            let asked = opened("bluetoothd").taken(Command::Disconnect {
                connection_handle: HANDLE,
                reason: HANGS_UP,
            });
            close(asked.wait_ms(600)).wait_ms(50).disconnected(Status::LOCAL_HOST_TERMINATED).into()
        }),
        Case::silent("it closes exactly 4 s before", || {
            close(opened("bluetoothd")).after_ms(4_000).hangs_up(HANGS_UP).into()
        }),
        Case::cause(Confidence::High, "another program opens a socket then", || {
            let other = close(opened("bluetoothd")).wait_ms(100).opens(2, 2, "python");
            other.wait_ms(1_900).hangs_up(HANGS_UP).into()
        }),
        Case::cause(Confidence::High, "it had opened its socket twice before", || {
            let twice = Trace::new().opens(1, 2, "bluetoothd").up().mtu().opens(2, 2, "bluetoothd");
            closed(twice.wait_ms(500), 2_000).into()
        }),
        Case::cause(Confidence::High, "its socket's record comes a little less than 0.5 s after the command", || {
            closes_after(499_999).into()
        }),
        Case::silent("its socket's record comes exactly 0.5 s after the command", || {
            closes_after(500_000).into()
        }),
    ],
};

const HANGS_UP: Status = Status::REMOTE_USER_TERMINATED;

/// A link, while a program has its control socket open.
fn opened(process: &str) -> Trace {
    Trace::new().opens(1, 2, process).up().mtu().wait_ms(1_000)
}

fn close(trace: Trace) -> Trace {
    trace.monitor(15, &[1, 0, 0, 0])
}

fn closed(trace: Trace, before_ms: u32) -> Trace {
    close(trace).wait_ms(before_ms).hangs_up(HANGS_UP)
}

/// This host hangs up, and its program's socket is closed exactly so long after the command.
fn closes_after(us: u32) -> Trace {
    let hang_up = Command::Disconnect { connection_handle: HANDLE, reason: HANGS_UP };
    // The command's status comes 0.1 ms after it.
    let asked = opened("bluetoothd").taken(hang_up).after_us(us - 100);
    close(asked).wait_ms(50).disconnected(Status::LOCAL_HOST_TERMINATED)
}

/// The kernel waits two seconds for somebody else to take the link; it may be busy for as long again.
const LATEST: Span = Span::from_ms(4_000);

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Read `journalctl -u bluetooth -b` around that moment: a crash, a restart, or a package update; `coredumpctl list bluetoothd` shows a crash.",
    ),
    Remedy::no_use("Changing anything on the device: this host's own daemon ended the link."),
];

/// A program that stopped, and the link that it held.
#[derive(Debug)]
struct Stopped {
    process: String,
    closed_frame: u32,
    wait: Span,
    command_frame: u32,
    end: End,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| end.by == EndedBy::Host)?;
    // Events stand in the order of their frames: only those of this link's life are looked at.
    let events = &scene.capture().adapter_events;
    let events =
        events.get(..events.partition_point(|e| e.comes_before(end.frame))).unwrap_or_default();
    let begin = connection.connected_frame().unwrap_or(0);
    let events =
        events.get(events.partition_point(|e| !e.comes_after(begin))..).unwrap_or_default();
    let (closed, process, wait) = events.iter().rev().find_map(|e| {
        let Happening::ProcessClosed { process } = &e.what else { return None };
        let wait = end.command_at().since(e.at)?;
        // The socket's record may come a moment after the command that follows from it.
        let soon = wait > Span::from_ms(-500) && wait < LATEST;
        (soon && holds_links(process)).then_some((e, process, wait))
    })?;
    // A daemon opens several sockets; only the last one to close is its end.
    let back = events.iter().any(|e| {
        e.comes_after(closed.frame)
            && matches!(&e.what, Happening::ProcessOpened { process: p, .. } if p == process)
    });
    if back {
        return None;
    }
    let facts = Stopped {
        process: process.clone(),
        closed_frame: closed.frame,
        wait,
        command_frame: end.command_frame()?,
        end: end.clone(),
    };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for Stopped {
    fn says(&self) -> Text {
        text!(
            "{} closed its Bluetooth socket, and {} later the kernel ended the link: the program on this host stopped, the device did nothing.",
            prose::name(&self.process),
            self.wait
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(
                self.closed_frame,
                text!("{} closes its socket", prose::name(&self.process)),
            ),
            Sight::here(self.command_frame, "Disconnect command, nobody holds the link any more"),
            see::link_ended(&self.end),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "remote-user-terminated-idle",
            "the Disconnect command came from this host",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

/// Tools that only look at the adapter hold no links.
fn holds_links(process: &str) -> bool {
    let tools = ["btmon", "btmgmt", "bluetoothctl", "hciconfig", "hcitool", "hcidump"];
    !tools.iter().any(|tool| process.starts_with(tool))
}
