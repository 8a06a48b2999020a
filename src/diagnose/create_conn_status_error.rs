use super::waits::pending;
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::hci::Command;
use crate::packet::{Address, AddressType, Opcode, Status};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Request, RequestKind, Stack};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "create-conn-status-error",
    title: "The local controller refused the connect command",
    basis: Basis::Laboratory,
    silences: &["connection-cancelled-by-app"],
    docs: "\
## What it means
The host asked for a connection and its own controller said no at once. Nothing went out on the air; the device was not
involved.

## How it shows
Command Status with an error for LE Create Connection or LE Extended Create Connection. 0x0C: another request is still
pending, or the adapter is busy in a way that excludes it. 0x09 and 0x0D: no link left to give. 0x12: the parameters contradict
each other, as a rule a supervision timeout too short for the interval and latency. 0x11: a PHY or feature that the controller
lacks. 0x07: no memory.

## What else it could be
A single 0x0C can be a harmless race of two programs; a link that comes up moments later shows that.

## What to do
0x0C: connect to one device at a time, cancel a pending request before the next, and let only one program own the adapter.
0x12: raise the supervision timeout together with the interval. 0x11: ask for the 1M PHY only.",
    sources: &["noble/noble#864, #658, #165", "Core Specification, Vol 4, Part E, 7.8.12 and 7.8.66"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "another request was pending", || {
            behind_another().wait_ms(5_000).cancel().into()
        })
        .about(&[2])
        .saying("still pending at that moment"),
        Case::cause(Confidence::High, "nothing was pending", || {
            refused(Status::COMMAND_DISALLOWED).into()
        })
        .not_saying("still pending"),
        Case::silent("the command was accepted", || Trace::new().up().mtu().into()),
        Case::cause(Confidence::Medium, "two requests wait for an answer, and one answer is there", || {
            let other = Address([7, 7, 7, 7, 7, 0xc7]);
            let first = Trace::new().creates_unanswered();
            let trace = first.peer(other, STATIC).creates_unanswered();
            trace.status(Opcode(0x200d), Status::COMMAND_DISALLOWED).into()
        }),
        Case::silent("a page on BR/EDR was refused", || {
            let page = Command::CreateConnection {
                bd_addr: PEER,
                packet_type: 0xcc18,
                page_scan_repetition_mode: 2,
                reserved: 0,
                clock_offset: 0,
                allow_role_switch: 1,
            };
            Trace::new().command(page).status(Opcode(0x0405), Status::COMMAND_DISALLOWED).into()
        }),
        Case::note(Confidence::Medium, "the other request came through 1.9 s later", || {
            behind_another().wait_ms(1_800).peer(PEER, STATIC).connected().features().into()
        })
        .about(&[2])
        .pins(&["RACE"]),
        Case::cause(Confidence::High, "the other request came through after 2.1 s", || {
            behind_another().wait_ms(2_100).peer(PEER, STATIC).connected().features().into()
        })
        .about(&[2])
        .pins(&["RACE"]),
        Case::cause(Confidence::High, "the other request came through unheard", || {
            behind_another().wait_ms(500).peer(PEER, STATIC).connected().wait_ms(1_000).into()
        }),
        Case::note(Confidence::Medium, "64 requests later one comes through", || {
            many_refused(64).up().into()
        })
        .pins(&["MOST_RACING"]),
        Case::cause(Confidence::High, "65 requests later one comes through", || {
            many_refused(65).up().into()
        })
        .about(&[1])
        .pins(&["MOST_RACING"]),
        Case::cause(Confidence::High, "no link is left to give", || {
            refused(Status::CONNECTION_LIMIT_EXCEEDED).into()
        })
        .saying("Close links that nobody uses"),
        Case::cause(Confidence::High, "the parameters contradict each other", || {
            refused(Status::INVALID_PARAMETERS).into()
        })
        .saying("Choose a supervision timeout above"),
        Case::cause(Confidence::High, "a PHY that the controller does not have", || {
            refused(Status::UNSUPPORTED_FEATURE).into()
        })
        .saying("1M PHY only"),
        Case::cause(Confidence::High, "out of memory", || {
            refused(Status::MEMORY_CAPACITY_EXCEEDED).into()
        })
        .saying("it is out of memory"),

        Case::cause(Confidence::High, "the other request comes through, but this one was wrong in itself", || {
            let other = Address([7, 7, 7, 7, 7, 0xc7]);
            let waiting = Trace::new().create().wait_ms(100).peer(other, STATIC);
            let refused = waiting.create_refused(Status::INVALID_PARAMETERS).wait_ms(500);
            refused.peer(PEER, STATIC).connected().features().into()
        })
        .about(&[2])
        .not_saying("still pending"),
        Case::cause(Confidence::High, "a link that was up before is no race", || {
            let other = Address([7, 7, 7, 7, 7, 0xc7]);
            let linked = Trace::new().up().mtu().wait_ms(100);
            linked.peer(other, STATIC).create_refused(Status::COMMAND_DISALLOWED).into()
        })
        .about(&[2]),
        Case::cause(Confidence::High, "the next request was sent after the answer", || {
            let other = Address([7, 7, 7, 7, 7, 0xc7]);
            let first = Trace::new().create_refused(Status::COMMAND_DISALLOWED).wait_ms(3_000);
            first.peer(other, STATIC).creates_unanswered().into()
        })
        .about(&[1]),
        Case::cause(Confidence::High, "both requests have their own answers", || {
            let other = Address([7, 7, 7, 7, 7, 0xc7]);
            let both = Trace::new().creates_unanswered().peer(other, STATIC).creates_unanswered();
            let refused = both.status(Opcode(0x200d), Status::COMMAND_DISALLOWED);
            refused.status(Opcode(0x200d), Status::COMMAND_DISALLOWED).into()
        }),
        // The refusal comes 0.2 ms after the request, and the event 60 ms after that pause.
        Case::cause(Confidence::High, "the other request came through after exactly 2 s", || {
            let later = behind_another().after_us(2_000_000 - 200 - 60_000);
            later.peer(PEER, STATIC).connected().features().into()
        })
        .about(&[2]),
        Case::note(Confidence::Medium, "the other request came through a moment sooner", || {
            let later = behind_another().after_us(1_999_999 - 200 - 60_000);
            later.peer(PEER, STATIC).connected().features().into()
        })
        .about(&[2]),
        Case::cause(Confidence::High, "another adapter connects a moment later", || {
            let elsewhere = refused(Status::COMMAND_DISALLOWED).wait_ms(300).adapter(1);
            let other = Address([7, 7, 7, 7, 7, 0xc7]);
            elsewhere.handle(0x50).peer(other, STATIC).up().into()
        })
        .about(&[1]),
        Case::cause(Confidence::High, "a page is sent before the answer, and not answered", || {
            let page = Command::CreateConnection {
                bd_addr: Address([7, 7, 7, 7, 7, 7]),
                packet_type: 0xcc18,
                page_scan_repetition_mode: 2,
                reserved: 0,
                clock_offset: 0,
                allow_role_switch: 1,
            };
            let asked = Trace::new().creates_unanswered().command(page);
            asked.status(Opcode(0x200d), Status::COMMAND_DISALLOWED).into()
        })
        .about(&[1]),
        Case::cause(Confidence::High, "the next request is taken, and has its own answer", || {
            let other = Address([7, 7, 7, 7, 7, 0xc7]);
            let both = Trace::new().creates_unanswered().peer(other, STATIC).creates_unanswered();
            let answered = both.status(Opcode(0x200d), Status::INVALID_PARAMETERS);
            answered.status(Opcode(0x200d), Status::SUCCESS).connected().features().into()
        })
        .about(&[1]),
    ],
};

const STATIC: AddressType = AddressType::RANDOM;

fn refused(status: Status) -> Trace {
    Trace::new().advertises(0).create_refused(status)
}

/// A request to the usual peer that waits, and another one that is refused for it.
fn behind_another() -> Trace {
    let other = Address([7, 7, 7, 7, 7, 0xc7]);
    let waiting = Trace::new().create().wait_ms(100);
    waiting.peer(other, STATIC).create_refused(Status::COMMAND_DISALLOWED)
}

fn many_refused(times: u32) -> Trace {
    let ask = |trace: Trace, _| trace.create_refused(Status::COMMAND_DISALLOWED);
    (0..times).fold(Trace::new(), ask)
}

/// Most later requests looked at: whoever asks a thousand times in two seconds races with himself.
const MOST_RACING: usize = 64;

/// Two requests race if one of them comes through this soon.
const RACE: Span = Span::from_ms(2_000);

const BUSY: &[Remedy] = &[
    Remedy::any(
        "Connect to one device at a time: wait for the end of one attempt, or cancel it, before the next.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Stop bluetoothd, if it runs on the same adapter (`sudo systemctl stop bluetooth`), or give noble an adapter of its own (`NOBLE_HCI_DEVICE_ID`).",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Cancel a pending attempt with `bluetoothctl disconnect ADDRESS`; keep one program in charge of connecting.",
    ),
];

const PARAMETERS: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Set `ConnectionSupervisionTimeout` (units of 10 ms) under `[LE]` in /etc/bluetooth/main.conf so that it exceeds (1 + latency) x maximum interval x 2, or lower `MaxConnectionInterval`.",
    ),
    Remedy::any("Choose a supervision timeout above (1 + latency) x maximum interval x 2."),
];

const ONE_PHY: &[Remedy] =
    &[Remedy::any("Ask for the 1M PHY only; on BlueZ `btmgmt phy LE1MTX LE1MRX`.")];

const FEWER_LINKS: &[Remedy] = &[Remedy::any(
    "Close links that nobody uses, or use a second adapter for some of the devices.",
)];

/// Requests that this one may have raced with: the one that was under way, and those that follow.
fn near<'a>(
    scene: &Scene<'a>,
    connection: &Connection,
) -> impl Iterator<Item = &'a Connection> + use<'a> {
    let later = scene.capture().connections.iter().skip(connection.number as usize);
    pending(scene, connection).into_iter().chain(later.take(MOST_RACING))
}

/// A request: its command, to whom, and where.
#[derive(Clone, Copy, Debug)]
struct Asked {
    kind: RequestKind,
    peer: Address,
    frame: u32,
}

impl From<&Request> for Asked {
    fn from(request: &Request) -> Self {
        Self { kind: request.kind, peer: request.peer, frame: request.frame }
    }
}

/// A connect command that the controller refused.
#[derive(Debug)]
struct Refused {
    request: Asked,
    status: Status,
    status_frame: u32,
    /// The request that the controller was still busy with.
    pending: Option<Asked>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let request = connection.request.as_ref()?;
    let status = request.status.filter(|status| *status != Status::SUCCESS)?;
    let status_frame = request.status_frame?;
    if request.kind == RequestKind::BrEdrCreate {
        return None;
    }
    // A race of two requests that both come through in the end is no fault.
    let passed = status == Status::COMMAND_DISALLOWED
        && near(scene, connection).any(|other| {
            other.adapter == connection.adapter
                && other.connected_at().since(request.at).is_some_and(|after| after < RACE)
                && other.peer_heard()
        });
    let pending = pending(scene, connection).and_then(|other| other.request.as_deref());
    let facts = Refused {
        request: request.as_ref().into(),
        status,
        status_frame,
        pending: pending.filter(|_| status == Status::COMMAND_DISALLOWED).map(Asked::from),
    };
    // Of two requests that were sent before the first answer, one has lost its own: it may have been the other's.
    let mut later = scene.capture().connections.iter().skip(connection.number as usize);
    let mixed = later.next().and_then(|next| next.request.as_ref()).is_some_and(|next| {
        next.kind == request.kind && next.comes_before(status_frame) && next.status_frame.is_none()
    });
    let sure = if mixed { Confidence::Medium } else { Confidence::High };
    let verdict = if passed { Verdict::note(facts) } else { Verdict::cause(facts).sure(sure) };
    Some(verdict.apart(status.0))
}

impl Refused {
    fn why(&self) -> &'static str {
        match self.status {
            Status::COMMAND_DISALLOWED => {
                "another request was pending, or the adapter was in a state that excludes connecting"
            }
            Status::CONNECTION_LIMIT_EXCEEDED | Status::LIMITED_RESOURCES => {
                "it has no link left to give"
            }
            Status::INVALID_PARAMETERS => "the parameters contradict each other",
            Status::UNSUPPORTED_FEATURE => {
                "it does not support a PHY or feature that was asked for"
            }
            Status::MEMORY_CAPACITY_EXCEEDED => "it is out of memory",
            Status::CONNECTION_ALREADY_EXISTS => "a link to this device exists already",
            _ => "the code says why",
        }
    }
}

impl Facts for Refused {
    fn says(&self) -> Text {
        text!(
            "The local controller refused the connect command with {}: {}. Nothing went out on the air.",
            self.status,
            self.why()
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let Asked { kind, peer, frame } = self.request;
        let mut sights = vec![
            Sight::here(frame, text!("{} to {}", kind, peer)),
            Sight::here(self.status_frame, text!("Command Status: {}", self.status)),
        ];
        sights.extend(self.pending.map(|Asked { kind, peer, frame }| {
            Sight::here(frame, text!("{} to {}, still pending at that moment", kind, peer))
        }));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "no connect request left this host")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        let remedies = match self.status {
            Status::COMMAND_DISALLOWED => BUSY,
            Status::INVALID_PARAMETERS => PARAMETERS,
            Status::UNSUPPORTED_FEATURE => ONE_PHY,
            Status::CONNECTION_LIMIT_EXCEEDED
            | Status::LIMITED_RESOURCES
            | Status::MEMORY_CAPACITY_EXCEEDED => FEWER_LINKS,
            _ => &[],
        };
        remedies.to_vec()
    }
}
