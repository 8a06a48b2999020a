use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{Handle, Uuid};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, EndedBy, Procedure, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "zombie-link-data-silence",
    title: "The link lives, the data have stopped",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The device notified regularly, then stopped, and the link stayed up. Its radio still answers (empty packets do not show on
HCI, but the link would have ended without them); its application does not.

## How it shows
Notifications at a regular pace, then none for many times that pace, no Disconnection Complete, no open request.

## What else it could be
0x08 within the supervision timeout is a lost link. An update of the connection parameters just before points there. A device
that only notifies on change may have nothing to say.

## What to do
A watchdog in the application: read a characteristic or write the CCCD again, and reconnect if that does not help.",
    sources: &["laboratory: a sensor whose application stops", "noble/noble#269, #347"],
    check: Check::Connection(check),
    cases: &[
        Case::suspect(Confidence::Medium, "twenty notifications, one every 200 ms, then none for two minutes", || {
            ends(paced(20, 200), 120_000).into()
        })
        .about(&[1])
        .saying("first of 20 notifications, one every 200 ms")
        .not_saying("only when something changes")
        .pins(&["STREAM"]),
        Case::suspect(Confidence::Low, "nineteen notifications: it may only have told what changed", || {
            ends(paced(19, 200), 120_000).into()
        })
        .saying("only when something changes")
        .pins(&["STREAM"]),
        Case::silent("reports of a keyboard or a mouse", || {
            let name = |c: Trace| c.by_wire(&[0x08, 1, 0, 0xff, 0xff, 0x03, 0x28], 0x09, &[7, 2, 0, 0x12, 3, 0, 0x4d, 0x2a]);
            let pushes = |trace: Trace, n| trace.wait_ms(200).notified(3, &[n]);
            ends((0..20).fold(name(Trace::new().up().mtu()), pushes), 120_000).into()
        }),
        Case::silent("none for 900 ms", || ends(paced(6, 200), 900).into()),
        Case::suspect(Confidence::Low, "the link is up when the capture ends", || {
            paced(6, 200).wait_ms(120_000).advertises(0).into()
        })
        .saying("record longer"),
        Case::suspect(Confidence::Low, "three notifications", || {
            ends(paced(3, 200), 120_000).into()
        })
        .pins(&["FEWEST"]),
        Case::silent("two notifications", || ends(paced(2, 200), 120_000).into())
            .pins(&["FEWEST"]),
        Case::suspect(Confidence::Low, "a little more than twenty times its pace is missed", || {
            ends(paced(6, 2_000), 40_100).into()
        })
        .pins(&["TIMES"]),
        Case::silent("a little less than twenty times its pace is missed", || {
            ends(paced(6, 2_000), 39_900).into()
        })
        .pins(&["TIMES"]),
        Case::suspect(Confidence::Low, "one every 50.1 ms", || {
            ends(paced(9, 50), 120_000).into()
        })
        .pins(&["BURST"]),
        Case::silent("one every 49.1 ms", || ends(paced(9, 49), 120_000).into())
            .pins(&["BURST"]),
        Case::suspect(Confidence::Low, "one every 4.99 s", || {
            ends(paced(6, 4_990), 120_000).into()
        })
        .pins(&["SLOWEST"]),
        Case::silent("one every 5.01 s", || ends(paced(6, 5_010), 120_000).into())
            .pins(&["SLOWEST"]),
        Case::suspect(Confidence::Low, "none for 10.01 s", || {
            ends(paced(6, 200), 10_010).into()
        })
        .pins(&["SILENCE"]),
        Case::silent("none for 9.99 s", || ends(paced(6, 200), 9_990).into())
            .pins(&["SILENCE"]),
        Case::silent("one for each write: an answer", || {
            let ask = |trace: Trace, n| trace.write(3, &[n]).notified(3, &[n]).wait_ms(300);
            ends((0..9).fold(ready(), ask), 120_000).into()
        }),
        Case::silent("two for each write", || ends(answered(2), 120_000).into())
            .pins(&["PER_WRITE"]),
        Case::suspect(Confidence::Low, "three for each write", || {
            ends(answered(3), 120_000).into()
        })
        .pins(&["PER_WRITE"]),
        Case::silent("the link goes on with something else", || {
            let read = crate::packet::att::Pdu::ReadRequest { attribute_handle: Handle(3) };
            let value = crate::packet::att::Pdu::ReadResponse { attribute_value: &[1] };
            ends(paced(6, 200).wait_ms(60_000).exchange(read, value), 60_000).into()
        }),
        Case::silent("the device leaves", || {
            paced(6, 200).wait_ms(120_000).disconnected(HUNG_UP).into()
        }),
        Case::silent("the notifications are this host's own", || {
            let own = (0..6).fold(ready(), |trace, n| trace.wait_ms(200).notified_by_us(3, &[n]));
            ends(own, 120_000).into()
        }),

        Case::suspect(Confidence::Low, "none for exactly 10 s", || {
            paced(6, 200).after_ms(10_000).hangs_up(HUNG_UP).into()
        }),
        Case::suspect(Confidence::Low, "two for each write, and one more", || {
            let more = answered(2).wait_ms(300).notified(3, &[9]);
            ends(more, 120_000).into()
        }),
        Case::silent("the controller ends the link", || {
            paced(6, 200).wait_ms(120_000).disconnected(Status(0x2a)).into()
        }),
        Case::suspect(Confidence::Low, "one every 50 ms exactly", || {
            ends(spaced(9, 50_000), 120_000).into()
        })
        .pins(&["BURST"]),
        Case::silent("one a moment sooner than every 50 ms", || {
            ends(spaced(9, 49_999), 120_000).into()
        })
        .pins(&["BURST"]),
        Case::silent("one every 5 s exactly", || ends(spaced(6, 5_000_000), 120_000).into())
            .pins(&["SLOWEST"]),
        Case::suspect(Confidence::Low, "one a moment sooner than every 5 s", || {
            ends(spaced(6, 4_999_999), 120_000).into()
        })
        .pins(&["SLOWEST"]),
        Case::suspect(Confidence::Low, "exactly twenty times its pace is missed", || {
            spaced(6, 1_000_000).after_us(20_000_000).hangs_up(HUNG_UP).into()
        })
        .pins(&["TIMES"]),
        Case::silent("a moment less than twenty times its pace is missed", || {
            spaced(6, 1_000_000).after_us(19_999_999).hangs_up(HUNG_UP).into()
        })
        .pins(&["TIMES"]),
        Case::suspect(Confidence::Low, "this host had written before, and then only listened", || {
            let written = (0..10).fold(ready(), |trace, n| trace.write(3, &[n]));
            let pushes = |trace: Trace, n| trace.wait_ms(200).notified(3, &[n]);
            ends((0..6).fold(written, pushes), 120_000).into()
        }),
        Case::suspect(Confidence::Low, "the link is still up, and nothing shows that this host gave up", || {
            paced(6, 200).wait_ms(120_000).advertises(0).into()
        })
        .not_saying("this host hangs up"),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

fn ready() -> Trace {
    Trace::new().up().mtu().discovery(0x1a).write(4, &[1, 0])
}

/// So many notifications, that far apart.
fn paced(count: u8, ms: u32) -> Trace {
    (0..count).fold(ready(), |trace, n| trace.wait_ms(ms).notified(3, &[n]))
}

/// The same, to the microsecond.
fn spaced(count: u8, us: u32) -> Trace {
    (0..count).fold(ready(), |trace, n| trace.after_us(us).notified(3, &[n]))
}

/// Writes, and so many notifications after each.
fn answered(by: u8) -> Trace {
    (0..4).fold(ready().wait_ms(300), |trace, n| {
        (0..by).fold(trace.write(3, &[n]), |trace, n| trace.wait_ms(300).notified(3, &[n]))
    })
}

fn ends(trace: Trace, ms: u32) -> Trace {
    trace.wait_ms(ms).hangs_up(HUNG_UP)
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Add a watchdog: after ten missed notifications read a characteristic; if that answers, write the CCCD again; else disconnect and reconnect.",
    ),
    Remedy::no_use(
        "A keep-alive on the link layer: the link is alive, the device's application is not.",
    ),
    Remedy::firmware("look for a stalled task, a full queue, or a CCCD that was reset."),
];

/// Fewest notifications that show a pace, and how many times it must be missed.
const FEWEST: u32 = 3;
const TIMES: i64 = 20;

/// So many are a stream. Fewer may be a button, or values that a device tells once after it was subscribed to.
const STREAM: u32 = 20;

/// HID Report: it is sent when a key is pressed, or a mouse moved.
const REPORT: Uuid = Uuid::Short(0x2a4d);

/// A shorter silence is not worth a word.
const SILENCE: Span = Span::from_ms(10_000);

/// What comes faster is one answer in pieces: it ends because it is complete.
const BURST: Span = Span::from_ms(50);

/// What comes more slowly has no pace that one could rely on.
const SLOWEST: Span = Span::from_ms(5_000);

/// At most this many notifications for each write are its answers: they stop when the host stops asking.
const PER_WRITE: u32 = 2;

/// Notifications that stopped.
#[derive(Debug)]
struct Zombie {
    run: Step,
    pace: Span,
    silence: Span,
    /// Where this host gave up. None: the link is up when the capture ends.
    end_frame: Option<u32>,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let run: &Step = connection
        .steps
        .iter()
        .filter(|s| s.procedure == Procedure::Notify && s.by == Direction::Received)
        .max_by_key(|s| s.last.frame)?;
    let pace = Span(run.duration()?.0 / i64::from(run.count.max(2) - 1));
    let silence = see::given_up_at(connection).since(run.last.at)?;
    let by_us = connection.end.as_ref().is_none_or(|end| end.by == EndedBy::Host);
    let other_traffic = connection
        .steps
        .iter()
        .any(|s| s.last.frame > run.last.frame && s.procedure != Procedure::Disconnect);
    let asked: u32 = connection
        .steps
        .iter()
        .filter(|s| matches!(s.procedure, Procedure::Write | Procedure::WriteCommand))
        .filter(|s| s.by == Direction::Sent && s.last.frame > run.frame)
        .map(|s| s.count)
        .fold(0, u32::saturating_add);
    let answers = asked.saturating_mul(PER_WRITE) >= run.count;
    let regular = run.count >= FEWEST && !answers && pace >= BURST && pace < SLOWEST;
    let stopped = silence.0 >= pace.0 * TIMES && silence >= SILENCE && !other_traffic;
    let report = connection.attribute(run).and_then(|a| a.uuid) == Some(REPORT);
    let sure = if run.count >= STREAM { Confidence::Medium } else { Confidence::Low };
    let facts = Zombie {
        run: run.clone(),
        pace,
        silence,
        end_frame: connection.end.as_ref().map(|end| end.command_frame().unwrap_or(end.frame)),
    };
    (by_us && regular && stopped && !report).then(|| Verdict::suspect(facts).sure(sure))
}

impl Facts for Zombie {
    fn says(&self) -> Text {
        text!(
            "Notifications of attribute {} came every {}, then stopped for {}, and the link stayed up: the device's radio lives, its application has stopped.{}",
            Handle(self.run.attribute),
            self.pace,
            self.silence,
            if self.run.count < STREAM {
                " Or it sends only when something changes: then nothing is wrong."
            } else {
                ""
            }
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let first = text!("first of {} notifications, one every {}", self.run.count, self.pace);
        let mut sights = vec![
            Sight::here(self.run.frame, first),
            Sight::here(self.run.last.frame, "the last notification"),
        ];
        sights.extend(
            self.end_frame.map(|frame| {
                Sight::here(frame, text!("{} later this host hangs up", self.silence))
            }),
        );
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "supervision-timeout-0x08",
            "the link did not end for want of packets, so the device's radio went on answering",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        let longer = text!("The capture ends while the link is up: record longer.");
        let read = text!(
            "Read any characteristic during the silence: an answer shows that only the notifications stopped."
        );
        match self.end_frame {
            Some(_) => vec![read],
            None => vec![longer, read],
        }
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
