use super::waits::pending;
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::hci::Command;
use crate::packet::units::Timeout;
use crate::packet::{Opcode, Status};
use crate::prose::{Text, count, quoted};
use crate::text;
use crate::timeline::{AdapterEvent, Connection, Happening, Request};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "two-stacks-one-adapter",
    title: "Two programs drive one adapter",
    basis: Basis::Laboratory,
    silences: &["create-conn-status-error", "connection-cancelled-by-app"],
    docs: "\
## What it means
A program that talks to the controller itself (noble, bleno, hcitool) shares it with bluetoothd and the kernel. Each sends
commands without knowing of the other's; one's request is refused while the other's is pending, links come up with the other's
parameters, and one closes what the other opened.

## How it shows
A raw socket opened by one process and the control socket by bluetoothd on the same adapter; two connect requests with different
parameters, one refused with 0x0C while the other is pending.

## What else it could be
A raw socket alone is harmless: btmon and monitoring tools have one too.

## What to do
Stop bluetoothd, or give the raw program a user channel, the D-Bus binding, or an adapter of its own.",
    sources: &["stoprocent/noble#97, #98, #99, #101"],
    check: Check::Capture(check),
    cases: &[
        Case::cause(Confidence::High, "a program's request is refused while the daemon's is pending", || {
            refused(asks(daemon().opens(2, 0, "node"))).into()
        })
        .about(&[2])
        .saying("1 connect request was refused"),
        Case::cause(Confidence::High, "two of its requests are refused", || {
            let trace = asks(daemon().opens(2, 0, "node"));
            let trace = trace.command(OTHER).status(CREATE, DISALLOWED).wait_ms(100);
            refused(trace).into()
        })
        .saying("2 connect requests were refused"),
        Case::silent("only the daemon has a socket", || refused(asks(daemon())).into()),
        Case::silent("only the program has a socket", || {
            refused(asks(Trace::new().opens(2, 0, "node"))).into()
        }),
        Case::silent("the raw socket is the monitor's", || {
            refused(asks(daemon().opens(2, 0, "btmon"))).into()
        }),
        Case::silent("the raw socket is the daemon's own", || {
            refused(asks(daemon().opens(2, 0, "bluetoothd"))).into()
        }),
        Case::silent("the refused request has the same parameters", || {
            let trace = asks(daemon().opens(2, 0, "node")).create_refused(DISALLOWED);
            trace.wait_ms(900).cancel().into()
        }),
        Case::silent("nothing was pending when it was refused", || {
            refused(daemon().opens(2, 0, "node").advertises(0)).into()
        }),
        Case::silent("it is refused for its parameters", || {
            let trace = asks(daemon().opens(2, 0, "node")).command(OTHER);
            let refused = trace.status(CREATE, Status::INVALID_PARAMETERS);
            refused.wait_ms(900).cancel().into()
        }),
        Case::silent("the program talks to the daemon's socket, and not to the adapter", || {
            refused(asks(daemon().opens(2, 2, "node"))).into()
        }),
        Case::silent("the daemon does not manage the adapter", || {
            let raw = Trace::new().opens(1, 0, "bluetoothd").opens(2, 0, "node");
            refused(asks(raw)).into()
        }),
        Case::silent("another program manages the adapter", || {
            let other = Trace::new().opens(1, 2, "btmgmt").opens(2, 0, "node");
            refused(asks(other)).into()
        }),
        Case::silent("the program drives another adapter", || {
            refused(asks(daemon().adapter(1).opens(2, 0, "node").adapter(0))).into()
        }),
    ],
};

const CREATE: Opcode = Opcode(0x200d);
const DISALLOWED: Status = Status::COMMAND_DISALLOWED;

/// Another program's request.
const OTHER: Command<'_> = Command::LeCreateConnection {
    le_scan_interval: 0x60,
    le_scan_window: 0x30,
    initiator_filter_policy: 0,
    peer_address_type: crate::packet::AddressType::RANDOM,
    peer_address: crate::trace::PEER,
    own_address_type: 0,
    connection_interval_min: 6,
    connection_interval_max: 18,
    max_latency: 0,
    supervision_timeout: 42,
    min_ce_length: 4,
    max_ce_length: 6,
};

fn daemon() -> Trace {
    Trace::new().opens(1, 2, "bluetoothd")
}

fn asks(trace: Trace) -> Trace {
    trace.advertises(0).create().wait_ms(50)
}

fn refused(trace: Trace) -> Trace {
    trace.command(OTHER).status(CREATE, DISALLOWED).wait_ms(900).cancel()
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Stop the daemon while the program runs (`sudo systemctl stop bluetooth`), or let BlueZ forget the device (`bluetoothctl remove ADDRESS`) so that it does not connect by itself.",
    ),
    Remedy::any(
        "Or give the program the adapter alone: `sudo hciconfig hci0 down`, then start it with `HCI_CHANNEL_USER=1`; or use noble's D-Bus binding (`withBindings('dbus')`), or a dongle of its own.",
    ),
];

/// Most refused requests that are shown.
const SHOWN: usize = 3;

/// A program and the daemon that got in each other's way.
#[derive(Debug)]
struct TwoStacks {
    program: Socket,
    daemon: Socket,
    count: usize,
    clashes: Vec<Clash>,
}

/// Who opened a socket, and where.
#[derive(Debug)]
struct Socket {
    frame: u32,
    process: Box<str>,
}

/// A request that was refused while another one was pending.
#[derive(Debug)]
struct Clash {
    refused: Box<Request>,
    pending: Box<Request>,
}

fn opened<'a>(
    scene: &Scene<'a>,
    wanted: impl Fn(&str, &str) -> bool,
) -> Option<(&'a AdapterEvent, Socket)> {
    scene.capture().adapter_events.iter().find_map(|event| match &event.what {
        Happening::ProcessOpened { process, channel } if wanted(process, channel) => {
            Some((event, Socket { frame: event.frame, process: process.as_str().into() }))
        }
        _ => None,
    })
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    verdict(scene).into_iter().collect()
}

fn verdict(scene: &Scene<'_>) -> Option<Verdict> {
    let (_, daemon) = opened(scene, |process, channel| {
        channel == "control" && process.starts_with("bluetoothd")
    })?;
    let (raw, program) = opened(scene, |process, channel| {
        channel == "raw" && !process.starts_with("bluetoothd") && !process.starts_with("btmon")
    })?;
    let connections = scene.capture().connections.iter();
    let (refused, clashes): (Vec<&Connection>, Vec<Clash>) = connections
        .filter(|c| raw.adapter.is_none() || c.adapter == raw.adapter)
        .filter_map(|c| Some((c, clash(scene, c)?)))
        .unzip();
    refused.first()?;
    let facts = TwoStacks {
        program,
        daemon,
        count: clashes.len(),
        clashes: clashes.into_iter().take(SHOWN).collect(),
    };
    let about = refused.iter().map(|c| c.number);
    Some(Verdict::cause(facts).sure(Confidence::High).about(about))
}

/// A request that was refused for another one with other parameters.
fn clash(scene: &Scene<'_>, connection: &Connection) -> Option<Clash> {
    let refused =
        connection.request.as_ref().filter(|r| r.status == Some(Status::COMMAND_DISALLOWED))?;
    let pending = pending(scene, connection)?.request.as_ref()?;
    let parameters = |r: &Request| (r.interval_min, r.interval_max, r.timeout, r.scan_window);
    (parameters(refused) != parameters(pending))
        .then(|| Clash { refused: refused.clone(), pending: pending.clone() })
}

impl Facts for TwoStacks {
    fn says(&self) -> Text {
        text!(
            "{} drives the adapter through a raw socket while {} and the kernel use it too: {} refused because the other's was pending.",
            quoted(&self.program.process),
            quoted(&self.daemon.process),
            count(self.count, "connect request was", "connect requests were")
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let opens = |socket: &Socket, kind| {
            Sight::here(socket.frame, text!("{} opens {}", quoted(&socket.process), kind))
        };
        let mut sights =
            vec![opens(&self.daemon, "the control socket"), opens(&self.program, "a raw socket")];
        for Clash { refused, pending } in &self.clashes {
            let window = pending.scan_window;
            sights.push(Sight::here(
                pending.frame,
                text!(
                    "{}, scan window {}, timeout {}, is pending",
                    pending.kind,
                    format_args!("{window:#06x}"),
                    Timeout(pending.timeout).span()
                ),
            ));
            let window = refused.scan_window;
            sights.push(Sight::here(
                refused.frame,
                text!(
                    "{}, scan window {}, interval {}-{} units",
                    refused.kind,
                    format_args!("{window:#06x}"),
                    refused.interval_min,
                    refused.interval_max
                ),
            ));
            let status = text!("Command Status: {}", Status::COMMAND_DISALLOWED);
            sights.extend(refused.status_frame.map(|frame| Sight::here(frame, status)));
        }
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "adapter-slots-exhausted",
            "Command Disallowed (0x0c) is about what is under way, not about a limit",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
