use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::hci::Command;
use crate::packet::{Address, AddressType, Status};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Capture, Connection, Happening, OddityKind};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "create-after-reset",
    title: "A connect request from before the reset is still at work",
    basis: Basis::Author,
    silences: &["create-conn-status-error"],
    docs: "\
## What it means
HCI Reset ends a pending connect request, and the host forgets it. Here the controller did not: the old request still came
through, or it stood in the way of the next one. This rule rests on traces of its author's.

## How it shows
A connect request without an answer, then HCI Reset; after it a Connection Complete that no request asked for, to the device of
the old request, or the next request refused with 0x0B or 0x0C while nothing else is pending.

## What else it could be
A second program that sends commands which this capture does not show.

## What to do
Cancel a pending request before the reset, or wait a moment after it; update the controller's firmware.",
    sources: &["Core Specification, Vol 4, Part E, 7.3.2: Reset"],
    check: Check::Capture(check),
    cases: &[
        Case::suspect(Confidence::Medium, "the next request is refused", || {
            reset(Trace::new().create()).create_refused(Status::COMMAND_DISALLOWED).into()
        })
        .about(&[2])
        .saying("refused"),
        Case::suspect(Confidence::Medium, "the next request is told that the link exists", || {
            reset(Trace::new().create()).create_refused(Status::CONNECTION_ALREADY_EXISTS).into()
        })
        .about(&[2]),
        Case::suspect(Confidence::Medium, "a link comes up that nobody asked for", || {
            reset(Trace::new().create()).connected().features().into()
        })
        .about(&[2])
        .saying("no request after the reset"),
        Case::silent("the link that comes up is to another device", || {
            reset(Trace::new().create()).peer(OTHER, AddressType::RANDOM).connected().features().into()
        }),
        Case::silent("a device connects to us", || {
            reset(Trace::new().create()).connected_as(1, 39, 0, 42).features().into()
        }),
        Case::silent("the next request is refused for another reason", || {
            reset(Trace::new().create()).create_refused(Status::INVALID_PARAMETERS).into()
        }),
        Case::silent("the old request was cancelled before the reset", || {
            let cancelled = Trace::new().create().wait_ms(500).cancel();
            reset(cancelled).create_refused(Status::COMMAND_DISALLOWED).into()
        }),
        Case::silent("there was no reset", || {
            Trace::new().create().wait_ms(500).create_refused(Status::COMMAND_DISALLOWED).into()
        }),
        Case::silent("another request is pending", || {
            let waits = reset(Trace::new().create()).create().wait_ms(100);
            waits.peer(OTHER, AddressType::RANDOM).create_refused(Status::COMMAND_DISALLOWED).into()
        }),
        Case::silent("it is the next one but one after another reset", || {
            let twice = reset(reset(Trace::new().create()));
            twice.create_refused(Status::COMMAND_DISALLOWED).into()
        }),

        Case::silent("a link came up before the reset: that one had an answer", || {
            let first = Trace::new().up().mtu().wait_ms(500);
            reset(first).create_refused(Status::COMMAND_DISALLOWED).into()
        }),
        Case::suspect(Confidence::Medium, "a request for anybody was pending, and another device's link comes up", || {
            let waits = reset(Trace::new().create_for_anybody());
            waits.peer(OTHER, AddressType::RANDOM).connected().features().into()
        })
        .about(&[2]),
        Case::silent("a link that was asked for after the reset comes up", || {
            reset(Trace::new().create()).up().into()
        }),
        Case::silent("what was refused had been asked for before the reset", || {
            let second = Trace::new().create().wait_ms(100).peer(OTHER, AddressType::RANDOM);
            let second = second.creates_unanswered().wait_ms(100).done(Command::Reset {});
            second.status(crate::packet::Opcode(0x200d), Status::COMMAND_DISALLOWED).into()
        }),
        Case::silent("what was refused had been asked for before the reset, and the first request was for anybody", || {
            let second = Trace::new().create_for_anybody().wait_ms(100).creates_unanswered();
            let reset = second.wait_ms(100).done(Command::Reset {});
            reset.status(crate::packet::Opcode(0x200d), Status::COMMAND_DISALLOWED).into()
        }),
        Case::silent("the old request for anybody fails after the reset", || {
            reset(Trace::new().create_for_anybody()).connect_failed(Status::LIMITED_RESOURCES).into()
        }),
        Case::silent("another adapter is reset", || {
            let other = Trace::new().create().wait_ms(500).adapter(1).done(Command::Reset {});
            other.adapter(0).wait_ms(100).create_refused(Status::COMMAND_DISALLOWED).into()
        }),
        Case::silent("the request that waits is another adapter's", || {
            let waits = Trace::new().adapter(1).create().adapter(0);
            reset(waits).create_refused(Status::COMMAND_DISALLOWED).into()
        }),
        Case::silent("what is refused is another adapter's", || {
            let after = reset(Trace::new().create()).adapter(1);
            after.create_refused(Status::COMMAND_DISALLOWED).into()
        }),
        Case::suspect(Confidence::Medium, "the old request is shown, and to whom it went", || {
            reset(Trace::new().create()).create_refused(Status::COMMAND_DISALLOWED).into()
        })
        .saying("the connect request to C0:00:00:00:00:01; nothing answers it"),
    ],
};

const OTHER: Address = Address([2, 0, 0, 0, 0, 0xc0]);

fn reset(trace: Trace) -> Trace {
    trace.wait_ms(500).done(Command::Reset {}).wait_ms(100)
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Cancel a pending connect request, and wait for its Connection Complete, before the reset.",
    ),
    Remedy::any("Update the controller's firmware: a reset has to end every request."),
];

/// What came after the reset of a request that was sent before it.
#[derive(Debug)]
struct Forgotten {
    peer: Option<Address>,
    request_frame: u32,
    reset_frame: u32,
    /// The link that came up, or the refusal of the next request.
    after_frame: u32,
    /// None: a link came up.
    refused: Option<Status>,
}

/// The frame of an attempt's request.
fn asked(connection: &Connection) -> u32 {
    connection.request.as_ref().map_or(0, |request| request.frame)
}

/// The first frame that shows what became of an attempt after a reset.
fn shown(connection: &Connection) -> u32 {
    connection.connected_frame().or(connection.status_frame()).unwrap_or(0)
}

/// Still waiting when the capture ended, or when a reset came. (Without a request it has no place between two resets.)
fn waits(connection: &Connection) -> bool {
    connection.status.is_none() && connection.connected_frame().is_none()
}

fn unasked(connection: &Connection) -> bool {
    let odd = |kind| kind == OddityKind::CompleteWithoutCreate;
    connection.connected_frame().is_some() && connection.oddities.iter().any(|o| odd(o.kind))
}

/// Refused for a request that must be pending, where none is.
fn refused(connection: &Connection) -> bool {
    let exists = Status::CONNECTION_ALREADY_EXISTS;
    let code = matches!(connection.status, Some(code) if code == exists || code == Status::COMMAND_DISALLOWED);
    code && connection.request.as_ref().is_some_and(|r| r.behind.is_none())
}

/// Those of a sorted list whose frame lies behind the first and before the second.
fn between<'l, 'a>(
    of: &'l [&'a Connection],
    frame: fn(&Connection) -> u32,
    from: u32,
    to: u32,
) -> &'l [&'a Connection] {
    let from = of.partition_point(|c| frame(c) <= from);
    of.get(from..of.partition_point(|c| frame(c) < to)).unwrap_or_default()
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    let capture = scene.capture();
    let mut adapters: Vec<Option<u16>> = capture.adapters.iter().map(|a| a.index).collect();
    adapters.dedup();
    adapters.into_iter().flat_map(|adapter| on(capture, adapter)).collect()
}

/// What happened on one adapter, between each of its resets and the next.
fn on(capture: &Capture, adapter: Option<u16>) -> Vec<Verdict> {
    let all = || capture.connections.iter().filter(|c| c.adapter == adapter);
    let mut old: Vec<&Connection> = all().filter(|c| waits(c)).collect();
    let mut hits: Vec<&Connection> = all().filter(|c| unasked(c) || refused(c)).collect();
    old.sort_by_key(|c| asked(c));
    hits.sort_by_key(|c| shown(c));
    let resets = capture.adapter_events.iter().filter(|e| e.adapter == adapter);
    let resets = resets.filter(|e| e.what == Happening::Reset).map(|e| e.frame);
    let frames: Vec<u32> = std::iter::once(0).chain(resets).chain([u32::MAX]).collect();
    let found = frames.windows(3).filter_map(|frames| {
        let [since, reset, until] = *frames else { return None };
        let old = between(&old, asked, since, reset).first()?;
        let wanted = old.wanted().map(|(peer, _)| peer);
        let hit = between(&hits, shown, reset, until).iter().find(|hit| {
            let of_it = wanted.is_none() || hit.peer.address == wanted;
            asked(hit) > reset || unasked(hit) && of_it
        })?;
        let facts = Forgotten {
            peer: wanted,
            request_frame: asked(old),
            reset_frame: reset,
            after_frame: shown(hit),
            refused: hit.status.filter(|status| *status != Status::SUCCESS),
        };
        Some(Verdict::suspect(facts).about([hit.number]))
    });
    found.collect()
}

impl Facts for Forgotten {
    fn says(&self) -> Text {
        let then = match self.refused {
            Some(status) => {
                text!("the next request was refused with {} while nothing else was pending", status)
            }
            None => text!("a link came up that no request after the reset had asked for"),
        };
        text!(
            "A connect request was pending when the host reset the controller; then {}. The controller had not forgotten the old request, most likely.",
            then
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let whom = self.peer.map(|peer| text!(" to {}", peer));
        let after = match self.refused {
            Some(status) => text!("the next request is refused: {}", status),
            None => text!("Connection Complete; no request after the reset asked for it"),
        };
        vec![
            Sight::here(self.after_frame, after),
            Sight::here(
                self.request_frame,
                text!("the connect request{}; nothing answers it", whom),
            ),
            Sight::here(self.reset_frame, "HCI Reset"),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "inprogress-stale-connect",
            "the host had reset the controller: no request of its own was pending",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "The same with a cancel before the reset: if it works, the reset does not end the request."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
